"""The extras of the package, which need more than NumPy, and the error if one is not installed."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator


class MissingExtraError(ImportError):
    """Something needs a package of the extra `extra`, which is not installed. The message says so in one line."""

    extra = ""


@contextlib.contextmanager
def extra(name: str, what: str) -> Iterator[None]:
    """Imports within it that fail raise MissingExtraError, which says that `what` needs the extra `name`."""
    try:
        yield
    except ModuleNotFoundError as error:
        package = (error.name or "").split(".")[0]
        if package == __name__.split(".")[0]:
            raise
        missing = MissingExtraError(
            f"{what} needs {package}, which is not installed. Run pip install 'tinygrad-cnn[{name}]'", name=error.name
        )
        missing.extra = name
        raise missing from None
