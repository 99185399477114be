"""What tests need that is no part of the project, and may not be there: material to measure against, and a browser."""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import settings

ROOT = Path(__file__).parent.parent
# A shell has what it runs in the background ignore Ctrl-C, and so would every process that a test starts.
signal.signal(signal.SIGINT, signal.default_int_handler)
settings.register_profile("project", deadline=None)  # no test judges how long something takes
settings.load_profile("project")
SHARED = ROOT.parent / "shared"
sys.path[:0] = [str(ROOT / "tests" / "support"), str(ROOT / "tests")]


def pytest_configure(config: pytest.Config) -> None:
    """Keep compiled programs in a folder of this run, not in the user's; all its processes share it."""
    if not hasattr(config, "workerinput"):
        folder = tempfile.mkdtemp(prefix="tinygrad_cnn_tests_")
        config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))
        pip = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "pip"
        os.environ.setdefault("PIP_CACHE_DIR", str(pip))  # what it has downloaded is still of use
        os.environ["XDG_CACHE_HOME"] = folder
        if config.getoption("numprocesses", None):  # threads of several processes would wait for each other
            os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    """Let a process that has nothing left to do take over tests of another: the slow ones are not spread evenly."""
    if config.getoption("numprocesses", None) and config.option.dist == "no":
        config.option.dist = "worksteal"


LEFT_OUT = ("public_programs", "exhaustive")  # unless -m asks for them


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what installs packages, and what takes many minutes, unless it is asked for by its marker."""
    markers = [name for name in LEFT_OUT if name not in config.getoption("-m")]
    left_out = [item for item in items if any(map(item.get_closest_marker, markers))]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        kept = set(items).difference(left_out)
        items[:] = [item for item in items if item in kept]


@pytest.fixture(scope="session")
def shared() -> Path:
    """The article's listing and the real drawings, which are no part of the project."""
    if not SHARED.is_dir():
        pytest.skip(f"the article's listing and drawings are not at {SHARED}")
    return SHARED


@pytest.fixture
def listing(shared: Path) -> ModuleType:
    """The article's code as published, run anew for each test, which may set its globals Wc, Bc, Wf and Bf."""
    path = shared / "published" / "circle_square_cnn.py"
    if not path.exists():
        pytest.skip(f"the article's listing is not at {path}")
    spec = importlib.util.spec_from_file_location("published_listing", path)
    module = importlib.util.module_from_spec(spec)
    state = np.random.get_state()
    spec.loader.exec_module(module)  # it draws its parameters from NumPy's one global generator
    np.random.set_state(state)
    return module


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


@pytest.fixture(scope="session")
def serious_faults() -> Callable[[Any], list[str]]:
    """What axe-core finds in a page that is serious or worse; the page is opened with bypass_csp=True."""
    axe = pytest.importorskip("axe_playwright_python", reason="pip install '.[test]' has axe-playwright-python")
    script = next(Path(axe.__file__).parent.rglob("axe.min.js")).read_text(encoding="utf-8")

    def faults(page: Any) -> list[str]:
        page.evaluate(script)
        found = page.evaluate("axe.run()")["violations"]
        worse = [fault for fault in found if fault["impact"] in ("serious", "critical")]
        return [f"{fault['id']}: {node['html'][:200]}" for fault in worse for node in fault["nodes"]]

    return faults
