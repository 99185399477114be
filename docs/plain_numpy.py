"""Write docs/plain_numpy.md, in both languages: programs of public packages, and whether they can be differentiated.

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
PAGE, KOREAN = (Path(__file__).parent / name for name in ("plain_numpy.md", "ko/plain_numpy.md"))
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from public_programs import running  # noqa: E402
from public_programs.case import Case  # noqa: E402
from public_programs.verdict import PLAIN_CALLS  # noqa: E402

HEAD = """\
# Other people's NumPy code, differentiated as it is

{cases} programs of {packages} public packages, none of which was written for automatic differentiation. They were
chosen before it was known which of them work. Each is called as its users call it, within `tg.adopt(package)`; nothing
in it is changed. Each gradient is compared with central differences of sixth order, taken of the program in plain
NumPy, at the two of eight step sizes that agree best. ([한국어](ko/plain_numpy.md))

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

| package | program | verdict | autograd |
"""

KOREAN_HEAD = """\
# 다른 사람이 쓴 NumPy 코드를 그대로 미분하기

공개된 패키지 {packages}개의 프로그램 {cases}개입니다. 자동 미분을 생각하고 쓴 것은 하나도 없습니다. 어느 것이
되는지 알기 전에 골랐습니다. 모두 사용자가 부르는 대로 `tg.adopt(package)` 안에서 부르고, 프로그램은 고치지
않습니다. 변화도는 보통 NumPy로 실행한 프로그램의 6차 중앙 차분과 비교합니다. 여덟 가지 간격 가운데 서로 가장 잘
일치하는 두 간격에서 구합니다. ([English](../plain_numpy.md))

- **right**(맞음): 값과 변화도가 보통 NumPy, 차분과 같습니다. 새 프로세스의 첫 호출에서도, 보통 배열로 {calls}번
  부른 뒤에도, 소스를 읽을 수 없는 `python -c`의 프로그램에서도 그렇습니다.
- **refused**(거절): 이 가운데 하나에서 오류가 나거나, 변화도를 잃는다는 경고가 나왔습니다.
- **NaN**: 차분은 수인데 변화도에 NaN이 있습니다.
- **wrong**(틀림): 아무 말 없이 값이나 변화도가 다릅니다. 프로그램이 이분법으로 찾는 근이 그렇습니다. 비교로 구간을
  고르므로, 실행한 것의 도함수가 근의 도함수가 아닙니다. 여기서도 다른 자동 미분 패키지에서도 마찬가지입니다.
  `tg.implicit`은 방정식으로 미분합니다.

| 프로그램 {cases}개 | right | refused | NaN | wrong |
| --- | --- | --- | --- | --- |
{totals}

HIPS autograd에는 같은 프로그램을 주되, 같은 모듈의 전역 이름에서 `numpy` 자리에 `autograd.numpy`를, 거기서
NumPy로부터 import한 함수 자리에는 autograd의 함수를 넣습니다. autograd에는 `math`에 해당하는 것이 없고, 배열에
대입할 수 없습니다.

이 문서는 Python {python}, numpy {numpy}, scipy {scipy}에서 `python docs/plain_numpy.py`가 썼습니다. 프로그램은
[tests/public_programs](../../tests/public_programs)에 있고, `pytest -m public_programs`는 틀린 것이 없는지
확인합니다.

| 패키지 | 프로그램 | 판정 | autograd |
"""


def main() -> None:
    """Run all, and write the pages."""
    found = list(running.of_all(autograd=True))
    for path, head in ((PAGE, HEAD), (KOREAN, KOREAN_HEAD)):
        path.write_text(page(found, head), encoding="utf-8")
        print(f"wrote {path}")


def page(found: list[tuple[Case, dict[str, Any]]], head: str) -> str:
    """The text of the page in the language of its head."""
    ours = [(case, running.overall(verdicts)) for case, verdicts in found]
    theirs = [verdicts.get("autograd", {"verdict": "refused", "message": "not run"}) for _, verdicts in found]
    versions = installed()
    totals = "\n".join([_total("tinygrad_cnn", [verdict for _, verdict in ours]), _total("autograd", theirs)])
    text = head.format(
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
    return "\n".join([text + "| --- | --- | --- | --- |", *rows, ""])


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
