"""What the tests of programs of JAX have in common."""

from __future__ import annotations

from typing import Any

import numpy as np
from lowering.comparing import leaves

import tinygrad_cnn as tg

DIGITS = {np.dtype(np.float32): 3e-5, np.dtype(np.complex64): 3e-5}


def agrees(
    function: Any, traced_with: list[Any], run_with: list[Any], runs: bool = True, relative: float | None = None
) -> None:
    """The function in JAX gives what the engine gives, for other arguments: shapes and dtypes, and elements if it runs.

    It is traced by JAX too, as `jax.jit` does, where nothing may depend on the elements.
    """
    import jax

    with np.errstate(all="ignore"):
        expected = leaves(function(*run_with))
        step = tg.to_jax(function)(*traced_with)
    abstract = jax.tree.leaves(jax.eval_shape(step, *run_with))
    for x, y in zip(abstract, map(np.asarray, expected), strict=True):
        assert (x.shape, x.dtype) == (y.shape, y.dtype), f"{x} for {y.dtype}{list(y.shape)}\n{step.source}"
    if not runs:
        return
    for a, b in zip(leaves(step(*run_with)), expected, strict=True):
        assert_close(a, b, step.source, relative)


def assert_close(a: Any, b: Any, what: str, relative: float | None = None) -> None:
    """Equal to 1e-12 of the largest element, and to the digits that single precision has."""
    a, b = np.asarray(a), np.asarray(b)
    assert (a.shape, a.dtype) == (b.shape, b.dtype), what
    tolerance = relative or DIGITS.get(b.dtype, 1e-12)
    scale = float(np.max(np.abs(b[np.isfinite(b)]), initial=1.0))
    np.testing.assert_allclose(a, b, tolerance, tolerance * scale, err_msg=what)
