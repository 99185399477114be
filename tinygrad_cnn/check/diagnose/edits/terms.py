"""Terms: what an expression of NumPy computes, as a graph that edits can be made in.

A term never changes. It is compared by identity: two that look the same are two places, and one that is used twice is
one place, so that an edit of it shows wherever it is used.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from typing import Any

Array = Any
MOST = 500  # operations of what is written out


class Term:
    """One operation and the terms that it takes.

    op     "name", "constant", "call", "attribute", "index", "slice", "tuple", "list", or the name of an operator
    args   of a call, the function, the positional arguments and those by keyword
    data   of a name, its text; of a constant, the number; of a call, the keywords; of an attribute, its name
    size   how many operations it takes to write it out
    group  where it is written, and in which execution of that: see `in_iterations`
    """

    __slots__ = ("args", "data", "group", "op", "size")

    def __init__(self, op: str, args: Sequence[Term] = (), data: Any = None, group: Any = None) -> None:
        self.op, self.args, self.data, self.group = op, tuple(args), data, group
        self.size: int = 1 + sum([x.size for x in self.args])

    def with_args(self, args: Sequence[Term]) -> Term:
        """The same operation on other terms."""
        return Term(self.op, args, self.data, self.group)

    def __str__(self) -> str:
        return ast.unparse(to_ast(self)) if self.size < MOST else "..."

    def __repr__(self) -> str:
        return f"<{self}>"


def in_iterations(terms: Sequence[Term]) -> list[list[Term]]:
    """Terms that are written in one place, in several iterations of a loop, together."""
    found: dict[Any, list[Term]] = {}
    seen: dict[Any, int] = {}
    for x in terms:
        if x.group is None:
            found[x] = [x]
            continue
        (*written, execution), *place = x.group
        here = (tuple(written), tuple(place), x.op)
        seen[here, execution] = seen.get((here, execution), 0) + 1
        found.setdefault((here, seen[here, execution]), []).append(x)
    return list(found.values())


def constant(value: Any) -> Term:
    """A number; a negative one is the negative of one, as in the source."""
    return (
        Term("-x", [constant(-value)]) if isinstance(value, int | float) and value < 0 else Term("constant", (), value)
    )


def call(function: str, *args: Term, **keywords: Any) -> Term:
    """np.function(...)."""
    given = [x if isinstance(x, Term) else constant(x) for x in keywords.values()]
    return Term("call", [Term("attribute", [NP], function), *args, *given], tuple(keywords))


NP = Term("name", (), "np")

OPERATORS: dict[type, str] = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.MatMult: "@", ast.Pow: "**", ast.FloorDiv: "//",
    ast.Mod: "%", ast.BitAnd: "&", ast.BitOr: "|", ast.BitXor: "^", ast.Gt: ">", ast.GtE: ">=", ast.Lt: "<",
    ast.LtE: "<=", ast.Eq: "==", ast.NotEq: "!=", ast.USub: "-x", ast.UAdd: "+x", ast.Invert: "~x", ast.Not: "not x",
}  # fmt: skip
COMPARISONS = (">", ">=", "<", "<=", "==", "!=")
BINARY = frozenset(["+", "-", "*", "/", "@", "**", "//", "%", "&", "|", "^", *COMPARISONS])
_CLASSES = {sign: kind for kind, sign in OPERATORS.items()}


def from_ast(node: Any, names: dict[str, Term], group: Any = None) -> Term:
    """The term of an expression. names: the terms of names that have one; another name is one by itself.

    ValueError for a lambda, a comprehension and a call with stars, which have none.
    """

    def term(x: Any) -> Term:
        return from_ast(x, names, group)

    place = None if group is None else (group, getattr(node, "lineno", 0), getattr(node, "col_offset", 0), type(node))
    match node:
        case ast.Name():
            if node.id not in names:
                names[node.id] = Term("name", (), node.id)
            return names[node.id]
        case ast.Constant():
            return Term("constant", (), node.value, place)
        case ast.BinOp():
            return Term(OPERATORS[type(node.op)], [term(node.left), term(node.right)], None, place)
        case ast.UnaryOp():
            return Term(OPERATORS[type(node.op)], [term(node.operand)], None, place)
        case ast.Compare(ops=[op]) if type(op) in OPERATORS:
            return Term(OPERATORS[type(op)], [term(node.left), term(node.comparators[0])], None, place)
        case ast.Call() if not any(isinstance(x, ast.Starred) for x in node.args):
            if all(k.arg is not None for k in node.keywords):
                args = [term(node.func), *map(term, node.args), *[term(k.value) for k in node.keywords]]
                return Term("call", args, tuple([str(k.arg) for k in node.keywords]), place)
        case ast.Attribute():
            return Term("attribute", [term(node.value)], node.attr, place)
        case ast.Subscript():
            return Term("index", [term(node.value), term(node.slice)], None, place)
        case ast.Slice():
            parts = (node.lower, node.upper, node.step)
            return Term(
                "slice", [term(x) for x in parts if x is not None], tuple([x is not None for x in parts]), place
            )
        case ast.Tuple():
            return Term("tuple", [term(x) for x in node.elts], None, place)
        case ast.List():
            return Term("list", [term(x) for x in node.elts], None, place)
    raise ValueError(f"{ast.unparse(node)} has no term")


def to_ast(x: Term) -> Any:
    """A term as Python."""
    if x.op == "name":
        return ast.Name(x.data)
    if x.op == "constant":
        return ast.Constant(x.data)
    args = [to_ast(y) for y in x.args]
    if x.op == "attribute":
        return ast.Attribute(args[0], x.data)
    if x.op == "index":
        return ast.Subscript(args[0], args[1])
    if x.op == "slice":
        given = iter(args)
        return ast.Slice(*[next(given) if there else None for there in x.data])
    if x.op in ("tuple", "list"):
        return ast.Tuple(args, ast.Load()) if x.op == "tuple" else ast.List(args, ast.Load())
    if x.op == "call":
        positional = len(args) - len(x.data)
        keywords = [ast.keyword(name, y) for name, y in zip(x.data, args[positional:], strict=True)]
        return ast.Call(args[0], args[1:positional], keywords)
    operator = _CLASSES[x.op]()
    if x.op == "-x" and x.args[0].op == "constant":  # so that it is written without parentheses
        return ast.Constant(-x.args[0].data)
    if x.op == "**" and x.args[0].op == "-x":  # (-2) ** x, not -2 ** x
        args[0] = ast.UnaryOp(ast.USub(), to_ast(x.args[0].args[0]))
    if x.op in COMPARISONS:
        return ast.Compare(args[0], [operator], [args[1]])
    return ast.BinOp(args[0], operator, args[1]) if len(args) == 2 else ast.UnaryOp(operator, args[0])


def in_order(roots: Sequence[Term]) -> list[Term]:
    """All terms that the roots are made of, each once and after those that it takes."""
    found: dict[Term, None] = {}
    waiting: list[tuple[Term, Iterator[Term]]] = [(x, iter(x.args)) for x in reversed(roots)]
    begun = set(roots)
    while waiting:
        x, rest = waiting[-1]
        following = next(rest, None)
        if following is None:
            waiting.pop()
            found.setdefault(x)
        elif following not in begun:
            begun.add(following)
            waiting.append((following, iter(following.args)))
    return list(found)


def replaced(root: Term, exchanged: dict[Term, Term]) -> Term:
    """`root` with some terms in the place of others, which may take those themselves."""
    made: dict[Term, Term] = {}
    for x in in_order([root]):
        args = [made[y] for y in x.args]
        own = x if all(a is b for a, b in zip(args, x.args, strict=True)) else x.with_args(args)
        made[x] = own
        if x in exchanged:
            made[x] = _rebuilt(exchanged[x], {**made, x: own})
    return made[root]


def _rebuilt(x: Term, made: dict[Term, Term]) -> Term:
    if x in made or not x.args:
        return made.get(x, x)
    return x.with_args([_rebuilt(y, made) for y in x.args])
