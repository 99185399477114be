"""Where nothing depends on a result, an infinite slope passes on 0: at every singular point of every primitive."""

from __future__ import annotations

import gc
import itertools
import threading
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.special

import tinygrad_cnn as tg
import tinygrad_cnn.circle_square.losses
from tinygrad_cnn.engine.primitive import Primitive
from tinygrad_cnn.infinities import masked
from tinygrad_cnn.primitives import scipy_special

Array = Any

LAYERS = ("primitives", "numpy_functions", "nn", "circle_square")
OURS = {
    made.__name__: made
    for made in gc.get_objects()
    if issubclass(type(made), Primitive)  # not isinstance, which asks the objects of other packages
    and made.elementwise
    and (
        getattr(np, made.__name__, None) is made.forward
        or getattr(made.forward, "__module__", "").startswith(tuple(f"tinygrad_cnn.{layer}." for layer in LAYERS))
    )
    and "scipy" not in getattr(made.forward, "__module__", "")
}
SCIPYS = ["entr", "erf", "erfinv", "expit", "gamma", "gammaln", "kl_div", "logit", "ndtri", "psi", "rel_entr", "xlogy"]
ELEMENTWISE = {**OURS, **{name: scipy_special.find(getattr(scipy.special, name)) for name in SCIPYS}}
FINITE = [-2.0, -1.0, -0.5, -0.0, 0.0, 0.5, 1.0, 2.0]
EXTENDED = [*FINITE, np.inf, -np.inf]
ORDERS = {"order": 1, "n": 1}  # of the primitives that are derivatives
# What they are given: of where, a condition; of ldexp, an integer; of the root of a sum of squares, no negative number.
DOMAINS: dict[str, Callable[..., bool]] = {
    "ldexp": lambda x, n: np.isfinite(n) and n == int(n),
    "root_of_squares": lambda x: x >= 0,
}


def operands_of(primitive: Primitive[Any, Any], points: tuple[float, ...], dtype: Any = float) -> list[Array]:
    arrays: list[Array] = [np.array([x], dtype) for x in points]
    if primitive.__name__ == "where":
        arrays[0] = arrays[0] != 0
    if primitive.__name__ == "ldexp":
        arrays[1] = arrays[1].astype(int)
    return arrays


def static_args_of(primitive: Primitive[Any, Any]) -> dict[str, Any]:
    return {name: ORDERS[name] for name in primitive.static_args if name in ORDERS}


def points_of(primitive: Primitive[Any, Any], values: list[float]) -> list[tuple[float, ...]]:
    fits = DOMAINS.get(primitive.__name__, lambda *point: True)
    return [point for point in itertools.product(values, repeat=primitive.arity or 0) if fits(*point)]


def products(primitive: Primitive[Any, Any], point: tuple[float, ...], g: float, dtype: Any = float) -> list[Array]:
    """What the bare rules make of a cotangent."""
    operands, static_args = operands_of(primitive, point, dtype), static_args_of(primitive)
    with np.errstate(all="ignore"):
        out = primitive(*operands, **static_args)
        cotangent = np.full_like(out, g)
        return [rule(cotangent, out, *operands, **static_args) for rule in primitive.rules if rule is not None]


def singular_points(primitive: Primitive[Any, Any], values: list[float]) -> list[tuple[float, ...]]:
    return [
        point
        for point in points_of(primitive, values)
        if any(np.isnan(product).any() for product in products(primitive, point, 0.0))
    ]


def regular_point(primitive: Primitive[Any, Any]) -> tuple[float, ...]:
    for point in itertools.product([0.3, 1.4], [0.6, 2.0], [0.2]):
        point = point[: primitive.arity]
        if all(np.isfinite(product).all() for product in products(primitive, point, 1.0)):
            return point
    raise AssertionError(f"no regular point of {primitive.__name__} is known")


