"""Edits of a statement as it is written: what somebody may have meant instead.

Each kind is a generator of edits of one expression or statement. An expression is exchanged where it stands, so that
an edit is in all executions of the statement.
"""

from __future__ import annotations

import ast
import contextlib
import functools
import itertools
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from tinygrad_cnn.check.diagnose.edits.purity import is_pure
from tinygrad_cnn.check.diagnose.edits.statements import LARGE, Change, Statement
from tinygrad_cnn.check.diagnose.source_files import is_somebodys

SIBLINGS = (
    ("sin", "cos", "tan"), ("sinh", "cosh", "tanh"), ("exp", "log", "expm1", "log1p"), ("maximum", "minimum"),
    ("sum", "mean"), ("max", "min", "argmax", "argmin"), ("sqrt", "square", "abs"), ("zeros_like", "ones_like"),
    ("floor", "ceil"), ("var", "std"), ("dot", "multiply", "outer"), ("zeros", "ones"),
)  # fmt: skip
RESHAPING = ("reshape", "ravel", "flatten", "squeeze", "transpose", "swapaxes")
REDUCTIONS = ("sum", "mean", "max", "min", "prod", "var", "std", "argmax", "argmin")
AXES = (0, 1, 2, -1, -2, (0, 1), (0, 2), (1, 2), (0, 2, 3), (0, 1, 2), (2, 3))
INSTEAD: dict[type, tuple[type, ...]] = {
    ast.Add: (ast.Sub, ast.Mult), ast.Sub: (ast.Add,), ast.Mult: (ast.Div, ast.MatMult, ast.Add), ast.Div: (ast.Mult,),
    ast.MatMult: (ast.Mult,), ast.Mod: (ast.FloorDiv,), ast.FloorDiv: (ast.Mod,),
}  # fmt: skip
COMPARISONS = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!="}
OPPOSITE = ({ast.NotEq, ast.Eq}, {ast.Lt, ast.Gt}, {ast.LtE, ast.GtE})
ALIKE = 16  # expressions that are tried in the place of one
IN_TESTS = 0.4  # what an edit of a test costs more, which is seldom a slip of the pen
IN_CALLS = 0.5  # and one of a call of somebody's own function, in which the mistake is likelier
LONGEST = 3000  # elements of an axis of which an array may have two
AROUND = 30  # characters of an expression that a smaller one is shown within
CLOSE = 1e-8  # relative
WRITTEN = 40  # characters of an expression that is tried elsewhere


@dataclass(frozen=True)
class SourceEdit:
    """A change of a statement, at a cost: the smaller, the likelier that somebody makes the mistake.

    sentence, words   of `sentences.EDITS_OF_LINES`
    """

    cost: float
    change: Change
    sentence: str
    words: Mapping[str, Any] = field(default_factory=dict)


class Scope:
    """What a statement had variables for: expressions, with their values."""

    def __init__(self, statement: Statement) -> None:
        self.names, self.within = dict(statement.names), statement.within
        self.atoms: list[tuple[str, Any]] = [(name, x) for name, x in self.names.items() if _is_numeric(x)]
        for k, (name, x) in enumerate(self.names.items()):
            own = k < statement.own
            if isinstance(x, dict) and len(x) <= 20:
                self.atoms += [(f"{name}[{key!r}]", y) for key, y in x.items() if _is_numeric(y)]
            elif own and name == "self" and hasattr(x, "__dict__"):
                self.atoms += [(f"self.{key}", y) for key, y in vars(x).items() if _is_numeric(y)]
        self.counters = self._counters(statement)
        self.written: list[tuple[str, Any]] = []  # what is written elsewhere in the function
        self.numbers: list[str] = []  # and what of it is computed and a whole number, as an index is
        for node in ast.walk(statement.within):
            if isinstance(node, ast.BinOp | ast.Compare | ast.Call | ast.Subscript | ast.Attribute):
                source = text(node)
                if len(source) <= WRITTEN and not any(source == other for other, _ in (*self.atoms, *self.written)):
                    value = self.value(node)
                    if isinstance(value, np.ndarray) and (_is_numeric(value) or value.dtype.kind == "b"):
                        self.written.append((source, value))
                    elif isinstance(node, ast.BinOp) and type(value) is int and source not in self.numbers:
                        self.numbers.append(source)

    def value(self, node: ast.expr) -> Any:
        """The value of an expression; None if it has none, or if it may change something."""
        if not is_pure(node, self.names):
            return None
        try:
            with np.errstate(all="ignore"):
                names = {**self.names, **self.counters} if self.counters else self.names
                return eval(compile(ast.Expression(node), "<expression>", "eval"), names)
        except Exception:  # whatever somebody's expression raises
            return None

    def _counters(self, statement: Statement) -> dict[str, Any]:
        """The first values of the variables of a statement's comprehensions."""
        found: dict[str, Any] = {}
        for x in ast.walk(statement.node):
            if isinstance(x, ast.comprehension) and isinstance(x.target, ast.Name) and is_pure(x.iter, self.names):
                with contextlib.suppress(Exception):  # whatever somebody's expression raises
                    values = eval(compile(ast.Expression(x.iter), "<expression>", "eval"), self.names)
                    if isinstance(values, range | list | tuple):
                        found[x.target.id] = values[0]
        return found

    def like(self, source: str, x: Any) -> list[str]:
        """Variables, then other expressions, of the shape and the kind of dtype of `x`, each with another value."""
        found, seen = [], {_content(x)}
        for name, content in self._by_shape.get((np.shape(x), _kind(x)), ()):
            if name != source and content not in seen:
                seen.add(content)
                found.append(name)
        return found[:ALIKE]

    @functools.cached_property
    def _by_shape(self) -> dict[Any, list[tuple[str, bytes]]]:
        """The names of what is there, and what it holds, by its shape and the kind of its dtype."""
        found: dict[Any, list[tuple[str, bytes]]] = {}
        for name, y in (*self.atoms, *self.written):
            found.setdefault((np.shape(y), _kind(y)), []).append((name, _content(y)))
        return found

    def masks(self, shape: tuple[int, ...]) -> list[str]:
        """Comparisons that are written somewhere in the function, and broadcast to a shape."""
        return [name for name, y in self.written if y.dtype.kind == "b" and _broadcasts(y.shape, shape)]

    @property
    def has_long_axes(self) -> bool:
        """Whether there is an axis so long that a product the other way round would fill the memory."""
        held = [
            x.values() if isinstance(x, dict) else x for x in self.names.values() if isinstance(x, dict | list | tuple)
        ]
        inner = [y for values in held for y in values]
        arrays = [x for x in (*self.names.values(), *inner) if isinstance(x, np.ndarray)]
        return any(n > LONGEST for x in arrays for n in x.shape)

    @functools.cached_property
    def counts(self) -> list[str]:
        """Expressions for whole numbers above 1 that sizes and steps are given by, one for each number."""
        found: dict[int, str] = {}
        for name, x in self.atoms:
            if type(x) is int and 1 < x < LARGE:
                found.setdefault(x, name)
        mentioned = {x.id for x in ast.walk(self.within) if isinstance(x, ast.Name)}
        for name, x in self.atoms:
            if not mentioned.intersection(re.split(r"\W", name)[:1]):
                continue
            if isinstance(x, np.ndarray) and x.size > 2 and set(x.ravel().tolist()) == {0, 1}:
                found.setdefault(int(x.sum()), f"{name}.sum()")
            for axis, n in enumerate(np.shape(x) if isinstance(x, np.ndarray) else ()):
                if n > 1:
                    found.setdefault(n, f"{name}.shape[{axis}]")
            if isinstance(x, np.ndarray) and x.ndim > 1:
                found.setdefault(x.size, f"{name}.size")
        return list(found.values())


