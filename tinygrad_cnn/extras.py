"""The extras of the package, which need more than NumPy, and the error if one is not installed."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator


class MissingExtraError(ImportError):
    """Something needs a package that is not installed. The message is one line, which says what to install.

    extra: the extra that has the package, "" if none has it
    """

    def __init__(self, message: str, package: str | None, extra: str = "") -> None:
        super().__init__(message, name=package)
        self.extra = extra


@contextlib.contextmanager
def extra(name: str, what: str) -> Iterator[None]:
    """Imports within it that fail raise MissingExtraError, which says that `what` needs the extra `name`."""
    try:
        yield
    except ModuleNotFoundError as error:
        package = (error.name or "").split(".")[0]
        if package == __name__.split(".")[0]:
            raise
        raise MissingExtraError(
            f"{what} needs {package}, which is not installed. Run pip install 'tinygrad-cnn[{name}]'", error.name, name
        ) from None
