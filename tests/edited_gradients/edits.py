"""Single edits of the source of a right gradient: an operator, a constant, an axis, a term, a name, ... of it."""

from __future__ import annotations

import ast
import inspect
import linecache
import random
import textwrap
from collections.abc import Iterator
from copy import deepcopy
from typing import Any, NamedTuple

import numpy as np
from corpus.judge import last, variables

from edited_gradients.model import ByHand, Model

SIBLINGS = {"sin": "cos", "cos": "sin", "tanh": "sin", "exp": "expm1", "sqrt": "square"}
OPERATORS = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult}
COMPARISONS = {ast.Gt: ast.Lt, ast.Lt: ast.Gt, ast.GtE: ast.LtE, ast.LtE: ast.GtE}


class Edit(NamedTuple):
    """An edited gradient. steps: the cotangents of which one has to be named first, as the check names them."""

    model: Model
    kind: str
    was: str
    by_hand: ByHand
    steps: tuple[str, ...]

    @property
    def title(self) -> str:
        """Where it is, and what was changed."""
        return f"{self.model.name}, {self.kind}: {self.was}"


def edits_of(model: Model, seed: int = 0) -> Iterator[Edit]:
    """All that change what the function returns, in random order."""
    source = textwrap.dedent(inspect.getsource(model.by_hand))
    definition = ast.parse(source).body[0]
    definition.decorator_list = []
    scope = last(variables(model.by_hand, model.point))
    right = model.by_hand(model.point)
    places = [
        (s, kind, put) for s in statements(definition) for kind, put in changes(s, definition, scope, model.point)
    ]
    random.Random(seed).shuffle(places)
    for number, (statement, kind, put) in enumerate(places):
        source = ast.unparse(definition)
        undo = put()
        text = ast.unparse(ast.fix_missing_locations(definition))
        undo()
        edited = function(text, model.by_hand, f"{model.name} {number}.py")
        if changed(edited, model, right):
            steps = steps_of(target(statement), definition, right)
            yield Edit(model, kind, difference(source, text), edited, steps)


def difference(source: str, edited: str) -> str:
    """The line that differs, before and after."""
    pairs = zip(source.splitlines(), edited.splitlines(), strict=True)
    return next(f"{x.strip()}  ->  {y.strip()}" for x, y in pairs if x != y)


def statements(definition: Any) -> list[Any]:
    """Those that assign a cotangent."""
    assigned = [node for node in ast.walk(definition) if isinstance(node, ast.Assign | ast.AugAssign)]
    empty = (ast.Constant, ast.List, ast.Tuple)
    return [
        node
        for node in assigned
        if target(node).startswith("d")
        and not isinstance(node.value, empty)
        and "np.zeros" not in ast.unparse(node)
        and "[None]" not in ast.unparse(node)
    ]


