"""Augmentation: the laws that hold for each function, and what each does to a line."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from tinygrad_cnn.train import augmentation as aug

FUNCTIONS = {  # by name: with a strength, and the keywords that are the strength 0
    "rotate": (partial(aug.rotate, degrees=180), {"degrees": 0}),
    "scale": (partial(aug.scale, strength=0.5), {"strength": 0}),
    "stretch": (partial(aug.stretch, strength=1), {"strength": 0}),
    "shear": (partial(aug.shear, strength=0.5), {"strength": 0}),
    "shift": (partial(aug.shift, pixels=3.5), {"pixels": 0}),
    "affine": (
        partial(aug.affine, degrees=90, scale=0.3, stretch=0.5, shear=0.2, shift=2),
        {"degrees": 0, "scale": 0, "stretch": 0, "shear": 0, "shift": 0},
    ),
    "thicker": (partial(aug.stroke_width, thicker=2.5), {"thicker": 0}),
    "thinner": (partial(aug.stroke_width, thicker=0, thinner=1), {"thinner": 0}),
    "elastic": (partial(aug.elastic, pixels=2), {"pixels": 0}),
}
EACH = pytest.mark.parametrize("name", FUNCTIONS)


def images(dtype: str = "float64", shape: tuple[int, ...] = (5, 20, 24)) -> np.ndarray:
    noise = np.random.default_rng(3).random(shape)
    return (noise * 255).astype(dtype) if dtype == "uint8" else noise.astype(dtype)


@EACH
@pytest.mark.parametrize("dtype", ["uint8", "float32", "float64"])
def test_a_strength_of_0_changes_nothing(name: str, dtype: str) -> None:
    change, none = FUNCTIONS[name]
    x = images(dtype)
    np.testing.assert_array_equal(change(x, np.random.default_rng(0), **none), x)


@EACH
@pytest.mark.parametrize("dtype", ["uint8", "float32", "float64"])
@pytest.mark.parametrize("shape", [(5, 20, 24), (3, 2, 9, 9), (0, 8, 8)])
def test_shape_dtype_and_range_are_kept(name: str, dtype: str, shape: tuple[int, ...]) -> None:
    x = images(dtype, shape)
    before = x.copy()
    y = FUNCTIONS[name][0](x, np.random.default_rng(0))
    assert (y.shape, y.dtype) == (x.shape, x.dtype)
    np.testing.assert_array_equal(x, before)
    if x.size:
        assert y.min() >= 0
        assert y.max() <= x.max() * (1 + 1e-6)
        assert not np.array_equal(x, y)


@EACH
def test_the_generator_decides_everything(name: str) -> None:
    change, x = FUNCTIONS[name][0], images()
    first, again, other = (change(x, np.random.default_rng(seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


@EACH
def test_channels_of_an_image_change_alike(name: str) -> None:
    x = images()
    one = FUNCTIONS[name][0](x, np.random.default_rng(0))
    two = FUNCTIONS[name][0](np.stack([x, x], axis=1), np.random.default_rng(0))
    np.testing.assert_array_equal(two, np.stack([one, one], axis=1))


@EACH
def test_dark_on_white_is_the_negative_of_bright_on_black(name: str) -> None:
    x = images("uint8")
    bright = FUNCTIONS[name][0](x, np.random.default_rng(0))
    dark = FUNCTIONS[name][0](255 - x, np.random.default_rng(0), background=255)
    assert np.abs(255 - dark.astype(int) - bright).max() <= 1  # what is rounded up in one is rounded down in the other


@pytest.mark.parametrize("name", ["rotate", "affine", "shift", "elastic"])
def test_what_comes_from_outside_the_picture_is_background(name: str) -> None:
    white = np.full((4, 16, 16), 255, np.uint8)
    np.testing.assert_array_equal(FUNCTIONS[name][0](white, np.random.default_rng(0), background=255), white)
    assert FUNCTIONS[name][0](white, np.random.default_rng(0)).min() == 0


def line(width: int = 1) -> np.ndarray:
    x = np.zeros((200, 33, 33))
    x[:, 8:25, 16 : 16 + width] = 1
    return x


def spread(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The standard deviations of the ink across and down, of each image."""
    mass = x.sum(axis=(1, 2))
    ys, xs = np.mgrid[: x.shape[1], : x.shape[2]]
    return tuple(np.sqrt((x * (at - (x * at).sum((1, 2), keepdims=True) / mass[:, None, None]) ** 2).sum((1, 2)) / mass)
                 for at in (xs, ys))  # fmt: skip


