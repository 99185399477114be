"""tinygrad_cnn.numpy: NumPy's own results where no Tensor is in play, and Tensors in lists and in new arrays."""

from __future__ import annotations

from types import CellType, FunctionType, MethodType
from typing import Any

import cases
import cases_linear_algebra
import cases_numpy
import cases_ufuncs
import numpy as np
import pytest
from all_cases import each_case
from cases import Case
from numeric import derivatives_agree

import tinygrad_cnn as tg
import tinygrad_cnn.numpy as tnp
from tinygrad_cnn.replacements import replacements

TABLES = (cases, cases_linear_algebra, cases_numpy, cases_ufuncs)
OF_NUMPYS_FUNCTIONS = [
    case
    for table in (cases_linear_algebra, cases_numpy, cases_ufuncs)
    for case in table.CASES
    if case.name not in ("np.poly1d", "x - floor(x)")  # a class; an operator of a list
]
X = np.array([0.4, 1.3, 2.2])


def aware(function: Any) -> Any:
    """The function of the namespace for one of NumPy's; of a table's own function, one that closes over such."""
    if id(function) in replacements:
        return replacements[id(function)][1]
    if isinstance(getattr(function, "__self__", None), np.ufunc):
        return getattr(aware(function.__self__), function.__name__)
    if not isinstance(function, FunctionType):
        return function
    cells = tuple(CellType(aware(cell.cell_contents)) for cell in function.__closure__ or ())
    defaults = tuple(map(aware, function.__defaults__ or ()))
    made = FunctionType(function.__code__, function.__globals__, function.__name__, defaults, cells)
    made.__kwdefaults__ = function.__kwdefaults__
    return made


def test_it_has_every_name_of_numpys_and_for_most_numpys_own_object() -> None:
    counterparts = {id(counterpart) for _, counterpart in replacements.values()}
    for name in set(np.__all__) - {"testing", "f2py", "ctypeslib", "typing", "core"}:
        ours, theirs = getattr(tnp, name), getattr(np, name)
        assert ours is theirs or id(ours) in counterparts or name in ("linalg", "fft", "emath"), name
    assert tnp.ndarray is np.ndarray
    assert tnp.float64 is np.float64
    assert set(dir(tnp)) == set(dir(np))


def test_its_submodules_have_the_names_of_numpys() -> None:
    for ours, theirs in (
        (tnp.linalg, np.linalg),
        (tnp.fft, np.fft),
        (tnp.emath, np.emath),
        (tnp.random, np.random),
        (tnp.lib, np.lib),
    ):
        assert all(hasattr(ours, name) for name in theirs.__all__)


def test_a_star_import_gives_its_functions() -> None:
    names: dict[str, Any] = {}
    exec("from tinygrad_cnn.numpy import *", names)
    assert names["asarray"] is tnp.asarray
    assert names["pi"] is np.pi


@each_case
def test_without_tensors_a_function_is_numpys(case: Case) -> None:
    operands = case.operands()
    expected = case.function(*operands)
    with tg.adopt(*TABLES):
        found = aware(case.function)(*operands)
    assert type(found) is type(expected)
    np.testing.assert_array_equal(found, expected, strict=True)
    assert getattr(found, "strides", None) == getattr(expected, "strides", None)


@each_case
def test_with_tensors_the_derivatives_are_the_same(case: Case) -> None:
    operands = case.operands()
    expected = tg.grad(lambda *args: np.sum(case.function(*args)))(*operands)
    with tg.adopt(*TABLES):
        found = tg.grad(lambda *args: np.sum(aware(case.function)(*args)))(*operands)
    np.testing.assert_array_equal(found, expected, strict=True)


def as_lists(t: Any) -> Any:
    return [as_lists(x) for x in t] if np.ndim(t) else t


