"""The first wrong step as a strip: what is magnified, with which numbers, from which line; and links to every step."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tinygrad_cnn as tg
from tinygrad_cnn.check.report.magnified import Grid, Place, place
from tinygrad_cnn.check.report.strip import strip

X = np.arange(32.0).reshape(2, 4, 4) % 7
X[1, 2:, :2] = 5.0  # a window whose elements tie
W = np.array([[[1.0, -1.0], [2.0, 0.5]], [[0.25, 1.5], [-3.0, 1.0]]])


def loss(p: Any) -> Any:
    h = p["x"] * 2.0
    pooled = tg.max_pool2d(h, 2)
    return np.sum(W * pooled)


def with_ties_in_full(p: Any) -> Any:
    h = p["x"] * 2.0
    pooled = h.reshape(2, 2, 2, 2, 2).max(axis=(2, 4))
    dpooled = W
    is_largest = h == pooled.repeat(2, axis=1).repeat(2, axis=2)
    dh = is_largest * dpooled.repeat(2, axis=1).repeat(2, axis=2)
    return {"dpooled": dpooled, "dh": dh, "dx": 2.0 * dh}


def right(p: Any) -> Any:
    found = with_ties_in_full(p)
    dh = found["dh"].copy()
    dh[1, 2:, :2] /= 4
    return {"dpooled": W, "dh": dh, "dx": 2.0 * dh}


@pytest.fixture(scope="module")
def report() -> Any:
    return tg.check.gradients(loss, {"x": X}, with_ties_in_full, evaluations=50)


def numbers(grid: Grid) -> list[list[float]]:
    return [[float(cell.number) for cell in cells] for _, cells in grid.rows]


def test_a_tied_window_is_magnified_with_its_numbers(report: Any) -> None:
    shown = strip(report)
    assert shown is not None
    assert shown.row.name == "dh"
    assert [grid.caption for grid in shown.grids] == ["value of h", "hand-derived", "right", "difference"]
    value, hand, expected, difference = map(numbers, shown.grids)
    assert value == [[10, 10], [10, 10]]
    assert hand == [[-3, -3], [-3, -3]]
    assert expected == [[-0.75, -0.75], [-0.75, -0.75]]
    assert difference == [[-2.25, -2.25], [-2.25, -2.25]]
    assert [grid.total for grid in shown.grids] == ["", "-12", "-3", "-9"]
    assert list(shown.grids[0].columns) == [0, 1]
    assert [row for row, _ in shown.grids[0].rows] == [2, 3]
    assert "dpooled[1, 1, 0] = -3." in shown.words
    assert shown.frame == "top:50%;height:50%;left:0%;width:50%"
    assert all(side.maps[0].index == (1,) and len(side.maps) == 1 for _, side in shown.sides)


def test_the_line_that_somebody_wrote_is_beneath_with_those_around_it(report: Any) -> None:
    written = strip(report).written
    lines = dict(written.lines)
    assert re.fullmatch(r"test_strip.py:\d+", written.place)
    assert lines[written.first] == "dh = is_largest * dpooled.repeat(2, axis=1).repeat(2, axis=2)"
    assert lines[written.first - 1].startswith("is_largest = h ==")
    assert len(lines) == 5


def test_the_line_of_a_cause_is_the_one_that_is_shown() -> None:
    def hand(p: Any) -> Any:
        out = p["w"] * 3.0
        dout = out / 2
        return {"dw": 3.0 * dout}

    report = tg.check.gradients(lambda p: np.sum((p["w"] * 3.0) ** 2), {"w": np.arange(1.0, 5.0)}, hand)
    (parameter,) = report.parameters
    assert strip(report).row is parameter
    assert parameter.written.place == parameter.cause.line
    assert dict(parameter.written.lines)[parameter.written.first].strip() == "dout = out / 2"


def test_nothing_is_shown_of_a_right_gradient_and_of_one_that_is_no_function() -> None:
    assert strip(tg.check.gradients(loss, {"x": X}, right, evaluations=50)) is None
    given = strip(tg.check.gradients(loss, {"x": X}, with_ties_in_full({"x": X}), evaluations=0))
    assert given.written is None
    assert len(given.grids) == 4


def test_a_gradient_that_raises_when_it_is_called_again_is_shown_without_its_source() -> None:
    calls = []

    def hand(p: Any) -> Any:
        calls.append(p)
        if len(calls) > 1:
            raise RuntimeError("once is enough")
        return with_ties_in_full(p)

    report = tg.check.gradients(loss, {"x": X}, hand, evaluations=0)
    assert strip(report).row.name == "dh"
    assert strip(report).written is None


def test_a_wrong_shape_is_shown_without_a_difference() -> None:
    report = tg.check.gradients(loss, {"x": X}, {"dx": np.ones((4, 4))}, evaluations=0)
    assert [name for name, _ in strip(report).sides] == ["hand-derived", "right"]
    assert strip(report).grids == []
    report.to_html()


@pytest.mark.parametrize(
    ("index", "shape", "rows", "columns"),
    [
        ((0, 0), (9, 9), range(3), range(5)),
        ((8, 8), (9, 9), range(6, 9), range(4, 9)),
        ((4, 4), (9, 9), range(3, 6), range(2, 7)),
        ((1, 1), (2, 3), range(2), range(3)),
        ((7,), (9,), range(1), range(4, 9)),
        ((3, 1, 4), (5, 2, 6), range(2), range(1, 6)),
    ],
)
def test_an_element_has_as_many_neighbours_at_the_edge(
    index: tuple[int, ...], shape: tuple[int, ...], rows: range, columns: range
) -> None:
    assert place(index, shape, None, None) == Place(index[:-2], rows, columns)


def test_numbers_that_differ_are_written_so_that_they_differ() -> None:
    x = np.full(4, 1.0)
    report = tg.check.gradients(lambda w: np.sum(w * x), x, lambda w: x + np.array([0, 0, 1e-6, 0]), evaluations=0)
    hand, expected, _ = ([cell.number for cell in grid.rows[0][1]] for grid in strip(report).grids)
    assert hand != expected
    assert "-0" not in [cell.number for grid in strip(report).grids for _, cells in grid.rows for cell in cells]


# Links.


def test_every_step_has_a_fragment_to_which_the_page_and_its_graph_lead(report: Any) -> None:
    page = report.to_html()
    ids = re.findall(r'\bid="([^"]+)"', page)
    ours = [id for id in ids if re.match("(step|loop|parameter)-", id)]
    assert ours == ["parameter-x", "step-dpooled", "step-dh"]
    to = re.findall(r'(\w+:)?href="#([^"]*)"', page)
    assert {id for _, id in to} <= set(ids)
    assert {id for of, id in to if not of} == set(ours)
    assert {id for of, id in to if of == "xlink:"} == set(ours)


def test_names_that_differ_in_signs_alone_have_fragments_of_their_own() -> None:
    def both(p: Any) -> Any:
        return np.sum(np.sin(p["a b"]) + np.sin(p["a<b"]))

    hand = {"a b": np.cos(np.ones(2)), "a<b": np.zeros(2)}
    page = tg.check.gradients(both, {"a b": np.ones(2), "a<b": np.ones(2)}, hand, evaluations=0).to_html()
    assert re.findall(r'<tr id="([^"]+)"', page) == ["parameter-a-b", "parameter-a-b-"]


def test_a_mark_does_not_lead_out_of_the_page() -> None:
    with pytest.raises(ValueError, match="expected a fragment of the page"):
        tg.Mark(0.5, "here", link="https://example.org")


# In a browser.


@pytest.fixture(scope="module")
def file(report: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("check") / "check.html"
    report.to_html(path)
    return path


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_fits_and_has_no_serious_fault(
    browser: Any, serious_faults: Any, file: Path, theme: str, width: int
) -> None:
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=theme, bypass_csp=True)
    page.goto(file.as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") == width
    wider = "e => [...e.querySelectorAll('*')].filter(x => x.getBoundingClientRect().right > innerWidth).length"
    assert page.locator(".strip").evaluate(wider) == 0
    assert serious_faults(page) == []
    page.locator("nav a", has_text="dh").click()
    assert page.evaluate("document.querySelector(':target').innerText").startswith("dh")
    page.close()
