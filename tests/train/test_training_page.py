"""docs/training.md: its program runs, and gives what the page says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pages import blocks

import tinygrad_cnn as tg


def test_the_program_of_the_page_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    space: dict[str, Any] = {}
    exec("\n".join(blocks("docs/training.md")), space)
    assert space["fitted"].backend in ("c", "numpy")
    assert len(list((tmp_path / "run").iterdir())) == 2
    again = space["run"]()
    for first, second in zip(*[tg.tree.flatten(f.model).leaves for f in (space["fitted"], again)], strict=True):
        assert np.array_equal(first, second)
    trained, average = (tg.tree.flatten(t).leaves for t in (space["fitted"].model, space["average"]))
    assert [x.shape for x in trained] == [x.shape for x in average]
    assert any(not np.array_equal(a, b) for a, b in zip(trained, average, strict=True))
