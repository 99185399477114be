"""What a hand-derived gradient may return, and what its names refer to."""

from __future__ import annotations

from collections import namedtuple
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import tinygrad_cnn as tg

check = tg.check.gradients
rng = np.random.default_rng(0)
X, Y = rng.standard_normal((5, 3)), rng.standard_normal((5, 2))
P = {
    "W1": rng.standard_normal((3, 4)),
    "b1": 0.1 * rng.standard_normal((1, 4)),
    "W2": rng.standard_normal((4, 2)),
    "b2": 0.1 * rng.standard_normal(2),
}


def relu(z: Any) -> Any:
    return np.maximum(z, 0)


def softmax(s: Any) -> Any:
    e = np.exp(s - np.max(s, axis=1, keepdims=True))
    return e / np.sum(e, axis=1, keepdims=True)


def dense(x: Any, W: Any, b: Any) -> Any:
    out = x @ W + b
    return out, (x, W)


def loss(p: Any) -> Any:
    z, _ = dense(X, p["W1"], p["b1"])
    h = relu(z)
    s, _ = dense(h, p["W2"], p["b2"])
    A = softmax(s)
    return np.sum((A - Y) ** 2)


def derived(p: Any) -> dict[str, Any]:
    """All that there is to know: values, cotangents and gradients by name, and the loss."""
    z = X @ p["W1"] + p["b1"]
    h = np.maximum(z, 0)
    s = h @ p["W2"] + p["b2"]
    e = np.exp(s)
    A = e / e.sum(1, keepdims=True)
    dA = 2 * (A - Y)
    ds = A * (dA - np.sum(dA * A, axis=1, keepdims=True))
    dh = ds @ p["W2"].T
    dz = dh * (z > 0)
    values = {"z": z, "h": h, "s": s, "A": A, "dA": dA, "ds": ds, "dh": dh, "dz": dz}
    gradients = {"dW1": X.T @ dz, "db1": dz.sum(0, keepdims=True), "dW2": h.T @ ds, "db2": ds.sum(0)}
    return {**values, **gradients, "loss": np.sum((A - Y) ** 2)}


def gradients(p: Any) -> list[Any]:
    return [derived(p)[name] for name in ("dW1", "db1", "dW2", "db2")]


def cotangents(p: Any) -> dict[str, Any]:
    return {name: x for name, x in derived(p).items() if name in ("dA", "ds", "dh", "dz")}


Pair = namedtuple("Pair", "gradients cache")
FORMS: dict[str, Any] = {
    "tree": lambda p: dict(zip(P, gradients(p), strict=True)),
    "list in order": gradients,
    "tuple in order": lambda p: tuple(gradients(p)),
    "by name": lambda p: {name: derived(p)[name] for name in ("db2", "dW2", "db1", "dW1")},
    "loss and tree": lambda p: (derived(p)["loss"], dict(zip(P, gradients(p), strict=True))),
    "loss and list": lambda p: (derived(p)["loss"], gradients(p)),
    "loss and each": lambda p: (derived(p)["loss"], *gradients(p)),
    "list and cotangents": lambda p: (gradients(p), cotangents(p)),
    "tree and cotangents": lambda p: (dict(zip(P, gradients(p), strict=True)), cotangents(p)),
    "loss, list, cotangents": lambda p: (derived(p)["loss"], gradients(p), cotangents(p)),
    "attributes": lambda p: SimpleNamespace(**derived(p), mode="train", layers=[relu]),
    "a dict within attributes": lambda p: SimpleNamespace(grads=derived(p)),
    "each, and a dict": lambda p: (*gradients(p), cotangents(p)),
    "loss, each, and a dict": lambda p: (derived(p)["loss"], *gradients(p), {"z": derived(p)["z"]}),
    "two dicts": lambda p: (cotangents(p), {f"d{name}": x for name, x in zip(P, gradients(p), strict=True)}),
}


