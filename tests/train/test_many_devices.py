"""Training and gradients on many devices of JAX's, in one process and in several: those of one device, to rounding."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("jax")

import many_devices

SCRIPT = Path(many_devices.__file__)


def started(devices: int, folder: Path, *of_many: Any, each: int = 1, **environment: str) -> subprocess.Popen[str]:
    """The script in a process with `each` devices."""
    return subprocess.Popen(
        [sys.executable, str(SCRIPT), str(devices), str(folder), *map(str, of_many)],
        env=os.environ | {"XLA_FLAGS": f"--xla_force_host_platform_device_count={each}"} | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def result(process: subprocess.Popen[str], code: int = 0) -> dict[str, Any]:
    out, errors = process.communicate(timeout=300)
    assert process.returncode == code, errors
    return dict(json.loads(out.splitlines()[-1]))


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("localhost", 0))
        return int(found.getsockname()[1])


@pytest.fixture(scope="module")
def alone() -> Any:
    """The same training by our own programs, on no device of JAX's."""
    return many_devices.fitted(None)


def assert_same(found: dict[str, Any], alone: Any) -> None:
    assert found["losses"] == pytest.approx(alone.history["loss"], rel=1e-12)
    expected = [np.sum(x) for x in many_devices.tg.tree.flatten(alone.model).leaves]
    assert found["leaves"] == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_eight_devices_train_as_one_does_and_go_on_from_its_checkpoint(alone: Any, tmp_path: Path) -> None:
    found = result(started(8, tmp_path, each=8))
    assert found["backend"] == "jax: 8 devices"
    assert_same(found, alone)
    (last, *_) = sorted(tmp_path.glob("*.safetensors"), reverse=True)
    last.unlink()  # as if the last epoch had not been trained
    assert_same(result(started(2, tmp_path, each=2)), alone)


def test_when_a_process_of_four_is_killed_the_others_end_with_one_line_and_the_training_is_resumed(
    alone: Any, tmp_path: Path
) -> None:
    port = free_port()
    four = [started(4, tmp_path, port, 4, k, DIES_AFTER="2" if k == 3 else "0") for k in range(4)]
    four[3].communicate(timeout=300)
    for process in four[:3]:
        (line,) = result(process, 1).values()
        assert line.startswith("fit: the 4 processes have lost one of them, or their connection (")
        assert "\n" not in line
    assert list(tmp_path.glob("checkpoint-000001-*"))
    port = free_port()
    two = [started(4, tmp_path, port, 2, k, each=2) for k in range(2)]
    for process in two:
        assert_same(result(process), alone)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (
            "tg.data_parallel(np.sin, devices=9)",
            "data_parallel: devices is 9, and JAX has 2 (cpu); expected 1 to 2. A CPU is as many as "
            "XLA_FLAGS=--xla_force_host_platform_device_count=9 says, set before JAX begins",
        ),
        (
            "tg.data_parallel(np.sin)(np.ones(3))",
            "data_parallel: argument 0 has 3 examples along axis 0, which 2 devices cannot share equally; expected a "
            "multiple of 2",
        ),
        (
            "tg.data_parallel(np.sin, in_axes=1)(np.ones(2))",
            "data_parallel: in_axes is 1 for argument 0, of which the array has shape (2,); expected one of its axes",
        ),
        (
            "tg.data_parallel(np.sin, in_axes=(0, None))(np.ones(2))",
            "data_parallel: in_axes has 2 items, and the call 1 arguments; expected as many",
        ),
        (
            "tg.train.fit(1.0, np.dot, (np.ones(6), np.ones(6)), tg.SGD(1), epochs=1, batch_size=3, devices=2)",
            "fit: batch_size is 3, which 2 devices cannot share equally; expected a multiple of 2",
        ),
        (
            "tg.train.fit(1.0, np.dot, (np.ones(6), np.ones(6)), tg.SGD(1), epochs=1, devices=0)",
            "fit: devices is 0; expected a number of devices of at least 1, or None",
        ),
    ],
)
def test_what_is_refused(code: str, message: str, two_devices: Any) -> None:
    assert two_devices(code) == message


def test_a_dict_keeps_its_order_and_a_string_is_no_argument_of_xla(two_devices: Any) -> None:
    f = "lambda p, way: {'b': np.cumsum(p['b']) if way == 'up' else p['b'], 'a': 2 * p['a']}"
    given = "{'b': np.ones(4, 'f'), 'a': np.ones(4, 'f')}"
    code = f"[(k, x.tolist()) for k, x in tg.data_parallel({f}, (0, None))({given}, 'up').items()]"
    assert two_devices(code) == "[('b', [1.0, 2.0, 3.0, 4.0]), ('a', [2.0, 2.0, 2.0, 2.0])]"


@pytest.fixture(scope="module")
def two_devices() -> Any:
    """A function that evaluates an expression in a process with two devices: the result, or the message of an error."""
    script = (
        "import sys, numpy as np, tinygrad_cnn as tg\n"
        "for line in sys.stdin:\n"
        "    try:\n        print(eval(line), flush=True)\n"
        "    except Exception as error:\n        print(error, flush=True)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script],
        env=os.environ | {"XLA_FLAGS": "--xla_force_host_platform_device_count=2"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )

    def asked(code: str) -> str:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(code + "\n")
        process.stdin.flush()
        return process.stdout.readline().rstrip("\n")

    yield asked
    process.communicate(timeout=60)
