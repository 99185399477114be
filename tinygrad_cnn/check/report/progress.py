"""A progress bar for a check that takes long, if there is a terminal to show it on."""

from __future__ import annotations

import sys
import time
from typing import Any

from tinygrad_cnn.extras import extra


class Progress:
    """How many of `total` slopes have been taken. shown: whether to show it; None: after two seconds, on a terminal."""

    def __init__(self, total: int, shown: bool | None = None) -> None:
        self.total, self.done = total, 0
        self.shown = shown if shown is not None else sys.stderr.isatty()
        self.after = 0.0 if shown else 2.0
        self.bar: Any = None

    def __enter__(self) -> Progress:
        self.began = time.perf_counter()
        return self

    def advance(self) -> None:
        """One more slope has been taken."""
        self.done += 1
        if not self.shown or time.perf_counter() - self.began < self.after:
            return
        if self.bar is None:
            with extra("check", "a progress bar"):
                from rich.console import Console
                from rich.progress import Progress as Bar

            self.bar = Bar(console=Console(stderr=True), transient=True)
            self.task = self.bar.add_task("finite differences", total=self.total)
            self.bar.start()
        self.bar.update(self.task, completed=self.done)

    def __exit__(self, *_: object) -> None:
        if self.bar is not None:
            self.bar.stop()
