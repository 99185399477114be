"""The exercises in a notebook: `%%exercise 4.2` judges the cell that it heads; `%hint` and `%solution` help with it.

Both may name another exercise than that which was judged last.
"""

from __future__ import annotations

import re
import sys
from html import escape
from pathlib import Path
from typing import Any

from tinygrad_cnn import files
from tinygrad_cnn.escaping import printable
from tinygrad_cnn.learn.blanks import without_marks
from tinygrad_cnn.learn.course import HINTS, Exercise, Language, course
from tinygrad_cnn.learn.folder import PROGRESS, Folder, FolderError, find, opened
from tinygrad_cnn.learn.lesson import paragraphs
from tinygrad_cnn.learn.outcome import Outcome
from tinygrad_cnn.learn.running import judged
from tinygrad_cnn.learn.words import FRAME, sentence

COLOURS = {"right": "#1b7837", "wrong": "#d6404f", "open": "#c08a1a"}  # as in the page of a check


class Message:
    """Paragraphs beneath a cell."""

    def __init__(self, texts: list[str], colour: str = COLOURS["open"]) -> None:
        self.texts = ["\n".join(map(printable, text.splitlines())) for text in texts]
        self.colour = colour

    def __repr__(self) -> str:
        return "\n\n".join(self.texts)

    def _repr_html_(self) -> str:
        shown = [
            f'<p style="margin:.35rem 0;white-space:pre-wrap{"" if k else ";font-weight:600"}'
            f'{";font-family:monospace" if chr(10) in text else ""}">{_as_html(text)}</p>'
            for k, text in enumerate(self.texts)
        ]
        return f'<div style="border-left:4px solid {self.colour};padding:.3rem 1rem">{"".join(shown)}</div>'


def _as_html(text: str) -> str:
    return re.sub(r"`([^`\n]+)`", r"<code>\1</code>", escape(text))


def load(language: Language = "en") -> None:
    """Define the magics in this notebook. What is done is written down beside it, for `tinygrad-cnn learn report`."""
    ipython: Any = sys.modules.get("IPython")  # which a notebook has imported
    shell = ipython and ipython.get_ipython()
    if shell is None:
        raise RuntimeError("magics.load: this is no notebook; elsewhere there is: tinygrad-cnn learn")
    here = Path()
    judged_last = ""
    folder = opened(here) if (here / PROGRESS).exists() else Folder(here, language, course()[0].number)

    def named(line: str) -> Exercise:
        try:
            return find(line.strip() or judged_last)
        except FolderError as error:
            raise ipython.core.error.UsageError(str(error)) from None

    def exercise(line: str, cell: str) -> None:
        """Judge this cell."""
        nonlocal judged_last
        chosen = named(line)
        judged_last = chosen.number
        outcome = judge_cell(folder, chosen, cell)
        ipython.display.display(message(outcome, folder.language))
        if outcome.solved:
            shell.ex(cell)

    def hint(line: str) -> None:
        """Show the next of three hints."""
        n, text = folder.hint(named(line))
        ipython.display.display(Message([sentence(FRAME, "hint", folder.language, n=n, all=HINTS), text]))

    def solution(line: str) -> None:
        """Show the solution, after an attempt."""
        chosen = named(line)
        if not folder.of(chosen).tried:
            ipython.display.display(Message([sentence(FRAME, "try_first", folder.language)]))
            return
        folder.looked_at_solution(chosen)
        print(without_marks(chosen.solution))

    shell.register_magic_function(exercise, "cell")
    shell.register_magic_function(hint, "line")
    shell.register_magic_function(solution, "line")


def judge_cell(folder: Folder, exercise: Exercise, cell: str) -> Outcome:
    """The verdict on a cell, whose lines are counted from the magic at its head."""
    with files.temporary_folder() as scratch:
        path = scratch / "cell.py"
        path.write_text(f"\n{cell}", encoding="utf-8")
        outcome = judged(exercise, path)
    folder.judged(exercise, cell.encode(), outcome)
    return outcome


def message(outcome: Outcome, language: Language) -> Message:
    """What is shown of an outcome."""
    texts = paragraphs(outcome, language)
    if outcome.solved:
        return Message(texts[:1], COLOURS["right"])  # what it prints is printed as it is run
    return Message(texts, COLOURS["wrong" if outcome.kind else "open"])
