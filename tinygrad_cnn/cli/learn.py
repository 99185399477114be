"""`tinygrad-cnn learn`: exercises in which each line of a backward pass is checked as it is written."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from tinygrad_cnn import files
from tinygrad_cnn.circle_square.errors import InputError
from tinygrad_cnn.escaping import printable
from tinygrad_cnn.extras import extra
from tinygrad_cnn.learn import folder as folders
from tinygrad_cnn.learn import notebooks as books
from tinygrad_cnn.learn.course import LANGUAGES
from tinygrad_cnn.learn.lesson import paragraphs
from tinygrad_cnn.learn.running import JudgeError, judged
from tinygrad_cnn.learn.words import FRAME, sentence

FOLDER = Path("backprop")
PATH = click.Path(path_type=Path)


class _Default(click.Group):
    """A group of which `learn` and `learn DIR` are the watch mode. What cannot be done is an error of the input."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the subcommand. Raises InputError."""
        try:
            return super().invoke(ctx)
        except (folders.FolderError, JudgeError) as error:
            raise InputError(str(error)) from None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The subcommand; `watch` if the first argument names none."""
        if args and args[0] not in self.commands and not args[0].startswith("-"):
            args = ["watch", *args]
        return super().resolve_command(ctx, args)


@click.group(cls=_Default, invoke_without_command=True)
@click.pass_context
def learn(ctx: click.Context) -> int | None:
    """Derive a backward pass line by line, checked as you write.

    Begin with `learn start`, which writes a folder of small files with blanks; then `learn` checks the present one
    whenever it is saved.
    """
    return ctx.invoke(watch) if ctx.invoked_subcommand is None else None


@learn.command()
@click.argument("directory", type=PATH, default=FOLDER, metavar="[DIR]")
@click.option("--lang", type=click.Choice(LANGUAGES), default="en", help="The language of the texts.")
def start(directory: Path, lang: str) -> int:
    """Write the exercises into a new folder."""
    folder = folders.start(directory, lang)  # type: ignore[arg-type]
    first = folder.exercise()
    print(sentence(FRAME, "started", lang, folder=printable(directory), file=printable(folder.file(first))))
    print(f"    tinygrad-cnn learn {printable(directory)}")
    return 0


@learn.command()
@click.argument("file", type=PATH)
@click.option("--lang", type=click.Choice(LANGUAGES), help="The language; by default that of the folder.")
def check(file: Path, lang: str | None) -> int:
    """Judge one file: exit code 0 if it is right, 1 if not yet."""
    exercise = folders.exercise_of(file)
    try:
        folder = folders.opened(file.resolve().parents[1])
    except folders.FolderError:
        folder = None  # a file that was handed in, without its folder
    if not file.exists():
        raise InputError(f"{file}: is not there")
    source, outcome = file.read_bytes(), judged(exercise, file)
    language = lang or (folder.language if folder is not None else "en")
    print(f"{'✓' if outcome.solved else '✗'} {exercise.number} {exercise.title[language]}")
    for paragraph in paragraphs(outcome, language):
        print("\n".join(map(printable, paragraph.splitlines())))
    if folder is not None:
        folder.judged(exercise, source, outcome)
    return 0 if outcome.solved else 1


@learn.command()
@click.argument("directory", type=PATH, required=False, metavar="[DIR]")
@click.option("--html", type=PATH, metavar="FILE", help="Write a page instead.")
def report(directory: Path | None, html: Path | None) -> int:
    """Show what was done: solved, when, attempts, hints, and whether the solution was looked at."""
    folder = _opened(directory)
    with extra("learn", "learn report"):
        from rich.console import Console

        from tinygrad_cnn.learn.report import page, rendered
    if html is None:
        Console(highlight=False).print(rendered(folder))
        return 0
    try:
        files.write(html, page(folder).encode())
    except OSError as error:
        raise InputError(f"{html}: cannot be written: {error.strerror or error}") from None
    print(f"Wrote {printable(html)}.")
    return 0


@learn.command()
@click.argument("directory", type=PATH, metavar="DIR")
@click.option("--lang", type=click.Choice(LANGUAGES), help="The language; by default that of the folder.")
def notebooks(directory: Path, lang: str | None) -> int:
    """Write the exercises as Jupyter notebooks, into a new folder or that of `learn start`."""
    written = books.write(directory, lang)  # type: ignore[arg-type]
    print(f"Wrote {len(written)} notebooks into {printable(directory)}. Begin with {printable(written[0])}.")
    return 0


@learn.command(hidden=True)
@click.argument("directory", type=PATH, required=False, metavar="[DIR]")
def watch(directory: Path | None) -> int:
    """Check the present exercise whenever it is saved."""
    folder = _opened(directory)
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise InputError("learn needs a terminal; to judge one file there is: tinygrad-cnn learn check FILE")
    with extra("learn", "learn"):
        from tinygrad_cnn.learn.screen import Screen

    Screen(folder).run()
    return 0


def _opened(directory: Path | None) -> folders.Folder:
    """The learner's folder: the one named, or this one, or the one here that `learn start` makes by itself."""
    if directory is None:
        directory = next((p for p in (Path(), FOLDER) if (p / folders.PROGRESS).exists()), FOLDER)
    return folders.opened(directory)
