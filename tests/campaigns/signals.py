"""Signals at random moments: none is lost, nothing is half-written, what is printed is true, the command works again.

    python tests/campaigns/signals.py --count 300 --seed 0

Each trial starts a command in a folder of its own, sends it SIGINT, SIGTERM or SIGKILL at a random moment between its
start and its usual end, looks at what it left, and runs the same command again.
"""

from __future__ import annotations

import argparse
import collections
import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent.parent
RUN = {"metrics.json", "weights.safetensors", "report.html"} | {
    f"{name}.png" for name in ("training_images", "test_images", "shuffled_images", "maps_before", "maps_after", "loss")
}
PROGRAM = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
from tinygrad_cnn.cli import main
print("began", file=sys.stderr, flush=True)
main()
"""
OLD = b"what was there before"
TOO_LATE = 0.1  # seconds: a process that ends so soon after a signal, and as usual, had ended its work before


class Command(NamedTuple):
    """A command, what it writes, and whether that is whole. `replaces`: it writes over a file that is there.

    `weight`: how often it is taken, more often the faster it is.
    """

    arguments: tuple[str, ...]
    target: str
    is_whole: Callable[[Path], bool]
    replaces: bool = False
    weight: int = 2


def whole_run(folder: Path) -> bool:
    if {path.name for path in folder.iterdir()} != RUN:
        return False
    json.loads((folder / "metrics.json").read_text())
    return all(path.stat().st_size for path in folder.iterdir()) and ends("</html>")(folder / "report.html")


def whole_set(folder: Path) -> bool:
    pictures = list(folder.rglob("*.png"))
    return len(pictures) == 28 and all(picture.read_bytes().endswith(b"IEND\xaeB`\x82") for picture in pictures)


def ends(with_: str) -> Callable[[Path], bool]:
    return lambda path: path.read_text().rstrip().endswith(with_)


COMMANDS = [
    Command(("train", "--epochs", "3", "--out", "runs/mine"), "runs/mine", whole_run),
    Command(("train", "--epochs", "40", "--recipe", "robust", "--out", "mine"), "mine", whole_run, weight=1),
    Command(("draw", "set"), "set", whole_set, weight=5),
    Command(("graph", "--values", "--out", "graph.svg"), "graph.svg", ends("</svg>"), replaces=True, weight=5),
    Command(("check", "--json", "--html", "check.html"), "check.html", ends("</html>"), replaces=True, weight=1),
]


class Trial(NamedTuple):
    """What one signal did: `verdict`, a word of the summary, and the faults, each a sentence.

    seconds: how long the command took when it was left alone, or None if it had nothing to do.
    """

    verdict: str
    faults: list[str]
    seconds: float | None


def start(command: Command, folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *command.arguments],
        cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def state(command: Command, folder: Path) -> str:
    """Of what the command writes: "old" (or nothing), "whole" or "half"."""
    target = folder / command.target
    if not target.exists() or (command.replaces and target.read_bytes() == OLD):
        return "old"
    try:
        return "whole" if command.is_whole(target) else "half"
    except (OSError, ValueError):
        return "half"


def trial(command: Command, number: int, delay: float, folder: Path) -> Trial:
    """Send signal `number` after `delay` seconds, and try again."""
    if command.replaces:
        (folder / command.target).write_bytes(OLD)
    process = start(command, folder)
    time.sleep(delay)
    alive, sent = process.poll() is None, time.perf_counter()
    process.send_signal(number)
    out, err = process.communicate(timeout=300)
    took, code, faults = time.perf_counter() - sent, process.returncode, []

    if not alive:
        verdict = "too late"
    elif number == signal.SIGKILL:
        verdict = "killed"
    elif "began" not in err or code == -number:
        verdict = "ended by Python"  # before the command began, or while Python shut down after it
    elif code == 128 + number:
        verdict = "obeyed"
    elif code in (0, 1) and took < TOO_LATE:
        verdict = "too late"
    else:
        verdict = "lost"
        faults.append(f"exit code {code}, {took:.2f} s after the signal")

    left = state(command, folder)
    if left == "half":
        faults.append("half-written")
    if "Traceback" in out + err and verdict != "ended by Python":
        faults.append(f"traceback: {err!r}")
    if "nothing was written" in err and left != "old":
        faults.append(f"it says {err!r}, but something was")
    if " was written" in err and "nothing was" not in err and left != "whole":
        faults.append(f"it says {err!r}, but nothing was")
    leftovers = [path.name for path in folder.rglob("*.partial")]
    if leftovers and number != signal.SIGKILL:
        faults.append(f"left behind: {leftovers}")

    began, again = time.perf_counter(), start(command, folder)
    _, err = again.communicate(timeout=300)
    seconds = time.perf_counter() - began if again.returncode in (0, 1) else None
    expected = (2,) if left == "whole" and not command.replaces else (0, 1)  # nothing is overwritten
    if again.returncode not in expected:
        faults.append(f"the same command again: exit code {again.returncode}, {err!r}")
    if state(command, folder) != "whole":
        faults.append("the same command again wrote nothing whole")
    if leftovers := [path.name for path in folder.rglob("*.partial")]:
        faults.append(f"the same command again left {leftovers}")
    return Trial(verdict, faults, seconds)


def campaign(count: int, seed: int, kills: int, report: Callable[[str], None]) -> collections.Counter[str]:
    """How often what happened, until `count` SIGINT and SIGTERM and `kills` SIGKILL have met a command at work."""
    rng, found = random.Random(seed), collections.Counter[str]()
    usual: dict[Command, float] = {}
    while found["sent"] < count or found["killed"] < kills:
        (command,) = rng.choices(COMMANDS, [command.weight for command in COMMANDS])
        wanted = [signal.SIGINT, signal.SIGTERM] * (found["sent"] < count) + [signal.SIGKILL] * (
            found["killed"] < kills
        )
        number, moment = rng.choice(wanted), rng.random()
        with tempfile.TemporaryDirectory(prefix="signals") as name:
            folder = Path(name)
            if command not in usual:
                began = time.perf_counter()
                start(command, folder).communicate()
                usual[command] = time.perf_counter() - began
                (folder / "trial").mkdir()
                folder = folder / "trial"
            delay = moment * usual[command]
            done = trial(command, number, delay, folder)
        usual[command] = done.seconds or usual[command]  # which changes with the load of the machine
        found[done.verdict] += 1
        found["sent"] += number != signal.SIGKILL and done.verdict != "too late"
        found["with faults"] += bool(done.faults)
        for fault in done.faults:
            report(f"{' '.join(command.arguments)}: {signal.Signals(number).name} after {delay:.3f} s: {fault}")
    return found


def main() -> int:
    """Run the campaign; the exit code is 1 if anything was wrong."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--count", type=int, default=300, help="SIGINT and SIGTERM (default: 300)")
    parser.add_argument("--kills", type=int, help="SIGKILL besides (default: a fifth of --count)")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    kills = given.count // 5 if given.kills is None else given.kills
    found = campaign(given.count, given.seed, kills, lambda line: print(line, flush=True))
    print(f"seed {given.seed}: " + ", ".join(f"{number} {what}" for what, number in sorted(found.items())))
    return 1 if found["with faults"] or found["lost"] else 0


if __name__ == "__main__":
    sys.exit(main())
