"""A learner's file, run in a process of its own: within time limits, and whatever it prints.

What is limited is the time of the processor, since a right answer takes as long as it likes on a busy machine; and, far
more generously, the time by the clock, which a file that waits for something needs.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import IO

from tinygrad_cnn import files
from tinygrad_cnn.learn.course import Exercise
from tinygrad_cnn.learn.outcome import Line, Outcome, from_json

SECONDS = 10.0  # of the processor
BY_THE_CLOCK = 6  # times as many
FAULT = 3  # the exit code of a judge that fails by itself
PRINTED, PRINTED_LINES = 2_000, 20  # characters and lines of what it prints that are shown


# How a process ends that was stopped by the clock, and one that has no more time of the processor.
_OUT_OF_TIME = (None, -signal.SIGXCPU) if hasattr(signal, "SIGXCPU") else (None,)


class JudgeError(RuntimeError):
    """The judge itself failed, which is a fault of the exercise or of the library."""


def judged(exercise: Exercise, path: Path, seconds: float = SECONDS) -> Outcome:
    """The verdict on the answer at `path`, for which the processor may take so many seconds. Raises JudgeError."""
    unknown = [Line(blank.name, "unknown") for blank in exercise.blanks]
    try:
        path.read_bytes()
    except FileNotFoundError:
        return Outcome(False, unknown, "not_there")
    except OSError as error:
        return Outcome(False, unknown, "not_readable", {"message": error.strerror or str(error)})
    with files.temporary_folder() as scratch:
        out = scratch / "outcome.json"
        code, printed = _run(exercise, path, out, seconds)
        if code in _OUT_OF_TIME:
            limit = BY_THE_CLOCK * seconds if code is None else seconds
            return Outcome(False, unknown, "too_slow", {"seconds": f"{limit:g}"}, printed=printed)
        assert code is not None
        if code == 0 and out.exists():
            return replace(from_json(out.read_text(encoding="utf-8")), printed=printed)
        message = f"exit code {code}" if code >= 0 else signal.Signals(-code).name
        return Outcome(False, unknown, "ended", {"message": message}, printed=printed)


def write_page(exercise: Exercise, path: Path, page: Path, seconds: float = 3 * SECONDS) -> bool:
    """Write the graph with the learner's cotangents as a page. False if there is none yet. Raises JudgeError."""
    page.unlink(missing_ok=True)
    _run(exercise, path, page, seconds)
    return page.exists()


def _run(exercise: Exercise, path: Path, out: Path, seconds: float) -> tuple[int | None, str]:
    """Run the judge, with its exit code, None if it was stopped by the clock, and what was printed."""
    arguments = [exercise.number, str(path.resolve()), str(out.resolve()), str(seconds)]
    process = subprocess.Popen(
        [sys.executable, "-m", "tinygrad_cnn.learn.judge", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        cwd=path.resolve().parent,
        env=_environment(),
        start_new_session=True,
    )
    assert process.stdout is not None
    printed = _Reader(process.stdout)
    try:
        code = process.wait(BY_THE_CLOCK * seconds)
    except subprocess.TimeoutExpired:
        _kill(process)
        return None, printed.text()
    except BaseException:
        _kill(process)
        raise
    if code == FAULT:
        raise JudgeError(f"exercise {exercise.number} could not be judged:\n{printed.kept.decode(errors='replace')}")
    return code, printed.text()


class _Reader(threading.Thread):
    """Reads what a process prints, and keeps the beginning."""

    def __init__(self, stream: IO[bytes]) -> None:
        super().__init__(daemon=True)
        self.stream, self.kept, self.dropped = stream, b"", False
        self.start()

    def run(self) -> None:
        with contextlib.suppress(ValueError, OSError), self.stream:
            while part := self.stream.read1(1 << 16):  # type: ignore[attr-defined]
                self.dropped |= len(self.kept) + len(part) > PRINTED
                self.kept = (self.kept + part)[:PRINTED]

    def text(self) -> str:
        """What was printed, with "..." where more was."""
        self.join(1.0)
        lines = self.kept.decode(errors="replace").rstrip().splitlines()
        more = self.dropped or len(lines) > PRINTED_LINES
        return "\n".join(lines[:PRINTED_LINES] + ["..."] * more)


def _environment() -> dict[str, str]:
    """As here, with the library where it was imported from, and one thread: the exercises are small."""
    library = str(Path(__file__).parents[2])
    paths = [p for p in (os.environ.get("PYTHONPATH"), library) if p]
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(paths),
        "PYTHONIOENCODING": "utf-8",
        "OPENBLAS_NUM_THREADS": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def _kill(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    process.wait()
