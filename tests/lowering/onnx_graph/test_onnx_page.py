"""The page docs/programs.md: its example of ONNX runs, in both languages."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from lowering.onnx_graph.in_onnxruntime import needs_onnxruntime
from paths import ROOT

import tinygrad_cnn as tg

needs_onnxruntime()


@pytest.mark.parametrize("page", ["docs/programs.md", "docs/ko/programs.md"])
def test_the_example_computes_the_loss_and_its_gradient(page: str, tmp_path: Path, monkeypatch) -> None:
    section = re.search(r"^## ONNX\n(.*?)^## ", (ROOT / page).read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert section is not None
    (code,) = re.findall(r"```python\n(.*?)```", section.group(1), re.DOTALL)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "example.py").write_text(code)
    space: dict = {}
    exec(compile(code, "example.py", "exec"), space)
    value, gradient = tg.value_and_grad(space["loss"])(space["p"], space["x"][:5], space["y"][:5])
    np.testing.assert_allclose(space["value"], value, rtol=1e-12)
    np.testing.assert_allclose(space["dL_dW"], gradient["W"], rtol=1e-11)
    np.testing.assert_allclose(space["dL_dv"], gradient["v"], rtol=1e-11)