@pytest.mark.parametrize("case", OF_NUMPYS_FUNCTIONS, ids=[case.name.replace(" ", "-") for case in OF_NUMPYS_FUNCTIONS])
def test_a_list_of_tensors_is_taken_where_numpy_takes_a_list_of_numbers(case: Case) -> None:
    operands = case.operands()
    if not any(x.ndim and x.size for x in operands):
        pytest.skip("no operand can be a list of numbers")
    lists = [x.tolist() for x in operands]
    try:
        expected = case.function(*lists)
    except (TypeError, AttributeError, ValueError):
        pytest.skip("NumPy takes no list here")
    with tg.adopt(*TABLES):
        function = aware(case.function)
        value, _ = tg.vjp(lambda *args: function(*map(as_lists, args)), *operands)
        np.testing.assert_allclose(value, expected, rtol=1e-13, atol=1e-15, strict=True)
        derivatives_agree(lambda *args: function(*map(as_lists, args)), operands, order=1)


MADE = {
    "zeros": lambda np: np.zeros(3),
    "zeros, dtype": lambda np: np.zeros((3,), dtype=np.float32),
    "ones": lambda np: np.ones(3),
    "empty": lambda np: np.empty(3),
    "full": lambda np: np.full(3, 2.5),
    "eye": lambda np: np.eye(3)[1],
    "identity": lambda np: np.identity(3)[1],
    "tri": lambda np: np.tri(3)[1],
    "arange": lambda np: np.arange(3.0),
    "linspace": lambda np: np.linspace(0, 1, 3),
    "logspace": lambda np: np.logspace(0, 1, 3),
    "geomspace": lambda np: np.geomspace(1, 2, 3),
    "zeros_like": lambda np: np.zeros_like(X),
    "ones_like": lambda np: np.ones_like(X),
    "empty_like": lambda np: np.empty_like(X),
    "full_like": lambda np: np.full_like(X, 2.0),
    "copy": lambda np: np.copy(X),
    "array": lambda np: np.array([1.0, 2.0, 3.0]),
    "array of an array": lambda np: np.array(X),
    "asarray": lambda np: np.asarray([1.0, 2.0, 3.0]),
    "asarray of another dtype": lambda np: np.asarray([1, 2, 3], dtype=float),
    "diag": lambda np: np.diag([1.0, 2.0, 3.0])[1],
    "tile": lambda np: np.tile([1.0], 3),
    "repeat": lambda np: np.repeat(1.0, 3),
    "fromiter": lambda np: np.fromiter((float(i) for i in range(3)), float),
    "computed from these": lambda np: np.sqrt(np.ones(3)) + 2 * np.arange(3.0),
}


@pytest.mark.parametrize("make", MADE.values(), ids=MADE)
def test_an_array_made_within_a_transform_can_be_assigned_tensors_to(make: Any) -> None:
    def f(x: Any) -> Any:
        a = make(tnp)
        a[...] = 1.0
        a[1] = x[0] * x[1]
        return np.sum(a * x)

    np.testing.assert_allclose(tg.grad(f)(X), [1 + X[1] ** 2, X[0] * X[1] + X[0] * X[1], 1], rtol=1e-6)


@pytest.mark.parametrize("make", MADE.values(), ids=MADE)
def test_until_then_it_is_a_constant_with_the_value_of_numpys(make: Any) -> None:
    def f(x: Any) -> Any:
        a, expected = make(tnp), make(np)
        assert (a.dtype, a.shape, a.strides) == (expected.dtype, expected.shape, expected.strides)
        if "empty" not in str(make.__code__.co_names):
            assert np.array_equal(np.asarray(a), expected)
            assert float(a[1]) == expected[1]
            assert a.tolist() == expected.tolist()
        return x[0]

    assert tg.grad(f)(X).tolist() == [1, 0, 0]
    assert type(make(tnp)) is np.ndarray


def test_arrays_of_integers_and_booleans_stay_numpys() -> None:
    def f(x: Any) -> Any:
        for a in (tnp.zeros(3, int), tnp.arange(3), tnp.ones(2, bool), tnp.array([1, 2]), tnp.asarray(["a"])):
            assert type(a) is np.ndarray
        return x

    tg.grad(f)(1.0)


