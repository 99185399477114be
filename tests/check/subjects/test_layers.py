"""`tg.check.layer`: one line for a layer of each of the public styles."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tinygrad_cnn as tg

sys.path.insert(0, str(Path(__file__).parent))
import layers_in_public_styles as styles

layer = tg.check.layer
rng = np.random.default_rng(0)
X, X2 = rng.standard_normal((5, 3)), rng.standard_normal((3, 2, 6))
W, W2, b = rng.standard_normal((3, 4)), rng.standard_normal((12, 4)), 0.1 * rng.standard_normal(4)
T = np.array([0, 1, 2, 2, 0])


def pair(forward: Any, backward: Any, wrong: float) -> Any:
    return forward, lambda dout, cache: backward(dout, cache, wrong)


LAYERS: dict[str, tuple[Any, Any, list[str], str]] = {
    "numpy-ml": (lambda w: lambda: styles.NumpyMl(4, wrong=w), X, ["X", "W", "b"], "W"),
    "numpy-ml Multiply": (lambda w: lambda: styles.NumpyMlMultiply(w), [X, X + 1], ["X[0]", "X[1]"], "X[1]"),
    "numpy-ml cell": (lambda w: lambda: styles.NumpyMlCell(w), X, ["Xt", "W"], "W"),
    "DLFS Affine": (lambda w: lambda: styles.DlfsAffine(W2, b, wrong=w), X2, ["x", "W", "b"], "b"),
    "DLFS Relu": (lambda w: lambda: styles.DlfsRelu(w), X, ["x"], "x"),
    "DLFS SoftmaxWithLoss": (lambda w: lambda: styles.DlfsSoftmaxWithLoss(w), (X, T), ["x"], "x"),
    "DLFS Dropout": (lambda w: lambda: styles.DlfsDropout(w), X, ["x"], "x"),
    "DLFS 2": (lambda w: lambda: styles.Dlfs2MatMul(W, b, wrong=w), X, ["x", "param_0", "param_1"], "param_0"),
    "cs231n affine": (
        lambda w: pair(styles.cs231n_forward, styles.cs231n_backward, w), (X2, W2, b), ["x", "w", "b"], "b",
    ),
    "cs231n relu": (lambda w: pair(styles.cs231n_relu_forward, styles.cs231n_relu_backward, w), X, ["x"], "x"),
    "cs231n lstm step": (
        lambda w: (
            styles.cs231n_lstm_step_forward, lambda dh, dc, cache: styles.cs231n_lstm_step_backward(dh, dc, cache, w),
        ),
        (X, X @ W, -X @ W, W), ["x", "prev_h", "prev_c", "Wx"], "x prev_h prev_c Wx",
    ),
    "cs231n net": (lambda w: lambda: styles.Cs231nNet(w), (X, T), ["W1", "b1"], "W1"),
    "ML-From-Scratch": (lambda w: lambda: styles.MlFromScratch(4, (3,), wrong=w), X, ["X", "W", "w0"], "W"),
    "ML-From-Scratch RNN": (
        lambda w: lambda: styles.MlFromScratchRecurrent(4, (2, 6), wrong=w), X2, ["X", "U", "W"], "W",
    ),
    "hipsternet": (
        lambda w: pair(styles.hipsternet_forward, styles.hipsternet_backward, w), (X, W[:, 0], W[:, 1]),
        ["X", "gamma", "beta"], "X",
    ),
    "tinynn": (lambda w: lambda: styles.TinynnBatchNorm(w), X, ["inputs", "gamma", "beta"], "inputs"),
}  # fmt: skip


@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_of_each_style_is_checked_in_one_line(name: str) -> None:
    make, inputs, checked, wrong_one = LAYERS[name]
    right = layer(make(1.0), inputs)
    assert right.ok, str(right)
    assert [p.name for p in right.parameters] == checked
    assert all(p.autodiff is not None for p in right.parameters)  # not by finite differences alone
    wrong = layer(make(1.5), inputs)
    assert [p.name for p in wrong.parameters if p.hand_derived_vs_autodiff.verdict == "differ"] == wrong_one.split()


def test_a_layer_itself_will_do_and_is_left_as_it_was() -> None:
    affine = styles.DlfsAffine(W2, b)
    assert layer(affine, X2).ok
    assert affine.dW is None


def test_random_numbers_go_on_as_before() -> None:
    np.random.seed(7)
    expected = np.random.rand()
    np.random.seed(7)
    layer(styles.DlfsDropout, X)
    assert np.random.rand() == expected


@pytest.mark.parametrize(
    "gradients",
    ["found", {"A": "store.dA"}, lambda made: made.store, "store"],
    ids=["dict of the right names", "paths", "function", "attribute"],
)
def test_parameters_and_gradients_may_be_anywhere(gradients: Any) -> None:
    class Inner:
        def __init__(self) -> None:
            self.A = W

    class Outer:
        def __init__(self) -> None:
            self.cell, self.store, self.found = Inner(), {}, {}

        def run(self, x: Any) -> Any:
            self.x = x
            return x @ self.cell.A

        def carry(self, g: Any) -> Any:
            self.found = {"A": self.x.T @ g}
            self.store = {"dA": self.x.T @ g}
            return g @ self.cell.A.T

    report = layer(Outer, X, parameters=["cell.A"], gradients=gradients, forward="run", backward="carry")
    assert report.ok
    assert [p.name.strip("[']") for p in report.parameters] == ["x", "cell.A"]


def test_values_of_parameters_may_be_given() -> None:
    report = layer(lambda: styles.DlfsAffine(None, None), X, parameters={"W": W, "b": b})
    assert report.ok
    np.testing.assert_array_equal(report.parameters[1].autodiff, report.parameters[1].hand_derived)


def test_functions_of_the_layer_may_stand_for_its_methods() -> None:
    report = layer(
        lambda: styles.DlfsAffine(W, b), X,
        forward=lambda made, x: np.tanh(made.forward(x)),
        backward=lambda made, g: made.backward(g * (1 - np.tanh(made.x @ made.W + made.b) ** 2)),
    )  # fmt: skip
    assert report.ok


def test_an_input_of_which_no_gradient_is_returned_is_named() -> None:
    report = layer(styles.Cs231nNet, (X, T))
    assert "X: the backward pass returned no gradient of it, so it is not checked" in report.notes


class Residual:
    """Two outputs, of which the backward pass takes the cotangents the other way round."""

    def forward(self, X_main: Any, X_skip: Any) -> Any:
        self.h = np.tanh(X_main)
        Y_main = X_main + self.h
        Y_skip = X_skip - self.h
        return Y_main, Y_skip

    def backward(self, dY_skip: Any, dY_main: Any) -> Any:
        return dY_main + (dY_main - dY_skip) * (1 - self.h**2), dY_skip


def test_cotangents_are_given_by_name_where_arguments_are_called_after_the_outputs() -> None:
    report = layer(Residual, (X, X[::-1]))
    assert report.ok, report
    assert "the backward pass takes the cotangents by name, in the order dY_skip, dY_main" in report.notes


class Projected:
    """A module whose parameters are a property that needs the first forward pass, and gradients `..._gradient`."""

    def __init__(self) -> None:
        self.projections: dict[str, Any] = {}

    @property
    def params(self) -> dict[str, Any]:
        return {"weights": (self.projections["weights"], None)}

    def forward(self, x: Any) -> Any:
        if not self.projections:
            self.projections["weights"] = self.weights = W
        self.x = x
        return x @ self.weights

    def backward(self, g: Any) -> Any:
        self.weights_gradient = self.x.T @ g
        return g @ self.weights.T


def test_properties_may_raise_or_hold_something_else() -> None:
    report = layer(Projected, X)
    assert report.ok, report
    assert [p.name for p in report.parameters] == ["x", "weights"]


class Shared:
    """A parameter that is an attribute, an entry of `params`, and one of a layer within, which uses it."""

    def __init__(self) -> None:
        self.inner = styles.DlfsAffine(W, b)
        self.params = [self.inner.W, self.inner.b]
        self.W = self.inner.W

    def forward(self, x: Any) -> Any:
        return self.inner.forward(x) + x @ self.W

    def backward(self, dout: Any) -> Any:
        dx = self.inner.backward(dout)
        self.grads = [2 * self.inner.dW, self.inner.db]
        return 2 * dx


def test_a_parameter_that_several_hold_is_one() -> None:
    report = layer(Shared, X)
    assert report.ok, report
    assert all(p.autodiff is not None and np.any(p.autodiff) for p in report.parameters)


class Stacked:
    """Layers within, one with attributes and one with dicts."""

    def __init__(self, wrong: float = 1.0) -> None:
        self.first, self.second = styles.DlfsAffine(W, b), styles.TinynnBatchNorm(wrong)

    def forward(self, x: Any) -> Any:
        return self.second.forward(self.first.forward(x))

    def backward(self, dout: Any) -> Any:
        return self.first.backward(self.second.backward(dout))


def test_parameters_of_layers_within_are_checked() -> None:
    report = layer(Stacked, X)
    assert report.ok, report
    names = [p.name.strip("[']") for p in report.parameters]
    assert names == ["x", "first.W", "first.b", "second.gamma", "second.beta"]
    assert not layer(lambda: Stacked(1.5), X).ok


class Collecting:
    """A layer within that keeps all that it was ever given, and makes its parameters at the first call."""

    class Inner(styles.TinynnBatchNorm):
        def __init__(self) -> None:
            super().__init__()
            self.given: list[Any] = []

        def forward(self, inputs: Any) -> Any:
            self.given.append(inputs)
            return super().forward(inputs)

        def backward(self, grad: Any) -> Any:
            (_,) = self.given
            return super().backward(grad)

    def __init__(self) -> None:
        self.inner = self.Inner()

    def forward(self, x: Any) -> Any:
        return self.inner.forward(x)

    def backward(self, dout: Any) -> Any:
        return self.inner.backward(dout)


def test_of_a_layer_that_can_run_but_once_the_inputs_are_checked() -> None:
    report = layer(Collecting, X)
    assert report.ok, report
    assert [p.name for p in report.parameters] == ["x"]


class Uninitialised:
    """What is added to np.empty has what was in memory in it, which may be zeros."""

    def __init__(self, made: Any) -> None:
        self.made = made

    def forward(self, x: Any) -> Any:
        return x[:, 1:] + x[:, :-1]

    def backward(self, dout: Any) -> Any:
        dx = np.zeros((5, 3))
        dx[...] = self.made((5, 3))
        dx[:, 1:] += dout
        dx[:, :-1] += dout
        return dx


def test_a_gradient_that_depends_on_what_was_in_memory_is_noted() -> None:
    note = "the backward pass uses elements of np.empty that it has not set: np.zeros is probably meant"
    assert note in layer(lambda: Uninitialised(lambda shape: np.empty(shape)), X).notes
    right = layer(lambda: Uninitialised(np.zeros), X)
    assert right.ok
    assert right.notes == []
    assert np.empty.__module__ == "numpy"  # which is as it was


HELPER = """
import numpy as np

