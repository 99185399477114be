"""Every example runs, in its order, and says what it should."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from paths import ROOT

pytestmark = pytest.mark.slow

EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
SHORTER = {"10_digits": "2", "11_character_lstm": "2", "13_variational_autoencoder": "20"}  # epochs
NEEDS = {"10_digits": "sklearn", "12_physics_fit": "scipy"}

# What has to stand in what an example prints.
SAYS = {
    "01_data": r"drawings to train on: \(24, 28, 28\) uint8",
    "02_forward": r"loss +\(\) +from +-10\.0359",
    "03_gradients": r"shifted loss, autodiff against hand:\n  Wc  \d\.\de-1[3-7]\n(.*\n)+.*ties='all':  Bc \d\.\de",
    "04_training": r"epoch 500 .*24 of 24 right",
    "05_filter": r"bias -1\.81 -> -1\.92",
    "06_triangles": r"published: step 0\.015, 701 epochs, .*\n  training images right: 100%, test images right: 25%",
    "07_scaling": r"robust +bright +0\.\.10 +0 +5 +100%",
    "08_cross_check": r"gradient of another loss, the shifted one\.(.*\n)+.*dL_dfc = dL_dsig \* sigma \* \(1 - sigma\)",
    "09_pictures": r"loss: 15 steps of 4 parameters\n(.*\n)+.* relu +float64\[24×28×28\] +relu\(conv, at_zero=0\)",
    "10_digits": r"MLP: [5-9]\d\.\d\d% right(.*\n)+CNN: [5-9]\d\.\d\d% right(.*\n)+total +45,162",
    "11_character_lstm": r"epoch  2 .* spelled .*\nof the words that it writes, [2-9]\d% are in the text",
    "12_physics_fit": r"BFGS: .* 17\.2687(.*\n)+Newton-CG: .* 17\.2687(.*\n)+ +g / length +9\.94. \+- 0\.054",
    "13_variational_autoencoder": r"per image: [4-6]\d\d\.\d -> 2\d\d\.\d nats",
    "14_neural_ode": r"loss 0\.0\d+ -> 0\.000\d+, run by (c|numpy)\n",
}


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_runs_and_says_what_it_should(path: Path, tmp_path: Path) -> None:
    if path.stem in NEEDS:
        pytest.importorskip(NEEDS[path.stem])
    shorter = ["--epochs", SHORTER[path.stem]] if path.stem in SHORTER else []
    done = subprocess.run(
        [sys.executable, "-W", "error", str(path), *shorter],
        cwd=tmp_path, capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert re.search(SAYS[path.stem], done.stdout), done.stdout
    for written in re.findall(r"picture: (.*)", done.stdout):
        assert (tmp_path / written).stat().st_size > 1000
