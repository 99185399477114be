"""A picture in a file with one element followed: outlines in thumbnails, borders, and a note."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from render_graphs import circle_square, diagram_of, named

import tinygrad_cnn as tg
from tinygrad_cnn.pictures.view.outlines import COLOURS
from tinygrad_cnn.pictures.view.pixels import decoded
from tinygrad_cnn.pictures.view.thumbnails import Lit, thumbnail
from tinygrad_cnn.pictures.write.colours import REACHED


def around(picture: Any, element: int) -> set[tuple[int, ...]]:
    """The colours of the pixels beside those of an element."""
    area = next(a for a in picture.areas if a.first <= element < a.first + a.rows * a.columns)
    row, column = divmod(element - area.first, area.columns)
    wide, high = area.width // area.columns, area.height // area.rows
    left, top = area.x + column * wide, area.y + row * high
    pixels = decoded(picture.png)
    beside = [pixels[top, left - 1], pixels[top, left + wide], pixels[top - 1, left], pixels[top + high, left]]
    return {tuple(map(int, pixel[:3])) for pixel in beside}


def lit(shape: tuple[int, ...], element: int, kind: str = "before") -> Lit:
    elements, weights = np.zeros(np.prod(shape), bool), np.zeros(np.prod(shape))
    elements[element], weights[element] = True, 2.0
    return Lit(kind, elements, weights)


@pytest.mark.parametrize("kind", COLOURS)
@pytest.mark.parametrize(
    ("shape", "element"), [((3, 4), 6), ((24, 28, 28), 13 * 784 + 40), ((50, 4, 4), 21), ((9,), 4)]
)
def test_an_element_has_an_outline_where_it_is_shown(shape: tuple[int, ...], element: int, kind: str) -> None:
    array = np.random.default_rng(0).normal(size=shape)
    picture = thumbnail(array, lit(shape, element, kind))
    assert picture is not None
    sides = around(picture, element)
    assert COLOURS[kind] in sides
    if len(shape) > 1:
        assert sides == {COLOURS[kind]}


def test_an_element_is_filled_by_its_weight_and_what_is_followed_stays_as_it_is() -> None:
    array = np.array([[1.0, 0.0], [0.0, -1.0]])
    plain = decoded(thumbnail(array, Lit("pixel", np.zeros(4, bool), np.zeros(4))).png)
    weights = np.array([4.0, -2.0, 0.0, 0.0])
    filled = decoded(thumbnail(array, Lit("after", weights != 0, weights)).png)
    centre = {(row, column): (row * 28 + 14, column * 28 + 14) for row in (0, 1) for column in (0, 1)}
    mixed = lambda at, share: np.round(plain[at][:3] * (1 - share) + np.array(COLOURS["after"]) * share)
    np.testing.assert_allclose(filled[centre[0, 0]][:3], mixed(centre[0, 0], 0.75), atol=1)
    np.testing.assert_allclose(filled[centre[0, 1]][:3], mixed(centre[0, 1], 0.45), atol=1)
    np.testing.assert_array_equal(filled[centre[1, 1]], plain[centre[1, 1]])
    itself = decoded(thumbnail(array, lit((2, 2), 0, "pixel")).png)
    np.testing.assert_array_equal(itself[centre[0, 0]], plain[centre[0, 0]])


def test_boxes_are_marked_as_the_element_reaches_them() -> None:
    diagram = diagram_of(circle_square(), backward=True, values=True, inputs="x", pixel=("max_pool", (3, 6, 4)))
    found = {box.title: box.reached for box in diagram.boxes.values()}
    for name in ("x", "Wc", "Bc", "conv", "relu", "∂L/∂relu", "∂L/∂Wc"):
        assert found[name] == "before"
    for name in ("flatten", "fc", "loss", "∂L/∂fc", "∂L/∂loss"):
        assert found[name] == "after"
    assert found["max_pool"] == found["∂L/∂max_pool"] == "pixel"
    assert found["Wf"] is found["y.T"] is found["∂L/∂Wf"] is None
    shown = [area.first // 784 for area in named(diagram, "x").value.picture.areas]
    assert 3 in shown
    assert diagram.notes[-1].startswith("max_pool[3, 6, 4] = ")


def test_to_data_no_cotangent_comes() -> None:
    diagram = diagram_of(circle_square(), backward=True, values=True, inputs="x", pixel=("x", (0, 10, 10)))
    assert {box.title for box in diagram.boxes.values() if box.reached and box.half == "backward"} == set()


def test_a_picture_has_the_colours_and_says_what_they_mean() -> None:
    loss = circle_square()
    svg = tg.render(loss, backward=True, inputs="x", pixel=("max_pool", (0, 6, 4))).svg
    for colour in REACHED.values():
        assert f'stroke="{colour}"' in svg
    assert "yellow is what it was computed from" in svg
    page = tg.render(loss, format="html", pixel=("max_pool", (0, 6, 4)))
    assert page.diagram.pixel == f"{named(page.diagram, 'max_pool').id}_{6 * 14 + 4}"


def test_what_cannot_be_followed_is_refused() -> None:
    loss = circle_square()
    for pixel in ("max_pool", ("max_pool",), 3):
        with pytest.raises(TypeError, match="expected a value and the index of an element"):
            tg.render(loss, pixel=pixel)
    with pytest.raises(IndexError, match=r"render: \(0, 14, 0\) is not the index of an element of max_pool"):
        tg.render(loss, pixel=("max_pool", (0, 14, 0)))
    with pytest.raises(ValueError, match="pixel cannot be combined with against"):
        tg.render(loss, pixel=("loss", ()), against=loss)
    with pytest.raises(ValueError, match="pixel cannot be combined with frames"):
        tg.render(loss, pixel=("loss", ()), frames=[loss])
