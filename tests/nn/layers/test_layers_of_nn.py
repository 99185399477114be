"""Layers: trees of parameters with static hyperparameters, sizes from an example, and layers of one's own."""

from __future__ import annotations

import copy
import dataclasses
import pickle
import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import tinygrad_cnn as tg
from tinygrad_cnn import nn

X = np.random.default_rng(1).standard_normal((4, 1, 8, 8))
Y = np.array([0, 2, 1, 2])


def lenet(x=X, seed=0):
    return nn.Sequential(
        nn.Conv2d(None, 4, 3, padding="same"),
        nn.relu,
        nn.MaxPool2d(2),
        nn.Residual(nn.Conv2d(None, 4, 3, padding="same")),
        nn.Flatten(),
        nn.Linear(None, 3),
    ).init(np.random.default_rng(seed), x)


def loss(model, x, y):
    return nn.softmax_cross_entropy(model(x), y)


def assert_equal_trees(a, b) -> None:
    assert tg.tree.structure(a) == tg.tree.structure(b)
    for x, y in zip(tg.tree.flatten(a).leaves, tg.tree.flatten(b).leaves, strict=True):
        np.testing.assert_array_equal(x, y)


def test_a_model_is_a_tree_of_its_parameters_alone() -> None:
    assert tg.tree.flatten(lenet()).names == [
        "layers[0].weight",
        "layers[0].bias",
        "layers[3].layer.weight",
        "layers[3].layer.bias",
        "layers[5].weight",
        "layers[5].bias",
    ]


def test_a_gradient_has_the_structure_of_the_model() -> None:
    model = lenet()
    value, gradient = tg.value_and_grad(loss)(model, X, Y)
    assert value == loss(model, X, Y)
    assert tg.tree.structure(gradient) == tg.tree.structure(model)
    for optimiser in (nn.SGD(0.001, momentum=0.9), nn.AdamW(0.001)):
        new, _ = optimiser.update(model, gradient, optimiser.init(model))
        assert tg.tree.structure(new) == tg.tree.structure(model)
        assert loss(new, X, Y) < value


def test_init_follows_from_the_generator() -> None:
    assert_equal_trees(lenet(), lenet())
    assert not np.array_equal(lenet().layers[0].weight, lenet(seed=1).layers[0].weight)


def test_init_leaves_the_layers_that_it_is_given_as_they_are() -> None:
    layer = nn.Linear(None, 3)
    nn.Sequential(layer).init(np.random.default_rng(0), np.ones((2, 5)))
    assert layer.weight is None


def test_init_keeps_parameters_that_are_there() -> None:
    trained = nn.Linear(2, 3).init(np.random.default_rng(0), np.ones((1, 2)))
    model = nn.Sequential(trained, nn.Linear(None, 1)).init(np.random.default_rng(1), np.ones((1, 2)))
    assert model.layers[0].weight is trained.weight
    assert model.layers[1].weight.shape == (1, 3)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_parameters_have_the_dtype_of_the_example(dtype) -> None:
    model = lenet(X.astype(dtype))
    assert {leaf.dtype for leaf in tg.tree.flatten(model).leaves} == {np.dtype(dtype)}
    assert model(X.astype(dtype)).dtype == dtype


COPIES = {
    "pickle": lambda model: pickle.loads(pickle.dumps(model)),
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "replace": dataclasses.replace,
    "tree": lambda model: tg.tree.map(np.copy, model),
}


@pytest.mark.parametrize("copied", COPIES.values(), ids=COPIES)
def test_a_copy_is_the_same_model(copied) -> None:
    model = lenet()
    assert_equal_trees(copied(model), model)
    np.testing.assert_array_equal(copied(model)(X), model(X))


def test_compiled_a_model_is_an_argument_like_others() -> None:
    step = tg.value_and_grad(loss)
    compiled = tg.compile(step)
    for model in (lenet(), lenet(seed=1)):
        (value, gradient), (expected, wanted) = compiled(model, X, Y), step(model, X, Y)
        np.testing.assert_allclose(value, expected, rtol=1e-12)
        assert tg.tree.structure(gradient) == tg.tree.structure(wanted)
        for a, b in zip(tg.tree.flatten(gradient).leaves, tg.tree.flatten(wanted).leaves, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-11, atol=1e-12)


def test_another_static_field_is_another_program() -> None:
    x = np.ones((1, 1, 5, 5))
    compiled = tg.compile(lambda model, x: model(x))
    for stride in (1, 2):
        model = nn.Conv2d(1, 1, 1, stride=stride).init(np.random.default_rng(0), x)
        np.testing.assert_allclose(compiled(model, x), model(x))


