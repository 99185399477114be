"""An element of a thumbnail is pointed at in a real browser: what lights up is what `tg.influence` has."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from picture_models import MODELS
from test_page import box, opened

import tinygrad_cnn as tg
from tinygrad_cnn.pictures.view import packed

pytestmark = [pytest.mark.browser, pytest.mark.slow]

WATCH = """() => {
  window.cones = [];
  const arrays = ([id, reach]) => [id, [[...reach.lit], [...reach.weights]]];
  const plain = (found) => Object.fromEntries([...found].map(arrays));
  document.getElementById("pixel").addEventListener("followed", ({ detail }) => window.cones.push({
    element: detail.element, before: plain(detail.before), after: plain(detail.after),
  }));
}"""


def model() -> Any:
    """Images without meaning, through all that moves, chooses, adds and multiplies; two convolutions, ten classes."""
    rng = np.random.default_rng(0)
    p = {
        name: tg.Tensor(rng.normal(size=shape), name)
        for name, shape in {"W1": (2, 1, 3, 3), "b1": (2,), "W2": (3, 2, 2, 2), "V": (4, 12)}.items()
    }
    x = rng.normal(size=(7, 1, 8, 8))
    map1 = tg.relu(tg.conv2d(x, p["W1"], p["b1"], padding=1))
    pool = tg.max_pool2d(map1, 2)
    map2 = tg.conv2d(pool, p["W2"])[:, :, 1:]
    sums = np.cumsum(map2, axis=-1)
    logits = tg.linear(np.transpose(sums, (0, 2, 3, 1)).reshape(7, -1)[:, :12], p["V"])
    return tg.named(tg.nn.softmax_cross_entropy(logits, np.arange(7) % 4), "loss")


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Path]:
    loss = model()
    path = tmp_path_factory.mktemp("pixel") / "graph.html"
    tg.render(loss, path, backward=True, depth="all")
    return loss, path


@pytest.fixture
def page(browser, drawn: tuple[Any, Path]) -> Iterator[Any]:
    page = opened(browser, drawn[1])
    page.evaluate(WATCH)
    yield page
    assert page.complaints == []
    page.close()


def centre(page, title: str, area: Sequence[int], row: int, column: int) -> tuple[float, float]:
    """Where an element of an area of a thumbnail is in the window, by the size of the thumbnail in pixels."""
    picture = box(page, title).locator("image").first
    place = picture.bounding_box()
    left, top, width, height, _, rows, columns = area
    x, y = left + (column + 0.5) * width / columns, top + (row + 0.5) * height / rows
    size = picture.evaluate(
        "picture => new Promise(done => { const i = new Image(); i.onload = () => done([i.width, i.height]); "
        "i.src = picture.getAttribute('href'); })"
    )
    return place["x"] + x * place["width"] / size[0], place["y"] + y * place["height"] / size[1]


def says(page, start: str) -> str:
    """The line of text, once it begins so."""
    page.locator("#pixel", has_text=re.compile(f"^{re.escape(start)}")).wait_for(timeout=5_000)
    return page.locator("#pixel").inner_text()


def test_what_lights_up_is_what_influence_has(page, drawn: tuple[Any, Path]) -> None:
    loss, _ = drawn
    page.locator("#graph").hover(position={"x": 3, "y": 3})
    values = tg.render(loss, depth="all", format="html", backward=True).diagram.boxes.values()
    named = {b.id: b for b in values if b.name and b.half == "forward"}
    for title, which, row, column in (("x", -1, 2, 3), ("W1", 1, 2, 2), ("map1", 2, 0, 5), ("pool", 0, 1, 2)):
        shown = next(b for b in named.values() if b.name == title)
        area = shown.value.picture.areas[which]
        index = tuple(map(int, np.unravel_index(area.first + row * area.columns + column, shown.axes)))
        page.mouse.move(*centre(page, title, area, row, column))
        assert says(page, f"{title}[{', '.join(map(str, index))}] = ")
        cone, found = page.evaluate("window.cones.at(-1)"), tg.influence(loss, title, index)
        for half, arrays in (("before", found.before), ("after", found.after)):
            ours = {name: array for name, array in arrays.items() if not name.startswith("%")}
            theirs = {named[id].name: reach for id, reach in cone[half].items() if id in named}
            assert set(theirs) == set(ours)
            for name, (lit, weights) in theirs.items():
                np.testing.assert_array_equal(np.array(lit, bool), ~np.ma.getmaskarray(ours[name]).reshape(-1))
                np.testing.assert_allclose(weights, np.ma.filled(ours[name], 0).reshape(-1), rtol=1e-5, atol=1e-7)


def test_nothing_lights_up_that_the_pointer_left_before_the_weights_were_unpacked(page) -> None:
    lit = page.evaluate(
        """async ([x, y]) => {
            const read = Response.prototype.arrayBuffer, wait = () => new Promise(done => setTimeout(done));
            let unpacked = null;
            Response.prototype.arrayBuffer = function () { return unpacked = read.call(this); };
            const move = (element, x, y) =>
                element.dispatchEvent(new PointerEvent("pointermove", {clientX: x, clientY: y, bubbles: true}));
            move(document.elementFromPoint(x, y), x, y);
            move(document.body, 0, 0);
            while (!unpacked) await wait();
            await unpacked;
            await wait();
            return document.querySelectorAll(".cone").length;
        }""",
        centre(page, "pool", (1, 1, 56, 56, 0, 4, 4), 1, 2),
    )
    assert lit == 0
    assert page.locator("#pixel").is_hidden()


def test_a_click_holds_an_element_and_others_are_said_with_their_weight(page, drawn: tuple[Any, Path]) -> None:
    loss, _ = drawn
    page.mouse.click(*centre(page, "pool", (1, 1, 56, 56, 0, 4, 4), 1, 2))
    says(page, "pool[0, 0, 1, 2] = ")
    held = tg.influence(loss, "pool", (0, 0, 1, 2))
    row, column = np.argwhere(held["map1"][0, 0].filled(0))[0]
    page.mouse.move(*centre(page, "map1", (1, 1, 56, 56, 0, 8, 8), row, column))
    assert says(page, f"map1[0, 0, {row}, {column}]").endswith(" contributes to pool[0, 0, 1, 2] with weight 1")
    page.mouse.move(*centre(page, "map1", (1, 1, 56, 56, 0, 8, 8), 7, 0))
    assert says(page, "map1[0, 0, 7, 0]").endswith("independent of pool[0, 0, 1, 2]")
    page.mouse.move(*centre(page, "∂L/∂map1", (1, 1, 56, 56, 0, 8, 8), row, column))
    assert says(page, f"∂L/∂map1[0, 0, {row}, {column}]").endswith("receives ∂L/∂pool[0, 0, 1, 2] with weight 1")
    page.keyboard.press("Escape")
    assert page.locator(".cone").count() == 0
    assert page.locator("#pixel").is_hidden()


def test_by_keyboard_arrows_go_from_element_to_element_and_escape_leaves(page) -> None:
    box(page, "pool").locator("text").first.click()
    page.keyboard.press("p")
    says(page, "pool[0, 0, 2, 2] = ")
    for key, index in (
        ("ArrowUp", "0, 0, 1, 2"), ("ArrowLeft", "0, 0, 1, 1"), ("ArrowDown", "0, 0, 2, 1"), ("Home", "0, 0, 2, 0"),
        ("ArrowLeft", "0, 0, 2, 0"), ("End", "0, 0, 2, 3"), ("PageDown", "2, 0, 2, 3"), ("PageUp", "0, 0, 2, 3"),
    ):  # fmt: skip
        page.keyboard.press(key)
        assert says(page, f"pool[{index}] = ")
    assert page.locator("#panel h2").inner_text() == "pool"  # no arrow made a step
    page.keyboard.press("Escape")
    assert page.locator("#pixel").is_hidden()
    page.keyboard.press("ArrowRight")
    assert page.locator("#panel .direction").inner_text().startswith("Forward, step 1")


def test_a_link_holds_the_element_again(browser, drawn: tuple[Any, Path]) -> None:
    page = opened(browser, drawn[1])
    page.mouse.click(*centre(page, "pool", (1, 1, 56, 56, 0, 4, 4), 1, 2))
    said = says(page, "pool[0, 0, 1, 2] = ")
    page.wait_for_url("**pixel=*")
    again = browser.new_page()
    again.goto(page.url)
    assert says(again, "pool[0, 0, 1, 2]") == said
    again.evaluate("location.hash = 'pixel=n1_99999'")
    again.locator("#pixel").wait_for(state="hidden")
    page.close()
    again.close()


def test_a_tap_follows_an_element_through_what_is_closed(browser, drawn: tuple[Any, Path], tmp_path: Path) -> None:
    path = tmp_path / "poster.html"
    tg.render(MODELS["tour"](), path, backward=True)
    page = opened(browser, path, has_touch=True)
    page.touchscreen.tap(*centre(page, "max_pool2d", (1, 1, 56, 56, 0, 14, 14), 6, 6))
    said = says(page, "pool[0, 6, 6]")
    assert "16 of x" in said
    assert "9 of Wc" in said
    assert "1 of loss" in said
    lit = page.locator("#graph .node.before text[font-weight=bold]").all_text_contents()
    assert {"Wc", "Bc", "x", "conv2d", "maximum"} <= {text.strip() for text in lit}
    assert page.locator("#graph .cone.pixel").count() == 2  # of the value, and of its cotangent
    assert page.complaints == []
    page.close()


def test_what_is_too_large_for_a_page_is_said(browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packed, "MOST", 1000)
    x = tg.Tensor(np.random.default_rng(0).normal(size=(40, 30)), "x")
    with tg.scope("model"):
        product = x @ np.ones((30, 40))
    path = tmp_path / "graph.html"
    tg.render(tg.named(np.sum(np.tanh(product)), "loss"), path, depth="all")
    page = opened(browser, path)
    page.mouse.move(*centre(page, "x", (1, 1, 30, 40, 0, 40, 30), 5, 5))
    assert "weights are more than a page holds (at most 1,000 in all)" in says(page, "x[5, 5]")
    page.close()


def test_of_iterations_that_are_drawn_as_one_it_says_how_to_follow_elements(browser, tmp_path: Path) -> None:
    path = tmp_path / "graph.html"
    tg.render(MODELS["recurrent"](), path, depth="all")
    page = opened(browser, path)
    page.keyboard.press("p")
    assert page.locator("#status").inner_text().startswith("Choose a box first")
    page.locator("#graph image").last.click()
    page.keyboard.press("p")
    assert "fold=False" in page.locator("#status").inner_text()
    assert page.locator("#pixel").is_hidden()
    assert page.complaints == []
    page.close()
