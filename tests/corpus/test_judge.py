"""A cause is found if its words or its lines say what was reported, and false if they say anything else."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from corpus import SEEN
from corpus.case import Case
from corpus.judge import judged

BY_NAME = {case.name: case for case in SEEN}


def report_of(name: str, words: str, you: str | None = None, right: str | None = None) -> Any:
    """What a report says of a step, as far as it is judged."""
    cause = SimpleNamespace(you=you, right=right)
    return SimpleNamespace(ok=False, first_wrong=SimpleNamespace(name=name, explanation=words, cause=cause))


LINES = [
    ("nanonn_softplus", "dz", "dz = da * sigmoid(a)", "dz = da * sigmoid(z)", "found"),
    ("nanonn_softplus", "dz", "dz = da * sigmoid(a)", "dz = da * sigmoid(-z)", "false"),
    ("nanonn_softplus", "dz", "dz = da * sigmoid(z)", "dz = da * sigmoid(z)", "false"),
    ("nanonn_softplus", "dz", None, "dz = da * (1 - np.exp(-a))", "found"),
    ("caffe_contrastive_epsilon", "ddiff",  # a line of by_hand, of another value than the step's
     "beta = np.where(SIMILAR == 1, 1.0, -np.maximum(0, 4 - dist) / (dist + 0.0001))",
     "beta = np.where(SIMILAR == 1, 1.0, -np.maximum(0, 4 - dist) / dist)", "found"),
    ("caffe_contrastive_epsilon", "ddiff",
     "beta = np.where(SIMILAR == 1, 1.0, -np.maximum(0, 4 - dist) / (dist + 0.0001))",
     "beta = np.where(SIMILAR == 1, 1.0, -np.maximum(0, 4 - dist) / (dist + 0.001))", "false"),
    ("rocm_first_product_gradient", "dx", "for remainder in range(1):", "for remainder in range(2):", "found"),
    ("rocm_first_product_gradient", "dx", "for remainder in range(1):", "for remainder in range(3):", "false"),
    ("on_policy_huber_one_side", "de", "b = e > 1", "b = np.sqrt(-e) > 1", "false"),  # NaN is not right
    ("zero_to_gpt_state_index", "dWhh", None, "dWhh = dz[0][:, None] * START", "false"),
    ("mxnet_lstm_cell_assigned", "dC[0]", "dC[0] = dh * o * (1 - tC[0] ** 2)",
     "dC[0] = dC[1] * f[1] + dh * o[0] * (1 - tC[0] ** 2)", "found"),  # by the names of the graph
    ("mxnet_lstm_cell_assigned", "dC[0]", "dC[t] = dh * o * (1 - np.tanh(C) ** 2)",
     "dC[t] = dCnext + dh * o * (1 - np.tanh(C) ** 2)", "found"),  # by the variables of the function
]  # fmt: skip


@pytest.mark.parametrize(("name", "step", "you", "right", "cause"), LINES)
def test_lines_of_code_are_run(name: str, step: str, you: str | None, right: str, cause: str) -> None:
    found = judged(BY_NAME[name], report_of(step, "it uses another value", you, right))
    assert (found.step, found.cause) == (True, cause)


def test_words_decide_where_lines_refer_to_what_is_not_known() -> None:
    case = BY_NAME["nanonn_softplus"]
    for words, cause in (("it uses a instead of z", "found"), ("it is transposed", "false"), ("", "none")):
        assert judged(case, report_of("dz", words, "dz = unknown", "dz = unknown * 2")).cause == cause


def test_another_step_is_not_the_first_wrong_one() -> None:
    assert not judged(BY_NAME["nanonn_softplus"], report_of("dW", "it is transposed")).step


@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in SEEN])
def test_a_correction_changes_the_step_that_is_said_to_be_wrong(case: Case) -> None:
    before, after = case.by_hand(case.point), case.right(case.point)
    changed = {name for name in before if not np.array_equal(before[name], after[name])}
    assert changed & {step.partition("[")[0] for step in case.step.split()}
