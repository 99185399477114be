"""Optimisers, schedules and what is done to gradients: compared with PyTorch, and with what they are defined to be."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_cnn as tg

nn = tg.nn

# Ours, and PyTorch's: its name and its parameters.
PEERS = [
    (nn.SGD(0.1), "SGD", {"lr": 0.1}),
    (nn.SGD(0.1, weight_decay=0.2), "SGD", {"lr": 0.1, "weight_decay": 0.2}),
    (nn.SGD(0.1, 0.8), "SGD", {"lr": 0.1, "momentum": 0.8}),
    (nn.Momentum(0.1, 0.8, weight_decay=0.2), "SGD", {"lr": 0.1, "momentum": 0.8, "weight_decay": 0.2}),
    (nn.SGD(0.1, 0.8, nesterov=True), "SGD", {"lr": 0.1, "momentum": 0.8, "nesterov": True}),
    (nn.Adam(0.1), "Adam", {"lr": 0.1}),
    (nn.Adam(0.1, 0.8, 0.95, 1e-3, 0.2), "Adam", {"lr": 0.1, "betas": (0.8, 0.95), "eps": 1e-3, "weight_decay": 0.2}),
    (nn.AdamW(0.1, weight_decay=0.2), "AdamW", {"lr": 0.1, "weight_decay": 0.2}),
    (nn.RMSprop(0.1, 0.9, weight_decay=0.2), "RMSprop", {"lr": 0.1, "alpha": 0.9, "weight_decay": 0.2}),
    (nn.Adagrad(0.1, weight_decay=0.2), "Adagrad", {"lr": 0.1, "weight_decay": 0.2}),
]
ALL = [nn.Lion(0.1, weight_decay=0.2), *[ours for ours, _, _ in PEERS]]
each_optimiser = pytest.mark.parametrize("optimiser", ALL, ids=lambda o: type(o).__name__)


def run(optimiser, steps: int, dtype=np.float64, step=None):
    """The parameters after some steps, and the state."""
    rng = np.random.default_rng(0)
    p = {"W": rng.standard_normal((2, 3)).astype(dtype), "b": [np.zeros(2, dtype)]}
    x, y = rng.standard_normal((5, 3)).astype(dtype), rng.standard_normal((5, 2)).astype(dtype)

    def one_step(p, state, x, y):
        gradients = tg.grad(lambda p: nn.mse(nn.linear(x, p["W"], p["b"][0]), y, "sum"))(p)
        return optimiser.update(p, gradients, state)

    state, one_step = optimiser.init(p), one_step if step is None else step(one_step)
    for _ in range(steps):
        p, state = one_step(p, state, x, y)
    return p, state


@pytest.mark.peers
@pytest.mark.parametrize(("ours", "name", "parameters"), PEERS)
def test_its_steps_are_those_of_pytorch(ours, name: str, parameters) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    rng = np.random.default_rng(0)
    W, b = (torch.tensor(x, requires_grad=True) for x in (rng.standard_normal((2, 3)), np.zeros(2)))
    x, y = torch.tensor(rng.standard_normal((5, 3))), torch.tensor(rng.standard_normal((5, 2)))
    theirs = getattr(torch.optim, name)([W, b], **parameters)
    for _ in range(5):
        theirs.zero_grad()
        torch.sum((x @ W.T + b - y) ** 2).backward()
        theirs.step()
    p, _ = run(ours, 5)
    np.testing.assert_allclose(p["W"], W.detach().numpy(), rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(p["b"][0], b.detach().numpy(), rtol=1e-10, atol=1e-10)


def test_two_steps_of_lion_by_hand() -> None:
    """The first goes by the sign of the gradient; the second by that of 0.9 * (0.01 * 4) + 0.1 * -1."""
    optimiser = nn.Lion(0.1, weight_decay=0.5)
    w = optimiser.step(2.0, 4.0)
    assert w == pytest.approx(2 - 0.1 * (1 + 0.5 * 2), rel=1e-14)
    assert optimiser.step(w, -1.0) == pytest.approx(w - 0.1 * (-1 + 0.5 * w), rel=1e-14)


@each_optimiser
def test_update_is_step_with_the_state_passed_on(optimiser) -> None:
    p, gradient = {"W": np.array([1.0, -2.0])}, {"W": np.array([0.5, 3.0])}
    optimiser.state, q, state = None, p, optimiser.init(p)
    for _ in range(3):
        p = optimiser.step(p, gradient)
        q, state = optimiser.update(q, gradient, state)
    np.testing.assert_array_equal(p["W"], q["W"])
    assert tg.tree.flatten(state).names == tg.tree.flatten(optimiser.state).names
    assert state["steps"] == 3


@each_optimiser
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_compiled_step_is_the_step(optimiser, dtype) -> None:
    found, expected = run(optimiser, 4, dtype, tg.compile), run(optimiser, 4, dtype)
    a, b = tg.tree.flatten(found), tg.tree.flatten(expected)
    assert a.names == b.names
    for x, y in zip(a.leaves, b.leaves, strict=True):
        assert np.result_type(x) == np.result_type(y)
        np.testing.assert_allclose(x, y, rtol=1e-12 if dtype == np.float64 else 1e-4, atol=1e-6)


@each_optimiser
def test_parameters_and_state_of_float32_stay_that(optimiser) -> None:
    p, state = run(optimiser, 2, np.float32)
    assert {x.dtype for x in tg.tree.flatten(p).leaves} == {np.dtype(np.float32)}
    kept = {name: x for name, x in state.items() if name != "steps"}
    assert {x.dtype for x in tg.tree.flatten(kept).leaves} <= {np.dtype(np.float32)}


@each_optimiser
def test_a_step_changes_neither_what_it_was_given_nor_the_gradient(optimiser) -> None:
    p, gradient = np.array([1.0, 2.0]), np.array([0.5, -1.0])
    state = optimiser.init(p)
    new, later = optimiser.update(p, gradient, state)
    assert state["steps"] == 0
    assert all(not np.any(x) for x in tg.tree.flatten(state).leaves)
    assert p.tolist() == [1, 2]
    assert gradient.tolist() == [0.5, -1]
    assert not any(np.shares_memory(new, x) for x in (p, gradient, *map(np.asarray, tg.tree.flatten(later).leaves)))


def test_a_schedule_is_the_rate_of_its_step() -> None:
    optimiser, w = nn.SGD(nn.step_schedule(1.0, every=2, factor=0.5)), 0.0
    moved = []
    for _ in range(5):
        new = optimiser.step(w, 1.0)
        moved.append(w - new)
        w = new
    assert moved == [1, 1, 0.5, 0.5, 0.25]


@pytest.mark.parametrize("make", [nn.AdamW, nn.Lion])
def test_decoupled_decay_does_not_depend_on_the_gradient(make) -> None:
    """The steps with and without decay differ by the rate times the decay times the parameter."""
    p, gradient = np.array([3.0, -4.0]), np.array([100.0, 0.001])
    plain, decayed = (make(0.1, weight_decay=decay).step(p, gradient) for decay in (0.0, 0.2))
    np.testing.assert_allclose(plain - decayed, 0.1 * 0.2 * p, rtol=1e-12)


SCHEDULES = [
    nn.constant_schedule(0.1),
    nn.step_schedule(0.1, 10),
    nn.cosine_schedule(0.1, 30, 0.01),
    nn.warmup_schedule(0.1, 10),
    nn.warmup_schedule(nn.cosine_schedule(0.1, 20), 10),
    nn.one_cycle_schedule(0.1, 30),
]


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_a_schedule_takes_all_steps_at_once(schedule) -> None:
    steps = np.arange(40)
    np.testing.assert_allclose(
        np.broadcast_to(schedule(steps), 40), [schedule(int(step)) for step in steps], rtol=1e-12
    )


@pytest.mark.peers
def test_schedules_are_those_of_pytorch() -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    lr = torch.optim.lr_scheduler

    def theirs(make):
        optimiser = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)
        scheduler, rates = make(optimiser), []
        for _ in range(20):
            rates.append(optimiser.param_groups[0]["lr"])
            optimiser.step()
            scheduler.step()
        return rates

    found = [float(nn.cosine_schedule(0.1, 20, 0.01)(step)) for step in range(20)]
    np.testing.assert_allclose(found, theirs(lambda o: lr.CosineAnnealingLR(o, 20, 0.01)), rtol=1e-10)
    found = [nn.step_schedule(0.1, 3, 0.5)(step) for step in range(20)]
    np.testing.assert_allclose(found, theirs(lambda o: lr.StepLR(o, 3, 0.5)), rtol=1e-10)
    # PyTorch's cycle has its peak one step earlier, and its end at the last of its steps.
    found = [float(nn.one_cycle_schedule(0.1, 20, 0.25, final=1e-6)(step)) for step in range(20)]
    same = lambda o: lr.OneCycleLR(o, 0.1, total_steps=21, pct_start=6 / 21, final_div_factor=0.004 / 1e-6)
    np.testing.assert_allclose(found, theirs(same), rtol=1e-10)


numbers = st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=4)


@given(numbers, numbers, st.floats(1e-3, 1e3))
def test_clipping_by_norm_keeps_the_direction_and_limits_the_length(a, b, largest: float) -> None:
    given = {"a": np.array(a), "b": [np.array(b)]}
    clipped = nn.clip_by_norm(given, largest)
    before, after = float(nn.global_norm(given)), float(nn.global_norm(clipped))
    assert after == pytest.approx(min(before, largest), rel=1e-12)
    np.testing.assert_allclose(clipped["a"] * before, given["a"] * after, rtol=1e-9, atol=1e-9)


def test_gradients_within_the_norm_are_returned_exactly() -> None:
    gradients = np.array([0.3, -0.1])
    np.testing.assert_array_equal(nn.clip_by_norm(gradients, 1.0), gradients)


def test_clipping_keeps_dtypes_and_shows_a_nan() -> None:
    clipped = nn.clip_by_norm({"a": np.float32([3.0]), "b": np.array([np.nan])}, 1.0)
    assert clipped["a"].dtype == np.float32
    assert np.isnan(clipped["b"]).all()
    assert np.isnan(nn.clip_by_value(np.array([np.nan, 5.0]), 1.0)).tolist() == [True, False]


@given(numbers, st.floats(0, 1))
def test_a_moving_average_of_the_same_stays_the_same(x, decay: float) -> None:
    same = {"W": np.array(x)}
    np.testing.assert_allclose(nn.moving_average(same, same, decay)["W"], x, rtol=1e-12)
