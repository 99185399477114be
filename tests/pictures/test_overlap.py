"""In no picture do two boxes, or a box and the title of a frame, overlap; and what is written is within its box."""

from __future__ import annotations

import functools
import subprocess
import xml.etree.ElementTree as ET
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from picture_models import MODELS, random_graph, tangled
from PIL import ImageFont

import tinygrad_cnn as tg
from tinygrad_cnn.pictures.write.geometry import Place, corners, overlapping, places, points

SVG = "{http://www.w3.org/2000/svg}"
DEPTHS: tuple[Any, ...] = ("layers", "all", 1)


@functools.cache
def font(bold: bool, size: float) -> Any:
    """The font that Helvetica stands for on this machine, as Graphviz and a browser take it."""
    pattern = f"Helvetica:{'bold' if bold else 'regular'}"
    file = subprocess.run(["fc-match", "-f", "%{file}", pattern], capture_output=True, check=True, text=True).stdout
    return ImageFont.truetype(file, 100 * size)


def width(text: str, size: float, bold: bool) -> float:
    """The width of a text, measured in that font, in points."""
    return float(font(bold, size).getlength(text)) / 100


def drawn(make: Callable[[], Any], **options: Any) -> str:
    with np.errstate(all="ignore"):
        return tg.render(make(), **{"backward": True, "values": "thumbnails", **options}).svg


def assert_that_nothing_overlaps(svg: str) -> None:
    found = places(svg, width)
    assert found
    assert [(a.kind, a.id, b.kind, b.id) for a, b in overlapping(found)] == []


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("name", MODELS)
def test_nothing_overlaps_in_any_picture_of_a_model(name: str, depth: Any) -> None:
    assert_that_nothing_overlaps(drawn(MODELS[name], depth=depth))


@pytest.mark.parametrize("name", ["tour", "recurrent", "second"])
def test_nothing_overlaps_where_rules_are_open_or_costs_are_shown(name: str) -> None:
    assert_that_nothing_overlaps(drawn(MODELS[name], depth="rules"))
    assert_that_nothing_overlaps(drawn(MODELS[name], depth="all", measure=True))


@pytest.mark.parametrize("seed", range(20))
def test_nothing_overlaps_in_random_graphs(seed: int) -> None:
    make = functools.partial(random_graph, seed)
    assert_that_nothing_overlaps(drawn(make))
    assert_that_nothing_overlaps(drawn(make, depth="all"))


@pytest.mark.parametrize("steps", [60, 3000])
def test_nothing_overlaps_in_the_parts_of_a_graph_without_structure(steps: int) -> None:
    loss = tangled(steps)
    assert_that_nothing_overlaps(drawn(lambda: loss, values=None, fold=False))


def test_what_overlaps_is_found() -> None:
    picture = tg.render(MODELS["second"](), backward=True, values="thumbnails", depth="all")
    tidy = places(picture._written("svg", None, {}).decode())
    assert len(overlapping(tidy)) > 0  # as Graphviz lays it out with straight columns and ranks
    moved = [
        tidy[0],
        tidy[0]._replace(id="other", left=tidy[0].left + 1),
        tidy[0]._replace(id="far", left=1e6, right=2e6),
    ]
    assert [(a.id, b.id) for a, b in overlapping(moved)] == [(tidy[0].id, "other")]


def test_titles_of_frames_are_drawn_after_arrows() -> None:
    """With paper around their letters, so that an arrow does not run through them."""
    root = ET.fromstring(drawn(MODELS["circle_square"], depth="all", measure=True))
    order = [group.get("class", "").split(" ")[0] for group in root.iter(f"{SVG}g") if group.get("class")]
    assert order.count("title") == order.count("cluster") == 5
    assert set(order[order.index("title") :]) == {"title"}
    assert not [g for g in root.iter(f"{SVG}g") if g.get("class", "").startswith("cluster") and g.find(f".//{SVG}text")]


@pytest.mark.parametrize("depth", ["layers", "all"])
def test_what_is_written_is_within_its_box(depth: str) -> None:
    """With the widths that the font has, so that no text touches its border."""
    root = ET.fromstring(drawn(MODELS["tour"], depth=depth, measure=True))
    boxes = {place.id: place for place in places(ET.tostring(root, encoding="unicode"))}
    texts = 0
    for group in root.iter(f"{SVG}g"):
        if group.get("class", "").split(" ")[0] != "node":
            continue
        box = boxes[group.get("id", "")]
        for text in group.iter(f"{SVG}text"):
            (left, _), (right, _) = corners(text, width)
            assert left > box.left + 2.5, text.text
            assert right < box.right - 2.5, text.text
            texts += 1
    assert texts > 20


def test_a_picture_of_scalars_writes_no_shapes() -> None:
    root = ET.fromstring(drawn(MODELS["second"], depth="all"))
    assert not [text.text for text in root.iter(f"{SVG}text") if "scalar" in (text.text or "")]


def luminance(colour: str) -> float:
    rgb = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def contrast(a: str, b: str) -> float:
    """Of two colours, as the guidelines for accessible pages (WCAG 2) compute it."""
    darker, lighter = sorted([luminance(a), luminance(b)])
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("measure", [False, True])
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("depth", ["layers", "all"])
@pytest.mark.parametrize("name", ["tour", "batch_norm_mlp"])
def test_what_is_written_can_be_read_on_its_ground(name: str, depth: str, theme: str, measure: bool) -> None:
    root = ET.fromstring(drawn(MODELS[name], depth=depth, theme=theme, measure=measure))
    paper = {"light": "#ffffff", "dark": "#14181d"}[theme]
    weak = []
    for group in root.iter(f"{SVG}g"):
        if group.get("class", "").split(" ")[0] != "node":
            continue
        grounds: list[tuple[Place, str]] = []
        for shape in group.iter():
            if shape.tag in (f"{SVG}polygon", f"{SVG}path") and shape.get("fill", "none") != "none":
                across, down = zip(*points(shape), strict=True)
                where = Place("cell", "", min(across), min(down), max(across), max(down))
                grounds.append((where, str(shape.get("fill"))))
        for text in group.iter(f"{SVG}text"):
            (left, top), (right, bottom) = corners(text, width)
            x, y = (left + right) / 2, (top + bottom) / 2
            on = [fill for at, fill in grounds if at.left < x < at.right and at.top < y < at.bottom]
            ratio = contrast(str(text.get("fill", "#000000")), on[-1] if on else paper)
            if ratio < 4.5 and (text.text or "").strip():
                weak.append((text.text, text.get("fill"), on[-1:], round(ratio, 2)))
    assert weak == []


@pytest.mark.parametrize(
    ("name", "most"),
    [("tour", 450), ("two_convolutions", 450), ("circle_square", 480), ("recurrent", 720), ("attention", 720),
     ("batch_norm_mlp", 720), ("autoencoder", 720), ("lstm", 800), ("second", 960)],
)  # fmt: skip
def test_a_poster_can_be_read_in_the_column_of_a_page(name: str, most: float) -> None:
    """A network without branches is one column; where there are branches, gradients stand beneath their values."""
    assert float(ET.fromstring(drawn(MODELS[name])).get("width", "")) <= most
