"""What tests need that is no part of the project, and may not be there: material to measure against, and a browser."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

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


PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A browser; tests are skipped where there is none."""
    program = os.environ.get("CHROMIUM") or next((found for p in PROGRAMS if (found := shutil.which(p))), None)
    if program is None:
        pytest.skip("there is no Chromium here: apt-get install chromium, or name one in CHROMIUM")
    sync_api = pytest.importorskip("playwright.sync_api", reason="pip install '.[test]' has playwright")
    with sync_api.sync_playwright() as playwright:
        made = playwright.chromium.launch(
            executable_path=program, args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        )
        yield made
        made.close()
