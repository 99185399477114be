"""What was done of the exercises, for the learner and the teacher: as a table in a terminal, and as a page."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

from tinygrad_cnn.escaping import printable
from tinygrad_cnn.extras import extra
from tinygrad_cnn.learn.course import HINTS, course, sections
from tinygrad_cnn.learn.folder import Done, Folder
from tinygrad_cnn.learn.words import sentence

with extra("learn", "learn report"):
    import jinja2
    from rich import box
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

_templates = jinja2.Environment(
    loader=jinja2.PackageLoader("tinygrad_cnn.learn"),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)

WORDS: Mapping[str, tuple[str, str]] = {
    "title": ("Exercises", "연습 문제"),
    "summary": (
        "{solved} of {all} solved, {alone} of them without the solution.",
        "{all}문제 중 {solved}문제 해결, 그중 풀이를 보지 않은 것 {alone}문제.",
    ),
    "exercise": ("Exercise", "문제"),
    "solved": ("Solved", "해결"),
    "attempts": ("Attempts", "시도"),
    "hints": ("Hints", "힌트"),
    "seen": ("Solution", "풀이"),
    "was_seen": ("seen", "봄"),
    "not_solved": ("not yet", "아직"),
    "written": ("Written {when}, from what is recorded in {path}.", "{when}, {path}의 기록에서 작성."),
}


def rendered(folder: Folder) -> Group:
    """The table for a Rich console."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column(_sentence(folder, "exercise"))
    table.add_column(_sentence(folder, "solved"), no_wrap=True)
    for heading in ("attempts", "hints"):
        table.add_column(_sentence(folder, heading), justify="right", no_wrap=True)
    table.add_column(_sentence(folder, "seen"), no_wrap=True)
    for exercises in sections():
        table.add_row(Text(exercises[0].section[folder.language], "bold"))
        for exercise in exercises:
            done = folder.of(exercise)
            table.add_row(
                Text(f"{exercise.number:<5}{exercise.title[folder.language]}"),
                Text(_when(done.solved), "green") if done.solved else Text("·", "dim"),
                str(done.attempts or ""),
                f"{done.hints}/{HINTS}" if done.hints else "",
                _sentence(folder, "was_seen") if done.seen else "",
            )
    return Group(Text(_summary(folder), "bold"), table)


def page(folder: Folder) -> str:
    """The page, as HTML."""
    now = datetime.datetime.now().isoformat(timespec="seconds")
    return _templates.get_template("report.html").render(
        folder=folder,
        language=folder.language,
        sections=sections(),
        sentence=lambda key: _sentence(folder, key),
        summary=_summary(folder),
        written=_sentence(folder, "written", when=_when(now), path=printable(folder.path.resolve())),
        when=_when,
        all_hints=HINTS,
    )


def _summary(folder: Folder) -> str:
    done: list[Done] = [folder.of(exercise) for exercise in course()]
    alone = sum(bool(d.solved) and not d.seen for d in done)
    return _sentence(folder, "summary", solved=sum(bool(d.solved) for d in done), all=len(done), alone=alone)


def _when(moment: str) -> str:
    """ISO 8601 text to the minute: 2026-03-01 14:05."""
    return moment[:16].replace("T", " ")


def _sentence(folder: Folder, key: str, **facts: Any) -> str:
    return sentence(WORDS, key, folder.language, **facts)
