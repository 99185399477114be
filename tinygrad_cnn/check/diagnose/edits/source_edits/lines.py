"""Edits of a statement as a whole."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np

from tinygrad_cnn.check.diagnose.edits.source_edits.edit import SourceEdit
from tinygrad_cnn.check.diagnose.edits.source_edits.scope import Scope, is_float
from tinygrad_cnn.check.diagnose.edits.source_edits.trees import parsed, placed, text
from tinygrad_cnn.check.diagnose.edits.statements import Change, Statement


def of_the_statement(statement: Statement, scope: Scope) -> Iterator[SourceEdit]:
    """Added for assigned and the reverse, another order, left out, after the loop."""
    node, (block, k) = statement.node, statement.place
    if (
        isinstance(node, ast.Assign)
        and len(node.targets) == 1
        and isinstance(node.targets[0], ast.Name | ast.Subscript)
    ):
        if isinstance(node.targets[0], ast.Subscript) and _is_array(node.targets[0], scope):
            yield _added_at(node.targets[0], node, block, k)
        added = placed(ast.AugAssign(node.targets[0], ast.Add(), node.value), node)
        yield SourceEdit(0.9, Change(block, k, added), "added")
        copied = placed(ast.parse(f"z = ({text(node.value)}).copy()").body[0].value, node.value)  # type: ignore[attr-defined]
        if isinstance(node.value, ast.Name | ast.Subscript | ast.Attribute):
            yield SourceEdit(1.3, Change(node, "value", copied), "other", {"x": text(node.value), "y": text(copied)})
    if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Tuple):
        yield from _unpacked_in_another_order(node, node.targets[0])
    if isinstance(node, ast.AugAssign):
        target = parsed(text(node.target), node.target)
        assigned = placed(ast.Assign([node.target], node.value), node)
        yield SourceEdit(1.0, Change(block, k, assigned), "assigned", {"x": text(node.target)})
        for op in (ast.Add, ast.Sub, ast.Mult, ast.Div):
            if not isinstance(node.op, op):
                new = placed(ast.AugAssign(node.target, op(), node.value), node)
                yield SourceEdit(1.05, Change(block, k, new), "other", {"x": text(node), "y": text(new)})
        if isinstance(node.target, ast.Name):
            new = placed(ast.Assign([node.target], ast.BinOp(target, node.op, node.value)), node)
            yield SourceEdit(1.2, Change(block, k, new), "other", {"x": text(node), "y": text(new)})
        if isinstance(node.target, ast.Subscript) and isinstance(node.op, ast.Add) and _is_array(node.target, scope):
            yield _added_at(node.target, node, block, k)
    yield from _missing_lines(node, block, k, scope)
    if not isinstance(node, ast.Return) or statement.outer is not None:
        instead = placed(ast.Pass(), node)
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
        new = placed(ast.Tuple(names, ast.Store()), target)
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
    if not is_float(scope.names.get(name)):
        return
    for n in scope.counts:
        for sign in "/*":
            new = placed(ast.parse(f"{name} = {name} {sign} {n}").body[0], node)
            words = {"x": text(node), "y": text(new)}
            yield SourceEdit(1.3, Change(block, slice(k, k + 1), [node, new]), "line_missing", words)


def _is_array(target: ast.Subscript, scope: Scope) -> bool:
    """Whether an index is an array."""
    return any(isinstance(scope.value(x), np.ndarray) for x in ast.walk(target.slice) if isinstance(x, ast.expr))


def _added_at(target: ast.Subscript, node: Any, block: list[ast.stmt], k: int) -> SourceEdit:
    source = f"np.add.at({text(target.value)}, {_index(target)}, {text(node.value)})"
    new = placed(ast.parse(source).body[0], node)
    return SourceEdit(1.1, Change(block, k, new), "added_at", {"x": text(target)})


def _index(node: ast.Subscript) -> str:
    source = ast.unparse(node.slice)
    return source if ":" not in source else f"np.s_[{source.strip('()')}]"
