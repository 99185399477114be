"""A hand-derived gradient, to be run again with other statements, or other right sides of them."""

from __future__ import annotations

import ast
import contextlib
import copy
import functools
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from types import CodeType, FunctionType
from typing import Any

from tinygrad_cnn.check.diagnose.edits.evaluation import FAILURES
from tinygrad_cnn.check.diagnose.edits.executed import Executed, functions_of, tree_of
from tinygrad_cnn.check.diagnose.edits.own_program import assigned
from tinygrad_cnn.check.diagnose.edits.terms import Term, to_ast
from tinygrad_cnn.check.results import Cause
from tinygrad_cnn.sources import codes_within


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
    code = _with(x, pairs)
    functions = [] if code is None else _functions(x)
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


def _functions(x: Executed) -> list[FunctionType]:
    """The functions with the code that was executed."""
    if id(x.code) not in x.functions:  # it takes long to look at all that refers to it
        x.functions[id(x.code)] = functions_of(x.code)
    return x.functions[id(x.code)]


def _with(x: Executed, pairs: Sequence[tuple[ast.AST, ast.AST]]) -> CodeType | None:
    """The code of a function with other nodes in the place of some."""
    new = {_written(old): made for old, made in pairs}
    if len(new) != len(pairs):
        return None
    module = ast.Module([_exchanged(_definition(x.code), new)], [])
    if new:
        return None
    try:
        compiled = compile(module, x.code.co_filename, "exec")
    except (*FAILURES, SyntaxError, RecursionError):
        return None
    same = (x.code.co_qualname, x.code.co_firstlineno)
    return next((c for c in codes_within(compiled) if (c.co_qualname, c.co_firstlineno) == same), None)


def _exchanged(x: Any, new: dict[Any, ast.AST]) -> Any:
    """A tree with other nodes where some are written; what is not changed is shared. Removes them from `new`."""
    if isinstance(x, list):
        return [_exchanged(y, new) for y in x]
    if not isinstance(x, ast.AST) or not new:
        return x
    if isinstance(x, ast.expr | ast.stmt) and (made := new.pop(_written(x), None)) is not None:
        return ast.fix_missing_locations(ast.copy_location(made, x))
    fields = {name: _exchanged(y, new) for name, y in ast.iter_fields(x) if isinstance(y, ast.AST | list)}
    if all(y is getattr(x, name) or y == getattr(x, name) for name, y in fields.items()):
        return x
    changed = copy.copy(x)
    for name, y in fields.items():
        setattr(changed, name, y)
    return changed


@functools.lru_cache(maxsize=64)
def _definition(code: CodeType) -> ast.stmt:
    """The statement of a module that a function is written in."""
    at = code.co_firstlineno
    within = [x for x in tree_of(code.co_filename).body if _first_line(x) <= at <= (x.end_lineno or x.lineno)]
    return within[0] if within else ast.Pass()


def _first_line(x: ast.stmt) -> int:
    return min([x.lineno, *[int(d.lineno) for d in getattr(x, "decorator_list", ())]])


def _written(node: Any) -> tuple[Any, ...]:
    """What a node is, and where it is written."""
    return type(node), node.lineno, node.col_offset, node.end_lineno, node.end_col_offset