def edits(statement: Statement, scope: Scope | None = None) -> list[SourceEdit]:
    """All edits of a statement, cheapest first. scope: what it had variables for, if that is known."""
    scope, node = scope or Scope(statement), statement.node
    if any(_crashes(x, scope) for x in ast.walk(node)):
        return []
    found = [*_of_the_statement(statement, scope), *_renamed(node, scope)]
    if isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign | ast.Return | ast.Expr) and node.value is not None:
        found += _at_terms(node, "value", scope)
    for holder, at, expression in _expressions(node):
        is_read = isinstance(getattr(expression, "ctx", ast.Load()), ast.Load)
        for kind in KINDS if is_read else (indices,):
            found += kind(holder, at, expression, scope)
    if scope.has_long_axes:
        found = [edit for edit in found if not _may_reshape(edit)]
    lengths = {i for x in ast.walk(node) if isinstance(x, ast.Call) and text(x.func) == "len" for i in _ids(x)}
    found = [edit for edit in found if edit.sentence != "transposed" or id(edit.change.holder) not in lengths]
    aside = _aside(node, scope)
    found = [replace(edit, cost=edit.cost + aside.get(id(edit.change.holder), 0.0)) for edit in found]
    return sorted(found, key=lambda edit: edit.cost)


def _aside(node: ast.stmt, scope: Scope) -> dict[int, float]:
    """What edits of parts of a statement cost more, by the `id` of what holds these."""
    found: dict[int, float] = {}
    for x in ast.walk(node):
        if isinstance(x, ast.Call) and _is_own(scope.value(x.func)):
            found.update(dict.fromkeys(_ids(node if getattr(node, "value", None) is x else x), IN_CALLS))
        if isinstance(x, ast.If | ast.IfExp):
            found.update(dict.fromkeys([*_ids(x.test), id(x)], IN_TESTS))
    return found


def _ids(node: ast.AST) -> list[int]:
    parts = [x for x in ast.walk(node) if not isinstance(x, ast.expr_context)]
    return [id(x) for x in parts] + [id(x) for y in parts for _, x in ast.iter_fields(y) if isinstance(x, list)]


def _is_own(function: Any) -> bool:
    code = getattr(function, "__code__", None)
    return code is not None and is_somebodys(code.co_filename)


def _may_reshape(edit: SourceEdit) -> bool:
    """Whether what an edit gives may have another shape than what was there."""
    if edit.sentence in ("transposed", "not_transposed", "function_missing"):
        return True
    words = "".join(map(str, edit.words.values()))
    return edit.sentence == "other" and bool(re.search(r"@|axis|keepdims|\.T\b|dot|outer|multiply|sum|mean", words))


def text(node: ast.AST) -> str:
    """Source text; of a compound statement its first line."""
    return re.sub(r"\*\* \((-[\d.]+)\)", r"** \1", ast.unparse(node).split("\n")[0])


def _expressions(node: ast.stmt) -> Iterator[tuple[Any, Any, ast.expr]]:
    """The expressions of a statement with where they stand, not those of statements in it."""
    waiting: list[tuple[Any, Any, Any]] = [(node, name, x) for name, x in ast.iter_fields(node)]
    while waiting:
        holder, at, x = waiting.pop()
        if isinstance(x, list):
            waiting += [(x, k, y) for k, y in enumerate(x) if not isinstance(y, ast.stmt)]
        elif isinstance(x, ast.expr | ast.slice | ast.keyword | ast.comprehension):
            if isinstance(x, ast.expr) and not isinstance(x, ast.Starred | ast.JoinedStr):
                yield holder, at, x
            waiting += [(x, name, y) for name, y in ast.iter_fields(x)]


def parsed(source: str, like: ast.AST) -> ast.expr:
    """An expression, placed where `like` is written."""
    found: ast.expr = _placed(ast.parse(source, mode="eval").body, like)
    return found


def _placed(node: Any, like: ast.AST) -> Any:
    for x in ast.walk(node):
        if isinstance(x, ast.expr | ast.stmt | ast.keyword) and not hasattr(x, "lineno"):
            ast.copy_location(x, like)
        elif isinstance(x, ast.expr | ast.stmt | ast.keyword):
            x.lineno = x.end_lineno = getattr(like, "lineno", 1)
            x.col_offset = x.end_col_offset = getattr(like, "col_offset", 0)
    return node


def _other(holder: Any, at: Any, old: ast.expr, new: ast.expr | str, cost: float) -> SourceEdit:
    """An expression in the place of another."""
    new = parsed(new if isinstance(new, str) else ast.unparse(new), old)
    change, x, y = Change(holder, at, new), text(old), text(new)
    if isinstance(holder, ast.BinOp | ast.Subscript) and len(text(holder)) <= AROUND:  # 1 - h for 1 - h**2, not h
        x, back = text(holder), change.apply()
        y = text(holder)
        back.apply()
    return SourceEdit(cost, change, "other", {"x": x, "y": y})


def _next_to(index: ast.expr, step: int) -> str:
    """The index that is a step away from another: t + 2 for t + 1."""
    base, offset = index, step
    is_offset = isinstance(index, ast.BinOp) and isinstance(index.op, ast.Add | ast.Sub)
    if is_offset and isinstance(index.right, ast.Constant) and type(index.right.value) is int:  # type: ignore[attr-defined]
        base = index.left  # type: ignore[attr-defined]
        offset += index.right.value if isinstance(index.op, ast.Add) else -index.right.value  # type: ignore[attr-defined]
    return text(base) if not offset else f"{text(base)} {'+' if offset > 0 else '-'} {abs(offset)}"


# Kinds of edits of one expression: (what holds it, where, the expression, the scope).