def test_in_another_thread_and_outside_a_transform_arrays_are_numpys() -> None:
    from concurrent.futures import ThreadPoolExecutor

    def f(x: Any) -> Any:
        with ThreadPoolExecutor(1) as pool:
            assert type(pool.submit(tnp.zeros, 3).result()) is np.ndarray
        assert isinstance(tnp.zeros(3), tg.Tensor)
        return x

    tg.grad(f)(1.0)
    assert type(tnp.zeros(3)) is np.ndarray


def test_what_outlives_its_transform_computes_plain_arrays() -> None:
    kept = []

    def f(x: Any) -> Any:
        kept.append(tnp.ones(3))
        return x

    tg.grad(f)(1.0)
    assert type(kept[0] * 2) is np.ndarray
    assert type(np.sum(kept[0][1:])) is np.float64
    assert tg.grad(lambda x: np.sum(kept[0] * x))(2.0) == 3.0


def test_conversions_of_a_tensor() -> None:
    def f(t: Any) -> Any:
        assert tnp.asarray(t) is t
        assert tnp.asanyarray(t, float) is t
        assert tnp.ascontiguousarray(t) is t
        assert tnp.require(t, requirements="C") is t
        assert np.shares_memory(tnp.atleast_1d(t), t)
        assert tnp.array(t) is not t
        assert tnp.asarray(t, np.float32).dtype == np.float32
        assert tnp.asarray(t, dtype=int).tolist() == [0, 1, 2]
        assert tnp.array(t, ndmin=2).shape == (1, 3)
        assert tnp.isscalar(t[0])
        assert not tnp.isscalar(t)
        assert tnp.array([t[0], t[1]], dtype=object).sum() == t[0] + t[1]
        assert [i for i, _ in tnp.ndenumerate(t)] == [(0,), (1,), (2,)]
        return np.sum(tnp.asarray(t, np.float32) * 2) + tnp.array([t, t], float)[1, 2]

    np.testing.assert_allclose(tg.grad(f)(X), [2, 2, 3])


CONCATENATIONS = {
    "r_": lambda np, x: np.r_[x, 0.0, 1:3],
    "r_ of numbers": lambda np, x: np.r_[x[0], x[1] * 2],
    "r_ of rows": lambda np, x: np.r_["0,2", x, x * 2],
    "r_ of columns": lambda np, x: np.r_["0,2,0", x, x * 2],
    "r_ along the last axis": lambda np, x: np.r_["-1", np.outer(x, x), np.outer(x, x)],
    "r_ of one": lambda np, x: np.r_[x],
    "r_ of a list": lambda np, x: np.r_[[x[0], 2.0], x],
    "c_": lambda np, x: np.c_[x, x**2],
    "c_ with an array": lambda np, x: np.c_[np.ones((3, 2)), x],
    "c_ of numbers": lambda np, x: np.c_[x[0], 1.0],
}


@pytest.mark.parametrize("call", CONCATENATIONS.values(), ids=CONCATENATIONS)
def test_concatenations(call: Any) -> None:
    value, _ = tg.vjp(lambda x: call(tnp, x), X)
    np.testing.assert_array_equal(value, call(np, X), strict=True)
    np.testing.assert_array_equal(call(tnp, X), call(np, X), strict=True)
    derivatives_agree(lambda x: call(tnp, x), [X], order=2)


