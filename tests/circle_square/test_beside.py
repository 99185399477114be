"""The article's program beside the hand-derived gradient: which steps stand beside each other, and the page."""

from __future__ import annotations

import ast
import html
import re

import numpy as np
import pytest
from click.testing import CliRunner

from tinygrad_cnn.circle_square.beside import as_markdown, as_page, as_text
from tinygrad_cnn.circle_square.gradient_program import Step, beside_hand_derived, gradient_program
from tinygrad_cnn.circle_square.model import Parameters
from tinygrad_cnn.cli.commands import command

RNG = np.random.default_rng(0)


@pytest.fixture(scope="module")
def parts() -> tuple[list[Step], list[Step]]:
    p = Parameters(*[RNG.normal(size=shape) for shape in ((3, 3), (1, 1), (1, 196), (1, 1))])
    return beside_hand_derived(gradient_program(p, RNG.random((4, 28, 28)), np.ones((4, 1))))


def target(statement: str) -> str:
    return statement.split(" = ")[0]


def test_every_cotangent_of_the_article_stands_beside_its_own(parts) -> None:
    pairs = [(target(step.program), target(step.derived)) for step in parts[1] if step.program and step.derived]
    assert pairs == [
        ("dL_dsigma", "dL_dsig"), ("dL_dfc", "dL_dfc"), ("dL_dWf", "dL_dWf"), ("dL_dBf", "dL_dBf"),
        ("dL_dflatten", "dL_dflatten"), ("dL_dmax_pool", "dL_dmax"), ("dL_drelu", "dL_drelu"),
        ("dL_dconv", "dL_dconv"), ("dL_dWc", "dL_dWc"), ("dL_dBc", "dL_dBc"),
    ]  # fmt: skip


def test_each_statement_is_there_once_and_is_one_of_python(parts) -> None:
    for side in ("program", "derived"):
        lines = [line for steps in parts for step in steps for line in getattr(step, side).splitlines()]
        assert len(lines) == len(set(lines))
        for line in lines:
            ast.parse(line)


def test_all_ways_to_show_it_have_every_statement(parts) -> None:
    page = as_page(parts)
    shown = html.unescape(re.sub("<[^>]*>", "", page))
    for text in (as_text(parts), as_markdown(parts), shown):
        for steps in parts:
            for step in steps:
                assert all(line in text for line in [*step.program.splitlines(), *step.derived.splitlines()])


def test_the_page_escapes_code_and_loads_nothing() -> None:
    page = as_page(([], [Step("a = '<script>alert(1)</script>'", "b = a < 1 & 2")]))
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "default-src 'none'" in page
    assert not re.search(r"(?:src|href)=", page.replace("default-src=", ""))


def test_the_command_writes_the_page_and_refuses_it_without_beside(tmp_path) -> None:
    page = tmp_path / "beside.html"
    result = CliRunner().invoke(command, ["program", "--beside", "--html", str(page)])
    assert result.exit_code == 0, result.output
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")
    for wrong in (["--html", "x.html"], ["--beside", "--html", "x.html", "--out", "y"]):
        result = CliRunner().invoke(command, ["program", *wrong])
        assert result.exit_code == 2
        assert "expected --beside" in result.output