def test_a_rotated_line_has_every_direction_and_the_same_length() -> None:
    across, down = spread(aug.rotate(line(), np.random.default_rng(0), 180))
    length = np.sqrt(17**2 - 1) / np.sqrt(12)
    np.testing.assert_allclose(np.hypot(across, down), length, atol=0.2)
    angles = np.degrees(np.arctan2(across, down))
    assert angles.min() < 5
    assert angles.max() > 85


@pytest.mark.parametrize(("name", "least", "most"), [("scale", 1 / 1.5, 1.5), ("stretch", 2**-0.5, 2**0.5)])
def test_a_line_is_as_much_longer_or_shorter_as_was_asked_for(name: str, least: float, most: float) -> None:
    _, down = spread(FUNCTIONS[name][0](line(), np.random.default_rng(0)))
    factors = down / spread(line())[1]
    assert least * 0.95 <= factors.min() < least * 1.1
    assert most * 0.9 < factors.max() <= most * 1.05


def test_a_line_is_shifted_by_so_many_pixels() -> None:
    x = aug.shift(line(), np.random.default_rng(0), 3)
    centre = (x * np.arange(33)).sum((1, 2)) / x.sum((1, 2))
    assert 2.8 < np.abs(centre - 16).max() <= 3
    np.testing.assert_allclose(x.sum((1, 2)), 17, rtol=1e-6)


def test_a_sheared_line_leans_to_either_side_and_keeps_its_height() -> None:
    x = aug.shear(line(), np.random.default_rng(0), 0.5)
    ys, xs = np.mgrid[-16:17, -16:17]
    slopes = (x * ys * xs).sum((1, 2)) / (x * ys * ys).sum((1, 2))
    assert -0.5 <= slopes.min() < -0.45
    assert 0.45 < slopes.max() <= 0.5
    np.testing.assert_allclose(x.sum(axis=2)[:, 8:25], 1, rtol=1e-6)


@pytest.mark.parametrize(("thicker", "thinner", "least", "most"), [(2, 0, 3, 7), (0, 1, 1, 3), (1, 1, 1, 5)])
def test_strokes_are_thicker_or_thinner_on_either_side(thicker: float, thinner: float, least: int, most: int) -> None:
    widths = aug.stroke_width(line(3), np.random.default_rng(0), thicker, thinner)[:, 16].sum(axis=1)
    assert least <= widths.min() < least + 0.1
    assert most - 0.1 < widths.max() <= most


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda rng: aug.rotate(np.zeros((8, 8)), rng), r"affine: images is float64 \(8, 8\); expected"),
        (lambda rng: aug.elastic(np.zeros((1, 8, 8), int), rng), r"elastic: images is int64 \(1, 8, 8\); expected"),
        (lambda rng: aug.elastic([1], rng), "elastic: images is a list; expected"),
        (lambda rng: aug.elastic(images(), rng, grid=1), "elastic: grid is 1; expected at least 2"),
        (lambda rng: aug.shift(images(), rng, -1), "affine: shift is -1; expected a finite number"),
        (lambda rng: aug.stroke_width(images(), rng, np.nan), "stroke_width: thicker is nan; expected"),
    ],
)
def test_what_cannot_be_augmented_is_an_error(call, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        call(np.random.default_rng(0))