@pytest.mark.parametrize("primitive", OURS.values(), ids=OURS)
def test_a_primitive_declares_itself_singular_just_if_its_rules_make_nan_of_0_at_finite_operands(
    primitive: Primitive[Any, Any],
) -> None:
    assert primitive.singular == bool(singular_points(primitive, FINITE))


def by_assignment(y: Array, keep: Array) -> Array:
    y = np.copy(y)
    y[~keep] = 0
    return y


MASKS: dict[str, Callable[[Array, Array], Array]] = {
    "where": lambda y, keep: np.where(keep, y, 0),
    "boolean assignment": by_assignment,
    "multiplication by 0": lambda y, keep: y * keep,
    "an index": lambda y, keep: y[keep],
}


def slopes(primitive: Primitive[Any, Any], mask: Callable[[Array], Array], operands: list[Array], order: int) -> Any:
    """The derivatives of the masked sum by each operand of floats, or those of their sum."""
    floats = [i for i, x in enumerate(operands) if x.dtype.kind == "f" and primitive.rules[i] is not None]

    def total(chosen: list[Array]) -> Array:
        given = list(operands)
        for i, x in zip(floats, chosen, strict=True):
            given[i] = x
        return np.sum(mask(primitive(*given, **static_args_of(primitive))))

    if order == 2:
        return tg.grad(lambda chosen: sum(np.sum(x) for x in tg.grad(total)(chosen)))([operands[i] for i in floats])
    return tg.grad(total)([operands[i] for i in floats])


SINGULAR = {name: made for name, made in ELEMENTWISE.items() if singular_points(made, EXTENDED)}


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("mask", MASKS.values(), ids=MASKS)
@pytest.mark.parametrize("primitive", SINGULAR.values(), ids=SINGULAR)
def test_a_masked_element_has_the_gradient_0_and_the_others_have_theirs(
    primitive: Primitive[Any, Any], mask: Callable[..., Array], order: int, dtype: Any
) -> None:
    regular = operands_of(primitive, regular_point(primitive), dtype)
    points = singular_points(primitive, EXTENDED)
    operands = [
        np.concatenate([*column, x])
        for *column, x in zip(*[operands_of(primitive, point, dtype) for point in points], regular, strict=True)
    ]
    keep = np.arange(len(points) + 1) == len(points)
    with np.errstate(all="ignore"):  # of the forward functions
        found = slopes(primitive, lambda y: mask(y, keep), operands, order)
        alone = slopes(primitive, lambda y: y, regular, order)
    for of_operand, of_regular in zip(found, alone, strict=True):
        assert of_operand.dtype == dtype
        np.testing.assert_array_equal(of_operand[:-1], 0)
        np.testing.assert_allclose(of_operand[-1:], of_regular, rtol=8 * np.finfo(dtype).eps)


@pytest.mark.parametrize("primitive", SINGULAR.values(), ids=SINGULAR)
def test_masked_is_the_same_as_a_function_of_arrays(primitive: Primitive[Any, Any]) -> None:
    static_args = static_args_of(primitive)
    for point in singular_points(primitive, EXTENDED):
        operands = operands_of(primitive, point)
        with np.errstate(all="ignore"):
            out = primitive(*operands, **static_args)
            g = np.zeros_like(out)
            for rule in primitive.rules:
                if rule is not None:
                    np.testing.assert_array_equal(masked(g, rule(g, out, *operands, **static_args), operands), 0)


COMPLEX = {
    "sqrt": np.sqrt, "log": np.log, "reciprocal": np.reciprocal, "power": lambda z: z**0.5,
    "divide": lambda z: 1 / z, "exp": lambda z: np.exp(1 / z),
}  # fmt: skip


@pytest.mark.parametrize("f", COMPLEX.values(), ids=COMPLEX)
def test_complex_numbers_are_masked_too(f: Callable[[Any], Any]) -> None:
    def total(x: Any) -> Any:
        z = f(x + 1j * x)
        return np.sum(np.real(np.where(x != 0, z, 0)))

    with np.errstate(all="ignore"):
        found = tg.grad(total)(np.array([0.0, 0.7]))
    np.testing.assert_allclose(found, [0, tg.grad(lambda x: np.real(f(x + 1j * x)))(0.7)], rtol=1e-14)


