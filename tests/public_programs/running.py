"""Running cases: each in processes of its own, in a virtual environment that holds the packages."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
import venv
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from public_programs.case import Case, load
from public_programs.verdict import ROOT, command

REQUIREMENTS = Path(__file__).parent / "requirements.txt"
TIMEOUT = 300  # seconds, for one process
AT_ONCE = 2
WAYS = ("cold", "warm", "command")


def environment() -> Path:
    """The Python of an environment with the packages, made when it is first asked for and kept in build/."""
    made = hashlib.sha256(REQUIREMENTS.read_bytes() + sys.version.encode()).hexdigest()[:12]
    folder = ROOT / "build" / "public_programs" / made
    python = folder / "bin" / "python"
    if not (folder / "complete").exists():
        venv.create(folder, with_pip=True, clear=True)
        # Each at its version and without its dependencies, which are listed too: some ask for a NumPy of their own.
        subprocess.run([python, "-m", "pip", "install", "-q", "--no-deps", "-r", REQUIREMENTS], check=True)
        (folder / "complete").touch()
    return python


def run(python: Path, *arguments: str) -> dict[str, Any]:
    """What a process prints, which is JSON, or a refusal that says how it ended."""
    environ = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}", "MPLBACKEND": "agg"}
    with tempfile.TemporaryDirectory() as elsewhere:  # some packages leave files where they are called
        try:
            done = subprocess.run(
                [python, *arguments], capture_output=True, text=True, timeout=TIMEOUT, env=environ, cwd=elsewhere
            )
        except subprocess.TimeoutExpired:
            return {"verdict": "refused", "message": f"no result after {TIMEOUT} seconds", "frames": []}
    lines = done.stdout.splitlines()
    try:
        return json.loads(lines[-1])  # type: ignore[no-any-return]
    except (IndexError, ValueError):
        last = (done.stderr.strip().splitlines() or ["no output"])[-1]
        return {"verdict": "failed", "message": f"exit code {done.returncode}: {last}", "frames": []}


def verdicts(case: Case, python: Path, autograd: bool = False) -> dict[str, Any]:
    """The verdicts on one case: cold, warm, from `python -c`, and, if asked for, autograd's."""
    module = ("-m", "public_programs.verdict", case.name)
    found = run(python, *module)
    if "truth" not in found:  # the process ended without a word
        return dict.fromkeys(WAYS, found)
    truth = found.pop("truth")
    if "not judged" in truth:
        return {way: {"verdict": "not judged", "message": truth["not judged"]} for way in WAYS}
    found["command"] = run(python, "-c", command(case.name, [*case.adopt, "__main__"], truth))
    if autograd:
        found["autograd"] = run(python, *module, "--truth", json.dumps(truth), "--by", "autograd")
    return found


def of_all(names: Sequence[str] = (), autograd: bool = False) -> Iterator[tuple[Case, dict[str, Any]]]:
    """The verdicts on all cases, or on those named, in the order of the table."""
    python = environment()
    cases = [case for name, case in load().items() if not names or name in names]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield from zip(cases, pool.map(lambda case: verdicts(case, python, autograd), cases), strict=True)


def overall(found: dict[str, Any]) -> dict[str, Any]:
    """The verdict on a case: the worst of the ways in which it was run."""
    worst = ("failed", "wrong", "not judged", "NaN", "refused", "right")
    return min((found[way] for way in WAYS), key=lambda each: worst.index(each["verdict"]))
