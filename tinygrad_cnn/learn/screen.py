"""The watch mode: the present exercise, judged whenever its file is saved."""

from __future__ import annotations

import contextlib
import webbrowser
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import ClassVar

from rich.console import Group
from rich.syntax import Syntax
from rich.text import Text
from textual import work
from textual.app import App, ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.widgets import Footer, OptionList, Static
from textual.widgets.option_list import Option
from watchfiles import awatch

from tinygrad_cnn.escaping import printable
from tinygrad_cnn.learn.blanks import without_marks
from tinygrad_cnn.learn.course import HINTS, Exercise, course
from tinygrad_cnn.learn.folder import Folder, FolderError, find
from tinygrad_cnn.learn.lesson import paragraphs
from tinygrad_cnn.learn.outcome import Outcome
from tinygrad_cnn.learn.running import JudgeError, judged, write_page
from tinygrad_cnn.learn.words import FRAME, KEYS, sentence

MARKS = {  # of a line, and its colour, of those of the theme
    "right": ("✓", "success"),
    "wrong": ("✗", "error"),
    "follows": ("↳", "warning"),
    "gone": ("?", "error"),
    "blank": ("·", "muted"),
    "unknown": ("·", "muted"),
}
IN_THE_TERMINAL = ("www-browser", "links", "elinks", "lynx", "w3m")


