"""Each explanation finds the mistake that it knows: a hand-derived gradient in which just that mistake was planted."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinygrad_cnn as tg
from tinygrad_cnn.check import EXPLANATIONS, Case, Explanation, Report
from tinygrad_cnn.check.diagnose.explanations.search import by_iterations

RNG = np.random.default_rng(0)
X, Y = RNG.standard_normal((5, 3)), np.array([[0.0], [1.0], [1.0], [0.0], [1.0]])  # (batch, features), (batch, 1)
P = {"W": RNG.standard_normal((4, 3)), "b": RNG.standard_normal(4), "v": RNG.standard_normal((1, 4))}

# A network of two layers, and its hand-derived gradient with a place for a mistake at every step.


def loss(p: Any) -> Any:
    z = X @ p["W"].T + p["b"]  # (batch, 4)
    h = np.tanh(z)
    logits = h @ p["v"].T  # (batch, 1)
    sigma = tg.sigmoid(logits)
    return np.mean(-Y * np.log(sigma) - (1 - Y) * np.log(1 - sigma))


def by_hand(p: Any, **mistakes: Callable[..., Any]) -> dict[str, Any]:
    def step(name: str, right: Any, *context: Any) -> Any:
        return mistakes.get(name, lambda right, *_: right)(right, *context)

    h = np.tanh(X @ p["W"].T + p["b"])
    sigma = 1 / (1 + np.exp(-h @ p["v"].T))
    dL_dsigma = step("dL_dsigma", -(Y / sigma - (1 - Y) / (1 - sigma)) / len(Y), sigma)
    dL_dlogits = step("dL_dlogits", dL_dsigma * sigma * (1 - sigma), dL_dsigma, sigma)
    dL_dv = step("dL_dv", dL_dlogits.T @ h)
    dL_dh = step("dL_dh", dL_dlogits @ p["v"])
    dL_dz = step("dL_dz", dL_dh * (1 - h * h), dL_dh, h)
    dL_dW = step("dL_dW", dL_dz.T @ X)
    dL_db = step("dL_db", dL_dz.sum(axis=0), dL_dz)
    return {name: value for name, value in locals().items() if name.startswith("dL_d")}


WEIGHTS = RNG.standard_normal(6)


def checked(loss: Callable[[Any], Any], p: Any, by_hand: Any, **how: Any) -> Report:
    return tg.check.gradients(loss, p, by_hand, evaluations=0, **how)


PLANTED = [
    ("dL_dlogits", lambda g, *_: -g, "the sign is wrong"),
    ("dL_dW", lambda g: 2 * g, "it is 2 times what it should be"),
    ("dL_dh", lambda g: g / 2, "it is 1/2 times what it should be"),
    (
        "dL_dsigma",
        lambda g, _: 5 * g,
        r"5 times what it should be, and 5 is the length of axis 0 of \w+: perhaps a sum instead of a mean",
    ),
    ("dL_dW", lambda g: g / 5, r"1/5 of .*: perhaps a mean instead of a sum"),
    ("dL_dW", lambda g: 0.37 * g, "it is 0.37 times what it should be, in every element"),
    ("dL_dW", lambda g: g.T, r"it is transposed: shape \(3, 4\) instead of \(4, 3\)"),
    ("dL_dW", lambda g: g[:, ::-1], "it is reversed along axis 1"),
    ("dL_dW", lambda g: g[::-1, ::-1], r"reversed along axes \(0, 1\), as the kernel of a convolution"),
    ("dL_dW", lambda g: g / 20, r"1/20 of what it should be, and 20 is the number of elements of \w+:"),
    ("dL_dW", lambda g: 0 * g, "it is 0 in every element"),
    (
        "dL_db",
        lambda g, dL_dz: dL_dz[-1],
        "of it only the last along axis 0 counts, and not the sum",
    ),
    ("dL_db", lambda g, dL_dz: dL_dz[0], "of it only the first along axis 0 counts"),
    ("dL_dW", lambda g: g.reshape(-1), r"the values are right, but in shape \(12,\) instead of \(4, 3\)"),
    ("dL_db", lambda g, dL_dz: dL_dz, "the sum over axis 0 is missing"),
    ("dL_dh", lambda g: np.broadcast_to(g.sum(0), g.shape), "it is replaced by its sum over axis 0"),
    (
        "dL_dlogits",
        lambda g, dL_dsigma, sigma: dL_dsigma,
        r"the factor sigma \* \(1 - sigma\) is missing",
    ),
    ("dL_dz", lambda g, dL_dh, h: dL_dh, r"the factor 1 - h \*\* 2 is missing"),
    ("dL_dlogits", lambda g, _, s: g * s * (1 - s), r"there is a factor sigma \* \(1 - sigma\) too many"),
    ("dL_dW", lambda g: np.roll(g, 1, axis=1), "is off by one along axis 1"),
    (
        "dL_dsigma",
        lambda g, s: -(Y / (s + 1e-3) - (1 - Y) / (1 - s + 1e-3)) / 5,
        "an epsilon of 0.001 in a denominator",
    ),
    (
        "dL_dsigma",
        lambda g, s: -(Y / (s + 1e-4) - (1 - Y) / (1 - s - 1e-4)) / 5,
        "an epsilon of 0.0001, added to sigma",
    ),
    ("dL_dz", lambda g, dL_dh, h: g.astype(np.float32), "it is computed in float32"),
]


@pytest.mark.parametrize(("name", "mistake", "words"), PLANTED)
def test_a_mistake_in_one_step_is_found_there_and_explained(name: str, mistake: Any, words: str) -> None:
    report = checked(loss, P, lambda p: by_hand(p, **{name: mistake}))
    first = report.first_wrong
    assert first is not None
    assert first.name == name
    assert re.search(words, first.explanation), first.explanation
    others = [step.name for step in report.steps if step.given_upstream.verdict == "differ" and step.name != name]
    assert others == []  # what follows is right, given that step
    assert not report.ok


@pytest.mark.parametrize("name", ["dL_dW", "dL_db"])
def test_without_steps_on_the_way_the_gradient_of_a_parameter_is_explained(name: str) -> None:
    def gradients(p: Any) -> Any:
        found = by_hand(p, **{name: lambda g, *_: -g})
        return {"W": found["dL_dW"], "b": found["dL_db"], "v": found["dL_dv"]}

    report = checked(loss, P, gradients)
    wrong = {p.name: p.explanation for p in report.parameters if p.hand_derived_vs_autodiff.verdict == "differ"}
    assert wrong == {name[4:]: "the sign is wrong"}
    assert f"The hand-derived gradient of {name[4:]} is wrong." in str(report)


def test_a_missing_factor_early_on_is_found_in_the_gradients_alone() -> None:
    def gradients(p: Any) -> Any:
        found = by_hand(p, dL_dz=lambda g, dL_dh, h: dL_dh)
        return {"W": found["dL_dW"], "b": found["dL_db"], "v": found["dL_dv"]}

    report = checked(loss, P, gradients)
    explained = {p.name: p.explanation for p in report.parameters if p.explanation}
    assert explained.keys() == {"W", "b"}
    assert all(re.search(r"the factor 1 - h \*\* 2 is missing|dL_dh \* \(1 - h", w) for w in explained.values())


def test_a_right_gradient_has_nothing_to_explain() -> None:
    report = checked(loss, P, by_hand)
    assert report.conclusions == []
    assert report.first_wrong is None
    assert all(step.against_autodiff.verdict == "agree" for step in report.steps)


def test_axes_in_another_order_are_reported() -> None:
    x = RNG.standard_normal((2, 3, 4))
    report = checked(lambda x: np.sum(np.sin(x)), x, np.cos(x).transpose(2, 0, 1))
    assert "the axes of it are permuted: it has transpose(2, 0, 1)" in report.parameters[0].explanation


# Mistakes that are a rule of their own.

IMAGES = np.arange(2.0 * 4 * 4).reshape(2, 4, 4) % 5  # with ties
G = RNG.standard_normal((2, 2, 2))


def explained(loss: Callable[[Any], Any], x: Any, by_hand: Any) -> str:
    report = checked(loss, x, by_hand)
    assert not report.ok
    return report.parameters[0].explanation


def test_ties_counted_in_full_are_reported_with_the_number_of_windows() -> None:
    tied = np.zeros((2, 4, 4))
    tied[0, 0, 0] = 1.0
    g = G.repeat(2, 1).repeat(2, 2)
    by_hand = np.where(tied == tg.max_pool2d(tied, 2).repeat(2, 1).repeat(2, 2), g, 0)
    words = explained(lambda x: np.sum(G * tg.max_pool2d(x, 2)), tied, by_hand)
    assert "ties are counted in full" in words
    assert "in 7 windows" in words


def test_ties_of_max_and_maximum_are_reported_too() -> None:
    x = np.array([3.0, 1.0, 3.0])
    assert "in 1 window" in explained(lambda x: np.max(x), x, np.array([1.0, 0.0, 1.0]))
    words = explained(lambda x: np.maximum(x, 2 * x - 2), 2.0, 3.0)
    assert "ties are counted in full" in words
    assert "in 1 element" in words


def test_the_other_side_of_a_kink_is_reported_only_where_it_is_no_convention() -> None:
    """At a kink both conventions are right, and numbers say so; without numbers the two just differ."""
    x = np.array([-1.0, 0.0, 2.0])
    at_zero = (x >= 0).astype(float)
    assert ">= instead of >" in explained(lambda x: np.sum(tg.relu(x)), x, at_zero)
    assert ">= instead of >" in explained(lambda x: np.sum(np.maximum(0, x)), x, at_zero)
    assert "the slope +1" in explained(lambda x: np.sum(np.abs(x)), x, np.where(x >= 0, 1.0, -1.0))
    for loss in (lambda x: np.sum(tg.relu(x)), lambda x: np.sum(np.maximum(0, x))):
        assert tg.check.gradients(loss, x, at_zero).ok


X_TIED = np.zeros((2, 8, 8))  # with a flat background
X_TIED[:, 2:5, 3:6] = RNG.random((2, 3, 3))


def pooled_loss(p: Any, relu: Callable[[Any], Any] = tg.relu, window: int = 2, stride: int = 2) -> Any:
    conv = X_TIED * p["w"] + p["b"]
    active = tg.named(relu(conv), "active")
    pool = tg.max_pool2d(active, window, stride)
    return np.sum((pool - 1) ** 2)


def pooled_by_hand(p: Any, which: str, passes: Callable[[Any], Any], window: int = 2, stride: int = 2) -> Any:
    """As people write it: of those that tie, one gets the whole, in the order in which the loops come to them."""
    conv = X_TIED * p["w"] + p["b"]
    active = np.maximum(0, conv)
    d_active = np.zeros_like(active)
    d_pool = 2 * (tg.max_pool2d(active, window, stride) - 1)
    for b, i, j in np.ndindex(d_pool.shape):
        part = active[b, i * stride : i * stride + window, j * stride : j * stride + window]
        place = np.argmax(part) if which == "first" else part.size - 1 - np.argmax(part.reshape(-1)[::-1])
        u, v = np.unravel_index(place, part.shape)
        d_active[b, i * stride + u, j * stride + v] += d_pool[b, i, j]
    d_conv = d_active * passes(conv)
    found = {"d_pool": d_pool, "d_active": d_active, "d_conv": d_conv}
    return found | {"d_w": np.sum(d_conv * X_TIED), "d_b": np.sum(d_conv)}


@pytest.mark.parametrize("which", ["first", "last"])
@pytest.mark.parametrize(("window", "stride"), [(2, 2), (3, 1)])
def test_one_of_a_tie_may_have_the_whole_cotangent(which: str, window: int, stride: int) -> None:
    """So do PyTorch, NumPy's argmax and most loops; it is as right as to share it."""
    p = {"w": 1.5, "b": 0.25}

    def loss(p: Any) -> Any:
        return pooled_loss(p, window=window, stride=stride)

    def gradient(p: Any, which: str = which) -> Any:
        return pooled_by_hand(p, which, lambda conv: conv > 0, window, stride)

    report = tg.check.gradients(loss, p, gradient)
    assert report.ok
    assert report.conclusions == []
    step = next(step for step in report.steps if step.name == "d_active")
    assert f"the {which} one gets the whole cotangent" in step.convention
    assert f"windows of max_pool2d (pool): the {which} one" in report.notes[0]