def variables(holder: Any, at: Any, x: ast.expr, scope: Scope) -> Iterator[SourceEdit]:
    """Another variable of the same shape; transposed or not; squared; its slope."""
    if not isinstance(x, ast.Name | ast.Subscript | ast.Attribute) or _is_called(holder, at):
        return
    value = scope.value(x)
    if not _is_numeric(value):
        return
    atoms = {name for name, _ in scope.atoms}
    beside = {"left": "right", "right": "left"}.get(at, "") if isinstance(holder, ast.BinOp) else ""
    cancels = text(getattr(holder, beside)) if beside and isinstance(holder.op, ast.Sub | ast.Div) else ""
    around = text(holder) if isinstance(holder, ast.expr) else ""
    for k, name in enumerate(name for name in scope.like(text(x), value) if name not in (cancels, around)):
        cost = (0.95 if isinstance(value, np.ndarray) else 1.1) + (0.0 if name in atoms else 0.08)
        yield _other(holder, at, x, name, cost + 0.01 * k)
    if isinstance(holder, ast.Subscript) and at == "value" and isinstance(value, np.ndarray):
        for name, y in scope.atoms:
            if np.ndim(y) == value.ndim and np.shape(y) != value.shape and _kind(y) == _kind(value):
                yield _other(holder, at, x, name, 1.15)
    if not _is_float(value) or isinstance(holder, ast.Subscript):
        return
    yield _other(holder, at, x, f"{text(x)} ** 2", 1.15)
    yield _other(holder, at, x, f"np.sqrt({text(x)})", 1.4)
    yield _other(holder, at, x, f"(1 - {text(x)})", 1.45)
    yield _other(holder, at, x, f"np.exp({text(x)})", 1.45)
    if np.size(value) > 1 and 0 < np.min(value) <= np.max(value) < 1:  # probabilities
        yield _other(holder, at, x, f"({text(x)} * (1 - {text(x)}))", 1.45)
        yield _other(holder, at, x, f"({text(x)} / (1 - {text(x)}))", 1.45)
    if np.size(value) > 1 and isinstance(holder, ast.BinOp | ast.keyword | list):
        yield _other(holder, at, x, f"({text(x)} > 0)", 1.3)
    of_shape = isinstance(holder, ast.Attribute) and holder.attr in ("shape", "size", "T")
    if np.ndim(value) == 2 and not _is_transposed(x) and not of_shape:
        change = Change(holder, at, parsed(f"{text(x)}.T", x))
        yield SourceEdit(1.0, change, "transposed", {"x": text(x)})


def index_arithmetic(holder: Any, at: Any, x: ast.expr, scope: Scope) -> Iterator[SourceEdit]:
    """A whole number that is computed as another one is elsewhere in the function: 3 * g + j for 2 * j + g."""
    if isinstance(x, ast.BinOp) and text(x) in scope.numbers:
        for k, other in enumerate(y for y in scope.numbers[:ALIKE] if y != text(x)):
            yield _other(holder, at, x, other, 1.15 + 0.01 * k)


def attributes(holder: Any, at: Any, x: ast.expr, scope: Scope) -> Iterator[SourceEdit]:
    """What should not be transposed."""
    if isinstance(x, ast.Attribute) and x.attr == "T":
        yield SourceEdit(0.93, Change(holder, at, x.value), "not_transposed", {"x": text(x.value)})


def _is_transposed(x: ast.expr) -> bool:
    return isinstance(x, ast.Attribute) and x.attr == "T"


def _transpose(x: ast.expr) -> str:
    """Its transpose; of a transpose what that is of."""
    return f"({text(x.value)})" if isinstance(x, ast.Attribute) and x.attr == "T" else f"({text(x)}).T"


def operations(holder: Any, at: Any, x: ast.expr, scope: Scope) -> Iterator[SourceEdit]:
    """Another operator, operands exchanged, one operand alone."""
    if isinstance(x, ast.UnaryOp) and isinstance(x.op, ast.USub):
        yield SourceEdit(0.9, Change(holder, at, x.operand), "sign_of", {"x": text(x.operand)})
    if not isinstance(x, ast.BinOp):
        return
    for op in INSTEAD.get(type(x.op), ()):
        cost = 1.3 if op is ast.MatMult else 0.97 if {op, type(x.op)} == {ast.Add, ast.Sub} else 1.05
        yield _other(holder, at, x, ast.BinOp(x.left, op(), x.right), cost)
    if isinstance(x.op, ast.Sub | ast.Div | ast.MatMult):
        within_a_sum = isinstance(x.op, ast.Sub) and isinstance(holder, ast.BinOp)
        yield _other(holder, at, x, ast.BinOp(x.right, x.op, x.left), 1.05 if within_a_sum else 1.0)
    if isinstance(x.op, ast.MatMult) and isinstance(x.left, ast.BinOp) and isinstance(x.left.op, ast.MatMult):
        first, second, third = x.left.left, x.left.right, x.right
        yield _other(holder, at, x, ast.BinOp(ast.BinOp(first, x.op, third), x.op, second), 1.1)
    if isinstance(x.op, ast.MatMult):
        one, two = f"({text(x.left)})", f"({text(x.right)})"
        for a, b in ((two, _transpose(x.left)), (_transpose(x.right), one), (_transpose(x.right), _transpose(x.left))):
            yield _other(holder, at, x, f"{a} @ {b}", 1.2)
    yield from _regrouped(holder, at, x)
    more = {ast.Add: "term_missing", ast.Sub: "term_missing", ast.Mult: "factor_missing", ast.Div: "division_missing"}
    if type(x.op) in more:
        change = Change(holder, at, x.left)
        yield SourceEdit(1.0, change, more[type(x.op)], {"x": text(x.right)})
        if isinstance(x.op, ast.Add | ast.Mult):
            yield SourceEdit(1.0, Change(holder, at, x.right), more[type(x.op)], {"x": text(x.left)})
        if isinstance(x.op, ast.Mult) and isinstance(x.left, ast.BinOp) and isinstance(x.left.op, ast.Mult):
            both = {"x": text(ast.BinOp(x.left.right, x.op, x.right))}
            yield SourceEdit(1.2, Change(holder, at, x.left.left), "factor_missing", both)
        if isinstance(x.op, ast.Sub):
            yield _other(holder, at, x, ast.UnaryOp(ast.USub(), x.right), 1.1)
            yield _other(holder, at, x, x.right, 1.12)
    if isinstance(x.op, ast.Pow):
        yield _other(holder, at, x, x.left, 1.0)
    is_power = isinstance(x.op, ast.Div) and isinstance(x.left, ast.BinOp) and isinstance(x.left.op, ast.Pow)
    if is_power and text(x.left.right) == text(x.right):  # type: ignore[attr-defined]
        yield _other(holder, at, x, x.left.left, 1.0)  # type: ignore[attr-defined] # x**2 / 2, whose derivative is x


def _regrouped(holder: Any, at: Any, x: ast.BinOp) -> Iterator[SourceEdit]:
    """Other parentheses, or a factor that belongs to another term."""
    for y, left in ((x.left, True), (x.right, False)):
        if not isinstance(y, ast.BinOp) or type(y.op) is type(x.op) in (ast.Add, ast.Mult, ast.MatMult):
            continue
        if not left:
            yield _other(holder, at, x, ast.BinOp(ast.BinOp(x.left, x.op, y.left), y.op, y.right), 1.1)
        elif not isinstance(y.op, ast.Pow):
            yield _other(holder, at, x, ast.BinOp(y.left, y.op, ast.BinOp(y.right, x.op, x.right)), 1.1)
        if isinstance(x.op, ast.Add | ast.Sub) and isinstance(y.op, ast.Mult | ast.Div):
            other = ast.BinOp(x.right if left else x.left, y.op, y.right)
            yield _other(holder, at, x, ast.BinOp(*((y.left, x.op, other) if left else (other, x.op, y.left))), 1.2)
        is_sum = isinstance(y.op, ast.Add | ast.Sub) and not isinstance(y.left, ast.Constant)
        if isinstance(x.op, ast.Mult) and is_sum:  # (a + b) * c for a * c + b
            factor = x.right if left else x.left
            yield _other(holder, at, x, ast.BinOp(ast.BinOp(y.left, x.op, factor), y.op, y.right), 1.15)
            yield _other(holder, at, x, ast.BinOp(y.left, y.op, ast.BinOp(y.right, x.op, factor)), 1.15)
    if isinstance(x.op, ast.Add | ast.Sub):
        yield from _in_parentheses(holder, at, x)


