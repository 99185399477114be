"""A hand-derived gradient, to be run again with another right side in one of its statements."""

from __future__ import annotations

import ast
import contextlib
import copy
import gc
from collections.abc import Iterator
from types import CodeType, FunctionType
from typing import Any

from tinygrad_cnn.check.diagnose.edits.evaluation import FAILURES
from tinygrad_cnn.check.diagnose.edits.executed import Executed, tree_of
from tinygrad_cnn.check.diagnose.edits.terms import Term, to_ast


@contextlib.contextmanager
def exchanged(x: Executed, value: ast.expr, mended: Term) -> Iterator[bool]:
    """Within it, the function that executed `x` has `mended` for the right side `value`. Gives whether it has."""
    functions, code = _functions(x.code), _with(x, value, mended)
    if not functions or code is None or code.co_freevars != x.code.co_freevars:
        yield False
        return
    for f in functions:
        f.__code__ = code
    try:
        yield True
    finally:
        for f in functions:
            f.__code__ = x.code


def _functions(code: CodeType) -> list[FunctionType]:
    """The functions with this code."""
    return [f for f in gc.get_referrers(code) if isinstance(f, FunctionType) and f.__code__ is code]


def _with(x: Executed, value: ast.expr, mended: Term) -> CodeType | None:
    """The code of a function with another right side in one of its statements."""
    exchange = _Exchange(value, ast.parse(ast.unparse(to_ast(mended)), mode="eval").body)
    module = exchange.visit(copy.deepcopy(tree_of(x.code.co_filename)))
    if exchange.times != 1:
        return None
    try:
        compiled = compile(ast.fix_missing_locations(module), x.code.co_filename, "exec")
    except (*FAILURES, SyntaxError, RecursionError):
        return None
    same = (x.code.co_qualname, x.code.co_firstlineno)
    return next((c for c in _codes(compiled) if (c.co_qualname, c.co_firstlineno) == same), None)


class _Exchange(ast.NodeTransformer):
    """Puts an expression in the place of the one that is written where another tree of the file has `old`."""

    def __init__(self, old: ast.expr, new: ast.expr) -> None:
        self.place, self.new, self.times = _written(old), new, 0

    def visit(self, node: ast.AST) -> Any:
        """A node, or what is put in its place."""
        if not isinstance(node, ast.expr) or _written(node) != self.place:
            return super().visit(node)
        self.times += 1
        return self.new


def _written(node: ast.expr) -> tuple[Any, ...]:
    """What an expression is, and where it is written."""
    return type(node), node.lineno, node.col_offset, node.end_lineno, node.end_col_offset


def _codes(code: CodeType) -> Iterator[CodeType]:
    for x in code.co_consts:
        if isinstance(x, CodeType):
            yield x
            yield from _codes(x)
