"""A program as equations."""

from __future__ import annotations

import re

import numpy as np
import pytest

import tinygrad_cnn as tg
from tinygrad_cnn.lowering.derivation import symbol


def loss(p, x):
    h = np.tanh(x @ p["W"] + p["b"])
    sigma = tg.sigmoid(np.sum(h * h, axis=1))
    return np.mean(sigma)


PROGRAM = tg.program(tg.value_and_grad(loss))({"W": np.ones((3, 2)), "b": np.ones(2)}, np.ones((5, 3)))


def test_each_step_is_an_equation_with_its_shape() -> None:
    lines = PROGRAM.derivation().splitlines()
    assert lines[0] == r"- $h = \tanh\left(x \, W + b\right)$ (5, 2)"
    assert lines[1] == r"- $\sigma = \operatorname{sigmoid}\left(\sum_{1} h \odot h\right)$ (5,)"
    assert lines[2] == r"- $\mathrm{loss} = \operatorname{mean}\left(\sigma\right)$"
    assert lines[-1].startswith(r"- $\frac{\partial L}{\partial W} = x^\mathsf{T} \, ")
    assert all(re.fullmatch(r"- \$[^$]+ = [^$]+\$(?: \(\d+,(?: \d+,?)*\))?", line) for line in lines)


def test_it_has_the_steps_of_the_printed_program() -> None:
    printed = re.findall(r"^    (\w+) = ", PROGRAM.source(), re.MULTILINE)
    derived = re.findall(r"^- \$(.*?) = ", PROGRAM.derivation(), re.MULTILINE)
    assert {symbol(name) for name in printed if name.startswith("dL_d")} <= set(derived)


def test_latex_is_one_align_with_balanced_braces() -> None:
    text = PROGRAM.derivation("latex")
    assert text.startswith("\\begin{align*}\n")
    assert text.endswith("\\end{align*}\n")
    assert text.count("{") == text.count("}")
    assert text.count("\\left(") == text.count("\\right)")
    assert len(text.splitlines()) == len(PROGRAM.derivation().splitlines()) + 2


def test_another_format_is_an_error() -> None:
    with pytest.raises(ValueError, match="unknown format 'html'; expected 'markdown' or 'latex'"):
        PROGRAM.derivation("html")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("x", "x"),
        ("sigma", r"\sigma"),
        ("h_12", "h_{12}"),
        ("max_pool", r"\mathrm{max\_pool}"),
        ("dL_dconv", r"\frac{\partial L}{\partial \mathrm{conv}}"),
        ("dL_dh_2", r"\frac{\partial L}{\partial h_{2}}"),
    ],
)
def test_symbols(name, expected) -> None:
    assert symbol(name) == expected
