"""A film: one picture whose values play through epochs, what it is made of, and what it refuses."""

from __future__ import annotations

import base64
import io
import re
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

import tinygrad_cnn as tg
from tinygrad_cnn.pictures.view.film import MOST, spread
from tinygrad_cnn.pictures.view.pixels import decoded, encoded_in_few_colours
from tinygrad_cnn.pictures.view.thumbnails import thumbnail
from tinygrad_cnn.pictures.write import film as written

X = np.linspace(-1, 1, 24).reshape(4, 6)


def loss(p: dict[str, Any]) -> Any:
    h = np.tanh(X @ p["W"] + p["b"])
    return tg.named(np.sum(h * h), "loss")


def recorded(p: dict[str, Any]) -> Any:
    return loss({name: tg.Tensor(w, name) for name, w in p.items()})


def epochs(count: int = 5) -> dict[int, dict[str, Any]]:
    start = {"W": np.random.default_rng(0).normal(size=(6, 3)), "b": np.array(0.5)}
    return {10 * k: {name: w / (k + 1) for name, w in start.items()} for k in range(count)}


@pytest.fixture(scope="module")
def film() -> Any:
    return tg.render(loss, frames=epochs(), backward=True)


def cells(pixels: Any, rows: int, columns: int) -> Any:
    """The colour in the middle of each cell of a matrix."""
    step = (pixels.shape[0] - 2) // rows
    at = np.arange(max(rows, columns)) * step + step // 2 + 1
    return pixels[at[:rows]][:, at[:columns]]


def test_every_frame_shows_the_values_of_its_parameters_on_one_scale(film) -> None:
    moments = [p["W"] for p in epochs().values()]
    whole = thumbnail(np.concatenate(moments, axis=1))  # on one scale
    assert whole is not None
    box = next(box for box in film.film.diagram.boxes.values() if box.title == "W")
    pictures = [decoded(picture.png) for picture in film.film.pictures[box.id]]
    shown = np.concatenate([cells(pixels, 6, 3) for pixels in pictures], axis=1)
    np.testing.assert_array_equal(shown, cells(decoded(whole.png), 6, 15))
    strip = np.pad(np.concatenate(pictures), ((0, 0), (0, pictures[0].shape[1] % 2), (0, 0)))  # whole points
    assert base64.b64encode(encoded_in_few_colours(strip)).decode() in film.svg


def test_the_last_frame_is_the_picture_of_the_last_parameters(film) -> None:
    last = tg.render(recorded(epochs()[40]), backward=True, values="thumbnails")
    assert film.dot == last.dot
    values = [{id: box.value for id, box in picture.diagram.boxes.items()} for picture in (film, last)]
    assert values[0] == values[1]


def test_what_does_not_change_is_drawn_once(film) -> None:
    titles = {film.film.diagram.boxes[id].title for id in (*film.film.pictures, *film.film.numbers)}
    assert {"W", "b", "h", "loss", "∂L/∂W", "∂L/∂b"} <= titles
    assert not {"X", "∂L/∂loss"} & titles


def test_ranges_are_those_of_all_frames_and_the_picture_says_so(film) -> None:
    box = next(box for box in film.film.diagram.boxes.values() if box.title == "W")
    every = np.concatenate([p["W"] for p in epochs().values()])
    assert (box.value.least, box.value.most) == (every.min(), every.max())
    assert film.notes[-1] == "5 frames; ranges and colours are those of all"
    assert "ranges and colours are those of all" in film.svg


def test_the_svg_is_xml_without_script_and_stands_still_for_who_wants_that(film) -> None:
    ET.fromstring(film.svg)
    assert "<script" not in film.svg
    assert "@media (prefers-reduced-motion:reduce){.tinygrad-cnn-film-5{animation:none}}" in film.svg
    assert [f"epoch {n}" in film.svg for n in epochs()] == [True] * 5


