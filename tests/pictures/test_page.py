"""The page, in a real browser: it clicks, opens, closes, steps, searches, and nothing that a name says is run."""

from __future__ import annotations

import base64
import contextlib
import json
import re
import xml.etree.ElementTree as ET
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from picture_models import two_convolutions
from PIL import Image
from render_graphs import circle_square, published

import tinygrad_cnn as tg
from tinygrad_cnn.pictures.view.poster import poster_of
from tinygrad_cnn.pictures.write.page import SCRIPTS, packed

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def opened(browser, path: Path, **options: Any) -> Any:
    """The page at `path`, when it is ready; what it complains of, and what it asks the network for, is noted."""
    options = {"viewport": {"width": 1440, "height": 900}, "reduced_motion": "reduce"} | options
    page = browser.new_page(**options)
    page.complaints, page.requests = [], []
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.on("console", lambda message: page.complaints.append(message.text) if message.type == "error" else None)
    page.on("request", lambda request: page.requests.append(request.url))
    page.goto(path.as_uri())
    page.wait_for_selector("html[data-ready]", timeout=30_000)
    return page


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "graph.html"
    tg.render(circle_square(), path, backward=True, inputs="x", depth=2)
    return path


@pytest.fixture
def page(browser, file: Path) -> Iterator[Any]:
    page = opened(browser, file)
    yield page
    assert page.complaints == []
    page.close()


def boxes(page) -> set[str]:
    """What is drawn, by its title in bold."""
    texts = page.locator("#graph .node").evaluate_all(
        "nodes => nodes.map(n => n.querySelector('text[font-weight=bold]').textContent)"
    )
    return {text.strip() for text in texts}


def laid_out(page) -> None:
    """Until what was asked for is drawn."""
    page.wait_for_selector("html:not([data-busy])")


def wait_for_drawing(page) -> None:
    """Until it is drawn, and the browser has shown two frames: in the first the graph is moved."""
    laid_out(page)
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")


@contextlib.contextmanager
def view_changes(page) -> Iterator[None]:
    """Wait until what is done within has moved or scaled the drawing."""
    view = "document.querySelector('#graph > svg > g').getAttribute('transform')"
    before = page.evaluate(view)
    yield
    page.wait_for_function(f"before => {view} !== before", arg=before)


def panel(page) -> str:
    return page.locator("#panel").inner_text()


def box(page, title: str):
    return page.locator("#graph .node", has=page.locator(f"text[font-weight=bold]:text-is('{title}')")).first


