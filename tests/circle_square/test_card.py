"""The card: its size, that no text touches another, what it says, and the font that it needs."""

from __future__ import annotations

import dataclasses
import io
import itertools
from typing import Any

import numpy as np
import pytest
from matplotlib.font_manager import fontManager
from PIL import Image

from tinygrad_cnn.circle_square import card, data, experiment
from tinygrad_cnn.circle_square.errors import InputError
from tinygrad_cnn.circle_square.palette import PALETTES
from tinygrad_cnn.circle_square.tasks import TASKS
from tinygrad_cnn.pictures.write import colours


@pytest.fixture(scope="module")
def result() -> Any:
    settings = experiment.Settings(TASKS["circle-square"], epochs=60)
    return experiment.run(settings, data.bundled(settings.task))


def named(result: Any, *classes: str) -> Any:
    return dataclasses.replace(result, data=dataclasses.replace(result.data, classes=classes))


def few(result: Any) -> Any:
    """As from a folder with two drawings of each class, trained for one epoch, that has become NaN."""
    final = dataclasses.replace(result.final, Wf=np.full((1, 196), np.nan))
    return dataclasses.replace(result, history=result.history[:1], losses=[np.nan], accuracies=[0.5], final=final)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_has_1200_by_630_pixels_on_the_paper_of_the_theme(result, theme: Any) -> None:
    with Image.open(io.BytesIO(card.png(result, "en", theme))) as image:
        assert image.size == (1200, 630)
        paper = PALETTES[theme].paper.lstrip("#")
        assert image.convert("RGB").getpixel((2, 2)) == tuple(bytes.fromhex(paper))


CASES = {
    "as it is": lambda result: result,
    "long names": lambda result: named(result, "a class with a very long name", "W" * 80),
    "hostile names": lambda result: named(result, "$\\frac{", "</text>\n\x1b[31m"),
    "few epochs, and NaN": few,
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("language", ["en", "ko"])
def test_no_text_touches_another_or_the_edge(result, case: str, language: Any) -> None:
    try:
        card.font_for(language)
    except InputError:
        pytest.skip("there is no font with Hangul here: apt-get install fonts-nanum")
    figure = card.figure(CASES[case](result), language)
    renderer = figure.canvas.get_renderer()
    places = {text: text.get_window_extent(renderer) for text in figure.axes[0].texts if text.get_text()}
    for text, place in places.items():
        assert 0 <= place.x0 < place.x1 <= 1200, text
        assert 0 <= place.y0 < place.y1 <= 630, text
    for (a, first), (b, second) in itertools.combinations(places.items(), 2):
        assert not first.overlaps(second), (a, b)


def test_it_says_the_verdict(result) -> None:
    texts = {text.get_text() for text in card.figure(result).axes[0].texts}
    assert {"24 of 24", "0 of 4", "Circle or square?", "It memorised the drawings."} <= texts


def test_the_test_curve_ends_where_the_test_does(result) -> None:
    training, _ = result.curves
    assert training.right.tolist() == result.accuracies
    after = experiment.run(dataclasses.replace(result.settings, epochs=61), result.data)
    assert after.curves[1].right[61] == result.test_accuracy


def test_its_colours_are_those_of_pictures_of_the_graph() -> None:
    for theme, palette in PALETTES.items():
        ours = colours.PALETTES[theme]
        wanted = (ours.paper, ours.ink, ours.faint, ours.frame, ours.kinds["parameter"].line, ours.backward)
        assert palette == wanted


def test_without_a_font_with_hangul_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fontManager, "ttflist", [f for f in fontManager.ttflist if f.name not in card.HANGUL])
    with pytest.raises(InputError, match=r"no font with Hangul was found; .*\(apt-get install fonts-nanum\)"):
        card.font_for("ko")