def test_of_many_epochs_some_are_chosen_denser_at_the_beginning() -> None:
    places = spread(501, MOST)
    assert (places[0], places[-1]) == (0, 500)
    assert len(places) <= MOST
    assert places[len(places) // 2] < 50
    assert spread(7, MOST) == list(range(7))


def test_a_file_that_would_be_too_large_has_fewer_frames_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    film = tg.render(loss, frames=epochs(12))
    limit = len(film.svg) - 500
    monkeypatch.setattr(written, "LARGEST", limit)
    smaller = tg.render(loss, frames=epochs(12))
    assert len(smaller.svg.encode()) <= limit
    assert re.fullmatch(r"\d+ of 12 frames; .*", smaller.notes[-1])
    assert smaller.notes[-1].split(";")[0] in smaller.svg


@pytest.mark.parametrize("ending", ["gif", "png", "apng"])
def test_gif_and_apng_have_the_frames(film, tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"film.{ending}"
    film.save(path)
    with Image.open(path) as image:
        assert image.format == ("GIF" if ending == "gif" else "PNG")
        assert image.n_frames == 5


def test_the_pixels_of_a_film_are_those_of_its_thumbnails(film) -> None:
    box = next(box for box in film.film.diagram.boxes.values() if box.title == "W")
    image = Image.open(io.BytesIO(film.png))
    for k, picture in enumerate(film.film.pictures[box.id]):
        image.seek(k)
        whole = np.asarray(image.convert("RGB"))
        wanted = np.ascontiguousarray(decoded(picture.png)[..., :3])
        distance = cv2.matchTemplate(whole, wanted, cv2.TM_SQDIFF).min() / wanted.size
        assert distance < 20  # squared levels of 255: there are but 256 colours


def test_results_that_were_recorded_play_too() -> None:
    film = tg.render(recorded(epochs()[0]), frames=[recorded(p) for p in epochs().values()], depth="all")
    assert film.film.frames == ["1 of 5", "2 of 5", "3 of 5", "4 of 5", "5 of 5"]
    assert film.film.curve.values == tuple(float(recorded(p).value) for p in epochs().values())


@pytest.mark.parametrize("results", [0, 1, 2, 3])
def test_the_curve_is_of_the_result_if_that_is_one_number(results: int) -> None:
    def function(w: Any) -> list[Any]:
        return [np.sum(w * w), np.prod(w), np.mean(w)][:results] or [np.exp(w)]

    film = tg.render(function, frames=[np.ones(3), np.full(3, 2.0)])
    assert (film.film.curve is not None) == (results == 1)


def test_what_is_wrong_in_some_frames_is_said_with_which() -> None:
    moments = {0: np.ones(3), 1: -np.ones(3), 2: np.array([1, np.nan, 1])}
    film = tg.render(lambda w: np.sum(tg.relu(w)), frames=moments)
    wrong = {box.title: box.value.wrong for box in film.film.diagram.boxes.values()}
    assert wrong["relu"] == ("all zero in 1 of 3 frames, epoch 1 first", "NaN in 1 of 3 frames, epoch 2 first")
    ET.fromstring(film.svg)  # the curve has a gap where the result is NaN


def test_names_are_text() -> None:
    name = "</text><script>alert(1)</script>&\"'\n"
    film = tg.render(
        lambda p: tg.named(np.sum(p[name]), name), frames={name: {name: np.ones(3)}, "b": {name: np.zeros(3)}}
    )
    tags = {element.tag.split("}")[1] for element in ET.fromstring(film.svg).iter()}
    assert tags <= {"svg", "title", "style", "rect", "g", "a", "polygon", "path", "text", "image", "circle"}
    assert film.gif.startswith(b"GIF89a")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"frames": {}}, "frames is empty"),
        ({"frames": 3}, "frames is 3; expected a dict from epochs to parameters"),
        ({"frames": np.ones(3)}, "frames is array 3; expected a dict"),
        ({"frames": epochs(), "measure": True}, "measure cannot be combined with frames"),
        ({"frames": epochs(), "pixel": ("h", (0, 0))}, "pixel cannot be combined with frames"),
        ({"frames": epochs(), "format": "html"}, "unknown format 'html' for a film; expected one of svg, gif, png"),
        ({"frames": epochs(), "path": "film.mp4"}, "unknown format 'mp4' for a film"),
        ({"frames": {0: epochs()[0], 7: {"W": np.ones((6, 2)), "b": 0.5}}}, "the frame 'epoch 7' has W .*6×2"),
    ],
)  # fmt: skip
def test_what_is_no_film_is_refused(arguments: dict[str, Any], message: str, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises((TypeError, ValueError), match=message):
        tg.render(loss, **arguments)
    assert list(tmp_path.iterdir()) == []


def test_parameters_need_the_function_of_them() -> None:
    with pytest.raises(TypeError, match="the frame 'epoch 0' holds parameters, but result was recorded already"):
        tg.render(recorded(epochs()[0]), frames=epochs())


def test_an_error_in_the_function_says_in_which_frame() -> None:
    with pytest.raises(ValueError, match="matmul") as caught:
        tg.render(loss, frames={0: epochs()[0], 5: {"W": np.ones((5, 3)), "b": 0.5}})
    assert caught.value.__notes__ == ["render: this is the frame 'epoch 5'"]


def test_a_gif_without_frames_is_refused() -> None:
    with pytest.raises(ValueError, match=r"unknown format 'gif'; expected .* \(pass frames= for a film\)"):
        tg.render(recorded(epochs()[0]), "graph.gif")


@pytest.mark.browser
@pytest.mark.parametrize(("motion", "wanted"), [("no-preference", [0, 2, 4]), ("reduce", [4])])
def test_chromium_plays_it_unless_motion_is_to_be_reduced(film, browser, motion: str, wanted: list[int]) -> None:
    page = browser.new_page(reduced_motion=motion)
    page.set_content(film.svg[film.svg.index("<svg") :])
    strips = page.locator(".tinygrad-cnn-film-5").count()
    assert strips == len(film.film.pictures) + len(film.film.numbers) + 3  # its name, its result, and the curve
    playing = page.evaluate("() => document.getAnimations().length")
    assert playing == (strips if motion == "no-preference" else 0)
    for frame in wanted:
        time = 1000 * written.PACE * (frame + 0.5)
        page.evaluate("time => document.getAnimations().forEach(a => { a.pause(); a.currentTime = time })", time)
        seen = page.locator("text=/^epoch/").evaluate_all(
            """names => names.filter(name => name.closest('[class^=tinygrad-cnn-film]')).filter(name => {
                const text = name.getBoundingClientRect(), middle = (text.top + text.bottom) / 2;
                const frame = name.closest('svg'), top = frame.getScreenCTM().f;
                return top < middle && middle < top + frame.height.baseVal.value;
            }).map(name => name.textContent)"""
        )
        assert seen == [f"epoch {10 * frame}"]
    page.close()
