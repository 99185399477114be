"""The conclusions of a report: what is wrong, where and why, in sentences."""

from __future__ import annotations

import math

from tinygrad_cnn.check import sentences
from tinygrad_cnn.check.diagnose.explanations.case import differing
from tinygrad_cnn.check.results import Cause, Comparison, ForwardValue, Parameter, Step
from tinygrad_cnn.engine.graph import Array


def conclusions(steps: list[Step], parameters: list[Parameter]) -> list[str]:
    """What is wrong; nothing if nothing is."""
    wrong = [step for step in steps if step.wrong]
    if any(_autodiff_is_wrong(p) for p in parameters):  # then it cannot show that a hand-derived step is wrong
        found, wrong = [_diverging_step(step) for step in wrong], []
    else:
        found = [_wrong_step(step, first=step is wrong[0]) for step in wrong]
    harmed = [p for p in parameters if _differs(p.hand_derived_vs_autodiff)]
    if wrong and not harmed:
        found.append(sentences.PARAMETERS_UNHARMED)
    elif len(wrong) == 1 and steps[-1] is not wrong[0]:
        found.append(sentences.OTHER_STEPS_RIGHT)
    if not wrong:
        found += [_wrong_gradient(p, p.hand_derived_vs_autodiff) for p in harmed if not _autodiff_is_wrong(p)]
    for p in parameters:
        if p.autodiff is None and _differs(p.hand_derived_vs_differences):
            found.append(_wrong_gradient(p, p.hand_derived_vs_differences))
        if _differs(p.autodiff_vs_differences):
            found.append(_autodiff_contradicted(p))
    return found


def wrong_values(values: list[ForwardValue]) -> list[str]:
    """Which values of the forward pass are wrong, if any: what is derived from them is, too."""
    return [
        _joined(
            sentences.WRONG_VALUE.format(value=x.value) if x.value else sentences.WRONG_LOSS,
            _at(x.comparison, sentences.SHOULD_BE),
        )
        for x in values
        if x.comparison.verdict == "differ"
    ]


def second_derivatives(rows: list[Parameter]) -> list[str]:
    """What is wrong with products with the second derivative."""
    found = []
    for p in rows:
        product = sentences.SECOND_DERIVATIVE.format(parameter=p.name)
        if _differs(p.autodiff_vs_differences):
            contradiction = sentences.AUTODIFF_CONTRADICTS_ITSELF.format(product=product)
            found.append(_joined(contradiction, _at(p.autodiff_vs_differences, sentences.AUTODIFF_TWICE)))
        if _differs(p.hand_derived_vs_autodiff):
            contradiction = sentences.SECOND_DERIVATIVES_DIFFER.format(product=product)
            at = _at(p.hand_derived_vs_autodiff, sentences.DIFFERENCES_OF_HAND_DERIVED)
            found.append(_joined(contradiction, at))
    return found


def _wrong_step(step: Step, first: bool) -> str:
    which = sentences.FIRST_WRONG_STEP if first else sentences.ANOTHER_WRONG_STEP
    return _joined(
        which.format(step=step.name, through=_through(step)),
        _at(step.given_upstream, sentences.SHOULD_BE),
        _right_outside(step.hand_derived, step.expected, step.given_upstream),
        _why(step.cause),
    )


def _diverging_step(step: Step) -> str:
    return _joined(
        sentences.DIVERGING_STEP.format(step=step.name, through=_through(step)),
        _at(step.given_upstream, sentences.HAND_DERIVED_AND_AUTODIFF),
    )


def _wrong_gradient(p: Parameter, comparison: Comparison | None) -> str:
    return _joined(
        sentences.WRONG_GRADIENT.format(parameter=p.name),
        _at(comparison, sentences.SHOULD_BE),
        _right_outside(p.hand_derived, p.autodiff, comparison),
        _why(p.cause),
    )


def _autodiff_contradicted(p: Parameter) -> str:
    return _joined(
        sentences.AUTODIFF_CONTRADICTED.format(parameter=p.name),
        _at(p.autodiff_vs_differences, sentences.AUTODIFF_AND_DIFFERENCES),
        sentences.HAND_DERIVED_CONFIRMED if _autodiff_is_wrong(p) else "",
    )


def _joined(*parts: str) -> str:
    return " ".join(part for part in parts if part)


def _differs(comparison: Comparison | None) -> bool:
    return comparison is not None and comparison.verdict == "differ"


def _autodiff_is_wrong(p: Parameter) -> bool:
    """Whether finite differences contradict autodiff, and confirm the hand-derived gradient."""
    confirmed = p.hand_derived_vs_differences is not None and p.hand_derived_vs_differences.verdict == "agree"
    return confirmed and _differs(p.autodiff_vs_differences)


def _why(cause: Cause | None) -> str:
    if cause is None:
        return sentences.NO_EXPLANATION
    why = sentences.WHY.format(explanation=cause.words)
    if cause.you is None:
        return why
    at = "" if cause.line is None else sentences.AT_LINE.format(line=cause.line)
    return why + sentences.YOU_AND_RIGHT.format(you=cause.you, right=cause.right, at=at)


def _at(comparison: Comparison | None, sentence: str) -> str:
    """The element that is furthest off, in a sentence."""
    if comparison is None:
        return ""
    if not math.isfinite(comparison.difference) and comparison.note.startswith("shape"):
        return sentences.WRONG_SHAPE.format(shape=comparison.note)
    element = sentences.ELEMENT.format(index=comparison.index) if comparison.index else sentences.IT
    if comparison.note.startswith(sentences.ALONG):
        element = sentences.ALONG_RANDOM_DIRECTION
    x, y = sentences.distinct(*comparison.values)
    return sentence.format(element=element, x=x, y=y)


def _right_outside(hand_derived: Array | None, expected: Array | None, comparison: Comparison | None) -> str:
    """To which block of the elements a mistake is limited, if it is."""
    if hand_derived is None or expected is None or comparison is None or hand_derived.size < 2:
        return ""
    block = differing(hand_derived, expected, comparison.error)
    return "" if block is None else sentences.RIGHT_OUTSIDE.format(block=sentences.in_brackets(block))


def _through(step: Step) -> str:
    """What a step goes through: "through reshape, max_pool2d (model.py:55)"."""
    if not step.through:
        return sentences.AT_THE_LOSS
    at: dict[str, list[str]] = {}
    for name, line in step.through:
        at.setdefault(sentences.file_and_line(line), []).append(name)
    primitives = [f"{', '.join(dict.fromkeys(names))} ({line})" for line, names in at.items()]
    return sentences.THROUGH.format(primitives=sentences.shortened(primitives))
