"""Mistakes that learners make in the exercises: the cause is the line that they wrote, mended plainly."""

from __future__ import annotations

from pathlib import Path

import pytest

from tinygrad_cnn.learn import gradients
from tinygrad_cnn.learn.blanks import filled, without_marks
from tinygrad_cnn.learn.course import course
from tinygrad_cnn.learn.modules import loaded

EXERCISES = {exercise.number: exercise for exercise in course()}

# exercise, line, what is written there, what it should be
MISTAKES = [
    # signs, without a sign before a sign
    ("2.5", "dL_dz", "(y - z) / m", "(z - y) / m"),
    ("2.6", "dL_dWf", "-dL_dfc @ flatten", "dL_dfc @ flatten"),
    ("3.3", "dL_dsigma", "-(y / sigma + (1 - y) / (1 - sigma))", "-(y / sigma - (1 - y) / (1 - sigma))"),
    ("7.1", "dL_dz", "dL_dh * (h ** 2 - 1)", "dL_dh * (1 - h ** 2)"),
    ("10.2", "dL_dh", "dL_ds - dL_dr * v", "dL_ds + dL_dr * v"),  # and not the sign of the parameter v
    # counts and means
    ("3.1", "dL_dh", "h - y", "(h - y) / n"),  # what is written is a value of the graph, and wrong all the same
    ("2.5", "dL_db", "np.mean(dL_dz, axis=0, keepdims=True)", "np.sum(dL_dz, axis=0, keepdims=True)"),
    ("2.4", "dL_dx", "dL_dcentered + dL_dmean / len(x)", "dL_dcentered + dL_dmean / x.shape[1]"),
    ("7.4", "dL_dz", "2 * mask * (z - y) / len(z)", "2 * mask * (z - y) / mask.sum()"),  # and not 3 * mask
    ("3.1", "dL_dh", "(h - y) / h.shape[1]", "(h - y) / h.shape[0]"),
    # transposes
    ("4.4", "dL_dWc", "(dL_dconv @ cols.T).reshape(3, 3).T", "(dL_dconv @ cols.T).reshape(3, 3)"),
    ("2.6", "dL_dflatten", "(Wf.T @ dL_dfc).reshape(4, 6)", "(Wf.T @ dL_dfc).T"),
    ("4.4", "dL_dcols", "Wc.T.reshape(9, 1) @ dL_dconv", "Wc.reshape(9, 1) @ dL_dconv"),
    # another variable
    ("3.1", "dL_dz", "dL_dh * y * (1 - y)", "dL_dh * h * (1 - h)"),
    ("2.6", "dL_dBf", "np.sum(dL_dWf, keepdims=True)", "np.sum(dL_dfc, keepdims=True)"),
    ("9.1", "dL_dz", "(q - 1) / len(x)", "(q - y) / len(x)"),
    ("10.2", "dL_dz", "dL_dh * (1 - h)", "dL_dh * h"),
    # factors and terms
    ("9.3", "dL_do", "t", "t * dL_dh"),
    (
        "9.2",
        "dL_dx",
        "(dL_dxhat - np.mean(dL_dxhat) - np.mean(dL_dxhat * xhat)) / s",
        "(dL_dxhat - np.mean(dL_dxhat) - xhat * np.mean(dL_dxhat * xhat)) / s",
    ),
    ("2.6", "dL_dflatten", "np.repeat(Wf, 4, axis=0)", "np.repeat(Wf, 4, axis=0) * dL_dfc.T"),
    ("9.3", "dL_df", "dL_dc * before * f * (1 - f)", "dL_dc * before"),
    ("4.2", "dL_dWc[u, v]", "np.sum(xpad[u : u + 4, v : v + 4])", "np.sum(xpad[u:u + 4, v:v + 4] * dL_dconv)"),
    ("2.1", "dL_dz", "(z - y) ** 2 / 2", "z - y"),
    # parentheses
    ("7.4", "dL_dz", "2 * mask * z - y / np.sum(mask)", "2 * mask * (z - y) / np.sum(mask)"),
    ("3.5", "dL_ds", "-(y / s - (1 - y) / 1 - s)", "-(y / s - (1 - y) / (1 - s))"),
    ("9.3", "dL_dc", "(dL_dt + later) * (1 - t**2)", "dL_dt * (1 - t ** 2) + later"),
    # masks
    ("3.2", "dL_dconv", "np.where(conv > 0, 0, dL_drelu)", "np.where(conv > 0, dL_drelu, 0)"),
    ("3.2", "dL_dconv", "np.where(conv > 0, dL_drelu, conv)", "np.where(conv > 0, dL_drelu, 0)"),
    ("3.2", "dL_dconv", "dL_drelu * relu", "dL_drelu * (relu > 0)"),
    # reversed, and sums along an axis
    ("7.5", "dL_dx", "np.convolve(dL_dz, w[::-1])", "np.convolve(dL_dz, w)"),
    ("9.4", "dL_ds", "a * (dL_da - np.sum(a * dL_da))", "a * (dL_da - np.sum(a * dL_da, axis=1, keepdims=True))"),
]  # fmt: skip


@pytest.mark.parametrize(("number", "name", "written", "right"), MISTAKES)
def test_the_line_is_mended_as_a_teacher_would(
    number: str, name: str, written: str, right: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gradients, "SECONDS", 60.0)
    source = without_marks(EXERCISES[number].solution)
    answer = filled(source, {("by_hand", name): written})
    path = tmp_path / "answer.py"
    path.write_text(answer, encoding="utf-8")
    report = gradients.cross_check(loaded(answer, path))
    causes = [step.cause for step in report.steps if step.wrong] or [p.cause for p in report.parameters if p.is_wrong]
    assert causes[0] is not None
    assert causes[0].right == f"{name} = {right}", causes[0]
