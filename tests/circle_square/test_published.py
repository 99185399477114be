"""The article's own listing, handed Tensors: not a line of it is changed."""

from __future__ import annotations

import tracemalloc
from types import ModuleType

import numpy as np
import pytest

import tinygrad_cnn as tg
from tinygrad_cnn.circle_square import model

pytestmark = pytest.mark.slow


def drawings(n: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return 10 * rng.random((n, 28, 28)) * (rng.random((n, 28, 28)) < 0.2), (np.arange(n) % 2).reshape(n, 1) * 1.0


NAMES = ("Wc", "Bc", "Wf", "Bf")


def set_tensors(listing: ModuleType) -> dict[str, tg.Tensor]:
    tensors = {name: tg.Tensor(getattr(listing, name), name) for name in NAMES}
    for name, tensor in tensors.items():
        setattr(listing, name, tensor)
    return tensors


def test_the_published_forward_is_differentiated_as_it_is(listing: ModuleType) -> None:
    x, y = drawings(24)
    p = model.Parameters(*[getattr(listing, name) for name in NAMES])
    expected, gradients = tg.value_and_grad(lambda p: model.loss_as_printed(model.forward(x, p).sigma, y))(p)
    tensors = set_tensors(listing)

    tracemalloc.start()
    loss = listing.forward(x, y)[0]
    loss.backward()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert float(loss.value) == pytest.approx(float(expected), rel=1e-12)
    for name in NAMES:
        found, wanted = tensors[name].grad, getattr(gradients, name)
        np.testing.assert_allclose(found, wanted, rtol=1e-10, atol=1e-10 * np.max(np.abs(wanted)))
    assert peak < 1e9


def test_col2im_of_the_listing_says_what_to_write_instead(listing: ModuleType) -> None:
    columns = tg.Tensor(np.ones((4, 196)))
    with pytest.raises(TypeError, match=r"np\.zeros\(shape, like=input\)"):
        listing.col2im(columns, 2, 0, 2, 14, 28)


def test_backward_max_pooling_of_the_listing_takes_tensors(listing: ModuleType) -> None:
    """It compares and counts, so that what it gives is an array, the same as of arrays."""
    rng = np.random.default_rng(0)
    origins = rng.random((2, 28, 28))
    pooled = origins.reshape(2, 14, 2, 14, 2).max(axis=(2, 4))
    expected = listing.backward_Max_Pooling(pooled, origins, 2, 2, 14, 28)
    found = listing.backward_Max_Pooling(tg.Tensor(pooled), tg.Tensor(origins), 2, 2, 14, 28)
    np.testing.assert_array_equal(found, expected)


def test_im2col_and_max_pooling_of_the_listing_have_right_derivatives(listing: ModuleType) -> None:
    rng = np.random.default_rng(0)
    image, cotangent = rng.random((6, 6)), rng.standard_normal((9, 16))
    found = tg.grad(lambda x: np.sum(cotangent * listing.im2col(x, 1, 0, 3, 4)))(image)
    np.testing.assert_allclose(found, tg.col2im(cotangent, (6, 6), 3), rtol=1e-14)
    found = tg.grad(lambda x: np.sum(listing.Max_Pooling(x, 2, 2, 3) ** 2))(image[None])
    np.testing.assert_allclose(found, tg.grad(lambda x: np.sum(tg.max_pool2d(x, 2) ** 2))(image[None]), rtol=1e-14)
