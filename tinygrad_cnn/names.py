"""The names of the values of a graph: those that the user gave, or those of the variables that they were assigned to.

Naming is optional. A node knows the instruction that asked for it, and where that instruction computes the whole right
side of an assignment, the left side is a name for the value: after `fc = W @ x + b`, the sum is "fc".
"""

from __future__ import annotations

import ast
import functools
import itertools
import linecache
from collections.abc import Iterator, Sequence
from types import CodeType
from typing import Any, TypeVar

from tinygrad_cnn.engine.graph import Handle, Node, Scope

X = TypeVar("X")
Span = tuple[int | None, int | None, int | None, int | None]  # first and last line, first and last column


def named(x: X, name: str) -> X:
    """Return `x`; if it is a Tensor, name it `name` in pictures, reports and errors.

    >>> import numpy as np, tinygrad_cnn as tg
    >>> t = tg.named(np.exp(tg.Tensor(0.0)), "growth")
    >>> t.name
    'growth'
    """
    if isinstance(x, Handle):
        x.node.name = name
    return x


def names_of(nodes: Sequence[Node]) -> dict[Node, str]:
    """The names of those of `nodes` that have one: given, or a variable's. Several nodes may have the same."""
    makes: dict[Any, set[Any]] = {}  # which primitives each instruction has called
    for node in nodes:
        makes.setdefault(node.source, set()).add(node.primitive)
    within: set[Node] = set()  # what an instruction made on the way to its result
    for node in nodes:
        code, instruction = node.source
        for _, x in node.sources:
            if x.source[1] != instruction or x.source[0] is not code or len(makes[node.source]) == 1:
                continue  # of another instruction, or of one that calls one primitive: in a loop, h = np.sin(h)
            if not _is_of_another_iteration(x.scope, node.scope):
                within.add(x)
    names = {}
    for node in nodes:
        name = node.name
        if name is None and node.primitive is not None and node not in within:
            name = variable(*node.source)
        if name is not None:
            names[node] = name
    return names


def _is_of_another_iteration(a: Scope | None, b: Scope | None) -> bool:
    """Whether two scopes are those that two iterations of a loop entered at one place, as in `h = tg.linear(h, W)`."""
    return a is not b and a is not None and b is not None and a.rule_of is b.rule_of is None and a.path() == b.path()


@functools.lru_cache(maxsize=4096)
def variable(code: CodeType, instruction: int) -> str | None:
    """The variable to which the result of an instruction is assigned; None if it is not, or the source is missing."""
    lines = tuple(linecache.getlines(code.co_filename))
    return _assignments(lines).get(span_of(code, instruction)) if lines else None


def span_of(code: CodeType, instruction: int) -> Span:
    """Where the source of an instruction stands."""
    return next(itertools.islice(code.co_positions(), instruction // 2, None))


def operands_of(node: Node, called: str | None = None, longest: int = 20) -> dict[int, str]:
    """The operands of `node` as they are written in the source: {1: "y.T"} of `np.subtract(t, y.T)`.

    Only for operators, and for calls by the name of the primitive, or of what is `called`, and no longer than `longest`
    characters. This is how a constant, which has no node, gets a name.
    """
    written = _written(*node.source).get(called or node.primitive.__name__, {})
    return {place: text for place, text in written.items() if len(text) <= longest}


@functools.lru_cache(maxsize=4096)
def _written(code: CodeType, instruction: int) -> dict[str, dict[int, str]]:
    """For the operator or the call of an instruction: what it is called, and how its operands are written."""
    lines = tuple(linecache.getlines(code.co_filename))
    expression = _calls(lines).get(span_of(code, instruction)) if lines else None
    if isinstance(expression, ast.BinOp):
        called, operands = _UFUNCS.get(type(expression.op)), [expression.left, expression.right]
    elif isinstance(expression, ast.Call):
        function = expression.func
        called = function.id if isinstance(function, ast.Name) else getattr(function, "attr", None)
        operands = list(itertools.takewhile(lambda x: not isinstance(x, ast.Starred), expression.args))
    else:
        return {}
    if called is None:
        return {}
    texts = {position: ast.unparse(x) for position, x in enumerate(operands) if not isinstance(x, ast.Constant)}
    return {_ALIASES.get(called, called): texts}


_UFUNCS: dict[type[ast.operator], str] = {
    ast.Add: "add", ast.Sub: "subtract", ast.Mult: "multiply", ast.Div: "divide", ast.MatMult: "matmul",
    ast.Pow: "power", ast.Mod: "remainder", ast.FloorDiv: "floor_divide",
}  # fmt: skip
_ALIASES = {"dot": "matmul", "abs": "absolute"}


@functools.lru_cache(maxsize=64)
def _calls(lines: tuple[str, ...]) -> dict[Span, ast.expr]:
    """The operators and calls of a file, by where they stand."""
    tree = parsed(lines)
    expressions = [] if tree is None else [x for x in ast.walk(tree) if isinstance(x, ast.BinOp | ast.Call)]
    return {(x.lineno, x.end_lineno, x.col_offset, x.end_col_offset): x for x in expressions}


@functools.lru_cache(maxsize=64)
def parsed(lines: tuple[str, ...]) -> ast.Module | None:
    """The syntax tree of a file; None if it is not Python."""
    try:
        return ast.parse("".join(lines))
    except (SyntaxError, ValueError, RecursionError, MemoryError):  # no Python, such as a cell with %magic in it
        return None


@functools.lru_cache(maxsize=64)
def _assignments(lines: tuple[str, ...]) -> dict[Span, str]:
    """For each expression that is the right side of an assignment, where it stands and the name on the left."""
    tree = parsed(lines)
    if tree is None:
        return {}
    found: dict[Span, str] = {}
    walrus = any(":=" in line for line in lines)
    for node in ast.walk(tree) if walrus else _statements(tree):
        for target, value in _pairs(node):
            name = target.id if isinstance(target, ast.Name) else getattr(target, "attr", None)
            if name is not None:
                found[value.lineno, value.end_lineno, value.col_offset, value.end_col_offset] = name
    return found


def _statements(tree: ast.AST) -> Iterator[ast.AST]:
    """The statements of a file, without the expressions in them, which are ten times as many."""
    within: list[ast.AST] = [tree]
    while within:
        node = within.pop()
        yield node
        for name in ("body", "orelse", "handlers", "finalbody", "cases"):
            inner = getattr(node, name, None)
            if isinstance(inner, list):
                within.extend(inner)


def _pairs(statement: Any) -> Iterator[tuple[Any, Any]]:
    """The targets of an assignment, each with the expression that it gets."""
    if isinstance(statement, ast.Assign):
        target, value = statement.targets[0], statement.value
        if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
            yield from zip(target.elts, value.elts, strict=False)
        else:
            yield target, value
    elif isinstance(statement, ast.AnnAssign | ast.NamedExpr) and statement.value is not None:
        yield statement.target, statement.value
