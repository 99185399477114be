"""vjp, jvp, grad and value_and_grad: forms of parameters, composition, and what they refuse."""

from __future__ import annotations

from collections import OrderedDict, namedtuple
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_cnn as tg

Pair = namedtuple("Pair", "W b")


@dataclass
class Layer:
    W: Any
    b: Any


@dataclass(frozen=True)
class Net:
    layers: list[Layer]
    scale: float
    nothing: None = None


def test_parameters_in_any_nesting() -> None:
    W, b = np.array([[1.0, 2.0]]), np.array([3.0])
    for parameters, pick in [
        ({"W": W, "b": b}, lambda p: (p["W"], p["b"])),
        ([W, b], lambda p: p),
        ((W, b), lambda p: p),
        (Pair(W, b), lambda p: (p.W, p.b)),
        (Layer(W, b), lambda p: (p.W, p.b)),
        (Net([Layer(W, b)], 2.0), lambda p: (p.layers[0].W, p.layers[0].b)),
        (OrderedDict(W=W, deep={"er": (b, None)}), lambda p: (p["W"], p["deep"]["er"][0])),
    ]:
        gradient = tg.grad(lambda p, pick=pick: np.sum(pick(p)[0] ** 2 * pick(p)[1]))(parameters)
        assert type(gradient) is type(parameters)
        np.testing.assert_array_equal(pick(gradient)[0], 2 * W * b)
        np.testing.assert_array_equal(pick(gradient)[1], [5.0])


def test_a_frozen_dataclass_keeps_its_fields() -> None:
    gradient = tg.grad(lambda net: net.scale * net.layers[0].b)(Net([Layer(1.0, 4.0)], 3.0))
    assert gradient == Net([Layer(0.0, 3.0)], 4.0)


