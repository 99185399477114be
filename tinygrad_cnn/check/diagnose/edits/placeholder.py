"""A statement whose value is any expression: to try another, that alone is compiled, and not the function around it.

What is found so is tried again in the function itself, for an expression that is evaluated by itself sees the variables
of the function, but not those of functions around it that the function does not mention.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from types import CodeType
from typing import Any

import numpy as np

from tinygrad_cnn.check.diagnose.edits.purity import is_pure
from tinygrad_cnn.check.diagnose.edits.statements import Change, Statement

OF_THE_FRAME = (ast.NamedExpr, ast.Yield, ast.YieldFrom, ast.Await)  # what means something in the function alone
CALLED = ("super", "locals", "vars", "dir", "eval", "exec")
MARK = "the value of the statement"


class Placeholder:
    """Stands for the value of a statement; `code` is what gives it."""

    def __init__(self, statement: Statement) -> None:
        self.statement = statement
        self.code: CodeType | None = None
        self._inside = set(_ids(statement.node.value))  # type: ignore[attr-defined]

    @staticmethod
    def is_for(statement: Statement) -> bool:
        """Whether there may be one."""
        node = statement.node
        if not isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign | ast.Return) or node.value is None:
            return False
        return not any(
            isinstance(x, OF_THE_FRAME)
            or (isinstance(x, ast.Name) and (x.id in CALLED or x.id.startswith("__")))
            or (isinstance(x, ast.Attribute) and x.attr.startswith("__"))
            for x in ast.walk(node.value)
        )

    def holds(self, change: Change) -> bool:
        """Whether a change is of nothing but the value."""
        return (change.holder is self.statement.node and change.at == "value") or id(change.holder) in self._inside

    def compile(self) -> bool:
        """Take the value as it is now; False if it is no expression."""
        try:
            self.code = compile(ast.Expression(self.statement.node.value), "<expression>", "eval")  # type: ignore[attr-defined]
        except (SyntaxError, ValueError, TypeError, RecursionError):
            return False
        return True

    def put(self) -> Change:
        """The change of the statement after which its value is what `MARK` stands for."""
        node: Any = self.statement.node
        called = ast.Call(ast.Constant(MARK), [], [])
        ast.copy_location(called.func, node.value)
        return Change(node, "value", ast.copy_location(called, node.value))

    def within(self, code: CodeType) -> CodeType:
        """A code with this in the place of `MARK`, in functions that are defined in it too."""
        return code.replace(co_consts=tuple([self._in_the_place_of(x) for x in code.co_consts]))

    def _in_the_place_of(self, x: Any) -> Any:
        if isinstance(x, CodeType):
            return self.within(x)
        return self if isinstance(x, str) and x == MARK else x

    def __call__(self) -> Any:
        """The value, with the variables of the function that calls this."""
        assert self.code is not None
        frame = sys._getframe(1)
        if any(isinstance(x, CodeType) for x in self.code.co_consts):  # functions in it see global ones alone
            return eval(self.code, {**frame.f_globals, **frame.f_locals})
        return eval(self.code, frame.f_globals, frame.f_locals)


class Value:
    """The value of a statement, with the variables that it had; without any effect."""

    def __init__(self, statement: Statement) -> None:
        self.statement, self.names = statement, dict(statement.names)

    def now(self) -> Any:
        """It, as it is written now; None if it has none, or if to compute it might change something."""
        node = self.statement.node.value  # type: ignore[attr-defined]
        try:
            if not is_pure(node, self.names):
                return None
            with np.errstate(all="ignore"):
                return np.asarray(eval(compile(ast.Expression(node), "<expression>", "eval"), self.names))
        except Exception:  # whatever somebody's expression raises
            return None


def _ids(value: ast.expr) -> Iterator[int]:
    for x in ast.walk(value):
        yield id(x)
        for _, y in ast.iter_fields(x):
            if isinstance(y, list):
                yield id(y)
