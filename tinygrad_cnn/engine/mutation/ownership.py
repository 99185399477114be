"""Which cotangents a sweep may write into, so that a loop over parts of an array costs no more than its parts.

The cotangent of an array of which a loop picks n elements is a sum of n arrays that are zero but for one element; the
cotangents of the n versions of an array that a loop fills differ by one element each. Adding up and copying whole
arrays would take n squared steps. A sweep that holds an array alone writes into it instead.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_cnn.engine.graph import Array, Handle, Node


class Ownership:
    """The nodes whose cotangent is an array that one sweep alone holds.

    cotangents  those of the sweep
    keep        all of them are wanted at the end
    owned       the nodes
    handed      those of them whose array was the cotangent of a node that has no more use for it
    """

    def __init__(self, cotangents: dict[Node, Array], keep: bool) -> None:
        self.cotangents, self.keep = cotangents, keep
        self.owned: set[Node] = set()
        self.handed: set[Node] = set()

    def add_part(self, x: Node, node: Node, g: Array, out: Any, operands: Any) -> None:
        """`node` picks from `x`: add its cotangent to that of `x`, in place, at the elements that it picked."""
        total = self.cotangents.get(x)
        if total is None:
            total = np.zeros_like(x.like, order="C")
            self.owned.add(x)
        elif x not in self.owned and not isinstance(total, Handle):
            total = np.copy(total)  # an array even where `total` is a number: it is written to
            self.owned.add(x)
        self.cotangents[x] = node.primitive.adding(total, g, out, *operands, **node.static_args)

    def hand_down(self, x: Node, node: Node, g: Array, operands: Any) -> None:
        """`node` wrote to a part of `x`: the cotangent of `x` is that of `node`, without the part that was written."""
        if self.keep and node in self.handed:
            del self.cotangents[node]  # it lives on as that of `x`
        elif self.keep or node not in self.owned:
            g = np.copy(g)
        g = node.primitive.overwriting(g, node.like, *operands, **node.static_args)
        total = self.cotangents.get(x)
        if total is None:
            self.cotangents[x] = g
            self.owned.add(x)
            self.handed.add(x)
        else:
            self.cotangents[x] = total + g
            self.given_up(x)

    def given_up(self, x: Node) -> None:
        """The cotangent of `x` is another array now."""
        self.owned.discard(x)
        self.handed.discard(x)
