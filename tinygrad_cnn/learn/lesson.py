"""What a learner reads of an outcome, as paragraphs of plain text."""

from __future__ import annotations

from tinygrad_cnn.learn.outcome import Outcome
from tinygrad_cnn.learn.words import FAILURES, FRAME, MISTAKES, said


def paragraphs(outcome: Outcome, language: str) -> list[str]:
    """Whether it is right; or which line is wrong and why; or what is to be filled in next."""
    found = []
    right = [line.name for line in outcome.lines if line.status == "right"]
    if outcome.solved:
        found.append(said(FRAME, "solved", language))
    elif outcome.kind:
        found += _mistake(outcome, language)
    elif (blank := outcome.first_blank) is not None:
        found.append(said(FRAME, "gone" if blank.status == "gone" else "fill_in", language, name=blank.name))
    if right and not outcome.solved:
        found.append(said(FRAME, "right_so_far", language, names=", ".join(right)))
    follows = [line.name for line in outcome.lines if line.status == "follows"]
    if follows:
        found.append(said(FRAME, "follows", language, names=", ".join(follows)))
    if outcome.printed:
        found.append(f"{said(FRAME, 'printed', language)}\n{outcome.printed}")
    return found


def _mistake(outcome: Outcome, language: str) -> list[str]:
    if outcome.kind in FAILURES:
        first = [said(FAILURES, outcome.kind, language, **outcome.facts)]
    else:
        wrong = outcome.first_wrong
        if wrong is not None:
            head = said(FRAME, "wrong", language, name=wrong.name)
        elif "call" in outcome.facts:
            head = said(FRAME, "wrong_call", language, call=outcome.facts["call"])
        else:
            head = said(FRAME, "wrong", language, name=outcome.facts.get("name", "by_hand"))
        of_a_value = outcome.kind == "shape" and "call" in outcome.facts  # which need be no gradient
        kind = "shape_of_value" if of_a_value else outcome.kind
        why = outcome.says.get(language) or said(MISTAKES, kind, language, **outcome.facts)
        first = [f"{head} {why}"]
    if outcome.at is not None:
        line, text = outcome.at
        first.append(said(FRAME, "line", language, line=line, text=text))
    if outcome.yours:  # of a call, as a Python console shows it
        call = outcome.facts.get("call")
        head = f">>> {call}" if call else said(FRAME, "yours", language)
        first.append(f"{head}\n{outcome.yours}")
    return first
