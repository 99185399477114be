"""A campaign of random programs: `python tests/random_programs/campaign.py --programs 100000 --seed 0 --jobs 2`.

Each program is run on NumPy and on Tensors and judged as `oracle.py` says. What fails is printed as a short program
that can be run by itself; at the end comes how many were right, refused and wrong. Exit code 1 if any was wrong.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import signal
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

if __name__ == "__main__":
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

from random_programs.generator import write
from random_programs.oracle import Verdict, judged
from random_programs.program import Program
from random_programs.shrink import shrunk

SHRUNK = 5  # of the faults of one kind among the programs of one call, so many are shrunk
THOROUGH = 10  # one program in so many is looked at closer: Hessians, and differences of gradients


@dataclass
class Tally:
    """What came of the programs so far."""

    kinds: Counter[str] = field(default_factory=Counter)
    judged: Counter[str] = field(default_factory=Counter)
    refusals: Counter[str] = field(default_factory=Counter)
    refusing: dict[str, int] = field(default_factory=dict)  # the first seed that got a message
    kinks: list[int] = field(default_factory=list)  # seeds
    faults: list[tuple[Program, Verdict]] = field(default_factory=list)

    def add(self, program: Program, verdict: Verdict) -> None:
        self.kinds[verdict.kind] += 1
        self.judged.update(verdict.judged)
        if verdict.kind == "at a kink":
            self.kinks.append(program.seed)
        if verdict.kind == "refused":
            self.refusals[verdict.detail] += 1
            self.refusing.setdefault(verdict.detail, program.seed)
        if verdict.wrong:
            self.faults.append((program, verdict))

    def merge(self, other: Tally) -> None:
        self.kinds += other.kinds
        self.judged += other.judged
        self.refusals += other.refusals
        for detail, seed in other.refusing.items():
            self.refusing.setdefault(detail, seed)
        self.kinks += other.kinks
        self.faults += other.faults

    @property
    def wrong(self) -> int:
        return len(self.faults)


class LateError(Exception):
    """A program takes too long."""


def _late(*_: object) -> None:
    raise LateError


def run(seeds: range, shrinking: bool = True, seconds: int = 30) -> Tally:
    """Judge the programs of these seeds, of which each may take so many seconds (0: as long as it likes)."""
    tally, kinds_shrunk = Tally(), Counter[str]()
    if seconds:
        signal.signal(signal.SIGALRM, _late)
    for seed in seeds:
        if seconds:
            signal.alarm(seconds)
        program = None
        try:
            program = write(seed)
            if program is None:
                tally.kinds["not written"] += 1
                continue
            thorough = seed % THOROUGH == 0
            verdict = judged(program, thorough)
            if verdict.wrong and shrinking and kinds_shrunk[verdict.kind] < SHRUNK:
                kinds_shrunk[verdict.kind] += 1
                if seconds:
                    signal.alarm(10 * seconds)
                program, verdict = shrunk(program, verdict, thorough)
            tally.add(program, verdict)
        except LateError:
            if program is None:
                tally.kinds["not written"] += 1
            else:
                tally.add(program, Verdict("late", f"more than {seconds} s"))
        finally:
            if seconds:
                signal.alarm(0)
    return tally


def _report(tally: Tally, most: int, refusals: int) -> None:
    for program, verdict in tally.faults[:most]:
        print(f"# {verdict.kind} (seed {program.seed}): {verdict.detail}")
        print(program.source())
    if tally.wrong > most:
        print(f"# and {tally.wrong - most} more")
    for detail, count in tally.refusals.most_common(refusals):
        print(f"refused {count:6d} x  {detail}  (seed {tally.refusing[detail]})")
    print()
    for kind, count in tally.kinds.most_common():
        print(f"{count:8d} {kind}")
    if tally.kinks:
        print(f"at a kink: seeds {sorted(tally.kinks)}")
    print(f"gradients compared with differences: {tally.judged['first']}; second derivatives: {tally.judged['second']}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--programs", type=int, default=1000, help="how many (default: %(default)s)")
    parser.add_argument(
        "--seed", type=int, default=0, help="the seed of the first; the others follow (default: %(default)s)"
    )
    parser.add_argument("--jobs", type=int, default=1, help="processes (default: %(default)s)")
    parser.add_argument("--show", type=int, default=20, help="print at most so many faults (default: %(default)s)")
    parser.add_argument("--refusals", type=int, default=20, help="print so many of the refusals (default: %(default)s)")
    parser.add_argument("--no-shrinking", action="store_true", help="print failing programs as they were written")
    options = parser.parse_args()
    start = time.monotonic()
    end = options.seed + options.programs
    chunks = [(range(a, min(a + 200, end)), not options.no_shrinking) for a in range(options.seed, end, 200)]
    tally = Tally()
    with multiprocessing.get_context("spawn").Pool(options.jobs) as pool:
        for k, part in enumerate(pool.imap_unordered(_run_chunk, chunks)):
            tally.merge(part)
            if sys.stderr.isatty():
                print(f"\r{(k + 1) * 200} programs, {tally.wrong} wrong", end="", file=sys.stderr)
    _report(tally, options.show, options.refusals)
    seconds = time.monotonic() - start
    print(f"{options.programs} programs from seed {options.seed} in {seconds:.0f} s: {tally.wrong} wrong")
    return 1 if tally.wrong else 0


def _run_chunk(chunk: tuple[range, bool]) -> Tally:
    return run(*chunk)


if __name__ == "__main__":
    sys.exit(main())