@pytest.mark.parametrize("f", [np.sqrt, np.log, lambda x: 1 / x, lambda x: np.sqrt(2 * x), lambda x: np.exp(x)])
@pytest.mark.parametrize("order", [1, 2])
def test_a_nan_in_the_data_stays_nan(f: Callable[[Any], Any], order: int) -> None:
    derivative = lambda x: np.sum(np.where(x > 0, f(x), 0))
    for _ in range(order):
        derivative = (lambda d: lambda x: np.sum(tg.grad(d)(x)))(derivative)
    x = np.array([np.nan, 1.0])
    np.testing.assert_array_equal(np.isnan(tg.grad(derivative)(x)), [True, False])


def test_the_distance_of_particles() -> None:
    def potential(x: Any) -> Any:
        r = np.sqrt(np.sum((x[:, None] - x) ** 2, -1))
        r[r > 0] = 1 / r[r > 0]
        return np.sum(np.triu(r, 1))

    x = np.array([[0.0, 0.0], [3.0, 4.0]])
    np.testing.assert_allclose(tg.grad(potential)(x), 1 / 125 * np.array([[3, 4], [-3, -4]]), rtol=1e-15)


def test_the_stable_sigmoid_of_two_branches() -> None:
    def sigmoid(x: Any) -> Any:
        return np.where(x > 0, 1 / (1 + np.exp(-x)), np.exp(x) / (1 + np.exp(x)))

    x = np.array([-800.0, -1.0, 0.5, 800.0])
    s = scipy.special.expit(x)
    with np.errstate(over="ignore", invalid="ignore"):
        np.testing.assert_allclose(tg.elementwise_grad(sigmoid)(x), s * (1 - s), rtol=1e-14, atol=1e-300)


def test_the_second_derivative_of_a_quotient_that_is_masked_where_it_is_0_over_0() -> None:
    with np.errstate(invalid="ignore"):
        found = tg.hessian(lambda x: np.sum(np.where(x != 0, np.sin(x) / x, 1)))(np.array([0.0, np.pi]))
    np.testing.assert_allclose(found, [[0, 0], [0, 2 / np.pi**2]], atol=1e-16)


def test_an_operand_that_is_broadcast_gets_the_sum_over_what_is_not_masked() -> None:
    x = np.array([0.0, 2.0, 4.0])
    with np.errstate(divide="ignore"):
        assert tg.grad(lambda c: np.sum(np.where(x > 0, c / x, 0)))(3.0) == 0.75


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.sqrt(x) ** 2,
        lambda x: np.sqrt(x) * np.sqrt(x),
        lambda x: np.exp(np.log(x)),
        lambda x: np.cbrt(x) ** 3,
        lambda x: np.dot(np.sqrt(x)[None], np.sqrt(x)[None]),
    ],
)
def test_a_slope_of_0_is_no_mask_where_the_product_of_slopes_has_a_limit_of_its_own(f: Callable[[Any], Any]) -> None:
    """Each of these is x, whose derivative is 1; 0 would be wrong."""
    with np.errstate(all="ignore"):
        assert np.isnan(tg.grad(f)(0.0))


def test_a_slope_of_0_elsewhere_does_not_unmask() -> None:
    def total(x: Any) -> Any:
        return np.sum(np.where(x > 0, np.sqrt(x), 0) ** 2)

    np.testing.assert_array_equal(tg.grad(total)(np.array([0.0, 4.0])), [0, 1])


