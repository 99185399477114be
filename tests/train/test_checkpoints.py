"""Checkpoints: a training that is interrupted, killed or short of disk continues to the same weights, bit for bit."""

from __future__ import annotations

import contextlib
import functools
import io
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from campaigns.resumes import campaign
from hypothesis import given, settings
from hypothesis import strategies as st
from paths import ROOT

import tinygrad_cnn as tg
from tinygrad_cnn import nn
from tinygrad_cnn.train import DamagedFileError, DataLoader, Epoch, Fitted, fit, steps
from tinygrad_cnn.train.checkpoints import Checkpoints

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 3))
Y = (X[:, 0] > 0).astype(int)
MODEL = {"W": RNG.normal(size=(3, 4)), "V": np.asfortranarray(RNG.normal(size=(4, 2)))}


def loss(model: Any, x: Any, y: Any, rng: np.random.Generator | None) -> Any:
    return nn.softmax_cross_entropy(nn.dropout(np.tanh(x @ model["W"]), 0.2, rng) @ model["V"], y)


def train(folder: Path | None = None, epochs: int = 6, **keywords: Any) -> Fitted:
    arguments = {
        "model": MODEL, "loss": loss, "data": (X, Y), "batch_size": 12, "checkpoints": folder,
        "optimiser": nn.Adam(nn.cosine_schedule(0.05, 24)), "compiled": False, **keywords,
    }  # fmt: skip
    arguments.setdefault("resume", arguments["checkpoints"] is not None)
    return fit(epochs=epochs, **arguments)


def bits(fitted: Fitted) -> Any:
    history = {name: values for name, values in fitted.history.items() if name != "seconds"}
    parts = tg.tree.flatten([fitted.model, fitted.state, fitted.optimiser, history, fitted.best_epoch]).leaves
    return [np.asarray(x).tobytes() for x in parts]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def at_step(*acts: Any) -> DataLoader:
    """The data, and a transform that acts once, before step 10."""
    calls = []

    def transform(batch: Any, rng: Any) -> Any:
        calls.append(1)
        if len(calls) == 11 and acts:
            acts[0]()
        return batch

    return DataLoader(X, Y, batch_size=12, transform=transform)


@pytest.mark.parametrize("compiled", [True, False])
@pytest.mark.parametrize("validation", [None, (X[:9], Y[:9])])
@pytest.mark.parametrize("epochs", [0, 1, 4, 6])
def test_a_resumed_training_ends_as_one_that_was_not_interrupted(
    tmp_path: Path, epochs: int, validation: Any, compiled: bool
) -> None:
    keywords = {"validation": validation, "compiled": compiled}
    train(tmp_path / "run", epochs, **keywords)
    assert bits(train(tmp_path / "run", **keywords)) == bits(train(**keywords, checkpoints=None))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_training_that_a_signal_ended_amid_an_epoch_continues_there(
    tmp_path: Path, number: signal.Signals, capsys: pytest.CaptureFixture[str]
) -> None:
    arrived: list[int] = []
    former = signal.signal(signal.SIGTERM, lambda number, frame: arrived.append(number))
    try:
        fitted = train(tmp_path, data=at_step(lambda: signal.raise_signal(number)), batch_size=None)
    finally:
        signal.signal(signal.SIGTERM, former)
    assert arrived == ([number] if number == signal.SIGTERM else [])  # passed on when all is written
    assert fitted.stopped == "interrupted in epoch 3, after 3 of 4 batches"
    assert f"resume=True continues from {tmp_path}\n" in capsys.readouterr().err
    assert names(tmp_path) == ["checkpoint-000002-000000.safetensors", "checkpoint-000002-000003.safetensors"]
    again = train(tmp_path, data=at_step(), batch_size=None)
    assert bits(again) == bits(train(data=at_step(), batch_size=None))


@given(
    st.lists(st.integers(0, 9), max_size=6), st.integers(1, 4), st.sampled_from([None, (X[:9], Y[:9])]), st.booleans()
)
@settings(max_examples=40)
def test_a_training_that_is_interrupted_after_any_steps_ends_as_one_that_was_not(
    interrupts: list[int], every: int, validation: Any, drop_last: bool
) -> None:
    state = {"next": 99, "steps": 0}

    def transform(batch: Any, rng: np.random.Generator) -> Any:
        state["steps"] += 1
        if state["steps"] == state["next"]:
            signal.raise_signal(signal.SIGINT)
        return batch.x + rng.normal(size=batch.x.shape), batch.y

    loader = DataLoader(X, Y, batch_size=12, transform=transform, drop_last=drop_last)
    keywords = {"data": loader, "batch_size": None, "validation": validation, "every": every}
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stderr(io.StringIO()):
        for after in interrupts:
            state.update(next=after, steps=0)
            train(Path(folder), **keywords)
        state.update(next=99, steps=0)
        assert bits(train(Path(folder), **keywords)) == bits(train(**keywords))


