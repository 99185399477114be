"""The report of a cross-check: what is on its first screen, and that all of its forms have it."""

from __future__ import annotations

import contextlib
import io
import json
import re
from typing import Any

import numpy as np
import pytest
from corpus.case import corrected

import tinygrad_cnn as tg
from tinygrad_cnn.check.report.code_lines import marked, parts
from tinygrad_cnn.check.report.iterations import mistakes
from tinygrad_cnn.check.report.terminal import rendered, text

RNG = np.random.default_rng(0)
INPUTS, TARGET = RNG.standard_normal((9, 2, 3)), RNG.standard_normal((2, 4))
P = {"W": 0.5 * RNG.standard_normal((4, 4)), "U": 0.5 * RNG.standard_normal((3, 4)), "b": RNG.standard_normal(4)}


def loss(p: Any) -> Any:
    h = np.zeros((2, 4))
    for x in INPUTS:
        z = x @ p["U"] + h @ p["W"]
        h = np.tanh(z)
    out = h + p["b"]
    return 0.5 * np.sum((out - TARGET) ** 2)


def wrong_by_hand(p: Any) -> Any:
    states = [np.zeros((2, 4))]
    for x in INPUTS:
        states.append(np.tanh(x @ p["U"] + states[-1] @ p["W"]))
    dh = states[-1] + p["b"] - TARGET
    db, dU, dW, dhs, dzs = dh.sum(axis=0), 0.0, 0.0, [], []
    for x, before, h in zip(reversed(INPUTS), states[-2::-1], states[:0:-1], strict=True):
        dz = dh * (1 - h)
        dU, dW = dU + x.T @ dz, dW + before.T @ dz
        dhs.append(dh)
        dzs.append(dz)
        dh = dz @ p["W"].T
    return {"dh": dhs[::-1], "dz": dzs[::-1], "dU": dU, "dW": dW, "db": db}


by_hand = corrected(wrong_by_hand, {"dh * (1 - h)": "dh * (1 - h**2)"})


@pytest.fixture(scope="module")
def wrong() -> Any:
    return tg.check.gradients(loss, P, wrong_by_hand, evaluations=300)


@pytest.fixture(scope="module")
def right() -> Any:
    return tg.check.gradients(loss, P, by_hand, evaluations=300)


# A mistake in a loop.


def test_a_mistake_in_every_iteration_is_one_paragraph_everywhere(wrong: Any) -> None:
    assert [[step.name for step in alike] for alike in mistakes(wrong.steps)] == [
        [f"dz[{k}]" for k in range(8, -1, -1)]
    ]
    step, follows = wrong.conclusions
    assert step.startswith("The first wrong step is dz[8], through tanh (test_report.py:")
    assert "It is wrong in all 9 iterations of the loop." in step
    assert "of a loop" not in step.replace("of the loop", "")
    assert (
        follows == "The gradients of W and U are affected; that of b is right. All other steps are right, given these."
    )
    for shown in (str(wrong), wrong.to_html(), wrong._repr_html_()):
        assert shown.count("first wrong step is dz[8]") == 1
        assert "dz[7]," not in shown
    (one,) = wrong.to_dict()["mistakes"]
    assert (one["steps"][0], len(one["steps"])) == ("dz[8]", 9)
    assert re.fullmatch(r"test_report.py:\d+", one["cause"]["line"])


def test_the_steps_of_a_loop_are_one_row(wrong: Any) -> None:
    rows = [line for line in str(wrong).splitlines() if "dz[" in line and "tanh" in line and "step" not in line]
    assert len(rows) == 1
    assert "dz[8] to dz[0]" in rows[0]


def test_different_mistakes_in_one_loop_are_not_one() -> None:
    def hand(p: Any) -> Any:
        found = by_hand(p)
        found["dz"] = [3 * x if k == 4 else -x if k == 6 else x for k, x in enumerate(found["dz"])]
        return found

    report = tg.check.gradients(loss, P, hand(P), evaluations=0)
    said = [[step.name for step in alike] for alike in mistakes(report.steps)]
    assert said == [["dz[6]"], ["dz[4]"]]
    assert "the sign is wrong" in report.conclusions[0]
    assert "3 times" in report.conclusions[1]


# The first screen.


def test_the_first_screen_has_the_verdict_the_step_the_lines_and_what_follows(
    wrong: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "118")
    lines = str(wrong).splitlines()
    tables = next(k for k, line in enumerate(lines) if line.startswith("Hand-derived gradients"))
    assert lines[0] == "The gradients contradict each other: 9 of 21 steps are wrong, the first is dz[8]."
    head = "\n".join(lines[:tables])
    assert tables < 12
    for words in ("you:   dz = dh * (1 - h)", "right: dz = dh * (1 - h ** 2)", "that of b is right"):
        assert words in head


def test_no_parameter_is_in_two_tables(wrong: Any) -> None:
    rows = [re.match(r"  (\S.*?)  +\(\d", line) for line in str(wrong).splitlines()]
    assert [row[1] for row in rows if row] == ["W", "U", "b", "dh[8] to dh[0]", "dz[8] to dz[0]"]


@pytest.mark.parametrize("width", [60, 80, 118])
def test_no_line_is_wider_than_the_terminal(wrong: Any, width: int) -> None:
    lines = text(wrong, width).splitlines()
    assert max(map(len, lines)) <= width
    you, right = (next(line for line in lines if line.startswith(f"    {word}:")) for word in ("you", "right"))
    assert you.index("dz =") == right.index("dz =") == 11