def test_it_is_one_file_that_loads_nothing(browser, file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert not re.search(r"""<(script|link|img|iframe)[^>]+(src|href)\s*=""", text)
    assert "@import" not in text
    page = opened(browser, file)
    assert [url for url in page.requests if not url.startswith(("data:", "file:", "blob:"))] == []
    assert [url for url in page.requests if url.startswith("file:")] == [file.as_uri()]
    page.close()


def test_it_draws_what_the_picture_draws(page) -> None:
    values = {
        "Wc", "Bc", "Wf", "Bf", "conv2d", "conv", "relu", "max_pool", "flatten", "transpose", "matmul", "fc", "sigma",
        "losses", "loss",
    }  # fmt: skip
    assert boxes(page) == values | {"x", "y.T"} | {f"∂L/∂{name}" for name in values}
    names = page.locator("#graph .title [font-weight=bold]").all_text_contents()
    assert sorted(names) == ["conv", "fc", "loss", "pool"]


def test_a_click_shows_the_value_its_statistics_histogram_source_and_cotangent(page) -> None:
    box(page, "max_pool").click()
    shown = panel(page)
    assert "max_pool2d(relu, ties='share', window=2)" in shown
    assert "float64[24 × 14 × 14]" in shown
    assert re.search(r"least\s+0\s+most\s+9\.\d+", shown)
    assert shown.count("The largest element of each window.") == 1  # the source is shown without its documentation
    assert "functools.reduce(np.maximum" in shown
    assert "∂L/∂max_pool" in shown
    assert "circle_square/model.py:" in shown
    assert page.locator("#panel .histogram rect").count() == 24
    assert page.locator("#panel .value img").evaluate("image => image.naturalWidth") > 100
    assert page.locator("#graph .node.chosen").count() == 1


def title(page, name: str):
    """The title of an open group."""
    return page.locator("#graph .title", has=page.locator(f"tspan:text-is('{name}')")).first


def test_a_closed_scope_opens_and_closes_by_one_click(page) -> None:
    assert "im2col" not in boxes(page)
    box(page, "conv2d").click()
    laid_out(page)
    assert {"pad", "im2col", "reshape", "matmul"} <= boxes(page)
    assert "Steps" in panel(page)
    page.locator("#panel button", has_text="Close it").click()
    laid_out(page)
    assert "im2col" not in boxes(page)
    title(page, "pool").click()
    laid_out(page)
    assert "max_pool" not in boxes(page)
    assert "pool" in boxes(page)


def places(page) -> dict[str, tuple[float, float]]:
    """Where the boxes and frames are on the page, by id."""
    wait_for_drawing(page)
    found = page.locator("#graph :is(.node, .cluster)").evaluate_all(
        "all => all.map(one => [one.id, one.getBoundingClientRect().x, one.getBoundingClientRect().y])"
    )
    return {id: (x, y) for id, x, y in found}


def drawn(page) -> str:
    """The drawing, without what is lit and what has the focus."""
    page.mouse.move(5, 300)  # from elements that it follows
    page.evaluate("document.querySelectorAll('#graph .cone').forEach(one => one.remove())")
    text = page.evaluate("document.querySelector('#graph > svg').innerHTML")
    return re.sub(r' (tabindex|class)="[^"]*"', "", text)


def test_what_is_opened_stays_where_one_looks_and_closing_gives_the_old_picture_back(page) -> None:
    page.mouse.move(300, 200)
    with view_changes(page):
        page.mouse.wheel(0, -200)
    before, picture = places(page), drawn(page)
    at = box(page, "conv2d").bounding_box()
    box(page, "conv2d").click()
    after = places(page)
    frame = title(page, "conv2d").bounding_box()
    assert frame["y"] == pytest.approx(at["y"], abs=8)  # the sign of a closed box stands out of it
    assert frame["x"] < at["x"] + at["width"] / 2 < frame["x"] + frame["width"]
    kept = before.keys() & after.keys()
    assert len(kept) > 15
    order = lambda at, axis: sorted(kept, key=lambda one: (round(at[one][axis]), one))
    assert order(before, 1) == order(after, 1)  # nothing changes sides
    page.keyboard.press("Enter")  # the title has the focus
    assert places(page) == before
    assert drawn(page) == picture


def test_all_scopes_close_and_open_and_rules_can_be_looked_into(page) -> None:
    page.click("#close-all")
    laid_out(page)
    assert boxes(page) >= {"conv", "relu", "pool", "fc", "loss", "∂L/∂fc"}
    assert page.locator("#graph .cluster").count() == 0
    page.click("#open-all")
    laid_out(page)
    assert "im2col" in boxes(page)
    was = page.locator("#graph .node", has_text="max_pool2d").first.bounding_box()
    page.click("#rules")
    laid_out(page)
    assert "vjp of sigmoid" in page.locator("#graph .title").evaluate_all("all => all.map(t => t.textContent)")
    assert page.get_attribute("#rules", "aria-pressed") == "true"
    page.click("#rules")
    laid_out(page)
    assert page.locator("#graph .node", has_text="max_pool2d").first.bounding_box() == pytest.approx(was, abs=0.1)
    assert page.locator("#graph .node.rule").count() == 0


def test_the_arrow_keys_go_forward_and_then_backward_one_primitive_at_a_time(page) -> None:
    way = []
    for _ in range(40):
        page.keyboard.press("ArrowRight")
        said = page.locator("#at").inner_text()
        title = page.locator("#panel h2").inner_text()
        if way and way[-1] == (said, title):
            break
        way.append((said, title))
    assert [title for said, title in way if said.startswith("Forward")] == [
        "pad", "im2col", "reshape", "matmul", "reshape", "conv", "relu", "max_pool", "flatten", "transpose", "matmul",
        "fc", "sigma", "losses", "loss",
    ]  # fmt: skip
    back = [title for said, title in way if said.startswith("Backward")]
    assert back[:4] == ["∂L/∂loss", "∂L/∂losses", "∂L/∂sigma", "∂L/∂fc"]
    assert back[-4:] == ["∂L/∂Bf", "∂L/∂Wf", "∂L/∂Bc", "∂L/∂Wc"]
    assert way[-1][0] == "Backward 17 of 17"
    page.keyboard.press("ArrowLeft")
    assert page.locator("#panel h2").inner_text() == "∂L/∂Bc"
    page.keyboard.press("Home")
    assert page.locator("#at").inner_text() == "Forward 1 of 15"
    page.keyboard.press("Escape")
    assert page.locator("#graph .faded").count() == 0


def test_a_step_shows_operands_formula_and_result_and_lights_them(page) -> None:
    while page.locator("#panel h2").inner_text() != "fc":
        page.keyboard.press("ArrowRight")
    assert "add(%15, Bf)" in panel(page)
    assert page.locator("#graph .node.here text").first.text_content().strip() == "fc"
    given = page.locator("#graph .node.given text[font-weight=bold]").all_text_contents()
    assert {text.strip() for text in given} == {"matmul", "Bf"}
    assert page.locator("#graph .edge.lit").count() == 2
    faded = page.locator("#graph .node.faded text[font-weight=bold]").all_text_contents()
    assert {"sigma", "losses", "loss", "∂L/∂fc"} <= {text.strip() for text in faded}


def test_a_step_backward_shows_the_cotangent_that_comes_the_rule_and_what_it_needs(page) -> None:
    page.keyboard.press("End")
    while page.locator("#panel h2").inner_text() != "∂L/∂fc":
        page.keyboard.press("ArrowLeft")
    shown = panel(page)
    assert "vjp of sigmoid" in shown
    assert "g * out * (1 - out)" in shown
    coming, needed = (shown.index(words) for words in ("Incoming cotangent", "Values that the rule reads"))
    assert "∂L/∂sigma" in shown[coming:needed]
    assert "sigma" in shown[needed : shown.index("Source of the rule")]
    while page.locator("#panel h2").inner_text() != "∂L/∂relu":
        page.keyboard.press("ArrowRight")
    needs = page.locator("#panel h3", has_text="Values that the rule reads").locator("~ .card:not(.back) b")
    assert needs.all_text_contents() == ["relu", "max_pool"]
    given = page.locator("#graph .node.given text[font-weight=bold]").all_text_contents()
    assert {text.strip() for text in given} == {"∂L/∂max_pool", "relu", "max_pool"}


def test_a_step_within_a_closed_scope_is_shown_at_the_scope(page) -> None:
    page.click("#close-all")
    laid_out(page)
    page.keyboard.press("ArrowRight")
    assert page.locator("#panel h2").inner_text() == "pad"
    assert page.locator("#graph .node.here text[font-weight=bold]").first.text_content().strip() == "conv"


def test_search_counts_lists_zooms_to_what_it_finds_and_opens_what_that_is_in(page) -> None:
    page.keyboard.press("/")
    page.keyboard.type("matmul")
    wait_for_drawing(page)
    assert page.locator("#panel h2").inner_text() == "8 found"
    assert page.locator("#panel .hits button").count() == 8
    assert page.locator("#panel .hits [aria-current]").inner_text().split()[0] == "matmul"
    hit, outer = page.locator("#graph .node.chosen").bounding_box(), page.locator("#graph").bounding_box()
    assert hit["x"] + hit["width"] / 2 == pytest.approx(outer["x"] + outer["width"] / 2, abs=3)
    assert hit["height"] >= 25
    assert "im2col" in boxes(page)
    page.keyboard.press("Enter")
    assert "Result 2 of 8" in panel(page)
    page.fill("#search", "∂L/∂Wf")
    assert page.locator("#panel h2").inner_text() == "1 found"
    page.locator("#panel button", has_text="Show its value").click()
    assert page.locator("#panel h2").inner_text() == "∂L/∂Wf"
    page.fill("#search", "no such thing")
    assert "none" in page.get_attribute("#search", "class")
    assert "Nothing found" in panel(page)
    page.keyboard.press("Escape")
    assert "How loss is computed" in panel(page)


def test_a_step_can_be_read_where_the_whole_graph_is_too_small(browser, file: Path) -> None:
    page = opened(browser, file)
    page.set_viewport_size({"width": 390, "height": 844})
    page.click("#fit")
    step = page.locator("#graph .node.here text[font-weight=bold]").first
    outer = page.locator("#graph").bounding_box()
    for _ in range(20):
        page.click("#next")
        wait_for_drawing(page)
        inner = step.bounding_box()
        assert inner["height"] >= 10
        assert outer["x"] <= inner["x"]
        assert inner["x"] + inner["width"] <= outer["x"] + outer["width"]
        assert outer["y"] <= inner["y"]
        assert inner["y"] + inner["height"] <= outer["y"] + outer["height"]
    page.close()


def test_nothing_stands_out_of_a_phone(browser, file: Path) -> None:
    page = opened(browser, file)
    page.set_viewport_size({"width": 360, "height": 740})
    page.wait_for_selector("#more:not([open])")
    page.keyboard.press("End")
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    assert page.locator("#search").bounding_box()["width"] >= 150
    page.close()


def test_the_graph_is_panned_and_zoomed_and_fitted(page) -> None:
    def place() -> tuple[float, float]:
        at = box(page, "fc").bounding_box()
        return at["x"], at["width"]

    x, width = place()
    page.mouse.move(500, 450)
    with view_changes(page):
        page.mouse.wheel(0, -400)
    zoomed = place()
    assert zoomed[1] > width
    page.mouse.down()
    page.mouse.move(560, 450, steps=4)
    page.mouse.up()
    assert place() == pytest.approx((zoomed[0] + 60, zoomed[1]), abs=1)
    page.keyboard.press("0")
    assert place() == pytest.approx((x, width), abs=1)


def test_the_whole_graph_is_in_sight_at_first(page) -> None:
    outer = page.locator("#graph").bounding_box()
    for node in page.locator("#graph .node").all():
        inner = node.bounding_box()
        assert outer["x"] <= inner["x"]
        assert inner["x"] + inner["width"] <= outer["x"] + outer["width"] + 1
        assert outer["y"] <= inner["y"]
        assert inner["y"] + inner["height"] <= outer["y"] + outer["height"] + 1


def test_writing_fits_in_its_box(page) -> None:
    over = page.locator("#graph .node").evaluate_all(
        """nodes => nodes.flatMap(node => {
            const outer = node.querySelector('path,polygon').getBoundingClientRect();
            return [...node.querySelectorAll('text')].filter(t => t.getBoundingClientRect().right > outer.right + 1)
                .map(t => t.textContent);
        })"""
    )
    assert over == []


def focused(page) -> str:
    """What a screen reader says of what has the focus."""
    return page.evaluate("document.activeElement.getAttribute('aria-label')")


def test_the_graph_is_walked_opened_and_closed_with_the_keyboard(page) -> None:
    page.focus("#search")
    page.keyboard.press("Tab")
    names = [focused(page)]
    while True:
        page.keyboard.press("ArrowDown")
        if focused(page) == names[-1]:
            break
        names.append(focused(page))
    assert len(names) == page.locator("#graph [role=button]").count()
    assert names[0].startswith("x, input, float64[24 × 28 × 28], 0 … 8.98")
    assert any(re.match(r"relu, activation, float64\[24 × 28 × 28\], 0 … 9", name) for name in names)
    while not focused(page).startswith("conv2d, convolution, float64[24 × 28 × 28]"):
        page.keyboard.press("ArrowUp")
    assert focused(page).endswith("Enter opens it")
    page.keyboard.press("Enter")
    laid_out(page)
    assert focused(page) == "conv2d, open; Enter closes it"
    page.keyboard.press("ArrowDown")
    assert focused(page).startswith("pad, ")
    page.keyboard.press("Enter")
    assert page.locator("#panel h2").inner_text() == "pad"
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    laid_out(page)
    assert focused(page).startswith("conv2d, convolution")
    assert "im2col" not in boxes(page)


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 390)])
def test_axe_finds_no_serious_fault(browser, file: Path, serious_faults, scheme: str, width: int) -> None:
    size = {"width": width, "height": 844}
    page = opened(browser, file, color_scheme=scheme, viewport=size, bypass_csp=True)
    assert serious_faults(page) == []
    box(page, "conv2d").click()
    page.fill("#search", "matmul")
    wait_for_drawing(page)
    assert serious_faults(page) == []
    page.keyboard.press("Escape")
    page.keyboard.press("End")  # what is done is not faded
    assert serious_faults(page) == []
    page.close()


