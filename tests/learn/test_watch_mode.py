"""The watch mode in a real terminal: a wrong answer, a hint, the right one, the next exercise, the end, and again."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tinygrad_cnn.learn.course import Language, course
from tinygrad_cnn.learn.folder import Folder, start
from tinygrad_cnn.learn.words import FRAME, sentence

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
        return sentence(FRAME, key, language, **facts)

    file = folder.file(FIRST)
    screen.until(frame("fill_in", name="`return`"))
    assert FIRST.title[language] in screen.shown()
    file.write_text(FIRST.starter(language).replace("...", "-2 * x"), encoding="utf-8")
    screen.until(frame("wrong", name="`return`"))
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


def test_what_else_learners_do(tmp_path: Path) -> None:
    folder = start(tmp_path / "lessons", "en")
    file, given = folder.file(FIRST), FIRST.starter("en")
    (tmp_path / "elsewhere").mkdir()
    at = Terminal(folder.path, 80, 12, cwd=tmp_path / "elsewhere", NO_COLOR="1")
    at.until("is still to be filled in")
    at.process.send("s")
    at.until("Fill something in and save first")
    file.write_text(given.replace("...", "2 * * x"), encoding="utf-8")
    at.until("Python cannot read this line: invalid syntax.")
    for _ in range(4):
        at.process.send("h")
    at.until("Hint 3 of 3")
    at.settle()
    assert at.shown().count("Hint 3 of 3") == 1

    # Saved twice, the second time as editors do, which put another file in its place: the last one counts.
    file.write_text(given.replace("...", "-2 * x"), encoding="utf-8")
    other = file.with_suffix(".new")
    other.write_text(given.replace("...", "2 * x") + "print('\\n'.join(map(str, range(10**5))))\n", encoding="utf-8")
    other.replace(file)
    at.until("Right. Every line agrees.")
    at.without("Hint 3 of 3")
    at.process.send("\x1b[F")  # End
    at.until("\n 19\n ...\n")  # of many lines, the first are shown
    at.process.send("s")
    at.until("def f(x):")
    file.write_bytes(file.read_bytes())
    at.settle()
    assert "def f(x):" in at.shown(), "saved again as it was, what was asked for stays"

    # Another exercise, from the list; in a terminal too small for it, and back.
    at.process.send("l")
    at.until(f"✓ {FIRST.number}")
    at.process.send("\x1b[B\r")
    at.until(f"{SECOND.number}  {SECOND.title['en']}")
    at.resize(12, 3)
    at.settle()
    at.resize(80, 12)
    at.until("is still to be filled in")
    at.process.send("l")
    at.until(f"✓ {FIRST.number}")
    at.process.send("h")  # closes the list
    at.until("Hint 1 of 3")

    shutil.rmtree(folder.path)
    at.until("The file is not there any more.")
    at.process.send("h")
    at.until("cannot be written: No such file or directory")
    at.process.send("r")
    at.until("is still to be filled in")
    assert at.ends("q") == 0
