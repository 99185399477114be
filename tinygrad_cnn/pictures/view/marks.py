"""Marks that a tool puts on the steps of a picture, such as how far two gradients are apart there."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Mark:
    """What is to be shown at one step.

    severity  0 (all is well) to 1 (as bad as can be), which becomes the colour of the step, from white to dark red
    note      a few words that stand in the step: "8.9e-01 apart"
    flag      this is the step to look at first: it gets a thick border and a sign

    `render(loss, marks={node: Mark(...)})` puts them on the steps of a graph, each of which is a `Node` (that of a
    Tensor is `tensor.node`). In a picture with `backward=True` they are put on the cotangents of the nodes, else on
    the nodes themselves. Raises ValueError for a severity that is not in 0..1.

    >>> import numpy as np, tinygrad_cnn as tg
    >>> x = tg.Tensor([1.0, 2.0], "x")
    >>> y = np.sum(x * x)
    >>> "off by a half" in tg.render(y, marks={y.node: Mark(0.5, "off by a half")}).dot
    True
    """

    severity: float
    note: str = ""
    flag: bool = False

    def __post_init__(self) -> None:
        if not (isinstance(self.severity, int | float) and 0 <= self.severity <= 1) or math.isnan(self.severity):
            raise ValueError(f"the severity of a mark is {self.severity!r}, but has to be a number in 0..1")
