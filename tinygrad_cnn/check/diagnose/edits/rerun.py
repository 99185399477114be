"""A hand-derived gradient, to be run again with other statements, or other right sides of them."""

from __future__ import annotations

import ast
import contextlib
import copy
import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from types import CodeType, FunctionType
from typing import Any

from tinygrad_cnn.check.diagnose.edits.evaluation import FAILURES
from tinygrad_cnn.check.diagnose.edits.executed import Executed, tree_of
from tinygrad_cnn.check.diagnose.edits.own_program import assigned
from tinygrad_cnn.check.diagnose.edits.terms import Term, to_ast
from tinygrad_cnn.check.results import Cause


@dataclass(frozen=True)
class Correction:
    """A line of somebody's own with an edit that makes it right.

    cost   of the edit
    made   a context within which it is corrected, and which gives whether it could be
    """

    cause: Cause
    cost: float
    made: Callable[[], AbstractContextManager[bool]] = lambda: contextlib.nullcontext(False)


@contextlib.contextmanager
def exchanged(x: Executed, value: ast.expr, mended: Term) -> Iterator[bool]:
    """Within it, the function that executed `x` has `mended` for the right side `value`. Gives whether it has."""
    new = ast.parse(ast.unparse(to_ast(mended)), mode="eval").body
    with _with_other_code(x, [(value, new)]) as done:
        yield done


@contextlib.contextmanager
def rewritten(lines: Sequence[tuple[Executed, str]]) -> Iterator[bool]:
    """Within it, the statements that were executed are those written here. Gives whether they are."""
    pairs = [_pair(x.statement, line) for x, line in lines]
    if not pairs or None in pairs or any(x.code is not lines[0][0].code for x, _ in lines):
        yield False
        return
    with _with_other_code(lines[0][0], [pair for pair in pairs if pair is not None]) as done:
        yield done


def _pair(statement: ast.stmt, line: str) -> tuple[ast.AST, ast.AST] | None:
    """A statement and `line`; of one that assigns several variables, or returns them, the value that `line` assigns."""
    try:
        new = ast.parse(line).body[0]
    except (SyntaxError, IndexError, RecursionError):
        return None
    several = isinstance(statement, ast.Return) or (
        isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Tuple)
    )
    if not several:
        return statement, new
    if not isinstance(new, ast.Assign):
        return None
    text = f"{ast.unparse(new.targets[0])} ="
    values = [value for _, value, target in assigned(statement) if target == text]
    return (values[0], new.value) if len(values) == 1 else None


@contextlib.contextmanager
def _with_other_code(x: Executed, pairs: Sequence[tuple[ast.AST, ast.AST]]) -> Iterator[bool]:
    """Within it, the function that executed `x` has other statements or expressions where some are written."""
    functions, code = _functions(x.code), _with(x, pairs)
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


def _with(x: Executed, pairs: Sequence[tuple[ast.AST, ast.AST]]) -> CodeType | None:
    """The code of a function with other nodes in the place of some."""
    exchange = _Exchange(pairs)
    module = exchange.visit(copy.deepcopy(tree_of(x.code.co_filename)))
    if exchange.times != len(pairs):
        return None
    try:
        compiled = compile(ast.fix_missing_locations(module), x.code.co_filename, "exec")
    except (*FAILURES, SyntaxError, RecursionError):
        return None
    same = (x.code.co_qualname, x.code.co_firstlineno)
    return next((c for c in _codes(compiled) if (c.co_qualname, c.co_firstlineno) == same), None)


class _Exchange(ast.NodeTransformer):
    """Puts nodes in the place of those that are written where another tree of the file has the first of each pair."""

    def __init__(self, pairs: Sequence[tuple[ast.AST, ast.AST]]) -> None:
        self.new, self.times = {_written(old): new for old, new in pairs}, 0

    def visit(self, node: ast.AST) -> Any:
        """A node, or what is put in its place."""
        new = self.new.get(_written(node)) if isinstance(node, ast.expr | ast.stmt) else None
        if new is None:
            return super().visit(node)
        self.times += 1
        return new


def _written(node: Any) -> tuple[Any, ...]:
    """What a node is, and where it is written."""
    return type(node), node.lineno, node.col_offset, node.end_lineno, node.end_col_offset


def _codes(code: CodeType) -> Iterator[CodeType]:
    for x in code.co_consts:
        if isinstance(x, CodeType):
            yield x
            yield from _codes(x)
