"""What is wrong with a value: where it arises, in which iterations, and that nothing else raises an alarm."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from render_graphs import diagram_of, named

import tinygrad_cnn as tg
from tinygrad_cnn.pictures.view.pixels import decoded
from tinygrad_cnn.pictures.view.thumbnails import thumbnail
from tinygrad_cnn.pictures.view.values import BINS, describe, describe_all


def of_iterations(*changes: tuple[int, float], count: int = 24) -> list[Any]:
    """Arrays of ones, in which the first elements of some are others."""
    arrays = [np.ones(3) for _ in range(count)]
    for at, element in changes:
        arrays[at][0] = element
    return arrays


@pytest.mark.parametrize(
    ("arrays", "wrong"),
    [
        (of_iterations(), ()),
        ([np.zeros(3), *of_iterations()], ()),
        ([np.zeros(3)] * 5, ("all zero",)),
        (of_iterations((6, np.nan)), ("NaN in the 7th",)),
        (of_iterations(*[(i, np.nan) for i in range(4, 24)]), ("NaN in 20 of 24, the 5th first",)),
        (of_iterations(*[(i, np.inf) for i in range(24)]), ("Inf",)),
        (of_iterations((22, 1e9)), ("exploding: 1e+09 in the 23rd",)),
        ([np.ones(2), None], ("freed",)),
    ],
)
def test_of_iterations_it_is_said_in_which_something_is_wrong(arrays: list[Any], wrong: tuple[str, ...]) -> None:
    assert describe_all(arrays, flows=True).wrong == wrong


def test_of_iterations_the_first_the_last_and_the_worst_are_shown_and_the_range_of_all() -> None:
    value = describe_all(of_iterations((5, -7.0)), flows=True)
    assert value.picture is not None
    assert value.picture.caption.startswith("first, last, worst")
    assert (value.least, value.most) == (-7.0, 1.0)
    value = describe_all(of_iterations((23, -7.0)), flows=True)
    assert value.picture is not None
    assert value.picture.caption.startswith("first, last")
    assert "worst" not in value.picture.caption


def test_numbers_of_iterations_are_a_strip() -> None:
    value = describe_all([np.float64(i) for i in range(10)], flows=True)
    assert value.picture is not None
    assert (value.number, value.range) == (None, "0 … 9")


def test_the_first_iteration_of_a_loop_raises_no_alarm_for_all() -> None:
    W, state = tg.Tensor(np.eye(2), "W"), np.zeros(2)
    for x in np.ones((5, 2)):
        state = np.tanh(W @ state + x)
    boxes = diagram_of(np.sum(state), backward=True, values=True, fold=True).boxes.values()
    assert [box.title for box in boxes if box.value is not None and box.value.wrong] == []


def test_a_nan_arises_in_one_step_and_follows_in_the_others() -> None:
    x = tg.Tensor([1.0, -1.0], "x")
    with np.errstate(all="ignore"):
        root = np.sqrt(x)
        shifted = root + 1.0
        total = np.sum(shifted * shifted)
    diagram = diagram_of(total, backward=True, values=True)
    wrong = {box.name: box.inherited for box in diagram.boxes.values() if box.value is not None and box.value.wrong}
    assert [name for name, inherited in wrong.items() if not inherited] == ["root"]
    assert {"shifted", "total", "∂total/∂shifted", "∂total/∂x"} <= set(wrong)
    dot = tg.render(total, backward=True, values="thumbnails").dot
    assert len(re.findall("<B>! [^<]*NaN", dot)) == 1


def test_an_infinite_slope_arises_in_the_cotangent() -> None:
    x = tg.Tensor([4.0, 0.0], "x")
    with np.errstate(all="ignore"):
        diagram = diagram_of(np.sum(np.sqrt(x)), backward=True, values=True)
    assert named(diagram, "∂L/∂x").inherited is False


def test_a_nan_that_comes_from_data_arises_in_no_step() -> None:
    y = np.array([np.nan, 1.0])
    total = np.sum(tg.Tensor([1.0, 2.0], "x") * y)
    boxes = diagram_of(total, values=True).boxes.values()
    assert [box.inherited for box in boxes if box.kind == "primitive"] == [True, True]


def test_in_a_loop_a_nan_arises_once() -> None:
    h = tg.Tensor([4.0, 1.0], "h")
    with np.errstate(all="ignore"):
        for _ in range(6):
            h = np.log(h)
    boxes = [box for box in diagram_of(h, values=True, fold=True).boxes.values() if box.kind == "primitive"]
    assert [(box.count, box.inherited) for box in boxes] == [(6, False)]
    assert boxes[0].value is not None
    assert "NaN in 4 of 6, the 3rd first" in boxes[0].value.wrong


def test_a_closed_scope_says_what_is_wrong_within_it() -> None:
    with tg.scope("head"), np.errstate(all="ignore"):
        power = np.exp(tg.Tensor([800.0, 1.0], "x"))
        bounded = np.tanh(power)
    box = next(box for box in diagram_of(bounded, values=True).group_boxes.values() if box.kind == "scope")
    assert box.value is not None
    assert box.value.wrong == ("1 Inf in power",)
    assert not box.inherited


@pytest.mark.parametrize(
    "x",
    [
        1 + np.array([0.0, 2.0, 5.0]) * 2.0**-52,
        1e300 * (1 + np.arange(40) * 2.0**-52),
        np.array([-1.7e308, 1.7e308]),
        np.array([5e-324, 1e-323]),
    ],
)
def test_values_whose_spread_is_rounding_have_a_histogram_or_none(x: Any) -> None:
    counts = describe(x, flows=True).counts
    assert counts == () or (len(counts) == BINS and sum(counts) == x.size)


def test_zero_is_written_without_a_sign() -> None:
    assert describe(np.array(-0.0), flows=True).number == "0"
    assert describe(np.array([-0.0, 0.0]), flows=True).range == "0"
    assert "-0" not in describe(np.array([-0.0, 1.0]), flows=True).sample


@pytest.mark.parametrize("sign", [1, -1])
def test_one_outlier_does_not_blank_the_others_and_the_scale_is_said(sign: int) -> None:
    x = np.where(np.arange(64).reshape(8, 8) % 2, 1e-3, -1e-3 * (sign < 0))
    x[0, 0] = 50.0
    picture = thumbnail(x)
    assert picture is not None
    pixels = decoded(picture.png).reshape(-1, 4)[:, :3].astype(int)
    span = np.ptp(pixels, axis=0).max()
    others = pixels[(pixels != pixels[len(pixels) // 2]).any(axis=1)]
    assert span > 100
    assert len(others)
    assert re.search("colours to ±?0.00", picture.caption)
    plain = thumbnail(np.linspace(0, 1, 64).reshape(8, 8))
    assert plain is not None
    assert plain.caption == ""


def test_typical_elements_of_a_heavy_tail_are_not_almost_white() -> None:
    x = np.random.default_rng(0).standard_t(1.2, size=(40, 40)) * 1e-6
    picture = thumbnail(x)
    assert picture is not None
    pixels = decoded(picture.png)[2:-2, 2:-2, :3].astype(int)
    distance = np.abs(pixels - 247).max(axis=-1)  # from the white in the middle of the scale
    assert np.median(distance) > 40


def test_of_elements_of_many_orders_of_magnitude_each_is_seen_and_larger_ones_are_darker() -> None:
    x = np.sort(10.0 ** np.linspace(-6, 0, 24)).reshape(1, 24) * np.where(np.arange(24) % 2, 1, -1)
    picture = thumbnail(np.repeat(x, 24, axis=0))
    assert picture is not None
    assert picture.caption == "colours to ±1 by the 5th root"  # of 1e-3, the median, that is 1/4
    row = decoded(picture.png)[25, 1:-1:2, :3].astype(int)  # within a border of a pixel, two to an element
    assert len(row) == 24
    darkness = 255 - row.min(axis=1)
    for sign in (0, 1):
        assert np.all(np.diff(darkness[sign::2]) > 0), "no two have one colour"


def test_ordinary_numbers_are_in_proportion() -> None:
    picture = thumbnail(np.random.default_rng(0).standard_normal((20, 20)))
    assert picture is not None
    assert "root" not in picture.caption
