"""The statements of somebody's source that a gradient executes, and the gradient run again with other statements."""

from __future__ import annotations
import __future__

import ast
import contextlib
import functools
import gc
import io
import linecache
import os
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import CodeType, FunctionType
from typing import Any, cast

import numpy as np

from tinygrad_cnn.check.deadline import time_left
from tinygrad_cnn.check.diagnose.source_files import is_somebodys
from tinygrad_cnn.sources import codes_within

_FUTURE = functools.reduce(
    int.__or__, [getattr(__future__, name).compiler_flag for name in __future__.all_feature_names]
)


LARGE = 10**5  # elements of an array of which no copy is kept

Place = tuple[list[ast.stmt], int]
Codes = dict[CodeType, CodeType]


@dataclass(frozen=True, eq=False)
class Unit:
    """The outermost function of those that are executed and contain a statement, or all of a class that it is in.

    module     it, as a module of its own; within a function with the same variables, if it is defined in functions
    qualname   of what it is defined in, with a dot, and what that is called in `module`
    """

    module: ast.Module
    qualname: tuple[str, str]

    def codes(self, file: str, flags: int) -> Iterator[tuple[str, CodeType]]:
        """The code objects that it is compiled to, each with the qualified name that it has in the file."""
        here, there = self.qualname
        for x in codes_within(compile(self.module, file, "exec", flags=flags, dont_inherit=True)):
            yield here + x.co_qualname.removeprefix(there), x


@dataclass(frozen=True, eq=False)
class Statement:
    """A statement that was executed.

    place    the list of statements that it is in, and which of them it is
    outer    the place of the loop that it is in, if it is in one
    within   the function that it is in
    unit     what is compiled when it is edited
    file     where it is written
    names    the variables before it was executed for the last time, those of the module included
    own      how many of these are the function's, which come first
    """

    place: Place
    outer: Place | None
    within: ast.FunctionDef
    unit: Unit
    file: str
    names: Mapping[str, Any]
    own: int

    @property
    def place_written(self) -> str:
        """Where it is written, as "model.py:12"."""
        return f"{os.path.basename(self.file)}:{self.node.lineno}"

    @property
    def makes(self) -> list[np.ndarray[Any, Any]]:
        """The arrays that it assigned to variables."""
        targets = self.node.targets if isinstance(self.node, ast.Assign) else [getattr(self.node, "target", None)]
        parts = [x for target in targets for x in (target.elts if isinstance(target, ast.Tuple) else [target])]
        values = [_stored(x, self.names) for x in parts if isinstance(x, ast.Name | ast.Subscript | ast.Attribute)]
        return [x for x in values if isinstance(x, np.ndarray)]

    @property
    def node(self) -> ast.stmt:
        """It, as it is now."""
        block, k = self.place
        return block[min(k, len(block) - 1)]


@dataclass(frozen=True)
class Change:
    """Part of a tree exchanged: `new` for what is in a field, or for some of the statements in a list.

    new: what gives it, if it is made only when it is needed: of most edits that may be tried it never is.
    """

    holder: Any
    at: Any
    new: Any

    def apply(self) -> Change:
        """Make the change; gives the one that takes it back."""
        new = self.new() if callable(self.new) else self.new
        if isinstance(self.holder, list):
            old, self.holder[self.at] = self.holder[self.at], new
            if isinstance(self.at, slice):
                return Change(self.holder, slice(self.at.start, self.at.start + len(new)), old)
            return Change(self.holder, self.at, old)
        old = getattr(self.holder, self.at)
        setattr(self.holder, self.at, new)
        return Change(self.holder, self.at, old)


@dataclass(frozen=True)
class Changes:
    """Some, one after the other."""

    each: Sequence[Change]

    def apply(self) -> Changes:
        """Make them; gives those that take them back."""
        return Changes([change.apply() for change in self.each][::-1])


