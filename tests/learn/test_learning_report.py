"""`learn report`: what was done, as a table whose columns are straight in both languages, and as a page."""

from __future__ import annotations

import html.parser
import io
from pathlib import Path

import pytest
from rich.console import Console

from tinygrad_cnn.columns import width
from tinygrad_cnn.learn import folder as folders
from tinygrad_cnn.learn.course import LANGUAGES, Language, course
from tinygrad_cnn.learn.report import page, rendered

FIRST, SECOND, THIRD = course()[:3]


@pytest.fixture(params=LANGUAGES)
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> folders.Folder:
    """The first solved at the second attempt with a hint, the second after a look at the solution, the third tried."""
    language: Language = request.param
    made = folders.start(tmp_path / "<b>lessons</b>", language)
    made.attempted(FIRST, "wrong", False)
    made.hint(FIRST)
    made.attempted(FIRST, "right", True)
    made.looked_at_solution(FIRST)  # after it was solved, which is no help
    made.attempted(SECOND, "wrong", False)
    made.looked_at_solution(SECOND)
    made.attempted(SECOND, "right", True)
    made.attempted(THIRD, "wrong", False)
    return folders.opened(made.path)


def test_the_table_has_a_row_for_each_exercise(folder: folders.Folder) -> None:
    out = io.StringIO()
    Console(file=out, width=80, color_system=None).print(rendered(folder))
    lines = out.getvalue().splitlines()
    assert max(map(width, lines)) <= 80
    korean = folder.language == "ko"
    assert lines[0].startswith(f"{len(course())}문제 중 2문제" if korean else f"2 of {len(course())} solved, 1 of them")
    rows = {row.split()[0]: row for row in lines if row.split() and row.split()[0] in {e.number for e in course()}}
    assert list(rows) == [e.number for e in course()]
    seen = "봄" if korean else "seen"
    assert [rows[e.number].split()[-2:] for e in (FIRST, SECOND, THIRD)] == [["2", "1/3"], ["2", seen], ["·", "1"]]
    # A letter of Korean takes two columns: the column of attempts ends at the same place in all rows.
    assert len({width(rows[e.number].rpartition(last)[0]) for e, last in ((FIRST, "2  "), (SECOND, "2  "))}) == 1


class Page(html.parser.HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.rows: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag == "tr":
            self.rows.append("")

    def handle_data(self, data: str) -> None:
        if self.rows:
            self.rows[-1] += f" {data.strip()}"


def test_the_page_says_the_same(folder: folders.Folder) -> None:
    text = page(folder)
    found = Page(text)
    assert f'<html lang="{folder.language}">' in text
    assert {"script", "link", "img"}.isdisjoint(found.tags)
    assert "&lt;b&gt;lessons" in text, "the name of a folder is text"
    rows = {words[0]: row for row in found.rows if (words := row.split())[0][0].isdigit()}
    assert list(rows) == [e.number for e in course()]
    for exercise in course():
        row, done = rows[exercise.number], folder.of(exercise)
        assert exercise.title[folder.language] in row
        assert ("✓" in row) == bool(done.solved)
        assert (f"{done.hints}/3" in row) == bool(done.hints)
    seen = "봄" if folder.language == "ko" else "seen"
    assert [number for number, row in rows.items() if seen in row.split()] == [SECOND.number]
