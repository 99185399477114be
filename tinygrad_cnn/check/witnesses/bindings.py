"""The variables that the values of one run were bound to, beyond those that the source of an operation shows.

`names.py` finds the variable of an operation whose result is assigned where it is written: `h = np.tanh(z)`. Here the
run itself is observed: what a function of the user's own returned has the name that it is assigned to, as in
`h = relu(z)` or `h, cache = dense(x)`, and what ended up in a local variable, in a list or in a dict has that name.
"""

from __future__ import annotations

import ast
import functools
import linecache
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from types import CodeType, FrameType
from typing import Any

from tinygrad_cnn.check.witnesses.trace import Trace
from tinygrad_cnn.engine.graph import Handle, Node
from tinygrad_cnn.names import parsed, span_of
from tinygrad_cnn.sources import is_engine

MANY = 1000  # elements of a container that are looked at


class Bindings:
    """A block in which it is observed what user code binds Tensors to.

    returned   for each node the variable that a call which returned it was assigned to: the outermost of them
    also       for each other name the nodes that were bound to it, in their order

    Nothing is observed where another profiler is at work already.
    """

    def __init__(self) -> None:
        self.returned: dict[Node, str] = {}
        self.also: dict[str, dict[Node, None]] = {}
        self._observes = False

    def __enter__(self) -> Bindings:
        self._observes = sys.getprofile() is None
        if self._observes:
            sys.setprofile(self._event)
        return self

    def __exit__(self, *error: object) -> None:
        if self._observes:
            sys.setprofile(None)

    def names(self, run: Trace) -> Trace:
        """A run that was made in this block, with the names that were observed."""
        for node in run.computed():
            if node.name is None and node in self.returned:
                node.name = self.returned[node]
        return replace(run, also={name: list(nodes) for name, nodes in self.also.items()})

    def _event(self, frame: FrameType, event: str, value: Any) -> None:
        if event != "return" or not _is_user_code(frame):
            return
        code = frame.f_code
        for name, local in frame.f_locals.items():
            if name not in _arguments(code):
                self._add(name, local)
        caller = frame.f_back
        if caller is not None and isinstance(value, Handle | tuple | list) and _is_user_code(caller):
            for name, x in _assigned(_targets(caller.f_code, caller.f_lasti), value):
                if isinstance(x, Handle) and x.node.primitive is not None:
                    self.returned[x.node] = name
                    self._add(name, x)

    def _add(self, name: str, x: Any) -> None:
        if isinstance(x, Handle):
            if x.node.primitive is not None:
                self.also.setdefault(name, {})[x.node] = None
        elif isinstance(x, list | tuple) and 0 < len(x) <= MANY:
            for element in x:
                if isinstance(element, Handle):
                    self._add(name, element)
        elif type(x) is dict and len(x) <= MANY:
            for key, element in x.items():
                if isinstance(key, str):
                    self._add(key, element)


def _is_user_code(frame: FrameType) -> bool:
    return not is_engine[frame.f_code.co_filename] and not frame.f_globals.get("__name__", "").startswith("numpy.")


@functools.lru_cache(maxsize=1024)
def _arguments(code: CodeType) -> frozenset[str]:
    """The names of the arguments of a function, and of what it closes over."""
    flags = bool(code.co_flags & 4) + bool(code.co_flags & 8)
    return frozenset((*code.co_varnames[: code.co_argcount + code.co_kwonlyargcount + flags], *code.co_freevars))


Targets = str | Sequence[str | None] | None


@functools.lru_cache(maxsize=4096)
def _targets(code: CodeType, instruction: int) -> Targets:
    """The variable, or the tuple of variables, that the result of a call is assigned to."""
    lines = tuple(linecache.getlines(code.co_filename))
    return _assignments(lines).get(span_of(code, instruction)) if lines else None


@functools.lru_cache(maxsize=64)
def _assignments(lines: tuple[str, ...]) -> dict[Any, Targets]:
    """For each call that is the right side of an assignment, where it stands and what is on the left."""
    tree, found = parsed(lines), dict[Any, Targets]()
    for statement in ast.walk(tree) if tree is not None else ():
        if isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Call):
            x, target = statement.value, statement.targets[0]
            elements = target.elts if isinstance(target, ast.Tuple | ast.List) else None
            names = _name(target) if elements is None else [_name(element) for element in elements]
            found[x.lineno, x.end_lineno, x.col_offset, x.end_col_offset] = names
    return found


def _name(target: ast.expr) -> str | None:
    """X for `x`, `self.x` and `cache["x"]`; xs for `xs[t]`."""
    if isinstance(target, ast.Subscript):
        key = target.slice
        return key.value if isinstance(key, ast.Constant) and isinstance(key.value, str) else _name(target.value)
    return target.id if isinstance(target, ast.Name) else getattr(target, "attr", None)


def _assigned(targets: Targets, value: Any) -> Iterator[tuple[str, Any]]:
    """The variables that are assigned to, each with what it gets."""
    if isinstance(targets, str):
        yield targets, value
    elif targets is not None and isinstance(value, tuple | list) and len(value) == len(targets):
        yield from ((name, x) for name, x in zip(targets, value, strict=True) if name is not None)
