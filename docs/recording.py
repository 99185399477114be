"""Record the watch mode for the README: docs/images/learn.svg.

    python docs/recording.py

A lesson runs in a pseudo-terminal (`pip install '.[test]'` has what it needs): a wrong answer, a hint, the right one,
the next exercise. What the terminal shows becomes an animated picture, with the learner's editor above it. The picture
is text and CSS, without a script; whoever prefers reduced motion sees the last frame. Browsers do not pass that
preference on to an <img>, hence learn_still.svg, the frame with the explanation, for a <source> with that media query.
"""

from __future__ import annotations

import itertools
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from tinygrad_cnn.learn.course import Exercise, course
from tinygrad_cnn.learn.folder import start
from tinygrad_cnn.learn.lesson import quoted
from tinygrad_cnn.learn.words import FRAME, sentence

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests" / "support"))
from terminal import Terminal  # noqa: E402

PICTURE, STILL = ROOT / "docs" / "images" / "learn.svg", ROOT / "docs" / "images" / "learn_still.svg"
EXERCISE = "3_losses/01_sigmoid.py"
TITLE = "A lesson in a terminal: a wrong answer, why it is wrong, a hint, the right answer"
COLUMNS, ROWS = 66, 24
EDITED_LINES = 7
CHARACTER, LINE, MARGIN = 9.0, 20.0, 12.0  # of text of 15 px
TYPING = 0.12  # seconds between two frames in which something is typed
INK, PAPER, SOFT, EDITED = "e0e0e0", "121212", "8b949e", "1c2733"
FONT = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', 'Liberation Mono', monospace"


@dataclass(frozen=True)
class Run:
    """Neighbouring characters of one look."""

    row: int
    column: int
    text: str
    ink: str = INK
    paper: str = PAPER
    bold: bool = False


@dataclass(frozen=True)
class Frame:
    """What is seen for some seconds: the editor, and the terminal below it."""

    seconds: float
    editor: tuple[Run, ...]
    terminal: tuple[Run, ...]


class Lesson:
    """An exercise in an editor and in a terminal, and the frames so far."""

    def __init__(self, folder: Path) -> None:
        self.learner = start(folder / "backprop", "en")
        self.opens(next(e for e in course() if e.name == EXERCISE))
        self.learner.go_to(self.exercise)
        self.terminal = Terminal(Path("backprop"), COLUMNS, ROWS, cwd=folder, COLORTERM="truecolor")
        self.frames: list[Frame] = []

    def opens(self, exercise: Exercise) -> None:
        """Open the file of an exercise in the editor."""
        self.exercise, self.file = exercise, self.learner.file(exercise)
        self.text = self.file.read_text(encoding="utf-8")

    def shows(self, seconds: float, *, editing: str = "") -> None:
        """A frame of what is there."""
        self.frames.append(Frame(seconds, self._editor(editing), tuple(runs(self.terminal.screen))))

    def types(self, name: str, value: str, until: str) -> None:
        """Fill in a blank, save, and wait for what the watch mode says."""
        before, _, after = self.text.partition(f"    {name} = ")
        rest = after[after.index("\n") :]
        for end in [*range(0, len(value), 2), len(value)]:
            self.text = f"{before}    {name} = {value[:end]}{rest}"
            self.shows(TYPING, editing=name)
        self.shows(0.5, editing=name)
        self.file.write_text(self.text, encoding="utf-8")
        self.terminal.until(until)
        self.terminal.settle()

    def presses(self, key: str, until: str) -> None:
        """Press a key, and wait for what it does."""
        self.terminal.process.send(key)
        self.terminal.until(until)
        self.terminal.settle()

    def _editor(self, editing: str) -> tuple[Run, ...]:
        lines = self.text.splitlines()
        first = next(i for i, line in enumerate(lines) if line.startswith("def by_hand"))
        found = [Run(0, 0, self.file.name, SOFT)]
        for row, line in enumerate(lines[first : first + EDITED_LINES], 1):
            edited = bool(editing) and line.startswith(f"    {editing} = ")
            found.append(Run(row, 0, f"{first + row:3} ", SOFT))
            found.append(Run(row, 4, f"{line}▏" if edited else line, paper=EDITED if edited else PAPER, bold=edited))
        return tuple(found)


def runs(screen: Any) -> Iterator[Run]:
    """What a terminal's screen shows."""
    for row in range(screen.lines):
        cells = [screen.buffer[row][column] for column in range(screen.columns)]
        looks = [(_colour(c.fg, INK), _colour(c.bg, PAPER), c.bold) for c in cells]
        for (ink, paper, bold), group in itertools.groupby(range(screen.columns), looks.__getitem__):
            columns = list(group)
            text = "".join(cells[c].data for c in columns)
            if text.strip() or paper != PAPER:
                yield Run(row, columns[0], text, ink, paper, bold)