def test_a_program_follows_what_the_function_in_a_layer_closes_over() -> None:
    scale = 2.0

    def scaled(x):
        return scale * x

    compiled = tg.compile(lambda model, x: model(x))
    model = nn.Sequential(scaled)
    assert compiled(model, np.ones(3)).tolist() == [2.0, 2.0, 2.0]
    scale = 3.0
    assert compiled(model, np.ones(3)).tolist() == [3.0, 3.0, 3.0]


def test_the_source_of_a_program_returns_layers_with_their_static_fields() -> None:
    model = lenet()
    source = tg.program(tg.value_and_grad(loss))(model, X, Y).source()
    space: dict[str, Any] = {}
    exec(source, space)
    value, gradient = space["step"](model, X, Y)
    expected, wanted = tg.value_and_grad(loss)(model, X, Y)
    np.testing.assert_allclose(value, expected, rtol=1e-12)
    assert tg.tree.structure(gradient) == tg.tree.structure(wanted)
    np.testing.assert_allclose(gradient.layers[0].weight, wanted.layers[0].weight, rtol=1e-11)


def test_the_cross_check_names_parameters_and_a_picture_shows_the_model(tmp_path) -> None:
    model = lenet()
    report = tg.check.gradients(lambda model: loss(model, X, Y), model)
    assert report.ok, str(report)
    assert "layers[3].layer.weight" in str(report)
    tg.render(loss(tg.tree.map(tg.Tensor, model), X, Y), tmp_path / "model.txt")
    assert "conv2d" in (tmp_path / "model.txt").read_text()


def test_printed_a_model_is_a_table_of_shapes_and_counts() -> None:
    lines = str(lenet()).splitlines()
    cells = [re.split("  +", line.strip()) for line in lines]
    conv = "Conv2d(1, 4, 3, padding='same')"
    assert cells[3] == ["layers[0]", conv, "(4, 4, 8, 8)", "weight (4, 1, 3, 3), bias (4,)", "40"]
    conv = "Conv2d(4, 4, 3, padding='same')"
    assert cells[7] == ["layer", conv, "(4, 4, 4, 4)", "weight (4, 4, 3, 3), bias (4,)", "148"]
    assert cells[-1] == ["total", str(40 + 148 + 4 * 4 * 4 * 3 + 3)]
    assert not any(line.endswith(" ") for line in lines)


def test_before_init_a_table_has_no_shapes() -> None:
    assert str(nn.Linear(None, 3)).splitlines()[2].split() == ["Linear(None,", "3)"]


def test_repr_is_one_line_with_what_differs_from_the_defaults() -> None:
    model = nn.Sequential(nn.Conv2d(None, 4, (3, 1), stride=2), np.tanh, nn.Residual(nn.Linear(4, 4, use_bias=False)))
    assert repr(model) == (
        "Sequential(Conv2d(None, 4, (3, 1), stride=2), Function(tanh), Residual(Linear(4, 4, use_bias=False)))"
    )


# Layers of one's own.


@dataclass(frozen=True)
class Block(nn.Layer):
    first: nn.Layer
    more: dict[str, Any]

    def __call__(self, x):
        h = nn.relu(self.first(x))
        for layer in self.more["layers"]:
            h = layer(h)
        return self.helped(h) + x

    def helped(self, h):
        return self.more["last"](h)


def block(size=3):
    return Block(
        nn.Linear(None, 4), {"last": nn.Linear(None, size), "layers": [nn.Linear(None, 5), nn.Linear(None, 6)]}
    )


def test_a_layer_of_ones_own_is_a_dataclass_with_call() -> None:
    x = np.ones((2, 3))
    model = nn.Sequential(block(), block()).init(np.random.default_rng(0), x)
    assert tg.tree.flatten(model).names[:3] == [
        "layers[0].first.weight",
        "layers[0].first.bias",
        "layers[0].more.last.weight",
    ]
    assert model.layers[1].more["layers"][1].weight.shape == (6, 5)
    report = tg.check.gradients(lambda model: np.sum(model(x) ** 2), model)
    assert report.ok, str(report)


@dataclass(frozen=True)
class Scaled(nn.Layer):
    inner: nn.Layer
    power: int = nn.static(1)
    scale: Any = None

    def parameters(self, rng, x):
        return {"scale": np.full(x.shape[-1], 2.0)}

    def __call__(self, x):
        return self.inner(x * self.scale**self.power)