@pytest.mark.parametrize("form", FORMS)
def test_gradients_may_come_in_any_form(form: str) -> None:
    by_hand = FORMS[form]
    report = check(loss, P, by_hand)
    assert report.ok, str(report)
    with_steps = "cotangents" in form or "attributes" in form or form in ("two dicts", "each, and a dict")
    assert {"dA", "ds", "dh", "dz"} <= {step.name.rpartition(".")[2] for step in report.steps} or not with_steps
    wrong = check(lambda p: loss({**p, "b2": p["b2"] * 1.5}), P, by_hand)  # another loss: all of it is wrong
    assert not wrong.ok


ONE = {
    "an array": lambda w: 2 * w,
    "a list with it": lambda w: [2 * w],
    "a list of its elements": lambda w: [2 * w[0], 2 * w[1]],
    "the loss, and it": lambda w: (np.sum(w * w), 2 * w),
    "it, and a dict": lambda w: (2 * w, {"square": w * w}),
    "the loss, it, and a dict": lambda w: (np.sum(w * w), 2 * w, {"square": w * w}),
}


@pytest.mark.parametrize("form", ONE)
def test_the_gradient_of_one_parameter_may_come_in_any_form(form: str) -> None:
    def loss(w: Any) -> Any:
        square = w * w
        return np.sum(square)

    w = np.array([1.0, -2.0])
    report = check(loss, w, ONE[form])
    assert report.ok
    assert len(report.forward) == form.count("loss") + form.count("dict")
    assert not check(lambda w: 2 * loss(w), w, ONE[form]).ok


@pytest.mark.parametrize("wrong", [1.0, 2.0])
def test_the_gradient_of_a_number_may_come_with_the_loss(wrong: float) -> None:
    assert check(lambda w: w**2, 3.0, lambda w: (w**2, wrong * 2 * w)).ok == (wrong == 1.0)
    assert check(lambda w: w**2, 3.0, lambda w: (wrong * 2 * w, {"cache": 1.0})).ok == (wrong == 1.0)


@pytest.mark.parametrize("form", ["loss and tree", "loss and each", "loss, list, cotangents"])
def test_the_loss_that_comes_with_the_gradients_is_compared(form: str) -> None:
    report = check(lambda p: loss(p) + 1.0, P, FORMS[form])
    assert report.ok  # the gradient is that of this loss too
    assert report.conclusions[0].startswith("The loss that by_hand returned is not that of the loss function. It is")


def test_a_wrong_forward_value_is_reported_first() -> None:
    def by_hand(p: Any) -> Any:
        found = derived(p)
        found["h"] = found["h"] + 0.5
        found["dW2"] = found["h"].T @ found["ds"]
        return found

    report = check(loss, P, by_hand)
    assert [x.name for x in report.forward if x.comparison.verdict == "differ"] == ["h"]
    assert report.conclusions[0].startswith("The forward value h is not that of the loss. Element")
    assert [step.name for step in report.steps if step.wrong] == ["dW2"]


def test_what_ones_own_function_returns_has_the_name_that_it_is_assigned_to() -> None:
    report = check(loss, P, derived)
    assert {step.name: step.value for step in report.steps if step.name in ("dA", "ds", "dh", "dz")} == {
        "dA": "A", "ds": "s", "dh": "h", "dz": "z",
    }  # fmt: skip
    assert [x.value for x in report.forward if x.value] == ["z", "h", "s", "A"]


def reassigned(p: Any) -> Any:
    h = X @ p["W1"] + p["b1"]
    h = relu(h)
    h = h @ p["W2"] + p["b2"]
    return np.sum(h**2)


@pytest.mark.parametrize(("cotangent", "value"), [("z", "h[0]"), ("h", "h[1]"), ("s", "h[2]")])
def test_a_name_reassigned_is_met_by_its_shape_and_what_it_is(cotangent: str, value: str) -> None:
    z = X @ P["W1"] + P["b1"]
    h = np.maximum(z, 0)
    ds = 2 * (h @ P["W2"] + P["b2"])
    dh = ds @ P["W2"].T
    dz = dh * (z > 0)
    all_of_it = {"z": dz, "h": dh, "s": ds}
    named = {"dW1": X.T @ dz, "db1": dz.sum(0), "dW2": h.T @ ds, "db2": ds.sum(0), "dh": all_of_it[cotangent]}
    report = check(reassigned, P, named)
    assert report.ok, str(report)
    assert report.steps[0].value == value if cotangent == "s" else value in [step.value for step in report.steps]