class Source:
    """What a function executes of files that are somebody's own; `run` runs it with changes of the trees.

    statements   in the order of their last execution, latest first
    lines        how many are executed
    """

    def __init__(self, function: Callable[[], Any], others: Iterable[Callable[[], Any]]) -> None:
        """function: what is run; others: what shares functions with it, which therefore stay as they are."""
        shared = {code for other in others for code in _lines(other)}
        lines = _lines(function)
        self.lines = _count(lines)
        self.codes = [code for code in lines if code not in shared]
        self._trees: dict[str, ast.Module] = {}
        self.statements = self._statements({code: lines[code] for code in self.codes})
        self._functions = {code: _functions_of(code) for code in self.codes}
        self._mentioned = {code: list(self._mentions(code)) for code in self.codes}
        self.careful = False  # whether what is not a number or infinite is refused, where there was none
        self._kept = [(x, x.copy()) for x in self._data() if x.flags.writeable and x.size <= LARGE]

    @property
    def functions(self) -> list[Any]:
        """Those whose statements may be edited."""
        return [f for functions in self._functions.values() for f in functions]

    def _statements(self, lines: Mapping[CodeType, dict[int, tuple[int, Any, Any]]]) -> list[Statement]:
        found = []
        units: dict[ast.stmt, Unit] = {}
        definitions = {code: self._definition(code) for code in lines}
        for code, executed in lines.items():
            definition = definitions[code]
            if definition is None or any(isinstance(x, ast.While) for x in ast.walk(definition)):
                continue  # of which an edit might make an endless loop
            path = _path(self._trees[code.co_filename], definition)
            start = next(k for k, x in enumerate(path) if isinstance(x, ast.ClassDef) or x in definitions.values())
            unit = units.get(path[start])
            if unit is None:
                unit = units[path[start]] = _unit(path[: start + 1], code)
            for (block, k), outer in _places(definition):
                node = block[k]
                if node.lineno in executed:
                    when, own, everywhere = executed[node.lineno]
                    names = {**own, **{x: y for x, y in everywhere.items() if x not in own and not x.startswith("__")}}
                    found.append(
                        (when, Statement((block, k), outer, definition, unit, code.co_filename, names, len(own)))
                    )
        return [x for _, x in sorted(found, key=lambda pair: -pair[0])]

    def _mentions(self, code: CodeType) -> Iterator[tuple[list[ast.stmt], ast.stmt]]:
        """A body, and what is added to it when it is compiled, for the code to close over the same variables.

        It is never executed. Without it an edit could not leave out the only mention of a variable.
        """
        definition = self._definition(code) if code.co_freevars else None
        if definition is not None:
            names: list[ast.stmt] = [ast.Expr(ast.Name(name, ast.Load())) for name in code.co_freevars]
            statement = ast.If(ast.Constant(False), names, [])
            yield definition.body, _placed(statement, definition.body[-1])

    def _definition(self, code: CodeType) -> Any:
        """The definition that a code was made from."""
        tree = self._trees.setdefault(code.co_filename, _parsed(code.co_filename))
        for x in ast.walk(tree):
            if isinstance(x, ast.FunctionDef) and code.co_firstlineno == _first_line(x):
                return x if x.name == code.co_name else None
        return None

    def _data(self) -> list[np.ndarray[Any, Any]]:
        """The arrays of modules and of enclosing functions, which an edit may overwrite."""
        found: dict[int, np.ndarray[Any, Any]] = {}
        for functions in self._functions.values():
            for f in functions:
                cells = [c.cell_contents for c in f.__closure__ or () if _is_filled(c)]
                for x in (*f.__globals__.values(), *cells):
                    for y in x.values() if isinstance(x, dict) else x if isinstance(x, list | tuple) else [x]:
                        if isinstance(y, np.ndarray):
                            found[id(y)] = y
        return list(found.values())

    def run(self, function: Callable[[], Any], changed: Iterable[Statement]) -> Any:
        """What `function` gives with statements as they are now, or None if it fails. What it changes is restored."""
        return self.run_with(function, self.compiled(list(changed)))

    def run_with(self, function: Callable[[], Any], codes: Codes | None) -> Any:
        """The same with these codes in the place of those that they were edited from."""
        if codes is None:
            return None
        try:
            for code, new in codes.items():
                for f in self._functions[code]:
                    f.__code__ = new
            kind: Any = "raise" if self.careful else "ignore"
            errors = np.errstate(all="ignore", invalid=kind, divide=kind)
            with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings(), errors:
                warnings.simplefilter("ignore")
                return function()
        except Exception:  # whatever somebody's code raises with an edit in it
            return None
        finally:
            for code in codes:
                for f in self._functions[code]:
                    f.__code__ = code
            for x, copy in self._kept:
                x[...] = copy

    def compiled(self, changed: Sequence[Statement]) -> Codes | None:
        """The new code of the functions that statements are in, by the old; None if there is none."""
        found: Codes = {}
        for unit, file in {x.unit: x.file for x in changed}.items():
            mine = {(c.co_qualname, c.co_firstlineno): c for c in self.codes if c.co_filename == file}
            flags = next(iter(mine.values())).co_flags & _FUTURE
            mentioned = [x for code in mine.values() for x in self._mentioned.get(code, ())]
            try:
                for body, statement in mentioned:
                    body.append(statement)
                codes = list(unit.codes(file, flags))
            except (SyntaxError, ValueError, TypeError, RecursionError):
                return None
            finally:
                for body, _ in mentioned:
                    body.pop()
            for qualname, x in codes:
                old = mine.get((qualname, x.co_firstlineno))
                if old is not None and self._functions[old]:
                    if x.co_freevars != old.co_freevars:
                        return None
                    found[old] = x
        return found


def _stored(target: ast.Name | ast.Subscript | ast.Attribute, names: Mapping[str, Any]) -> Any:
    """What a target holds; of part of an array, the array; None if that cannot be known."""
    try:
        if isinstance(target, ast.Name):
            return names[target.id]
        held = _stored(target.value, names)  # type: ignore[arg-type]
        if isinstance(target, ast.Attribute):
            return vars(held).get(target.attr)
        return held if isinstance(held, np.ndarray) else held[ast.literal_eval(target.slice)]
    except (AttributeError, KeyError, IndexError, TypeError, ValueError):
        return None


