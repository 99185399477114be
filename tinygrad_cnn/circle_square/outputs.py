"""Files and folders that a person asked for, written whole or not at all; see `tinygrad_cnn.files`."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

from tinygrad_cnn import files
from tinygrad_cnn.circle_square.errors import InputError, reason


@contextlib.contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """A folder to fill, which becomes `path` at the end. Raises InputError where that is not possible."""
    with _refusing(path), files.new_folder(path) as aside:
        yield aside


@contextlib.contextmanager
def new_file(path: Path) -> Iterator[Callable[[bytes], None]]:
    """A function that takes the content of `path`. Raises InputError at once if it cannot be written to."""
    with _refusing(path), files.new_file(path) as put:
        yield put


@contextlib.contextmanager
def _refusing(path: Path) -> Iterator[None]:
    try:
        yield
    except FileExistsError as error:
        raise InputError(f"{path}: {reason(error)}") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {reason(error)}") from None