def recurrent(p: Any) -> Any:
    h, total = np.zeros((2, 3)), 0.0
    for t in range(4):
        h = np.tanh(X[t, :2, None] * p["U"] + h)
        total = total + np.sum(h * h)
    return total


def recurrent_derived(p: Any) -> tuple[list[Any], list[Any]]:
    h = [np.zeros((2, 3))]
    for t in range(4):
        h.append(np.tanh(X[t, :2, None] * p["U"] + h[-1]))
    dh, dU, later = [None] * 4, np.zeros((2, 3)), np.zeros((2, 3))
    for t in reversed(range(4)):
        dh[t] = 2 * h[t + 1] + later
        later = dh[t] * (1 - h[t + 1] ** 2)
        dU += later * X[t, :2, None]
    return [later, *dh], [dU]


@pytest.mark.parametrize("form", ["list", "with the first state", "stacked", "stacked along axis 1"])
def test_the_values_of_a_loop_may_come_in_a_list_or_stacked(form: str) -> None:
    dh, (dU,) = recurrent_derived({"U": np.ones((2, 3))})
    given = {
        "list": dh[1:],
        "with the first state": dh,
        "stacked": np.stack(dh[1:]),
        "stacked along axis 1": np.stack(dh[1:], axis=1),
    }[form]
    report = check(recurrent, {"U": np.ones((2, 3))}, {"dU": dU, "dh": given})
    assert report.ok
    assert [step.value for step in report.steps] == ["h[3]", "h[2]", "h[1]", "h[0]", "U"]
    assert not any(step.wrong for step in report.steps)


@pytest.mark.parametrize(
    ("value", "shown"), [("h", "h"), ("maximum", "h"), ("maximum[0]", "h"), ("z", "z"), ("out", "s")]
)
def test_names_takes_what_the_graph_shows(value: str, shown: str) -> None:
    known = derived(P)
    right = {"h": known["dh"], "z": known["dz"], "s": known["ds"]}[shown]
    named = {f"d{name}": x for name, x in zip(P, gradients(P), strict=True)}
    report = check(loss, P, {**named, "upstream": right}, names={"upstream": value})
    assert report.ok
    assert [step.value for step in report.steps if step.name == "upstream"] == [shown]


def test_a_value_that_names_refers_to_has_to_exist() -> None:
    with pytest.raises(ValueError, match="names: 'dq' is mapped to 'q', which is no value of the graph"):
        check(loss, P, derived, names={"dq": "q"})


@pytest.mark.parametrize(
    ("more", "note"),
    [
        ({"dq": np.ones(3)}, "no value of the graph is called dq, so these are not compared"),
        ({"z": "a string"}, "z is not an array of real numbers, so it is not compared"),
        ({"dz": None}, None),
    ],
)
def test_what_is_not_compared_is_listed_with_the_reason(more: Any, note: str | None) -> None:
    report = check(loss, P, lambda p: {**derived(p), **more})
    assert report.ok
    assert any(x.startswith(note) for x in report.notes) if note else not report.notes[1:]


@pytest.mark.parametrize(
    ("given", "parameter", "right"),
    [
        ((4,), (1, 4), True), ((1, 4), (4,), True), ((4, 1), (4,), True), ((), (1,), True), ((1, 1), (), True),
        ((4, 1), (1, 4), False), ((2, 2), (4,), False), ((4,), (2, 2), False),
    ],
)  # fmt: skip
def test_the_right_numbers_in_a_shape_that_differs_by_axes_of_length_1_are_right(
    given: Any, parameter: Any, right: bool
) -> None:
    x = np.arange(1.0, 1 + np.prod(parameter, dtype=int)).reshape(parameter)
    report = check(lambda p: np.sum(p["b"] ** 2), {"b": x}, {"b": (2 * x).reshape(given)})
    assert report.ok == right
    assert report.notes == (
        [f"b has shape {given} and its value {parameter}: the elements are the same, and were compared"] * right
    )
    assert not check(lambda p: np.sum(p["b"] ** 2), {"b": x}, {"b": (3 * x).reshape(given)}).ok