def touched(page, *points: list[tuple[float, float]]) -> None:
    """Fingers that go through these points at once."""
    session = page.context.new_cdp_session(page)
    for i, places in enumerate(zip(*points, strict=True)):
        at = [{"x": x, "y": y, "id": finger} for finger, (x, y) in enumerate(places)]
        session.send("Input.dispatchTouchEvent", {"type": "touchMove" if i else "touchStart", "touchPoints": at})
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def test_fingers_drag_pinch_and_open(browser, file: Path) -> None:
    page = opened(browser, file, viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)

    def place() -> tuple[float, float, float]:
        at = box(page, "relu").bounding_box()
        return at["x"], at["y"], at["width"]

    for name in ("button", "input", "summary"):
        for found in page.locator(f"{name}:visible").all():
            size = found.bounding_box()
            assert min(size["width"], size["height"]) >= 44, found.inner_text()
    x, y, width = place()
    outer = page.locator("#graph").bounding_box()
    cx, cy = outer["x"] + outer["width"] / 2, outer["y"] + outer["height"] / 2
    touched(page, [(cx, cy), (cx + 10, cy), (cx + 30, cy + 20)])
    assert place() == pytest.approx((x + 30, y + 20, width), abs=1)
    touched(page, [(cx - 20, cy), (cx - 30, cy), (cx - 60, cy)], [(cx + 20, cy), (cx + 30, cy), (cx + 60, cy)])
    assert place()[2] == pytest.approx(3 * width, rel=0.02)
    with view_changes(page):
        page.tap("#fit")
    at = box(page, "x").bounding_box()
    assert at["height"] < 20
    page.touchscreen.tap(at["x"] + at["width"] / 2, at["y"] - 8)  # beside it, but within a finger of it
    page.locator("#panel h2:text-is('x')").wait_for()  # a tap becomes a click later
    at = box(page, "conv2d").bounding_box()
    page.touchscreen.tap(at["x"] + at["width"] / 2, at["y"] + at["height"] / 2)
    box(page, "im2col").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    page.close()


