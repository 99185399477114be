"""The program of one cotangent as somebody wrote it: the statement that made it, and those that it takes from."""

from __future__ import annotations

import ast
import builtins
import collections
import copy
import functools
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import CodeType
from typing import Any, NamedTuple

import numpy as np

from tinygrad_cnn.check.diagnose.edits.evaluation import FAILURES, Program
from tinygrad_cnn.check.diagnose.edits.executed import Executed
from tinygrad_cnn.check.diagnose.edits.purity import is_pure
from tinygrad_cnn.check.diagnose.edits.terms import NP, OPERATORS, Term, from_ast
from tinygrad_cnn.check.diagnose.source_files import is_somebodys
from tinygrad_cnn.engine.graph import Array
from tinygrad_cnn.lowering.numpy_source import helpers

MOST = 400  # terms
SET_AT, ADD_AT = Term("name", (), "set_at"), Term("name", (), "add_at")
OPAQUE = (
    ast.ListComp, ast.GeneratorExp, ast.DictComp, ast.SetComp, ast.Lambda, ast.Dict, ast.Set, ast.IfExp, ast.BoolOp,
    ast.Starred, ast.JoinedStr,
)  # fmt: skip
EVERYWHERE = {SET_AT: helpers.set_at, ADD_AT: helpers.add_at}


class NoProgramError(ValueError):
    """What somebody wrote cannot be followed."""


@dataclass
class Written:
    """A statement that is part of a program.

    number  of the execution
    term    of its right side
    target  what stands to the left of that
    """

    number: int
    statement: ast.stmt
    term: Term
    target: str


@dataclass
class OwnProgram:
    """A program, and the statements that it consists of.

    leaves   for each leaf, the execution whose variables it is among, and its expression
    """

    program: Program
    written: list[Written]
    leaves: dict[Term, tuple[int, ast.expr]]

    def values(self, run: Sequence[Executed]) -> dict[Term, Any]:
        """The values of the leaves in another run."""
        return {leaf: evaluate(node, run[k]) for leaf, (k, node) in self.leaves.items()}


def evaluate(node: ast.expr, at: Executed, after: bool = False) -> Any:
    """The value of an expression with the variables of an execution."""
    names = at.after if after and at.after is not None else at.before
    at_globals = at.globals
    if any(isinstance(x, OPAQUE) for x in ast.walk(node)):  # the variables of a comprehension's own scope are global
        at_globals, names = {**at.globals, **names}, {}
    with np.errstate(all="ignore"):
        return eval(_compiled(node), at_globals, dict(names))


@functools.lru_cache(maxsize=4096)
def _compiled(node: ast.expr) -> CodeType:
    expression = ast.fix_missing_locations(ast.Expression(copy.deepcopy(node)))
    return compile(expression, "<expression>", "eval")


class Maker(NamedTuple):
    """An execution that made an array.

    number  of the execution
    value   the expression of it
    target  what is written to the left of that
    stored  the variable, if the array was stored in part
    """

    number: int
    value: ast.expr
    target: str
    stored: str | None = None


def makers(run: Sequence[Executed], array: Array, name: str) -> list[Maker]:
    """The executions that made an array: those that assign it to a variable of that name, then the first ones."""
    found = []
    for k, x in enumerate(run):
        for target, value, text in assigned(x.statement):
            if _calls_somebodys(value, x):  # then that has the line
                continue
            stored = None
            try:
                if isinstance(target, ast.Name):
                    made = (x.after or {}).get(target.id)
                elif isinstance(target, ast.Subscript) and (name_of := stored_in(target)) is not None:
                    stored, made = name_of, (x.after or {}).get(name_of)
                    if not _is(made, array) and may_be_evaluated(value, x):
                        stored, made = None, evaluate(value, x)
                elif isinstance(x.statement, ast.AugAssign):
                    made = evaluate(_load(target), x, after=True)
                elif may_be_evaluated(value, x):
                    made = evaluate(value, x)
                else:
                    continue
            except Exception:  # whatever somebody's expression raises when it is evaluated again
                continue
            zeros = not np.any(array) and _is_named(text, name) and not _makes_zeros(value)
            if _is(made, array) and (zeros or np.any(array)):
                found.append(Maker(k, value, text, stored))
    return sorted(found, key=lambda m: not _is_named(m.target, name))


