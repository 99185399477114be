"""Edits of a statement as it is written: what somebody may have meant instead.

Each kind is a generator of edits of one expression or statement. An expression is exchanged where it stands, so that
an edit is in all executions of the statement.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from tinygrad_cnn.check.diagnose.edits.source_edits.arithmetic import factors_moved, operations
from tinygrad_cnn.check.diagnose.edits.source_edits.calls import calls, comparisons
from tinygrad_cnn.check.diagnose.edits.source_edits.edit import SourceEdit
from tinygrad_cnn.check.diagnose.edits.source_edits.indices import indices
from tinygrad_cnn.check.diagnose.edits.source_edits.lines import of_the_statement
from tinygrad_cnn.check.diagnose.edits.source_edits.missing import at_terms
from tinygrad_cnn.check.diagnose.edits.source_edits.operands import (
    attributes,
    constants,
    divisors,
    flips,
    index_arithmetic,
    renamed,
    variables,
)
from tinygrad_cnn.check.diagnose.edits.source_edits.scope import Scope
from tinygrad_cnn.check.diagnose.edits.source_edits.trees import expressions, text
from tinygrad_cnn.check.diagnose.edits.statements import Statement
from tinygrad_cnn.check.diagnose.source_files import is_somebodys

IN_TESTS = 0.4  # what an edit of a test costs more, which is seldom a slip of the pen
IN_CALLS = 0.5  # and one of a call of somebody's own function, in which the mistake is likelier

# Kinds of edits of one expression: (what holds it, where it stands in that, the expression, the scope).
KINDS: Sequence[Callable[[Any, Any, ast.expr, Scope], Iterator[SourceEdit]]] = (
    variables, index_arithmetic, attributes, operations, factors_moved, constants, divisors, indices, calls,
    comparisons, flips,
)  # fmt: skip


def edits(statement: Statement, scope: Scope | None = None) -> list[SourceEdit]:
    """All edits of a statement, cheapest first. scope: what it had variables for, if that is known."""
    scope, node = scope or Scope(statement), statement.node
    if any(_crashes(x, scope) for x in ast.walk(node)):
        return []
    found = [*of_the_statement(statement, scope), *renamed(node, scope)]
    if isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign | ast.Return | ast.Expr) and node.value is not None:
        found += at_terms(node, "value", scope)
    for holder, at, expression in expressions(node):
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


def structural(statement: Statement, scope: Scope) -> list[SourceEdit]:
    """Edits that put in order what is there: they are tried after another edit of the same statement."""
    found = [
        edit
        for holder, at, x in expressions(statement.node)
        if isinstance(getattr(x, "ctx", ast.Load()), ast.Load)
        for kind in (factors_moved, attributes, operations)
        for edit in kind(holder, at, x, scope)
    ]
    return sorted(found, key=lambda edit: edit.cost)


def _crashes(x: ast.AST, scope: Scope) -> bool:
    """Whether an edit may crash NumPy: of a scalar index, 2.4's `add.at` does not check whether values fit."""
    is_at = isinstance(x, ast.Call) and isinstance(x.func, ast.Attribute) and x.func.attr == "at" and len(x.args) > 1
    return is_at and not isinstance(scope.value(x.args[1]), np.ndarray)  # type: ignore[attr-defined]
