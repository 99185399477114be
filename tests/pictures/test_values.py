"""What is told of an array, and how it looks as a thumbnail."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tinygrad_cnn.pictures.view import labels, thumbnails
from tinygrad_cnn.pictures.view.thumbnails import DENSITY, GAP, HIGH, INF, NAN, TILE, TILES, WIDE, thumbnail
from tinygrad_cnn.pictures.view.values import BINS, describe


def pixels(array) -> np.ndarray:
    """The thumbnail as (height, width, 3): red, green, blue."""
    return cv2.imdecode(np.frombuffer(thumbnail(array).png, np.uint8), cv2.IMREAD_COLOR)[..., ::-1]


def inner(image: np.ndarray) -> np.ndarray:
    """A thumbnail without its border."""
    return image[1:-1, 1:-1]


def test_an_image_is_shown_in_grey_with_zero_black_and_the_largest_white() -> None:
    image = inner(pixels([[0.0, 1.0], [2.0, 4.0]]))
    side = TILE * DENSITY // 2
    corners = image[[side // 2, side // 2, -1, -1], [side // 2, -1, side // 2, -1]]
    assert (corners == corners[:, :1]).all()  # grey
    assert corners[:, 0].tolist() == [0, 64, 128, 255]


def test_signed_values_diverge_from_white_to_blue_and_red() -> None:
    image = inner(pixels([[-2.0, 0.0, 2.0]]))
    left, middle, right = image[5, 2], image[5, image.shape[1] // 2], image[5, -3]
    assert left[2] > left[0] + 50
    assert right[0] > right[2] + 50
    assert middle.min() > 240


def test_nan_and_inf_have_colours_of_their_own() -> None:
    image = inner(pixels([[0.0, np.nan, np.inf, 1.0]]))
    colours = {tuple(map(int, pixel)) for pixel in image.reshape(-1, 3)}
    assert {NAN, INF} <= colours


def test_a_stack_of_images_is_a_contact_sheet_that_says_how_many_it_shows() -> None:
    shown = thumbnail(np.random.default_rng(0).random((24, 28, 28)))
    assert shown.caption == "5 of 24"
    assert shown.height == TILE + 1
    assert shown.width == pytest.approx(TILES * (TILE + 1) + (TILES - 1) * GAP, abs=1)
    assert thumbnail(np.ones((3, 28, 28))).caption == ""
    assert thumbnail(np.ones((2, 3, 4, 5, 5))).caption == "5 of 24"


def test_a_contact_sheet_shows_the_first_the_last_and_some_between() -> None:
    images = np.zeros((24, 8, 8))
    images[0], images[23] = 1.0, 0.5
    sheet = pixels(images)
    middle = sheet.shape[0] // 2
    assert sheet[middle, 10, 0] == 255
    assert sheet[middle, -10, 0] == pytest.approx(128, abs=1)


@given(hnp.arrays(np.float64, hnp.array_shapes(min_dims=0, max_dims=5, max_side=40), elements=st.floats(width=32)))
@settings(max_examples=150, deadline=None)
def test_a_thumbnail_is_small_whatever_it_is_of(array) -> None:
    shown = thumbnail(array)
    image = cv2.imdecode(np.frombuffer(shown.png, np.uint8), cv2.IMREAD_UNCHANGED)
    assert 1 <= shown.width <= max(WIDE + 1, TILES * (TILE + 1 + GAP))
    assert 1 <= shown.height <= HIGH + 1
    assert image.shape[:2] <= (shown.height * DENSITY, shown.width * DENSITY)


def test_what_is_empty_has_no_thumbnail() -> None:
    assert thumbnail(np.ones((0, 3))) is None
    assert describe(np.ones((0, 3)), flows=True).wrong == ("empty",)


@pytest.mark.parametrize(
    ("array", "wrong"),
    [
        ([1.0, np.nan, np.nan], ("2 NaN",)),
        ([np.nan, np.nan], ("NaN",)),
        ([1.0, -np.inf], ("1 Inf",)),
        ([0.0, 0.0], ("all zero",)),
        ([1.0, 2e7], ("exploding: 2e+07",)),
        ([np.nan, np.inf, -3e9], ("1 NaN", "1 Inf", "exploding: −3e+09")),
        ([1.0, 2.0], ()),
        (0.0, ()),
    ],
)
def test_what_is_wrong_with_an_array_is_said(array, wrong) -> None:
    assert describe(np.array(array), flows=True).wrong == wrong


def test_zeros_that_were_given_are_no_sign_of_anything() -> None:
    assert describe(np.zeros(3), flows=False).wrong == ()


@given(hnp.arrays(np.float64, st.integers(2, 50), elements=st.floats(-1e5, 1e5)))
@settings(max_examples=100, deadline=None)
def test_the_numbers_that_are_told_are_numpys(array) -> None:
    value = describe(array, flows=False)
    assert (value.least, value.most) == (array.min(), array.max())
    assert value.mean == pytest.approx(array.mean(), rel=1e-12, abs=1e-300)
    assert value.zeros == np.mean(array == 0)
    assert sum(value.counts) in (0, array.size)
    assert len(value.counts) in (0, BINS)


def test_an_element_far_beyond_all_others_overflows_nothing() -> None:
    array = np.full(32, 1e-302)
    array[0] = -1.5e4
    value = describe(array, flows=False)
    assert (value.least, value.most, sum(value.counts)) == (-1.5e4, 1e-302, 32)


def test_the_largest_floats_overflow_nothing() -> None:
    value = describe(np.array([-1.7e308, 1.7e308]), flows=True)
    assert value.counts == ()
    assert value.wrong[0].startswith("exploding")


@pytest.mark.parametrize(
    ("x", "written"),
    [
        (None, "None"), (True, "True"), (3, "3"), (-1.5, "−1.5"), (slice(1, None, 2), "1::2"), (Ellipsis, "…"),
        ((0, slice(None)), "(0, :)"), (np.ones((2, 3)), "array 2×3"), (np.ones((2, 3)) > 0, "mask"),
        ("share", "'share'"), (np.float32(0.1), "0.1"), (np.array(2.0), "2"), (np.dtype("f4"), "float32"),
        ([1] * 20, "[1, 1, 1, 1, 1, 1, 1, 1, …]"),
        (object(), "object"), (1 + 2j, "1+2j"),
    ],
)  # fmt: skip
def test_settings_are_written_as_one_would_write_them(x, written) -> None:
    assert labels.argument(x) == written


def test_shapes_that_are_drawn_as_one_are_told_as_a_range() -> None:
    assert labels.shapes([(1, 4), (2, 4), (196, 4)]) == "1…196×4"
    assert labels.shapes([(3,), (3,)]) == "3"
    assert labels.shapes([(), (2,)]) == "scalar … 2"


def test_of_complex_elements_the_absolute_values_are_told_and_it_is_said() -> None:
    told = describe(np.array([3 + 4j, 0, -1j]), flows=True)
    assert (told.least, told.most, told.range) == (0.0, 5.0, "|0 … 5|")
    assert "3.+4.j" in told.sample


def test_the_first_elements_are_written_with_three_digits_however_far_apart_they_are() -> None:
    assert describe(np.array([[0.0, 3.78125], [-0.0023, 1e-12]]), flows=True).sample == (
        "[[      0    3.78]\n [-0.0023   1e-12]]"
    )


def test_images_of_several_channels_are_shown() -> None:
    """Of 16 images with 16 channels, every 64th would be all of the first channel."""
    shown = thumbnails._spread((16, 16))
    assert len(shown) == 5
    assert len({int(place) // 16 for place in shown}) == len({int(place) % 16 for place in shown}) == 5
    assert [len(thumbnails._spread(axes)) for axes in ((2,), (2, 2), (2, 3), (24,), (3, 1, 9))] == [2, 4, 5, 5, 5]