CALLBACKS = {
    "vectorize": lambda np, x: np.vectorize(lambda u, v: u * v if u > 1 else v**2)(x, x[0]),
    "vectorize, closing over": lambda np, x: np.vectorize(lambda u: u * x[1])(X),
    "vectorize, several results": lambda np, x: np.vectorize(lambda u: (u, u**2))(x)[1],
    "vectorize, otypes": lambda np, x: np.vectorize(lambda u: u**3, otypes=[float])(x),
    "vectorize, excluded": lambda np, x: np.vectorize(lambda u, a: u * a[1], excluded=[1])(x, x),
    "vectorize as a decorator": lambda np, x: np.vectorize(otypes=[float])(lambda u: u**2)(x),
    "piecewise, closing over": lambda np, x: np.piecewise(X, [X > 1], [lambda u: u * x[0], lambda u: u + x[1]]),
    "apply_along_axis, closing over": lambda np, x: np.apply_along_axis(lambda row: row * x, 1, np.ones((2, 3))),
    "piecewise, a Tensor among the functions": lambda np, x: np.piecewise(X, [X > 1], [lambda u: u * x[0], x[1]]),
    "broadcast": lambda np, x: np.stack([u * v for u, v in np.broadcast(x, x[:1])]).reshape(np.broadcast(x, 1.0).shape),
    "as_strided": lambda np, x: np.lib.stride_tricks.as_strided(x * 1.0, (2, 2), (8, 8)) ** 2,
    "as_strided, backwards": lambda np, x: np.lib.stride_tricks.as_strided(x * 1.0, (3, 2), (8, 0)) ** 2,
    "as_strided, of a view": lambda np, x: np.lib.stride_tricks.as_strided(np.tile(x, 2)[2:], (3, 3), (-8, 8)) ** 2,
    "sliding_window_view": lambda np, x: np.lib.stride_tricks.sliding_window_view(x, 2) ** 2,
    "fromfunction": lambda np, x: np.fromfunction(lambda i, j: i * x[0] + j * x[1], (2, 3)),
    "fromiter": lambda np, x: np.fromiter((u**2 for u in x), float),
    "fromiter, count": lambda np, x: np.fromiter((u**2 for u in x), float, 2),
    "full": lambda np, x: np.full((2, 3), x),
    "full_like": lambda np, x: np.full_like(X, x[1]),
    "arange": lambda np, x: np.arange(x[0], 2.9, x[1]),
    "arange, stop": lambda np, x: np.arange(x[2]) * x[0],
}


@pytest.mark.parametrize("call", CALLBACKS.values(), ids=CALLBACKS)
def test_functions_of_functions_and_numbers(call: Any) -> None:
    value, _ = tg.vjp(lambda x: call(tnp, x), X)
    np.testing.assert_allclose(value, call(np, X), rtol=1e-15, strict=True)
    np.testing.assert_array_equal(call(tnp, X), call(np, X), strict=True)
    derivatives_agree(lambda x: call(tnp, x), [X], order=1)


def test_functions_are_no_methods_where_numpys_are_none() -> None:
    class Layer:
        activation = tnp.tanh
        make = tnp.zeros

    assert Layer().activation(0.0) == 0.0
    assert Layer().make(2).tolist() == [0.0, 0.0]
    assert isinstance(tnp.tanh, MethodType)
    assert tnp.exp.nin == 1
    assert tnp.add.reduce([1.0, 2.0]) == 3.0


REFUSED = {
    "a list of lists of different lengths": lambda x: tnp.array([[x[0]], [x[1], x[2]]]),
    "vectorize, signature": lambda x: tnp.vectorize(lambda u: u, signature="(n)->(n)")(x),
    "r_ of a matrix": lambda x: tnp.r_["r", x],
    "an array from outside": lambda x: X.__setitem__(0, x[0]),
    "an array of integers": lambda x: tnp.zeros(3, int).__setitem__(0, x[0]),
}


@pytest.mark.parametrize("call", REFUSED.values(), ids=REFUSED)
def test_what_is_not_supported_raises(call: Any) -> None:
    with pytest.raises((TypeError, ValueError, NotImplementedError)):
        tg.grad(lambda x: np.sum(call(x)))(X)


def test_a_function_that_fails_for_another_reason_fails_as_numpys() -> None:
    for ours, theirs in ((tnp.reshape, np.reshape), (tnp.exp, np.exp), (tnp.zeros, np.zeros), (tnp.array, np.array)):
        with pytest.raises((TypeError, ValueError)) as expected:
            theirs("x", object())
        with pytest.raises(expected.type) as found:
            ours("x", object())
        assert str(found.value).split("<")[0] == str(expected.value).split("<")[0]