def _calls_somebodys(value: ast.expr, x: Executed) -> bool:
    """Whether an expression is a call of a function of somebody's own."""
    if isinstance(value, ast.IfExp):
        return _calls_somebodys(value.body, x) or _calls_somebodys(value.orelse, x)
    if not isinstance(value, ast.Call):
        return False
    try:
        function = evaluate(value.func, x)
    except Exception:  # whatever somebody's expression raises when it is evaluated again
        return False
    code = getattr(function, "__code__", None)
    return code is not None and is_somebodys(code.co_filename)


def _is(x: Any, array: Array) -> bool:
    if not isinstance(x, np.ndarray | np.generic | float) or np.shape(x) != array.shape:
        return False
    return bool(np.array_equal(x, array, equal_nan=True))


def stored_in(target: ast.Subscript) -> str | None:
    """The variable of x[i], and of x[i][j]."""
    of: ast.expr = target
    while isinstance(of, ast.Subscript):
        of = of.value
    return of.id if isinstance(of, ast.Name) else None


def _is_named(target: str, name: str) -> bool:
    """Whether what is written to the left assigns to a variable of that name, or that of a gradient."""
    variable, name = re.split(r"\W", target)[0], re.split(r"\W", name)[0]
    return variable in (name, f"d{name}", f"dL_d{name}")


def _makes_zeros(value: ast.expr) -> bool:
    """Whether it is np.zeros_like(x) or the like, which begins a sum."""
    return isinstance(value, ast.Constant) or "zeros" in ast.unparse(value)


def may_be_evaluated(node: ast.expr, x: Executed) -> bool:
    """Whether an expression may be evaluated again, with the variables of an execution."""
    return is_pure(node, collections.ChainMap(x.before, x.globals))


def assigned(statement: ast.stmt) -> list[tuple[Any, ast.expr, str]]:
    """The targets of a statement, each with the expression that it gets, and how that is written to the left of it."""
    if isinstance(statement, ast.Assign):
        target, value = statement.targets[0], statement.value
        if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple) and len(target.elts) == len(value.elts):
            return [(t, v, f"{ast.unparse(t)} =") for t, v in zip(target.elts, value.elts, strict=True)]
        return [(target, value, f"{ast.unparse(target)} =")]
    if isinstance(statement, ast.AugAssign):
        sign = OPERATORS.get(type(statement.op), "?")
        return [(statement.target, statement.value, f"{ast.unparse(statement.target)} {sign}=")]
    if isinstance(statement, ast.AnnAssign) and statement.value is not None:
        return [(statement.target, statement.value, f"{ast.unparse(statement.target)} =")]
    if (call := _append(statement)) is not None:
        return [(call.func, call.args[0], f"{ast.unparse(call.func)}(")]
    if isinstance(statement, ast.Return) and statement.value is not None:
        return [(None, value, f"{text} =") for text, value in _returned(statement.value)]
    return []


def _append(statement: ast.stmt) -> ast.Call | None:
    """The call of a statement x.append(...)."""
    call = statement.value if isinstance(statement, ast.Expr) else None
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute) or len(call.args) != 1:
        return None
    return call if call.func.attr == "append" and isinstance(call.func.value, ast.Name) else None


def as_line(target: str, x: Any) -> str:
    """A statement: what is written to the left of `x`, and `x`."""
    return f"{target}{x})" if target.endswith("(") else f"{target} {x}"


def _returned(value: ast.expr) -> list[tuple[str, ast.expr]]:
    if isinstance(value, ast.Dict):
        pairs = zip(value.keys, value.values, strict=True)
        return [(str(key.value), v) for key, v in pairs if isinstance(key, ast.Constant)]
    if isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id == "dict":
        return [(str(k.arg), k.value) for k in value.keywords if k.arg]
    if isinstance(value, ast.Tuple | ast.List):
        return [(ast.unparse(v), v) for v in value.elts]
    return [("return", value)]