def test_conventions_at_two_kinks_of_one_step_are_found_together() -> None:
    p = {"w": 1.5, "b": 0.0}

    def gradient(p: Any) -> Any:
        found = pooled_by_hand(p, "first", lambda conv: conv >= 0)
        del found["d_active"]
        return found

    report = tg.check.gradients(pooled_loss, p, gradient)
    assert report.conclusions == []
    convention = next(step for step in report.steps if step.name == "d_conv").convention
    assert "the first one gets the whole cotangent" in convention
    assert "the cotangent is passed on (>= instead of >)" in convention
    assert report.ok


@pytest.mark.parametrize(
    ("relu", "name"),
    [
        (tg.relu, "relu"),
        (lambda z: np.maximum(0, z), "maximum"),
        (lambda z: z * (z > 0), "multiply"),
        (lambda z: z * (z > 0).astype(float), "multiply"),
        (lambda z: np.where(z > 0, z, 0.1 * z), "where"),
    ],
)
@pytest.mark.parametrize("passes", [np.greater, np.greater_equal])
def test_either_side_of_a_relu_however_it_is_written_is_a_convention(relu: Any, name: str, passes: Any) -> None:
    x, leak = np.array([[1.0, 0.0], [-1.0, 2.0], [0.0, 0.0]]), -float(relu(np.array([-1.0]))[0])

    def loss(p: Any) -> Any:
        z = x @ p["w"]
        h = tg.named(relu(z), "h")
        return np.sum((h - 1) ** 2)

    def gradient(p: Any) -> Any:
        z = x @ p["w"]
        d_h = 2 * (np.where(z > 0, z, leak * z) - 1)
        d_z = d_h * np.where(passes(z, 0), 1, leak)
        return {"d_h": d_h, "d_z": d_z, "d_w": x.T @ d_z}

    report = tg.check.gradients(loss, {"w": np.array([1.0, 0.5])}, gradient)
    assert report.ok, str(report)
    assert report.conclusions == []
    assert [(kink.primitive, kink.elements) for kink in report.kinks] == [(name, 2)]
    report = tg.check.gradients(loss, {"w": np.array([1.0, 0.5])}, lambda p: gradient(p) | {"d_w": x.T @ np.ones(3)})
    assert not report.ok