def test_sigterm_ends_a_process_after_the_checkpoint_is_written(tmp_path: Path) -> None:
    code = (
        "import os, signal, numpy as np, tinygrad_cnn as tg\n"
        "def stop(epoch):\n"
        "    if epoch.number == 2: os.kill(os.getpid(), signal.SIGTERM)\n"
        "loss = lambda w, x, y: np.mean((w * x - y) ** 2)\n"
        "tg.train.fit(1.0, loss, (np.ones(4), np.ones(4)), tg.SGD(0.1), epochs=99,\n"
        f"    checkpoints={str(tmp_path / 'run')!r}, callbacks=[stop], compiled=False)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGTERM
    assert done.stderr.startswith("fit: interrupted in epoch 3")
    assert names(tmp_path / "run")[-1] == "checkpoint-000002-000000.safetensors"


def test_the_last_two_are_kept(tmp_path: Path) -> None:
    train(tmp_path, epochs=7, every=2)
    assert names(tmp_path) == ["checkpoint-000006-000000.safetensors", "checkpoint-000007-000000.safetensors"]


def test_checkpoints_are_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    for epoch, batch in ((999_999, 5), (1_000_000, 0), (2, 1_000_001), (2, 7)):
        (tmp_path / f"checkpoint-{epoch:06}-{batch:06}.safetensors").touch()
    (tmp_path / "checkpoint-1.safetensors").touch()
    found = [path.stem for path in Checkpoints(tmp_path, {}).paths()]
    assert found == [
        "checkpoint-000002-000007", "checkpoint-000002-1000001", "checkpoint-999999-000005", "checkpoint-1000000-000000"
    ]  # fmt: skip


def test_a_finished_training_is_returned_as_it_was(tmp_path: Path) -> None:
    first = train(tmp_path, callbacks=[lambda epoch: epoch.number == 3])
    again = train(tmp_path)
    assert bits(first) == bits(again)
    assert first.backend == again.backend == "eager"
    assert first.stopped == again.stopped == "a callback asked for it after epoch 3"


def test_more_epochs_and_more_patience_continue_a_training(tmp_path: Path) -> None:
    keywords = {"validation": (X[:5], 1 - Y[:5])}  # which only gets worse
    assert len(train(tmp_path, patience=2, **keywords).history["epoch"]) == 3
    longer = train(tmp_path, patience=4, **keywords)
    assert bits(longer) == bits(train(patience=4, **keywords))
    assert len(longer.history["epoch"]) == 5


@pytest.mark.parametrize("damage", ["cut", "empty", "bit", "other"])
def test_a_damaged_checkpoint_is_put_aside_and_the_one_before_it_used(tmp_path: Path, damage: str) -> None:
    train(tmp_path, epochs=4)
    last = tmp_path / names(tmp_path)[-1]
    content = bytearray(last.read_bytes())
    content[-9] ^= 4
    damaged = {"cut": last.read_bytes()[:-1], "empty": b"", "bit": bytes(content), "other": os.urandom(500)}[damage]
    last.write_bytes(damaged)
    with pytest.warns(RuntimeWarning, match="is damaged") as caught:
        resumed = train(tmp_path)
    (warning,) = caught
    assert str(last) in str(warning.message)
    assert "\n" not in str(warning.message)
    assert bits(resumed) == bits(train())
    assert last.with_suffix(".damaged").read_bytes() == damaged


@pytest.mark.filterwarnings("ignore:fit:RuntimeWarning")
def test_a_training_does_not_start_anew_where_all_checkpoints_are_damaged(tmp_path: Path) -> None:
    train(tmp_path, epochs=4)
    for path in tmp_path.iterdir():
        path.write_bytes(b"")
    with pytest.raises(DamagedFileError, match=r"fit: no checkpoint in \S+ can be read"):
        train(tmp_path)


OTHER = {"W": np.zeros((3, 5)), "V": np.zeros((5, 2))}


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"model": OTHER}, r"model\.W in \S+ is float64 of shape \(3, 4\); expected float64 of shape \(3, 5\)"),
        ({"model": {**MODEL, "b": np.zeros(2)}}, r"\S+ lacks model\.b; expected the leaves model"),
        ({"data": (X[:39], Y[:39])}, "the number of examples is 39; the checkpoint .* with 40"),
        ({"data": (X, 1 - Y)}, "the checksum of the data is"),
        ({"data": (X + 1, Y)}, "the checksum of the data is"),
        ({"data": (X[:, :2], Y)}, r"the shape of the examples is \[\[2\], 'float64'\]"),
        ({"batch_size": 10}, "batch_size is 10; the checkpoint .* with 12. Resume it with that, or train anew"),
        ({"optimiser": nn.RMSprop(0.05)}, r"optimiser is RMSprop\(.*with Adam\("),
        ({"optimiser": nn.Adam(nn.cosine_schedule(0.05, 25))}, "optimiser is .*25.* with .*24"),
        ({"seed": 1}, "the seed of the order is 1; the checkpoint .* with 0"),
        ({"compiled": True}, "compiled is True; the checkpoint .* with False"),
    ],
)
def test_a_checkpoint_of_another_training_is_refused(tmp_path: Path, keywords: Any, message: str) -> None:
    train(tmp_path, epochs=2)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(ValueError, match=message) as error:
        train(tmp_path, **keywords)
    assert "\n" not in str(error.value)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_layer_with_another_static_field_is_refused(tmp_path: Path) -> None:
    def score(model: Any, x: Any, y: Any) -> Any:
        return nn.softmax_cross_entropy(model(x), y)

    def with_rate(slope: float) -> Any:
        return nn.Sequential(nn.Linear(None, 4), nn.Dropout(slope), nn.Linear(None, 2)).init(
            np.random.default_rng(0), X
        )

    train(tmp_path, model=with_rate(0.1), loss=score)
    with pytest.raises(ValueError, match=r"fit: model\S*rate in \S+ is 0\.1; expected 0\.2"):
        train(tmp_path, model=with_rate(0.2), loss=score)


