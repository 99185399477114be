"""docs/images/learn.svg, which `python docs/recording.py` records: of the lesson as it is, and without a script."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from paths import ROOT

from tinygrad_cnn.learn.course import course
from tinygrad_cnn.learn.lesson import quoted
from tinygrad_cnn.learn.words import FRAME, sentence

IMAGES = ROOT / "docs" / "images"
EXERCISE = next(e for e in course() if e.name == "3_losses/01_sigmoid.py")
FIRST = EXERCISE.blanks[0]


@pytest.mark.parametrize("path", [IMAGES / "learn.svg", IMAGES / "learn_still.svg"], ids=lambda path: path.name)
def test_a_recording_is_of_the_lesson_as_it_is(path: Path) -> None:
    assert path.stat().st_size < 300_000
    root = ET.parse(path).getroot()
    tags = {element.tag.rpartition("}")[2] for element in root.iter()}
    assert tags <= {"svg", "title", "style", "rect", "g", "text", "path"}
    written = "\n".join(element.text or "" for element in root.iter("{http://www.w3.org/2000/svg}text"))
    shown = [f"{EXERCISE.number}  {EXERCISE.title['en']}", f"{FIRST.name} = {EXERCISE.wrong[0].blanks[FIRST.name]}"]
    shown.append(sentence(FRAME, "wrong", "en", name=quoted(FIRST.name)))
    if path.name == "learn.svg":
        shown += [f"{FIRST.name} = {FIRST.value}", sentence(FRAME, "hint", "en", n=1, all=3)]
        shown.append(sentence(FRAME, "solved", "en"))
    for text in shown:
        assert text in written, "record it again: python docs/recording.py"


def test_every_frame_is_animated_and_the_last_is_what_stays() -> None:
    root = ET.parse(IMAGES / "learn.svg").getroot()
    groups = [element.attrib for element in root.iter("{http://www.w3.org/2000/svg}g")]
    style = root.find("{http://www.w3.org/2000/svg}style")
    assert style is not None
    assert style.text is not None
    assert all(f"@keyframes {group['id']}{{" in style.text for group in groups)
    assert [group["id"][0] for group in groups if group["class"] == "f last"] == ["e", "t"]
    assert "prefers-reduced-motion: reduce" in style.text