def test_a_layer_of_ones_own_may_have_parameters_and_static_fields() -> None:
    x = np.ones((1, 3), np.float32)
    model = Scaled(nn.Linear(None, 1), power=2).init(np.random.default_rng(0), x)
    assert model.scale.dtype == np.float32
    np.testing.assert_allclose(model(x), 4 * np.sum(model.inner.weight) * np.ones((1, 1)), rtol=1e-6)
    assert "power" not in "".join(tg.tree.flatten(model).names)
    assert tg.tree.structure(model) != tg.tree.structure(dataclasses.replace(model, power=1))
    assert tg.tree.structure(model) != tg.tree.structure(dataclasses.replace(model, power=2.0))


def test_what_is_inside_a_layer_of_ones_own_is_trained_too() -> None:
    x = np.random.default_rng(0).standard_normal((6, 3))
    model = Scaled(nn.Sequential(nn.Dropout(0.5), nn.BatchNorm())).init(np.random.default_rng(0), x)
    state = model.init_state()
    assert tg.tree.flatten(state).names == ["inner['layers[1]'].mean", "inner['layers[1]'].variance"]
    out, new = model.train(x, state, np.random.default_rng(5))
    dropped = nn.dropout(2 * x, 0.5, np.random.default_rng(5))
    expected, (mean, variance) = nn.batch_norm(dropped, (np.zeros(3), np.ones(3)), np.ones(3), np.zeros(3))
    np.testing.assert_array_equal(out, expected)
    np.testing.assert_array_equal(new["inner"]["layers[1]"]["mean"], mean)
    predicted = nn.batch_norm(2 * x, (mean, variance), np.ones(3), np.zeros(3), training=False)[0]
    np.testing.assert_array_equal(model.predict(x, new), predicted)


def test_a_layer_that_is_called_twice_has_one_state() -> None:
    @dataclass(frozen=True)
    class Twice(nn.Layer):
        norm: nn.BatchNorm

        def __call__(self, x):
            return self.norm(self.norm(x))

    x = np.random.default_rng(0).standard_normal((6, 3))
    model = Twice(nn.BatchNorm()).init(np.random.default_rng(0), x)
    _, state = model.train(x, model.init_state())
    out, once = model.norm.train(x, model.norm.init_state())
    _, twice = model.norm.train(out, once)
    assert_equal_trees(state, {"norm": twice})


@dataclass(frozen=True)
class Tied(nn.Layer):
    embedding: nn.Embedding

    def __call__(self, x):
        return self.embedding(x) @ self.embedding.weight.T


def test_a_layer_may_take_the_parameters_of_a_sublayer() -> None:
    model = Tied(nn.Embedding(5, 3)).init(np.random.default_rng(0), np.array([1, 2]))
    np.testing.assert_allclose(model(np.array([1])), model.embedding.weight[1:2] @ model.embedding.weight.T)


@dataclass(frozen=True)
class Reaching(nn.Layer):
    inner: nn.Sequential

    def __call__(self, x):
        for layer in self.inner.layers:
            x = layer(x)
        return x


@dataclass(frozen=True)
class Predicting(nn.Layer):
    inner: nn.Layer

    def __call__(self, x):
        return self.inner.predict(x)


@pytest.mark.parametrize("kind", [Reaching, Predicting])
def test_a_layer_that_would_not_be_trained_is_refused(kind) -> None:
    """What is inside a sublayer is reached without its stand-in: dropout would drop nothing."""
    model = kind(nn.Sequential(nn.Dropout(0.5)))
    with pytest.raises(TypeError, match=r"expected that it calls inner as a whole, or takes its parameters"):
        model.train(np.ones(3), None, np.random.default_rng(0))


def test_without_state_there_is_none() -> None:
    model = lenet()
    assert model.init_state() is None
    out, state = model.train(X, None, np.random.default_rng(0))
    assert state is None
    np.testing.assert_array_equal(out, model(X))