def test_a_report_follows_the_width_of_the_terminal(wrong: Any, monkeypatch: Any) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert 70 < max(map(len, str(wrong).splitlines())) <= 80
    monkeypatch.setenv("COLUMNS", "300")
    assert max(map(len, str(wrong).splitlines())) <= 118


def test_only_a_terminal_gets_colours(wrong: Any) -> None:
    from rich.console import Console

    plain, coloured = io.StringIO(), io.StringIO()
    Console(file=plain, width=100).print(rendered(wrong))
    Console(file=coloured, width=100, force_terminal=True, color_system="standard").print(rendered(wrong))
    assert "\x1b" not in plain.getvalue()
    assert "\x1b[1;31m" in coloured.getvalue()
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        print(wrong)
    assert "\x1b" not in out.getvalue()


def test_repr_is_one_line(wrong: Any, right: Any) -> None:
    assert repr(right) == "<Report: The gradients agree.>"
    assert repr(wrong) == (
        "<Report: The gradients contradict each other: 9 of 21 steps are wrong, the first is dz[8].>"
    )
    one = tg.check.gradients(loss, P, by_hand(P) | {"dW": 2 * by_hand(P)["dW"]}, evaluations=0)
    assert repr(one) == "<Report: The gradients contradict each other: 1 of 21 steps is wrong, dW.>"


# Lines of code.


@pytest.mark.parametrize(
    ("you", "right", "only_in_you", "only_in_right"),
    [
        ("(var + eps) ** -0.5", "(var + eps) ** -1.5", ["0.5"], ["1.5"]),
        ("1 - h", "1 - h ** 2", [], [" ** 2"]),
        ("z1.T @ dz", "h.T @ dz", ["z1"], ["h"]),
        ("dW", "dW", [], []),
    ],
)
def test_what_two_lines_differ_in_is_marked(
    you: str, right: str, only_in_you: list[str], only_in_right: list[str]
) -> None:
    one, other = marked(you, right)
    assert "".join(piece for piece, _ in one) == you
    assert "".join(piece for piece, _ in other) == right
    assert [piece for piece, only_here in one if only_here] == only_in_you
    assert [piece for piece, only_here in other if only_here] == only_in_right


def test_the_lines_of_a_conclusion_are_those_of_the_cause(wrong: Any) -> None:
    found, cause = parts(wrong.conclusions[0]), wrong.to_dict()["mistakes"][0]["cause"]
    assert "".join(piece for piece, _ in found.you) == cause["you"]
    assert "".join(piece for piece, _ in found.right) == cause["right"]
    assert found.line == cause["line"]
    assert "you:" not in found.words
    assert parts("The sign is wrong.") == ("The sign is wrong.", [], [], None)


# Data, and HTML.


def test_a_report_is_data(wrong: Any, right: Any) -> None:
    for report in (wrong, right):
        found = json.loads(json.dumps(report.to_dict(), allow_nan=False))
        assert found == report.to_dict()
        assert found["ok"] == report.ok
        assert list(found["parameters"]) == ["W", "U", "b"]
        assert [found["steps"][step.name]["wrong"] for step in report.steps] == [step.wrong for step in report.steps]
    first = wrong.to_dict()["steps"][wrong.first_wrong.name]
    assert first["cause"]["words"] == wrong.first_wrong.explanation
    assert first["verdict"] == "differ"
    assert first["shape"] == [2, 4]


def test_a_report_of_nan_is_data() -> None:
    report = tg.check.gradients(lambda w: np.sum(np.log(w)), np.array([-1.0, 2.0]), np.ones(2))
    assert report.to_dict()["loss"] is None
    json.dumps(report.to_dict(), allow_nan=False)


def test_a_notebook_shows_the_head_of_the_page(wrong: Any, right: Any) -> None:
    head = wrong._repr_html_()
    assert head.count("<pre>") == 1
    assert "first wrong step is dz[8]" in head
    assert "<table" not in head
    assert "<html" not in head
    assert len(head) < 5000
    assert "The gradients agree." in right._repr_html_()


def test_long_and_hostile_text_is_escaped_in_the_page() -> None:
    evil = "<img src=x onerror=alert(1)>" + "very_long_name_" * 12
    report = tg.check.gradients(lambda p: np.sum(np.sin(p[evil])), {evil: np.ones(3)}, {evil: np.ones(3)})
    for page in (report.to_html(), report._repr_html_()):
        assert "<img src=x" not in page
        assert "&lt;img src=x" in page
    assert "<img src=x" in str(report)  # a terminal runs no script


def test_a_page_without_autodiff_has_no_empty_columns() -> None:
    report = tg.check.gradients(lambda w: float(np.sum(np.sin(w))), np.ones(3), lambda w: -np.cos(w))
    page = report.to_html()
    assert "hand-derived vs. differences" in page
    assert "vs. autodiff" not in page.split("Heat maps")[0]
    assert "autodiff" not in next(line for line in str(report).splitlines() if "parameter" in line)


def test_every_table_and_picture_of_the_page_has_words(wrong: Any) -> None:
    page = wrong.to_html()
    named = len(
        re.findall(r'role="region" tabindex="0" aria-label="[^"]+"><table>|<table class="\w+"><caption>\w', page)
    )
    assert page.count("<table") == named
    assert all(len(alt) > 10 for alt in re.findall(r'<img [^>]*alt="([^"]*)"', page))
    assert page.count('<th scope="row">') == len(re.findall("<tr[> ]", page)) - page.count("<thead>")
