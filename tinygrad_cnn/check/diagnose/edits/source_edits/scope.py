"""What a statement had variables for, and what their values are."""

from __future__ import annotations

import ast
import contextlib
import functools
import re
from typing import Any

import numpy as np

from tinygrad_cnn.check.diagnose.edits.purity import is_pure
from tinygrad_cnn.check.diagnose.edits.source_edits.trees import text
from tinygrad_cnn.check.diagnose.edits.statements import LARGE, Statement

ALIKE = 16  # expressions that are tried in the place of one
LONGEST = 3000  # elements of an axis of which an array may have two
WRITTEN = 40  # characters of an expression that is tried elsewhere


class Scope:
    """What a statement had variables for: expressions, with their values."""

    def __init__(self, statement: Statement) -> None:
        self.names, self.within = dict(statement.names), statement.within
        self.atoms: list[tuple[str, Any]] = [(name, x) for name, x in self.names.items() if is_numeric(x)]
        for k, (name, x) in enumerate(self.names.items()):
            own = k < statement.own
            if isinstance(x, dict) and len(x) <= 20:
                self.atoms += [(f"{name}[{key!r}]", y) for key, y in x.items() if is_numeric(y)]
            elif own and name == "self" and hasattr(x, "__dict__"):
                self.atoms += [(f"self.{key}", y) for key, y in vars(x).items() if is_numeric(y)]
        self.counters = self._counters(statement)
        self.written: list[tuple[str, Any]] = []  # what is written elsewhere in the function
        self.numbers: list[str] = []  # and what of it is computed and a whole number, as an index is
        for node in ast.walk(statement.within):
            if isinstance(node, ast.BinOp | ast.Compare | ast.Call | ast.Subscript | ast.Attribute):
                source = text(node)
                if len(source) <= WRITTEN and not any(source == other for other, _ in (*self.atoms, *self.written)):
                    value = self.value(node)
                    if isinstance(value, np.ndarray) and (is_numeric(value) or value.dtype.kind == "b"):
                        self.written.append((source, value))
                    elif isinstance(node, ast.BinOp) and type(value) is int and source not in self.numbers:
                        self.numbers.append(source)

    def value(self, node: ast.expr) -> Any:
        """The value of an expression; None if it has none, or if it may change something."""
        if not is_pure(node, self.names):
            return None
        try:
            with np.errstate(all="ignore"):
                names = {**self.names, **self.counters} if self.counters else self.names
                return eval(compile(ast.Expression(node), "<expression>", "eval"), names)
        except Exception:  # whatever somebody's expression raises
            return None

    def _counters(self, statement: Statement) -> dict[str, Any]:
        """The first values of the variables of a statement's comprehensions."""
        found: dict[str, Any] = {}
        for x in ast.walk(statement.node):
            if isinstance(x, ast.comprehension) and isinstance(x.target, ast.Name) and is_pure(x.iter, self.names):
                with contextlib.suppress(Exception):  # whatever somebody's expression raises
                    values = eval(compile(ast.Expression(x.iter), "<expression>", "eval"), self.names)
                    if isinstance(values, range | list | tuple):
                        found[x.target.id] = values[0]
        return found

    def like(self, source: str, x: Any) -> list[str]:
        """Variables, then other expressions, of the shape and the kind of dtype of `x`, each with another value."""
        found, seen = [], {_content(x)}
        for name, content in self._by_shape.get((np.shape(x), dtype_kind(x)), ()):
            if name != source and content not in seen:
                seen.add(content)
                found.append(name)
        return found[:ALIKE]

    @functools.cached_property
    def _by_shape(self) -> dict[Any, list[tuple[str, bytes]]]:
        """The names of what is there, and what it holds, by its shape and the kind of its dtype."""
        found: dict[Any, list[tuple[str, bytes]]] = {}
        for name, y in (*self.atoms, *self.written):
            found.setdefault((np.shape(y), dtype_kind(y)), []).append((name, _content(y)))
        return found

    def masks(self, shape: tuple[int, ...]) -> list[str]:
        """Comparisons that are written somewhere in the function, and broadcast to a shape."""
        return [name for name, y in self.written if y.dtype.kind == "b" and broadcasts(y.shape, shape)]

    @property
    def has_long_axes(self) -> bool:
        """Whether there is an axis so long that a product the other way round would fill the memory."""
        held = [
            x.values() if isinstance(x, dict) else x for x in self.names.values() if isinstance(x, dict | list | tuple)
        ]
        inner = [y for values in held for y in values]
        arrays = [x for x in (*self.names.values(), *inner) if isinstance(x, np.ndarray)]
        return any(n > LONGEST for x in arrays for n in x.shape)

    @functools.cached_property
    def counts(self) -> list[str]:
        """Expressions for whole numbers above 1 that sizes and steps are given by, one for each number."""
        found: dict[int, str] = {}
        for name, x in self.atoms:
            if type(x) is int and 1 < x < LARGE:
                found.setdefault(x, name)
        mentioned = {x.id for x in ast.walk(self.within) if isinstance(x, ast.Name)}
        for name, x in self.atoms:
            if not mentioned.intersection(re.split(r"\W", name)[:1]):
                continue
            if isinstance(x, np.ndarray) and x.size > 2 and set(x.ravel().tolist()) == {0, 1}:
                found.setdefault(int(x.sum()), f"{name}.sum()")
            for axis, n in enumerate(np.shape(x) if isinstance(x, np.ndarray) else ()):
                if n > 1:
                    found.setdefault(n, f"{name}.shape[{axis}]")
            if isinstance(x, np.ndarray) and x.ndim > 1:
                found.setdefault(x.size, f"{name}.size")
        return list(found.values())


def broadcasts(shape: tuple[int, ...], to: tuple[int, ...]) -> bool:
    """Whether an array of a shape broadcasts to another shape."""
    return len(shape) <= len(to) and all(m in (n, 1) for m, n in zip(shape[::-1], to[::-1], strict=False))


def is_numeric(x: Any) -> bool:
    """Whether it is a real number, or an array of such that is not large."""
    known = isinstance(x, int | float | np.ndarray | np.number) and not isinstance(x, bool)
    return known and np.size(x) < LARGE and dtype_kind(x) in "fiub"


def dtype_kind(x: Any) -> str:
    """The kind of the dtype of a number or an array, as NumPy has it: "f", "i", ..."""
    return "i" if type(x) is int else "f" if type(x) is float else x.dtype.kind


def is_float(x: Any) -> bool:
    """The same for floating-point numbers."""
    return is_numeric(x) and dtype_kind(x) == "f"


def _content(x: Any) -> bytes:
    """What is equal for equal numbers: of 0 and -0 too."""
    return (np.asarray(x) + 0).tobytes()
