"""What is installed beyond NumPy: the extras of the package, and what is said where one is missing."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator


class MissingExtraError(ImportError):
    """Something needs a package that is not installed. The message is one line, which says what to install."""


@contextlib.contextmanager
def extra(name: str, what: str) -> Iterator[None]:
    """Let what is imported within be missing: then MissingExtraError says that `what` needs the extra `name`."""
    try:
        yield
    except ModuleNotFoundError as error:
        package = (error.name or "").split(".")[0]
        if package == __name__.split(".")[0]:
            raise
        raise MissingExtraError(
            f"{what} needs {package}, which is not installed: pip install 'tinygrad-cnn[{name}]'", name=error.name
        ) from None