DRAWS = {
    "rand": lambda np: np.random.rand(2, 3),
    "randn": lambda np: np.random.randn(6).reshape(2, 3),
    "RandomState": lambda np: np.random.RandomState(3).normal(0.0, 2.0, (2, 3)),
    "default_rng": lambda np: np.random.default_rng(3).standard_normal((2, 3)),
    "Generator": lambda np: np.random.Generator(np.random.PCG64(3)).uniform(size=(2, 3)),
    "integers": lambda np: np.random.RandomState(3).permutation(6).reshape(2, 3),
}


@pytest.mark.parametrize("draw", DRAWS.values(), ids=DRAWS)
def test_what_is_drawn_is_what_numpy_draws_and_takes_tensors(draw: Any) -> None:
    np.random.seed(5)
    plain = draw(np)
    np.random.seed(5)
    np.testing.assert_array_equal(draw(tnp), plain, strict=True)

    def f(x: Any) -> Any:
        np.random.seed(5)
        drawn = draw(tnp) if plain.dtype.kind == "f" else draw(tnp) * tnp.ones(3)
        drawn += x
        drawn[0] = x**2
        return np.sum(drawn * plain)

    np.testing.assert_allclose(tg.grad(f)(X), plain[0] * 2 * X + plain[1], rtol=1e-14)


def test_parameters_that_move_and_stretch_what_is_drawn_may_be_tensors() -> None:
    def f(x: Any) -> Any:
        rng = tnp.random.default_rng(2)
        return np.sum(rng.normal(x, x[0]) * X) + rng.uniform(x[0], 5.0) + np.sum(rng.laplace(x[1], size=2))

    assert tg.vjp(f, X)[0] == f(X)
    rng = np.random.default_rng(2)
    z, u = rng.standard_normal(3), rng.uniform()
    expected = X + np.array([np.sum(z * X) + 1 - u, 2.0, 0.0])
    np.testing.assert_allclose(tg.grad(f)(X), expected, rtol=1e-12)
    with pytest.raises(TypeError):
        tg.grad(lambda x: tnp.random.default_rng(2).gamma(x[0]))(X)


CHOICES = {
    "permutation of rows": lambda np, x: np.random.default_rng(1).permutation(np.outer(x, [1.0, 2.0])),
    "permutation along an axis": lambda np, x: np.random.default_rng(1).permutation(np.outer(x, x), axis=1),
    "permutation of a list": lambda np, x: np.random.RandomState(1).permutation([x[0], x[1], x[2], 4.0]),
    "choice": lambda np, x: np.random.default_rng(1).choice(x, (2, 2), p=[0.2, 0.3, 0.5]),
    "choice of one": lambda np, x: np.random.RandomState(1).choice(x),
    "choice without replacement": lambda np, x: np.random.default_rng(4).choice(x, 2, replace=False),
}


@pytest.mark.parametrize("choose", CHOICES.values(), ids=CHOICES)
def test_what_is_chosen_from_may_be_a_tensor(choose: Any) -> None:
    value, pullback = tg.vjp(lambda x: choose(tnp, x), X)
    np.testing.assert_array_equal(value, choose(np, X))
    weights = np.cos(np.arange(np.size(value))).reshape(np.shape(value))
    h = 1e-6
    expected = [np.sum(weights * (choose(np, X + h * e) - choose(np, X - h * e))) / (2 * h) for e in np.eye(3)]
    np.testing.assert_allclose(pullback(weights)[0], expected, rtol=1e-8, atol=1e-8)


def test_its_sources_of_random_numbers_are_numpys_to_whoever_asks() -> None:
    assert isinstance(tnp.random.RandomState(1), np.random.RandomState)
    assert isinstance(np.random.RandomState(1), tnp.random.RandomState)
    assert isinstance(np.random.default_rng(1), tnp.random.Generator)
