"""tg.to_jax: models and training steps on JAX arrays, under its transformations, in double and single precision."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from lowering.jax_source.in_jax import assert_close
from lowering.test_printing import MODELS

import tinygrad_cnn as tg

jax = pytest.importorskip("jax")
import jax.numpy as jnp  # noqa: E402


def assert_equal(found, expected, tolerance: float = 1e-12) -> None:
    """The same trees, dtypes and shapes, and the same numbers to a tolerance relative to the largest."""
    assert jax.tree.structure(found) == jax.tree.structure(expected)
    for a, b in zip(jax.tree.leaves(found), map(np.asarray, jax.tree.leaves(expected)), strict=True):
        assert isinstance(a, jax.Array)
        assert (a.dtype, a.shape) == (b.dtype, b.shape)
        scale = float(np.max(np.abs(b), initial=1.0))
        np.testing.assert_allclose(np.asarray(a), b, rtol=tolerance, atol=tolerance * scale)


def as_single(tree):
    return tg.tree.map(lambda x: x.astype(np.float32), tree)


@pytest.mark.parametrize("model", MODELS.values(), ids=list(MODELS))
def test_value_and_gradient_of_a_model_are_numpys(model) -> None:
    function = tg.value_and_grad(model.loss)
    step = tg.to_jax(function)(model.parameters, *model.data)
    assert_equal(step(model.parameters, *model.other), function(model.parameters, *model.other))


@pytest.mark.parametrize("name", ["article", "cnn", "recurrent"])
def test_a_model_in_single_precision_under_jit(name: str) -> None:
    model = MODELS[name]
    function = tg.value_and_grad(model.loss)
    parameters, data, other = as_single([model.parameters, model.data, model.other])
    expected = function(parameters, *other)
    for enabled in (False, True):
        with jax.enable_x64(enabled):
            step = jax.jit(tg.to_jax(function)(parameters, *data))
            assert_equal(step(parameters, *other), expected, tolerance=2e-5)


def mlp(p, x, y):
    return np.mean((np.tanh(x @ p["W"] + p["b"]) @ p["V"] - y) ** 2)


def adam_step(p, m, v, t, x, y):
    loss, g = tg.value_and_grad(mlp)(p, x, y)
    m = {k: 0.9 * m[k] + 0.1 * g[k] for k in p}
    v = {k: 0.999 * v[k] + 0.001 * g[k] ** 2 for k in p}
    p = {k: p[k] - 0.01 * (m[k] / (1 - 0.9**t)) / (np.sqrt(v[k] / (1 - 0.999**t)) + 1e-8) for k in p}
    return p, m, v, t + 1, loss


def adam_example(dtype=np.float64):
    rng = np.random.default_rng(0)
    p = {"W": rng.normal(size=(4, 8)), "b": rng.normal(size=8), "V": rng.normal(size=(8, 1))}
    zeros = {k: np.zeros_like(x) for k, x in p.items()}
    p, m, v, x, y = jax.tree.map(
        lambda x: x.astype(dtype), (p, zeros, zeros, rng.normal(size=(10, 4)), rng.normal(size=(10, 1)))
    )
    return p, m, v, 1, x, y


def test_twenty_steps_of_adam_under_jit_follow_numpys() -> None:
    example = adam_example()
    step = jax.jit(tg.to_jax(adam_step)(*example))
    mine, its, (x, y) = example[:4], example[:4], example[4:]
    for _ in range(20):
        *mine, loss = step(*mine, x, y)
        *its, expected = adam_step(*its, x, y)
    assert_equal((mine[0], loss), (dict(sorted(its[0].items())), expected))


def test_vmap_maps_it_over_models() -> None:
    example = adam_example()
    function = tg.value_and_grad(mlp)
    step = tg.to_jax(function)(example[0], *example[4:])
    several = [jax.tree.map(lambda x, k=k: x * (1 + 0.1 * k), example[0]) for k in range(3)]
    stacked = jax.tree.map(lambda *x: jnp.stack(x), *several)
    values, gradients = jax.vmap(step, (0, None, None))(stacked, *example[4:])
    for k, p in enumerate(several):
        expected = function(p, *example[4:])
        assert_equal((values[k], jax.tree.map(lambda g, k=k: g[k], gradients)), expected)


def test_jax_differentiates_a_program_of_the_value() -> None:
    example = adam_example()
    found = jax.grad(tg.to_jax(mlp)(example[0], *example[4:]))(example[0], *example[4:])
    assert_equal(found, tg.grad(mlp)(example[0], *example[4:]))


def dropout(w, rng):
    return np.sum(w * (rng.random(w.shape) < 0.5) + rng.normal(size=3))


def test_draws_are_an_argument_and_those_of_numpys_generator() -> None:
    w = np.arange(3.0)
    step = tg.to_jax(dropout)(w, np.random.default_rng(0))
    expected = dropout(w, np.random.default_rng(1))
    assert step(w, np.random.default_rng(1)) == pytest.approx(expected, rel=1e-12)
    given = step.drawn(w, np.random.default_rng(1))
    assert [x.shape for x in given[1]] == [(3,), (3,)]
    assert jax.jit(step)(*given) == pytest.approx(expected, rel=1e-12)
    generator = np.random.default_rng(1)
    with pytest.raises(TypeError, match=r"is given a generator under a transformation"):
        jax.jit(lambda w: step(w, generator))(w)


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ((np.ones(4), 2.0), r"to_jax: argument x of .* is float64 of shape \(4,\); expected float64 of shape \(3,\)"),
        ((np.ones(3, np.float32), 2.0), r"argument x of .* is float32 of shape \(3,\); expected float64"),
        ((2.0, 2.0), r"argument x of .* is 2\.0; expected float64"),
        ((np.ones(3), np.ones(3)), r"argument k of .* is float64 of shape \(3,\); expected a number"),
        (((np.ones(3),), 2.0), r"to_jax: the call of .* has the leaves \['x\[0\]', 'k'\]"),
    ],
)
def test_other_arguments_than_the_examples_are_refused(args, message: str) -> None:
    def scaled(x, k):
        return x * k

    step = tg.to_jax(scaled)(np.ones(3), 1.0)
    assert_equal(step(jnp.arange(3.0), 2.0), np.array([0.0, 2.0, 4.0]))
    with pytest.raises(ValueError, match=message):
        step(*args)


IMAGE = np.arange(12.0).reshape(3, 4)
NUMBERS = np.array([3, 0, 2], np.int32)
DIFFERENCES = {
    "an initial value of a sum": (lambda x: np.sum(x, axis=1, initial=2.0), IMAGE),
    "an initial value and a mask": (lambda x: np.sum(x, where=x_is_even, initial=2.0), IMAGE),
    "int64 and float32": (lambda x: x * np.arange(4), IMAGE.astype(np.float32)),
    "int32 and a float": (lambda n: n * 0.5, NUMBERS),
    "a root of int32": (np.sqrt, NUMBERS),
    "a mean of int32": (np.mean, NUMBERS),
    "a quotient of integers by 0": (lambda n: np.array([7, 7, -7]) // n, NUMBERS),
    "a remainder of integers by 0": (lambda n: np.array([7, 7, -7]) % n, NUMBERS),
    "choosing between numbers, times float32": (lambda x: np.where(x > 3, 1.5, 0.0) * x, IMAGE.astype(np.float32)),
    "an assignment of another dtype": (lambda x: assigned(x.astype(np.float32), x[0]), IMAGE),
    "elements named twice": (lambda x: tg.index_add(x, np.array([0, 0, 2]), 1.0), IMAGE),
    "column by column": (lambda x: x.T.reshape(2, 6, order="F"), IMAGE),
    "one triangle of a matrix": (lambda x: np.linalg.cholesky(x[:, :3] + 50 * np.eye(3)), IMAGE),
    "NaN among the largest": (lambda x: np.max(np.where(x == 5, np.nan, x), axis=1), IMAGE),
    "the first of the largest": (lambda x: np.argmax(x % 3, axis=1), IMAGE),
    "complex numbers": (lambda x: np.fft.rfft(x.astype(np.float32)), IMAGE),
    "nothing": (lambda x: x[:0].sum(axis=0), IMAGE),
    "a triangle of ones": (lambda x: x[:, :3] @ np.tri(3), IMAGE),
}
x_is_even = IMAGE % 2 == 0


def assigned(x, row):
    x = x.copy()
    x[1] = row
    return x


@pytest.mark.parametrize("name", DIFFERENCES)
def test_where_jax_differs_the_program_gives_what_numpy_gives(name: str) -> None:
    function, x = DIFFERENCES[name]
    with np.errstate(all="ignore"):
        expected = np.asarray(function(x))
        found = tg.to_jax(function)(x)(x)
    single = expected.dtype in (np.float32, np.complex64)
    assert_close(found, expected, name, relative=3e-6 if single else 1e-12)


def test_what_is_read_out_of_bounds_is_nan_and_no_other_element() -> None:
    def picked(x, i):
        return x[i]

    step = tg.to_jax(picked)(np.arange(3.0), np.array([0, 1]))
    np.testing.assert_array_equal(step(np.arange(3.0), np.array([2, 3])), [2.0, np.nan])


def test_double_precision_is_refused_where_x64_is_off() -> None:
    step = tg.to_jax(np.sin)(np.ones(3))
    with jax.enable_x64(False):
        for call in (lambda: tg.to_jax(np.sin)(np.ones(3)), lambda: step(np.ones(3))):
            with pytest.raises(RuntimeError, match=r'Call jax\.config\.update\("jax_enable_x64", True\) first'):
                call()


def test_a_saved_program_stands_alone_and_says_what_it_needs(tmp_path: Path) -> None:
    p, *_, x, y = adam_example()
    tg.program(tg.value_and_grad(mlp))(p, x, y).save(tmp_path / "step_jax.py", to="jax")
    text = (tmp_path / "step_jax.py").read_text()
    assert text == tg.program(tg.value_and_grad(mlp))(p, x, y).source("step_jax", to="jax")
    assert set(re.findall(r"^import .*", text, re.MULTILINE)) == {"import jax", "import jax.numpy as jnp"}
    assert 'JAX needs jax.config.update("jax_enable_x64", True)' in text.split('"""')[1]
    spec = importlib.util.spec_from_file_location("step_jax", tmp_path / "step_jax.py")
    module = importlib.util.module_from_spec(spec)
    with (
        jax.enable_x64(False),
        pytest.raises(RuntimeError, match=r"step_jax computes in double precision: call jax\.config\.update"),
    ):
        spec.loader.exec_module(module)
    spec.loader.exec_module(module)
    assert_equal(module.step_jax(p, x, y), tg.value_and_grad(mlp)(p, x, y))


def test_the_package_does_not_import_jax_to_write_for_it() -> None:
    code = (
        "import sys, numpy as np, tinygrad_cnn as tg; tg.program(np.sin)(np.ones(3)).source(to='jax');"
        "tg.to_jax(np.sin);"
        "sys.exit('jax' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