@pytest.mark.parametrize(
    "factor",
    [
        lambda x, w: np.heaviside(x, 0.0),
        lambda x, w: 0.0 * w,
        lambda x, w: np.exp(w) * 0.0,
        lambda x, w: np.where(x > 0, w, 0),
        lambda x, w: np.zeros(3) @ (w * np.ones(3)),
    ],
)
@pytest.mark.parametrize("f", [np.sqrt, np.log, np.cbrt, lambda x: np.sqrt(x) ** 2])
def test_a_factor_masks_that_is_0_whatever_the_arguments(f: Callable[[Any], Any], factor: Callable[..., Any]) -> None:
    with np.errstate(all="ignore"):
        found = tg.grad(lambda p: np.where(p[0] == 0, factor(*p) * f(p[0]), 1))((0.0, 2.0))
    assert found[0] == 0


# Warnings and errors of NumPy.


def test_nothing_is_said_of_what_is_masked() -> None:
    x = np.array([0.0, 1.0])
    with np.errstate(all="raise"):
        np.testing.assert_array_equal(tg.grad(lambda x: np.sum(np.where(x > 0, np.sqrt(x), 0)))(x), [0, 0.5])


def test_an_infinite_slope_that_counts_is_infinite_with_a_warning_of_its_own_alone() -> None:
    x, keep = np.array([0.0, 0.0, 1.0]), np.array([True, False, True])
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = tg.grad(lambda x: np.sum(np.where(keep, np.sqrt(x), 0)))(x)
    np.testing.assert_array_equal(found, [np.inf, 0, 0.5])
    assert [str(warning.message) for warning in caught] == ["divide by zero encountered in divide"]


def test_the_users_own_errstate_decides_of_what_counts() -> None:
    gradient, heard = tg.grad(lambda x: np.sum(np.sqrt(x))), []
    with np.errstate(divide="raise"), pytest.raises(FloatingPointError, match="divide by zero"):
        gradient(np.zeros(2))
    with np.errstate(divide="call", call=lambda kind, _: heard.append(kind)):
        gradient(np.zeros(2))
    assert heard == ["divide by zero"]
    with np.errstate(invalid="raise"), pytest.raises(FloatingPointError, match="invalid value"):
        tg.grad(lambda x: x * np.inf * 0.0 + np.sum(x * np.array([np.inf, -np.inf])) * 1.0)(1.0)


