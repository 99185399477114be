"""The statements of somebody's source that a gradient executes, and the gradient run again with other statements."""

from __future__ import annotations
import __future__

import ast
import contextlib
import functools
import io
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import CodeType
from typing import Any

import numpy as np

from tinygrad_cnn.check.diagnose.edits.executed import LARGE, functions_of, parsed_file
from tinygrad_cnn.check.diagnose.source_files import is_somebodys
from tinygrad_cnn.sources import codes_within

_FUTURE = functools.reduce(
    int.__or__, [getattr(__future__, name).compiler_flag for name in __future__.all_feature_names]
)


Place = tuple[list[ast.stmt], int]


@dataclass(frozen=True, eq=False)
class Statement:
    """A statement that was executed.

    place    the list of statements that it is in, and which of them it is
    outer    the place of the loop that it is in, if it is in one
    within   the function that it is in
    top      what it is part of in its file: a function or a class, mostly
    file     where it is written
    names    the variables before it was executed for the last time, those of the module included
    own      how many of these are the function's, which come first
    """

    place: Place
    outer: Place | None
    within: ast.FunctionDef
    top: ast.stmt
    file: str
    names: Mapping[str, Any]
    own: int

    @property
    def node(self) -> ast.stmt:
        """It, as it is now."""
        block, k = self.place
        return block[min(k, len(block) - 1)]


@dataclass(frozen=True)
class Change:
    """Part of a tree exchanged: `new` for what is in a field, or for some of the statements in a list."""

    holder: Any
    at: Any
    new: Any

    def apply(self) -> Change:
        """Make the change; gives the one that takes it back."""
        if isinstance(self.holder, list):
            old, self.holder[self.at] = self.holder[self.at], self.new
            if isinstance(self.at, slice):
                return Change(self.holder, slice(self.at.start, self.at.start + len(self.new)), old)
            return Change(self.holder, self.at, old)
        old = getattr(self.holder, self.at)
        setattr(self.holder, self.at, self.new)
        return Change(self.holder, self.at, old)


class Source:
    """What a function executes of files that are somebody's own; `run` runs it with changes of the trees.

    statements   in the order of their last execution, latest first
    lines        how many are executed
    """

    def __init__(self, function: Callable[[], Any], others: Iterable[Callable[[], Any]]) -> None:
        """function: what is run; others: what shares functions with it, which therefore stay as they are."""
        shared = {code for other in others for code in _lines(other)}
        lines = _lines(function)
        self.lines = max((when for executed in lines.values() for when, *_ in executed.values()), default=0)
        self.codes = [code for code in lines if code not in shared]
        self._trees: dict[str, ast.Module] = {}
        self.statements = self._statements({code: lines[code] for code in self.codes})
        self._functions = {code: functions_of(code) for code in self.codes}
        self.careful = False  # whether what is not a number or infinite is refused, where there was none
        self._kept = [(x, x.copy()) for x in self._data() if x.flags.writeable and x.size <= LARGE]

    def _statements(self, lines: Mapping[CodeType, dict[int, tuple[int, Any, Any]]]) -> list[Statement]:
        found = []
        for code, executed in lines.items():
            tree = self._trees.setdefault(code.co_filename, parsed_file(code.co_filename))
            definition = _definition(tree, code)
            top = next((x for x in tree.body if definition in ast.walk(x)), None)
            if definition is None or top is None or any(isinstance(x, ast.While) for x in ast.walk(definition)):
                continue  # of which an edit might make an endless loop
            for (block, k), outer in _places(definition):
                node = block[k]
                if node.lineno in executed:
                    when, own, everywhere = executed[node.lineno]
                    names = {**own, **{x: y for x, y in everywhere.items() if x not in own and not x.startswith("__")}}
                    found.append(
                        (when, Statement((block, k), outer, definition, top, code.co_filename, names, len(own)))
                    )
        return [x for _, x in sorted(found, key=lambda pair: -pair[0])]

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
        codes = self._compiled(list(changed))
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

    def _compiled(self, changed: Sequence[Statement]) -> dict[CodeType, CodeType] | None:
        """The new code of the functions that statements are in; None if there is none."""
        found: dict[CodeType, CodeType] = {}
        for top, file in {id(x.top): (x.top, x.file) for x in changed}.values():
            mine = {(c.co_qualname, c.co_firstlineno): c for c in self.codes if c.co_filename == file}
            flags = next(iter(mine.values())).co_flags & _FUTURE
            try:
                whole = compile(ast.Module([top], []), file, "exec", flags=flags, dont_inherit=True)
            except (SyntaxError, ValueError, TypeError, RecursionError):
                return None
            for x in codes_within(whole):
                old = mine.get((x.co_qualname, x.co_firstlineno))
                if old is not None and self._functions[old]:
                    if x.co_freevars != old.co_freevars:
                        return None
                    found[old] = x
        return found


def _is_filled(cell: Any) -> bool:
    try:
        return cell.cell_contents is not None
    except ValueError:
        return False


def _definition(tree: ast.Module, code: CodeType) -> Any:
    """The definition that a code was made from."""
    for x in ast.walk(tree):
        if isinstance(x, ast.FunctionDef) and code.co_firstlineno in {x.lineno, *[y.lineno for y in x.decorator_list]}:
            return x if x.name == code.co_name else None
    return None


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


def _lines(function: Callable[[], Any]) -> dict[CodeType, dict[int, tuple[int, dict[str, Any], dict[str, Any]]]]:
    """For each code of somebody's own that is executed, its lines: when each was last, and the variables then."""
    found: dict[CodeType, dict[int, Any]] = {}
    count = 0

    def local(frame: Any, event: str, _: Any) -> Any:
        nonlocal count
        if event == "line":
            count += 1
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
