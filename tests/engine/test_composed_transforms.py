"""jacobian, hessian, hvp, elementwise_grad, checkpoint, stop_gradient; debug mode; threads and tasks."""

from __future__ import annotations

import asyncio
import gc
import threading
import tracemalloc

import numpy as np
import pytest
from numeric import derivatives_agree

import tinygrad_cnn as tg

RNG = np.random.default_rng(0)


def test_a_jacobian_has_the_shape_of_the_value_and_then_that_of_the_argument() -> None:
    A, x = RNG.standard_normal((2, 3, 4)), RNG.standard_normal((4, 2))
    found = tg.jacobian(lambda x: A @ x)(x)
    assert found.shape == (2, 3, 2, 4, 2)
    np.testing.assert_allclose(np.einsum("abcij,ij->abc", found, x), A @ x)


def test_a_jacobian_of_a_tree_is_a_tree() -> None:
    found = tg.jacobian(lambda p: p["W"] @ p["b"])({"W": np.ones((2, 3)), "b": np.arange(3.0)})
    np.testing.assert_array_equal(found["b"], np.ones((2, 3)))
    np.testing.assert_array_equal(found["W"], np.einsum("ij,k->ijk", np.eye(2), np.arange(3.0)))


def test_a_jacobian_with_respect_to_several_arguments_of_several_results_is_a_tree_of_blocks() -> None:
    A, x, c = RNG.standard_normal((2, 3)), RNG.standard_normal(3), 0.5
    found = tg.jacobian(lambda c, A, x: {"Ax": A @ x, "rest": (c * x, 7.0)}, argnums=(1, -1))(c, A, x)
    by_A, by_x = found["Ax"]
    np.testing.assert_array_equal(by_A, np.einsum("ij,k->ijk", np.eye(2), x))
    np.testing.assert_array_equal(by_x, A)
    (cx_by_A, cx_by_x), (constant_by_A, constant_by_x) = found["rest"]
    np.testing.assert_array_equal(cx_by_A, np.zeros((3, 2, 3)))
    np.testing.assert_array_equal(cx_by_x, c * np.eye(3))
    assert constant_by_A.shape == (2, 3)
    assert constant_by_x.shape == (3,)
    assert not constant_by_A.any()
    assert not constant_by_x.any()


