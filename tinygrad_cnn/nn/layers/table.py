"""Layers in print: in one line, and as a table."""

from __future__ import annotations

import dataclasses
import math
from typing import Any, NamedTuple

import numpy as np

from tinygrad_cnn import columns


class Row(NamedTuple):
    """A layer in a table.

    name        of it within the whole, indented by how deep it is
    layer       its type and hyperparameters
    outputs     the shapes of its results for the example of `init`, where they are known
    parameters  its own, by name
    """

    name: str
    layer: str
    outputs: list[tuple[int, ...]]
    parameters: list[tuple[str, Any]]


def short(layer: Any, inner: list[str] | None = None) -> str:
    """The type and the hyperparameters of a layer, those with a default only where they differ from it.

    inner: what stands for its sublayers.
    """
    arguments: list[str] = []
    by_name = False
    for field in dataclasses.fields(layer):
        if not field.metadata.get("static"):
            continue
        value = getattr(layer, field.name)
        if field.default is not dataclasses.MISSING and type(value) is type(field.default) and value == field.default:
            by_name = True
            continue
        by_name = by_name or field.kw_only is True
        text = getattr(value, "__name__", None) or repr(value)
        arguments.append(f"{field.name}={text}" if by_name else text)
    return f"{type(layer).__name__}({', '.join([*arguments, *(inner or [])])})"


def table(rows: list[Row]) -> str:
    """A line for each layer, with the shape of its result and its parameters, and how many there are."""
    lines = [("layer", "", "output", "parameters", "count")]
    total = 0
    for row in rows:
        count = sum(math.prod(np.shape(p)) for _, p in row.parameters)
        total += count
        shapes = ", ".join(map(str, row.outputs))
        parameters = ", ".join([f"{name} {np.shape(p)}" for name, p in row.parameters])
        lines.append((row.name, row.layer, shapes, parameters, f"{count:,}" if row.parameters else ""))
    lines.append(("total", "", "", "", f"{total:,}"))
    widths = [max(columns.width(line[column]) for line in lines) for column in range(5)]
    texts = []
    for *left, count_text in lines:
        cells = [columns.padded(text, width) for text, width in zip(left, widths[:4], strict=True)]
        texts.append("  ".join([*cells, count_text.rjust(widths[4])]))
    rule = "-" * columns.width(texts[0])
    return "\n".join([texts[0], rule, *[text.rstrip() for text in texts[1:-1]], rule, texts[-1]])
