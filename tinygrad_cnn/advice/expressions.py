"""The expression of a file that an instruction belongs to."""

from __future__ import annotations

import ast
import builtins
import inspect
import itertools
import linecache
from collections.abc import Iterator
from types import ModuleType
from typing import Any

from tinygrad_cnn.advice.callers import Caller

UNKNOWN: Any = object()  # what a name stands for that cannot be looked up without running code

_KINDS = (ast.Call, ast.Subscript, ast.AugAssign, ast.BinOp, ast.expr, ast.AST)
_LONGEST = 80


class Expression:
    """An expression, as it stands in the file, and what the names in it stand for.

    node        in the syntax tree of the file
    statement   the statement that it is in
    enclosing   the nodes that it is in, from the inside
    """

    def __init__(self, caller: Caller, source: str, node: ast.AST, enclosing: list[ast.AST]) -> None:
        self.caller, self.node, self.enclosing, self._source = caller, node, enclosing, source
        self.statement = next((x for x in [node, *enclosing] if isinstance(x, ast.stmt)), node)

    def text(self, node: ast.AST | None = None) -> str:
        """The expression, or a part of it, in one line."""
        text = " ".join((ast.get_source_segment(self._source, node or self.node) or "").split())
        return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."

    def value(self, node: ast.AST | None) -> Any:
        """What a name, also a dotted one, stands for, or UNKNOWN."""
        if isinstance(node, ast.Name):
            frame = self.caller.frame
            for names in (frame.f_locals, frame.f_globals, vars(builtins)):
                if node.id in names:
                    return names[node.id]
        elif isinstance(node, ast.Attribute):
            owner = self.value(node.value)
            if isinstance(owner, ModuleType):
                ours = owner.__name__.startswith("tinygrad_cnn.")  # whose __getattr__ looks in NumPy
                return getattr(owner, node.attr, UNKNOWN) if ours else vars(owner).get(node.attr, UNKNOWN)
            found = UNKNOWN if owner is UNKNOWN else inspect.getattr_static(owner, node.attr, UNKNOWN)
            return UNKNOWN if isinstance(found, property) else found
        return UNKNOWN

    def package(self, node: ast.AST) -> str:
        """The name of the package whose module the first name of a dotted one stands for, or ""."""
        root = root_name(node)
        owner = self.value(ast.Name(root)) if root else UNKNOWN
        return owner.__name__.partition(".")[0] if isinstance(owner, ModuleType) else ""


def expression_of(caller: Caller) -> Expression | None:
    """The expression that `caller` was evaluating; None where there is no source, or another than was compiled."""
    position = next(itertools.islice(caller.code.co_positions(), caller.instruction // 2, None), None)
    source = "".join(linecache.getlines(caller.code.co_filename, caller.frame.f_globals))
    if position is None or None in position or not source:
        return None
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError):
        return None
    line, end_line, column, end_column = position
    ending = [
        (node, enclosing)
        for node, enclosing in _nodes(tree)
        if (node.end_lineno, node.end_col_offset) == (end_line, end_column)  # type: ignore[attr-defined]
    ]
    exact = [x for x in ending if (x[0].lineno, x[0].col_offset) == (line, column)]  # type: ignore[attr-defined]
    # The call of a method begins, for Python, where the name of the method stands.
    for node, enclosing in exact or [x for x in ending if isinstance(x[0], ast.Call)][:1]:
        for kind in _KINDS:
            same = [x for x in exact if isinstance(x[0], kind)]
            if same:
                return Expression(caller, source, *same[0])
        return Expression(caller, source, node, enclosing)
    return None


def _nodes(tree: ast.AST) -> Iterator[tuple[ast.AST, list[ast.AST]]]:
    """Every node with a position, and those that it is in, from the inside."""
    waiting: list[tuple[ast.AST, list[ast.AST]]] = [(tree, [])]
    while waiting:
        node, enclosing = waiting.pop()
        if hasattr(node, "lineno"):
            yield node, enclosing
        within = [node, *enclosing]
        waiting.extend([(child, within) for child in ast.iter_child_nodes(node)])


def root_name(node: ast.AST) -> str | None:
    """The first name of a dotted one: np of np.linalg.solve."""
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None


def is_display(node: ast.AST | None) -> bool:
    """Whether it is a list or tuple that is written out, not of constants alone, or a comprehension."""
    if isinstance(node, ast.List | ast.Tuple):
        return not all(isinstance(item, ast.Constant) for item in node.elts)
    return isinstance(node, ast.ListComp | ast.GeneratorExp)