def test_a_link_leads_back_to_what_was_seen(browser, page) -> None:
    box(page, "conv2d").click()
    laid_out(page)
    title(page, "pool").click()
    laid_out(page)
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    page.wait_for_url("**step=3*")  # the address is written when nothing has moved for a while
    before = page.url
    page.mouse.move(400, 300)
    with view_changes(page):
        page.mouse.wheel(30, -120)
    page.wait_for_url(lambda url: url != before)
    seen, said, at = boxes(page), panel(page), box(page, "relu").bounding_box()
    assert "#open=" in page.url
    other = browser.new_page(viewport={"width": 1440, "height": 900})
    other.goto(page.url)
    other.wait_for_selector("html[data-ready]")
    wait_for_drawing(other)
    assert (boxes(other), panel(other)) == (seen, said)
    assert box(other, "relu").bounding_box() == pytest.approx(at, abs=1.5)
    other.close()


def test_the_drawing_is_saved_as_svg_and_png(page, tmp_path: Path) -> None:
    page.click("#theme")
    saved = {}
    for kind in ("svg", "png"):
        with page.expect_download() as download:
            page.click(f"#save-{kind}")
        assert download.value.suggested_filename == f"loss.{kind}"
        saved[kind] = tmp_path / f"loss.{kind}"
        download.value.save_as(saved[kind])
    root = ET.parse(saved["svg"]).getroot()
    assert "max_pool" in "".join(root.itertext())
    size = [int(root.get(name)) for name in ("width", "height")]
    picture = Image.open(saved["png"]).convert("RGB")
    assert picture.size == (2 * size[0], 2 * size[1])
    assert picture.getpixel((2, 2)) == (20, 24, 29)  # it is dark, as the page is
    assert len(picture.getcolors(1 << 24)) > 100


