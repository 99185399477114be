"""The article's model, its gradient by hand, and its training, against the published listing."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

import tinygrad_cnn as tg
from tinygrad_cnn.circle_square.data import Scaling, bundled, load
from tinygrad_cnn.circle_square.drawing import SHAPES, draw, draw_set
from tinygrad_cnn.circle_square.experiment import Settings, run
from tinygrad_cnn.circle_square.gradient_check import check_losses, relative, tied_elements
from tinygrad_cnn.circle_square.hand_derived import hand_derived
from tinygrad_cnn.circle_square.images import read_drawing
from tinygrad_cnn.circle_square.model import Parameters, forward, loss_as_printed, loss_on_logits, loss_shifted
from tinygrad_cnn.circle_square.tasks import TASKS
from tinygrad_cnn.circle_square.training import accuracy, robust_start, train_as_published, train_robustly

pytestmark = pytest.mark.slow


def random_parameters(seed: int, scale: float = 1.0) -> Parameters:
    rng = np.random.default_rng(seed)
    return Parameters(*[scale * rng.standard_normal(shape) for shape in ((3, 3), (1, 1), (1, 196), (1, 1))])


def names() -> list[str]:
    return [field.name for field in fields(Parameters)]


@pytest.fixture(scope="module")
def real(shared: Path):
    """The real drawings of the two draws: by task, ready to train on."""
    folder, draws = shared / "data" / "basicshapes", shared / "data" / "draws.json"
    return {name: load(folder, task, str(draws)) for name, task in TASKS.items()}


def listing_with(listing: ModuleType, p: Parameters) -> ModuleType:
    for name in names():
        setattr(listing, name, getattr(p, name).copy())
    return listing


@pytest.mark.parametrize("seed", range(3))
def test_the_gradient_by_hand_is_the_listings_on_real_drawings_ties_included(listing, real, seed: int) -> None:
    data, p = real["circle-square"], random_parameters(seed)
    x, y = Scaling()(data.train.grey[::4]), data.train.y[::4]
    if seed == 0:
        p = Parameters(p.Wc, np.abs(p.Bc), p.Wf, p.Bf)
        assert tied_windows(x, p) > 100
    published = listing_with(listing, p).loss_gradient(x, y)
    found = hand_derived(x, y, p)
    for name, expected in zip(("dL_dWf", "dL_dBf", "dL_dWc", "dL_dBc"), published, strict=True):
        np.testing.assert_allclose(getattr(found, name), expected, rtol=1e-12, atol=1e-12 * np.abs(expected).max())


def test_the_forward_pass_is_the_listings(listing, real) -> None:
    data, p = real["circle-triangle"], random_parameters(5, 0.3)
    x, y = Scaling()(data.train.grey[::6]), data.train.y[::6]
    loss, sigma, fc, flatten, max_pool, relu, conv = listing_with(listing, p).forward(x, y)
    steps = forward(x, p)
    for found, expected in zip(steps, (conv, relu, max_pool, flatten, fc, sigma), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)
    assert loss_as_printed(steps.sigma, y) == pytest.approx(loss, rel=1e-13)


def tied_windows(x, p) -> int:
    return int(np.sum(tied_elements(x, p) > 1))


def batch(seed: int = 0, size: int = 6):
    rng = np.random.default_rng(seed)
    grey = draw_set(("circle", "square"), size // 2, rng)
    return Scaling()(grey), np.repeat([0.0, 1.0], size // 2)[:, None]


def by_auto(x, y, p, **conventions):
    return tg.grad(lambda p: loss_shifted(forward(x, p, **conventions).sigma, y))(p)


def test_autodiff_of_the_shifted_loss_is_the_gradient_by_hand_where_nothing_is_tied() -> None:
    for seed in range(5):
        x, y = batch(seed)
        x, p = x + np.random.default_rng(seed).uniform(0, 1e-3, x.shape), random_parameters(seed, 0.1)
        assert tied_windows(x, p) == 0
        auto, hand = by_auto(x, y, p), hand_derived(x, y, p)
        for name in names():
            expected = getattr(hand, f"dL_d{name}")
            np.testing.assert_allclose(getattr(auto, name), expected, rtol=0, atol=1e-12 * np.abs(expected).max())


def test_with_the_articles_conventions_autodiff_is_the_gradient_by_hand_on_ties_too() -> None:
    x, y = batch()
    p = random_parameters(1, 0.1)
    p = Parameters(p.Wc, np.array([[0.5]]), p.Wf, p.Bf)  # a background that is positive, and so ties
    assert tied_windows(x, p) > 100
    auto, true, hand = by_auto(x, y, p, ties="all", at_zero=1.0), by_auto(x, y, p), hand_derived(x, y, p)
    for name in names():
        expected = getattr(hand, f"dL_d{name}")
        np.testing.assert_allclose(getattr(auto, name), expected, rtol=0, atol=1e-12 * np.abs(expected).max())
    assert abs(true.Bc - hand.dL_dBc).item() > 0.1 * abs(true.Bc).item()


def test_every_cotangent_by_hand_is_that_of_autodiff() -> None:
    x, y = batch(2)
    x, p = x + np.random.default_rng(2).uniform(0, 1e-3, x.shape), random_parameters(2, 0.1)
    tensors = Parameters(*[tg.Tensor(getattr(p, name)) for name in names()])
    steps = forward(x, tensors)
    loss_shifted(steps.sigma, y).backward()
    hand = hand_derived(x, y, p)
    alive = steps.conv.value > 0  # of a dead window hand passes a cotangent to each element, which ReLU then stops
    for found, expected in [
        (steps.sigma.grad, hand.dL_dsig),
        (steps.fc.grad, hand.dL_dfc),
        (steps.flatten.grad, hand.dL_dflatten),
        (steps.max_pool.grad, hand.dL_dmax),
        (steps.relu.grad * alive, hand.dL_drelu * alive),
        (steps.conv.grad, hand.dL_dconv),
    ]:
        np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-14)


def test_the_gradient_by_hand_is_not_that_of_the_printed_loss() -> None:
    x, y = batch(3)
    p = random_parameters(3, 0.1)
    auto = tg.grad(lambda p: loss_as_printed(forward(x, p).sigma, y))(p)
    hand = hand_derived(x, y, p)
    assert np.abs(auto.Wf - hand.dL_dWf).max() > 0.1 * np.abs(hand.dL_dWf).max()


def test_the_three_gradients_agree_where_they_should_and_differ_where_they_should() -> None:
    x, y = batch(4)
    checked = {loss.name: loss for loss in check_losses(x, y, random_parameters(4, 0.05))}
    assert checked["shifted"].tied_windows == 0
    assert checked["shifted"].report.ok
    printed = checked["printed"].report.parameters
    assert [parameter.name for parameter in printed] == names()
    assert {parameter.autodiff_vs_differences.verdict for parameter in printed} == {"agree"}
    assert {parameter.hand_derived_vs_differences.verdict for parameter in printed} == {"differ"}
    assert max(relative(parameter.hand_derived_vs_autodiff, parameter) for parameter in printed) > 0.1
    assert all(parameter.measured > 0 for parameter in printed)


def test_the_model_takes_images_of_another_size() -> None:
    p = Parameters(np.ones((3, 3)), np.zeros((1, 1)), np.ones((1, 9)), np.zeros((1, 1)))
    assert forward(np.ones((5, 6, 6)), p).sigma.shape == (1, 5)


# Training.


@pytest.mark.parametrize(("gradient", "eager"), [("hand", False), ("auto", False), ("auto", True)])
@pytest.mark.parametrize("task", TASKS)
def test_training_follows_the_listing_at_every_epoch(shared: Path, real, task: str, gradient, eager: bool) -> None:
    published = json.loads((shared / "data" / "listing_runs.json").read_text())[task.replace("-", "_")]
    result = run(Settings(TASKS[task], gradient=gradient, eager=eager), real[task])
    assert (result.backend is None) == (gradient == "hand" or eager)
    assert len(result.losses) == TASKS[task].epochs + 1 == len(published["losses"])
    np.testing.assert_allclose(result.losses, published["losses"], rtol=1e-7)
    assert result.losses[-1] == pytest.approx(published["losses"][-1], rel=1e-12)
    np.testing.assert_array_equal(result.accuracies, published["train_accuracy"])
    np.testing.assert_allclose(result.after.sigma[0], published["train_predictions"], rtol=1e-5, atol=1e-9)
    np.testing.assert_allclose(result.test.sigma[0], published["test_predictions"], rtol=1e-5, atol=1e-9)
    for name in names():
        np.testing.assert_allclose(getattr(result.final, name).ravel(), published["final"][name], rtol=1e-5)


def test_training_draws_what_the_article_draws() -> None:
    """The first numbers of np.random.seed(230129), and the order of the draws: Wc, Bc, Wf, Bf, a shuffle, shuffles."""
    state = np.random.get_state()
    np.random.seed(230129)
    expected = [np.random.randn(*shape) for shape in ((3, 3), (1, 1), (1, 196), (1, 1))]
    orders = [np.arange(6) for _ in range(3)]
    for order in orders:
        np.random.shuffle(order)
    np.random.set_state(state)
    x, y = batch()
    first, second = train_as_published(x, y, epochs=1)
    for name, value in zip(names(), expected, strict=True):
        np.testing.assert_array_equal(getattr(first.before, name), value)
    np.testing.assert_array_equal(first.order, orders[1])
    np.testing.assert_array_equal(second.order, orders[2])
    np.testing.assert_array_equal(np.random.get_state()[1], state[1])


@pytest.mark.parametrize(("task", "right_in_test"), [("circle-square", 0), ("circle-triangle", 1)])
def test_on_the_bundled_drawings_the_recipe_does_what_the_article_reports(task: str, right_in_test: int) -> None:
    result = run(Settings(TASKS[task]), bundled(TASKS[task]))
    assert result.train_accuracy == 1
    assert round(4 * result.test_accuracy) == right_in_test
    assert result.stopped is None


def test_the_robust_recipe_dies_on_none_of_50_draws_of_real_drawings(shared: Path) -> None:
    folder, task = shared / "data" / "basicshapes", TASKS["circle-square"]
    for seed in range(50):
        data = load(folder, task, "12+2", seed)
        epochs = list(train_robustly(Scaling()(data.train.grey), data.train.y, epochs=100, seed=seed))
        assert not any(epoch.trouble for epoch in epochs)
        assert epochs[-1].loss < 0.7 * np.log(2)


def test_a_robust_filter_lets_something_of_every_drawing_through() -> None:
    x, _ = batch(size=12)
    for seed in range(300):
        assert np.all(forward(x, robust_start(np.random.default_rng(seed))).relu.max(axis=(1, 2)) > 0)


def test_a_dead_model_is_said_to_be_dead_at_once() -> None:
    task = TASKS["circle-square"]
    seen = []
    result = run(Settings(task, seed=11), bundled(task), seen.append)
    assert result.stopped == f"epoch {seen[-1].number}: {seen[-1].trouble}"
    assert result.stopped.split(": ")[1].startswith("every ReLU output is zero")
    assert not seen[-1].steps.relu.any()
    assert all(epoch.steps.relu.any() for epoch in seen[:-1])
    assert 0 < seen[-1].number < task.epochs


def test_numbers_that_run_away_are_said_to_have() -> None:
    x, y = batch()
    with np.errstate(all="ignore"):
        troubles = [epoch.trouble for epoch in train_robustly(x, y, learning_rate=1e308, epochs=3)]
    said = [trouble for trouble in troubles if trouble is not None]
    assert said[0].startswith("the training has diverged")


def test_what_was_trained_is_kept_when_training_is_interrupted() -> None:
    def interrupt(epoch):
        if epoch.number == 7:
            raise KeyboardInterrupt

    result = run(Settings(TASKS["circle-square"]), bundled(TASKS["circle-square"]), interrupt)
    assert result.interrupted
    assert len(result.losses) == 8


def test_accuracy_is_the_share_on_the_right_side() -> None:
    assert accuracy(np.array([[0.2, 0.7, 0.9, 0.4]]), np.array([[0], [1], [0], [1]])) == 0.5


def test_the_loss_on_logits_is_the_mean_cross_entropy() -> None:
    assert loss_on_logits(np.zeros((1, 4)), np.ones((4, 1))) == pytest.approx(np.log(2))


# Drawings.


@pytest.mark.parametrize("shape", SHAPES)
def test_a_drawing_is_a_thin_dark_stroke_on_white(shape) -> None:
    rng = np.random.default_rng(0)
    for _ in range(40):
        drawing = draw(shape, rng)
        assert (drawing.shape, drawing.dtype) == ((28, 28), np.uint8)
        assert np.median(drawing) == 255
        ink = (255 - drawing.astype(float)).sum() / 255
        assert 15 < ink < 100
        assert drawing.min() < 128


def test_drawings_are_the_same_from_the_same_seed() -> None:
    a, b = (draw_set(("circle", "square"), 2, np.random.default_rng(3)) for _ in range(2))
    np.testing.assert_array_equal(a, b)
    assert len({image.tobytes() for image in a}) == 4


def test_only_known_shapes_are_drawn() -> None:
    with pytest.raises(ValueError, match="unknown shape 'hexagon'; expected one of circle, square, triangle"):
        draw("hexagon", np.random.default_rng(0))


def test_the_bundled_drawings_are_those_that_the_generator_draws() -> None:
    for task, seed in (("circle-square", 2306), ("circle-triangle", 3703)):
        data, rng = bundled(TASKS[task]), np.random.default_rng(seed)
        for part, each in ((data.train, 12), (data.test, 2)):
            drawn = draw_set(TASKS[task].shapes, each, rng)
            assert np.mean(np.abs(part.grey.astype(int) - drawn)) < 1  # OpenCV may round otherwise elsewhere


def test_scaling_inverts_and_multiplies_or_not() -> None:
    grey = np.array([[[0, 255]]], np.uint8)
    assert Scaling()(grey).ravel().tolist() == [10, 0]
    assert Scaling(invert=False, top=1.0)(grey).ravel().tolist() == [0, 1]


def test_reading_a_drawing_is_what_the_listing_does(listing, shared: Path) -> None:
    paths = sorted((shared / "data" / "basicshapes" / "squares").glob("*.png"))[:10]
    expected = listing.load(paths)
    found = Scaling()(np.array([read_drawing(path).grey for path in paths]))
    np.testing.assert_array_equal(found, expected)