def windows(x, size):
    out = np.zeros((x.shape[0], x.shape[1] - size + 1, size))
    for k in range(size):
        out[:, :, k] = x[:, k : x.shape[1] - size + 1 + k]
    return out
"""
CALLER = """
import helper_of_layers_test

class Windows:
    def forward(self, x):
        return helper_of_layers_test.windows(x, 2)

    def backward(self, dout):
        dx = np.zeros((dout.shape[0], dout.shape[1] + 1))
        dx[:, :-1] += dout[:, :, 0]
        dx[:, 1:] += dout[:, :, 1]
        return dx
"""


def test_a_buffer_that_another_module_fills_is_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "helper_of_layers_test.py").write_text(HELPER)
    (tmp_path / "caller_of_layers_test.py").write_text("import numpy as np" + CALLER)
    report = layer(importlib.import_module("caller_of_layers_test").Windows, X)
    assert report.ok
    assert report.parameters[0].autodiff is not None


class NoBackward:
    def forward(self, x: Any) -> Any:
        return x


class Silent:
    def __init__(self) -> None:
        self.W = W

    def forward(self, x: Any) -> Any:
        return x @ self.W

    def backward(self, dout: Any) -> None:
        pass


class Whole(Silent):
    def forward(self, x: Any) -> Any:
        return np.array([1, 2])


@pytest.mark.parametrize(
    ("make", "how", "message"),
    [
        (
            NoBackward,
            {},
            "layer: a NoBackward has no method backward or backward_pass or bprop or backprop; pass",
        ),
        (Silent, {"forward": "run"}, "layer: a Silent has no method run; pass forward="),
        (Silent, {}, "layer: the backward pass returned no gradient, and none of a parameter was found"),
        (Silent, {"parameters": ["W"]}, "layer: no gradient of W was found after the backward pass; pass gradients="),
        (Silent, {"parameters": ["V"]}, "layer: a Silent has no parameter V; it has W"),
        (
            Whole,
            {},
            "the forward pass of a Whole returned an object of type ndarray; expected an array of floats",
        ),
        (
            (lambda x: x, lambda d, cache: d),
            {},
            r"<lambda> returned an object of type ndarray; expected \(output, cache",
        ),
    ],
)
def test_what_is_missing_is_named(make: Any, how: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        layer(make, X, **how)