@pytest.mark.parametrize("motion", ["reduce", "no-preference"])
def test_what_moves_moves_smoothly_unless_the_reader_wants_no_motion(browser, file: Path, motion: str) -> None:
    page = opened(browser, file, reduced_motion=motion)
    page.evaluate(
        "window.moved = 0; const animate = Element.prototype.animate;"
        "Element.prototype.animate = function (...all) { window.moved++; return animate.apply(this, all); }; 0"
    )
    box(page, "conv2d").click()
    laid_out(page)
    assert (page.evaluate("window.moved") > 10) == (motion == "no-preference")
    page.close()


def test_the_legend_says_what_appears_and_nothing_else(page) -> None:
    def legend() -> list[str]:
        return page.locator("#legend li span").all_text_contents()

    kinds = [
        "input",
        "parameter",
        "constant",
        "step",
        "cotangent",
        "convolution",
        "linear",
        "loss",
        "pooling",
        "activation",
    ]
    assert legend()[:10] == kinds
    assert "read by a rule" not in legend()
    page.click("#rules")
    laid_out(page)
    assert {"step of a rule", "read by a rule"} <= set(legend())


def paper(page) -> str:
    return page.evaluate("getComputedStyle(document.body).backgroundColor")


def fill(page, kind: str) -> str:
    return page.locator(f"#graph .node.{kind} :is(path, polygon)").first.evaluate("x => getComputedStyle(x).fill")


