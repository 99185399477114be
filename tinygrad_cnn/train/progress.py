"""The progress bar of a training, on stderr."""

from __future__ import annotations

import contextlib
import importlib.util
import sys
from collections.abc import Callable, Iterator

from tinygrad_cnn.extras import extra

Show = Callable[[str], None]  # called after each batch, with what is known


@contextlib.contextmanager
def bar(wanted: bool | None, steps: int, done: int) -> Iterator[Show]:
    """A function to call after each step. wanted: by default, None, where stderr is a terminal and Rich is there."""
    if wanted is None:
        wanted = sys.stderr is not None and sys.stderr.isatty() and importlib.util.find_spec("rich") is not None
    if not wanted:
        yield lambda text: None
        return
    with extra("train", "a progress bar"):
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
    columns = (BarColumn(), TextColumn("{task.description}"), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("", total=steps, completed=done)
        yield lambda text: progress.update(task, advance=1, description=text)
