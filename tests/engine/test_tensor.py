"""Tensor: NumPy's protocols, conversions that lose nothing by accident, and `backward`."""

from __future__ import annotations

import copy
import inspect
import pydoc
import re
import subprocess
import sys

import numpy as np
import pytest

import tinygrad_cnn as tg
from tinygrad_cnn.engine.primitive import implementations
from tinygrad_cnn.numpy_functions.lacking import INSTEAD


def test_operators_with_numbers_arrays_and_tensors_on_either_side() -> None:
    t, a = tg.Tensor([1.0, 2.0]), np.array([3.0, 4.0])
    for result, expected in [
        (t + a, [4, 6]), (a + t, [4, 6]), (1 + t, [2, 3]), (t - a, [-2, -2]), (a - t, [2, 2]), (1 - t, [0, -1]),
        (t * a, [3, 8]), (a * t, [3, 8]), (np.float64(2) * t, [2, 4]), (t / a, [1 / 3, 0.5]), (a / t, [3, 2]),
        (t**2, [1, 4]), (2**t, [2, 4]), (a**t, [3, 16]), (t @ a, 11), (a @ t, 11), (-t, [-1, -2]), (abs(-t), [1, 2]),
        (t - [1, 1], [0, 1]), ([1, 1] * t, [1, 2]),
    ]:  # fmt: skip
        assert isinstance(result, tg.Tensor)
        np.testing.assert_allclose(result.value, expected)


def test_comparisons_give_plain_arrays() -> None:
    t = tg.Tensor([1.0, 2.0])
    for result, expected in [(t > 1, [0, 1]), (t >= 1, [1, 1]), (t < t, [0, 0]), (t >= 1, [1, 1]), (t == [1, 3], [1, 0]), (t != 1, [0, 1])]:  # fmt: skip  # noqa: E501
        assert type(result) is np.ndarray
        assert list(result) == expected
    assert list(t == "no number") == [False, False]
    assert list(t != "no number") == [True, True]


def test_functions_without_a_derivative_give_plain_values() -> None:
    t = tg.Tensor([[3.0, -1.0]])
    assert np.argmax(t) == 0
    assert t.argmin() == 1
    assert np.shape(t) == (1, 2)
    assert list(np.sign(t)[0]) == [1, -1]
    assert np.isfinite(t).all()
    assert np.array_equal(t, np.array([[3.0, -1.0]]))


def test_it_has_numpys_attributes() -> None:
    t = tg.Tensor(np.ones((2, 3), np.float32), name="W")
    assert (t.shape, t.ndim, t.size, t.dtype, len(t), t.name) == ((2, 3), 2, 6, np.float32, 2, "W")
    assert [row.shape for row in t] == [(3,), (3,)]
    assert 1.0 in t
    assert t.T.shape == (3, 2)


def test_its_value_cannot_be_written_to() -> None:
    for t in (tg.Tensor([1.0, 2.0]), np.exp(tg.Tensor([1.0, 2.0]))):
        with pytest.raises(ValueError, match="read-only"):
            t.value[0] = 5


def test_the_array_that_a_tensor_was_made_of_may_change() -> None:
    a = np.ones(2)
    t = tg.Tensor(a)
    a[0] = 5
    np.testing.assert_array_equal(t.value, [1, 1])


def test_a_constant_operand_may_change_afterwards() -> None:
    a, x = np.array([2.0, 3.0]), tg.Tensor([1.0, 1.0])
    y = np.sum(a * x)
    view = a[:]
    z = np.sum(view * x)
    a[:] = 100
    y.backward()
    np.testing.assert_array_equal(x.grad, [2, 3])
    z.backward()
    np.testing.assert_array_equal(x.grad, [2, 3])


def test_a_constant_that_cannot_be_written_to_is_not_copied() -> None:
    a = np.ones(3)
    a.flags.writeable = False
    assert (a * tg.Tensor(np.ones(3))).node.operands[0] is a


@pytest.mark.parametrize("values", [1, [1, 2], True, np.arange(3), 1j])
def test_it_holds_floats_alone(values) -> None:
    with pytest.raises(TypeError, match="expected floats"):
        tg.Tensor(values)


def test_a_tensor_of_a_tensor_is_refused() -> None:
    with pytest.raises(TypeError, match="a Tensor already"):
        tg.Tensor(tg.Tensor(1.0))


