"""The tour's examples run as they stand, in both languages."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pages import blocks

import tinygrad_cnn as tg

TOURS = pytest.mark.parametrize("page", ["docs/tour.md", "docs/ko/tour.md"])


@TOURS
def test_the_model_of_the_tour_runs_and_its_gradient_is_right(page: str) -> None:
    names: dict = {}
    exec(next(block for block in blocks(page) if "def model" in block), names)
    loss, p, x, y = names["loss"], names["p"], names["x"], names["y"]
    assert {k: np.shape(v) for k, v in names["gradient"].items()} == {"Wc": (3, 3), "Bc": (), "Wf": (196,), "Bf": ()}
    for name, step in (("Bc", 1e-6), ("Bf", 1e-6)):
        up, down = (loss({**p, name: p[name] + sign * step}, x, y) for sign in (1, -1))
        assert names["gradient"][name] == pytest.approx((up - down) / (2 * step), rel=1e-6)


@TOURS
def test_the_picture_of_the_tour_is_drawn(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict = {}
    exec(next(block for block in blocks(page) if "def model" in block), names)
    exec(next(block for block in blocks(page) if "tg.render" in block), names)
    assert (tmp_path / "graph.svg").read_text(encoding="utf-8").startswith("<svg")
    assert "max_pool2d" in capsys.readouterr().out


@TOURS
def test_the_primitive_of_the_tour_runs(page: str) -> None:
    names = {"tg": tg, "np": np}
    exec(next(block for block in blocks(page) if "softplus" in block), names)
    assert tg.grad(names["softplus"])(0.0) == 0.5
