"""Where the material is that tests measure against, if it is there at all."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SHARED = ROOT.parent / "shared"
sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session")
def shared() -> Path:
    """The article's listing and the real drawings, which are no part of the project."""
    if not SHARED.is_dir():
        pytest.skip(f"the article's listing and drawings are not at {SHARED}")
    return SHARED
