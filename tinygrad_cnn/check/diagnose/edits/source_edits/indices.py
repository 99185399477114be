"""Another index, bound or window."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from tinygrad_cnn.check.diagnose.edits.source_edits.edit import SourceEdit, instead
from tinygrad_cnn.check.diagnose.edits.source_edits.scope import Scope
from tinygrad_cnn.check.diagnose.edits.source_edits.trees import next_to, parsed, placed, text
from tinygrad_cnn.check.diagnose.edits.statements import Change


def indices(holder: Any, at: Any, x: ast.expr, scope: Scope) -> Iterator[SourceEdit]:
    """An index off by one, or without its stride; windows without theirs; two indices exchanged."""
    if not isinstance(x, ast.Subscript):
        return
    elts = x.slice.elts if isinstance(x.slice, ast.Tuple) else []
    parts: list[tuple[Any, Any, ast.expr]] = [(elts, k, y) for k, y in enumerate(elts)] or [(x, "slice", x.slice)]
    steps = [name for name, value in scope.atoms if type(value) is int and 1 < value < 100 and name.isidentifier()]
    yield from _windows(x, steps)
    if any(isinstance(y, ast.Slice) and _is_reversed(y) for _, _, y in parts):
        straight = [text(y) if not (isinstance(y, ast.Slice) and _is_reversed(y)) else ":" for _, _, y in parts]
        source = text(x.value) if set(straight) == {":"} else f"{text(x.value)}[{', '.join(straight)}]"
        yield instead(holder, at, x, source, 0.9)
    for where, place, y in parts:
        if isinstance(y, ast.Slice):
            for edge in ("lower", "upper"):
                bound = getattr(y, edge)
                if bound is not None and not isinstance(bound, ast.Constant):
                    for step in (1, -1):
                        new = parsed(next_to(bound, step), bound)
                        yield SourceEdit(1.15, Change(y, edge, new), "index", {"x": text(x.value)})
        elif isinstance(y, ast.Name | ast.BinOp | ast.UnaryOp) and isinstance(scope.value(y), int | np.integer):
            for step in (-1, 1):
                change = Change(where, place, parsed(next_to(y, step), y))
                yield SourceEdit(1.0, change, "index", {"x": text(x.value)})
            if isinstance(y, ast.BinOp) and isinstance(y.op, ast.Sub) and isinstance(y.right, ast.Name):
                straight = [text(z.right if isinstance(z, ast.BinOp) else z) for _, _, z in parts]  # 2 - i for i
                source = f"{text(x.value)}[{', '.join(straight)}]"
                index = ast.parse(source, mode="eval").body.slice  # type: ignore[attr-defined]
                yield SourceEdit(1.0, Change(x, "slice", placed(index, x)), "other", {"x": text(x), "y": source})
            for stride in steps:
                change = Change(where, place, parsed(f"{text(y)} * {stride}", y))
                yield SourceEdit(1.3, change, "index", {"x": text(x.value)})
    for k in range(len(elts) - 1):
        new = ast.Tuple([*elts[:k], elts[k + 1], elts[k], *elts[k + 2 :]], ast.Load())
        change = Change(x, "slice", parsed_index(new, x))
        yield SourceEdit(1.2, change, "other", {"x": text(x), "y": f"{text(x.value)}[{text(new)[1:-1]}]"})


def _is_reversed(y: ast.Slice) -> bool:
    return y.step is not None and text(y.step) == "-1" and y.lower is None and y.upper is None


def _windows(x: ast.Subscript, steps: Sequence[str]) -> Iterator[SourceEdit]:
    """Windows whose starts are a stride apart, or not: along one axis, or along all."""
    parts = x.slice.elts if isinstance(x.slice, ast.Tuple) else [x.slice]
    windows = [k for k, y in enumerate(parts) if isinstance(y, ast.Slice) and _length(y) is not None]
    for chosen in [windows, *([[k] for k in windows] if len(windows) > 1 else [])]:
        for start in ("plain", *steps) if chosen else ():
            new = [_from(y, start) if k in chosen else text(y) for k, y in enumerate(parts)]
            source = ", ".join(new)
            if source != ", ".join(map(text, parts)):
                words = {"x": text(x), "y": f"{text(x.value)}[{source}]"}
                index = ast.parse(f"z[{source}]", mode="eval").body.slice  # type: ignore[attr-defined]
                yield SourceEdit(1.1, Change(x, "slice", placed(index, x)), "other", words)


def _length(y: ast.Slice) -> str | None:
    """The length of a window start:start + length."""
    low, high = y.lower, y.upper
    if low is None or not (isinstance(high, ast.BinOp) and isinstance(high.op, ast.Add)):
        return None
    return text(high.right) if text(high.left) == text(low) else None


def _from(y: Any, step: str) -> str:
    """A window that starts a stride apart from the next, or with "plain" right beside it."""
    low = y.lower
    if isinstance(low, ast.BinOp) and isinstance(low.op, ast.Mult):
        low = low.left
    start = text(low) if step == "plain" else f"{text(low)} * {step}"
    return f"{start}:{start} + {_length(y)}"


def parsed_index(node: Any, like: ast.AST) -> Any:
    """An index or a slice, placed where `like` is written."""
    whole = ast.parse(
        f"z[{ast.unparse(node) if not isinstance(node, ast.Tuple) else ast.unparse(node)[1:-1]}]", mode="eval"
    )
    return placed(whole.body.slice, like)  # type: ignore[attr-defined]
