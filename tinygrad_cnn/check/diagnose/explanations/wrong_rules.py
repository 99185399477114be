"""Mistakes that amount to another rule at a node: autodiff runs with that rule, and is compared again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from tinygrad_cnn.check import sentences
from tinygrad_cnn.check.diagnose.explanations.case import Case
from tinygrad_cnn.check.diagnose.explanations.search import Alteration, OtherRule
from tinygrad_cnn.check.diagnose.steps import with_rules
from tinygrad_cnn.engine.graph import Node
from tinygrad_cnn.engine.primitive import Rule


class KnownMistake(OtherRule):
    """A wrong rule that a primitive declares, such as that of a matrix product with an operand not transposed."""

    def alterations(self, case: Case) -> Iterator[Alteration]:
        """See `OtherRule`."""
        for node in case.step:
            for mistake, rules in node.primitive.mistakes.items():
                mixed = [node.primitive.rules[place] for place in range(len(rules))]
                wrong = [k for k, rule in enumerate(rules) if rule is not None and _fits(node, k, rule)]
                for place in wrong:
                    mixed[place] = rules[place]
                if wrong:
                    words = sentences.KNOWN_MISTAKE.format(primitive=case.called(node), mistake=mistake)
                    yield words, {node: with_rules(node, mixed)}


class UsersMistake(KnownMistake):
    """A wrong rule that somebody's own primitive declares: that is meant, and told before what is found by search."""

    def alterations(self, case: Case) -> Iterator[Alteration]:
        """See `OtherRule`."""
        users = [node for node in case.step if _package(node.primitive.forward) not in ("tinygrad_cnn", "numpy")]
        return super().alterations(replace(case, step=users))


def _package(function: Any) -> str:
    return str(getattr(function, "__module__", None) or "numpy").partition(".")[0]


def _fits(node: Node, place: int, rule: Rule) -> bool:
    """Whether a rule gives an array of the shape of an operand, so that its mistake is possible there."""
    try:
        given = rule(np.zeros_like(node.like), node.value, *node.operands, **node.static_args)
    except ValueError:  # of shapes that do not go together
        return False
    return bool(np.shape(given) == np.shape(node.operands[place]))