def target(statement: Any) -> str:
    """The variable that it assigns to, or to an element of."""
    node = statement.target if isinstance(statement, ast.AugAssign) else statement.targets[0]
    while isinstance(node, ast.Subscript):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def changes(statement: Any, definition: Any, scope: dict[str, Any], point: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Kinds of edits of a statement, each with a function that makes it and gives one that takes it back."""
    if isinstance(statement, ast.AugAssign):
        yield "assigned, not added", assigning(statement, definition)
    yield "sign", replaced(statement, "value", ast.UnaryOp(ast.USub(), statement.value))
    for parent in ast.walk(statement.value):
        for field, node in fields(parent):
            for kind, new in alternatives(node, parent, scope, point):
                yield kind, replaced(parent, field, new)
    for kind, new in alternatives(statement.value, statement, scope, point):
        yield kind, replaced(statement, "value", new)


def fields(parent: Any) -> Iterator[tuple[Any, Any]]:
    """The expressions right below a node, each with its place."""
    for name, value in ast.iter_fields(parent):
        if isinstance(value, list):
            yield from (((name, k), x) for k, x in enumerate(value) if isinstance(x, ast.expr))
        elif isinstance(value, ast.expr):
            yield name, value


def replaced(parent: Any, field: Any, new: Any) -> Any:
    """An edit that puts another expression in a place."""

    def put() -> Any:
        holder, key = (getattr(parent, field[0]), field[1]) if isinstance(field, tuple) else (parent.__dict__, field)
        old, holder[key] = holder[key], deepcopy(new)

        def undo() -> None:
            holder[key] = old

        return undo

    return put


def assigning(statement: Any, definition: Any) -> Any:
    """An edit that makes `x += y` into `x = y`."""
    bodies = [node.body for node in ast.walk(definition) if isinstance(getattr(node, "body", None), list)]
    body = next(body for body in bodies if statement in body)

    def put() -> Any:
        place = body.index(statement)
        body[place] = ast.copy_location(ast.Assign([deepcopy(statement.target)], statement.value), statement)

        def undo() -> None:
            body[place] = statement

        return undo

    return put


def alternatives(node: Any, parent: Any, scope: dict[str, Any], point: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """What may be written in place of an expression, by kind."""
    match node:
        case ast.BinOp(left, op, right):
            if type(op) in OPERATORS:
                yield "operator", ast.BinOp(left, OPERATORS[type(op)](), right)
            if isinstance(op, ast.Add | ast.Sub):
                yield "term dropped", left
                yield "term dropped", ast.UnaryOp(ast.USub(), right) if isinstance(op, ast.Sub) else right
            if isinstance(op, ast.Mult | ast.Div):
                yield "factor dropped", left
                if isinstance(op, ast.Mult):
                    yield "factor dropped", right
            if isinstance(op, ast.MatMult):
                yield "exchanged", ast.BinOp(right, op, left)
                yield "transposed", ast.BinOp(ast.Attribute(left, "T"), op, right)
                yield "transposed", ast.BinOp(left, op, ast.Attribute(right, "T"))
            if isinstance(op, ast.Pow):
                yield "exponent", left
                yield "exponent", ast.BinOp(left, op, ast.BinOp(right, ast.Sub(), ast.Constant(1)))
        case ast.Constant(value) if type(value) in (int, float) and not isinstance(parent, ast.Subscript | ast.Slice):
            yield "constant", ast.Constant(2 * value)
            yield "constant", ast.Constant(value / 2)
            yield "constant", ast.Constant(value + 1)
        case ast.Attribute(inner, "T"):
            yield "transposed", inner
        case ast.Call(ast.Attribute(ast.Name("np"), name), args, keywords):
            if name in ("sum", "mean"):
                other = "mean" if name == "sum" else "sum"
                yield "sum and mean", ast.Call(ast.Attribute(ast.Name("np"), other), args, keywords)
                yield "sum dropped", args[0]
                yield from axes(node)
            if name in SIBLINGS:
                yield "sibling function", ast.Call(ast.Attribute(ast.Name("np"), SIBLINGS[name]), args, keywords)
                yield "function dropped", args[0]
            if name == "outer":
                yield "exchanged", ast.Call(node.func, args[::-1], keywords)
        case ast.UnaryOp(ast.USub(), operand):
            yield "sign", operand
        case ast.Compare(left, [op], [right]) if type(op) in COMPARISONS:
            yield "comparison", ast.Compare(left, [COMPARISONS[type(op)]()], [right])
        case ast.Subscript(value, index) if isinstance(index, ast.Name | ast.BinOp):
            for step in (ast.Add(), ast.Sub()):
                yield "index", ast.Subscript(value, ast.BinOp(index, step, ast.Constant(1)))
        case ast.Subscript(ast.Name("p"), ast.Constant(key)):
            alike = [x for x in point if x != key and np.shape(point[x]) == np.shape(point[key])]
            yield from (("other name", ast.Subscript(ast.Name("p"), ast.Constant(x))) for x in alike)
        case ast.Name(name) if isinstance(scope.get(name), np.ndarray):
            shape = scope[name].shape
            alike = [x for x, y in scope.items() if x != name and isinstance(y, np.ndarray) and y.shape == shape]
            yield from (("other name", ast.Name(x)) for x in alike)


def axes(call: Any) -> Iterator[tuple[str, Any]]:
    """Other axes of a reduction."""
    for k, keyword in enumerate(call.keywords):
        if keyword.arg == "axis" and isinstance(keyword.value, ast.Constant):
            for axis in {0, 1} - {keyword.value.value}:
                changed = deepcopy(call)
                changed.keywords[k].value = ast.Constant(axis)
                yield "axis", changed


def function(text: str, like: ByHand, filename: str) -> ByHand:
    """What the text defines, in the module of another function; its source can be read."""
    linecache.cache[filename] = (len(text), None, text.splitlines(keepends=True), filename)
    local: dict[str, Any] = {}
    exec(compile(text, filename, "exec"), like.__globals__, local)
    return local[like.__name__]


def changed(edited: ByHand, model: Model, right: dict[str, Any]) -> bool:
    """Whether it runs, gives finite numbers, and others."""
    try:
        with np.errstate(all="ignore"):
            found = edited(model.point)
    except (ValueError, TypeError, IndexError, AttributeError, NameError, ZeroDivisionError):
        return False
    pairs = [(x, y) for name in right for x, y in zip(flat(found[name]), flat(right[name]), strict=True)]
    if not all(np.all(np.isfinite(x)) for x, _ in pairs):
        return False
    return any(
        np.shape(x) != np.shape(y) or np.max(np.abs(x - y)) > 1e-6 * np.max(np.abs(y), initial=1e-3) for x, y in pairs
    )


def flat(value: Any) -> list[Any]:
    """The arrays of a cotangent: one, or one for each iteration."""
    return [np.asarray(x, float) for x in value] if isinstance(value, list) else [np.asarray(value, float)]


def steps_of(name: str, definition: Any, returned: dict[str, Any]) -> tuple[str, ...]:
    """The cotangent of that variable if it is returned, and otherwise those that are computed from it."""
    uses = [node for node in ast.walk(definition) if isinstance(node, ast.Assign | ast.AugAssign)]
    found, known, left = set(), {name}, [name]
    while left:
        x = left.pop()
        if x in returned:
            found.add(x)
            continue
        after = {target(s) for s in uses if x in {y.id for y in ast.walk(s.value) if isinstance(y, ast.Name)}} - known
        known |= after
        left += after
    return tuple(step for x in sorted(found) for step in iterations(x, returned[x]))


def iterations(name: str, value: Any) -> list[str]:
    """What the check calls a cotangent: by its name, or that of each iteration."""
    return [f"{name}[{k}]" for k in range(len(value))] if isinstance(value, list) else [name]
