"""Trainings that are killed by SIGKILL at random moments and resumed: the weights are the same, bit for bit.

    python tests/campaigns/resumes.py --kills 100 --seed 0

Each training is killed a few times, each time at a random moment after it was started, and then left to end. What it
returns is compared with what it returns when nothing interrupts it. It has all that could make a difference: dropout,
a schedule, a transform in threads, batch norm, early stopping, a compiled step, and a last batch of another size.
"""

from __future__ import annotations

import argparse
import itertools
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent.parent
EPOCHS = 40


def train(folder: Path, workers: int, compiled: bool) -> None:
    """The training, in a process of its own; what it returns is in `folder`/result."""
    import numpy as np

    import tinygrad_cnn as tg
    from tinygrad_cnn import nn
    from tinygrad_cnn.train import Batch, DataLoader, fit

    rng = np.random.default_rng(0)
    x = rng.normal(size=(110, 1, 6, 6))
    y = (x.sum(axis=(1, 2, 3)) > 0).astype(int)
    model = nn.Sequential(
        nn.Conv2d(1, 4, 3, padding="same"), nn.BatchNorm(), nn.relu, nn.Flatten(), nn.Linear(None, 400), nn.relu,
        nn.Dropout(0.2), nn.Linear(None, 2),
    ).init(rng, x)  # fmt: skip

    def loss(model: Any, state: Any, x: Any, y: Any, rng: Any) -> Any:
        logits, state = (model(x, state), state) if rng is None else model.train(x, state, rng)
        return nn.softmax_cross_entropy(logits, y), state

    def noise(batch: Batch, rng: np.random.Generator) -> Batch:
        return Batch(batch.x + 0.1 * rng.normal(size=batch.x.shape), batch.y)

    loader = DataLoader(x[:90], y[:90], batch_size=16, transform=noise, workers=workers)
    optimiser = nn.AdamW(nn.cosine_schedule(0.01, steps=6 * EPOCHS))
    print("began", flush=True)
    fitted = fit(
        model, loss, loader, optimiser, epochs=EPOCHS, state=model.init_state(), validation=(x[90:], y[90:]),
        checkpoints=folder / "checkpoints", resume=True, compiled=compiled, patience=35,
    )  # fmt: skip
    history = {name: values for name, values in fitted.history.items() if name != "seconds"}
    tg.save(folder / "result", [fitted.model, fitted.state, fitted.optimiser, history, fitted.best_epoch])


def started(folder: Path, workers: int, compiled: bool) -> subprocess.Popen[str]:
    """A training that has begun."""
    arguments = [sys.executable, "-W", "error", __file__, "--train", str(folder), "--workers", str(workers)]
    process = subprocess.Popen(
        arguments + ([] if compiled else ["--eager"]), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "began\n", process.communicate()[1]
    return process


def result(folder: Path, workers: int, compiled: bool) -> bytes:
    """What a training returns that is left alone, or goes on."""
    process = started(folder, workers, compiled)
    _, errors = process.communicate()
    assert (process.returncode, errors) == (0, ""), errors
    return (folder / "result").read_bytes()


def killed(folder: Path, random_: random.Random, seconds: float, workers: int, compiled: bool) -> bool:
    """Start a training, and kill it within so many seconds; whether it was still running."""
    process = started(folder, workers, compiled)
    time.sleep(random_.uniform(0, seconds))
    running = process.poll() is None
    process.kill()
    process.communicate()
    return running


def campaign(kills: int, seed: int, compiled: bool = True, each: int = 5) -> list[str]:
    """What was wrong, one line for each training that came out different."""
    random_, faults, done = random.Random(seed), [], 0
    with tempfile.TemporaryDirectory() as place:
        expected = result(Path(place) / "alone", 0, compiled)  # and the compiled programs are kept from now on
        began = time.perf_counter()
        assert result(Path(place) / "again", 2, compiled) == expected
        seconds = time.perf_counter() - began
        for number in itertools.count():
            if done >= kills:
                break
            folder, workers = Path(place) / str(number), random_.choice([0, 1, 3])
            for _ in range(min(each, kills - done)):
                if not killed(folder, random_, seconds / 2, workers, compiled):
                    break  # it had ended before
                done += 1
            same = result(folder, workers, compiled) == expected
            left = [path.name for path in folder.rglob("*") if path.name.endswith((".partial", ".damaged"))]
            print(f"{done} of {kills}: {'the same' if same else 'DIFFERENT'}, {left or 'nothing'} left", flush=True)
            if not same or left:
                faults.append(f"training {number} of seed {seed}: same {same}, left {left}")
    return faults


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--eager", action="store_true")
    parser.add_argument("--train", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--workers", type=int, default=0, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.train is not None:
        arguments.train.mkdir(exist_ok=True)
        train(arguments.train, arguments.workers, not arguments.eager)
        return
    faults = campaign(arguments.kills, arguments.seed, not arguments.eager)
    print(*faults, sep="\n")
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()