ERRORS = {
    "uninitialised": (
        lambda: nn.Linear(2, 3)(np.ones((1, 2))),
        r"Linear\(2, 3\): has no parameters yet; expected .*init",
    ),
    "channels": (
        lambda: lenet()(np.ones((2, 3, 8, 8))),
        r"Conv2d\(1, 4.*x has shape \(2, 3, 8, 8\); expected 1 channels",
    ),
    "features": (
        lambda: lenet()(np.ones((2, 1, 9, 12))),
        r"Linear\(64, 3\): x has shape \(2, 96\); expected 64 features",
    ),
    "no generator": (lambda: nn.Linear(2, 3).init(0, np.ones(2)), r"Linear\(2, 3\).init: rng is 0; expected a numpy"),
    "no layer": (lambda: nn.Sequential(3), r"Sequential: 3 is no layer; expected layers"),
    "unhashable": (
        lambda: nn.Conv2d(1, 1, [3, 3]),
        r"Conv2d: window is \[3, 3\]; expected what can be hashed",
    ),
    "no state": (
        lambda: nn.BatchNorm(2).init(np.random.default_rng(0), np.ones((3, 2)))(np.ones((3, 2))),
        r"BatchNorm\(2\): no state is given; expected model\(x, state\)",
    ),
    "no rng": (lambda: nn.Dropout(0.5).train(np.ones(3)), r"Dropout\(\): train is given no rng"),
    "residual": (
        lambda: nn.Residual(nn.Linear(3, 2)).init(np.random.default_rng(0), np.ones((1, 3))),
        r"Residual: the layer's result has shape \(1, 2\) and what is added to it \(1, 3\)",
    ),
    "no size": (lambda: nn.Linear(None, 0), "Linear: outputs is 0; expected an integer of at least 1"),
    "half a size": (lambda: nn.Conv2d(None, 2.5, 3), "Conv2d: filters is 2.5; expected an integer of at least 1"),
    "groups": (
        lambda: nn.Conv2d(None, 4, 3, groups=2).init(np.random.default_rng(0), np.ones((1, 3, 5, 5))),
        r"Conv2d\(None, 4, 3, groups=2\): groups is 2; expected a divisor of 3 channels",
    ),
    "heads": (
        lambda: nn.MultiHeadAttention(2).init(np.random.default_rng(0), np.ones((1, 4, 3))),
        r"MultiHeadAttention\(2\): the features are 3; expected a multiple of 2 heads",
    ),
    "too few axes": (
        lambda: nn.Conv2d(None, 4, 3).init(np.random.default_rng(0), np.ones((5, 5))),
        r"Conv2d\(None, 4, 3\): x has shape \(5, 5\); expected channels along axis -3",
    ),
    "a hyperparameter that is not static": (
        lambda: Tied(3),
        r"Tied: embedding is 3, in a field for parameters.*Declare .* embedding: ... = nn.static\(\)",
    ),
    "no call": (lambda: nn.Layer()(1.0), "Layer: has no __call__"),
}


@pytest.mark.parametrize(("wrong", "message"), ERRORS.values(), ids=ERRORS)
def test_an_error_names_the_layer_and_what_was_expected(wrong, message) -> None:
    with pytest.raises((ValueError, TypeError, NotImplementedError), match=message):
        wrong()


# Static fields of dataclasses in general.


@dataclass
class Options:
    weight: Any
    option: Any = nn.static(1)


@pytest.mark.parametrize(
    ("one", "other"), [(1, 1.0), (1, True), ((1, 2), (1, 2.0)), (np.tanh, np.sin), ("same", "valid"), (0, None)]
)
def test_structures_differ_where_a_static_field_does(one, other) -> None:
    first, second = Options(1.0, one), Options(1.0, other)
    assert tg.tree.structure(first) == tg.tree.structure(Options(2.0, one))
    assert tg.tree.structure(first) != tg.tree.structure(second)
    assert tg.tree.flatten(first).names == ["weight"]
    assert tg.tree.map(lambda w: w + 1, first) == Options(2.0, one)


def test_a_static_field_that_cannot_be_hashed_is_named() -> None:
    with pytest.raises(TypeError, match=r"Options has the static fields \{'option': \[1\]\}; expected values that can"):
        tg.compile(lambda options: options.weight * 2)(Options(np.ones(2), [1]))


@pytest.mark.parametrize("leaf", [1.0, np.ones(2)])
def test_what_a_field_holds_besides_arrays_stays_in_its_place(leaf) -> None:
    tree = {"a": Options(None), "b": [Options(leaf), (), Options([leaf, None, {}])], "c": Options((leaf, leaf))}
    leaves, structure = tg.tree.leaves_and_structure(tree)
    flat = tg.tree.flatten(tree)
    assert flat.names == ["b[0].weight", "b[2].weight[0]", "c.weight[0]", "c.weight[1]"]
    assert [id(x) for x in leaves] == [id(x) for x in flat.leaves]
    rebuilt = flat.rebuild([1.0, 2.0, 3.0, 4.0])
    assert rebuilt == {
        "a": Options(None), "b": [Options(1.0), (), Options([2.0, None, {}])], "c": Options((3.0, 4.0))
    }  # fmt: skip
    assert tg.tree.structure(rebuilt) == structure


def test_a_compiled_function_refuses_a_list_that_contains_itself() -> None:
    endless: list[Any] = []
    endless.append(endless)
    with pytest.raises(ValueError, match="a container contains itself"):
        tg.compile(lambda x: x)(endless)