def _colour(name: str, default: str) -> str:
    return name if len(name) == 6 and set(name) <= set("0123456789abcdef") else default


def lesson() -> list[Frame]:
    """The frames of a lesson."""
    with tempfile.TemporaryDirectory() as folder:
        at = Lesson(Path(folder))
        say = lambda key, **facts: sentence(FRAME, key, "en", **facts)
        blanks = {blank.name: blank.value for blank in at.exercise.blanks}
        first, *others = blanks
        at.terminal.until(say("fill_in", name=quoted(first)))
        at.terminal.settle()
        at.shows(2.5)
        at.types(first, at.exercise.wrong[0].blanks[first], say("wrong", name=quoted(first)))
        at.shows(5)
        at.presses("h", say("hint", n=1, all=3))
        at.shows(3.5)
        at.types(first, blanks[first], say("fill_in", name=quoted(others[0])))
        at.shows(1.5)
        for name, following in itertools.zip_longest(others, others[1:]):
            at.types(name, blanks[name], say("fill_in", name=quoted(following)) if following else say("solved"))
            at.shows(1.5)
        at.shows(2)
        following = course()[course().index(at.exercise) + 1]
        at.presses("n", say("fill_in", name=quoted(following.blanks[0].name)))
        at.opens(following)
        at.shows(3)
        at.terminal.ends("q")
        return at.frames


def svg(frames: list[Frame]) -> str:
    """The frames as an animated picture. The editor and the terminal are drawn whenever they change."""
    total = sum(frame.seconds for frame in frames)
    above = 1 + max(run.row for frame in frames for run in frame.editor)
    width = 2 * MARGIN + COLUMNS * CHARACTER
    top = 2 * MARGIN + above * LINE  # of the terminal
    height = top + ROWS * LINE + MARGIN
    rules, groups = [], []
    for pane, y in (("editor", MARGIN), ("terminal", top)):
        shown = [(part, list(same)) for part, same in itertools.groupby(frames, lambda f: getattr(f, pane))]  # noqa: B023
        begin = 0.0
        for k, (part, same) in enumerate(shown):
            end = begin + sum(frame.seconds for frame in same)
            name, last = f"{pane[0]}{k}", k == len(shown) - 1
            steps = f"{100 * begin / total:.2f}%{{visibility:visible}}"
            steps = (steps if begin == 0 else f"0%{{visibility:hidden}}{steps}") + (
                "" if last else f"{100 * end / total:.2f}%{{visibility:hidden}}"
            )
            rules.append(f"@keyframes {name}{{{steps}}}#{name}{{animation-name:{name}}}")
            drawn = "".join(_drawn(run, y) for run in part)
            groups.append(f'<g id="{name}" class="{"f last" if last else "f"}">{drawn}</g>')
            begin = end
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" width="{width:g}"'
        f' height="{height:g}" role="img"><title>{TITLE}</title>'
        f"<style>text{{font:15px {FONT};white-space:pre;fill:#{INK}}}.b{{font-weight:bold}}.f{{visibility:hidden;"
        f"animation:{total:.2f}s step-end infinite}}.last{{visibility:visible}}{''.join(rules)}"
        "@media (prefers-reduced-motion: reduce){.f{animation:none!important}}</style>"
        f'<rect width="100%" height="100%" rx="8" fill="#{PAPER}"/>{"".join(groups)}'
        f'<path d="M0 {top - MARGIN / 2:g}H{width:g}" stroke="#{SOFT}" stroke-width="1" opacity=".5"/></svg>\n'
    )


def _drawn(run: Run, top: float) -> str:
    x, y = MARGIN + run.column * CHARACTER, top + run.row * LINE
    found = ""
    if run.paper != PAPER:
        found = (
            f'<rect x="{x:g}" y="{y:g}" width="{len(run.text) * CHARACTER:g}" height="{LINE:g}" fill="#{run.paper}"/>'
        )
    text = run.text.rstrip()
    x += (len(text) - len(text.lstrip())) * CHARACTER
    text = text.strip()
    if text:  # as wide as its columns, whatever the font
        ink = "" if run.ink == INK else f' style="fill:#{run.ink}"'
        bold = ' class="b"' if run.bold else ""
        found += (
            f'<text x="{x:g}" y="{y + 0.74 * LINE:g}" textLength="{len(text) * CHARACTER:g}"'
            f' lengthAdjust="spacingAndGlyphs"{bold}{ink}>{escape(text, quote=False)}</text>'
        )
    return found


def main() -> None:
    """Record, and write the picture, and the frame with the explanation alone."""
    frames = lesson()
    for path, shown in ((PICTURE, frames), (STILL, [max(frames, key=lambda frame: frame.seconds)])):
        path.write_text(svg(shown), encoding="utf-8")
        print(f"{path.relative_to(ROOT)}: {path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