def _in_parentheses(holder: Any, at: Any, x: ast.BinOp) -> Iterator[SourceEdit]:
    """A sum in parentheses that are missing around it: a * (b - c) / d for a * b - c / d."""
    left, right, op = text(x.left), text(x.right), {ast.Add: "+", ast.Sub: "-"}[type(x.op)]
    for a in _at_edge(x.left, "right", left.endswith):
        for b in _at_edge(x.right, "left", right.startswith):
            if a != left or b != right:
                made = f"{left.removesuffix(a)}({a} {op} {b}){right.removeprefix(b)}"
                yield _other(holder, at, x, made, 1.05)


def _at_edge(x: ast.expr, side: str, is_there: Callable[[str], bool]) -> Iterator[str]:
    """An expression, and those within it that its text begins or ends with."""
    while is_there(text(x)):
        yield text(x)
        if not isinstance(x, ast.BinOp) or isinstance(x.op, ast.Pow):
            return
        x = getattr(x, side)


def factors_moved(holder: Any, at: Any, x: ast.expr, scope: Scope) -> Iterator[SourceEdit]:
    """A factor of a sum, or of a product of matrices, that belongs within it, or the other way round."""
    if not (isinstance(x, ast.BinOp) and isinstance(x.op, ast.Mult)):
        yield from _taken_out(holder, at, x)
        return
    if isinstance(holder, ast.BinOp) and isinstance(holder.op, ast.Mult):
        return  # part of a product that is looked at as a whole
    factors = list(_factors(x))
    for k, y in enumerate(factors):
        for j, f in enumerate(factors):
            rest = [f"({text(z)})" for i, z in enumerate(factors) if i not in (j, k)]
            for moved in _with_factor(y, f) if j != k else ():
                yield _other(holder, at, x, " * ".join([*rest, f"({moved})"]), 1.25)


def _factors(x: ast.expr) -> Iterator[ast.expr]:
    if isinstance(x, ast.BinOp) and isinstance(x.op, ast.Mult):
        yield from _factors(x.left)
        yield from _factors(x.right)
    else:
        yield x


def _with_factor(x: ast.expr, factor: ast.expr) -> Iterator[str]:
    """A sum, or a product of matrices, with a factor within it."""
    if isinstance(x, ast.BinOp) and isinstance(x.op, ast.MatMult):
        yield f"(({text(factor)}) * ({text(x.left)})) @ ({text(x.right)})"
        yield f"({text(x.left)}) @ (({text(factor)}) * ({text(x.right)}))"
    elif _summed(x) is not None:
        yield text(_with(x, "args", 0, f"({text(factor)}) * ({text(_summed(x))})"))  # type: ignore[arg-type]


def _summed(x: ast.expr) -> ast.expr | None:
    """What np.sum or np.mean is taken of."""
    of_numpy = isinstance(x, ast.Call) and isinstance(x.func, ast.Attribute) and text(x.func.value) in ("np", "numpy")
    return x.args[0] if of_numpy and x.func.attr in ("sum", "mean") and x.args else None  # type: ignore[attr-defined]


def _taken_out(holder: Any, at: Any, x: ast.expr) -> Iterator[SourceEdit]:
    """A sum of a product with one of the factors before it."""
    factors = list(_factors(inner)) if (inner := _summed(x)) is not None else []
    for k, f in enumerate(factors if len(factors) > 1 else ()):
        rest = " * ".join(f"({text(z)})" for i, z in enumerate(factors) if i != k)
        yield _other(holder, at, x, f"({text(f)}) * {text(_with(x, 'args', 0, rest))}", 1.25)  # type: ignore[arg-type]


def constants(holder: Any, at: Any, x: ast.expr, scope: Scope) -> Iterator[SourceEdit]:
    """Another number: off by one, double, half, of the other sign, inverse; another truth value."""
    if not isinstance(x, ast.Constant) or (isinstance(holder, ast.keyword) and holder.arg == "axis"):
        return
    c = x.value
    if isinstance(c, bool):
        yield _other(holder, at, x, repr(not c), 1.1)
    elif isinstance(c, int | float):
        half = c // 2 if isinstance(c, int) and c % 2 == 0 else c / 2
        others, nearby, seldom = [2 * c, half, c + 1, c - 1, -c, c - 0.5, 1 / c if c else 1, 0, 1], [], []
        if isinstance(holder, ast.BinOp) and isinstance(holder.op, ast.Mult | ast.Div):  # a length is likelier
            others, nearby, seldom = [2 * c, half, -c], [c + 1, c - 1], [c - 0.5, 1 / c if c else 1, 0, 1]
        yield from _for_a_number(holder, at, x, scope)
        if isinstance(c, int) and isinstance(holder, ast.Subscript | ast.Slice | ast.Tuple | list):
            others = [c + 1, c - 1]
            for name, value in scope.atoms:
                if type(value) is int and name.isidentifier():
                    yield _other(holder, at, x, name, 1.1)
        for first, chosen in ((1.0, others), (1.1, nearby), (1.26, seldom)):
            for k, new in enumerate(dict.fromkeys(n for n in chosen if n != c)):
                yield _other(holder, at, x, repr(new), first + 0.02 * k)


def _for_a_number(holder: Any, at: Any, x: ast.expr, scope: Scope) -> Iterator[SourceEdit]:
    """An array where a number is: for 1 - h it would be y - h, for x / 4 it would be x / n."""
    if isinstance(holder, ast.BinOp) and isinstance(holder.op, ast.Add | ast.Sub | ast.Mult | ast.Div):
        beside = scope.value(holder.left if at == "right" else holder.right)
        if isinstance(beside, np.ndarray) and beside.ndim:
            for k, (name, y) in enumerate(scope.atoms):
                if k < ALIKE and isinstance(y, np.ndarray) and y.shape == beside.shape:
                    yield _other(holder, at, x, name, 1.25)


def indices(holder: Any, at: Any, x: ast.expr, scope: Scope) -> Iterator[SourceEdit]:
    """An index off by one, or without its stride; windows without theirs; two indices exchanged."""
    if not isinstance(x, ast.Subscript):
        return
    elts = x.slice.elts if isinstance(x.slice, ast.Tuple) else []
    parts: list[tuple[Any, Any, ast.expr]] = [(elts, k, y) for k, y in enumerate(elts)] or [(x, "slice", x.slice)]
    steps = [name for name, value in scope.atoms if type(value) is int and 1 < value < 100 and name.isidentifier()]
    yield from _windows(x, steps)
    if any(isinstance(y, ast.Slice) and _is_reversed(y) for _, _, y in parts):
        straight = [text(y) if not (isinstance(y, ast.Slice) and _is_reversed(y)) else ":" for _, _, y in parts]
        source = text(x.value) if set(straight) == {":"} else f"{text(x.value)}[{', '.join(straight)}]"
        yield _other(holder, at, x, source, 0.9)
    for where, place, y in parts:
        if isinstance(y, ast.Slice):
            for edge in ("lower", "upper"):
                bound = getattr(y, edge)
                if bound is not None and not isinstance(bound, ast.Constant):
                    for step in (1, -1):
                        new = parsed(_next_to(bound, step), bound)
                        yield SourceEdit(1.15, Change(y, edge, new), "index", {"x": text(x.value)})
        elif isinstance(y, ast.Name | ast.BinOp | ast.UnaryOp) and isinstance(scope.value(y), int | np.integer):
            for step in (-1, 1):
                change = Change(where, place, parsed(_next_to(y, step), y))
                yield SourceEdit(1.0, change, "index", {"x": text(x.value)})
            if isinstance(y, ast.BinOp) and isinstance(y.op, ast.Sub) and isinstance(y.right, ast.Name):
                straight = [text(z.right if isinstance(z, ast.BinOp) else z) for _, _, z in parts]  # 2 - i for i
                source = f"{text(x.value)}[{', '.join(straight)}]"
                index = ast.parse(source, mode="eval").body.slice  # type: ignore[attr-defined]
                yield SourceEdit(1.0, Change(x, "slice", _placed(index, x)), "other", {"x": text(x), "y": source})
            for stride in steps:
                change = Change(where, place, parsed(f"{text(y)} * {stride}", y))
                yield SourceEdit(1.3, change, "index", {"x": text(x.value)})
    for k in range(len(elts) - 1):
        new = ast.Tuple([*elts[:k], elts[k + 1], elts[k], *elts[k + 2 :]], ast.Load())
        change = Change(x, "slice", parsed_index(new, x))
        yield SourceEdit(1.2, change, "other", {"x": text(x), "y": f"{text(x.value)}[{text(new)[1:-1]}]"})


