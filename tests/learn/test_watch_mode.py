"""The watch mode in a real terminal: a wrong answer, a hint, the right one, the next exercise, the end, and again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tinygrad_cnn.learn.course import Language, course
from tinygrad_cnn.learn.folder import Folder, start
from tinygrad_cnn.learn.words import FRAME, said

pytest.importorskip("pexpect", reason="pip install '.[test]' has pexpect")
pytest.importorskip("pyte", reason="pip install '.[test]' has pyte")
from terminal import Terminal

pytestmark = pytest.mark.cli
FIRST, SECOND = course()[:2]


@pytest.fixture
def terminal(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Terminal, Folder]]:
    language, columns = request.param
    folder = start(tmp_path / "lessons", language)
    made = Terminal(folder.path, columns)
    yield made, folder
    made.process.close(force=True)


@pytest.mark.parametrize("terminal", [("en", 80), ("ko", 120)], indirect=True, ids=["en-80", "ko-120"])
def test_a_lesson(terminal: tuple[Terminal, Folder]) -> None:
    screen, folder = terminal
    language: Language = folder.language

    def frame(key: str, **facts: object) -> str:
        return said(FRAME, key, language, **facts)

    file = folder.file(FIRST)
    screen.until(frame("fill_in", name="return"))
    assert FIRST.title[language] in screen.shown()
    file.write_text(FIRST.starter(language).replace("...", "-2 * x"), encoding="utf-8")
    screen.until(frame("wrong", name="return"))
    screen.process.send("h")
    screen.until(frame("hint", n=1, all=3))
    screen.process.send("g")  # no backward pass, so no graph
    screen.until(frame("no_graph")[:40])
    file.write_text(FIRST.starter(language).replace("...", "2 * x"), encoding="utf-8")
    screen.until(frame("solved"))
    file.unlink()
    screen.until(frame("restore")[:30])
    assert not file.exists(), "it is offered again, and not restored silently"
    screen.process.send("n")
    screen.until(SECOND.title[language])
    screen.process.send("l")
    screen.until(f"✓ {FIRST.number}")
    assert screen.ends("\x03" if language == "en" else "q") == 0

    again = Terminal(folder.path, screen.screen.columns)
    again.until(SECOND.title[language])
    again.until(f"1/{len(course())}")
    again.process.close(force=True)
