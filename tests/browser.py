"""A headless Chromium for the tests of the page, if the machine has one."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from typing import Any

import pytest

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