def test_it_is_light_or_dark_as_the_system_has_it_and_as_the_button_says(browser, file: Path) -> None:
    light, dark = (opened(browser, file, color_scheme=scheme) for scheme in ("light", "dark"))
    assert (paper(light), paper(dark)) == ("rgb(255, 255, 255)", "rgb(20, 24, 29)")
    assert fill(light, "parameter") != fill(dark, "parameter")
    light.click("#theme")
    assert (paper(light), fill(light, "parameter")) == (paper(dark), fill(dark, "parameter"))
    light.close()
    dark.close()


def test_the_writing_can_be_read_in_both_themes(browser, file: Path) -> None:
    """A contrast of 4.5 at least, as WCAG 2 AA wants it, of the writing in a box with its fill."""

    def luminance(colour: str) -> float:
        parts = [int(c) / 255 for c in re.findall(r"\d+", colour)[:3]]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return float(np.dot((0.2126, 0.7152, 0.0722), linear))

    for scheme in ("light", "dark"):
        page = opened(browser, file, color_scheme=scheme)
        pairs = page.locator("#graph .node").evaluate_all(
            """nodes => nodes.flatMap(node => {
                const fill = getComputedStyle(node.querySelector('path,polygon')).fill;
                return [...node.querySelectorAll('text')].map(t => [fill, getComputedStyle(t).fill]);
            })"""
        )
        for pair in {tuple(pair) for pair in pairs}:
            high, low = sorted(map(luminance, pair), reverse=True)
            assert (high + 0.05) / (low + 0.05) > 4.5, (scheme, pair)
        page.close()


def loop() -> Any:
    h = x = tg.Tensor(np.ones(3), "x")
    for _ in range(5):
        for _ in range(40):
            h = np.tanh(h * x)
        h = np.exp(-h)
    return h


@pytest.fixture
def poster(browser, tmp_path: Path) -> Iterator[Any]:
    tg.render(two_convolutions(), tmp_path / "graph.html", backward=True)
    page = opened(browser, tmp_path / "graph.html")
    yield page
    assert page.complaints == []
    page.close()


def test_the_page_begins_as_a_poster_whose_cards_open_to_cards(poster) -> None:
    layers = [
        "x",
        "conv2d 1",
        "relu",
        "max_pool2d",
        "conv2d 2",
        "relu",
        "max_pool2d",
        "reshape",
        "linear",
        "softmax_cross_entropy",
    ]

    def headings() -> list[str]:
        """The names of the cards, from top to bottom."""
        return poster.locator("#graph .node").evaluate_all(
            "nodes => nodes.map(node => node.querySelector('text[font-weight=bold]').textContent.trim())"
        )

    assert headings() == layers
    first = poster.locator("#graph .node").nth(1)
    assert first.locator("image").count() >= 4  # the value, its cotangent, the kernels, and their gradient
    assert "with W1, b1" in first.get_attribute("aria-label")
    first.click()
    laid_out(poster)
    opened = headings()
    assert opened[0] == "x"
    assert opened[-8:] == layers[2:]
    assert {"convolution", "reshape", "add", "b1"} <= set(opened)
    for _ in range(3):
        poster.keyboard.press("ArrowRight")
    poster.keyboard.press("End")
    assert poster.locator("#panel h2").inner_text().startswith("∂L/∂")
    assert poster.locator("#graph .node.here").count() == 1
    poster.click("#rules")  # then the two halves stand side by side
    laid_out(poster)
    assert {f"∂L/∂{name}" for name in ("W1", "b1", "W2", "b2", "W3", "b3")} <= boxes(poster)


