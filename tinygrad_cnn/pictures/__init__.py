"""Pictures of the computation graph, forward and backward: `render` draws one, `graph` tells it as text.

What they need (Graphviz, matplotlib, OpenCV) is imported when a picture is asked for.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tinygrad_cnn.engine.graph import Node
from tinygrad_cnn.engine.tensor import Tensor
from tinygrad_cnn.pictures.view.marks import Mark

if TYPE_CHECKING:
    from tinygrad_cnn.pictures.write.picture import Picture
    from tinygrad_cnn.pictures.write.summary import Graph

__all__ = ["Graph", "Mark", "graph", "render"]


def render(
    result: Any,
    path: str | os.PathLike[str] | None = None,
    *,
    backward: bool = False,
    values: str | None = None,
    collapse: Any = None,
    inputs: Any = (),
    measure: bool = False,
    against: Any = None,
    marks: Mapping[Node, Mark] | None = None,
    fold: bool | None = None,
    theme: str = "auto",
    format: str | None = None,
) -> Picture:
    """Draw the graph of `result`, a Tensor or a tree of Tensors; write it to `path`, if one is given.

    backward  with the gradient: beside each value its cotangent, the derivative of the result by it (of the sum of all,
              where there are several results or elements), and how the rules compute them
    values    "thumbnails": what flows, as small pictures, with its range, and with what is wrong with it (NaN, Inf, all
              zero, exploding)
    collapse  what is drawn as one box. None: what rules compute. 0: nothing. A number n from 1 on: scopes that are n
              deep; 1 is the outermost. Names of scopes: those
    inputs    leaves (or their names) that are data: drawn as such, and no gradient is taken for them
    measure   run every step and rule again, and colour them by the time that they take; with operations and bytes
    against   another result, such as that of the model before training: what is in one of them alone is coloured, and
              values are shown side by side
    marks     what to show at single nodes; see `Mark`
    fold      draw what repeats, such as the turns of a loop, once. By default it is done from 150 nodes on
    theme     "light", "dark", or "auto", which is light, but dark in an SVG or page whose reader prefers that
    format    "svg", "png", "pdf", "html" (a page to look around in), "dot", "mermaid", "txt" or "json"; by default what
              the name of `path` ends in

    Returns a picture, which a notebook shows, and which has .svg, .dot, .png, .pdf, .notes and .save(path). Nothing in
    the graph is changed, and the picture does not hold it. Raises TypeError for what is no Tensor; ValueError for
    options that cannot be; OSError if `path` cannot be written to; RuntimeError where nothing can lay out a picture.

    >>> import numpy as np, tinygrad_cnn as tg
    >>> W, x = tg.Tensor([[1.0, 2.0]], "W"), np.array([3.0, 4.0])
    >>> loss = np.sum(np.tanh(W @ x))
    >>> picture = tg.render(loss, backward=True)
    >>> "∂L/∂W" in picture.dot
    True
    """
    from tinygrad_cnn.pictures import making

    return making.picture(
        result, path, format,
        backward=backward, values=values, collapse=collapse, inputs=inputs, measure=measure, against=against,
        marks=marks, fold=fold, theme=theme,
    )  # fmt: skip


def graph(
    result: Any,
    *,
    backward: bool = False,
    values: str | None = None,
    collapse: Any = None,
    inputs: Any = (),
    measure: bool = False,
    against: Any = None,
    marks: Mapping[Node, Mark] | None = None,
    fold: bool | None = None,
) -> Graph:
    """The graph of `result` to be read: print it for a table in the order of execution; it also has .dot(), .mermaid()
    and .json(). Arguments as for `render`.

    >>> import numpy as np, tinygrad_cnn as tg
    >>> x = tg.Tensor(2.0, "x")
    >>> print(tg.graph(x * x).mermaid().splitlines()[1])
    n0[["x"]]:::parameter
    """
    from tinygrad_cnn.pictures import making

    return making.summary(
        result, backward=backward, values=values, collapse=collapse, inputs=inputs, measure=measure, against=against,
        marks=marks, fold=fold,
    )  # fmt: skip


def _in_notebook(tensor: Tensor) -> str:
    from tinygrad_cnn.pictures.write.notebook import card

    return card(tensor)


Tensor._repr_html_ = _in_notebook  # the rooms below know nothing of pictures


if not TYPE_CHECKING:  # which finds what is not there

    def __getattr__(name: str) -> Any:
        if name == "Graph":
            from tinygrad_cnn.pictures.write.summary import Graph

            return Graph
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