def test_conventions_that_are_together_no_slope_are_called_what_they_are() -> None:
    """relu(w) - relu(-w) is w: its slope is 1, but 0 or 2 if both ReLUs take the same convention at 0."""

    def loss(w: Any) -> Any:
        return np.sum(np.maximum(0, w) - np.maximum(0, -w))

    report = tg.check.gradients(loss, np.zeros(2), np.zeros(2))
    assert not report.ok
    assert report.parameters[0].autodiff_vs_differences.verdict == "agree"
    assert report.parameters[0].explanation == (
        "4 elements of maximum at a kink: the cotangent is not passed on (> instead of >=); each of these is a "
        "convention, but together they are no slope of the loss"
    )

    report = tg.check.gradients(lambda w: np.sum(tg.relu(w) - tg.relu(-w)), np.zeros(2), np.zeros(2))
    assert report.parameters[0].autodiff_vs_differences.verdict == "differ"
    assert "These are at a kink: 2 elements of relu (" in report.conclusions[1]
    assert "together these are no slope of the loss" in report.conclusions[1]


def test_a_mask_that_does_not_depend_on_the_parameters_is_no_kink() -> None:
    x, kept = RNG.standard_normal((6, 3)), RNG.random((6, 4)) < 0.5

    def loss(p: Any) -> Any:
        h = tg.relu(x @ p["W"])
        return np.sum(np.where(kept, h, 0) ** 2) + np.sum((h * kept) ** 3)

    report = tg.check.gradients(loss, {"W": RNG.standard_normal((3, 4))})
    assert report.ok
    assert report.kinks == []