def test_a_leaf_is_named_by_its_place() -> None:
    names = []

    def f(net):
        names.extend([net.layers[0].W.name, net.layers[0].b.name, net.scale.name])
        return net.scale * 1.0

    tg.grad(f)(Net([Layer(1.0, 2.0)], 3.0))
    assert names == ["layers[0].W", "layers[0].b", "scale"]


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        (3, r"^grad: the argument is 3 \(int\); expected floats\. Write 1\.0 for 1, or use \.astype\(float\)$"),
        (memoryview(b"a"), r"the argument is <memory at .*> \(memoryview\); expected floats$"),
        ({"n": True}, r"n is True \(bool\)"),
        ({"layers": [{"W": np.arange(3)}]}, r"layers\[0\]\.W is an array of dtype int"),
        (("relu",), r"\[0\] is 'relu' \(str\)"),
        ({1: 2j}, r"\[1\] is 2j \(complex\)"),
    ],
)
def test_what_is_not_of_floats_is_named(parameters: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        tg.grad(lambda p: 1.0)(parameters)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda x: None, "the function returned no array; expected one number$"),
        (lambda x: "x", r"the function returned 'x' \(str\); expected one number$"),
        (lambda x: (x, x), "returned 2 arrays; expected one number.* has_aux=True"),
    ],
)
def test_a_result_of_which_there_is_no_gradient_is_named(function: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        tg.grad(function)(1.0)


NO_DERIVATIVE = {
    "a boolean": lambda x: np.allclose(x, 1.0),
    "a comparison": lambda x: x[0] > 0,
    "a place": lambda x: np.argmax(x),
    "a rounded integer": lambda x: int(x.value[0]),
    "an array of integers": lambda x: x.astype(int)[0],
    "an integer": lambda x: 0,
    "a taken number": lambda x: float(x.value[0]),
    "a number computed of one": lambda x: 2.0 * float(tg.stop_gradient(x)[0]),
}


@pytest.mark.parametrize("derivative", [tg.grad, tg.value_and_grad, tg.jacobian, tg.hessian])
@pytest.mark.parametrize("function", NO_DERIVATIVE.values(), ids=NO_DERIVATIVE)
def test_what_has_no_derivative_is_not_taken_for_a_constant_function(derivative: Any, function: Any) -> None:
    with pytest.raises(TypeError, match=r"no derivative|gradient is lost"):
        derivative(function)(np.ones(2))


@pytest.mark.filterwarnings("ignore::tinygrad_cnn.GradientLostWarning")
@pytest.mark.parametrize("take", [lambda t: t.item(), lambda t: t.tolist(), lambda t: 2 * t.item()])
def test_a_number_that_item_gives_is_not_taken_for_a_constant_function(take: Any) -> None:
    with pytest.raises(TypeError, match="its gradient is lost"):
        tg.grad(lambda x: take(np.sum(x * x)))(np.ones(2))


def test_a_constant_function_has_a_gradient_of_zero() -> None:
    outside = tg.Tensor(3.0)
    for constant in (lambda x: 3.0, lambda x: outside, lambda x: outside.value, lambda x: np.float64(2)):
        assert list(tg.grad(constant)(np.ones(2))) == [0, 0]
    assert tg.grad(lambda x: 0.0 if x < 0 else x * x)(-1.0) == 0


def test_the_operands_of_forward_mode_are_lists() -> None:
    with pytest.raises(TypeError, match=r"jvp: primals is of type float; expected a list or tuple"):
        tg.jvp(np.sin, 1.0, 1.0)


def test_an_argument_by_name_is_none_to_differentiate_by() -> None:
    with pytest.raises(ValueError, match="no positional argument was given"):
        tg.grad(lambda x: x * x)(x=2.0)


def test_value_and_grad_gives_plain_numbers_and_arrays() -> None:
    value, gradient = tg.value_and_grad(lambda x: np.sum(x**2))(np.array([1.0, 2.0]))
    assert type(value) is np.float64
    assert type(gradient) is np.ndarray
    assert (value, list(gradient)) == (5, [2, 4])


def test_gradients_of_several_arguments_settings_and_more_results() -> None:
    def f(x, y, *, power):
        return x * y**power, {"product": x * y}

    (value, more), (dx, dy) = tg.value_and_grad(f, argnums=(0, 1), has_aux=True)(2.0, 3.0, power=2)
    assert (value, more, dx, dy) == (18, {"product": 6}, 9, 12)
    assert type(more["product"]) is np.float64
    assert tg.grad(f, argnums=1, has_aux=True)(2.0, 3.0, power=2) == (12, {"product": 6})


def test_more_beside_a_number_keeps_its_history_where_the_number_has_none() -> None:
    def f(w: Any) -> Any:
        _, more = tg.grad(lambda x: (x**2, 5 * w), has_aux=True)(2.0)
        return more * w

    assert tg.grad(f)(3.0) == 30


def test_a_gradient_is_the_receivers_own() -> None:
    x = np.ones(2)
    for f in (lambda p: np.sum(p[0] + p[1]), lambda p: np.sum(p[0].reshape(1, 2) + p[1])):
        a, b = tg.grad(f)((x, x))
        a *= 5
        assert list(b) == [1, 1]
    _, pullback = tg.vjp(lambda x: x, x)
    cotangent = np.ones(2)
    pullback(cotangent)[0][0] = 5
    assert list(cotangent) == [1, 1]


@pytest.mark.parametrize("argnums", [2, -3, (0, 2), (0, 0), (1, -1)])
def test_arguments_that_are_not_there_or_named_twice_are_refused(argnums) -> None:
    with pytest.raises(ValueError, match=r"argnums is .*; expected distinct indices from -2 to 1"):
        tg.grad(lambda x, y: x * y, argnums)(2.0, 3.0)


def test_arguments_are_counted_from_the_end_too() -> None:
    assert tg.grad(lambda x, y: x * y * y, -1)(2.0, 3.0) == 12.0
    assert tg.jacobian(lambda x, y: x * y * y, -1)(2.0, 3.0) == 12.0
    assert type(tg.jacobian(np.square)(3.0)) is np.float64


def test_a_tangent_has_the_shape_of_its_primal() -> None:
    with pytest.raises(ValueError, match=r"the tangent of argument\[0\] has shape \(2,\); expected \(\)"):
        tg.jvp(np.sin, [1.0], [np.ones(2)])


def test_what_a_function_does_not_depend_on_has_gradient_0() -> None:
    gradient = tg.grad(lambda p: p["a"] * 2.0)({"a": 1.0, "b": np.ones(2)})
    assert (gradient["a"], list(gradient["b"])) == (2, [0, 0])
    assert tg.grad(lambda x: 5.0)(1.0) == 0


def test_more_than_one_number_has_no_gradient() -> None:
    with pytest.raises(ValueError, match=r"the result has shape \(2,\); expected one number\. Reduce it"):
        tg.grad(lambda x: x)(np.ones(2))


def test_a_function_of_several_results_is_told_what_to_do() -> None:
    with pytest.raises(TypeError, match=r"returned 2 arrays.*has_aux=True"):
        tg.grad(lambda x: (x, x))(1.0)
    with pytest.raises(ValueError, match=r"the result has shape \(2,\)"):
        tg.grad(lambda x: np.ones(2))(1.0)


def test_gradients_compose() -> None:
    f = tg.grad(tg.grad(tg.grad(lambda x: np.exp(2.0 * x))))
    assert f(0.5) == pytest.approx(8 * np.exp(1.0), rel=1e-14)


def test_a_gradient_of_a_constant_derivative_is_0() -> None:
    derivative = lambda x: 3.0 * x
    for expected in (3, 0, 0):
        derivative = tg.grad(derivative)
        assert derivative(2.0) == expected


def test_there_is_no_perturbation_confusion() -> None:
    """d/dx [x * d/dy (x + y)] = 1, where an engine that confuses the two gives 2."""
    assert tg.grad(lambda x: x * tg.grad(lambda y: x + y)(1.0))(1.0) == 1
    assert tg.grad(lambda x: x * tg.grad(lambda y: x * y)(2.0))(3.0) == 6
    assert tg.jvp(lambda x: x * tg.jvp(lambda y: x * y, [2.0], [1.0])[1], [3.0], [1.0])[1] == 6


def test_a_gradient_flows_to_a_tensor_that_a_function_closes_over() -> None:
    w = tg.Tensor(3.0)
    slope = tg.grad(lambda x: w * x**2)(2.0)
    assert isinstance(slope, tg.Tensor)
    slope.backward()
    assert (slope.value, w.grad) == (12, 4)


def test_a_tensor_made_within_a_function_is_its_own_affair() -> None:
    assert type(tg.grad(lambda x: tg.Tensor(2.0) * x)(1.0)) is np.float64


def test_gradients_of_gradients_through_max_pool_and_im2col() -> None:
    x = np.random.default_rng(0).permutation(np.arange(32.0)).reshape(1, 2, 4, 4) / 10

    def f(x):
        return np.sum(tg.max_pool2d(x, 2) ** 4) + np.sum(tg.im2col(x, 3) ** 4)

    def third(x):
        second = tg.grad(lambda x: np.sum(tg.grad(f)(x)))
        return tg.grad(lambda x: np.sum(second(x)))(x)

    won = tg.grad(lambda x: np.sum(tg.max_pool2d(x, 2)))(x)
    seen = tg.grad(lambda x: np.sum(tg.im2col(x, 3)))(x)
    np.testing.assert_allclose(third(x), 24 * x * (won + seen), rtol=1e-13)


def test_vjp_of_several_results_and_arguments() -> None:
    def f(a, p):
        return {"sum": a + p["b"], "product": a * p["b"]}

    value, pullback = tg.vjp(f, np.array([1.0, 2.0]), {"b": 3.0})
    assert list(value["product"]) == [3, 6]
    for _ in range(2):  # as often as one likes
        da, dp = pullback({"sum": np.array([1.0, 0.0]), "product": np.array([1.0, 1.0])})
        assert list(da) == [4, 3]
        assert dp == {"b": 4}
    with pytest.raises(ValueError, match="the cotangent"):
        pullback(1.0)
    with pytest.raises(ValueError, match=r"cotangent has shape \(3,\)"):
        pullback({"sum": np.ones(3), "product": np.ones(2)})


def test_vjp_of_a_result_that_is_given_twice_adds_its_cotangents() -> None:
    _, pullback = tg.vjp(lambda x: (y := x * 2.0, y), 1.0)
    assert pullback((1.0, 10.0)) == (22,)


def test_jvp_in_any_form() -> None:
    value, tangent = tg.jvp(lambda p: (p["a"] ** 2, p["b"]), [{"a": 3.0, "b": 1.0}], [{"a": 1.0, "b": 5.0}])
    assert (value, tangent) == ((9, 1), (6, 5))
    with pytest.raises(ValueError, match="expected the tree structure of the primals"):
        tg.jvp(np.sin, [1.0], [{"a": 1.0}])


def test_derivatives_of_a_derivative_along_a_direction() -> None:
    along = lambda x: tg.jvp(lambda y: y**3, [x], [1.0])[1]
    assert along(2.0) == 12
    assert tg.grad(along)(2.0) == 12
    assert tg.grad(tg.grad(along))(2.0) == 6
    assert tg.jvp(tg.grad(lambda x: x**3), [2.0], [1.0]) == (12, 12)


@given(st.lists(st.floats(-2, 2), min_size=1, max_size=4), st.floats(-2, 2), st.floats(-2, 2))
def test_a_gradient_is_linear_in_the_function(x: list[float], a: float, b: float) -> None:
    at = np.array(x)
    f, g = (lambda x: np.sum(np.tanh(x))), (lambda x: np.sum(x**3))
    combined = tg.grad(lambda x: a * f(x) + b * g(x))(at)
    np.testing.assert_allclose(combined, a * tg.grad(f)(at) + b * tg.grad(g)(at), rtol=1e-12, atol=1e-12)


def test_a_gradient_may_be_taken_without_recording_around_it() -> None:
    """`no_grad` is about Tensors from outside; a transform makes its own."""
    w = tg.Tensor(3.0)
    with tg.no_grad():
        assert tg.grad(np.sin)(0.0) == 1
        slope = tg.grad(lambda x: w * x)(1.0)
        assert type(slope) is np.float64
        assert slope == 3
        assert tg.grad(lambda x: x * x)(w) == 6


def _list_in_itself():
    tree = [1.0]
    tree.append(tree)
    return tree


def _dict_in_itself():
    tree = {"W": 1.0, "layers": [{"b": 2.0}]}
    tree["layers"][0]["all"] = tree
    return tree


@pytest.mark.parametrize("transform", [tg.grad, tg.value_and_grad, tg.jacobian, tg.hessian])
@pytest.mark.parametrize(("make", "where"), [(_list_in_itself, r"'\[1\]'"), (_dict_in_itself, r"'layers\[0\].all'")])
def test_a_container_that_holds_itself_is_refused(transform, make, where: str) -> None:
    with pytest.raises(ValueError, match=rf"a container contains itself \({where} is the outermost one\)"):
        transform(lambda p: p)(make())
    with pytest.raises(ValueError, match="a container contains itself"):
        tg.grad(lambda x: make())(1.0)


def test_a_container_may_stand_at_two_places() -> None:
    shared = [3.0]
    assert tg.grad(lambda p: p[0][0] * p[1][0] ** 2)([shared, shared]) == [[9.0], [18.0]]


@pytest.mark.parametrize("change", ["before", "never"])
def test_a_view_of_what_has_changed_is_an_argument_and_comes_from_without_too(change) -> None:
    def f(y):
        t = y * 1.0
        view = t[0:1]
        if change == "before":
            t[1] = y[0]
        inner = tg.grad(lambda u: np.sum(u**2 * view))(view)  # 2 * view ** 2
        return np.sum(inner)

    y = np.array([1.5, 2.0])
    assert tg.value_and_grad(f)(y)[0] == f(y) == 4.5
    np.testing.assert_array_equal(tg.grad(f)(y), [6.0, 0.0])


def test_a_tangent_through_a_checkpoint_that_closes_over_a_tensor_is_a_plain_number() -> None:
    def f(x):
        y = np.exp(x)
        return np.sum(tg.checkpoint(lambda t: t * y)(x))

    _, tangent = tg.jvp(f, [np.array([1.0])], [np.array([1.0])])
    assert type(tangent) is np.float64
    assert tangent == pytest.approx(2 * np.e)


def test_what_a_checkpoint_returns_has_the_dtypes_and_the_layout_of_what_the_function_returns() -> None:
    def several(t):
        return np.sum(t), t.astype(np.float32).T, np.copy(t, "F")

    t = tg.Tensor(np.arange(6.0).reshape(2, 3))
    for kept, plain in zip(tg.checkpoint(several)(t), several(t.value), strict=True):
        assert kept.dtype == plain.dtype
        assert kept.strides == plain.strides
        assert isinstance(kept.node.like, np.generic) == isinstance(plain, np.generic)