def test_it_does_not_turn_into_an_array_by_accident() -> None:
    t, one, a = tg.Tensor([1.0, 2.0]), tg.Tensor(1.0), np.zeros(2)

    def assign(index, value):
        a[index] = value

    def assign_flat(value):
        a.flat[0] = value

    for attempt in (
        lambda: np.asarray(t),
        lambda: np.array([one, one]),
        lambda: np.array(t, dtype=object),
        lambda: np.exp([one, one]),
        lambda: assign(slice(None), t),
        lambda: assign(a == 0, one),
        lambda: np.full(2, one),
        lambda: a.dot(t),
    ):
        with pytest.raises(TypeError, match=r"would lose the gradient of|needs a plain number"):
            attempt()
    for attempt in (lambda: assign(0, one), lambda: assign(0, tg.Tensor([1.0])), lambda: assign_flat(one)):
        with pytest.raises((TypeError, ValueError)):
            attempt()
    with pytest.raises(TypeError, match=r"write a = a \+ t"):
        a += t
    np.testing.assert_array_equal(a, [0, 0])


def test_what_is_printed_formatted_or_compared_is_the_number() -> None:
    assert bool(tg.Tensor([[0.5]]))
    assert f"{tg.Tensor(0.123):.2f}" == "0.12"
    assert str(tg.Tensor([1.0, 2.0])) == "[1. 2.]"
    assert repr(tg.Tensor([1.0, 2.0], name="W")) == "Tensor([1., 2.], name='W')"
    assert repr(tg.Tensor(np.float32(1.5))) == "Tensor(1.5, dtype=float32)"
    assert list(tg.Tensor([[0.5]]).astype(int)) == [0]


def test_backward_sets_the_gradients_of_leaves_and_of_what_lies_between() -> None:
    x, w = tg.Tensor([1.0, 2.0]), tg.Tensor([3.0, 4.0])
    product = x * w
    loss = np.sum(product**2)
    loss.backward()
    np.testing.assert_array_equal(product.grad, [6, 16])
    np.testing.assert_array_equal(x.grad, [18, 64])
    np.testing.assert_array_equal(w.grad, [6, 32])
    assert loss.grad == 1


def test_backward_sets_and_does_not_add() -> None:
    x = tg.Tensor(3.0)
    for _ in range(2):
        (x * x).backward()
        assert x.grad == 6


def test_backward_begins_with_the_cotangent_that_it_is_given() -> None:
    x = tg.Tensor([1.0, 2.0])
    (x * x).backward([1, 10])
    np.testing.assert_array_equal(x.grad, [2, 40])


def test_backward_of_many_numbers_says_what_to_do() -> None:
    with pytest.raises(ValueError, match=r"shape \(2,\).*np\.sum or np\.mean"):
        tg.Tensor([1.0, 2.0]).backward()
    with pytest.raises(ValueError, match=r"cotangent has shape \(3,\); expected \(2,\)"):
        tg.Tensor([1.0, 2.0]).backward(np.ones(3))


def test_there_is_no_gradient_before_backward() -> None:
    x = tg.Tensor(1.0)
    assert x.grad is None


def test_a_gradient_cannot_be_written_to() -> None:
    x, y = tg.Tensor([1.0]), tg.Tensor([1.0])
    np.sum(x + y).backward()
    with pytest.raises(ValueError, match="read-only"):
        x.grad[0] = 5


def test_an_unsupported_function_names_itself_the_line_and_what_would_add_it() -> None:
    t = tg.Tensor([1.0, 2.0])
    for attempt, name in (
        (lambda: np.left_shift(t, 1), "np.left_shift"),
        (lambda: np.packbits(t), "np.packbits"),
        (lambda: np.bitwise_and(t, t), "np.bitwise_and"),
        (lambda: np.multiply.at(t, [0], t), "np.multiply.at"),
    ):
        line = attempt.__code__.co_firstlineno
        with pytest.raises(
            NotImplementedError, match=rf"^line {line} of {__name__}\.py: `.*`: {name} does not support Tensors yet"
        ) as error:
            attempt()
        assert len(str(error.value).splitlines()) == 4


def test_a_ufunc_made_of_a_function_names_what_takes_tensors_in_its_place() -> None:
    halved = np.frompyfunc(lambda x: x / 2, 1, 1)
    with pytest.raises(NotImplementedError, match=r"`halved\(tg\.Tensor\(1\.0\)\)`.* Write np\.vectorize, with"):
        halved(tg.Tensor(1.0))


