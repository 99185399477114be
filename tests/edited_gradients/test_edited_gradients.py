"""A sample of the campaign: `python tests/edited_gradients/campaign.py --edits 2000 --noise 1000 --right 200`."""

from __future__ import annotations

from itertools import islice

import pytest

import tinygrad_cnn as tg
from edited_gradients import MODELS
from edited_gradients.campaign import edited, perturbed, right, right_models
from edited_gradients.degenerate import FOUND as DEGENERATE
from edited_gradients.degenerate import Degenerate, judged_elsewhere
from edited_gradients.edits import edits_of
from edited_gradients.model import Model

EACH = [pytest.param(model, id=model.name) for model in MODELS]


@pytest.mark.parametrize("model", EACH)
def test_the_gradient_of_a_model_is_right_and_compared_step_by_step(model: Model) -> None:
    report = tg.check.gradients(model.loss, model.point, model.by_hand)
    assert report.ok, report
    assert report.first_wrong is None, report
    assert not [note for note in report.notes if "no value of the graph" in note]


@pytest.mark.parametrize("model", EACH)
def test_an_edit_is_wrong_where_it_was_made_and_no_cause_is_false(model: Model) -> None:
    for edit in islice(edits_of(model, seed=1), 2):
        found = edited(edit)
        assert found.verdict, edit.title
        assert found.step, edit.title
        assert found.cause != "false", f"{edit.title}: {found.said}"


@pytest.mark.parametrize("model", [pytest.param(model, id=model.model.name) for model in DEGENERATE])
def test_no_cause_is_false_at_degenerate_data(model: Degenerate) -> None:
    with model.at(model.data):
        edits = list(islice(edits_of(model.model, seed=0), 4))
    for edit in edits:
        found = judged_elsewhere(model, edit)
        assert found.cause != "false", f"{edit.title}: {found.said}"


@pytest.mark.parametrize("name", ["batch norm as it begins", "rows of equals"])
def test_a_line_keeps_what_is_zero_at_some_data_alone(name: str) -> None:
    model = next(one for one in DEGENERATE if one.model.name == name)
    with model.at(model.data):
        edit = next(x for x in edits_of(model.model, seed=0) if x.title.endswith("->  dy = 2 * (y - Y)"))
    found = judged_elsewhere(model, edit)
    assert found.cause == "found", found.said


def test_edits_are_of_every_kind() -> None:
    kinds = {edit.kind for model in MODELS for edit in islice(edits_of(model, seed=2), 8)}
    assert len(kinds) >= 12, kinds


@pytest.mark.parametrize("number", range(len(MODELS)))
def test_noise_has_no_cause(number: int) -> None:
    found = perturbed(number)
    assert not found.said, found


@pytest.mark.parametrize(
    "model", [pytest.param(model, id=f"{k} {model.name}") for k, model in enumerate(right_models(60, 0))]
)
def test_a_right_gradient_is_not_called_wrong(model: Model) -> None:
    found = right(model)
    assert not found.verdict, found