def test_assigning_where_cotangents_meet_is_reported() -> None:
    x = RNG.standard_normal((5, 5))
    g = RNG.standard_normal((9, 9))
    by_hand = np.zeros((5, 5))
    for place in range(9):
        i, j = divmod(place, 3)
        by_hand[i : i + 3, j : j + 3] = g[:, place].reshape(3, 3)
    words = explained(lambda x: np.sum(g * tg.im2col(x, 3)), x, by_hand)
    assert "overwrite each other instead of being added" in words
    index, weights = np.array([0, 2, 2, 1]), np.array([1.0, 2.0, 3.0, 4.0])
    by_hand = np.zeros(3)
    by_hand[index] = weights
    assert "getitem" in explained(lambda x: np.sum(weights * x[index]), np.ones(3), by_hand)
    pooled = RNG.standard_normal((3, 3))
    by_hand = np.zeros((4, 4))
    for i in range(3):
        for j in range(3):
            part = x[i : i + 2, j : j + 2]
            by_hand[i : i + 2, j : j + 2] = pooled[i, j] * (part == part.max())
    assert "max_pool2d" in explained(lambda x: np.sum(pooled * tg.max_pool2d(x, 2, 1)), x[:4, :4], by_hand)


def test_padding_that_is_not_cropped_or_cropped_at_the_wrong_place_is_reported() -> None:
    x, g = RNG.standard_normal((3, 3)), RNG.standard_normal((5, 5))

    def loss(x: Any) -> Any:
        return np.sum(g * np.pad(x, 1))

    assert "the padding is not cropped: shape (5, 5) instead of (3, 3)" in explained(loss, x, g)
    assert "it keeps the upper left corner" in explained(loss, x, g[:3, :3])
    assert "it keeps the lower right corner" in explained(loss, x, g[2:, 2:])


