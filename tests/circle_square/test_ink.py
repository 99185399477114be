"""Ink: the same however large, where, how bold and how bright something was drawn."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from tinygrad_cnn.circle_square.ink import as_input, ink, thinned


def frame(height: int = 60, width: int = 90, thickness: int = 3, margin: int = 20) -> np.ndarray:
    picture = np.full((height + 2 * margin, width + 2 * margin), 255, np.uint8)
    return cv2.rectangle(picture, (margin, margin), (margin + width, margin + height), 0, thickness)


def differ(a: np.ndarray, b: np.ndarray) -> float:
    """The share of pixels of the ink of `a` that have none of `b` within 3 pixels of them, or the other way round."""
    x, y = (image > 0 for image in ink([a, b]))
    wide = np.ones((7, 7), np.uint8)
    near_x, near_y = (cv2.dilate(image.astype(np.uint8), wide) > 0 for image in (x, y))
    return max((x & ~near_y).sum() / x.sum(), (y & ~near_x).sum() / y.sum())


LARGE = frame()
CASES = {
    "moved": np.roll(LARGE, (7, -9), (0, 1)),
    "larger paper": np.pad(LARGE, 50, constant_values=255),
    "bright on dark": 255 - LARGE,
    "faint": 255 - (255 - LARGE) // 4,
    "bold": frame(thickness=9),
    "28 x 28": cv2.resize(np.pad(LARGE, ((15, 15), (0, 0)), constant_values=255), (28, 28),
                          interpolation=cv2.INTER_AREA),
    "twice as large": cv2.resize(LARGE, None, fx=2, fy=2, interpolation=cv2.INTER_NEAREST),
    "filled": frame(thickness=-1),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_size_place_stroke_and_shade_do_not_matter(case: str) -> None:
    assert differ(LARGE, CASES[case]) == 0


def test_a_different_shape_has_a_different_ink() -> None:
    assert differ(frame(60, 90), frame(20, 90)) > 0.3


def test_the_longer_side_fills_44_pixels_in_the_middle() -> None:
    (found,) = ink([LARGE])
    xs, ys = np.flatnonzero(found.any(axis=0)), np.flatnonzero(found.any(axis=1))
    assert xs[-1] - xs[0] + 1 == pytest.approx(44, abs=2)
    assert ys[-1] - ys[0] + 1 == pytest.approx(44 * 63 / 93, abs=2)
    assert xs[0] + xs[-1] == pytest.approx(55, abs=1)
    assert ys[0] + ys[-1] == pytest.approx(55, abs=1)


def test_specks_are_left_out_and_strokes_that_are_not_joined_are_kept() -> None:
    dirty = LARGE.copy()
    dirty[2:4, 2:4] = 0
    np.testing.assert_array_equal(ink([dirty]), ink([LARGE]))
    open_ = LARGE.copy()
    open_[:, 60:70] = 255  # in two pieces
    assert differ(open_, LARGE) < 0.2
    assert ink([open_])[0][:, :20].any()
    assert ink([open_])[0][:, 36:].any()


def test_paper_without_ink_stays_black_and_no_picture_is_no_ink() -> None:
    assert not ink([np.full((9, 9), 200, np.uint8)]).any()
    assert ink([]).shape == (0, 56, 56)


def test_input_is_averaged_by_area() -> None:
    inks = np.random.default_rng(0).integers(0, 256, (3, 56, 56)).astype(np.uint8)
    x = as_input(inks)
    assert (x.shape, x.dtype) == ((3, 1, 28, 28), np.float32)
    expected = (inks.reshape(3, 28, 2, 28, 2).mean(axis=(2, 4)) / 255)[:, None]
    np.testing.assert_allclose(x, expected, rtol=1e-6)


def test_a_thinned_line_is_one_pixel_wide_and_in_one_piece() -> None:
    drawn = np.zeros((3, 80, 80), np.uint8)
    cv2.circle(drawn[0], (40, 40), 30, 1, 7)
    cv2.line(drawn[1], (10, 10), (70, 60), 1, 9)
    cv2.rectangle(drawn[2], (10, 20), (70, 60), 1, 5)
    lines = thinned(drawn.astype(bool))
    for before, line in zip(drawn, lines, strict=True):
        assert not (line & (before == 0)).any()
        assert cv2.connectedComponents(line.astype(np.uint8), connectivity=8)[0] == 2  # the paper, and one piece
        blocks = line[:-1, :-1] & line[1:, :-1] & line[:-1, 1:] & line[1:, 1:]
        assert not blocks.any()
    np.testing.assert_array_equal(thinned(lines), lines)
