"""What a program can be written as, each by a writer of its own, which is imported when it is asked for."""

from __future__ import annotations

import importlib
import os
from dataclasses import dataclass
from typing import Any

from tinygrad_cnn.lowering.instructions import Listing


@dataclass(frozen=True)
class Target:
    """One of them.

    suffix  of its files
    writer  the function that writes it, as "module:name" within this package; it takes a listing and the name of the
            function that the file defines, and returns the file's content as str or bytes
    """

    suffix: str
    writer: str

    def written(self, listing: Listing, name: str, **options: Any) -> str | bytes:
        """A listing as the content of a file."""
        module, function = self.writer.split(":")
        found: str | bytes = getattr(importlib.import_module(f"{__package__}.{module}"), function)(
            listing, name, **options
        )
        return found


TARGETS = {
    "numpy": Target(".py", "numpy_source:source"),
    "c": Target(".c", "c.standalone:source"),
    "js": Target(".js", "javascript:source"),
    "jax": Target(".py", "jax_source:source"),
    "onnx": Target(".onnx", "onnx_graph:source"),
}


def target_of(path: str | os.PathLike[str], to: str | None) -> Target:
    """The target that is asked for, else the first with the suffix of `path`. Raises ValueError if there is none."""
    if to is not None:
        return named(to)
    suffix = os.path.splitext(path)[1]
    found = next((target for target in TARGETS.values() if target.suffix == suffix), None)
    if found is None:
        known = ", ".join(dict.fromkeys([target.suffix for target in TARGETS.values()]))
        raise ValueError(
            f"program: cannot tell from {os.fspath(path)!r} what to write; expected to=, or one of {known}"
        )
    return found


def named(to: str) -> Target:
    """The target of that name. Raises ValueError if there is none."""
    if to not in TARGETS:
        raise ValueError(f"program: to={to!r} is no target; expected one of {', '.join(TARGETS)}")
    return TARGETS[to]