def test_the_lines_that_would_add_the_method_of_a_ufunc_do(monkeypatch) -> None:
    t = tg.Tensor([1.0, 2.0])
    with pytest.raises(NotImplementedError) as error:
        np.multiply.at(t, [0], 3.0)
    key = re.search(r"@tg\.implements\((.*)\)$", str(error.value), re.MULTILINE)[1]
    monkeypatch.setitem(implementations, eval(key), lambda x, index, v: x.__setitem__(index, x[index] * v))
    np.multiply.at(t, [0], 3.0)
    np.testing.assert_array_equal(t.value, [3, 2])


def test_complex_numbers_are_refused_where_there_is_no_rule_for_them() -> None:
    with pytest.raises(TypeError, match="expected floats"):
        tg.Tensor(1j)
    with pytest.raises(TypeError, match="exp2: the result for a Tensor has dtype complex128; expected floats"):
        np.exp2(tg.Tensor(1.0) * 2j)
    with pytest.raises(TypeError, match="complex"):
        tg.grad(lambda x: x * 1j)(1.0)


def test_shape_errors_are_numpys() -> None:
    t = tg.Tensor(np.ones((2, 3)))
    with pytest.raises(ValueError, match="broadcast"):
        t + np.ones(2)
    with pytest.raises(ValueError, match="matmul"):
        t @ np.ones(2)
    with pytest.raises(np.exceptions.AxisError):
        np.sum(t, axis=5)
    with pytest.raises(IndexError):
        t[7]


@pytest.mark.parametrize("name", sorted(INSTEAD))
def test_an_attribute_that_it_lacks_says_what_to_use(name: str) -> None:
    for t in (tg.Tensor([1.0]), tg.Tensor([1.0, 2.0])[1:]):
        assert not hasattr(t, name)
        with pytest.raises(AttributeError) as caught:
            getattr(t, name)
        assert str(caught.value) == f"a Tensor has no attribute {name!r}: {INSTEAD[name]}"


def test_what_it_lacks_it_has_not_got() -> None:
    assert not [name for name in INSTEAD if name != "requires_grad" and name in dir(tg.Tensor)]
    assert not {name for name in dir(np.ndarray) if not name.startswith("_")} - {*INSTEAD, *dir(tg.Tensor)}


def test_a_function_that_is_no_method_is_named() -> None:
    with pytest.raises(AttributeError, match=r"^a Tensor has no attribute 'exp': use the function np\.exp$"):
        tg.Tensor([1.0]).exp()
    with pytest.raises(AttributeError, match=r"^a Tensor has no attribute 'shap'$") as caught:
        tg.Tensor([1.0]).shap
    assert caught.value.name == "shap"
    assert isinstance(caught.value.obj, tg.Tensor)  # from which Python finds that .shape may be meant


@pytest.mark.parametrize(
    ("name", "says"),
    [("requires_grad", "gradients flow to every Tensor"), ("grad", "nothing to zero"), ("value", "write t[...] = ")],
)
def test_an_attribute_that_is_not_to_be_set_says_what_to_write(name: str, says: str) -> None:
    with pytest.raises(AttributeError, match=re.escape(says)):
        setattr(tg.Tensor([1.0]), name, None)


@pytest.mark.parametrize("name", [name for name in vars(tg.Tensor) if not name.startswith("_")])
def test_its_methods_have_names_signatures_and_docstrings(name: str) -> None:
    member = getattr(tg.Tensor, name)
    if name in ("kind", "node", "requires_grad"):
        return
    assert member.__doc__
    if not isinstance(member, property):
        assert member.__name__ == name
        assert member.__qualname__ == f"Tensor.{name}"
        parameters = list(inspect.signature(member).parameters)
        assert parameters[0] == "self"
        assert name in ("item", "reshape", "transpose") or "args" not in parameters


def test_help_on_it_shows_no_function_without_a_name() -> None:
    page = pydoc.plain(pydoc.render_doc(tg.Tensor))
    assert "lambda" not in page
    assert "sum(self, axis=None, dtype=None" in page
    assert "__add__(self, other)" in page


def test_the_package_lists_what_it_is_there_for_before_it_is_imported() -> None:
    code = "import sys, tinygrad_cnn as tg; print('check' in dir(tg), 'tinygrad_cnn.check' in sys.modules)"
    listed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert listed.stdout.split() == ["True", "False"]
    assert {name for name in dir(tg) if not name.startswith("__")} == set(tg.__all__)


def test_a_primitive_shows_how_it_is_called() -> None:
    assert repr(tg.max_pool2d) == "<primitive max_pool2d(x, /, window, stride=None, ties='share')>"
    assert repr(implementations[np.exp]) == "<primitive exp>"


