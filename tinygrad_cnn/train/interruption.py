"""Ctrl-C and SIGTERM during a training: noted, so that the current step ends and what there is can be saved."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from typing import Any


class Request:
    """Which signal asks the training to stop, if one does."""

    number: int | None = None

    def __call__(self) -> bool:
        """Whether one does."""
        return self.number is not None


@contextlib.contextmanager
def noted(terminate: bool) -> Iterator[Request]:
    """Within this, the first Ctrl-C is only noted, and with `terminate` the first SIGTERM too; a second does as before.

    At the end a SIGTERM is passed on to whatever handled it before. Signals that are ignored (nohup) stay so, and
    outside the main thread, which alone may handle signals, nothing is noted.
    """
    request = Request()
    former: dict[int, Any] = {}

    def restore() -> None:
        for number, handler in former.items():
            signal.signal(number, handler)

    def handle(number: int, frame: Any) -> None:
        if request():
            restore()
            signal.raise_signal(number)
        request.number = number

    if threading.current_thread() is threading.main_thread():
        for number in [signal.SIGINT, signal.SIGTERM] if terminate else [signal.SIGINT]:
            if signal.getsignal(number) not in (signal.SIG_IGN, None):
                former[number] = signal.signal(number, handle)
    try:
        yield request
    finally:
        restore()
    if request.number == signal.SIGTERM:
        signal.raise_signal(signal.SIGTERM)
