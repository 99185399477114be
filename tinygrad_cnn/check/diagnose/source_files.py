"""Whose a source file is."""

from __future__ import annotations

import functools
import linecache
import sysconfig

from tinygrad_cnn.sources import PACKAGE

_LIBRARIES = tuple(
    [path for name in ("stdlib", "platstdlib", "purelib", "platlib") if (path := sysconfig.get_path(name))]
)


@functools.lru_cache(maxsize=1024)
def is_somebodys(filename: str) -> bool:
    """Whether a file is neither the package's, wherever that is installed, nor a library's."""
    own = not filename.startswith((PACKAGE, *_LIBRARIES)) and "site-packages" not in filename
    return own and bool(linecache.getlines(filename))