def _is_reversed(y: ast.Slice) -> bool:
    return y.step is not None and text(y.step) == "-1" and y.lower is None and y.upper is None


def _windows(x: ast.Subscript, steps: Sequence[str]) -> Iterator[SourceEdit]:
    """Windows whose starts are a stride apart, or not: along one axis, or along all."""
    parts = x.slice.elts if isinstance(x.slice, ast.Tuple) else [x.slice]
    windows = [k for k, y in enumerate(parts) if isinstance(y, ast.Slice) and _length(y) is not None]
    for chosen in [windows, *([[k] for k in windows] if len(windows) > 1 else [])]:
        for start in ("plain", *steps) if chosen else ():
            new = [_from(y, start) if k in chosen else text(y) for k, y in enumerate(parts)]
            source = ", ".join(new)
            if source != ", ".join(map(text, parts)):
                words = {"x": text(x), "y": f"{text(x.value)}[{source}]"}
                index = ast.parse(f"z[{source}]", mode="eval").body.slice  # type: ignore[attr-defined]
                yield SourceEdit(1.1, Change(x, "slice", _placed(index, x)), "other", words)


def _length(y: ast.Slice) -> str | None:
    """The length of a window start:start + length."""
    low, high = y.lower, y.upper
    if low is None or not (isinstance(high, ast.BinOp) and isinstance(high.op, ast.Add)):
        return None
    return text(high.right) if text(high.left) == text(low) else None


def _from(y: Any, step: str) -> str:
    """A window that starts a stride apart from the next, or with "plain" right beside it."""
    low = y.lower
    if isinstance(low, ast.BinOp) and isinstance(low.op, ast.Mult):
        low = low.left
    start = text(low) if step == "plain" else f"{text(low)} * {step}"
    return f"{start}:{start} + {_length(y)}"


def parsed_index(node: Any, like: ast.AST) -> Any:
    """An index or a slice, placed where `like` is written."""
    whole = ast.parse(
        f"z[{ast.unparse(node) if not isinstance(node, ast.Tuple) else ast.unparse(node)[1:-1]}]", mode="eval"
    )
    return _placed(whole.body.slice, like)  # type: ignore[attr-defined]


def calls(holder: Any, at: Any, x: ast.expr, scope: Scope) -> Iterator[SourceEdit]:
    """A sibling function, one left out, arguments exchanged, axes."""
    if not isinstance(x, ast.Call):
        return
    f = x.func
    name = f.attr if isinstance(f, ast.Attribute) else f.id if isinstance(f, ast.Name) else ""
    for family in SIBLINGS:
        if name in family:
            for new in family:
                if new != name and isinstance(f, ast.Attribute):
                    cost = 1.0 if {name, new} == {"sum", "mean"} else 1.1
                    yield SourceEdit(cost, Change(f, "attr", new), "other", {"x": name, "y": new})
    if name == "reversed" and len(x.args) == 1:
        yield _other(holder, at, x, x.args[0], 1.1)
    elif name == "range":
        yield _other(holder, at, x, f"reversed({text(x)})", 1.2)
        edge = x.args[1 if len(x.args) > 1 else 0]
        for sign in "+-":
            yield _other(holder, at, x, _with(x, "args", len(x.args) > 1, f"{text(edge)} {sign} 1"), 1.2)
    elif len(x.args) == 1 and not isinstance(x.args[0], ast.Starred) and _is_numeric(scope.value(x.args[0])):
        y = text(x.args[0])
        yield SourceEdit(1.1, Change(holder, at, x.args[0]), "function_missing", {"x": text(x), "y": y})
        if _is_float(scope.value(x.args[0])):
            for z in (y, text(x)):
                for slope in (f"({z}) * (1 - ({z}))", f"(1 - ({z}) ** 2)", f"(({z}) > 0)"):
                    yield _other(holder, at, x, ast.parse(slope, mode="eval").body, 1.35)
    if name == "where" and len(x.args) == 3:
        yield from _branches(holder, at, x, scope)
    if len(x.args) == 2 and name not in ("reshape", "zeros", "ones"):
        yield _other(holder, at, x, ast.Call(f, [x.args[1], x.args[0]], x.keywords), 1.1)
    if isinstance(f, ast.Attribute) and name == "dot" and len(x.args) == 1:
        yield _other(holder, at, x, f"{text(x.args[0])}.dot({text(f.value)})", 1.1)
        yield _other(holder, at, x, f"{text(x.args[0])}.T.dot({text(f.value)}.T)", 1.2)
    if name == "reshape" and isinstance(f, ast.Attribute) and np.ndim(scope.value(f.value)) == 2:
        yield _other(holder, at, x, _transpose(f.value), 1.0)
    if name in RESHAPING and isinstance(f, ast.Attribute) and _is_numeric(scope.value(f.value)):
        yield SourceEdit(1.2, Change(holder, at, f.value), "function_missing", {"x": text(x), "y": text(f.value)})
    if name in REDUCTIONS:
        yield from _axes(holder, at, x)
        yield from _of_another(x, scope)
        if isinstance(f, ast.Attribute) and text(f.value) not in ("np", "numpy"):
            yield SourceEdit(1.2, Change(holder, at, f.value), "function_missing", {"x": text(x), "y": text(f.value)})


def _branches(holder: Any, at: Any, x: ast.Call, scope: Scope) -> Iterator[SourceEdit]:
    """The two values of np.where exchanged; one that should be 0; a variable for a number."""
    zero_first = isinstance(x.args[1], ast.Constant) and x.args[1].value == 0
    exchanged = ast.Call(x.func, [x.args[0], x.args[2], x.args[1]], x.keywords)
    yield _other(holder, at, x, exchanged, 0.93 if zero_first else 1.1)
    for k in (1, 2):
        y, shape = x.args[k], np.shape(scope.value(x))
        if not isinstance(y, ast.Constant):
            yield _other(x.args, k, y, "0", 0.9)
        elif y.value:
            like = [name for name, z in scope.atoms if _is_float(z) and np.shape(z) in ((), shape)]
            for j, name in enumerate(like[:ALIKE]):
                edit = _other(x.args, k, y, name, 1.1 + 0.01 * j)
                yield replace(edit, sentence="factor_more", words={"x": name}) if y.value == 1 else edit


