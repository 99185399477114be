"""Expressions as text and as trees."""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterator
from typing import Any


def text(node: ast.AST) -> str:
    """Source text; of a compound statement its first line."""
    return re.sub(r"\*\* \((-[\d.]+)\)", r"** \1", ast.unparse(node).split("\n")[0])


def expressions(node: ast.stmt) -> Iterator[tuple[Any, Any, ast.expr]]:
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
    found: ast.expr = placed(ast.parse(source, mode="eval").body, like)
    return found


def placed(node: Any, like: ast.AST) -> Any:
    """A tree, and all in it, placed where `like` is written."""
    for x in ast.walk(node):
        if isinstance(x, ast.expr | ast.stmt | ast.keyword) and not hasattr(x, "lineno"):
            ast.copy_location(x, like)
        elif isinstance(x, ast.expr | ast.stmt | ast.keyword):
            x.lineno = x.end_lineno = getattr(like, "lineno", 1)
            x.col_offset = x.end_col_offset = getattr(like, "col_offset", 0)
    return node


def next_to(index: ast.expr, step: int) -> str:
    """The index that is a step away from another: t + 2 for t + 1."""
    base, offset = index, step
    is_offset = isinstance(index, ast.BinOp) and isinstance(index.op, ast.Add | ast.Sub)
    if is_offset and isinstance(index.right, ast.Constant) and type(index.right.value) is int:  # type: ignore[attr-defined]
        base = index.left  # type: ignore[attr-defined]
        offset += index.right.value if isinstance(index.op, ast.Add) else -index.right.value  # type: ignore[attr-defined]
    return text(base) if not offset else f"{text(base)} {'+' if offset > 0 else '-'} {abs(offset)}"


def is_transposed(x: ast.expr) -> bool:
    """Whether it is written as the transpose of something."""
    return isinstance(x, ast.Attribute) and x.attr == "T"


def transpose(x: ast.expr) -> str:
    """Its transpose; of a transpose what that is of."""
    return f"({text(x.value)})" if isinstance(x, ast.Attribute) and x.attr == "T" else f"({text(x)}).T"


def factors_of(x: ast.expr) -> Iterator[ast.expr]:
    """The factors of a product; of anything else, it alone."""
    if isinstance(x, ast.BinOp) and isinstance(x.op, ast.Mult):
        yield from factors_of(x.left)
        yield from factors_of(x.right)
    else:
        yield x


def summed_in(x: ast.expr) -> ast.expr | None:
    """What np.sum or np.mean is taken of."""
    of_numpy = isinstance(x, ast.Call) and isinstance(x.func, ast.Attribute) and text(x.func.value) in ("np", "numpy")
    return x.args[0] if of_numpy and x.func.attr in ("sum", "mean") and x.args else None  # type: ignore[attr-defined]


def with_argument(x: ast.Call, at: int, new: str) -> ast.Call:
    """A call with another positional argument at a place."""
    args = [ast.parse(new, mode="eval").body if k == at else y for k, y in enumerate(x.args)]
    return ast.Call(x.func, args, x.keywords)


@functools.lru_cache(maxsize=1024)
def as_operand(source: str) -> str:
    """An expression that can stand in a product."""
    is_one = isinstance(ast.parse(source, mode="eval").body, ast.Name | ast.Attribute | ast.Subscript | ast.Call)
    return source if is_one else f"({source})"


def is_called(holder: Any, at: Any) -> bool:
    """Whether what stands there is the function of a call."""
    return isinstance(holder, ast.Call) and at == "func"
