"""What a learner reads of an outcome, as paragraphs of plain text."""

from __future__ import annotations

from tinygrad_cnn.learn.outcome import Outcome
from tinygrad_cnn.learn.words import FAILURES, FRAME, MISTAKES, sentence


def paragraphs(outcome: Outcome, language: str) -> list[str]:
    """Whether it is right; or which line is wrong and why; or what is to be filled in next."""
    found = []
    right = [line.name for line in outcome.lines if line.status == "right"]
    if outcome.solved:
        found.append(sentence(FRAME, "solved", language))
    elif outcome.kind:
        found += _mistake(outcome, language)
    elif (blank := outcome.first_blank) is not None:
        key = "gone" if blank.status == "gone" else "fill_in"
        found.append(sentence(FRAME, key, language, name=quoted(blank.name)))
    if right and not outcome.solved:
        found.append(sentence(FRAME, "right_so_far", language, names=", ".join(map(quoted, right))))
    follows = [line.name for line in outcome.lines if line.status == "follows"]
    if follows:
        found.append(sentence(FRAME, "follows", language, names=", ".join(map(quoted, follows))))
    if outcome.printed:
        found.append(f"{sentence(FRAME, 'printed', language)}\n{outcome.printed}")
    return found


def quoted(name: str) -> str:
    """A name in a sentence: it may be a word of the language."""
    return f"`{name}`"


def _mistake(outcome: Outcome, language: str) -> list[str]:
    if outcome.kind == "given":
        names = ", ".join(map(quoted, outcome.facts["names"]))
        first = [sentence(FRAME, "given_call" if "call" in outcome.facts else "given", language, names=names)]
    elif outcome.kind in FAILURES:
        first = [sentence(FAILURES, outcome.kind, language, **outcome.facts)]
    else:
        name = outcome.name
        if name or "call" not in outcome.facts:
            head = sentence(FRAME, "wrong", language, name=quoted(name or "by_hand"))
        else:
            head = sentence(FRAME, "wrong_call", language, call=quoted(outcome.facts["call"]))
        of_a_value = outcome.kind == "shape" and ("call" in outcome.facts or not name.startswith("dL_"))
        kind = "shape_of_value" if of_a_value else outcome.kind  # a value need be no gradient
        why = outcome.says.get(language) or sentence(MISTAKES, kind, language, **outcome.facts)
        first = [f"{head} {why}"]
    if outcome.at is not None:
        line, text = outcome.at
        first.append(sentence(FRAME, "line", language, line=line, text=text))
    if outcome.yours:  # of a call, as a Python console shows it
        call = outcome.facts.get("call")
        head = f">>> {call}" if call else sentence(FRAME, "yours", language)
        first.append(f"{head}\n{outcome.yours}")
    return first