# A loss that autodiff cannot follow.


def fills(w: Any) -> Any:
    q = np.zeros(2)
    q[0], q[1] = 2 * w[0], w[1]
    return np.sum(q**2)


def raises(error: Exception) -> Any:
    def loss(w: Any) -> Any:
        if isinstance(w, tg.Tensor):
            raise error
        return 4 * w[0] ** 2 + w[1] ** 2

    return loss


@pytest.mark.parametrize(
    ("loss", "note"),
    [
        (fills, "`q[0]`: ValueError: setting an array element with a sequence; with modules=[test_returned] it can"),
        (raises(KeyError("mine")), "test_returned.py:"),
        (raises(AttributeError("no such")), "AttributeError: no such"),
        (raises(RuntimeError("")), "RuntimeError"),
        (lambda w: float(4 * w[0] ** 2 + w[1] ** 2), "float("),
        (lambda w: (4 * w[0] ** 2 + w[1] ** 2).item(), "t.item()"),
        (lambda w: sum((np.array([4.0, 1.0]) * w**2).tolist()), "t.tolist()"),
        (lambda w: 4 * w[0] ** 2 + w[1].item() ** 2, "t.item()"),
        (lambda w: 4 * w[0].value ** 2 + w[1].value ** 2 if isinstance(w, tg.Tensor) else 4 * w[0] ** 2 + w[1] ** 2,
         "it returned a number that changes with the parameters"),
    ],
)  # fmt: skip
def test_a_loss_that_fails_on_tensors_alone_is_compared_with_finite_differences(loss: Any, note: str) -> None:
    w = np.array([1.0, -2.0])
    report = check(loss, w, lambda w: (4 * w[0] ** 2 + w[1] ** 2, np.array([8.0, 2.0]) * w))
    assert report.ok
    assert report.forward[0].comparison.verdict == "agree"
    assert report.parameters[0].autodiff is None
    assert report.notes[0].startswith("autodiff cannot follow this loss (")
    assert note in report.notes[0]
    assert not check(loss, w, lambda w: np.array([8.0, 2.1]) * w).ok


def test_of_a_loss_that_fails_on_arrays_too_that_error_is_raised() -> None:
    def loss(w: Any) -> Any:
        raise KeyError("mine" if isinstance(w, tg.Tensor) else "on arrays")

    with pytest.raises(KeyError, match="on arrays"):
        check(loss, 1.0)


def test_modules_that_fill_arrays_in_place_are_followed(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "filling_layers.py").write_text(
        "import math\nimport numpy as np\n\ndef scaled(w):\n    out = np.zeros(2)\n    for i in range(2):\n"
        "        out[i] = w[i] * math.exp(w[i])\n    return out\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    import filling_layers  # type: ignore[import-not-found]

    def loss(w: Any) -> Any:
        return np.sum(filling_layers.scaled(w))

    w = np.array([0.5, 1.0])
    by_hand = (1 + w) * np.exp(w)
    alone = check(loss, w, by_hand)
    assert alone.parameters[0].autodiff is None
    assert "adopt the module: tg.adopt(filling_layers)" in alone.notes[0]
    followed = check(loss, w, by_hand, modules=[filling_layers])
    assert followed.ok
    assert followed.parameters[0].autodiff is not None
    assert tg.adopt.modules() == ()


def test_parameters_in_a_list_are_called_what_the_loss_unpacks_them_as() -> None:
    def loss(params: Any) -> Any:
        W, b = params
        return np.sum(np.tanh(W) * b)

    def by_hand(params: Any) -> Any:
        W, b = params
        return [(1 - np.tanh(W)) * b, np.tanh(W)]

    report = tg.check.gradients(loss, [np.array([0.3, -0.2]), np.array([1.0, 2.0])], by_hand, evaluations=0)
    assert [(p.name, p.is_wrong) for p in report.parameters] == [("W", True), ("b", False)]