def _is_filled(cell: Any) -> bool:
    try:
        return cell.cell_contents is not None
    except ValueError:
        return False


def _path(tree: ast.Module, definition: ast.FunctionDef) -> list[ast.FunctionDef | ast.ClassDef]:
    """The functions and classes that a function is defined in, outermost first, and it."""
    parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    found, at = list[Any](), cast(ast.AST, definition)
    while at is not tree:
        if isinstance(at, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.insert(0, at)
        at = parents[at]
    return found


def _unit(path: Sequence[Any], like: CodeType) -> Unit:
    """What is compiled when the last of a path is edited. like: a code with the same future statements."""
    *outer, node = path
    if not outer:
        return Unit(ast.Module([node], []), ("", ""))
    code = compile(
        ast.Module([path[0]], []), like.co_filename, "exec", flags=like.co_flags & _FUTURE, dont_inherit=True
    )
    names, qualname = set[str](), ""
    for x in outer:
        code = next(c for c in codes_within(code) if (c.co_name, c.co_firstlineno) == (x.name, _first_line(x)))
        names |= {*code.co_varnames, *code.co_cellvars, *code.co_freevars} - {"__class__"}
        qualname = f"{code.co_qualname}.<locals>."
    arguments = ast.arguments(
        [], [ast.arg(name, lineno=1, col_offset=0) for name in sorted(names)], None, [], [], None, []
    )
    around = ast.FunctionDef("around", arguments, [node], [], None, lineno=1, col_offset=0)
    return Unit(ast.Module([around], []), (qualname, "around.<locals>."))


def _placed(node: ast.stmt, like: ast.stmt) -> ast.stmt:
    """A statement, and all in it, where another one is."""
    for x in ast.walk(node):
        if isinstance(x, ast.stmt | ast.expr):
            ast.copy_location(x, like)
    return node


def _first_line(x: Any) -> int:
    """Where the code of a definition begins: at its first decorator, if it has one."""
    return int(min([x.lineno, *[y.lineno for y in x.decorator_list]]))


def _places(definition: Any) -> Iterator[tuple[Place, Place | None]]:
    """The places of a function's statements, not those of functions in it, each with that of the loop that it is in."""
    blocks: list[tuple[list[ast.stmt], Place | None]] = [(definition.body, None)]
    while blocks:
        block, loop = blocks.pop()
        for k, x in enumerate(block):
            if isinstance(x, ast.FunctionDef | ast.ClassDef):
                continue
            yield (block, k), loop
            inner = (block, k) if isinstance(x, ast.For) else loop
            blocks += [(getattr(x, name), inner) for name in ("body", "orelse", "finalbody") if getattr(x, name, None)]


def executed_lines(function: Callable[[], Any]) -> int:
    """How many lines of somebody's own a function executes."""
    return _count(_lines(function))


def _count(lines: Mapping[CodeType, Mapping[int, tuple[int, Any, Any]]]) -> int:
    return max((when for executed in lines.values() for when, *_ in executed.values()), default=0)


def _lines(function: Callable[[], Any]) -> dict[CodeType, dict[int, tuple[int, dict[str, Any], dict[str, Any]]]]:
    """For each code of somebody's own that is executed, its lines: when each was last, and the variables then."""
    found: dict[CodeType, dict[int, Any]] = {}
    count = 0

    def local(frame: Any, event: str, _: Any) -> Any:
        nonlocal count
        if event == "line":
            count += 1
            time_left()
            found[frame.f_code][frame.f_lineno] = (count, frame)
        elif event == "return":
            names = dict(frame.f_locals)  # the variables at the end: of the last execution, and of those after it
            lines = found[frame.f_code]
            for line, entry in lines.items():
                if entry[1] is frame:
                    lines[line] = (entry[0], names, frame.f_globals)
        return local

    def called(frame: Any, event: str, _: Any) -> Any:
        if event != "call" or not is_somebodys(frame.f_code.co_filename):
            return None
        found.setdefault(frame.f_code, {})
        return local

    before = sys.gettrace()
    sys.settrace(called)
    try:
        with contextlib.suppress(Exception):  # whatever somebody's code raises
            function()
    finally:
        sys.settrace(before)
    return {code: {line: entry for line, entry in lines.items() if len(entry) == 3} for code, lines in found.items()}


def _parsed(filename: str) -> ast.Module:
    """The module in a file; an empty one if it cannot be read."""
    try:
        return ast.parse("".join(linecache.getlines(filename)))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ast.Module([], [])


def _functions_of(code: CodeType) -> list[FunctionType]:
    """The functions that have this code, by all that refers to it."""
    return [f for f in gc.get_referrers(code) if isinstance(f, FunctionType) and f.__code__ is code]
