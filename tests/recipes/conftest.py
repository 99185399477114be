"""Trainings that take a second instead of half a minute."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from commands import command_in

from tinygrad_cnn.circle_square.drawing import draw
from tinygrad_cnn.circle_square.images import write_image
from tinygrad_cnn.recipes import cnn, synthetic, training

SHAPES = {"circles": "circle", "squares": "square", "triangles": "triangle"}


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few variants, and few of what else there are many of."""
    for module, name, value in (
        (cnn, "VARIANTS", 192), (cnn, "SCRIBBLES", 32), (synthetic, "EACH", 20), (training, "NONE", 10),
    ):  # fmt: skip
        monkeypatch.setattr(module, name, value)


@pytest.fixture(scope="session")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of 14 drawings of each of three classes."""
    folder = tmp_path_factory.mktemp("drawn") / "drawings"
    rng = np.random.default_rng(0)
    for name, shape in SHAPES.items():
        (folder / name).mkdir(parents=True)
        for i in range(1, 15):
            write_image(folder / name / f"drawing({i}).png", draw(shape, rng))
    return folder


@pytest.fixture
def drawings(drawn: Path, tmp_path: Path) -> Path:
    """A copy of it, to be changed."""
    return Path(shutil.copytree(drawn, tmp_path / "drawings"))


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd):
    """Run the command in an empty folder; gives (exit code, standard output, standard error)."""
    (tmp_path / "here").mkdir()
    monkeypatch.setenv("COLUMNS", "200")
    with command_in(tmp_path / "here", monkeypatch, capfd) as run:
        yield run