class Screen(App[None]):
    """The present exercise, its lines and the verdict on them; keys for hints, the graph and the other exercises."""

    CSS = """
    #head { padding: 0 1; background: $panel; }
    #path { padding: 0 1; color: $text-muted; }
    #body { padding: 1 1 0 1; }
    #list { display: none; height: 1fr; }
    """
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[Binding]] = [  # type: ignore[assignment]
        Binding("ctrl+c", "quit", show=False, priority=True),
        Binding("escape", "close", show=False),
    ]

    def __init__(self, folder: Folder) -> None:
        super().__init__()
        self.animation_level = "none"  # an animation that is under way would undo a later scroll
        self.folder = folder
        self.outcome: Outcome | None = None
        self.text = b""  # what is being judged, or was last
        self.judged_text: bytes | None = None  # of which the outcome is shown
        self.extra: list[str] = []  # hints, and what else was asked for since the file was saved last
        self.solution: Syntax | None = None
        for key, action in (
            ("h", "hint"), ("g", "graph"), ("n", "next"), ("p", "previous"), ("s", "solution"), ("l", "list"),
            ("r", "restore"), ("q", "quit"),
        ):  # fmt: skip
            self.bind(key, action, description=self._sentence(KEYS, action), show=action != "restore")

    def compose(self) -> ComposeResult:
        """The parts of the screen."""
        yield Static(id="head")
        yield Static(id="path")
        with VerticalScroll(id="body"):
            yield Static(id="verdict")
            yield Static(id="solution")
            yield Static(id="asked")
        yield OptionList(id="list")
        yield Footer()

    def on_mount(self) -> None:
        """Judge what is there, and wait for the file to be saved."""
        self._judge()
        self._watch()

    @property
    def exercise(self) -> Exercise:
        """The present one."""
        return self.folder.exercise()

    @work(exclusive=True, group="watch")
    async def _watch(self) -> None:
        """Judge whenever the file of the present exercise changes. Its folder is watched: editors replace files."""
        async for changes in awatch(self.folder.path, debounce=200, step=50, recursive=True):
            if any(Path(path).name == self.folder.file(self.exercise).name for _, path in changes):
                self._judge()

    @work(exclusive=True, group="judge", thread=True)
    def _judge(self) -> None:
        exercise, path = self.exercise, self.folder.file(self.exercise)
        try:
            text = path.read_bytes()
        except OSError:
            text = b""  # of which `judged` says why
        try:
            self.call_from_thread(self._judging, text)
            outcome = judged(exercise, path)
        except (JudgeError, OSError) as error:
            self.call_from_thread(self._add, str(error))
            return
        self.call_from_thread(self._judged, exercise, outcome, text)

    def _judging(self, text: bytes) -> None:
        """What was asked for stays until the file changes, also if it is saved again as it was."""
        if text != self.text:
            self.text, self.extra, self.solution = text, [], None
        self._show_head(self._sentence(FRAME, "judging"))

    def _judged(self, exercise: Exercise, outcome: Outcome, text: bytes) -> None:
        if exercise != self.exercise:
            return  # another one is shown by now
        is_new, self.judged_text = text != self.judged_text, text
        self.outcome = outcome
        with self._noting():
            self.folder.judged(exercise, text, outcome)
        self._show()
        if is_new or (not self.extra and self.solution is None):
            # After a scroll to the end that a key asked for and that is still to be made.
            self.call_after_refresh(self.query_one("#body").scroll_home, animate=False)

    # What the keys do.

    def action_hint(self) -> None:
        """The next hint."""
        with self._noting():
            n, hint = self.folder.hint(self.exercise)
            self._add(f"{self._sentence(FRAME, 'hint', n=n, all=HINTS)} {hint}")

    def action_graph(self) -> None:
        """The graph so far, with the learner's own cotangents, as a page."""
        self._draw()

    @work(exclusive=True, group="graph", thread=True)
    def _draw(self) -> None:
        page = self.folder.path / "graph.html"
        try:
            written = write_page(self.exercise, self.folder.file(self.exercise), page)
        except (JudgeError, OSError) as error:
            self.call_from_thread(self._add, str(error))
            return
        if written and _browser_has_a_window():
            webbrowser.open(page.resolve().as_uri())
        found = self._sentence(FRAME, "graph", path=page) if written else self._sentence(FRAME, "no_graph")
        self.call_from_thread(self._add, found)

    def action_solution(self) -> None:
        """The solution, after an honest attempt."""
        if not self.folder.of(self.exercise).tried:
            self._add(self._sentence(FRAME, "try_first"))
            return
        with self._noting():
            self.folder.looked_at_solution(self.exercise)
        theme = "monokai" if self.current_theme.dark else "default"
        self.solution = Syntax(without_marks(self.exercise.solution), "python", theme=theme, word_wrap=True)
        self._show()
        self._show_list(False)
        self.call_after_refresh(self.query_one("#solution").scroll_visible, animate=False, top=True)

    def action_next(self) -> None:
        """The exercise after this one."""
        self._go(1)

    def action_previous(self) -> None:
        """The exercise before this one."""
        self._go(-1)

    def action_restore(self) -> None:
        """Write a file that was deleted anew."""
        with self._noting():
            if self.folder.restore(self.exercise):
                self._judge()

    def action_list(self) -> None:
        """All exercises, with what was done; Enter goes to one. Closes the list, if it is open."""
        options = self.query_one("#list", OptionList)
        if options.display:
            self._show_list(False)
            return
        options.clear_options()
        for exercise in course():
            mark = Text("✓", self._colour("success")) if self.folder.of(exercise).solved else Text("·")
            title = exercise.title[self.folder.language]
            options.add_option(Option(mark.append(f" {exercise.number:<5}{title}", "default"), exercise.number))
        options.highlighted = course().index(self.exercise)
        self._show_list(True)

    def action_close(self) -> None:
        """Close the list."""
        self._show_list(False)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Go to the exercise that was chosen."""
        self._go_to(find(str(event.option.id)))

    def _go(self, by: int) -> None:
        exercises = course()
        place = exercises.index(self.exercise) + by
        if 0 <= place < len(exercises):
            self._go_to(exercises[place])
        else:
            self._add(self._sentence(FRAME, "last" if by > 0 else "first"))

    def _go_to(self, exercise: Exercise) -> None:
        with self._noting():
            self.folder.go_to(exercise)
        self.outcome, self.text, self.extra, self.solution = None, b"", [], None
        self.judged_text = None
        self._show()
        self._show_list(False)
        self._judge()

    # What is shown.

    def _show(self) -> None:
        self._show_head()
        outcome, found = self.outcome, Text()
        if outcome is not None:
            for line in outcome.lines:
                if line.status == "given":  # its name would tell where the mistake is
                    continue
                mark, colour = MARKS[line.status]
                found.append(mark, self._colour(colour)).append(f" {printable(line.name)}   ")
            colour = self._colour("success" if outcome.solved else "error" if outcome.kind else "warning")
            for k, paragraph in enumerate(paragraphs(outcome, self.folder.language)):
                _append(found, paragraph, "" if k else f"bold {colour}")
            if outcome.kind == "not_there":
                _append(found, self._sentence(FRAME, "restore"))
            if outcome.solved:
                _append(found, self._sentence(FRAME, "go_on"))
        asked = Text()
        for paragraph in self.extra:
            _append(asked, paragraph)
        self.query_one("#verdict", Static).update(found)
        solution = self.query_one("#solution", Static)
        solution.display = self.solution is not None
        if self.solution is not None:
            solution.update(Group("", self.solution))
        self.query_one("#asked", Static).update(asked[1:])  # one empty line above it

    def _show_head(self, state: str = "") -> None:
        exercise, language = self.exercise, self.folder.language
        solved = sum(bool(self.folder.of(e).solved) for e in course())
        head = Text(f"{exercise.number}  {exercise.title[language]}", "bold")
        minutes = self._sentence(FRAME, "minutes", n=exercise.minutes)
        head.append(f"\n{exercise.section[language]} · {minutes} · {solved}/{len(course())} {state}", "not bold")
        self.query_one("#head", Static).update(head)
        self.query_one("#path", Static).update(Text(printable(self.folder.file(exercise))))

    def _show_list(self, shown: bool) -> None:
        self.query_one("#list").display = shown
        self.query_one("#body").display = not shown
        self.query_one("#list" if shown else "#body").focus()

    @contextlib.contextmanager
    def _noting(self) -> Iterator[None]:
        """Say so if what was done cannot be written down: the folder may be gone, or the disk full."""
        try:
            yield
        except (FolderError, OSError) as error:
            self._add(str(error))

    def _add(self, paragraph: str) -> None:
        self.extra = [*(other for other in self.extra if other != paragraph), paragraph]
        self._show()
        self._show_list(False)
        self.query_one("#body", VerticalScroll).scroll_end(animate=False)

    def _colour(self, name: str) -> str:
        """A colour of text that is legible in the theme, light or dark; "" for that of other text."""
        return self.theme_variables[f"text-{name}"] if name != "muted" else ""

    def _sentence(self, table: Mapping[str, tuple[str, str]], key: str, **facts: object) -> str:
        return sentence(table, key, self.folder.language, **facts)


def _browser_has_a_window() -> bool:
    """Whether the page can be opened without the terminal, which is ours, being taken for it."""
    try:
        browser = webbrowser.get()
    except webbrowser.Error:
        return False
    return getattr(browser, "name", "") not in IN_THE_TERMINAL


def _append(text: Text, paragraph: str, style: str = "") -> None:
    """Add a paragraph; what it contains is no markup."""
    text.append("\n\n").append("\n".join(map(printable, paragraph.splitlines())), style)
