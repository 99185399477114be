"""What the commands have in common: kinds of arguments, and ending early."""

from __future__ import annotations

import contextlib
import math
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from tinygrad_cnn.circle_square.tasks import TASKS

path = click.Path(path_type=Path)
task = click.option(
    "--task", type=click.Choice(sorted(TASKS)), default="circle-square", help="What is to be told apart."
)


def positive(ctx: click.Context, param: click.Parameter, value: float | None) -> float | None:
    """`value`, or click.BadParameter if it is not a finite number above 0."""
    if value is not None and not 0 < value < math.inf:
        raise click.BadParameter(f"{value} is not a finite number above 0")
    return value


class Interruption:
    """Whether Ctrl-C was pressed, and a function that asks."""

    requested = False

    def __call__(self) -> bool:
        """Whether it was."""
        return self.requested


@contextlib.contextmanager
def interruption() -> Iterator[Interruption]:
    """Within this, Ctrl-C raises nothing: it is noted, and what is at work asks for it."""
    asked = Interruption()

    def note(*_: Any) -> None:
        asked.requested = True

    before = signal.signal(signal.SIGINT, note)
    try:
        yield asked
    finally:
        signal.signal(signal.SIGINT, before)
