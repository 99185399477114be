"""The live page, in a real browser: what is drawn by a real pointer flows through it as in Python."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tinygrad_cnn as tg
from tinygrad_cnn import nn
from tinygrad_cnn.circle_square import data
from tinygrad_cnn.circle_square.live import live_page, losses, score
from tinygrad_cnn.circle_square.model import Parameters
from tinygrad_cnn.circle_square.tasks import TASKS
from tinygrad_cnn.circle_square.training import PUBLISHED_SEED, start_of, train_as_published
from tinygrad_cnn.pictures.view import thumbnails
from tinygrad_cnn.recipes import cnn, runs
from tinygrad_cnn.recipes.live import live_page as live_page_of_network

TASK = TASKS["circle-square"]
pytestmark = [pytest.mark.browser, pytest.mark.slow]


def opened(browser, path: Path, fragment: str = "", **options: Any) -> Any:
    """The page at `path`, when it is ready; what it complains of, and what it asks the network for, is noted."""
    options = {"viewport": {"width": 1280, "height": 900}, "reduced_motion": "reduce"} | options
    page = browser.new_page(**options)
    page.complaints, page.requests = [], []
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.on("console", lambda message: page.complaints.append(message.text) if message.type == "error" else None)
    page.on("request", lambda request: page.requests.append(request.url))
    page.goto(path.as_uri() + fragment)
    page.wait_for_selector("html[data-ready]")
    return page


@pytest.fixture(scope="module")
def untrained() -> Parameters:
    return start_of("published", PUBLISHED_SEED)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory, untrained: Parameters) -> Path:
    """The article's model as it begins."""
    path = tmp_path_factory.mktemp("live") / "live.html"
    drawings = data.bundled(TASK)
    live_page(drawings, data.Scaling(), untrained, "published", TASK).save(path)
    return path


@pytest.fixture
def page(browser, file: Path) -> Iterator[Any]:
    page = opened(browser, file)
    yield page
    assert page.complaints == []
    page.close()


def draw(page, *corners: tuple[float, float], is_lifted: bool = True) -> None:
    """Draw straight lines by the mouse, between corners in shares of the pad."""
    box = page.locator("#pad").bounding_box()
    places = [(box["x"] + box["width"] * x, box["y"] + box["height"] * y) for x, y in corners]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=3)
    if is_lifted:
        page.mouse.up()


def draw_square(page) -> None:
    draw(page, (0.27, 0.3), (0.74, 0.28), (0.75, 0.73), (0.25, 0.74), (0.27, 0.3))


def draw_circle(page) -> None:
    draw(page, *[(0.5 + 0.3 * math.cos(t), 0.5 + 0.3 * math.sin(t)) for t in np.linspace(0, 2 * math.pi, 13)])


def drawn_image(page) -> Any:
    """The input of the model for what is on the pad: the pad is black on white, as the drawings are."""
    red = page.evaluate(
        """() => {
            const pad = document.getElementById("pad"), { width: size } = pad, cell = size / 28;
            const { data } = pad.getContext("2d").getImageData(0, 0, size, size);
            const middle = (k) => Math.floor((k + 0.5) * cell);
            const red = (i, j) => data[4 * (middle(i) * size + middle(j))];
            return Array.from({ length: 784 }, (_, k) => red(Math.floor(k / 28), k % 28));
        }"""
    )
    return data.Scaling()(np.array(red, np.uint8).reshape(1, 28, 28))


def probability(page) -> float:
    return json.loads(page.locator("#verdict").get_attribute("data-probability"))[1]


def numbers(page) -> dict[str, tuple[str, str]]:
    """The value and the derivative of each value, as they are written in the table."""
    if page.locator("#table[open]").count() == 0:
        page.locator("#table summary").click()
    page.wait_for_selector("#table tbody tr")
    cells = "rows => rows.map(row => [...row.children].map(cell => cell.textContent))"
    rows = page.locator("#table tbody tr").evaluate_all(cells)
    return {name: (value, derivative) for name, value, derivative in rows}


