"""docs/plain_numpy.md, which `python docs/plain_numpy.py` writes, is about the programs that there are."""

from __future__ import annotations

import collections
import re

from paths import ROOT
from public_programs.case import load

PAGE = (ROOT / "docs" / "plain_numpy.md").read_text(encoding="utf-8")
ROWS = [re.split(r"(?<!\\) \| ", line.strip("| ")) for line in PAGE[PAGE.index("| package |") :].splitlines()[2:]]


NAMES = ("tinygrad_cnn", "autograd")


def test_each_program_has_its_row() -> None:
    shown = sorted((package.rpartition(" ")[0], function) for package, function, *_ in ROWS)
    assert shown == sorted((case.package, case.function) for case in load().values())


def test_the_totals_are_those_of_the_rows() -> None:
    for name, column in (("tinygrad_cnn", 2), ("autograd", 3)):
        counts = collections.Counter(row[column].partition(":")[0] for row in ROWS)
        assert f"| {name} | {counts['right']} | {counts['refused']} | {counts['NaN']} | {counts['wrong']} |" in PAGE
        assert set(counts) <= {"right", "refused", "NaN", "wrong"}


def test_none_is_wrong_but_for_a_known_limit() -> None:
    wrong = [row[2].removeprefix("wrong: ") for row in ROWS if row[2].startswith("wrong")]
    assert wrong == [case.limit for case in load().values() if case.limit]


def test_every_package_has_one_version_and_is_installed_by_it() -> None:
    lines = (ROOT / "tests" / "public_programs" / "requirements.txt").read_text().split()
    pinned = {re.sub(r"[-_.]+", "-", name).lower(): version for name, version in (line.split("==") for line in lines)}
    for package, *_ in ROWS:
        name, _, version = package.rpartition(" ")
        assert pinned[re.sub(r"[-_.]+", "-", name).lower()] == version


def test_the_tour_has_the_figures_of_the_page() -> None:
    ours, autograd = (re.search(rf"^\| {name} \| (\d+) \| (\d+) \|", PAGE, re.MULTILINE) for name in NAMES)
    totals = re.search(r"^(\d+) programs of (\d+) public packages", PAGE, re.MULTILINE)
    expected = [*totals.groups(), *ours.groups(), autograd.group(1)]
    for readme, begin, end in (
        ("docs/tour.md", "\nOf ", "are right."),
        ("docs/ko/tour.md", "\n공개된 패키지", "올바릅니다."),
    ):
        text = (ROOT / readme).read_text(encoding="utf-8")
        claim = text[text.index(begin) : text.index(end, text.index(begin))]
        assert sorted(re.findall(r"\d+", claim)) == sorted(expected), readme
    for readme, claim in (
        ("README.md", r"of\s+(\d+) functions and programs of (\d+) public packages, (\d+) get"),
        ("README.ko.md", r"패키지 (\d+)개의 함수와 프로그램 (\d+)개 가운데 (\d+)개"),
    ):
        text = (ROOT / readme).read_text(encoding="utf-8")
        assert sorted(re.search(claim, text).groups()) == sorted([*totals.groups(), ours.group(1)]), readme