def _axes(holder: Any, at: Any, x: ast.Call) -> Iterator[SourceEdit]:
    of_numpy = isinstance(x.func, ast.Attribute) and text(x.func.value) in ("np", "numpy")
    given = next((k for k in x.keywords if k.arg == "axis"), None)
    positional = x.args[1 if of_numpy else 0 :]
    now = text(given.value) if given is not None else text(positional[0]) if positional else None
    for axis in (*AXES, None):
        if repr(axis) == now or (axis is None and now is None):
            continue
        new = ast.Call(x.func, x.args[: len(x.args) - len(positional)], [k for k in x.keywords if k.arg != "axis"])
        if axis is not None:
            new.keywords.insert(0, ast.keyword("axis", ast.parse(repr(axis), mode="eval").body))
        yield _other(holder, at, x, new, 1.0 if axis in (0, 1, -1) else 1.1)
        if axis is not None and not any(k.arg == "keepdims" for k in x.keywords):
            new.keywords.append(ast.keyword("keepdims", ast.Constant(True)))
            yield _other(holder, at, x, new, 1.1)


def _of_another(x: ast.Call, scope: Scope) -> Iterator[SourceEdit]:
    """A sum of another variable, of whatever shape."""
    if (summed := _summed(x)) is None or not isinstance(summed, ast.Name):
        return
    shape = np.shape(scope.value(summed))
    others = [name for name, y in scope.atoms if _is_float(y) and np.ndim(y) and np.shape(y) != shape]
    for name in others[:ALIKE]:
        yield _other(x.args, 0, summed, name, 1.25)


def _with(x: ast.Call, name: str, at: int, new: str) -> ast.Call:
    args = [ast.parse(new, mode="eval").body if k == at else y for k, y in enumerate(x.args)]
    return ast.Call(x.func, args, x.keywords)


def comparisons(holder: Any, at: Any, x: ast.expr, scope: Scope) -> Iterator[SourceEdit]:
    """Another comparison."""
    if isinstance(x, ast.Compare) and type(x.ops[0]) in COMPARISONS and not isinstance(scope.value(x.left), str):
        for op in COMPARISONS:
            if op is not type(x.ops[0]):
                cost = 0.96 if {op, type(x.ops[0])} in OPPOSITE else 1.0
                yield _other(holder, at, x, ast.Compare(x.left, [op()], x.comparators), cost)
    if isinstance(x, ast.IfExp):
        yield _other(holder, at, x, ast.IfExp(x.test, x.orelse, x.body), 1.1)


def divisors(holder: Any, at: Any, x: ast.expr, scope: Scope) -> Iterator[SourceEdit]:
    """Another count of what is averaged over."""
    if isinstance(holder, ast.BinOp) and isinstance(holder.op, ast.Div) and at == "right":
        value = scope.value(x)
        cost = 1.1 if isinstance(x, ast.Constant) else 1.05
        cancels = {y.value for y in _factors(holder.left) if isinstance(y, ast.Constant)}  # 2 * x / 2
        for n in scope.counts if isinstance(value, int | float | np.number) else ():
            if scope.value(parsed(n, x)) not in (value, *cancels):
                yield _other(holder, at, x, n, cost)


def flips(holder: Any, at: Any, x: ast.expr, scope: Scope) -> Iterator[SourceEdit]:
    """A filter that is not reversed, along its last axis or its last two."""
    value = scope.value(x) if isinstance(x, ast.Name) and not isinstance(holder, ast.Subscript) else None
    if not isinstance(value, np.ndarray) or not _is_float(value) or not value.ndim or value.shape[-1] < 2:
        return
    if isinstance(holder, ast.Assign | ast.Call | list | ast.BinOp | ast.Attribute) and not _is_called(holder, at):
        for reversed_axes in ("::-1", "::-1, ::-1", ":, ::-1")[: 1 if value.ndim == 1 else 3 if value.ndim == 2 else 0]:
            yield _other(holder, at, x, f"{text(x)}[{reversed_axes}]", 1.3)


KINDS: Sequence[Callable[[Any, Any, ast.expr, Scope], Iterator[SourceEdit]]] = (
    variables, index_arithmetic, attributes, operations, factors_moved, constants, divisors, indices, calls,
    comparisons, flips,
)  # fmt: skip


def _renamed(node: ast.stmt, scope: Scope) -> Iterator[SourceEdit]:
    """Another variable wherever one is mentioned several times, as in y * (1 - y)."""
    value = getattr(node, "value", None)
    if not isinstance(value, ast.BinOp | ast.UnaryOp | ast.Call):
        return
    found = [x.id for x in ast.walk(value) if isinstance(x, ast.Name)]
    for name in dict.fromkeys(x for x in found if found.count(x) > 1):
        x = scope.names.get(name)
        for k, new in enumerate(scope.like(name, x) if isinstance(x, np.ndarray) and x.ndim and _is_float(x) else ()):
            source = re.sub(rf"(?<![\w.]){name}\b", lambda _, new=new: new, text(value))  # type: ignore[misc]
            if new.isidentifier() and new not in found:
                change = Change(node, "value", functools.partial(parsed, source, value))
                yield SourceEdit(1.0 + 0.01 * k, change, "other", {"x": name, "y": new})


def structural(statement: Statement, scope: Scope) -> list[SourceEdit]:
    """Edits that put in order what is there: they are tried after another edit of the same statement."""
    found = [
        edit
        for holder, at, x in _expressions(statement.node)
        if isinstance(getattr(x, "ctx", ast.Load()), ast.Load)
        for kind in (factors_moved, attributes, operations)
        for edit in kind(holder, at, x, scope)
    ]
    return sorted(found, key=lambda edit: edit.cost)


# What is missing at the right side as a whole, or at one of its terms.


def _at_terms(holder: Any, at: str, scope: Scope) -> Iterator[SourceEdit]:
    """A sign, a factor, a division or a term that is missing."""
    waiting: list[tuple[Any, Any, ast.expr, bool]] = [(holder, at, getattr(holder, at), True)]
    while waiting:
        where, place, x, whole = waiting.pop()
        if isinstance(x, ast.Starred):
            continue
        if isinstance(x, ast.Tuple | ast.List):
            waiting += [(x.elts, k, y, True) for k, y in enumerate(x.elts)]
            continue
        if isinstance(x, ast.Dict):
            waiting += [(x.values, k, y, True) for k, y in enumerate(x.values)]
            continue
        if isinstance(x, ast.Call) and isinstance(x.func, ast.Attribute) and x.func.attr in ("append", "at", "insert"):
            waiting.append((x.args, len(x.args) - 1, x.args[-1], True))
            continue
        if isinstance(x, ast.BinOp) and isinstance(x.op, ast.Add | ast.Sub):
            waiting += [(x, "left", x.left, False), (x, "right", x.right, False)]
        if isinstance(x, ast.BinOp) and isinstance(x.op, ast.Mult | ast.Div):
            waiting += [(x, side, y, False) for side in ("left", "right") if _is_sum(y := getattr(x, side))]
        if isinstance(x, ast.BinOp) and isinstance(x.op, ast.MatMult):
            waiting += [(x, "left", x.left, False), (x, "right", x.right, False)]
        if isinstance(x, ast.Call) and x.args and not isinstance(x.args[0], ast.Starred):
            waiting += [(x.args, k, y, False) for k, y in enumerate(x.args[:2])]
        if isinstance(x, ast.ListComp | ast.GeneratorExp):
            waiting.append((x, "elt", x.elt, False))
            continue
        value = scope.value(x)
        if value is None and not whole:
            continue
        if value is None or _is_float(value):
            yield from _missing(where, place, x, value, whole, scope)


