"""The recipes: what they train on, that they learn, and that the same plan gives the same network."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from paths import ROOT

import tinygrad_cnn as tg
from tinygrad_cnn.circle_square import class_folders, data
from tinygrad_cnn.circle_square.drawing import draw_set
from tinygrad_cnn.circle_square.errors import InputError
from tinygrad_cnn.circle_square.images import FAINTEST
from tinygrad_cnn.circle_square.ink import ink
from tinygrad_cnn.circle_square.tasks import TASKS
from tinygrad_cnn.circle_square.training import train_robustly
from tinygrad_cnn.circle_square.varied import draw_scribble, draw_varied
from tinygrad_cnn.recipes import CATALOGUE, cnn, experiments, predictors, robust, runs, synthetic, training


def test_variants_keep_the_shape_of_ink_and_differ_from_it_and_each_other() -> None:
    inks = ink(draw_set(("circle", "square"), 3, np.random.default_rng(0)))
    first, second = (cnn.variants(inks, np.random.default_rng(seed)) for seed in (1, 2))
    assert first.shape == inks.shape
    assert all((a != b).any() for a, b in zip(first, inks, strict=True))
    assert all((a != b).any() for a, b in zip(first, second, strict=True))
    np.testing.assert_array_equal(first, cnn.variants(inks, np.random.default_rng(1)))


def test_examples_answer_a_class_for_variants_and_none_for_scribbles(small) -> None:
    inks = ink(draw_set(("circle", "square", "triangle"), 2, np.random.default_rng(0)))
    x, y = cnn.examples(inks, [0, 0, 1, 1, 2, 2], 3, np.random.default_rng(0))
    assert (x.shape, x.dtype, y.shape) == ((224, 1, 28, 28), np.float32, (224, 3))
    np.testing.assert_allclose(y.sum(axis=1), 1, rtol=1e-6)
    assert np.bincount(y[:192].argmax(axis=1)).tolist() == [64, 64, 64]
    np.testing.assert_allclose(y[192:], 1 / 3, rtol=1e-6)


def test_without_variants_the_examples_are_the_drawings_repeated(small) -> None:
    inks = ink(draw_set(("circle", "square"), 2, np.random.default_rng(0)))
    x, _ = cnn.examples(inks, [0, 0, 1, 1], 2, np.random.default_rng(0), varied=False)
    np.testing.assert_array_equal(x[0], x[4])
    assert len(np.unique(x[:192], axis=0)) == 4


@pytest.mark.parametrize("shape", ["circle", "square", "triangle"])
def test_varied_drawings_are_drawings_and_scribbles_too(shape) -> None:
    rng = np.random.default_rng(0)
    for grey in [draw_varied(shape, rng) for _ in range(50)] + [draw_scribble(rng) for _ in range(50)]:
        assert (grey.shape, grey.dtype) == ((28, 28), np.uint8)
        assert np.median(grey) == 255
        assert grey.min() <= 255 - FAINTEST
        assert (ink([grey]) > 0).sum() > 30
    with pytest.raises(ValueError, match="draw_varied: unknown shape 'star'; expected one of circle"):
        draw_varied("star", rng)  # type: ignore[arg-type]


def test_cnn_learns_to_distinguish_drawn_shapes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cnn, "VARIANTS", 800)
    monkeypatch.setattr(cnn, "SCRIBBLES", 100)
    train, test = (draw_set(("circle", "square"), n, np.random.default_rng(n)) for n in (12, 30))
    fitted = cnn.train(ink(train), np.repeat([0, 1], 12), 2, epochs=8)
    found = cnn.probabilities(fitted.model, ink(test)).argmax(axis=1)
    assert (found == np.repeat([0, 1], 30)).mean() >= 0.9
    assert fitted.history["loss"][-1] < 0.7 * fitted.history["loss"][0]


def test_averaged_probabilities_are_probabilities(small) -> None:
    inks = ink(draw_set(("circle",), 5, np.random.default_rng(0)))
    found = cnn.probabilities(cnn.network(3), inks, average=True)
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-6)
    assert not np.allclose(found, cnn.probabilities(cnn.network(3), inks))


def test_robust_is_what_the_command_trains() -> None:
    drawings = data.bundled(TASKS["circle-square"]).train
    fitted = robust.train(drawings.grey, drawings.y[:, 0], seed=3, steps=20)
    *_, last = train_robustly(data.Scaling()(drawings.grey), drawings.y, epochs=19, seed=3)
    for name in ("Wc", "Bc", "Wf", "Bf"):
        np.testing.assert_allclose(getattr(fitted.model, name), getattr(last.after, name), rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize(
    ("names", "shapes"),
    [(("Circles", "squares"), ["circle", "square"]), (("ellipse", "rectangle", "triangle"),
      ["circle", "square", "triangle"])],
)  # fmt: skip
def test_synthetic_knows_shapes_by_their_names(names, shapes) -> None:
    assert synthetic.shapes_of(names) == shapes


@pytest.mark.parametrize(
    ("names", "message"),
    [(("circles", "stars"), "cannot draw the class 'stars'; expected names among circle"),
     (("circle", "ellipse"), "draws two of the classes circle, ellipse alike")],
)  # fmt: skip
def test_synthetic_names_what_it_cannot_draw(names, message: str) -> None:
    with pytest.raises(InputError, match=message):
        synthetic.shapes_of(names)


def test_a_training_that_was_interrupted_and_resumed_gives_the_same_network(small, tmp_path: Path) -> None:
    plan = training.Plan("cnn", epochs=3)
    whole = training.run(plan, plan.drawings())

    class StopError(Exception):
        pass

    def stop(number: int, *rest: object) -> None:
        if number == 2:
            raise StopError

    with pytest.raises(StopError):
        training.run(plan, plan.drawings(), stop, checkpoints=tmp_path / "c")
    resumed = training.run(plan, plan.drawings(), checkpoints=tmp_path / "c", resume=True)
    for a, b in zip(*(tg.tree.flatten(x.model).leaves for x in (whole, resumed)), strict=True):
        np.testing.assert_array_equal(a, b)
    assert resumed.losses == whole.losses
    with pytest.raises(InputError, match="fit: "):
        training.run(replace(plan, seed=1), plan.drawings(), checkpoints=tmp_path / "c", resume=True)


def test_a_run_is_read_back_as_it_was_written(small, tmp_path: Path) -> None:
    plan = training.Plan("cnn", epochs=1)
    drawings = plan.drawings()
    result = training.run(plan, drawings)
    runs.write(tmp_path, result)
    model = predictors.read(tmp_path)
    assert (model.recipe, model.classes, len(model.trained_on)) == ("cnn", ("circle", "square"), 24)
    assert drawings.test is not None
    found = model.evaluate(drawings.test)
    np.testing.assert_array_equal(found.probabilities, result.test.probabilities)
    content = (tmp_path / "weights.safetensors").read_bytes()
    (tmp_path / "weights.safetensors").write_bytes(content[:-8] + bytes(8))
    with pytest.raises(InputError, match="the weights cannot be read"):
        predictors.read(tmp_path)


def test_draws_divide_the_drawings_and_depend_on_their_number_alone(drawings: Path) -> None:
    found = class_folders.load(drawings).train
    train, test = experiments.drawn(found, 12, 5)
    assert (len(train), len(test)) == (36, 6)
    assert np.bincount(test.labels).tolist() == [2, 2, 2]
    again, _ = experiments.drawn(found, 12, 5)
    np.testing.assert_array_equal(train.ink, again.ink)
    assert not {i.tobytes() for i in train.ink} & {i.tobytes() for i in test.ink}


def test_rows_of_an_experiment_are_means_with_the_interval_that_fits() -> None:
    what = experiments.EXPERIMENTS["inversion"]
    first, second, *_ = what.conditions
    trials = [experiments.Trial(first, k, right, 10, died=k == 0) for k, right in enumerate((8, 9, 10))]
    trials += [experiments.Trial(second, k, 10, 10, fitted=0.9) for k in range(3)]
    one, two = experiments.rows(what, trials)
    assert (one.mean, one.least, one.most, one.trials, one.died, one.fitted) == (0.9, 0.8, 1.0, 3, 1, 3)
    np.testing.assert_allclose(one.interval, (0.9 - 1.96 * 0.1 / 3**0.5, 1.0), atol=1e-4)
    np.testing.assert_allclose(one.quartiles, (0.85, 0.9, 0.95))
    assert (two.mean, two.fitted) == (1, 0)
    assert two.interval[0] == pytest.approx(30 / (30 + 1.96**2), abs=1e-4)  # Wilson's: alike draws have no spread


@pytest.mark.slow
@pytest.mark.parametrize("name", list(experiments.EXPERIMENTS))
def test_every_experiment_can_be_tried(small, monkeypatch: pytest.MonkeyPatch, drawings: Path, name: str) -> None:
    """Each condition once, with few steps."""
    monkeypatch.setattr(cnn, "EPOCHS", 1)
    for fit in (cnn.fit,):
        monkeypatch.setitem(fit.__kwdefaults__, "epochs", 1)
    what = experiments.EXPERIMENTS[name]
    found = class_folders.load(drawings, ("circles", "squares", "triangles")[: what.classes or 3]).train
    if name == "drawings":
        what = replace(what, conditions=dict(list(what.conditions.items())[:3]))
    trials = list(experiments.run(what, found, 1, jobs=1))
    assert [trial.condition for trial in trials] == list(what.conditions)
    for trial in trials:
        assert 0 <= trial.right <= trial.of
        assert trial.of > 0


def test_the_catalogue_has_each_recipe_of_the_command_and_the_page_says_the_same() -> None:
    assert [recipe.name for recipe in CATALOGUE] == ["published", "robust", "cnn", "synthetic"]
    page = (ROOT / "docs" / "recipes.md").read_text(encoding="utf-8")
    for recipe in CATALOGUE:
        for reached, command in zip(recipe.reaches, recipe.measure, strict=True):
            assert f"| `{recipe.name}` | {reached} | `{command}` |" in page
