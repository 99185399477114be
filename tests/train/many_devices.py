"""What tests/train/test_many_devices.py runs in processes of their own, for JAX's devices are those of a process.

Arguments: the number of devices, a folder for checkpoints; then, for several processes, the port, how many processes,
and which one this is. It prints a line of JSON.
"""

from __future__ import annotations

import json
import os
import signal
import sys

import jax
import numpy as np

import tinygrad_cnn as tg
from tinygrad_cnn import nn

DIES_AFTER = int(os.environ.get("DIES_AFTER", "0"))  # an epoch, after which this process is killed


def data():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(50, 12))
    return x, rng.integers(0, 3, 50)


def model(x):
    layers = nn.Linear(None, 8), nn.BatchNorm(), nn.relu, nn.Dropout(0.2), nn.Linear(None, 3)
    return nn.Sequential(*layers).init(np.random.default_rng(1), x)


def loss(model, running, x, y, rng):
    out, running = model.train(x, running, rng)
    return nn.softmax_cross_entropy(out, y), running


def die(epoch):
    if epoch.number == DIES_AFTER:
        os.kill(os.getpid(), signal.SIGKILL)


def fitted(devices, checkpoints=None):
    """Training of a network with batch norm and dropout, whose last batch devices cannot share."""
    x, y = data()
    network = model(x)
    how = {"epochs": 4, "batch_size": 16, "state": network.init_state(), "progress": False, "callbacks": [die]}
    if checkpoints is not None:
        how |= {"checkpoints": checkpoints, "resume": True}
    return tg.train.fit(network, loss, (x, y), nn.SGD(0.1), devices=devices, **how)


if __name__ == "__main__":
    devices, folder = int(sys.argv[1]), sys.argv[2]
    jax.config.update("jax_enable_x64", True)
    if len(sys.argv) > 3:
        port, processes, process = sys.argv[3:]
        jax.distributed.initialize(f"localhost:{port}", int(processes), int(process))
    try:
        found = fitted(devices, folder)
    except ConnectionError as error:
        print(json.dumps({"lost": str(error)}), flush=True)
        os._exit(1)  # JAX would wait for the one that has ended
    leaves = [float(np.sum(x)) for x in tg.tree.flatten(found.model).leaves]
    print(json.dumps({"backend": found.backend, "losses": found.history["loss"], "leaves": leaves}), flush=True)
