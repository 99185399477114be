"""The watch mode in a real terminal: a wrong answer, a hint, the right one, the next exercise, the end, and again."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tinygrad_cnn.learn.course import Language, course
from tinygrad_cnn.learn.folder import Folder, start
from tinygrad_cnn.learn.words import FRAME, said

pexpect = pytest.importorskip("pexpect", reason="pip install '.[test]' has pexpect")
pyte = pytest.importorskip("pyte", reason="pip install '.[test]' has pyte")
pytestmark = pytest.mark.cli
FIRST, SECOND = course()[:2]
PATIENCE = 60.0  # seconds; a busy machine takes long to start Python


class Terminal:
    """`tinygrad-cnn learn FOLDER` in a terminal of so many columns, and what it shows."""

    def __init__(self, folder: Path, columns: int) -> None:
        self.screen = pyte.Screen(columns, 30)
        self.stream = pyte.ByteStream(self.screen)
        environment = {**os.environ, "TERM": "xterm-256color", "BROWSER": "true"}
        command = ["-m", "tinygrad_cnn", "learn", str(folder)]
        self.process = pexpect.spawn(sys.executable, command, dimensions=(30, columns), env=environment)

    def until(self, text: str) -> None:
        """Wait until `text` is on the screen."""
        end = time.monotonic() + PATIENCE
        while text not in self.shown():
            assert time.monotonic() < end, f"{text!r} is not on the screen:\n{self.shown()}"
            try:
                self.stream.feed(self.process.read_nonblocking(1 << 16, timeout=0.2))
            except pexpect.TIMEOUT:
                continue
            except pexpect.EOF:
                raise AssertionError(f"it ended:\n{self.shown()}") from None

    def shown(self) -> str:
        return "\n".join(line.rstrip() for line in self.screen.display)

    def ends(self, key: str) -> int:
        self.process.send(key)
        self.process.expect(pexpect.EOF, timeout=PATIENCE)
        self.process.close()
        return int(self.process.exitstatus)


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