def test_it_cannot_be_hashed_as_an_array_cannot() -> None:
    with pytest.raises(TypeError, match="unhashable"):
        hash(tg.Tensor(1.0))


def test_a_primitive_without_a_rule_says_how_to_declare_one() -> None:
    @tg.primitive
    def twice(x, /):
        return 2 * x

    with pytest.raises(NotImplementedError, match=r"twice\.defvjp\(lambda g, out"):
        twice(tg.Tensor(1.0)).backward()


def test_a_rule_that_gives_the_wrong_shape_is_named() -> None:
    @tg.primitive
    def twice(x, /):
        return 2 * x

    twice.defvjp(lambda g, out, x: np.sum(g))
    with pytest.raises(ValueError, match=r"twice: the rule for operand 0 returned a cotangent of shape \(\)"):
        twice(tg.Tensor([1.0, 2.0])).backward([1, 1])
    twice.defvjp(lambda g, out, x: 2.0)
    with pytest.raises(TypeError, match=r"twice: the rule for operand 0 returned 2\.0; expected an array"):
        twice(tg.Tensor([1.0, 2.0])).backward([1, 1])


def test_a_primitive_that_gives_more_than_one_array_is_named() -> None:
    @tg.primitive
    def twofold(x, /):
        return 2 * x, 3 * x

    with pytest.raises(TypeError, match=r"^twofold: the forward function returned a tuple; expected one array"):
        twofold(tg.Tensor(1.0))


def test_a_primitive_needs_operands_and_a_rule_for_each() -> None:
    with pytest.raises(TypeError, match="expected a / after"):

        @tg.primitive
        def none(x):
            return x

    @tg.primitive
    def product(x, y, /):
        return x * y

    with pytest.raises(TypeError, match=r"product.defvjp: 1 rules given for 2 operands"):
        product.defvjp(lambda g, out, x, y: g * y)


def test_settings_may_be_given_by_position_or_name_but_not_both() -> None:
    x = np.ones((4, 4))
    assert tg.im2col(x, 2, 2).shape == tg.im2col(x, window=2, stride=2).shape
    with pytest.raises(TypeError, match=r"im2col\(\) got multiple values for argument 'window'"):
        tg.im2col(x, 2, window=2)
    with pytest.raises(TypeError, match="takes at most 3 arguments, but 4 were given"):
        tg.im2col(x, 2, 2, 2)


def test_a_tensor_is_no_static_argument() -> None:
    @tg.primitive
    def scaled(x, /, k):
        return x * k

    with pytest.raises(TypeError, match=r"^scaled: k is a Tensor; expected a plain value"):
        tg.grad(lambda k: scaled(tg.Tensor(2.0), k))(3.0)
    with pytest.raises(TypeError, match=r"^relu: at_zero is a Tensor"):
        tg.grad(lambda slope: tg.relu(tg.Tensor(0.0), at_zero=slope))(0.5)


def test_a_forward_function_that_returns_a_tensor_is_named() -> None:
    w = tg.Tensor([3.0, 4.0])

    @tg.primitive
    def scaled(x, /, by=None):
        return x * (w if by is None else by[0])

    for by in (None, [w], (w,), {0: w}):
        with pytest.raises(TypeError, match=r"^scaled: the forward function returned a Tensor; expected one array"):
            scaled(tg.Tensor([1.0, 2.0]), by=by)


def test_a_users_primitive_cannot_write_to_a_value_or_a_cotangent_that_others_have() -> None:
    doubled = tg.primitive(lambda x, /: np.multiply(x, 2, out=x))
    halved = tg.primitive(lambda x, /: x / 2)
    halved.defvjp(lambda g, out, x: np.divide(g, 2, out=g))
    x, seed = np.array([1.0, 2.0]), np.ones(2)
    with pytest.raises(ValueError, match="read-only"):
        tg.grad(lambda x: np.sum(doubled(np.exp(x))))(x)
    with pytest.raises(ValueError, match="read-only"):
        tg.grad(lambda x: np.sum((halved(x) + halved(3 * x)) * np.array([1.0, 2.0])))(x)
    with pytest.raises(ValueError, match="read-only"):
        tg.vjp(halved, x)[1](seed)
    assert seed.flags.writeable


def test_a_shallow_copy_is_a_handle_on_the_same_value() -> None:
    x = tg.Tensor([1.0, 2.0])
    assert copy.copy(x).node is x.node