class _Slicer:
    """Follows names back to the statements that assigned them, as far as `inlined` says."""

    def __init__(self, run: Sequence[Executed], inlined: Callable[[Executed, Any], bool]) -> None:
        self.run, self.inlined = run, inlined
        self.values: dict[Term, Any] = {NP: np, **EVERYWHERE}
        self.leaves: dict[Term, tuple[int, ast.expr]] = {}
        self.written: list[Written] = []
        self.count = 0
        self._known: dict[Any, Term] = {}

    def statement(self, k: int, value: ast.expr, target: str) -> Term:
        """The term of what an execution assigns."""
        x = self.run[k]
        if not may_be_evaluated(value, x):
            raise NoProgramError(ast.unparse(value))
        made = self.expression(value, k)
        self.written.append(Written(k, x.statement, made, target))
        if isinstance(x.statement, ast.AugAssign):
            before = self.expression(_load(x.statement.target), k)
            made = Term(OPERATORS[type(x.statement.op)], [before, made])
        return made

    def expression(self, node: ast.expr, k: int) -> Term:
        """The term of an expression, with the variables before an execution."""
        x = self.run[k]
        names = _Names(self, k)
        group = (id(x.statement), k)
        return from_ast(_Opaque(names).visit(copy.deepcopy(node)), names, group)

    def name(self, name: str, k: int) -> Term:
        """The term of a variable before an execution."""
        x = self.run[k]
        if name in x.before:
            for j in range(k - 1, -1, -1):
                before = self.run[j]
                if before.frame != x.frame:
                    continue
                made = self.assigned_by(before, j, name)
                if made is not None:
                    return made
                if name in _bound(before.statement):
                    break
        return self.leaf(ast.Name(name, ast.Load()), k, name)

    def assigned_by(self, x: Executed, j: int, name: str) -> Term | None:
        """What an execution made of a variable; None if it did not, or that is not to be known."""
        now = (x.after or {}).get(name)
        if (j, name) in self._known:
            return self._known[j, name]
        made: Term | None = None
        for target, value, text in assigned(x.statement):
            if not may_be_evaluated(value, x):
                continue
            if isinstance(target, ast.Name) and target.id == name and self.inlined(x, now):
                made = self.statement(j, value, text)
            elif isinstance(target, ast.Subscript) and stored_in(target) == name:
                if not isinstance(now, np.ndarray) or not self.inlined(x, now):
                    continue
                made = self.stored(target, value, j)
                self.written.append(Written(j, x.statement, made, text))
            elif isinstance(target, ast.Attribute) and ast.unparse(target.value) == name and self.inlined(x, now):
                before = self.expression(target.value, j)
                if before.op == "list":
                    made = Term("list", [*before.args, self.statement(j, value, text)])
        call = x.statement.value if isinstance(x.statement, ast.Expr) else None
        if _adds_at(call, name) and self.inlined(x, now):
            assert isinstance(call, ast.Call)
            operands = [self.expression(a, j) for a in call.args]
            made = Term("call", [ADD_AT, *operands], (), ((id(x.statement), j), 0, 0, "add"))
            self.written.append(Written(j, x.statement, made, ""))
        if made is not None:
            self._known[j, name] = made
        return made

    def stored(self, target: ast.Subscript, value: ast.expr, j: int) -> Term:
        """A variable after something has been stored in a part of it, or in a part of a part."""
        x, indices, of = self.run[j], list[Term](), target.value
        indices.append(self.expression(target.slice, j))
        while isinstance(of, ast.Subscript):
            indices.insert(0, self.expression(of.slice, j))
            of = of.value
        parts = [self.expression(of, j)]
        for index in indices:
            parts.append(Term("index", [parts[-1], index]))
        made = self.expression(value, j)
        if isinstance(x.statement, ast.AugAssign):
            made = Term(OPERATORS[type(x.statement.op)], [parts[-1], made])
        for depth in reversed(range(len(indices))):
            place = ((id(x.statement), j), 0, depth, "store")
            made = Term("call", [SET_AT, parts[depth], indices[depth], made], (), place)
        return made

    def leaf(self, node: ast.expr, k: int, text: str) -> Term:
        """A name, or an expression that is none of a term, with its value."""
        value = evaluate(node, self.run[k])
        key = (text, id(value))
        if key not in self._known:
            leaf = Term("name", (), text)
            self._known[key], self.values[leaf], self.leaves[leaf] = leaf, value, (k, node)
            self.count += 1
            if self.count > MOST:
                raise NoProgramError("too large")
        return self._known[key]