def test_checkpoints_of_an_earlier_training_are_not_mixed_with_those_of_a_new_one(tmp_path: Path) -> None:
    train(tmp_path, epochs=2)
    with pytest.raises(FileExistsError, match="has checkpoints of an earlier training, such as checkpoint-000002"):
        train(tmp_path, resume=False)


FULL_DISK = """
import resource, sys, numpy as np, tinygrad_cnn as tg
def fill(epoch):
    if epoch.number == 3:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))
def loss(w, x, y):
    return np.mean((np.sum(w) * x - y) ** 2)
try:
    tg.train.fit(np.ones(500), loss, (np.ones(4), np.ones(4)), tg.SGD(1e-5),
        epochs=5, checkpoints=sys.argv[1], callbacks=[fill], compiled=False)
except OSError as error:
    print(error)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no limit to set")
def test_a_full_disk_leaves_the_last_good_checkpoint(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, tmp_path], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    (line,) = done.stdout.splitlines()
    assert "File too large; the last good checkpoint is checkpoint-000002-000000.safetensors" in line
    assert str(tmp_path / "checkpoint-000003-000000.safetensors") in line
    assert names(tmp_path) == ["checkpoint-000001-000000.safetensors", "checkpoint-000002-000000.safetensors"]
    tg.load(tmp_path / "checkpoint-000002-000000.safetensors")


def test_another_backend_is_reported_where_a_training_is_resumed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a machine without the compiler of the first."""
    first = train(tmp_path, epochs=3, compiled=True)
    other = {"c": "numpy", "numpy": "c"}[first.backend]
    if other == "c":
        pytest.skip("there is no C compiler")
    monkeypatch.setattr(steps, "compile", functools.partial(tg.compile, backend=other))
    with pytest.warns(RuntimeWarning, match="was run by c, and is now by numpy: its weights will differ"):
        train(tmp_path, compiled=True)


def test_a_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"):
        train(tmp_path / "file")


@pytest.mark.parametrize("compiled", [True, False])
def test_a_generator_in_the_state_is_continued(tmp_path: Path, compiled: bool) -> None:
    def noisy(w: Any, state: Any, x: Any, y: Any) -> Any:
        return np.mean((w * x + state["rng"].normal(size=x.shape) - y) ** 2), state

    def run(folder: Path, epochs: int) -> Fitted:
        state = {"rng": np.random.default_rng(5)}
        data = (X[:, 0], Y.astype(float))
        return train(folder, epochs, model=1.0, loss=noisy, data=data, state=state, compiled=compiled)

    run(tmp_path / "run", 3)
    assert run(tmp_path / "run", 6).model == run(tmp_path / "other", 6).model


def test_callbacks_get_an_epoch_once_where_a_training_is_resumed(tmp_path: Path) -> None:
    seen: list[int] = []

    def note(epoch: Epoch) -> None:
        seen.append(epoch.number)

    train(tmp_path, epochs=3, callbacks=[note])
    train(tmp_path, callbacks=[note])
    assert seen == [1, 2, 3, 4, 5, 6]


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="there is no SIGKILL")
def test_a_training_killed_at_random_moments_ends_with_the_same_weights() -> None:
    assert campaign(kills=10, seed=int.from_bytes(os.urandom(4)), each=3) == []
