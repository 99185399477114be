"""A signal to the command is never swallowed, and what is said of what was written is true."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from campaigns.signals import campaign

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals are otherwise there")

BEGIN = """
import gc, os, pathlib, signal, sys, weakref
from tinygrad_cnn import files
from tinygrad_cnn.cli import signals
signals.install()
send = lambda *_: os.kill(os.getpid(), getattr(signal, sys.argv[1]))
class Thing: pass
"""
MOMENTS = {
    "in a callback of a weak reference": "thing = Thing(); keep = weakref.ref(thing, send); del thing",
    "in a __del__": "Thing.__del__ = send; Thing()",
    "where everything is caught": "try: send()\nexcept BaseException: pass",
    "in a collection of garbage": "thing = Thing(); thing.it = thing; Thing.__del__ = send; del thing; gc.collect()",
    "while a folder is written": """
with files.new_folder(pathlib.Path("new/run")) as aside:
    (aside / "half").touch()
    send()
""",
    "while a file is written": """
with files.new_file(pathlib.Path("a")) as put:
    put(b"half")
    send()
""",
    "in a temporary folder": "import tempfile; tempfile.tempdir = '.'\nwith files.temporary_folder(): send()",
}


def run(code: str, *arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", f"{BEGIN}{code}\nprint('went on')", *arguments],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
@pytest.mark.parametrize("moment", MOMENTS)
def test_a_signal_ends_the_process_wherever_it_arrives_and_leaves_nothing(
    tmp_path: Path, moment: str, name: str
) -> None:
    done = run(MOMENTS[moment], name, folder=tmp_path)
    assert (done.returncode, done.stdout) == (128 + getattr(signal, name), "")
    verb = {"SIGINT": "interrupted", "SIGTERM": "terminated", "SIGHUP": "hung up"}[name]
    assert done.stderr == f"tinygrad-cnn: {verb}, nothing was written\n"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "moved",
    [
        "files.write(pathlib.Path('a'), b'whole'); send()",
        # Between the move and the note of it.
        """
move = pathlib.Path.replace
def replace(path, target):
    move(path, target)
    send()
pathlib.Path.replace = replace
files.write(pathlib.Path("a"), b"whole")
""",
    ],
)
def test_what_was_written_is_kept_and_named(tmp_path: Path, moved: str) -> None:
    done = run(moved, "SIGTERM", folder=tmp_path)
    assert (done.returncode, done.stderr) == (143, "tinygrad-cnn: terminated, after a was written\n")
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("a", b"whole")]


def test_a_loop_is_told_of_the_first_interruption_and_ended_by_the_second(tmp_path: Path) -> None:
    code = """
with signals.noted() as asked:
    print(asked()); send(); print(asked(), flush=True); send()
"""
    done = run(code, "SIGINT", folder=tmp_path)
    assert (done.returncode, done.stdout) == (130, "False\nTrue\n")


def test_a_signal_that_the_caller_ignores_stays_ignored(tmp_path: Path) -> None:
    ignoring = (
        "import os, signal, sys; signal.signal(signal.SIGHUP, signal.SIG_IGN); os.execv(sys.argv[1], sys.argv[1:])"
    )
    done = subprocess.run(
        [sys.executable, "-c", ignoring, sys.executable, "-c", f"{BEGIN}send(); print('went on')", "SIGHUP"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "went on\n")


@pytest.mark.slow
def test_ten_signals_at_random_moments_do_no_harm() -> None:
    """As the command `python tests/campaigns/signals.py --count 300`."""
    faults: list[str] = []
    found = campaign(10, 0, 2, faults.append)
    assert faults == []
    assert found["lost"] == 0
    assert found["sent"] == 10
