"""What the recipes reach on drawings by people, which are not in the repository; exhaustively, about five minutes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tinygrad_cnn.circle_square import class_folders
from tinygrad_cnn.circle_square.class_folders import Labelled
from tinygrad_cnn.recipes import experiments, training

pytestmark = pytest.mark.slow
NAMES = ("circles", "squares", "triangles")


@pytest.fixture(scope="module")
def real(request: pytest.FixtureRequest) -> Labelled:
    folder: Path = request.getfixturevalue("shared") / "data" / "basicshapes"
    return class_folders.load(folder, NAMES).train


def of_two(real: Labelled) -> Labelled:
    return real.chosen(np.flatnonzero(real.labels < 2))


def test_drawings_by_people_are_read_without_a_note(shared: Path) -> None:
    found = class_folders.load(shared / "data" / "basicshapes")
    assert (found.names, len(found.train), found.notes) == (NAMES, 150, [])


@pytest.mark.exhaustive
def test_cnn_reaches_95_percent_from_24_drawings_on_the_mean_of_draws(real: Labelled) -> None:
    what = experiments.EXPERIMENTS["draws"]
    (row,) = experiments.rows(what, list(experiments.run(what, of_two(real), 5, jobs=1)))
    assert row.mean >= 0.95
    assert row.fitted == 5


def test_cnn_gets_right_what_the_article_gets_wrong(shared: Path) -> None:
    """The published draw, on which the article's recipe fits 24 of 24 drawings and gets 0 of 4 right."""
    data = shared / "data"
    plan = training.Plan("cnn", folder=str(data / "basicshapes"), classes=NAMES[:2], split=str(data / "draws.json"))
    drawings = plan.drawings()
    result = training.run(plan, drawings)
    assert result.test is not None
    assert result.test.right == 4
    everything = class_folders.load(data / "basicshapes", NAMES[:2]).train
    known = {x.tobytes() for x in drawings.train.ink}
    others = everything.chosen([i for i, x in enumerate(everything.ink) if x.tobytes() not in known])
    found = training.evaluated(result.model, others, NAMES[:2])
    assert len(others) == 76
    assert found.right / 76 >= 0.97
    assert np.mean(result.none.max(axis=1) < np.median(found.sure)) > 0.9


@pytest.mark.exhaustive
def test_cnn_reaches_96_percent_on_three_classes(real: Labelled) -> None:
    what = experiments.EXPERIMENTS["folds"]
    found = [what.conditions["cnn"](real, part, "cnn") for part in (0, 1, 2)]
    assert sum(trial.right for trial in found) / sum(trial.of for trial in found) >= 0.93  # of 45 drawings


@pytest.mark.exhaustive
def test_synthetic_reaches_93_percent_on_three_classes_without_a_real_drawing(real: Labelled) -> None:
    trial = experiments.EXPERIMENTS["synthetic"].conditions["synthetic"](real, 0, "synthetic")
    assert trial.of == 150
    assert trial.right / trial.of >= 0.93


@pytest.mark.exhaustive
def test_robust_dies_on_none_of_200_draws(real: Labelled) -> None:
    trials = [experiments.EXPERIMENTS["recipes"].conditions["robust"](of_two(real), k, "robust") for k in range(200)]
    assert not any(trial.died for trial in trials)
    assert all(trial.fitted == 1 for trial in trials)
