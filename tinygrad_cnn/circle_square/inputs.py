"""Files that a person gave, read whole and within limits."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any

from tinygrad_cnn.circle_square.errors import InputError, reason

_LARGEST_JSON = 2**26  # bytes: the metrics of a million epochs


def read(path: Path, largest: int, what: str) -> bytes:
    """The content of a regular file of at most `largest` bytes; `what` says what is larger than no such file.

    Raises InputError. A pipe or a device is refused without waiting for what it may give.
    """
    try:
        file = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        with open(file, "rb") as stream:
            mode = os.fstat(file).st_mode
            if not stat.S_ISREG(mode):
                raise InputError(f"{path}: this is {_kind(mode)}; expected a file")
            data = stream.read(largest + 1)
    except OSError as error:
        raise InputError(f"{path}: {reason(error)}") from None
    if len(data) > largest:
        raise InputError(f"{path}: the file is too large for a {what}; expected at most {largest >> 20} MB")
    return data


def read_json(path: Path, what: str) -> Any:
    """What a JSON file holds. Raises InputError."""
    try:
        return json.loads(read(path, _LARGEST_JSON, what))
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: not valid JSON ({error})") from None


def _kind(mode: int) -> str:
    for kind, name in ((stat.S_ISDIR, "a folder"), (stat.S_ISFIFO, "a pipe"), (stat.S_ISSOCK, "a socket")):
        if kind(mode):
            return name
    return "a device"
