"""tg.vmap: axes, results, errors; and that it composes with itself, with derivatives and with programs."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes

import tinygrad_cnn as tg

RNG = np.random.default_rng(0)
W, XS, YS = RNG.normal(size=(3, 2)), RNG.normal(size=(4, 3)), RNG.normal(size=(4,))
A, B = RNG.normal(size=(2, 3)), RNG.normal(size=(4, 3))


def one(w: Any, x: Any) -> Any:
    """A function of one example, with a kink and a constant weight."""
    return np.tanh(x @ w).sum() ** 2 + tg.relu(x).sum() * w[0, 0]


def looped(w: Any, xs: Any) -> Any:
    return np.stack([one(w, x) for x in xs])


def close(found: Any, expected: Any, **how: Any) -> None:
    for a, b in zip(tg.tree.flatten(found).leaves, tg.tree.flatten(expected).leaves, strict=True):
        np.testing.assert_allclose(a, b, **{"rtol": 1e-10, "atol": 1e-12, **how})


# Axes.


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_the_axis_may_be_any_of_each_argument_and_of_the_result(data: st.DataObject) -> None:
    shape = data.draw(array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3))
    n = data.draw(st.integers(0, 3))
    axes = [data.draw(st.one_of(st.none(), st.integers(-len(shape) - 1, len(shape)))) for _ in range(2)]
    if axes == [None, None]:
        axes[0] = 0
    out = data.draw(st.integers(-len(shape) - 1, len(shape)))
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    xs = [rng.normal(size=(n, *shape) if axis is not None else shape) for axis in axes]
    given_as = [x if axis is None else np.moveaxis(x, 0, axis) for x, axis in zip(xs, axes, strict=True)]
    found = tg.vmap(lambda x, y: x * 2 - y, in_axes=tuple(axes), out_axes=out)(*given_as)
    each = [[x if axis is None else x[i] for x, axis in zip(xs, axes, strict=True)] for i in range(n)]
    expected = np.stack([x * 2 - y for x, y in each]) if n else np.zeros((0, *shape))
    np.testing.assert_array_equal(found, np.moveaxis(expected, 0, out), strict=True)


@dataclass
class Layer:
    W: Any
    b: Any


def test_axes_are_trees_like_the_beginnings_of_arguments_and_results() -> None:
    layers = {"first": Layer(RNG.normal(size=(2, 3, 4)), np.ones(3)), "scale": np.array([1.0, 2.0])}
    found = tg.vmap(
        lambda p, x: {"y": (p["first"].W @ x + p["first"].b) * p["scale"], "b": p["first"].b},
        in_axes=({"first": Layer(0, None), "scale": 0}, None),
        out_axes={"y": 1, "b": None},
    )(layers, np.ones(4))
    np.testing.assert_allclose(found["y"][:, 1], (layers["first"].W[1].sum(1) + 1) * 2)
    assert found["b"].shape == (3,)


def test_keywords_are_mapped_over_axis_0() -> None:
    np.testing.assert_array_equal(tg.vmap(lambda x, *, y: x - y)(np.arange(3.0), y=np.arange(3)), np.zeros(3))


def test_what_is_the_same_for_all_is_repeated_in_the_result() -> None:
    ones, x = tg.vmap(lambda x: (np.ones(2), x))(np.arange(3.0))
    assert ones.shape == (3, 2)
    x[0] = ones[0, 0] = 9  # they are the caller's own
    assert tg.vmap(lambda x: 2.5)(XS).tolist() == [2.5] * 4


@pytest.mark.parametrize("dtype", [np.float32, np.float16, np.int16, np.uint8, bool, np.complex64])
def test_dtypes_are_those_of_one_example(dtype: Any) -> None:
    xs = np.array([[1, 0, 1], [0, 1, 1]], dtype)
    for f in (lambda x: x + x, lambda x: x[0], np.sum, lambda x: x > 0, np.argmax, lambda x: x * 2, lambda x: x / 3):
        try:
            expected = np.stack([f(x) for x in xs])
        except TypeError:
            continue
        np.testing.assert_array_equal(tg.vmap(f)(xs), expected, strict=True)


def test_an_empty_batch_and_a_batch_of_one() -> None:
    for n in (0, 1):
        found = tg.vmap(lambda x: (np.sort(x), x.sum(), np.argmax(x), x[np.array([0, 0])], np.cumsum(x)))(XS[:n])
        assert [x.shape for x in found] == [(n, 3), (n,), (n,), (n, 2), (n, 3)]
        assert found[2].dtype == np.intp
        close(tg.grad(lambda w, n=n: tg.vmap(one, in_axes=(None, 0))(w, XS[:n]).sum())(W),
              tg.grad(lambda w, n=n: sum([one(w, x) for x in XS[:n]], 0.0 * w.sum()))(W))  # fmt: skip


# What others had wrong: the numbers of issues of jax-ml/jax and of pytorch/functorch are beside the cases.

INDICES = np.array([[0, 2, 2], [1, 1, 0]])
MATRICES = RNG.normal(size=(2, 3, 4))


def assigned(x: Any, i: Any, value: Any) -> Any:
    x = x.copy()
    x[i] = value
    return x


def added(x: Any, i: Any, value: Any) -> Any:
    x = x.copy()
    np.add.at(x, i, value)
    return x


def shifted(x: Any) -> Any:
    y = np.zeros_like(x)
    y[0] = x[1]
    y[1:] += x[:-1] * 2
    return y


KNOWN = {
    "x[argsort(x)], jax 275": (lambda x: x[np.argsort(x)], (MATRICES[:, 0],), (0,)),
    "indices alone are mapped": (lambda x, i: x[i], (MATRICES[0], INDICES), (None, 0)),
    "both are mapped": (lambda x, i: x[i], (MATRICES, INDICES), (0, 0)),
    "an index of a later axis": (lambda x, i: x[:, i], (MATRICES, INDICES), (0, 0)),
    "of a later axis, x the same": (lambda x, i: x[..., i], (MATRICES[0], INDICES), (None, 0)),
    "arrays apart from each other": (lambda x, i: x[i, :, i], (RNG.normal(size=(2, 3, 2, 3)), INDICES), (0, 0)),
    "an integer apart": (lambda x, i: x[0, :, i], (RNG.normal(size=(2, 3, 2, 3)), INDICES), (0, 0)),
    "one mapped number": (lambda x, i: x[i], (MATRICES, np.array([2, -1])), (0, 0)),
    "a number, apart": (lambda x, i: x[i, :, 0], (RNG.normal(size=(3, 2, 3)), np.array([2, 0])), (None, 0)),
    "a new axis between": (lambda x, i: x[i, None, i], (MATRICES, INDICES), (0, 0)),
    "arrays that broadcast": (lambda x, i: x[i[:, None], i], (MATRICES, INDICES), (0, 0)),
    "a constant index, apart": (lambda x: x[np.array([0, 1]), :, 0], (RNG.normal(size=(2, 3, 2, 3)),), (0,)),
    "a constant mask": (lambda x: x[:, np.array([True, False, True, True])], (MATRICES,), (0,)),
    "indices alone are assigned at, jax 786": (assigned, (MATRICES[0], INDICES, 5.0), (None, 0, None)),
    "assigned twice, the last counts": (assigned, (MATRICES[:, 0], INDICES, MATRICES[:, 1, :3]), (0, 0, 0)),
    "added twice, jax 16655": (added, (MATRICES, INDICES, MATRICES[:, :, :]), (0, 0, 0)),
    "a constant index, functorch 195": (lambda x: added(x, np.array([0, 0]), 1.0), (MATRICES,), (0,)),
    "values alone are mapped, functorch 105": (assigned, (MATRICES[0], 1, MATRICES[:, 2]), (None, None, 0)),
    "values that broadcast": (assigned, (MATRICES, INDICES, np.array([1.0, 2.0])), (0, 0, 0)),
    "a mask of each example is assigned at": (lambda x: assigned(x, x > 0, -1.0), (MATRICES,), (0,)),
    "a mask of rows": (lambda x: assigned(x, x[:, 0] > 0, np.arange(4.0)), (MATRICES,), (0,)),
    "a mask, added at": (lambda x: added(x, x > 0, 3.0), (MATRICES,), (0,)),
    "a slice and an array": (lambda x, i: assigned(x, (slice(1, 3), i), 7.0), (MATRICES, INDICES), (0, 0)),
    "in place, functorch 381": (shifted, (MATRICES,), (0,)),
    "searchsorted of NaN, jax 37822": (
        lambda a, v: np.searchsorted(a, v), (np.array([[1, 2, np.nan], [0, 3, 4]]), np.array([[0, np.nan], [3, 9]])),
        (0, 0),
    ),
    "searchsorted, from the right": (
        lambda a, v: np.searchsorted(a, v, "right"), (np.array([[1, 2, np.nan], [0, 3, 4]]), np.array([2, np.nan])),
        (0, None),
    ),
    "where, NaN not chosen": (lambda x: np.where(x > 0, np.log(np.where(x > 0, x, 1)), 0), (MATRICES,), (0,)),
    "a sort of ties and NaN": (lambda x: np.argsort(x, kind="stable"), (np.array([[1, 1, np.nan], [2, 0, 2]]),), (0,)),
    "take, mode wrap": (lambda x, i: np.take(x, i, 1, mode="wrap"), (MATRICES, INDICES + 5), (0, 0)),
    "a mask of each example": (lambda x: np.sum(x, where=x > 0, initial=1.0), (MATRICES,), (0,)),
    "order F": (lambda x: x.reshape(4, 3, order="F"), (MATRICES,), (0,)),
    "a window that starts elsewhere": (lambda x, i: x[i + np.arange(2)], (MATRICES, np.array([0, 1])), (0, 0)),
}  # fmt: skip


@pytest.mark.parametrize("name", KNOWN)
def test_indices_and_assignments_are_those_of_one_example(name: str) -> None:
    f, operands, axes = KNOWN[name]
    each = [[x if axis is None else x[i] for x, axis in zip(operands, axes, strict=True)] for i in range(2)]
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(
            tg.vmap(f, in_axes=axes)(*operands), np.stack([f(*one) for one in each]), strict=True
        )
        if axes[0] == 0 and np.result_type(f(*each[0])).kind == "f":  # and so are their gradients

            def slope(x: Any, *others: Any) -> Any:
                return np.sum(np.sin(f(x, *others)))

            found = tg.grad(lambda x: np.sum(tg.vmap(slope, in_axes=axes)(x, *operands[1:])))(operands[0])
            np.testing.assert_allclose(found, np.stack([tg.grad(slope)(*one) for one in each]), rtol=1e-12)


def test_an_index_out_of_range_of_one_example_raises_as_numpy_does() -> None:
    with pytest.raises(IndexError):
        tg.vmap(lambda x, i: x[i])(XS, np.array([0, 1, 2, 3]))


# Derivatives: within, around, and of every order.

V = tg.vmap(one, in_axes=(None, 0))
TRANSFORMS: dict[str, Callable[[Any], Any]] = {
    "grad": lambda f: tg.grad(lambda w, x: np.sum(f(w, x) * np.arange(4.0)), argnums=(0, 1))(W, XS),
    "jacobian": lambda f: tg.jacobian(f, argnums=(0, 1))(W, XS),
    "hessian": lambda f: tg.hessian(lambda w: f(w, XS).sum())(W),
    "hessian by the examples": lambda f: tg.hessian(lambda x: f(W, x).sum())(XS),
    "hvp": lambda f: tg.hvp(lambda w: f(w, XS).sum(), W, W * W),
    "jvp": lambda f: tg.jvp(f, [W, XS], [W * W, XS * 2]),
    "vjp": lambda f: tg.vjp(f, W, XS)[1](np.arange(4.0)),
    "third": lambda f: tg.grad(
        lambda w: tg.grad(lambda w: tg.grad(lambda w: f(w, XS).sum())(w).sum())(w).sum()
    )(W),
}  # fmt: skip


@pytest.mark.parametrize("name", TRANSFORMS)
def test_derivatives_of_a_batch_are_those_of_a_loop(name: str) -> None:
    of = TRANSFORMS[name]
    expected = of(looped)
    close(of(V), expected)
    close(of(lambda w, xs: tg.vmap(lambda x: one(w, x))(xs)), expected)  # what it closes over counts too
    close(of(lambda w, xs: tg.vmap(one, in_axes=(2, 1))(np.stack([w] * 4, 2), xs.T)), expected)


def test_gradients_of_each_example() -> None:
    expected = np.stack([tg.grad(one)(W, x) for x in XS])
    close(tg.vmap(tg.grad(one), in_axes=(None, 0))(W, XS), expected)
    values, gradients = tg.vmap(tg.value_and_grad(one), in_axes=(None, 0))(W, XS)
    close((values, gradients), (looped(W, XS), expected))
    close(tg.vmap(lambda w, x: tg.hvp(one, w, w, x), in_axes=(None, 0))(W, XS),
          np.stack([tg.hvp(one, W, W, x) for x in XS]))  # fmt: skip


def both(a: Any, b: Any) -> Any:
    return np.sin(a @ b) * a[0]


def of_one(a: Any) -> Any:
    """The gradient by `a` of a sum over all of B, as a loop."""
    return tg.grad(lambda a: sum(both(a, b) for b in B))(a)


def of_one_batched(a: Any) -> Any:
    return tg.grad(lambda a: tg.vmap(lambda b: both(a, b))(B).sum())(a)


def test_it_nests() -> None:
    close(tg.vmap(lambda a: tg.vmap(lambda b: both(a, b))(B))(A), np.array([[both(a, b) for b in B] for a in A]))
    close(tg.vmap(tg.vmap(both, in_axes=(None, 0)), in_axes=(0, None))(A, B),
          np.array([[both(a, b) for b in B] for a in A]))  # fmt: skip
    close(tg.vmap(of_one_batched)(A), np.stack([of_one(a) for a in A]))
    close(
        tg.grad(lambda A: tg.vmap(lambda a: of_one_batched(a)[0])(A).sum())(A),
        tg.grad(lambda A: sum([of_one(a)[0] for a in A], 0.0))(A),
    )


@pytest.mark.parametrize("backend", ["numpy", "c"])
def test_it_is_a_part_of_programs(backend: Any) -> None:
    def gradient(w: Any, xs: Any) -> Any:
        return tg.grad(lambda w: tg.vmap(lambda x: one(w, x))(xs).sum())(w)

    close(tg.compile(gradient, backend=backend)(W, XS), gradient(W, XS))
    close(tg.compile(tg.vmap(of_one_batched), backend=backend)(A), np.stack([of_one(a) for a in A]))
    program = tg.program(tg.vmap(tg.grad(one), in_axes=(None, 0)))(W, XS)
    close(program(W, XS[::-1].copy()), tg.vmap(tg.grad(one), in_axes=(None, 0))(W, XS[::-1]))
    close(tg.vmap(tg.compile(one, backend=backend), in_axes=(None, 0))(W, XS), looped(W, XS))


@tg.primitive
def rounded(x, /):
    return np.round(x)


rounded.defvjp(lambda g, out, x: g)

RULES: dict[str, tuple[Callable[[Any], Any], list[float], list[float]]] = {
    "a user's rule": (lambda x: rounded(x) ** 2, [1.2, 2.7], [2.0, 6.0]),
    "what is stopped": (lambda x: x * tg.stop_gradient(x), [1.2, 2.7], [1.2, 2.7]),
    "the slope at a kink": (lambda x: tg.relu(x, at_zero=1.0), [0.0, -1.0], [1.0, 0.0]),
    "a tie": (lambda x: np.maximum(x, 0), [0.0, 2.0], [0.5, 1.0]),
    "an infinite slope, not chosen": (lambda x: np.where(x > 0, np.sqrt(x), 0), [4.0, 0.0], [0.25, 0.0]),
    "a checkpoint": (tg.checkpoint(lambda x: x**3), [1.0, 2.0], [3.0, 12.0]),
}


@pytest.mark.parametrize("name", RULES)
@pytest.mark.filterwarnings("ignore:divide by zero", "ignore:invalid value")
def test_the_rules_of_one_example_hold_for_all(name: str) -> None:
    f, xs, expected = RULES[name]
    close(tg.grad(lambda x: tg.vmap(f)(x).sum())(np.array(xs)), np.array(expected))
    close(tg.vmap(tg.grad(f))(np.array(xs)), np.array(expected))


def test_several_results_of_several_dtypes_are_differentiated() -> None:
    def results(w: Any, x: Any) -> Any:
        return {"y": x @ w, "single": (x * w[:, 0]).astype(np.float32), "same": w * 2, "which": np.argmax(x)}

    def loss(w: Any) -> Any:
        out = {"y": 0, "single": 1, "same": None, "which": 0}
        found = tg.vmap(results, in_axes=(None, 0), out_axes=out)(w, XS)
        return (found["y"] ** 2).sum() + found["single"].sum() + (found["same"] ** 2).sum()

    def expected(w: Any) -> Any:
        return ((XS @ w) ** 2).sum() + (XS * w[:, 0]).sum() + ((w * 2) ** 2).sum()

    close(tg.grad(loss)(W), tg.grad(expected)(W), rtol=1e-6)


def test_the_tape_is_recorded_through_it_and_no_grad_ends_it() -> None:
    for of_batch in (V, lambda w, xs: tg.vmap(lambda x: one(w, x))(xs)):
        w = tg.Tensor(W)
        of_batch(w, XS).sum().backward()
        close(w.grad, tg.grad(lambda w: looped(w, XS).sum())(W))
        with tg.no_grad():
            assert type(of_batch(w, XS)) is np.ndarray


def test_single_precision_stays_single() -> None:
    w, xs = W.astype(np.float32), XS.astype(np.float32)
    gradient = tg.grad(lambda w: V(w, xs).sum())(w)
    assert gradient.dtype == np.float32
    close(gradient, tg.grad(lambda w: looped(w, XS).sum())(W), rtol=1e-5)
    assert tg.vmap(tg.grad(one), in_axes=(None, 0))(w, xs).dtype == np.float32


def test_each_example_draws_its_own_numbers_as_in_a_loop() -> None:
    def noisy(x: Any, rng: np.random.Generator) -> Any:
        return x + rng.normal(size=2) * rng.uniform()

    rng = np.random.default_rng(3)
    expected = np.stack([noisy(x, rng) for x in YS])
    f = tg.vmap(noisy, in_axes=(0, None))
    np.testing.assert_array_equal(f(YS, np.random.default_rng(3)), expected)
    np.testing.assert_array_equal(tg.compile(f, backend="numpy")(YS, np.random.default_rng(3)), expected)


def test_the_gradients_of_a_network_for_each_example() -> None:
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(3, 6, 6)), np.array([0, 2, 1])
    p = {"Wc": rng.normal(size=(2, 1, 3, 3)), "Wf": rng.normal(size=(3, 8)), "b": np.zeros(3)}

    def loss(p: Any, x: Any, y: Any) -> Any:
        conv = np.maximum(0, tg.conv2d(x[None, None], p["Wc"]))  # (1, 2, 4, 4)
        logits = tg.max_pool2d(conv, 2).reshape(1, -1) @ p["Wf"].T + p["b"]
        return tg.nn.softmax_cross_entropy(logits, y[None])

    each = tg.vmap(tg.grad(loss), in_axes=(None, 0, 0))(p, x, y)
    for i in range(3):
        close(tg.tree.map(lambda g, i=i: g[i], each), tg.grad(loss)(p, x[i], y[i]))
    mean = tg.grad(lambda p: np.mean(tg.vmap(loss, in_axes=(None, 0, 0))(p, x, y)))(p)
    close(mean, tg.tree.map(lambda g: g.mean(0), each))


def test_a_recurrent_network_for_each_sequence() -> None:
    rng = np.random.default_rng(1)
    p = {"Wh": rng.normal(size=(4, 4)) / 2, "Wx": rng.normal(size=(4, 2))}
    sequences = rng.normal(size=(3, 5, 2))

    def last(p: Any, xs: Any) -> Any:
        h = np.zeros(4)
        for x in xs:
            h = np.tanh(p["Wh"] @ h + p["Wx"] @ x)
        return np.sum(h**2)

    each = tg.vmap(tg.grad(last), in_axes=(None, 0))(p, sequences)
    for i in range(3):
        close(tg.tree.map(lambda g, i=i: g[i], each), tg.grad(last)(p, sequences[i]))


SHARED: dict[str, tuple[Callable[[Any, Any], Any], tuple[int, ...]]] = {
    "x @ W": (lambda w, x: np.tanh(x @ w), (7,)),
    "W.T @ x": (lambda w, x: np.tanh(w.T @ x), (7,)),
    "a matrix of each": (lambda w, x: np.tanh(x @ w), (2, 7)),
    "twice": (lambda w, x: np.tanh(x @ w) @ w.T @ w, (7,)),
    "in a loop": (lambda w, x: sum([np.tanh(w[:6] @ x[:6] * k) for k in range(3)], 0.0), (7,)),
    "elementwise": (lambda w, x: w[:, 0] * x, (7,)),
    "with its sum": (lambda w, x: (x @ w) * w.sum(), (7,)),
    "not by the example": (lambda w, x: w * 2, (7,)),
    "transposed": (lambda w, x: np.sin(-w.T.reshape(7, 6).T @ x), (7,)),
}


@pytest.mark.parametrize("name", SHARED)
@pytest.mark.parametrize("n", [0, 1, 4])
def test_what_is_the_same_for_all_has_the_sum_of_their_cotangents(name: str, n: int) -> None:
    f, shape = SHARED[name]
    rng = np.random.default_rng(0)
    w, xs = rng.normal(size=(7, 6)), rng.normal(size=(n, *shape))

    def loss(w: Any, x: Any) -> Any:
        return np.sum(f(w, x) ** 2)

    expected = sum([tg.grad(loss)(w, x) for x in xs], np.zeros_like(w))
    found = tg.grad(lambda w: tg.vmap(loss, in_axes=(None, 0))(w, xs).sum())
    close(found(w), expected)
    close(tg.compile(found, backend="numpy")(w), expected)


@pytest.mark.parametrize("name", ["x @ W", "W.T @ x", "a matrix of each"])
def test_of_a_matrix_there_is_no_cotangent_for_each_example(name: str) -> None:
    f, shape = SHARED[name]
    w, xs = np.zeros((200, 200)), np.ones((100, *shape[:-1], 200))
    gradient = tg.grad(lambda w: np.sum(tg.vmap(lambda x: np.sum(f(w, x)))(xs)))
    gradient(w)
    tracemalloc.start()
    gradient(w)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 0.2 * len(xs) * w.nbytes


# Errors.


def outside(w: Any) -> Any:
    total = w * 1
    tg.vmap(lambda x: total.__setitem__(0, x))(YS)
    return total.sum()


ERRORS: dict[str, tuple[Callable[[], Any], type[Exception], str]] = {
    "sizes": (lambda: tg.vmap(np.add)(XS, np.ones((3, 2))), ValueError, r"4 in .*\(4, 3\).*; 3 in .*\(3, 2\)"),
    "entries": (lambda: tg.vmap(one, in_axes=(0,))(W, XS), ValueError, "in_axes has 1 entries for 2"),
    "nothing": (lambda: tg.vmap(one, in_axes=None)(W, XS), ValueError, "maps no argument"),
    "no arguments": (lambda: tg.vmap(lambda: 1.0)(), ValueError, "maps no argument"),
    "no such axis": (lambda: tg.vmap(one, in_axes=(None, 2))(W, XS), ValueError, r"argument x has shape \(4, 3\)"),
    "a number": (lambda: tg.vmap(one)(W, 1.0), ValueError, "argument x is 1.0 .float., which has no axis 0"),
    "a list": (lambda: tg.vmap(one)(W, [1.0, 2.0]), ValueError, r"argument x\[0\] is 1.0"),
    "another structure": (
        lambda: tg.vmap(lambda p: p["a"], in_axes=({"b": 0},))({"a": YS}), ValueError, "another structure",
    ),
    "no axes": (lambda: tg.vmap(one, in_axes="rows"), TypeError, "in_axes is 'rows'"),
    "a float": (lambda: tg.vmap(one, out_axes=0.5), TypeError, "out_axes is 0.5"),
    "a dict for all": (lambda: tg.vmap(one, in_axes={"x": 0}), TypeError, "expected an axis, None, or a tuple"),
    "no function": (lambda: tg.vmap(3), TypeError, "3 is not callable"),
    "out_axes None": (lambda: tg.vmap(np.sin, out_axes=None)(YS), ValueError, "differs from example to example"),
    "out_axes 1": (lambda: tg.vmap(np.sin, out_axes=1)(YS), ValueError, "expected an axis from -1 to 0"),
    "a string": (lambda: tg.vmap(lambda x: "a")(YS), TypeError, "vmap: the function returns its result = 'a'"),
    "a branch": (lambda: tg.vmap(lambda x: x if x > 0 else -x)(YS), tg.TracingError, r"vmap: a branch.*\.py:"),
    "a shape": (lambda: tg.vmap(lambda x: np.unique(x))(XS), tg.TracingError, "vmap: the size of the result"),
    "no rule": (lambda: tg.vmap(lambda x: np.linalg.lstsq(x, x)[0])(MATRICES), NotImplementedError,
                r"no batching rule for np.linalg.lstsq \(.*test_vmap.py:\d+"),
    "a hidden draw": (lambda: tg.vmap(lambda x: x + np.random.normal())(YS), tg.TracingError, "draws random numbers"),
    "an argument": (lambda: tg.vmap(lambda x: x.__setitem__(0, 1.0))(XS), tg.TracingError, "is assigned to"),
    "an argument of a gradient": (
        lambda: tg.grad(lambda xs: tg.vmap(lambda x: (x.__setitem__(0, 1.0), x.sum())[1])(xs).sum())(XS),
        NotImplementedError, "assigns to its argument",
    ),
    "outside, in a gradient": (lambda: tg.grad(outside)(YS), tg.TracingError, "assigns to an array that it closes"),
    "outside, in a program": (lambda: tg.compile(outside)(YS), tg.TracingError, "assigns to an array that it closes"),
}  # fmt: skip


@pytest.mark.parametrize("name", ERRORS)
def test_errors_say_what_was_given_and_what_to_do(name: str) -> None:
    call, kind, message = ERRORS[name]
    with pytest.raises(kind, match=message):
        call()


def test_a_program_that_closes_over_a_tensor_of_a_gradient_says_so() -> None:
    with pytest.raises(tg.TracingError, match="closes over a Tensor"):
        tg.grad(lambda w: tg.compile(lambda x: (w * x).sum(), backend="numpy")(YS))(YS)


def test_a_printed_program_has_the_names_of_the_function_of_one_example() -> None:
    def loss(w: Any, x: Any, y: Any) -> Any:
        hidden = np.tanh(x @ w)
        difference = hidden - y
        return np.sum(difference**2)

    def mean(w: Any, x: Any, y: Any) -> Any:
        losses = tg.vmap(loss, in_axes=(None, 0, 0))(w, x, y)
        return np.mean(losses)

    for f in (tg.vmap(tg.grad(loss), in_axes=(None, 0, 0)), tg.grad(mean)):
        text = str(tg.program(f)(W, XS, YS[:, None]))
        for line in ("hidden = np.tanh(x @ w)", "difference = hidden - y", "dL_dw = "):
            assert line in text
