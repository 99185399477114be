"""`Graph`: a graph to be read, as a table, as DOT, Mermaid or JSON."""

from __future__ import annotations

from tinygrad_cnn.pictures.view.closing import Collapse, collapsed, shut
from tinygrad_cnn.pictures.view.view import View
from tinygrad_cnn.pictures.write import text


class Graph:
    """The graph of a Tensor, to be read: `print` gives a table in the order of execution.

    It holds what is to be said of the graph, and not the graph: no array is kept alive by it.

    notes  what a reader has to be told, such as what was folded

    >>> import numpy as np, tinygrad_cnn as tg
    >>> x = tg.Tensor([1.0, 2.0], "x")
    >>> y = np.sum(np.exp(x) * x)
    >>> print(tg.graph(y))  # doctest: +NORMALIZE_WHITESPACE, +ELLIPSIS
    y: 3 steps of 1 parameter
    <BLANKLINE>
        name  value       how               scope  line
    %0  x     float64[2]  parameter                ...
    %1        float64[2]  exp(x)                   ...
    %2        float64[2]  multiply(%1, x)          ...
    %3  y     float64[]   sum(%2...)               ...
    """

    def __init__(self, view: View, collapse: Collapse = None) -> None:
        self._view = collapsed(view, shut(view, collapse))
        self.notes = list(view.notes)

    def __str__(self) -> str:
        return text.table(self._view)

    def __repr__(self) -> str:
        return f"<Graph of {self._view.title}: {len(self._view.boxes)} boxes, {len(self._view.edges)} edges>"

    def __len__(self) -> int:
        return len(self._view.boxes)

    def dot(self) -> str:
        """The picture in DOT, the language of Graphviz."""
        from tinygrad_cnn.pictures.write.dot import Style, dot

        return dot(self._view, Style(self._view))

    def mermaid(self) -> str:
        """The picture in Mermaid, which GitHub draws."""
        from tinygrad_cnn.pictures.write.mermaid import mermaid

        return mermaid(self._view)

    def json(self) -> str:
        """The graph as JSON, for other tools; `document.py` of this room says what is in it."""
        from tinygrad_cnn.pictures.write.json_document import document

        return document(self._view)

    def _repr_svg_(self) -> str | None:
        from tinygrad_cnn.pictures.write.picture import Picture

        return Picture(self._view)._repr_svg_()

    def _repr_html_(self) -> str:
        return f"{self._repr_svg_() or ''}{text.as_html(self._view)}"
