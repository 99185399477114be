"""`tinygrad-cnn learn FOLDER` in a pseudo-terminal, and what it shows; docs/recording.py records it."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pexpect
import pyte

PATIENCE = 60.0  # seconds; a busy machine takes long to start Python


class Terminal:
    """The watch mode in a terminal of so many columns and rows."""

    def __init__(self, folder: Path, columns: int, rows: int = 30, cwd: Path | None = None, **environment: str) -> None:
        self.screen = pyte.Screen(columns, rows)
        self.stream = pyte.ByteStream(self.screen)
        # The size of this terminal, and not of that in which the tests run, which xdist gives to its processes.
        inherited = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
        self.process = pexpect.spawn(
            sys.executable,
            ["-m", "tinygrad_cnn", "learn", str(folder)],
            dimensions=(rows, columns),
            env={**inherited, "TERM": "xterm-256color", "BROWSER": "true", **environment},
            cwd=cwd,
        )

    def until(self, text: str, seconds: float = PATIENCE) -> None:
        """Wait until `text` is on the screen."""
        self.wait(lambda: text in self.shown(), f"{text!r} is not on the screen", seconds)

    def without(self, text: str, seconds: float = PATIENCE) -> None:
        """Wait until `text` is on the screen no more."""
        self.wait(lambda: text not in self.shown(), f"{text!r} is still on the screen", seconds)

    def wait(self, reached: Callable[[], bool], fault: str, seconds: float = PATIENCE) -> None:
        """Read what it writes until something is reached."""
        end = time.monotonic() + seconds
        while not reached():
            assert time.monotonic() < end, f"{fault}:\n{self.shown()}"
            self.read(0.2)

    def settle(self, seconds: float = 0.5) -> None:
        """Read what it writes for so long."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.read(0.1)

    def read(self, timeout: float) -> None:
        """Read what it has written."""
        try:
            self.stream.feed(self.process.read_nonblocking(1 << 16, timeout=timeout))
        except pexpect.TIMEOUT:
            return
        except pexpect.EOF:
            raise AssertionError(f"it ended:\n{self.shown()}") from None

    def resize(self, columns: int, rows: int) -> None:
        """Make the terminal another size."""
        self.screen.resize(rows, columns)
        self.process.setwinsize(rows, columns)

    def shown(self) -> str:
        """The lines of the screen; of a letter that takes two columns, the second is left out."""
        return "\n".join(line.rstrip() for line in self.screen.display)

    def ends(self, key: str) -> int:
        """The exit code after a key that ends it."""
        self.process.send(key)
        self.process.expect(pexpect.EOF, timeout=PATIENCE)
        self.process.close()
        return int(self.process.exitstatus)