def test_each_thread_has_its_own_errstate() -> None:
    x, outcomes = np.array([0.0, 0.0, 1.0]), {}
    keep = np.array([False, True, True])

    def run(divide: Any) -> None:
        found = []
        for _ in range(200):
            with np.errstate(divide=divide):
                try:
                    found.append(tuple(tg.grad(lambda x: np.sum(np.where(keep, np.sqrt(x), 0)))(x)))
                except FloatingPointError:
                    found.append(None)
        outcomes[divide] = set(found)

    threads = [threading.Thread(target=run, args=[divide]) for divide in ("raise", "ignore")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes == {"raise": {None}, "ignore": {(0.0, np.inf, 0.5)}}


# Transforms, and what looks on.


def test_a_jvp_through_an_infinite_slope_is_infinite() -> None:
    with np.errstate(divide="ignore"):
        assert tg.jvp(np.sqrt, [0.0], [1.0])[1] == np.inf
        _, (plus, minus) = tg.jvp(lambda x: (np.sqrt(x), -np.sqrt(x)), [0.0], [1.0])
    assert (plus, minus) == (np.inf, -np.inf)
    assert tg.jvp(lambda x: np.where(x > 0, np.sqrt(x), 0), [0.0], [1.0])[1] == 0


def test_a_row_of_a_jacobian_is_0_where_its_element_does_not_depend() -> None:
    with np.errstate(divide="ignore"):
        np.testing.assert_array_equal(tg.jacobian(np.sqrt)(np.array([0.0, 1.0])), [[np.inf, 0], [0, 0.5]])


def test_backward_masks_on_the_way_too() -> None:
    x = tg.Tensor([0.0, 4.0])
    inner = np.where(x > 0, x, 0)
    np.sum(np.where(x > 0, np.sqrt(inner), 0)).backward()
    np.testing.assert_array_equal(inner.grad, [0, 0.25])
    np.testing.assert_array_equal(x.grad, [0, 0.25])


def test_a_checkpoint_masks() -> None:
    f = tg.checkpoint(lambda x: np.where(x > 0, np.sqrt(x), 0))
    with np.errstate(all="raise"):
        np.testing.assert_array_equal(tg.grad(lambda x: np.sum(f(x)))(np.array([0.0, 4.0])), [0, 0.25])


def test_debug_mode_and_the_cross_check_mask() -> None:
    x = np.array([0.0, 4.0])
    with tg.debug():
        np.testing.assert_array_equal(tg.grad(lambda x: np.sum(np.where(x > 0, np.sqrt(x), 0)))(x), [0, 0.25])
    report = tg.check.gradients(
        lambda x: np.sum(np.where(x > 1, np.sqrt(x - 1), 0)), np.array([1.0, 5.0]), lambda x: np.array([0.0, 0.25])
    )
    assert report.ok


def test_a_primitive_of_the_users_own_is_masked() -> None:
    @tg.primitive(elementwise=True)
    def root(x: Any, /) -> Any:
        return np.sqrt(x)

    root.defvjp(lambda g, out, x: g / (2 * out))
    with np.errstate(invalid="ignore"):
        found = tg.grad(lambda x: np.sum(np.where(x > 0, root(x), 0)))(np.array([-1.0, 0.0, 4.0]))
    np.testing.assert_array_equal(found, [0, 0, 0.25])


# What is not computed elementwise is masked as a whole.

WHOLE: dict[str, tuple[Callable[[Any], Any], Array]] = {
    "norm": (np.linalg.norm, np.zeros(3)),
    "norm of order 3": (lambda x: np.linalg.norm(x, 3), np.zeros(3)),
    "nuclear norm": (lambda x: np.linalg.norm(x, "nuc"), np.zeros((3, 3))),
    "std": (np.std, np.ones(3)),
    "std of one element": (lambda x: np.std(x, ddof=1), np.ones(1)),
    "prod": (np.prod, np.array([np.inf, 0.0, 1.0])),
    "cumprod": (np.cumprod, np.array([0.0, np.inf, 0.0])),
    "det": (np.linalg.det, np.zeros((3, 3))),
    "qr": (lambda x: np.linalg.qr(x)[0], np.zeros((3, 3))),
    "svd": (lambda x: np.linalg.svd(x)[0], np.eye(3)),
    "eigh": (lambda x: np.linalg.eigh(x)[1], np.eye(3)),
    "pinv": (np.linalg.pinv, np.zeros((3, 3))),
    "solve": (lambda x: np.linalg.solve(x, np.array([np.inf, 1.0])), np.eye(2)),
    "matmul": (lambda x: np.full((3, 3), np.inf) @ x, np.ones(3)),
    "logaddexp.reduce": (np.logaddexp.reduce, np.full(3, -np.inf)),
}


@pytest.mark.parametrize(("f", "x"), WHOLE.values(), ids=WHOLE)
@pytest.mark.parametrize("order", [1, 2])
def test_what_nothing_depends_on_passes_on_0(f: Callable[[Any], Any], x: Array, order: int) -> None:
    derivative: Callable[[Any], Any] = lambda x: np.sum(np.where(False, f(x), 0)) + np.sum(x)
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of too few degrees of freedom
        if order == 2:
            first = tg.grad(derivative)
            np.testing.assert_array_equal(tg.grad(lambda x: np.sum(first(x)))(x), np.zeros_like(x))
        else:
            np.testing.assert_array_equal(tg.grad(derivative)(x), np.ones_like(x))


def test_the_search_for_a_nan_in_the_data_does_not_recurse() -> None:
    def total(x: Any) -> Any:
        y = np.log(x)
        for _ in range(3000):
            y = y + 1.0
        return np.where(x > 0, np.sqrt(y), 0)

    with np.errstate(all="ignore"):
        assert tg.grad(total)(-1.0) == 0