def test_a_hessian_of_a_tree_is_a_tree_of_blocks() -> None:
    p = {"W": RNG.standard_normal((2, 3)), "b": (RNG.standard_normal(2), 0.3)}
    names, leaves = ("W", "b0", "b1"), (p["W"], *p["b"])

    def loss(p):
        return np.sum(np.tanh(p["W"] @ np.arange(3.0) * p["b"][0]) * np.exp(p["b"][1]))

    def of_row(row):  # the same function of all elements in a row, whose Hessian is one matrix
        return loss({"W": row[:6].reshape(2, 3), "b": (row[6:8], row[8])})

    H = tg.hessian(of_row)(np.concatenate([np.ravel(leaf) for leaf in leaves]))
    found = tg.hessian(loss)(p)
    flat = {"W": found["W"], "b0": found["b"][0], "b1": found["b"][1]}
    places = dict(zip(names, (slice(0, 6), slice(6, 8), slice(8, 9)), strict=True))
    for one, x in zip(names, leaves, strict=True):
        for other, y, block in zip(names, leaves, (flat[one]["W"], *flat[one]["b"]), strict=True):
            assert np.shape(block) == np.shape(x) + np.shape(y)
            expected = H[places[one], places[other]].reshape(np.shape(block))
            np.testing.assert_allclose(block, expected, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("argnums", [0, 1, -1, (0, 1), (1, 0), (-1,), (2, 0, 1)])
def test_argnums_mean_the_same_in_every_transform(argnums) -> None:
    args = (RNG.standard_normal(3), RNG.standard_normal(3), 0.7)

    def h(a, b, c, power=1):
        return np.sum(np.tanh(a * b) * c ** (2 * power) + a**3 * c)

    gradient = tg.grad(h, argnums)(*args, power=2)
    slopes = tg.jacobian(h, argnums)(*args, power=2)
    each = tg.elementwise_grad(h, argnums)(*args, power=2)
    np.testing.assert_equal(slopes, gradient)
    np.testing.assert_equal(each, gradient)
    chosen = args[argnums] if isinstance(argnums, int) else tuple(args[i] for i in argnums)
    others = [x for i, x in enumerate(args) if i not in np.arange(3)[np.atleast_1d(argnums)]]
    along = tg.tree.map(np.ones_like, chosen)
    product = tg.hvp(h, chosen, along, *others, argnums=argnums, power=2)
    H = tg.hessian(h, argnums)(*args, power=2)
    if isinstance(argnums, int):
        H, product = (H,), (product,)
    else:
        H = tuple(sum(block.reshape((*np.shape(x), -1)).sum(-1) for block in row) for row, x in zip(H, chosen))
        np.testing.assert_equal(len(product), len(argnums))
    for row, found in zip(H, product, strict=True):
        expected = row if np.ndim(row) == np.ndim(found) else row.sum(-1)
        np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_hvp_of_several_arguments_wants_a_tuple_of_them() -> None:
    with pytest.raises(TypeError, match=r"hvp: primal is of type float; expected a tuple of 2 arguments"):
        tg.hvp(np.multiply, 1.0, 1.0, 2.0, argnums=(0, 1))


def test_a_jacobian_of_nothing_returned_is_refused() -> None:
    for function in (lambda x: None, lambda x: "text", lambda x: {"a": x, "b": "text"}):
        with pytest.raises(TypeError, match="expected arrays of floats"):
            tg.jacobian(function)(1.0)


@pytest.mark.parametrize("shape", [(0,), (0, 2)])
def test_the_jacobian_of_nothing_is_empty(shape) -> None:
    assert tg.jacobian(lambda x: x * 2)(np.zeros(shape)).shape == shape + shape


def test_a_jacobian_is_differentiated() -> None:
    derivatives_agree(lambda x: tg.jacobian(np.exp)(x) ** 2, [np.array([0.1, 0.5])], order=1)


def f(x):
    return np.sum(np.tanh(x[:, None] * x) * np.exp(x))


def test_a_hessian_is_symmetric_and_hvp_is_its_product() -> None:
    x, v = RNG.standard_normal(4), RNG.standard_normal(4)
    H = tg.hessian(f)(x)
    np.testing.assert_allclose(H, H.T, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(tg.hvp(f, x, v), H @ v, rtol=1e-12)


def test_hvp_of_a_tree() -> None:
    p, v = {"a": np.array([1.0, 2.0]), "b": 3.0}, {"a": np.array([0.5, -1.0]), "b": 2.0}
    found = tg.hvp(lambda p: np.sum(p["a"] ** 2) * p["b"], p, v)
    np.testing.assert_allclose(found["a"], 2 * v["a"] * p["b"] + 2 * p["a"] * v["b"])
    assert found["b"] == pytest.approx(np.sum(2 * p["a"] * v["a"]))


def test_elementwise_grad_again_and_again() -> None:
    x = np.linspace(-1, 1, 5)
    third = tg.elementwise_grad(tg.elementwise_grad(tg.elementwise_grad(np.sin)))
    np.testing.assert_allclose(third(x), -np.cos(x), rtol=1e-13)


def test_stop_gradient_stops_all_orders() -> None:
    def g(x):
        return tg.grad(lambda y: y * y * tg.stop_gradient(y))(x)

    assert g(3.0) == 18.0
    assert tg.grad(g)(3.0) == 6.0


# Checkpoints.


def layer(x, W):
    return np.tanh(W @ np.tanh(W @ x))


def test_a_checkpoint_has_the_derivatives_of_what_it_keeps_not() -> None:
    x, W = RNG.standard_normal(3), RNG.standard_normal((3, 3))
    np.testing.assert_array_equal(tg.checkpoint(layer)(x, W), layer(x, W))
    derivatives_agree(tg.checkpoint(layer), [x, W], order=3)


def test_a_checkpoint_takes_and_gives_trees_and_settings() -> None:
    @tg.checkpoint
    def split(p, *, scale):
        return {"sum": p["a"] * scale + p["b"], "constant": 3, "product": [p["a"] * p["b"]]}

    def loss(p):
        out = split(p, scale=2.0)
        return np.sum(out["sum"] ** 2 * out["product"][0]) * out["constant"]

    p = {"a": np.array([1.0, 2.0]), "b": np.array([0.5, 3.0])}
    plain = tg.grad(lambda p: np.sum((p["a"] * 2 + p["b"]) ** 2 * (p["a"] * p["b"])) * 3)(p)
    found = tg.grad(loss)(p)
    np.testing.assert_allclose(found["a"], plain["a"])
    np.testing.assert_allclose(found["b"], plain["b"])


def test_a_checkpoint_knows_of_what_a_closure_takes_from_without() -> None:
    def loss(W, checkpoint):
        inner = W * 2.0
        block = checkpoint(lambda x: np.tanh(inner @ x) * np.sum(W))
        return np.sum(block(np.ones(2)) ** 2)

    W = RNG.standard_normal((2, 2))
    expected = tg.grad(lambda W: loss(W, lambda f: f))(W)
    np.testing.assert_allclose(tg.grad(lambda W: loss(W, tg.checkpoint))(W), expected, rtol=1e-12)
    derivatives_agree(lambda W: loss(W, tg.checkpoint), [W], order=2)


def test_a_checkpoint_may_return_what_it_takes_from_without() -> None:
    for make in (lambda W: W, lambda W: W * 2.0):
        found = tg.grad(lambda W, make=make: np.sum(tg.checkpoint(lambda x, V: (V, x))(np.ones(3), make(W))[0]))
        closed = tg.grad(lambda W, make=make: np.sum(tg.checkpoint(lambda x, V=make(W): V)(np.ones(3))))
        np.testing.assert_array_equal(found(np.ones(3)), make(np.ones(3)))
        np.testing.assert_array_equal(closed(np.ones(3)), make(np.ones(3)))


def test_a_checkpoint_that_computes_something_else_the_second_time_is_refused() -> None:
    rng = np.random.default_rng(0)
    drops = tg.checkpoint(lambda x: np.sum(x * rng.random(3)))
    with pytest.raises(RuntimeError, match="random numbers"):
        tg.grad(drops)(np.ones(3))

    def changed_in_between(W):
        W = W * 1.0
        y = tg.checkpoint(lambda x: np.sum(W * x))(np.ones(3))
        W *= 2.0
        return y

    with pytest.raises(RuntimeError, match="has changed since"):
        tg.grad(changed_in_between)(np.ones(3))


def test_a_checkpoint_that_assigns_to_its_argument_is_refused() -> None:
    def doubled(x):
        x *= 2.0
        return x

    with pytest.raises(NotImplementedError, match="copy"):
        tg.grad(lambda x: np.sum(tg.checkpoint(doubled)(x)))(np.ones(3))


def test_checkpoints_keep_less() -> None:
    def deep(x, block):
        for _ in range(20):
            x = block(x)
        return np.sum(x)

    def block(x):
        for _ in range(20):
            x = np.sin(x)
        return x

    def peak(block):
        gc.collect()
        tracemalloc.start()
        tg.grad(lambda x: deep(x, block))(np.ones(100_000))
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    assert peak(tg.checkpoint(block)) < peak(block) / 4


# No confusion of derivatives, in whatever way they are nested.


def test_a_gradient_within_a_gradient_sees_the_other_variable_as_a_constant() -> None:
    assert tg.grad(lambda x: x * tg.grad(lambda y: x + y)(1.0))(2.0) == 1.0
    assert tg.grad(lambda x: x * tg.grad(lambda y: x * y * y)(x))(2.0) == pytest.approx(3 * 2 * 2**2)
    inner = tg.jvp(lambda x: tg.jvp(lambda y: x * y, [1.0], [1.0])[1] * x, [3.0], [1.0])[1]
    assert inner == 6.0


def test_asyncio_tasks_and_threads_have_a_record_of_their_own() -> None:
    async def work(k: float) -> float:
        x = tg.Tensor(k)
        y = x * x
        with tg.no_grad():
            await asyncio.sleep(0)
            assert not isinstance(x * 2, tg.Tensor)
        await asyncio.sleep(0)
        y.backward()
        return float(x.grad)

    async def everybody() -> list[float]:
        return await asyncio.gather(*[work(float(k)) for k in range(20)])

    assert asyncio.run(everybody()) == [2.0 * k for k in range(20)]

    seen = []
    with tg.no_grad():
        thread = threading.Thread(target=lambda: seen.append(tg.Tensor(1.0) * 2))
        thread.start()
        thread.join()
    assert isinstance(seen[0], tg.Tensor)


# Debug mode.


def test_debug_mode_names_the_node_that_made_the_first_nan() -> None:
    with (
        tg.debug(),
        pytest.raises(FloatingPointError, match=r"sqrt produced the first nan: element \(1,\).*for operand -1"),
    ):
        np.sqrt(tg.Tensor([1.0, -1.0])) + 1


def test_debug_mode_names_the_line() -> None:
    def somewhere(x):
        return np.log(x)  # here

    line = somewhere.__code__.co_firstlineno + 1
    with tg.debug(), pytest.raises(FloatingPointError, match=rf"in .*somewhere, line {line} of .*{__name__}\.py"):
        tg.grad(somewhere)(0.0)


def test_debug_mode_names_the_rule_that_made_the_first_inf() -> None:
    with (
        tg.debug(),
        pytest.raises(FloatingPointError, match="backward: the rule of sqrt for operand 0 produced the first inf"),
    ):
        tg.grad(np.sqrt)(0.0)


def test_debug_mode_lets_an_infinite_mask_pass_but_no_nan() -> None:
    mask = np.array([0.0, -np.inf])
    with tg.debug():
        tg.grad(lambda x: np.sum(np.exp(x + mask)))(np.ones(2))
        with pytest.raises(FloatingPointError, match="introduced the first nan"):
            tg.Tensor([1.0]) * np.array([np.nan])


def test_debug_mode_looks_at_what_is_assigned() -> None:
    t = np.zeros_like(tg.Tensor(np.ones(3)))
    with tg.debug(), pytest.raises(FloatingPointError, match="first nan"):
        t[1] = np.nan


def test_without_debug_mode_nan_and_inf_pass_as_in_numpy() -> None:
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(np.log(tg.Tensor([0.0, -1.0, np.nan])).value, [-np.inf, np.nan, np.nan])


def test_debug_mode_checks_a_rule_when_it_is_declared() -> None:
    def cube(x, /):
        return x**3

    with tg.debug():
        tg.primitive(cube).defvjp(lambda g, out, x: 3 * g * x**2)
        with pytest.raises(ValueError, match="the rule of cube for operand 0 is not its derivative"):
            tg.primitive(cube).defvjp(lambda g, out, x: 2 * g * x**2)
        with pytest.raises(ValueError, match=r"cotangent of shape \(3, 2\)"):
            tg.primitive(cube).defvjp(lambda g, out, x: (3 * g * x**2).T if g.ndim == 2 else 3 * g * x**2)
    tg.primitive(cube).defvjp(lambda g, out, x: 2 * g * x**2)


def test_debug_mode_finds_a_primitive_that_writes_into_what_it_was_given() -> None:
    @tg.primitive
    def twice(x, /):
        return 2 * x

    @tg.primitive
    def doubled(x, /):
        x *= 2
        return x

    with tg.debug():
        with pytest.raises(ValueError, match="read-only"):
            twice.defvjp(lambda g, out, x: np.multiply(g, 2, out=g), example=[np.ones(3)])
        with pytest.raises(ValueError, match="read-only"):
            doubled.defvjp(lambda g, out, x: 2 * g, example=[np.ones(3)])


def test_debug_mode_checks_a_rule_on_the_example_that_is_given() -> None:
    def shifted(x, /, by):
        return np.roll(x, by)

    with tg.debug():
        tg.primitive(shifted).defvjp(lambda g, out, x, by: np.roll(g, -by), example=(np.ones(4), 1))
        with pytest.raises(ValueError, match="none of the default operands"):
            tg.primitive(shifted).defvjp(lambda g, out, x, by: np.roll(g, -by))


def test_debug_mode_checks_the_rule_of_a_primitive_of_any_number_of_operands() -> None:
    def total(*arrays):
        return sum(arrays)

    with tg.debug():
        tg.primitive(total).defvjp_argnum(lambda position, g, out, *arrays: g)
        with pytest.raises(ValueError, match="is not its derivative"):
            tg.primitive(total).defvjp_argnum(lambda position, g, out, *arrays: 2 * g)


def test_debug_mode_lets_a_checkpoint_pass() -> None:
    with tg.debug():
        found = tg.grad(lambda x: np.sum(tg.checkpoint(lambda x: np.sin(x) * x)(x)))(np.ones(2))
    np.testing.assert_allclose(found, np.cos(1) + np.sin(1))


@pytest.mark.parametrize("result", [lambda x: x * x, lambda x: (x * x, 1, 2), lambda x: [x * x, 1]])
def test_what_has_aux_has_to_be_given_is_a_pair(result) -> None:
    with pytest.raises(TypeError, match=r"expected a pair \(value, aux\)"):
        tg.value_and_grad(result, has_aux=True)(2.0)


@pytest.mark.parametrize("word", [tg.no_grad(), tg.scope("name"), tg.debug()])
def test_a_word_that_is_entered_within_itself_is_left_as_often(word) -> None:
    with word, word:
        pass
    assert (tg.Tensor(2.0) * 3).node.scope is None
    assert np.isnan(np.log(tg.Tensor(np.nan)).value)