def number(x: float, digits: int) -> str:
    """A number of so many digits as the page writes it: 0.0123, 1.2e−4."""
    text = f"{x:.{digits - 1}e}" if 0 < abs(x) < 1e-3 else f"{x:.{digits}g}"
    return re.sub(r"\.?0*e([+-])0*", r"e\1", text).replace("-", "−")


def written(x: Any) -> str:
    """A range as the page writes it."""
    ends = [(np.min(x), 3), (np.max(x), 3)] if np.size(x) > 1 else [(np.ravel(x)[0], 4)]
    plain = [number(float(end) + 0, digits) for end, digits in ends]
    return plain[0] if len(set(plain)) == 1 else " … ".join(plain)


def test_it_is_one_small_file_that_loads_nothing(browser, file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert len(text.encode()) < 500_000
    assert not re.search(r"""<(script|link|img|iframe)[^>]+(src|href)\s*=""", text)
    assert "default-src 'none'; script-src 'sha256-" in text
    page = opened(browser, file)
    assert page.requests == [file.as_uri()]
    page.close()


def test_what_a_pointer_draws_has_the_probability_that_it_has_in_python(page, untrained: Parameters) -> None:
    assert page.locator("#verdict").inner_text() == "Nothing is drawn yet"
    for shape in (draw_circle, draw_square):
        page.keyboard.press("Delete")
        shape(page)
        expected = float(score("published", untrained, drawn_image(page))[0, 0])
        assert probability(page) == pytest.approx(expected, rel=1e-9)
    said = "square" if expected > 0.5 else "circle"
    assert page.locator(".answer strong").inner_text() == said.capitalize()
    assert page.locator("#spoken").inner_text().startswith(f"The answer is {said.capitalize()}, with a probability of ")
    mark = {"circle": "✓ Right. You are drawing: circle", "square": "✗ Wrong. You are drawing: circle"}[said]
    assert page.locator(".mark").inner_text() == mark


def test_the_backward_pass_shows_the_gradients_of_the_engine(page, untrained: Parameters) -> None:
    draw_circle(page)
    page.keyboard.press("2")  # a target of 1
    page.keyboard.press("b")
    x = drawn_image(page)

    def loss(p: Parameters, x: Any) -> Any:
        return losses(score("published", p, x), np.ones((1, 1)), 1e-4)[0]

    of_p, of_x = tg.grad(loss, (0, 1))(untrained, x)
    shown = numbers(page)
    expected = {field.name: getattr(of_p, field.name) for field in fields(of_p)} | {"x": of_x}
    assert {name: shown[name][1] for name in expected} == {name: written(g) for name, g in expected.items()}
    assert shown["loss"][0] == written(loss(untrained, x))
    assert page.locator(".tile.back").count() == page.locator(".tile.back.full").count() == 6
    page.keyboard.press("b")
    assert page.locator(".tile.back.full").count() == 0


def test_training_from_the_published_seed_gives_the_published_losses(page) -> None:
    page.locator("#seed").fill("1")
    assert page.locator("label[for=seed] output").inner_text() == str(PUBLISHED_SEED)
    drawings = data.bundled(TASK).train
    epochs = list(train_as_published(data.Scaling()(drawings.grey), drawings.y))
    reported = page.locator("output.reported")
    for epoch in epochs[:2]:
        assert float(reported.get_attribute("data-value")) == pytest.approx(epoch.loss, rel=1e-12)
        page.locator("#one").click()
    page.goto(f"{page.url}#seed={PUBLISHED_SEED}&epochs=500")
    page.wait_for_selector("#epoch[data-value='500']")
    assert float(reported.get_attribute("data-value")) == pytest.approx(epochs[500].loss, rel=1e-9)
    assert page.locator("output.training").inner_text() == "training 24 of 24"
    assert "only 0 of 4 test drawings" in page.locator("#remarks").inner_text()


def test_training_can_be_watched_and_takes_the_drawing_on_the_pad_along(page) -> None:
    draw_square(page)
    page.keyboard.press("2")
    before = probability(page)
    page.keyboard.press("t")
    page.wait_for_selector("output.training")
    page.keyboard.press("t")
    page.wait_for_selector("html[data-training=off]")
    assert probability(page) != before
    assert page.locator("#drawings section").first.locator("h3").inner_text().startswith("Yours")
    assert page.locator("output.training").inner_text().endswith("of 25")
    page.keyboard.press("r")
    assert probability(page) == before
    page.keyboard.press("k")  # it is there already
    assert page.locator("#drawings li").count() == 29
    page.get_by_text("Remove yours").click()
    assert page.locator("output.training").inner_text().endswith("of 24")


def test_a_dead_relu_and_the_pole_are_pointed_out(page) -> None:
    remarks = page.locator("#remarks")
    page.locator("#seed").fill("11")  # which is 9: 230129 comes first
    assert remarks.inner_text().startswith("ReLU lets nothing through for any image")
    page.locator("#seed").fill("1")
    assert "ReLU" not in remarks.inner_text()
    page.locator("#knob-0").fill("200")
    assert "passed the pole" in remarks.inner_text()
    assert page.locator("output.loss").inner_text() == "NaN"
    page.locator("#one").click()
    assert remarks.inner_text().startswith("Epoch 0: a probability passed the pole")


def test_what_is_pointed_out_holds_at_the_epoch_that_is_shown(page) -> None:
    page.goto(f"{page.url}#seed={PUBLISHED_SEED}&epochs=40")
    page.wait_for_selector("#epoch[data-value='40']")
    found = re.search(r"^Since epoch \d+: all training .* only (\d of 4)", page.locator("#remarks").inner_text())
    assert found is not None
    assert page.locator("output.test").inner_text() == f"test {found[1]}"
    page.locator("#rate").fill("200")
    page.locator("#one").click()
    assert page.locator("output.training").inner_text() != "training 24 of 24"
    assert "memorised" not in page.locator("#remarks").inner_text()


def test_a_drawing_by_keys_alone_is_drawn_spoken_and_undone(page) -> None:
    page.locator("#pad").focus()
    page.keyboard.press("Shift+ArrowLeft")
    page.keyboard.press(" ")
    assert page.locator("#spoken").inner_text().startswith("Pen down at ")
    for key in ("ArrowDown", "ArrowRight", "ArrowUp", "ArrowLeft"):
        for _ in range(6):
            page.keyboard.press(key)
    page.keyboard.press(" ")
    assert page.locator("#spoken").inner_text().startswith("The answer is ")
    assert np.count_nonzero(drawn_image(page)) > 24
    page.keyboard.press("z")
    assert np.count_nonzero(drawn_image(page)) == 0


def test_each_change_is_undone_and_a_pen_that_is_down_is_lifted_first(page) -> None:
    images = [drawn_image(page)]
    draw(page, (0.2, 0.2), (0.8, 0.3))
    images.append(drawn_image(page))
    draw(page, (0.5, 0.2), (0.5, 0.9))
    images.append(drawn_image(page))
    page.locator("#drawings .drawing").first.click()
    images.append(drawn_image(page))
    page.keyboard.press("Delete")
    for image in reversed(images):
        page.keyboard.press("z")
        assert (drawn_image(page) == image).all()
    assert page.locator("#undo").is_disabled()
    page.locator("#pad").focus()
    for key in (" ", "z", "ArrowRight"):
        page.keyboard.press(key)
    assert not drawn_image(page).any()


def test_a_pen_leaves_no_ink_outside_the_pad_and_one_pointer_alone_draws(page) -> None:
    draw(page, (0.5, 0.3), (1.3, 0.3), (1.3, 0.7), (0.5, 0.7))
    image = drawn_image(page)[0]
    assert np.flatnonzero(image.any(axis=1)).tolist() == [7, 8, 19, 20]
    box = page.locator("#pad").bounding_box()
    other = {"pointerId": 99, "bubbles": True, "clientX": box["x"] + 9, "clientY": box["y"] + 9}
    page.keyboard.press("Delete")
    draw(page, (0.5, 0.5), (0.9, 0.5), is_lifted=False)
    image = drawn_image(page)
    for kind in ("pointerdown", "pointermove", "pointerup"):
        page.locator("#pad").dispatch_event(kind, other)
    assert (drawn_image(page) == image).all()
    draw(page, (0.9, 0.5), (0.9, 0.9))
    assert (drawn_image(page) != image).any()


def test_a_link_restores_the_drawing_and_the_parameters(browser, page, file: Path) -> None:
    draw_circle(page)
    draw(page, (0.2, 0.2), (0.3, 0.9))
    page.keyboard.press("2")
    for _ in range(3):
        page.keyboard.press(".")
    page.locator("#link").click()
    fragment = page.evaluate("location.hash")
    assert len(fragment) < 1000
    other = opened(browser, file, fragment)
    assert probability(other) == probability(page)
    assert (drawn_image(other) == drawn_image(page)).all()
    assert other.locator("#epoch").inner_text() == "epoch 3"
    other.close()
    assert page.locator("#spoken").inner_text().count(".") == 1
    page.locator("#rate").fill("150")
    page.keyboard.press(".")
    page.locator("#link").click()
    assert "The parameters there are others" in page.locator("#spoken").inner_text()
    spoilt = opened(browser, file, "#seed=nobody&epochs=-3&rate=x&class=9&ink=%%%AAA&drawing=test-99")
    assert spoilt.complaints == []
    assert spoilt.locator("#verdict").inner_text() == "Nothing is drawn yet"
    spoilt.close()


def test_a_link_to_a_long_training_is_shown_before_that_ends(browser, file: Path) -> None:
    page = opened(browser, file, "#epochs=20000&class=1")
    assert page.locator("#train").inner_text().startswith("Pause")
    page.keyboard.press("t")
    assert 0 < int(page.locator("#epoch").get_attribute("data-value")) < 20_000
    assert page.complaints == []
    page.close()


def test_it_is_saved_as_a_picture(page, tmp_path: Path) -> None:
    from PIL import Image

    draw_circle(page)
    with page.expect_download() as download:
        page.locator("#save").click()
    download.value.save_as(tmp_path / "saved.png")
    with Image.open(tmp_path / "saved.png") as image:
        assert image.width > 800
        assert len(image.convert("RGB").getcolors(1 << 24) or []) > 100


def test_colours_are_scaled_as_those_of_a_picture_in_python(browser) -> None:
    rng = np.random.default_rng(0)
    arrays = [
        np.array(values) * rng.choice([1e-5, 1, 300])
        for count in (1, 2, 3, 10, 75, 900)
        for values in (
            rng.random(count),
            rng.normal(size=count),
            np.exp(8 * rng.random(count)),
            rng.integers(-2, 3, count),
        )
    ]
    paint = (Path(thumbnails.__file__).parent.parent / "live_page" / "script" / "paint.js").read_text(encoding="utf-8")
    scale = "values => { const scale = scaleOf(values, false); return [scale.diverges, scale.top, scale.root]; }"
    page = browser.new_page()
    found = page.evaluate(f"arrays => {{ {paint}\nreturn arrays.map({scale}); }}", [a.tolist() for a in arrays])
    page.close()
    expected = [thumbnails._scale(array) for array in arrays]
    assert found == [[scale.diverges, scale.top, scale.root] for scale in expected]


def test_it_is_switched_to_korean_and_back(page) -> None:
    draw_circle(page)
    page.locator("#language").click()
    assert page.evaluate("document.documentElement.lang") == "ko"
    assert page.title() == "원일까, 네모일까?"
    assert page.locator(".answer strong").inner_text() in ("원", "네모")
    visible = page.locator("body").inner_text()
    assert not re.search(r"\b(Undo|Train|Backward|Learning|epoch|drawing)\b", visible)
    page.locator("#language").click()
    assert page.title() == "Circle or square?"


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 390)])
def test_axe_finds_no_serious_fault_and_nothing_scrolls_sideways(
    browser, file: Path, serious_faults, scheme: str, width: int
) -> None:
    size = {"width": width, "height": 844}
    page = opened(browser, file, "#epochs=2&backward=1", viewport=size, color_scheme=scheme, bypass_csp=True)
    draw_square(page)
    numbers(page)
    assert serious_faults(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") == width
    page.close()


def test_on_a_narrow_page_the_pad_stays_in_sight_above_the_card_that_the_backward_pass_reaches(
    browser, file: Path
) -> None:
    size = {"width": 390, "height": 844}
    page = opened(browser, file, viewport=size, reduced_motion="no-preference", bypass_csp=True)
    draw_circle(page)
    pad, backward = page.locator("#pad"), page.locator("#backward")
    for top, most in ((0, 430), (600, 300), (9999, 300)):
        page.evaluate("top => scrollTo(0, top)", top)
        assert pad.bounding_box()["y"] >= 0
        assert backward.bounding_box()["y"] < most
    backward.click()
    page.wait_for_selector(".tile.back.full >> nth=5")
    page.wait_for_function(
        """() => {
            const tops = [...document.querySelectorAll(".tile.back")].map((one) => one.getBoundingClientRect().top);
            const x = Math.min(...tops), { bottom } = document.getElementById("draw").getBoundingClientRect();
            return x > bottom && x < innerHeight - 100;
        }"""
    )
    assert page.complaints == []
    page.close()


@pytest.mark.parametrize(("width", "height"), [(320, 568), (390, 844), (568, 320), (844, 390), (1000, 700)])
def test_in_any_window_no_word_is_cut_off_and_a_third_is_left_to_the_graph(
    browser, file: Path, width: int, height: int
) -> None:
    size = {"width": width, "height": height}
    page = opened(browser, file, "#lang=ko&seed=9&epochs=2", viewport=size)
    draw_square(page)
    cut = """() => [...document.querySelectorAll("button, #verdict, #verdict *, #classes *, label, h3, .caption")]
        .filter((one) => one.clientWidth && one.className !== "drawing wrong")
        .filter((one) => one.scrollWidth > one.clientWidth + 1 || one.scrollHeight > one.clientHeight + 1)
        .map((one) => one.outerHTML)"""
    assert page.evaluate(cut) == []
    beside = """() => [...document.querySelectorAll("#curves text")]
        .filter((one) => one.getBBox().x < 0).map((one) => one.textContent)"""
    assert page.evaluate(beside) == []
    free = """() => {
        scrollTo(0, 500);
        const [pad, graph] = ["draw", "sight"].map((id) => document.getElementById(id).getBoundingClientRect());
        return pad.right <= graph.left ? 1 : 1 - Math.max(0, pad.bottom) / innerHeight;
    }"""
    assert page.evaluate(free) > 1 / 3
    low, high = page.locator("#curves svg").first.locator("text").all_text_contents()[:2]
    assert low != high
    assert page.evaluate("document.documentElement.scrollWidth") == width
    page.close()


@pytest.mark.parametrize("is_old", [False, True])
def test_without_its_script_the_page_says_what_it_needs(browser, file: Path, is_old: bool) -> None:
    page = browser.new_page(java_script_enabled=is_old)
    page.add_init_script("delete window.DecompressionStream")
    page.goto(file.as_uri())
    page.locator("#failed").wait_for()
    assert "JavaScript" in page.locator("#failed").inner_text()
    assert page.locator("button").filter(visible=True).count() == 0
    assert page.locator("#graph svg").is_visible()
    page.close()


def test_where_there_is_no_answer_none_is_given_nor_called_right(browser, tmp_path: Path) -> None:
    x = np.random.default_rng(0).random((4, 8, 8))
    one_hot = lambda y: np.where(y[:, None] == np.arange(3), 1.0, 0.0)
    page = tg.live(
        lambda p, x: x.reshape(len(x), -1) @ p["W"],
        parameters={"W": np.zeros((64, 3))},
        classes=["a", "b", "c"],
        data=(x, np.arange(4) % 3),
        loss=lambda scores, y, rate: nn.softmax_cross_entropy(rate * scores, one_hot(y)),
        knobs={"rate": (1, 0.1, 10)},
        starts={1: {"W": np.full((64, 3), np.nan)}},
    )
    page.save(tmp_path / "live.html")
    page = opened(browser, tmp_path / "live.html")
    draw(page, (0.2, 0.2), (0.8, 0.8))
    for answer in ("Undecided", "NaN"):
        assert page.locator(".answer").inner_text().strip() == answer
        assert page.locator(".mark").count() == 0
        assert page.locator("#drawings output").inner_text() == "0 of 4"
        draw(page, (0.2, 0.2), (0.8, 0.8))
        assert page.locator("#spoken").inner_text() == f"There is no answer: {answer}."
        page.locator("#seed").fill("1")
    assert "no longer finite" in page.locator("#remarks").inner_text()
    # A number of the loss may be called as one of the page is.
    assert page.locator("#knobs label span").all_inner_texts() == ["Seed", "Learning rate", "rate"]
    page.locator("#knob-0").fill("0")
    page.locator("#link").click()
    assert "knob-rate=0.1&" in page.evaluate("location.hash")
    assert page.complaints == []
    page.close()


def test_a_dark_page_is_printed_on_white(page) -> None:
    page.locator("#theme").click()
    colours = []
    for event in ("beforeprint", "afterprint"):
        page.evaluate("name => dispatchEvent(new Event(name))", event)
        colours.append(page.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert colours == ["rgb(255, 255, 255)", "rgb(20, 24, 29)"]


def test_a_network_that_sees_ink_sees_the_same_wherever_it_is_drawn(browser, tmp_path: Path) -> None:
    network = runs.Trained("cnn", ("circle", "square"), cnn.network(2), frozenset())
    live_page_of_network(network, data.bundled(TASK)).save(tmp_path / "live.html")
    page = opened(browser, tmp_path / "live.html")
    page.locator("#pad").focus()
    found = []
    for _ in range(2):
        page.keyboard.press(" ")
        for key in ("ArrowDown", "ArrowRight", "ArrowUp", "ArrowLeft"):
            for _ in range(6):
                page.keyboard.press(key)
        page.keyboard.press(" ")
        found.append(probability(page))
        page.keyboard.press("Delete")
        page.keyboard.press("Shift+ArrowLeft")
        page.keyboard.press("Shift+ArrowUp")
    assert found[0] == found[1] != 0.5
    assert page.locator("#drawings output").all_inner_texts()[0].endswith(" of 4")
    assert page.complaints == []
    page.close()


def test_a_model_of_nn_in_single_precision_learns_on_the_page(browser, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    x = np.zeros((12, 1, 12, 12), np.float32)
    y = np.arange(12) % 3
    for image, label in zip(x, y, strict=True):
        image[0, 2:9, 3 * label + 1] = 1
    pool = lambda h: nn.max_pool2d(h, 2)
    model = nn.Sequential(nn.Conv2d(None, 4, 3, padding=1), nn.relu, pool, nn.Flatten(), nn.Linear(None, 3))
    model = model.init(rng, x[:1])
    tg.render(model, tmp_path / "nn.html", classes=["left", "middle", "right"], data=(x, y))
    page = opened(browser, tmp_path / "nn.html")
    assert page.locator("#classes label").all_inner_texts() == ["Left", "Middle", "Right"]
    draw(page, (0.4, 0.2), (0.4, 0.8))
    page.keyboard.press("2")
    first = json.loads(page.locator("#verdict").get_attribute("data-probability"))
    assert sum(first) == pytest.approx(1, abs=1e-6)
    page.keyboard.press("t")
    page.wait_for_selector("html[data-training=off]")
    assert page.locator("output.training").inner_text() == "training 13 of 13"
    assert page.locator(".answer strong").inner_text() == "Middle"
    assert page.complaints == []
    page.close()
