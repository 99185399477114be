"""An edit of a statement, and what it costs."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tinygrad_cnn.check.diagnose.edits.source_edits.trees import parsed, text
from tinygrad_cnn.check.diagnose.edits.statements import Change

AROUND = 30  # characters of an expression that a smaller one is shown within


@dataclass(frozen=True)
class SourceEdit:
    """A change of a statement, at a cost: the smaller, the likelier that somebody makes the mistake.

    sentence, words   of `sentences.EDITS_OF_LINES`
    """

    cost: float
    change: Change
    sentence: str
    words: Mapping[str, Any] = field(default_factory=dict)


def instead(holder: Any, at: Any, old: ast.expr, new: ast.expr | str, cost: float) -> SourceEdit:
    """An expression in the place of another."""
    new = parsed(new if isinstance(new, str) else ast.unparse(new), old)
    change, x, y = Change(holder, at, new), text(old), text(new)
    if isinstance(holder, ast.BinOp | ast.Subscript) and len(text(holder)) <= AROUND:  # 1 - h for 1 - h**2, not h
        x, back = text(holder), change.apply()
        y = text(holder)
        back.apply()
    return SourceEdit(cost, change, "other", {"x": x, "y": y})
