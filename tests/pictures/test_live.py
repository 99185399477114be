"""What a live page is made of, without a browser: what a model has to be, and which numbers are shown where."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import tinygrad_cnn as tg
from tinygrad_cnn import nn
from tinygrad_cnn.pictures.live_page.places import look_of
from tinygrad_cnn.pictures.live_page.words import WORDS

ZEROS = np.zeros((1, 6, 6))
LINEAR = nn.Sequential(nn.Flatten(), nn.Linear(None, 2)).init(np.random.default_rng(0), ZEROS)
NAMES = ("circle", "square")
INK: dict[str, Any] = {"ink": (0, 1)}
DRAWN = INK | {"example": ZEROS}
IMAGES = np.zeros((4, 6, 6)), np.array([0, 1, 0, 1])

REFUSED: list[tuple[str, Any, dict[str, Any], type[Exception], str]] = [
    ("one class", LINEAR, {"example": ZEROS, "classes": ["circle"]}, ValueError, "at least two classes"),
    ("no model", 3.0, {"example": ZEROS}, TypeError, "type float; expected a layer of tg.nn, or a function"),
    ("no parameters", lambda x: x, {"example": ZEROS}, TypeError, "no parameters"),
    ("nothing to draw", LINEAR, {}, ValueError, "neither example nor data"),
    ("no image", LINEAR, {"example": np.zeros((1, 7))}, ValueError, r"shape \(1, 7\).*expected floats of shape"),
    ("integers", LINEAR, {"example": ZEROS.astype(int)}, ValueError, "dtype int64"),
    ("two for three", LINEAR, DRAWN | {"classes": list("abc")}, ValueError, "gives 2 numbers.*3 classes"),
    ("no class 2", LINEAR, INK | {"data": (IMAGES[0], np.array([0, 1, 2, 1]))}, ValueError, "values up to 2.* to 1"),
    ("too few classes", LINEAR, INK | {"data": (IMAGES[0], IMAGES[1][:3])}, ValueError, "4 images and 3 classes"),
    ("flat ink", LINEAR, {"data": IMAGES}, ValueError, r"ink is \(0.0, 0.0\)"),
    ("a schedule", LINEAR, DRAWN | {"optimiser": tg.SGD(lambda step: 0.1)}, TypeError, "schedule"),
    ("other starts", LINEAR, DRAWN | {"starts": {7: [1.0]}}, ValueError, r"starts\[7\]"),
    ("no language", LINEAR, DRAWN | {"language": "fr"}, ValueError, "'fr'; expected one of"),
    ("no theme", LINEAR, {"example": ZEROS, "theme": "blue"}, ValueError, "'blue'; expected 'light'"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("model", "given", "error", "said"), [case[1:] for case in REFUSED], ids=[c[0] for c in REFUSED]
)
def test_what_it_cannot_run_is_refused(model: Any, given: dict[str, Any], error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        tg.live(model, **({"classes": NAMES} | given))


def test_an_operation_that_javascript_lacks_is_named_and_nothing_is_written(tmp_path) -> None:
    def score(p: Any, x: Any) -> Any:
        return np.linalg.eigvalsh(x + np.swapaxes(x, 1, 2))[:, :2] * p

    with pytest.raises(NotImplementedError, match="eig"):
        tg.live(score, ZEROS, tmp_path / "live.html", parameters=np.ones(2), classes=NAMES, ink=(0, 1))
    assert list(tmp_path.iterdir()) == []


def test_a_page_that_would_be_too_large_is_refused() -> None:
    many = np.random.default_rng(0).random((700, 28, 28))
    model = nn.Sequential(nn.Flatten(), nn.Linear(None, 2)).init(np.random.default_rng(0), many[:1])
    with pytest.raises(ValueError, match=r"the page would have .* bytes; expected at most 2,000,000"):
        _ = tg.live(model, classes=NAMES, data=(many, np.arange(700) % 2)).html


def test_a_loss_that_is_no_sum_over_images_is_shown_but_not_trained() -> None:
    def loss(scores: Any, y: Any) -> Any:
        return np.sum(scores, axis=0)[0] ** 2 + 1

    page = tg.live(LINEAR, ZEROS + 0.5, classes=NAMES, loss=loss, ink=(0, 1))
    assert page.model.is_sum is None
    assert "const forward = " in page.html
    assert "const learn_one = " not in page.html


@pytest.mark.parametrize(("reduction", "is_sum"), [("mean", False), ("sum", True)])
def test_how_a_loss_combines_images_is_found_out(reduction: Any, is_sum: bool) -> None:
    def loss(scores: Any, y: Any) -> Any:
        return nn.softmax_cross_entropy(scores, np.where(y[:, None] == np.arange(2), 1.0, 0.0), reduction=reduction)

    assert tg.live(LINEAR, ZEROS + 0.5, classes=NAMES, loss=loss, ink=(0, 1)).model.is_sum is is_sum


def test_what_else_the_page_can_be_is_the_poster_of_its_loss(tmp_path) -> None:
    page = tg.live(LINEAR, ZEROS, classes=NAMES, ink=(0, 1))
    page.save(tmp_path / "graph.svg")
    assert "softmax_cross_entropy" in (tmp_path / "graph.svg").read_text(encoding="utf-8")


# The shape, which lengths are the pixels of images, and how many tiles of which rows and columns are shown of it.
SHOWN: list[tuple[tuple[int, ...], dict[int, tuple[int, int]], tuple[int, ...]]] = [
    ((1, 28, 28), {}, (1, 28, 28)),
    ((1, 8, 14, 14), {}, (8, 14, 14)),
    ((1, 40, 5, 5), {}, (8, 5, 5)),
    ((3, 3), {}, (1, 3, 3)),
    ((1, 196), {}, (1, 1, 196)),
    ((1, 196), {196: (14, 14)}, (1, 14, 14)),
    ((3, 196), {196: (14, 14)}, (3, 14, 14)),
    ((196, 3), {196: (14, 14)}, (3, 14, 14)),
    ((1, 392), {392: (7, 7)}, (8, 7, 7)),
    ((7,), {}, (1, 1, 7)),
]


@pytest.mark.parametrize(("shape", "folds", "expected"), SHOWN)
def test_arrays_are_shown_as_images_where_they_are_some(
    shape: tuple[int, ...], folds: dict[int, tuple[int, int]], expected: tuple[int, ...]
) -> None:
    tiles = look_of(shape, folds).tiles
    assert (len(tiles), tiles[0].rows, tiles[0].columns) == expected


def test_a_column_that_is_an_image_is_read_by_columns() -> None:
    weight = np.arange(12.0).reshape(4, 3)  # three images of 2 x 2, one in each column
    tiles = look_of((4, 3), {4: (2, 2)}).tiles
    at = lambda t, i, j: weight.flat[t.offset + i * t.row_step + j * t.column_step]
    found = [[[at(t, i, j) for j in range(2)] for i in range(2)] for t in tiles]
    assert found == [weight[:, k].reshape(2, 2).tolist() for k in range(3)]
    assert look_of((1, 1), {}).tiles == ()


def test_both_languages_say_the_same_things() -> None:
    places = {name: [sorted(re.findall(r"\{\d\}", text)) for text in words.values()] for name, words in WORDS.items()}
    assert list(WORDS["en"]) == list(WORDS["ko"])
    assert places["en"] == places["ko"]
