"""The names that the writer knows JAX by, compared with the JAX that is installed."""

from __future__ import annotations

import numpy as np
import pytest

from tinygrad_cnn.lowering.jax_source import names

jnp = pytest.importorskip("jax.numpy")
special = pytest.importorskip("jax.scipy.special")


@pytest.mark.parametrize("name", sorted(names.LACKING))
def test_what_is_said_to_lack_does(name: str) -> None:
    assert hasattr(np, name)
    assert not hasattr(jnp, name)


@pytest.mark.parametrize(("name", "other"), names.RENAMED.items())
def test_the_other_name_is_there(name: str, other: str) -> None:
    assert hasattr(np, name)
    assert hasattr(jnp, other)


@pytest.mark.parametrize("name", sorted(names.NO_UFUNC))
def test_it_is_a_ufunc_of_numpys_and_none_of_jaxs(name: str) -> None:
    assert isinstance(getattr(np, name), np.ufunc)
    assert not isinstance(getattr(jnp, name, None), jnp.ufunc)


@pytest.mark.parametrize(("name", "other"), names.SPECIAL.items())
def test_jax_has_the_function_of_scipys(name: str, other: str) -> None:
    assert hasattr(special, other)
