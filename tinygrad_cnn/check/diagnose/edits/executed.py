"""The statements that a hand-derived gradient executed, each with the variables as they were before and after."""

from __future__ import annotations

import ast
import functools
import gc
import linecache
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from types import CellType, CodeType, FunctionType
from typing import Any

import numpy as np

from tinygrad_cnn.check.diagnose.source_files import is_somebodys

MOST = 4000  # statements
LARGE, LONG = 10**5, 1000  # elements of an array, and of a list, of which no copy is kept
IN_PLACE = ("append", "extend", "insert", "pop", "reverse")  # methods of lists


@dataclass
class Executed:
    """One execution of a statement.

    statement      the statement
    frame          a number of the call that it was executed in
    code           what was being executed
    before, after  the variables; `after` is None until it is over
    functions      those that are known to have a code, by the `id` of that
    """

    statement: ast.stmt
    frame: int
    code: CodeType
    globals: dict[str, Any]
    before: dict[str, Any]
    after: dict[str, Any] | None = None
    line: int = 0
    functions: dict[int, list[FunctionType]] = field(default_factory=dict)


def executed(function: Callable[..., Any], *args: Any) -> list[Executed]:
    """Call `function`, and say what it executed of somebody's own source; what it raises comes through."""
    found: list[Executed] = []
    functions = _functions_of(function)
    open_in: dict[Any, Executed] = {}
    numbers: dict[Any, int] = {}

    def local(frame: Any, event: str, _: Any) -> Any:
        if len(found) >= MOST:
            return None
        if event in ("line", "return"):
            now = _kept(frame)
            last = open_in.get(frame)
            statement = _statements(frame.f_code).get(frame.f_lineno) if event == "line" else None
            if last is not None and last.statement is statement and frame.f_lineno != last.line:
                return local  # another line of the same statement
            if last is not None:
                last.after = now
                del open_in[frame]
            if statement is not None:
                here = Executed(
                    statement, numbers[frame], frame.f_code, frame.f_globals, now, None, frame.f_lineno, functions
                )
                found.append(here)
                open_in[frame] = here
            if event == "return":
                open_in.pop(frame, None)
        return local

    def called(frame: Any, event: str, _: Any) -> Any:
        if event != "call" or not is_somebodys(frame.f_code.co_filename) or len(found) >= MOST:
            return None
        numbers[frame] = len(numbers)
        return local

    before = sys.gettrace()
    sys.settrace(called)
    try:
        function(*args)
    finally:
        sys.settrace(before)
    return [x for x in found if x.after is not None]


def _functions_of(function: Any) -> dict[int, list[FunctionType]]:
    """A function and those that it closes over, or has in its module, by the `id` of their code."""
    found: dict[int, list[FunctionType]] = {}
    function = getattr(function, "__func__", function)
    if isinstance(function, FunctionType):
        closed = [cell.cell_contents for cell in function.__closure__ or () if cell != CellType()]
        for f in (function, *closed, *function.__globals__.values()):
            if isinstance(f, FunctionType):
                found[id(f.__code__)] = [f]
    return found


def _kept(frame: Any) -> dict[str, Any]:
    """The variables of a frame; of those that are changed in place a copy."""
    changed = _changed_in_place(frame.f_code.co_filename)
    kept = dict(frame.f_locals)
    for name in changed:
        x = kept.get(name)
        if (isinstance(x, np.ndarray) and x.size < LARGE) or (isinstance(x, list) and len(x) < LONG):
            kept[name] = x.copy()
    return kept


@functools.lru_cache(maxsize=256)
def _statements(code: CodeType) -> dict[int, ast.stmt]:
    """The simple statements of a function, by each of their lines."""
    found: dict[int, ast.stmt] = {}
    waiting: list[ast.AST] = _body(code)
    while waiting:
        x = waiting.pop()
        if isinstance(x, ast.Assign | ast.AugAssign | ast.AnnAssign | ast.Return | ast.Expr):
            for line in range(x.lineno, (x.end_lineno or x.lineno) + 1):
                found[line] = x
        elif not isinstance(x, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.expr):
            waiting.extend(ast.iter_child_nodes(x))
    return found


def _body(code: CodeType) -> list[ast.AST]:
    """The statements of a function; none of a lambda or a comprehension, which have none."""
    for x in ast.walk(tree_of(code.co_filename)):
        if not isinstance(x, ast.FunctionDef) or x.name != code.co_name:
            continue
        if code.co_firstlineno == min([x.lineno, *[d.lineno for d in x.decorator_list]]):
            return [*x.body]
    return []


@functools.lru_cache(maxsize=64)
def _changed_in_place(filename: str) -> frozenset[str]:
    """Names of variables that a statement of a file changes in place."""
    found = set()
    for x in ast.walk(tree_of(filename)):
        targets: list[Any] = []
        if isinstance(x, ast.Assign):
            targets = [t for t in x.targets if isinstance(t, ast.Subscript)]
        elif isinstance(x, ast.AugAssign):
            targets = [x.target]
        elif isinstance(x, ast.Call) and isinstance(x.func, ast.Attribute) and x.func.attr == "at" and x.args:
            targets = [x.args[0]]
        elif isinstance(x, ast.Attribute) and x.attr in IN_PLACE:
            targets = [x.value]
        for target in targets:
            while isinstance(target, ast.Subscript | ast.Attribute):
                target = target.value
            if isinstance(target, ast.Name):
                found.add(target.id)
    return frozenset(found)


@functools.lru_cache(maxsize=64)
def tree_of(filename: str) -> ast.Module:
    """`parsed_file`, remembered: a tree that is not to be changed."""
    return parsed_file(filename)


def parsed_file(filename: str) -> ast.Module:
    """The module in a file; an empty one if it cannot be read."""
    try:
        return ast.parse("".join(linecache.getlines(filename)))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ast.Module([], [])


def functions_of(code: CodeType) -> list[FunctionType]:
    """The functions that have this code, by all that refers to it."""
    return [f for f in gc.get_referrers(code) if isinstance(f, FunctionType) and f.__code__ is code]