def test_two_mistakes_together_are_both_reported() -> None:
    tied = np.zeros((2, 4, 4))

    def loss(x: Any) -> Any:
        relu = tg.relu(x)
        return np.sum(G * tg.max_pool2d(relu, 2))

    tied[0, 0, 0] = 1.0  # one window in which nothing ties
    g = np.where(tied == tg.max_pool2d(tied, 2).repeat(2, 1).repeat(2, 2), G.repeat(2, 1).repeat(2, 2), 0)
    words = explained(loss, tied, g)
    assert "ties are counted in full" in words
    assert ">= instead of >" in words
    words = explained(lambda x: np.sum(G * tg.max_pool2d(x, 2)), tied, -2 * g)
    assert "ties are counted in full" in words
    assert "and it is minus 2 times what it should be" in words


def test_the_gradient_of_another_loss_is_named() -> None:
    def on_probabilities(p: Any) -> Any:
        z = X @ p["W"].T + p["b"]
        h = np.tanh(z)
        sigma = tg.sigmoid(h @ p["v"].T)
        return np.mean((sigma - Y) ** 2)

    def gradients(p: Any) -> Any:
        return tg.grad(on_probabilities)(p)

    report = checked(loss, P, gradients, losses={"squares": on_probabilities, "half": lambda p: loss(p) / 2})
    assert report.another_loss == "squares"
    assert (
        "The hand-derived gradient is not the gradient of this loss, but of another one: squares." in report.conclusions
    )
    assert checked(loss, P, by_hand, losses={"squares": on_probabilities}).another_loss is None


INPUTS = RNG.standard_normal((12, 3))  # what a recurrent network reads
RECURRENT = {"W": 0.4 * RNG.standard_normal((4, 4)), "U": 0.4 * RNG.standard_normal((4, 3))}


def recurrent(p: Any) -> Any:
    h = np.zeros(4)
    for x in INPUTS:
        h = np.tanh(p["W"] @ h + p["U"] @ x)
    return np.sum(h**2)


