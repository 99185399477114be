"""The command, run within the process of the tests."""

from __future__ import annotations

import contextlib
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tinygrad_cnn import cli
from tinygrad_cnn.cli import signals

Run = Callable[..., tuple[int, str, str]]


@contextlib.contextmanager
def command_in(folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Iterator[Run]:
    """A function that runs the command in a folder; it gives (exit code, standard output, standard error)."""
    monkeypatch.chdir(folder)
    handlers = {number: signal.getsignal(number) for number in signals.HANDLED}

    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["tinygrad-cnn", *map(str, arguments)])
        with pytest.raises(SystemExit) as caught:
            cli.main()
        out, err = capfd.readouterr()
        return caught.value.code, out, err

    yield run
    for number, handler in handlers.items():
        signal.signal(number, handler)
