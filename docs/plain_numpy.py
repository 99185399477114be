"""Write docs/plain_numpy.md: programs of public packages, and whether they can be differentiated as they are.

From the root of the project: python docs/plain_numpy.py. It installs the packages in build/public_programs, and takes
half an hour.
"""

from __future__ import annotations

import collections
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
PAGE = Path(__file__).parent / "plain_numpy.md"
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from public_programs import running  # noqa: E402
from public_programs.case import Case  # noqa: E402
from public_programs.verdict import PLAIN_CALLS  # noqa: E402

HEAD = """\
# Other people's NumPy code, differentiated as it is

{cases} programs of {packages} public packages, none of which was written for automatic differentiation. They were
chosen before it was known which of them work. Each is called as its users call it, within `tg.adopt(package)`; nothing
in it is changed. Each gradient is compared with central differences of sixth order, taken of the program in plain
NumPy, at the two of eight step sizes that agree best.

- **right**: value and gradient are those of plain NumPy and of the differences, on the first call of a new process,
  after {calls} plain calls, and in a program that `python -c` is given, whose source cannot be read.
- **refused**: an error was raised in one of these, or a warning that a gradient is lost.
- **NaN**: the gradient has a NaN where the differences give a number.
- **wrong**: another value or gradient, without a word. A root that a program finds by bisection is of this kind: the
  bounds are chosen by comparisons, so that the derivative of what is executed is not that of the root, here and in any
  other package for automatic differentiation. `tg.implicit` differentiates it by its equation.

| of {cases} programs | right | refused | NaN | wrong |
| --- | --- | --- | --- | --- |
{totals}

HIPS autograd is given the same programs, with `autograd.numpy` in place of `numpy` among the globals of the same
modules, and its functions in place of those that they import from NumPy. It has no counterpart of `math`, and its
arrays cannot be assigned to.

This page is written by `python docs/plain_numpy.py`, with Python {python}, numpy {numpy} and scipy {scipy}. The
programs are in [tests/public_programs](../tests/public_programs); `pytest -m public_programs` asserts that none is
wrong.
"""


def main() -> None:
    """Run all, and write the page."""
    found = list(running.of_all(autograd=True))
    PAGE.write_text(page(found), encoding="utf-8")
    print(f"wrote {PAGE}")


def page(found: list[tuple[Case, dict[str, Any]]]) -> str:
    """The text of the page."""
    ours = [(case, running.overall(verdicts)) for case, verdicts in found]
    theirs = [verdicts.get("autograd", {"verdict": "refused", "message": "not run"}) for _, verdicts in found]
    versions = installed()
    totals = "\n".join([_total("tinygrad_cnn", [verdict for _, verdict in ours]), _total("autograd", theirs)])
    head = HEAD.format(
        cases=len(found),
        packages=len({case.package for case, _ in found}),
        calls=PLAIN_CALLS,
        totals=totals,
        python=".".join(map(str, sys.version_info[:2])),
        numpy=versions["numpy"],
        scipy=versions["scipy"],
    )
    rows = []
    for (case, mine), other in sorted(zip(ours, theirs, strict=True), key=lambda row: row[0][0].package.lower()):
        package = f"{case.package} {versions[normalised(case.package)]}"
        rows.append(f"| {package} | {case.function} | {_shown(case, mine)} | {other['verdict']} |")
    return "\n".join([head, "| package | program | verdict | autograd |", "| --- | --- | --- | --- |", *rows, ""])


def _total(name: str, verdicts: list[dict[str, Any]]) -> str:
    counts = collections.Counter(verdict["verdict"] for verdict in verdicts)
    return f"| {name} | {' | '.join(str(counts[kind]) for kind in ('right', 'refused', 'NaN', 'wrong'))} |"


def _shown(case: Case, verdict: dict[str, Any]) -> str:
    """The verdict, and the first line of why, without paths of this machine."""
    if verdict["verdict"] == "right":
        return "right"
    if verdict["verdict"] == "wrong" and case.limit:
        return f"wrong: {case.limit}"
    line = verdict["message"].splitlines()[0].replace("|", "\\|")
    folder = f"{running.environment().parent.parent}/"
    return f"{verdict['verdict']}: {line.replace(folder, '')[:200]}"


def installed() -> dict[str, str]:
    """The versions that are installed, by the names of the packages."""
    lines = subprocess.run(
        [running.environment(), "-m", "pip", "freeze"], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    pairs = [line.split("==") for line in lines if "==" in line]
    return {normalised(name): version for name, version in pairs}


def normalised(name: str) -> str:
    """The name of a package as an index compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    main()