def through_time(p: Any, mistake: Callable[[int, Any, Any], Any]) -> dict[str, Any]:
    """The hand-derived gradient of `recurrent`; mistake: from the iteration, dL/dh and h to dL/dh (1 - h h), or not."""
    states = [np.zeros(4)]
    for x in INPUTS:
        states.append(np.tanh(p["W"] @ states[-1] + p["U"] @ x))
    dL_dW, dL_dU, dL_dh = 0, 0, 2 * states[-1]
    for iteration in reversed(range(len(INPUTS))):
        dL_dz = mistake(iteration, dL_dh, states[iteration + 1])
        dL_dW, dL_dU = dL_dW + np.outer(dL_dz, states[iteration]), dL_dU + np.outer(dL_dz, INPUTS[iteration])
        dL_dh = p["W"].T @ dL_dz
    return {"W": dL_dW, "U": dL_dU}


@pytest.mark.parametrize(
    ("mistake", "said"),
    [
        (
            lambda iteration, g, h: g * (1 - h),
            r"(1 - )?states\[iteration \+ 1\] stands where (1 - )?states\[iteration \+ 1\] \*\* 2 should",
        ),
        (lambda iteration, g, h: g, r"the factor \(1 - states\[iteration \+ 1\] \*\* 2\) is missing"),
        (
            lambda iteration, g, h: g * (1 - h * h) if iteration else g,
            r"the factor 1 - h\[0\] \*\* 2 is missing\.",
        ),
        (
            lambda iteration, g, h: g * (1 - h * h) if iteration != 11 else g,
            r"the factor \(1 - states\[-1\] \*\* 2\) is missing",
        ),
        (
            lambda iteration, g, h: g * (1 - h * h) if iteration > 10 else 0 * g,
            "is missing|only .* counts: it is assigned instead of added",
        ),
    ],
)
def test_a_mistake_in_every_turn_of_a_loop_is_one_mistake(mistake: Callable[..., Any], said: str) -> None:
    assert checked(recurrent, RECURRENT, lambda p: through_time(p, lambda iteration, g, h: g * (1 - h * h))).ok
    report = checked(recurrent, RECURRENT, lambda p: through_time(p, mistake))
    assert report.conclusions  # of U, and of W but where h is what it was before the first iteration, which is 0
    for sentence in report.conclusions:
        assert re.search(said, sentence)


@pytest.mark.parametrize(("length", "alone"), [(3, [0, 1, 2]), (30, [0, 29])])
def test_of_a_long_loop_the_first_and_the_last_turn_are_tried_alone(length: int, alone: list[int]) -> None:
    nodes, t = [], tg.Tensor(0.5)
    for _ in range(length):
        t = np.tanh(t)
        nodes.append(t.node)
    single = [(f"iteration {iteration}", {node: node}) for iteration, node in enumerate(nodes)]
    together, *rest = by_iterations(single)
    assert together == (f"iteration 0, in all {length} iterations of a loop", {node: node for node in nodes})
    assert rest == [single[iteration] for iteration in alone]


def test_another_derivative_is_named() -> None:
    for made, right in (
        (lambda h, z: 1 - h, "2 * h * made(h ** 2, z)"),
        (lambda h, z: 1 - z * z, "2 * h * made(z, h)"),
    ):

        def with_it(p: Any, made: Any = made) -> Any:
            z = X @ p["W"].T + p["b"]
            h = np.tanh(z)
            dL_dz = 2 * h * made(h, z)
            return {"W": dL_dz.T @ X, "b": dL_dz.sum(axis=0)}

        def squares(p: Any) -> Any:
            z = X @ p["W"].T + p["b"]
            h = np.tanh(z)
            return np.sum(h**2)

        report = checked(squares, {"W": P["W"], "b": P["b"]}, with_it)
        assert [p.cause.right for p in report.parameters] == [f"dL_dz = {right}"] * 2


def test_what_nothing_explains_is_said_to_be_unexplained() -> None:
    report = checked(loss, P, lambda p: by_hand(p, dL_dW=lambda g: g + RNG.standard_normal(g.shape)))
    assert report.conclusions[0].endswith("No explanation accounts for it.")