class _Names(dict[str, Term]):
    """The terms of names before one execution."""

    def __init__(self, slicer: _Slicer, k: int) -> None:
        super().__init__()
        self.slicer, self.k = slicer, k

    def __contains__(self, name: object) -> bool:
        return True

    def __getitem__(self, name: str) -> Term:
        if not dict.__contains__(self, name):
            x = self.slicer.run[self.k]
            value = x.before.get(name, x.globals.get(name, getattr(builtins, name, None)))
            self[name] = NP if value is np else self.slicer.name(name, self.k)
        return dict.__getitem__(self, name)


class _Opaque(ast.NodeTransformer):
    """Puts a name in the place of each part of an expression that is no term; that is evaluated as it is.

    Of `a if test else b` it is the one that was taken.
    """

    def __init__(self, names: _Names) -> None:
        self.names = names

    def visit(self, node: ast.AST) -> Any:
        """A node, or the name of it."""
        x = self.names.slicer.run[self.names.k]
        if isinstance(node, ast.IfExp) and may_be_evaluated(node.test, x):
            return self.visit(node.body if evaluate(node.test, x) else node.orelse)
        if not isinstance(node, OPAQUE):
            return super().visit(node)
        text = ast.unparse(node)
        self.names[text] = self.names.slicer.leaf(node, self.names.k, f"({text})")
        return ast.Name(text, ast.Load())


def _adds_at(call: ast.expr | None, name: str) -> bool:
    """Whether an expression is np.add.at of a variable."""
    if not isinstance(call, ast.Call) or ast.unparse(call.func) != "np.add.at" or len(call.args) != 3:
        return False
    return isinstance(call.args[0], ast.Name) and call.args[0].id == name


@functools.lru_cache(maxsize=4096)
def _bound(statement: ast.stmt) -> set[str]:
    """The names that a statement assigns to."""
    return {x.id for x in ast.walk(statement) if isinstance(x, ast.Name) and isinstance(x.ctx, ast.Store)}


@functools.lru_cache(maxsize=4096)
def _load(target: Any) -> Any:
    """A target as an expression."""
    loaded = copy.deepcopy(target)
    for x in ast.walk(loaded):
        if hasattr(x, "ctx"):
            x.ctx = ast.Load()
    return loaded


def own_program(
    run: Sequence[Executed],
    maker: Maker,
    array: Array,
    inlined: Callable[[Executed, Any], bool],
    right_side: bool = False,
) -> OwnProgram | None:
    """The program of an array, of the statement that made it on; None if it cannot be followed.

    right_side: of what is to the right of += alone, not of the sum.
    """
    slicer = _Slicer(run, inlined)
    try:
        with np.errstate(all="ignore"):
            root: Term | None
            if right_side:
                root = slicer.expression(maker.value, maker.number)
            elif maker.stored is None:
                root = slicer.statement(maker.number, maker.value, maker.target)
            else:
                root = slicer.assigned_by(run[maker.number], maker.number, maker.stored)
            if root is None:
                return None
            program = Program(root, slicer.values)
    except (*FAILURES, RecursionError, SyntaxError):
        return None
    except Exception:  # whatever somebody's expression raises when it is evaluated again
        return None
    if np.shape(program.value) != array.shape or not np.allclose(program.value, array, rtol=1e-9, atol=1e-300):
        return None
    return OwnProgram(program, slicer.written, slicer.leaves)
