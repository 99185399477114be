"""Pixels: their colours against matplotlib's, their averages against OpenCV's, and their PNG files, read by OpenCV."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from matplotlib import colormaps

from tinygrad_cnn.pictures.view.pixels import decoded, diverging, encoded, grey, shrunk

SHAPES = [(1, 1), (1, 7), (9, 1), (28, 30), (57, 281)]


def some(shape: tuple[int, int]) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (*shape, 4), np.uint8)


@pytest.mark.parametrize(("ours", "theirs"), [(diverging, "RdBu_r"), (grey, "gray")])
def test_the_colours_are_matplotlibs(ours, theirs) -> None:
    expected = (255 * colormaps[theirs](np.arange(256))).round().astype(np.uint8)
    np.testing.assert_array_equal(ours(np.arange(256) / 255), expected)


def test_a_number_that_is_out_of_range_has_the_colour_of_the_end() -> None:
    np.testing.assert_array_equal(diverging(np.array([-3.0, 7.0])), diverging(np.array([0.0, 1.0])))


@pytest.mark.parametrize("shape", SHAPES)
def test_a_png_has_the_pixels_that_it_was_made_of(shape) -> None:
    pixels = some(shape)
    png = encoded(pixels)
    read = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(cv2.cvtColor(read, cv2.COLOR_BGRA2RGBA), pixels)
    np.testing.assert_array_equal(decoded(png), pixels)


@pytest.mark.parametrize(("shape", "to"), [((28, 30), (14, 10)), ((57, 281), (19, 90)), ((1, 1000), (1, 280))])
def test_what_is_shrunk_is_averaged_over_areas_as_by_opencv(shape, to) -> None:
    pixels = some(shape)
    expected = cv2.resize(pixels, to[::-1], interpolation=cv2.INTER_AREA)
    assert np.abs(shrunk(pixels, *to).astype(int) - expected).max() <= 1  # halves are rounded either way


def test_as_many_pixels_are_the_same_pixels() -> None:
    np.testing.assert_array_equal(shrunk(some((5, 7)), 5, 7), some((5, 7)))