def _missing(where: Any, place: Any, x: ast.expr, value: Any, whole: bool, scope: Scope) -> Iterator[SourceEdit]:
    old, aside = text(x), 0.0 if whole else 0.1
    inner = f"({old})" if isinstance(x, ast.BinOp | ast.UnaryOp | ast.IfExp | ast.Compare) else old
    if not _begins_with_a_sign(x):
        change, cost = Change(where, place, parsed(_negated(x) or f"-{inner}", x)), 0.9 + aside
        if isinstance(where, ast.BinOp) and isinstance(where.op, ast.Add | ast.Sub) and place == "right":
            change, cost = Change(where, "op", ast.Sub() if isinstance(where.op, ast.Add) else ast.Add()), 0.95
        yield SourceEdit(cost, change, "sign" if whole else "sign_of", {"x": old})

    def made(source: str, cost: float, sentence: str, factor: str) -> SourceEdit:
        change = Change(where, place, functools.partial(parsed, source, x))
        return SourceEdit(cost + aside, change, sentence, {"x": factor})

    for k, number in enumerate(("2", "0.5")):
        yield made(f"{number} * {inner}", 1.1 + 0.02 * k, "factor_more", number)
    for n in scope.counts:
        cost = 1.15 if "." not in n else 1.22 if n.endswith(".shape[0]") else 1.25
        is_length = scope.value(parsed(n, x)) in (*np.shape(value), np.size(value))
        yield made(f"{inner} / {n}", cost, "length_missing" if is_length else "division_more", n)
        if not re.search(r"/ \S*(size|shape|len)", old):
            yield made(f"{inner} * {n}", cost + 0.1, "factor_more", n)
    for name, y in scope.atoms:
        if _is_float(y) and not np.ndim(y):
            yield made(f"{inner} * {name}", 1.2, "factor_more", name)
            yield made(f"{inner} / {name}", 1.25, "division_more", name)
    beside = _beside(where, place)
    if beside is not None and np.ndim(among := scope.value(beside)) > np.ndim(value):
        for name, y in scope.atoms:  # as xhat before the mean of xhat * g
            if isinstance(y, np.ndarray) and _is_float(y) and y.shape == np.shape(among):
                yield made(f"{name} * {inner}", 1.2, "factor_more", name)
    if not isinstance(value, np.ndarray) or not value.ndim:
        return
    for axis in range(value.ndim):
        for kept in ("", ", keepdims=True"):
            source = f"np.sum({old}, axis={axis}{kept})"
            change = Change(where, place, functools.partial(parsed, source, x))
            yield SourceEdit(1.3 + aside, change, "other", {"x": old, "y": source})
    for mask in scope.masks(value.shape):
        yield made(f"{inner} * ({mask})", 1.3, "factor_more", mask)
    is_float = _is_float(value)  # and so is what is like it
    for name in scope.like(old, value):
        if not _is_sum(x) and name.split("[")[0] in old.replace("(", " ").replace(".", " ").split():
            continue
        name = _as_operand(name)
        if is_float:
            yield made(f"{inner} * {name}", 1.25, "factor_more", name)
            yield made(f"{inner} / {name}", 1.35, "division_more", name)
            yield made(f"{inner} + {name}", 1.25, "term_more", name)
            yield made(f"{inner} - {name}", 1.27, "term_more", f"-{name}")
            if name.startswith("("):
                continue
            yield made(f"{inner} * ({name} > 0)", 1.4, "factor_more", f"({name} > 0)")
            yield made(f"{inner} * (1 - {name} ** 2)", 1.45, "factor_more", f"(1 - {name} ** 2)")
            for sign, sentence in (("*", "factor_more"), ("/", "division_more")):
                yield made(f"{inner} {sign} ({name} * (1 - {name}))", 1.45, sentence, f"{name} * (1 - {name})")
    for name, y in scope.atoms:  # vectors along an axis, as gamma is
        if _is_float(y) and np.ndim(y) and y.shape != value.shape and _broadcasts(y.shape, value.shape):
            yield made(f"{inner} * {name}", 1.4, "factor_more", name)
        elif _is_float(y) and np.ndim(y) == 2 and 1 in y.shape and _broadcasts(y.T.shape, value.shape):
            yield made(f"{inner} * {name}.T", 1.4, "factor_more", f"{name}.T")


def _begins_with_a_sign(x: ast.expr) -> bool:
    """Whether it is something negative times something, of which the sign is an edit by itself."""
    while isinstance(x, ast.BinOp) and isinstance(x.op, ast.Mult | ast.Div | ast.MatMult):
        x = x.left
    return isinstance(x, ast.UnaryOp) and isinstance(x.op, ast.USub)


def _negated(x: ast.expr) -> str:
    """The same with the other sign, written without one: h - y for y - h; "" where there is no such difference."""
    if isinstance(x, ast.BinOp) and isinstance(x.op, ast.Sub) and not isinstance(x.left, ast.Constant):
        return f"({text(x.right)}) - ({text(x.left)})"
    if isinstance(x, ast.BinOp) and isinstance(x.op, ast.Mult | ast.Div | ast.MatMult):
        for side in ("left", "right"):
            if negated := _negated(getattr(x, side)):
                kept = {"left": f"({text(x.left)})", "right": f"({text(x.right)})"} | {side: f"({negated})"}
                op = {ast.Mult: "*", ast.Div: "/", ast.MatMult: "@"}[type(x.op)]
                return f"{kept['left']} {op} {kept['right']}"
    return ""


def _is_sum(x: ast.expr) -> bool:
    """Whether it is a sum or a difference, not one of a number, as 1 - h is."""
    is_one = isinstance(x, ast.BinOp) and isinstance(x.op, ast.Add | ast.Sub)
    return is_one and not isinstance(x.left, ast.Constant)  # type: ignore[attr-defined]


def _beside(where: Any, place: Any) -> ast.expr | None:
    """The other term of a sum of two."""
    if not isinstance(where, ast.BinOp) or not isinstance(where.op, ast.Add | ast.Sub):
        return None
    return where.right if place == "left" else where.left


@functools.lru_cache(maxsize=1024)
def _as_operand(source: str) -> str:
    """An expression that can stand in a product."""
    is_one = isinstance(ast.parse(source, mode="eval").body, ast.Name | ast.Attribute | ast.Subscript | ast.Call)
    return source if is_one else f"({source})"