@pytest.mark.parametrize("depth", ["layers", "all", "rules", 1, 2])
@pytest.mark.parametrize("make", [circle_square, loop, lambda: tg.grad(tg.sigmoid)(tg.Tensor(0.5, "x"))])
def test_the_page_draws_the_boxes_and_edges_that_the_picture_draws(browser, tmp_path: Path, make, depth) -> None:
    """The page applies the rule of `view/closed_groups.py`."""
    picture = tg.render(make(), tmp_path / "graph.html", backward=True, depth=depth)
    page = opened(browser, tmp_path / "graph.html")
    drawn = page.locator("#graph .node").evaluate_all("nodes => nodes.map(node => node.id)")
    ways = page.locator("#graph .edge").evaluate_all("edges => edges.map(edge => edge.id)")
    if depth == "layers":
        poster = poster_of(picture.diagram)
        assert sorted(drawn) == sorted(poster.cards)
        card_of = {c.cotangent.id: id for id, c in poster.cards.items() if c.cotangent} | {
            id: id for id in poster.cards
        }
        assert set(ways) == {f"{card_of[e.tail]}|{card_of[e.head]}|{e.flow}" for e in poster.edges}
    else:
        assert sorted(drawn) == sorted(picture.diagram.boxes)
        hidden = [e for e in picture.diagram.edges if e.flow == "tie" and picture.diagram.boxes[e.tail].stays]
        shown = [f"{e.tail}|{e.head}|{e.flow}" for e in picture.diagram.edges if e not in hidden]
        assert sorted(ways) == sorted(shown)
    frames = page.locator("#graph .cluster").evaluate_all("frames => frames.map(frame => frame.id)")
    assert sorted(frames) == sorted(re.findall(r"cluster_(\w+)", picture.dot))
    page.close()


def test_a_difference_and_a_folded_graph_have_pages_too(browser, tmp_path: Path) -> None:
    tg.render(published(), tmp_path / "difference.html", against=circle_square(), inputs="x", depth=1)
    page = opened(browser, tmp_path / "difference.html")
    box(page, "conv").click()
    page.locator("#panel .card", has_text="its value").first.click()
    assert "BEFORE" in panel(page).upper()
    assert page.complaints == []
    page.close()
    h = x = tg.Tensor(np.ones(3), "x")
    for _ in range(200):
        h = np.tanh(h * x)
    tg.render(h, tmp_path / "loop.html", backward=True)
    page = opened(browser, tmp_path / "loop.html")
    assert {"multiply", "tanh"} <= boxes(page)
    page.locator("#graph .title").click()
    laid_out(page)
    assert page.locator("#graph .cluster").count() == 0
    assert page.complaints == []
    page.close()


ATTACKS = [
    "<script>window.hacked = 1</script>",
    "</script><script>window.hacked = 1</script>",
    '"><img src=x onerror="window.hacked = 1">',
    "<img src=x onerror=window.hacked=1>",
    "<svg onload=window.hacked=1>",
    "javascript:window.hacked=1",
    "' onclick='window.hacked=1",
    '\\" URL="javascript:window.hacked=1',
    '"] hacked [label="x',
    "]]><script>window.hacked=1</script><![CDATA[",
    "{{ 7 * 7 }}<!--<script>",
    "\u2028window.hacked = 1",
]


HANDLERS = "[onerror], [onload], [onclick]"  # elements that would run an attack, at once or later