def test_a_user_can_add_an_explanation() -> None:
    class Squared(Explanation):
        def explain(self, case: Case) -> str | None:
            return "somebody squared it" if case.accounts(case.expected**2) else None

    report = checked(loss, P, lambda p: by_hand(p, dL_dW=lambda g: g**2), explanations=[Squared(), *EXPLANATIONS])
    assert report.first_wrong.explanation == "somebody squared it"


def test_a_mistake_that_a_users_primitive_declares_is_told_before_what_is_found() -> None:
    @tg.primitive(elementwise=True)
    def doubled(x: Any, /) -> Any:
        return 2 * x

    doubled.defvjp(lambda g, out, x: 2 * g)
    doubled.defmistake("the two is forgotten", lambda g, out, x: g)
    report = checked(lambda w: np.sum(doubled(w) ** 2), np.arange(1, 6.0), lambda w: 4 * w)
    assert "the two is forgotten" in report.conclusions[0]


def test_every_explanation_is_tested_here() -> None:
    """By the words that it says, which the tests above look for; SourceEdit in test_repair.py."""
    tested = {
        "InFloat32", "OtherSideOfKink", "TiesInFull", "UsersMistake", "SmallestEdit", "KnownMistake",
        "AssignedNotAdded", "Epsilon", "SourceEdit",
    }  # fmt: skip
    assert {type(e).__name__ for e in EXPLANATIONS} == tested


def test_the_way_back_through_a_linear_system_is_no_factor() -> None:
    b = np.array([1.0, 2.0, 3.0])

    def loss(a: Any) -> Any:
        u = np.linalg.solve(a, b)
        return np.sum(u**2)

    a = np.eye(3) + 0.1 * RNG.standard_normal((3, 3))
    report = checked(loss, a, np.arange(9.0).reshape(3, 3))  # wrong in no way that is known
    assert report.conclusions[0].endswith("No explanation accounts for it.")


def test_a_value_that_is_used_for_another_is_named() -> None:
    def loss(p: Any) -> Any:
        z = X @ p["W"].T + p["b"]
        h = np.tanh(z)
        product = h * z
        return np.sum(product**2)

    z = X @ P["W"].T + P["b"]
    h = np.tanh(z)
    dL_dproduct = 2 * h * z
    mistaken = {"dL_dproduct": dL_dproduct, "dL_dh": dL_dproduct * h, "W": np.zeros((4, 3)), "b": np.zeros(4)}
    report = checked(loss, {"W": P["W"], "b": P["b"]}, mistaken)
    first = report.first_wrong
    assert first.name == "dL_dh"
    assert first.explanation == "h stands where z should"


def test_of_several_contributions_the_one_with_the_wrong_sign_is_named() -> None:
    def loss(x: Any) -> Any:
        mean = np.mean(x)
        return np.sum((x - mean) ** 3)

    x = RNG.standard_normal(6)
    direct = 3 * (x - x.mean()) ** 2
    for factor, words in ((-1, r"the sign of .* is wrong"), (2, r".* is 2 times what it should be")):
        report = checked(loss, x, direct - factor * direct.mean())
        assert re.fullmatch(words, report.parameters[0].explanation)
    assert checked(loss, x, direct - direct.mean()).ok


def test_a_constant_that_is_left_out_is_called_as_the_code_calls_it() -> None:
    def loss(p: Any) -> Any:
        return np.sum(np.log(p["scale"])) * len(X) + np.sum(p["scale"] ** 2)

    scale = np.array([0.5, 2.0])
    report = checked(loss, {"scale": scale}, {"scale": 1 / scale + 2 * scale})
    assert report.parameters[0].explanation == "the factor len(X) is missing"


def test_a_factor_that_is_made_of_a_value_without_a_name_is_reported() -> None:
    def loss(w: Any) -> Any:
        return np.sum(3 * np.tanh(w))

    w = RNG.standard_normal(5)
    report = checked(loss, w, 3 * (1 - np.tanh(w)))
    assert report.parameters[0].explanation == "1 - np.tanh(x) stands where 1 - np.tanh(x) ** 2 should"


