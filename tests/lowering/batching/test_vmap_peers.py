"""jax.vmap gives what tg.vmap gives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinygrad_cnn as tg

pytestmark = pytest.mark.peers

RNG = np.random.default_rng(2)
X, Y, W = RNG.normal(size=(4, 3)), RNG.normal(size=(3, 4)), RNG.normal(size=(3, 2))
INDICES = np.array([[0, 2], [1, 1], [2, 0], [0, 0]])

# A function of the namespace of arrays, its in_axes, its out_axes, and the arguments.
CASES: dict[str, tuple[Callable[[Any], Callable[..., Any]], Any, Any, tuple[Any, ...]]] = {
    "axes": (lambda n: lambda x, y: x * n.sin(y), (0, 1), 1, (X, Y)),
    "negative axes": (lambda n: lambda x, y: x * n.sin(y), (-2, -1), -1, (X, Y)),
    "the same for all": (lambda n: lambda x, w: n.tanh(x @ w).sum(), (0, None), 0, (X, W)),
    "trees": (lambda n: lambda p: {"s": p["x"].sum(), "w": p["w"] * 2}, ({"x": 0, "w": None},), {"s": 0, "w": None},
              ({"x": X, "w": W},)),
    "indices": (lambda n: lambda x, i: x[i], (0, 0), 0, (X, INDICES)),
    "sorts": (lambda n: lambda x: (n.sort(x), x[n.argsort(x)], n.argmax(x)), 0, 0, (X,)),
    "einsum": (lambda n: lambda x, w: n.einsum("i,ij->j", x, w), (0, None), 0, (X, W)),
    "solve": (lambda n: lambda x: n.linalg.solve(n.outer(x, x) + n.eye(3), x), 0, 0, (X,)),
    "where": (lambda n: lambda x: n.where(x > 0, n.sqrt(n.where(x > 0, x, 1.0)), 0.0), 0, 0, (X,)),
}  # fmt: skip


@pytest.fixture
def jax() -> Any:
    jax = pytest.importorskip("jax")
    jax.config.update("jax_enable_x64", True)
    return jax


@pytest.mark.parametrize("name", CASES)
def test_results_and_axes_are_those_of_jax(jax: Any, name: str) -> None:
    make, in_axes, out_axes, args = CASES[name]
    expected = jax.vmap(make(jax.numpy), in_axes, out_axes)(*args)
    found = tg.vmap(make(np), in_axes, out_axes)(*args)
    for a, b in zip(tg.tree.flatten(found).leaves, jax.tree.leaves(expected), strict=True):
        assert a.shape == b.shape
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-13)


def test_gradients_of_each_example_are_those_of_jax(jax: Any) -> None:
    def loss(n: Any) -> Callable[..., Any]:
        return lambda w, x: n.sum(n.tanh(x @ w) ** 2)

    found = tg.vmap(tg.grad(loss(np)), in_axes=(None, 0))(W, X)
    np.testing.assert_allclose(found, jax.vmap(jax.grad(loss(jax.numpy)), (None, 0))(W, X), rtol=1e-11, atol=1e-13)
    mean = tg.hessian(lambda w: np.mean(tg.vmap(loss(np), in_axes=(None, 0))(w, X)))(W)
    expected = jax.hessian(lambda w: jax.numpy.mean(jax.vmap(loss(jax.numpy), (None, 0))(w, X)))(W)
    np.testing.assert_allclose(mean, expected, rtol=1e-11, atol=1e-13)
