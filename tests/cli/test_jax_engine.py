"""`tinygrad-cnn train --engine jax`: what it refuses, in one line and with nothing written, and what it trains."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from commands import Run, command_in

pytestmark = pytest.mark.cli
FORCED = "--xla_force_host_platform_device_count"


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Iterator[Run]:
    """Run the command in an empty folder; gives (exit code, standard output, standard error)."""
    with command_in(tmp_path, monkeypatch, capfd) as run:
        yield run


def in_a_process(folder: Path, arguments: str, flags: str = "") -> tuple[int, str, str]:
    """The command in a process of its own, for JAX's devices are those of a process."""
    done = subprocess.run(
        [sys.executable, "-m", "tinygrad_cnn", "train", *arguments.split()],
        cwd=folder, env=os.environ | {"XLA_FLAGS": flags}, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (
            "--recipe cnn --devices 2",
            "--devices has no effect without --engine jax. Leave it out, or pass --engine jax",
        ),
        (
            "--recipe cnn --coordinator a:1",
            "--coordinator has no effect without --engine jax. Leave it out, or pass --engine jax",
        ),
        ("--engine jax", "--engine jax has no effect with --recipe published; expected cnn or synthetic"),
        (
            "--engine jax --recipe robust",
            "--engine jax has no effect with --recipe robust; expected cnn or synthetic",
        ),
        ("--engine jax --recipe cnn --processes 2", "--processes and --process need --coordinator HOST:PORT"),
        ("--engine jax --recipe cnn --coordinator a:1", "--coordinator needs --processes and --process too"),
        (
            "--engine jax --recipe cnn --coordinator a:1 --processes 2",
            "--coordinator needs --process too",
        ),
        *[
            (
                f"--engine jax --recipe cnn --coordinator {address} --processes 2 --process 0",
                f"--coordinator '{address}': expected HOST:PORT, such as node1:1234",
            )
            for address in ("node1", "node1:", ":1234", "node1:port", "node1:0", "node1:65536", "http://node1:80")
        ],
        (
            "--engine jax --recipe cnn --coordinator a:1 --processes 4 --process 4",
            "--process 4: expected 0 to 3, for --processes 4",
        ),
        (
            "--engine jax --recipe cnn --devices 3 --coordinator a:1 --processes 2 --process 0",
            "--devices 3 cannot be shared equally by 2 processes",
        ),
    ],
)
def test_options_that_do_not_go_together_are_refused_before_jax_begins(
    command: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: str, error: str
) -> None:
    monkeypatch.setitem(sys.modules, "jax", None)  # an import of it would be another error
    assert command("train", "-q", *arguments.split()) == (2, "", f"tinygrad-cnn: {error}\n")
    assert list(tmp_path.iterdir()) == []


def test_without_jax_it_says_what_to_install(command: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jax", None)
    message = "--engine jax needs jax, which is not installed. Run pip install 'tinygrad-cnn[jax]'"
    assert command("train", "-q", "--engine", "jax", "--recipe", "cnn") == (2, "", f"tinygrad-cnn: {message}\n")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
class TestWithJax:
    """These start JAX."""

    @pytest.fixture(autouse=True)
    def _with_jax(self) -> None:
        pytest.importorskip("jax")

    @pytest.mark.parametrize(
        ("arguments", "flags", "error"),
        [
            ("--devices 5", "", "--devices 5 cannot share a batch of 64 equally; expected a divisor of it"),
            (
                "--devices 4",
                f"{FORCED}=2",
                f"--devices 4: JAX has 2 (cpu). Ask for at most 2; to have more on a CPU, leave {FORCED} out of "
                "XLA_FLAGS",
            ),
        ],
    )
    def test_devices_that_it_cannot_use(self, tmp_path: Path, arguments: str, flags: str, error: str) -> None:
        found = in_a_process(tmp_path, f"-q --engine jax --recipe cnn {arguments}", flags)
        assert found == (2, "", f"tinygrad-cnn: {error}\n")
        assert list(tmp_path.iterdir()) == []

    def test_a_port_in_use(self, tmp_path: Path) -> None:
        with socket.create_server(("localhost", 0)) as taken:
            where = f"localhost:{taken.getsockname()[1]}"
            found = in_a_process(
                tmp_path, f"-q --engine jax --recipe cnn --coordinator {where} --processes 2 --process 0"
            )
        message = (
            f"--coordinator {where}: this process cannot listen there: Address already in use. Choose another port"
        )
        assert found == (2, "", f"tinygrad-cnn: {message}\n")
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize("process", [0, 1])
    def test_processes_that_do_not_meet(self, process: int) -> None:
        where = f"localhost:{free_port()}"
        code = (
            "from tinygrad_cnn.cli import jax_engine\njax_engine.WAITED = 1\n"
            f"jax_engine.begin(None, {where!r}, 2, {process})"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
        assert (done.returncode, done.stderr) == (
            2,
            f"tinygrad-cnn: --coordinator {where}: the 2 processes have not met there in 1 s. Start all of them, with "
            "one address that each can reach\n",
        )

    def test_two_processes_train_as_the_engine_of_the_package_does_and_the_first_writes(self, tmp_path: Path) -> None:
        where = f"--coordinator localhost:{free_port()} --processes 2"
        each = [
            started(tmp_path, f"--out many --engine jax --devices 2 {where} --process {k} {quiet}")
            for k, quiet in ((0, "--json"), (1, "-q"))
        ]
        (out, _), others = [process.communicate(timeout=300) for process in each]
        assert [process.returncode for process in each] == [0, 0]
        assert others == ("", "")
        assert [path.name for path in tmp_path.iterdir()] == ["many"]
        found = json.loads(out)
        expected = json.loads(started(tmp_path, "--out own --json").communicate(timeout=300)[0])
        assert (found["backend"], expected["backend"]) == ("jax: 2 devices", "c")
        assert found["losses"] == pytest.approx(expected["losses"], rel=1e-5)  # float32
        assert found["accuracies"] == expected["accuracies"]


def free_port() -> int:
    with socket.create_server(("localhost", 0)) as found:
        return int(found.getsockname()[1])


FEW = """
import sys
from tinygrad_cnn import cli
from tinygrad_cnn.recipes import cnn
cnn.VARIANTS, cnn.SCRIBBLES = 128, 64  # in place of thousands
sys.argv = ["tinygrad-cnn", "train", "--recipe", "cnn", "--epochs", "1", *sys.argv[1:]]
cli.main()
"""


def started(folder: Path, arguments: str) -> subprocess.Popen[str]:
    """A training on few drawings."""
    return subprocess.Popen(
        [sys.executable, "-c", FEW, *arguments.split()], cwd=folder, env=os.environ | {"XLA_FLAGS": ""},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