def factor_of(statement: Statement, factor: float | None) -> SourceEdit | None:
    """The edit that multiplies a statement's right side by a factor that is a sign, 2, or a length, or 1 / these."""
    node = statement.node
    x = getattr(node, "value", None)
    if (
        factor is None
        or not isinstance(node, ast.Assign | ast.AugAssign)
        or isinstance(x, ast.Tuple | ast.List | ast.Dict)
    ):
        return None
    inner = f"({text(x)})"  # type: ignore[arg-type]
    if math.isclose(factor, -1, rel_tol=CLOSE):
        return SourceEdit(0.9, Change(node, "value", parsed(f"-{inner}", node)), "sign", {"x": text(x)})  # type: ignore[arg-type]
    scope = Scope(statement)
    for source in ("2", *scope.counts):
        n = scope.value(parsed(source, node))
        for sign, sentence, value in (("*", "factor_more", n), ("/", "division_more", 1 / n)):
            if math.isclose(abs(factor), value, rel_tol=CLOSE):
                made = f"{'-' if factor < 0 else ''}{inner} {sign} {source}"
                return SourceEdit(1.1, Change(node, "value", parsed(made, node)), sentence, {"x": source})
    return None


def _broadcasts(shape: tuple[int, ...], to: tuple[int, ...]) -> bool:
    return len(shape) <= len(to) and all(m in (n, 1) for m, n in zip(shape[::-1], to[::-1], strict=False))


# Edits of a statement as a whole.


def _of_the_statement(statement: Statement, scope: Scope) -> Iterator[SourceEdit]:
    node, (block, k) = statement.node, statement.place
    if (
        isinstance(node, ast.Assign)
        and len(node.targets) == 1
        and isinstance(node.targets[0], ast.Name | ast.Subscript)
    ):
        if isinstance(node.targets[0], ast.Subscript) and _is_array(node.targets[0], scope):
            yield _added_at(node.targets[0], node, block, k)
        added = _placed(ast.AugAssign(node.targets[0], ast.Add(), node.value), node)
        yield SourceEdit(0.9, Change(block, k, added), "added")
        copied = _placed(ast.parse(f"z = ({text(node.value)}).copy()").body[0].value, node.value)  # type: ignore[attr-defined]
        if isinstance(node.value, ast.Name | ast.Subscript | ast.Attribute):
            yield SourceEdit(1.3, Change(node, "value", copied), "other", {"x": text(node.value), "y": text(copied)})
    if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Tuple):
        yield from _unpacked_in_another_order(node, node.targets[0])
    if isinstance(node, ast.AugAssign):
        target = parsed(text(node.target), node.target)
        assigned = _placed(ast.Assign([node.target], node.value), node)
        yield SourceEdit(1.0, Change(block, k, assigned), "assigned", {"x": text(node.target)})
        for op in (ast.Add, ast.Sub, ast.Mult, ast.Div):
            if not isinstance(node.op, op):
                new = _placed(ast.AugAssign(node.target, op(), node.value), node)
                yield SourceEdit(1.05, Change(block, k, new), "other", {"x": text(node), "y": text(new)})
        if isinstance(node.target, ast.Name):
            new = _placed(ast.Assign([node.target], ast.BinOp(target, node.op, node.value)), node)
            yield SourceEdit(1.2, Change(block, k, new), "other", {"x": text(node), "y": text(new)})
        if isinstance(node.target, ast.Subscript) and isinstance(node.op, ast.Add) and _is_array(node.target, scope):
            yield _added_at(node.target, node, block, k)
    yield from _missing_lines(node, block, k, scope)
    if not isinstance(node, ast.Return) or statement.outer is not None:
        instead = _placed(ast.Pass(), node)
        yield SourceEdit(1.35, Change(block, k, instead), "deleted", {"x": text(node)})
    if k + 1 < len(block) and not isinstance(block[k + 1], ast.Return) and not isinstance(node, ast.For | ast.If):
        words = {"x": text(node), "y": text(block[k + 1])}
        yield SourceEdit(1.4, Change(block, slice(k, k + 2), [block[k + 1], node]), "later", words)
    if statement.outer is not None and len(block) > 1:
        around, at = statement.outer
        loop = around[at]
        if isinstance(loop, ast.For) and loop.body is block:
            rest = ast.copy_location(ast.For(loop.target, loop.iter, [x for x in block if x is not node], []), loop)
            yield SourceEdit(1.3, Change(around, slice(at, at + 1), [rest, node]), "after_the_loop", {"x": text(node)})


def _unpacked_in_another_order(node: ast.Assign, target: ast.Tuple) -> Iterator[SourceEdit]:
    """w, h = x.shape for h, w = x.shape."""
    for i, j in itertools.combinations(range(min(len(target.elts), 4)), 2):
        names = list(target.elts)
        names[i], names[j] = names[j], names[i]
        new = _placed(ast.Tuple(names, ast.Store()), target)
        words = {"x": text(target).strip("()"), "y": text(new).strip("()")}
        yield SourceEdit(1.05, Change(node.targets, 0, new), "other", words)


def _missing_lines(node: ast.stmt, block: list[ast.stmt], k: int, scope: Scope) -> Iterator[SourceEdit]:
    """After what changes part of an array, a line that divides or multiplies the whole."""
    target = (
        node.target if isinstance(node, ast.AugAssign) else node.targets[0] if isinstance(node, ast.Assign) else None
    )
    if not isinstance(target, ast.Subscript) or not isinstance(target.value, ast.Name):
        return
    name = target.value.id
    if not _is_float(scope.names.get(name)):
        return
    for n in scope.counts:
        for sign in "/*":
            new = _placed(ast.parse(f"{name} = {name} {sign} {n}").body[0], node)
            words = {"x": text(node), "y": text(new)}
            yield SourceEdit(1.3, Change(block, slice(k, k + 1), [node, new]), "line_missing", words)


def _is_array(target: ast.Subscript, scope: Scope) -> bool:
    """Whether an index is an array."""
    return any(isinstance(scope.value(x), np.ndarray) for x in ast.walk(target.slice) if isinstance(x, ast.expr))


def _crashes(x: ast.AST, scope: Scope) -> bool:
    """Whether an edit may crash NumPy: of a scalar index, 2.4's `add.at` does not check whether values fit."""
    is_at = isinstance(x, ast.Call) and isinstance(x.func, ast.Attribute) and x.func.attr == "at" and len(x.args) > 1
    return is_at and not isinstance(scope.value(x.args[1]), np.ndarray)  # type: ignore[attr-defined]


def _added_at(target: ast.Subscript, node: Any, block: list[ast.stmt], k: int) -> SourceEdit:
    source = f"np.add.at({text(target.value)}, {_index(target)}, {text(node.value)})"
    new = _placed(ast.parse(source).body[0], node)
    return SourceEdit(1.1, Change(block, k, new), "added_at", {"x": text(target)})


def _index(node: ast.Subscript) -> str:
    source = ast.unparse(node.slice)
    return source if ":" not in source else f"np.s_[{source.strip('()')}]"


# What values are.


def _is_numeric(x: Any) -> bool:
    known = isinstance(x, int | float | np.ndarray | np.number) and not isinstance(x, bool)
    return known and np.size(x) < LARGE and _kind(x) in "fiub"


def _kind(x: Any) -> str:
    return "i" if type(x) is int else "f" if type(x) is float else x.dtype.kind


def _is_float(x: Any) -> bool:
    return _is_numeric(x) and _kind(x) == "f"


def _content(x: Any) -> bytes:
    """What is equal for equal numbers: of 0 and -0 too."""
    return (np.asarray(x) + 0).tobytes()


def _is_called(holder: Any, at: Any) -> bool:
    return isinstance(holder, ast.Call) and at == "func"
