"""benchmarks/lenet_epoch.py: all that it times take the same step, and what it says of memory grows with the batch."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys

import pytest
from paths import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.peers]

FILE = ROOT / "benchmarks" / "lenet_epoch.py"
PEERS = {"jax": "JAX, jit", "torch": "PyTorch, eager", "mygrad": "MyGrad"}
PREPARE = """
import json, sys
sys.argv[1:] = ["--threads", "1"]
import lenet_epoch
print(json.dumps(list(lenet_epoch.prepared(*lenet_epoch.images(16)))))
"""


def test_the_peers_that_are_installed_give_the_same_loss_and_weights() -> None:
    done = subprocess.run([sys.executable, "-c", PREPARE], cwd=FILE.parent, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    installed = {name for module, name in PEERS.items() if importlib.util.find_spec(module)}
    assert set(json.loads(done.stdout)) >= installed | {"tinygrad_cnn, planned NumPy", "tinygrad_cnn, eager"}


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_the_peak_of_a_larger_batch_is_higher_by_more_than_its_images() -> None:
    command = [sys.executable, str(FILE), "--threads", "1", "--peak", "tinygrad_cnn, eager"]
    small, large = (int(subprocess.check_output([*command, str(batch)])) for batch in (8, 264))
    assert large - small > 256 * 28 * 28 * 4
