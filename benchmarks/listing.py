"""The article's listing, which benchmarks measure against where it is found."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

LISTING = Path(__file__).parents[2] / "shared" / "published" / "circle_square_cnn.py"


def load(path: Path) -> ModuleType:
    """The listing as a module of its own, anew at each call. Raises ImportError if it is not there."""
    spec = importlib.util.spec_from_file_location("published_listing", path)
    if spec is None or spec.loader is None or not path.exists():
        raise ImportError(f"not found at {path}")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