def test_the_block_outside_of_which_it_is_right_is_reported_and_explained() -> None:
    def loss(w: Any) -> Any:
        return np.sum(np.sin(w))

    w = RNG.standard_normal((4, 6))
    wrong = np.cos(w)
    wrong[1:3, 2:] *= -1
    report = checked(loss, w, wrong)
    assert "It is right outside of [1:3, 2:6]. Why: in [1:3, 2:6] the sign is wrong." in report.conclusions[0]


def test_the_inverse_that_is_not_transposed_is_reported() -> None:
    g = RNG.standard_normal((3, 3))
    a = RNG.standard_normal((3, 3)) + 3 * np.eye(3)
    inverse = np.linalg.inv(a)
    report = checked(lambda a: np.sum(g * np.linalg.inv(a)), a, -inverse @ g @ inverse)
    assert report.parameters[0].explanation == "np.linalg.inv(x) is not transposed"


def test_a_term_that_is_left_out_is_no_missing_factor() -> None:
    """Without the derivative of the square what comes through the variance cancels, and so it is missing either way."""

    def loss(x: Any) -> Any:
        mean = np.mean(x)
        variance = np.mean((x - mean) ** 2)
        return np.sum(WEIGHTS * (x - mean) / np.sqrt(variance))

    x = RNG.standard_normal(6)
    without = (WEIGHTS - WEIGHTS.mean()) / x.std()
    explanation = checked(loss, x, without).parameters[0].explanation
    assert re.match(r"the term .* is missing", explanation)


@pytest.mark.parametrize("at_zero", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("by_hand", [0.0, 0.5, 1.0])
def test_on_the_way_a_slope_of_one_half_is_a_convention_too(at_zero: float, by_hand: float) -> None:
    def loss(w: Any) -> Any:
        h = w * np.array([3.0, 1.0])
        r = tg.relu(h, at_zero=at_zero)
        return np.sum(r * np.array([1.0, 2.0]))

    dL_dr = np.array([1.0, 2.0])
    dL_dh = dL_dr * np.array([by_hand, 1.0])
    cotangents = {"dL_dr": dL_dr, "dL_dh": dL_dh, "dL_dw": dL_dh * np.array([3.0, 1.0])}
    report = tg.check.gradients(lambda p: loss(p["w"]), {"w": np.array([0.0, 1.0])}, cotangents)
    assert report.ok
    assert report.conclusions == []


@pytest.mark.parametrize(("iteration", "words"), [(0, "db = dz[0].sum(axis=0)"), (2, "db = dz[2].sum(axis=0)")])
def test_a_gradient_that_is_assigned_in_each_turn_of_a_loop_is_explained(iteration: int, words: str) -> None:
    x = np.arange(12.0).reshape(3, 2, 2) / 7

    def loss(p: Any) -> Any:
        total = 0.0
        for row in x:
            z = row * 2 + p["b"]
            total = total + np.sum(np.tanh(z) ** 2)
        return total

    def by_hand(p: Any) -> Any:
        t = np.tanh(x * 2 + p["b"])
        dz = 2 * t * (1 - t * t)
        return {"dz": list(dz), "db": dz[iteration].sum(axis=0)}

    report = tg.check.gradients(loss, {"b": np.array([0.3, -0.4])}, by_hand)
    assert f"    you:   {words}" in report.conclusions[0]


def test_a_constant_that_is_left_out_and_a_term_that_is_are_called_as_they_are_written() -> None:
    def loss(p: Any) -> Any:
        return np.sum(np.exp(0.5 * p["v"]) * p["w"]) + np.sum(p["v"])

    p = {"v": np.array([0.3, -0.4]), "w": np.array([1.0, 2.0])}

    def left_out(p: Any) -> Any:
        return {"v": np.exp(0.5 * p["v"]) * p["w"] + 1, "w": np.exp(0.5 * p["v"])}

    def no_term(p: Any) -> Any:
        return {"v": 0.5 * np.exp(0.5 * p["v"]) * p["w"], "w": np.exp(0.5 * p["v"])}

    assert "the factor 0.5 is missing" in tg.check.gradients(loss, p, left_out).conclusions[0]
    because = tg.check.gradients(loss, p, no_term).conclusions[0]
    assert "the term 1 is missing" in because
