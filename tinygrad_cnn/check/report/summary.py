"""The conclusions of a report: what is wrong, where and why, in sentences."""

from __future__ import annotations

import math

from tinygrad_cnn.check import sentences
from tinygrad_cnn.check.diagnose.explanations.case import differing
from tinygrad_cnn.check.report.iterations import cause_of, mistakes, step_of_loop
from tinygrad_cnn.check.results import Cause, Comparison, ForwardValue, Parameter, Results, Step
from tinygrad_cnn.engine.graph import Array


def conclusions(steps: list[Step], parameters: list[Parameter]) -> list[str]:
    """What is wrong; nothing if nothing is. A mistake that is made in several iterations of a loop is said once."""
    wrong = mistakes(steps)
    if any(_autodiff_is_wrong(p) for p in parameters):  # then it cannot show that a hand-derived step is wrong
        found, wrong = [_diverging_step(alike[0]) for alike in wrong], []
    else:
        found = [_wrong_step(alike, _iterations(alike, steps), first=alike is wrong[0]) for alike in wrong]
    harmed = [p for p in parameters if _differs(p.hand_derived_vs_autodiff)]
    if wrong:
        found.append(_joined(_affected(harmed, parameters), _others(wrong, steps) if harmed else ""))
    else:
        found += _wrong_gradients([p for p in harmed if not _autodiff_is_wrong(p)])
    for p in parameters:
        if p.autodiff is None and _differs(p.hand_derived_vs_differences):
            found.append(_wrong_gradient(p, p.hand_derived_vs_differences))
        if _differs(p.autodiff_vs_differences):
            found.append(_autodiff_contradicted(p))
    return found


def outcome(results: Results) -> str:
    """The verdict in one line, with how many steps are wrong."""
    verdict, n = results.verdict.rstrip("."), sum(step.wrong for step in results.steps)
    if results.first_wrong is None:
        return f"{verdict}."
    many = sentences.count(len(results.steps), "step")
    which = sentences.ONE_STEP_WRONG if n == 1 else sentences.STEPS_WRONG
    return f"{verdict}: {which.format(n=n, steps=many, first=results.first_wrong.name)}."


def _iterations(alike: list[Step], steps: list[Step]) -> str:
    """In how many iterations of a loop a step is wrong, if it is in more than one."""
    if len(alike) == 1:
        return ""
    every = [step for step in steps if step_of_loop(step) == step_of_loop(alike[0])]
    which = sentences.WRONG_IN_ALL_ITERATIONS if len(alike) == len(every) else sentences.WRONG_IN_ITERATIONS
    return which.format(n=len(alike), all=len(every))


def _affected(harmed: list[Parameter], parameters: list[Parameter]) -> str:
    """What follows from wrong steps for the gradients of parameters."""
    if not harmed:
        return sentences.PARAMETERS_UNHARMED
    wrong = sentences.listed([p.name for p in harmed])
    right = [p.name for p in parameters if p.hand_derived_vs_autodiff and p.hand_derived_vs_autodiff.verdict == "agree"]
    affected = sentences.AFFECTED if len(harmed) == 1 else sentences.AFFECTED_SEVERAL
    if not right:
        return affected.format(parameters=wrong)
    others = sentences.RIGHT if len(right) == 1 else sentences.RIGHT_SEVERAL
    return affected.format(parameters=wrong)[:-1] + others.format(parameters=sentences.listed(right))


def _others(wrong: list[list[Step]], steps: list[Step]) -> str:
    """That the other steps are right, if one step alone is wrong, and if it is not the last."""
    (alike, *more) = wrong
    if more or alike[-1] is steps[-1] or len(alike) == len(steps):
        return ""
    return sentences.OTHER_STEPS_RIGHT if len(alike) == 1 else sentences.OTHER_STEPS_RIGHT_GIVEN_THESE


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


def _wrong_step(alike: list[Step], iterations: str, first: bool) -> str:
    """A wrong step; `alike`: the same in several iterations of a loop, with how many in a sentence."""
    which, step = sentences.FIRST_WRONG_STEP if first else sentences.ANOTHER_WRONG_STEP, alike[0]
    return _joined(
        which.format(step=step.name, through=_through(step)),
        iterations,
        _at(step.given_upstream, sentences.SHOULD_BE),
        _right_outside(step.hand_derived, step.expected, step.given_upstream),
        _why(cause_of(alike)),
    )


def _diverging_step(step: Step) -> str:
    return _joined(
        sentences.DIVERGING_STEP.format(step=step.name, through=_through(step)),
        _at(step.given_upstream, sentences.HAND_DERIVED_AND_AUTODIFF),
    )


def _wrong_gradients(harmed: list[Parameter]) -> list[str]:
    """Of parameters: those that one line of somebody's makes wrong in one paragraph."""
    found = []
    for p in harmed:
        alike = [q.name for q in harmed if q.cause == p.cause and p.cause is not None and p.cause.line is not None]
        if alike and alike[0] != p.name:
            continue
        found.append(_wrong_gradient(p, p.hand_derived_vs_autodiff))
        if len(alike) > 1:
            too = sentences.WRONG_TOO if len(alike) == 2 else sentences.WRONG_TOO_SEVERAL
            found[-1] += ("\n" if "\n" in found[-1] else " ") + too.format(parameters=sentences.listed(alike[1:]))
    return found


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
