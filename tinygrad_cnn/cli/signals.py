"""What SIGINT (Ctrl-C), SIGTERM and SIGHUP do to a command.

A handler raises nothing, because an exception may be swallowed wherever it happens to arrive: by a callback of a weak
reference, a `__del__`, an `except:` of a library. It either notes the request, for a loop that asks for it, or removes
what is being written and ends the process.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
from collections.abc import Iterator
from typing import Any

from tinygrad_cnn import files
from tinygrad_cnn.escaping import printable

_NAMES = {"SIGINT": "interrupted", "SIGTERM": "terminated", "SIGHUP": "hung up"}
HANDLED = {getattr(signal, name): verb for name, verb in _NAMES.items() if hasattr(signal, name)}
_SHOW_CURSOR = b"\x1b[?25h"  # a progress bar hides it


class Request:
    """Whether Ctrl-C was pressed, for a loop that asks; a second Ctrl-C ends the process."""

    made = False

    def __call__(self) -> bool:
        """Whether it was."""
        return self.made


_listener: Request | None = None


def install() -> None:
    """Handle the signals until the process ends, except those that its caller ignores (`nohup`)."""
    for number in HANDLED:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _handle)


@contextlib.contextmanager
def noted() -> Iterator[Request]:
    """Within this, the first Ctrl-C is only noted."""
    global _listener
    _listener = Request()
    try:
        yield _listener
    finally:
        _listener = None


def _handle(number: int, frame: Any) -> None:
    if number == signal.SIGINT and _listener is not None and not _listener.made:
        _listener.made = True
    else:
        _end(number)


def _end(number: int) -> None:
    try:
        written = files.give_up()
        what = ", ".join(printable(path) for path in written)
        after = f"after {what} was written" if written else "nothing was written"
        line = f"tinygrad-cnn: {HANDLED[number]}, {after}\n".encode(errors="backslashreplace")
        for output, text in ((1, b""), (2, line)):
            if os.isatty(output):
                text = _SHOW_CURSOR + (b"\n" + text if text else b"")
            if select.select([], [output], [], 0)[1]:  # where nobody reads, it would wait for ever
                os.write(output, text)
    finally:
        os._exit(128 + number)
