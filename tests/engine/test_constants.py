"""Arrays that are made within a transform: constants, until a Tensor is assigned to them."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest

import tinygrad_cnn as tg

X = np.array([0.4, 1.3, 2.2])


def within(check: Any) -> None:
    """Call `check` with a constant of the value of X, while a transform runs."""

    def f(x: Any) -> Any:
        check(np.array(X, like=x))
        return np.sum(x)

    tg.grad(f)(X)


CONVERSIONS = {
    "float": lambda c: float(c[1]),
    "int": lambda c: int(c[1]),
    "complex": lambda c: complex(c[1]),
    "round": lambda c: round(c[1], 1),
    "item": lambda c: c.item(1),
    "tolist": lambda c: c.tolist(),
    "asarray": lambda c: np.asarray(c),
    "array, dtype": lambda c: np.array(c, dtype=np.float32),
    "a list of them": lambda c: np.array([c[0], c[1]]),
    "assignment into an array": lambda c: np.zeros(3).__setitem__(0, c[0]),
    "pickle": lambda c: pickle.loads(pickle.dumps(c)),
    "deepcopy": lambda c: np.asarray(copy.deepcopy(c)),
    "format": lambda c: f"{c[1]:.3f}",
    "percent": lambda c: "%.3f" % c[1],  # noqa: UP031
}


@pytest.mark.parametrize("convert", CONVERSIONS.values(), ids=CONVERSIONS)
def test_a_constant_converts_as_its_array_does(convert: Any, recwarn: pytest.WarningsRecorder) -> None:
    within(lambda c: np.testing.assert_equal(convert(c), convert(X)))
    within(lambda c: np.testing.assert_equal(convert(c * 2 - np.sqrt(c)), convert(X * 2 - np.sqrt(X))))
    within(lambda c: np.testing.assert_equal(convert(c[::-1]), convert(X[::-1])))


@pytest.mark.parametrize("convert", CONVERSIONS.values(), ids=CONVERSIONS)
def test_it_does_no_more_after_a_tensor_was_assigned_to_it(convert: Any) -> None:
    def f(x: Any) -> Any:
        c = np.array(X, like=x)
        c[:2] = x[:2]
        if convert in (CONVERSIONS["format"], CONVERSIONS["deepcopy"]):
            assert not c.node.constant
            return np.sum(x)
        with pytest.raises((tg.GradientLostError, ValueError)) if convert not in WARN else pytest.warns():
            convert(c)
        return np.sum(x)

    tg.grad(f)(X)


WARN = (CONVERSIONS["item"], CONVERSIONS["tolist"])


def test_a_view_of_a_constant_follows_it_to_the_tensor() -> None:
    def f(x: Any) -> Any:
        c = np.zeros((2, 3), like=x)
        row, column = c[1], c.T[2]
        row[0] = x[0]
        column[0] = x[1] ** 2
        assert not row.node.constant
        return np.sum(row) * x[2] + c[0, 2]

    np.testing.assert_allclose(tg.grad(f)(X), [X[2], 2 * X[1], X[0]])


def test_assignments_of_constants_leave_a_constant() -> None:
    def check(c: Any) -> None:
        v = c[1:]
        c[0] = 7.0
        v[0] = c[0]
        c += 1
        c[1:] *= 2
        assert c.node.constant
        assert v.node.constant
        assert c.tolist() == [8.0, 16.0, (X[2] + 1) * 2]

    within(check)


def test_a_constant_is_no_operand_that_a_gradient_flows_to() -> None:
    def f(x: Any) -> Any:
        c = np.ones(3, like=x)
        product = c * x
        assert [position for position, _ in product.node.sources] == [1]
        return np.sum(product)

    assert tg.grad(f)(X).tolist() == [1, 1, 1]


def test_a_constant_can_be_differentiated_with_respect_to() -> None:
    def f(x: Any) -> Any:
        c = np.array(X, like=x)
        slope = tg.grad(lambda c: np.sum(c**3))(c)
        np.testing.assert_allclose(np.asarray(slope), 3 * X**2)
        slope = tg.grad(lambda c: np.sum(c**2 * x))(c)
        return np.sum(slope * slope)

    np.testing.assert_allclose(tg.grad(f)(X), 8 * X**3)


def test_derivatives_of_every_order_go_through_assignments_to_constants() -> None:
    def f(x: Any) -> Any:
        c = np.zeros(4, like=x)
        for i in range(3):
            c[i + 1] = c[i] + x[i] ** 3
        return np.sum(c)

    np.testing.assert_allclose(tg.hessian(f)(X), np.diag(6 * X * [3, 2, 1]))


def test_on_the_tape_new_arrays_are_leaves_that_a_gradient_flows_to() -> None:
    t = tg.Tensor(X)
    made = np.ones(3, like=t)
    np.sum(made * t).backward()
    assert made.grad.tolist() == X.tolist()
    with pytest.raises(tg.GradientLostError):
        float(made[0])


def test_no_grad_within_a_transform_gives_arrays() -> None:
    def check(c: Any) -> None:
        with tg.no_grad():
            assert type(np.zeros(3, like=c)) is np.ndarray
            assert type(c * 2) is np.ndarray

    within(check)


ALIASES = {
    "the array": lambda c: np.asarray(c),
    "a view of it": lambda c: np.asarray(c)[1:],
    "a view of a view": lambda c: np.asarray(c)[1:][::-1].reshape(2, 1),
    "the array of a view": lambda c: np.asarray(c[1:]),
    "in a container": lambda c: {"kept": [np.asarray(c)]},
}
CHANGES = {
    "an element": lambda c: c.__setitem__(0, 5.0),
    "in place": lambda c: c.__iadd__(1.0),
    "through a view": lambda c: c[1:].__setitem__(0, 5.0),
}


@pytest.mark.parametrize("alias", ALIASES.values(), ids=ALIASES)
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_it_is_not_assigned_to_while_an_array_that_would_change_with_it_is_in_use(alias: Any, change: Any) -> None:
    def check(c: Any) -> None:
        np.asarray(c).sum()
        change(c)  # the array is not in use any more
        held = alias(c)
        with pytest.raises(NotImplementedError, match="a copy with"):
            change(c)
        del held
        change(c)

    within(check)


def test_a_copy_of_it_may_be_held() -> None:
    def check(c: Any) -> None:
        held = np.array(c), np.asarray(c, np.float32), float(c[0]), c.tolist()
        c[0] = 5.0
        assert held[0][0] == X[0]

    within(check)


def test_an_array_that_it_has_become_cannot_be_written_to() -> None:
    def check(c: Any) -> None:
        with pytest.raises(ValueError, match="read-only"):
            np.asarray(c)[0] = 5.0

    within(check)
