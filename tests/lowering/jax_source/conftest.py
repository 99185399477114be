"""Tests of programs of JAX, where it is installed: with x64 on, as JAX's own flag is one for the whole process."""

from __future__ import annotations

from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def x64() -> Iterator[None]:
    """Double precision within a test, and as it was after it."""
    jax = pytest.importorskip("jax")
    with jax.enable_x64(True):
        yield