def hostile(name: str) -> tuple[Any, Any]:
    """Two results in which all that a person can name is called `name`: a function, its documentation, its file too."""
    space = {"tg": tg, "np": np}
    source = f"def step(x, /):\n    {name!r}\n    return x * 2  # {name.splitlines()[0]}\n"
    exec(compile(source, name.replace("\x00", ""), "exec"), space)
    step = tg.primitive(space["step"])
    step.__name__ = name
    step.__doc__ = name
    step.defvjp(lambda g, out, x: g * 2.0)

    def make(scale: float) -> Any:
        x = tg.Tensor(np.ones((3, 4, 4)) * scale, name)
        with tg.scope(name):
            y = tg.named(np.exp(step(x)) * x, name)
        return tg.named(np.sum(y), name)

    return make(1.0), make(2.0)


@pytest.mark.parametrize("name", ATTACKS)
def test_a_name_that_is_meant_badly_is_shown_and_not_run(browser, tmp_path: Path, name: str) -> None:
    loss, other = hostile(name)
    marks = {loss.node: tg.Mark(0.5, name, flag=True)}
    path = tmp_path / "graph.html"
    tg.render(loss, path, backward=True, against=other, marks=marks)
    # Without the policy that would keep it from running: what is written has to be harmless in itself.
    text = path.read_text(encoding="utf-8")
    path.write_text(re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", text), encoding="utf-8")
    page = opened(browser, path)
    for id in page.locator("#graph .node").evaluate_all("nodes => nodes.map(node => node.id)"):
        page.evaluate("id => document.getElementById(id).dispatchEvent(new MouseEvent('click', {bubbles: true}))", id)
        laid_out(page)
    assert page.locator("#graph .node").count() >= 5
    page.click("#rules")  # no longer as a poster
    laid_out(page)
    assert page.locator("#graph .node").count() > 10
    for _ in range(12):
        page.keyboard.press("ArrowRight")
    page.fill("#search", name)
    page.click("#close-all")
    page.click("#open-all")
    wait_for_drawing(page)
    assert page.evaluate("window.hacked") is None
    assert page.complaints == []
    assert page.locator(f"#panel script, #graph script, #graph a[href], {HANDLERS}").count() == 0
    page.close()

    svg = tmp_path / "inline.html"  # an SVG in the middle of a page, as a notebook has it
    svg.write_text(
        f"<!doctype html>{tg.render(loss, values='thumbnails').svg}{tg.graph(loss)._repr_html_()}{loss._repr_html_()}"
    )
    page = browser.new_page()
    page.goto(svg.as_uri())  # until all images are loaded, or have failed
    assert page.evaluate("window.hacked") is None
    assert page.locator(f"script, {HANDLERS}").count() == 0
    assert page.locator("svg").count() >= 2
    page.close()


def test_only_the_pages_own_scripts_may_run(browser, file: Path, tmp_path: Path) -> None:
    injected = tmp_path / "injected.html"
    text = file.read_text(encoding="utf-8").replace("<header>", "<script>window.hacked = 1</script><header>", 1)
    injected.write_text(text, encoding="utf-8")
    page = opened(browser, injected)
    assert page.evaluate("window.hacked") is None
    assert any("Content Security Policy" in complaint for complaint in page.complaints)
    page.close()


def test_what_the_script_reads_cannot_end_its_element() -> None:
    box = {"id": "n0", "dot": "\n</script>"}
    text = packed({"title": "</script><!--\u2028&", "boxes": [box], "group_boxes": [], "influence": None})
    assert re.fullmatch(r"[A-Za-z0-9+/=]+", text)
    first, second, _ = zlib.decompress(base64.b64decode(text)).decode().split("\n")
    assert json.loads(first) == {"title": "</script><!--\u2028&", "boxes": [{"id": "n0"}], "group_boxes": []}
    assert json.loads(second) == {"dot": "\n</script>"}


def test_every_file_of_the_script_is_written_into_the_page() -> None:
    folder = Path(tg.__file__).parent / "pictures" / "write" / "page" / "script"
    assert sorted(SCRIPTS) == sorted(path.stem for path in folder.iterdir())


def test_the_licences_of_what_is_shipped_stand_beside_it() -> None:
    vendor = Path(tg.__file__).parent / "pictures" / "write" / "page" / "vendor"
    listed = (vendor / "README.md").read_text(encoding="utf-8")
    for path in vendor.iterdir():
        assert path.name in listed or path.name == "README.md", path.name
    assert "Viz.js 3.31.0" in (vendor / "viz-global.js").read_text(encoding="utf-8")[:300]
    assert "3.31.0" in listed
