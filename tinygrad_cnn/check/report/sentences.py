"""What a report says, in sentences: what is wrong, where and why."""

from __future__ import annotations

import math
import os

from tinygrad_cnn.check.diagnose.explanations.case import differing, in_brackets
from tinygrad_cnn.check.report.report import Comparison, Parameter, Step
from tinygrad_cnn.engine.graph import Array

MOST = 8


def sentences(steps: list[Step], parameters: list[Parameter]) -> list[str]:
    """What is wrong; nothing if nothing is."""
    said = []
    wrong = [step for step in steps if step.wrong]
    if any(_autodiff_is_wrong(p) for p in parameters):  # the hand is not held guilty by a witness that is wrong itself
        said += [
            f"By hand and autodiff part at {step.name}, {_through(step)}. {_at(step.alone, other='and {} by autodiff')}"
            for step in wrong
        ]
        wrong = []
    for k, step in enumerate(wrong):
        first = "The first wrong step" if k == 0 else "Another wrong step, even given what came in,"
        at = f"{_at(step.alone)}{_within(step.hand, step.right, step.alone)}"
        said.append(f"{first} is {step.name}, {_through(step)}. {at} {_why(step.explanation)}")
    harmed = [p.name for p in parameters if p.hand_auto is not None and p.hand_auto.verdict == "differ"]
    if wrong and not harmed:
        said.append("The gradient of no parameter is changed by it.")
    elif len(wrong) == 1 and steps[-1] is not wrong[0]:
        said.append("All other steps are right, given that one.")
    for p in parameters:
        if not wrong and p.name in harmed and not _autodiff_is_wrong(p):
            at = f"{_at(p.hand_auto)}{_within(p.hand, p.auto, p.hand_auto)}"
            said.append(f"The gradient of {p.name} by hand is wrong. {at} {_why(p.explanation)}")
    for p in parameters:
        if p.auto is None and p.hand_numbers is not None and p.hand_numbers.verdict == "differ":
            said.append(f"The gradient of {p.name} by hand is wrong. {_at(p.hand_numbers)} {_why(p.explanation)}")
        if p.auto_numbers is not None and p.auto_numbers.verdict == "differ":
            at = _at(p.auto_numbers, "by autodiff", "and {} by numbers")
            sides = "By hand it is as the numbers say." if _autodiff_is_wrong(p) else ""
            said.append(f"Autodiff and numbers contradict each other on {p.name}. {at} {sides}".rstrip())
    return said


def second_derivatives(rows: list[Parameter]) -> list[str]:
    """What is wrong about products with the second derivative."""
    said = []
    for p in rows:
        product = f"the second derivative of {p.name}, along a random vector"
        if p.auto_numbers is not None and p.auto_numbers.verdict == "differ":
            at = _at(p.auto_numbers, "by autodiff", "and {} by differences of autodiff's gradients")
            said.append(f"Autodiff contradicts itself on {product}. {at}")
        if p.hand_auto is not None and p.hand_auto.verdict == "differ":
            at = _at(p.hand_auto, "by differences of the gradient by hand", "and {} by autodiff")
            said.append(f"By hand and autodiff contradict each other on {product}. {at}")
    return said


def _autodiff_is_wrong(p: Parameter) -> bool:
    """Whether numbers contradict autodiff, and not the hand."""
    verdicts = [c.verdict if c is not None else "" for c in (p.auto_numbers, p.hand_numbers)]
    return verdicts == ["differ", "agree"]


def _why(explanation: str | None) -> str:
    return f"Why: {explanation}." if explanation else "No explanation accounts for it."


def _at(comparison: Comparison | None, one: str = "by hand", other: str = "and should be {}") -> str:
    """The element that is furthest off, in a sentence."""
    if comparison is None:
        return ""
    if not math.isfinite(comparison.apart) and comparison.note.startswith("shape"):
        return f"It has {comparison.note}."
    element = f"Element {comparison.index}" if comparison.index else "It"
    if comparison.note.startswith("along"):
        element = "Along a random direction it"
    x, y = apart(*comparison.values)
    return f"{element} is {x} {one} {other.format(y)}."


def apart(x: float, y: float) -> tuple[str, str]:
    """Two numbers in six digits, or as many as they need to be seen to differ."""
    pairs = [(f"{x:.{digits}g}", f"{y:.{digits}g}") for digits in (6, 9, 12, 17)]
    return next((pair for pair in pairs if pair[0] != pair[1]), pairs[0])


def _within(hand: Array | None, right: Array | None, comparison: Comparison | None) -> str:
    """To which block of the elements it is limited, if it is."""
    if hand is None or right is None or comparison is None or hand.size < 2:
        return ""
    block = differing(hand, right, comparison.error)
    return "" if block is None else f" Outside of {in_brackets(block)} it is right."


def _through(step: Step) -> str:
    """Through what a step goes: "through reshape, max_pool2d (model.py:55)"."""
    if not step.through:
        return "at the loss itself"
    at: dict[str, list[str]] = {}
    for name, line in step.through:
        at.setdefault(short(line), []).append(name)
    return "through " + enough([f"{', '.join(dict.fromkeys(names))} ({line})" for line, names in at.items()])


def enough(names: list[str]) -> str:
    """As many names in a row as somebody reads."""
    more = len(names) - MOST
    return ", ".join(names) if more <= 1 else f"{', '.join(names[:MOST])} and {more} more"


def short(line: str) -> str:
    """Without the folders and the function: "model.py:55"."""
    return os.path.basename(line.rsplit(" in ", 1)[0])
