"""The two lines of code in a conclusion, as it is and as it should be, and in what they differ."""

from __future__ import annotations

import difflib
import re
from typing import NamedTuple

_PAIR = re.compile(
    r"\n    you:   (?P<you>.*?)(?:  \((?P<line>[^() ]+:\d+)\))?\n    right: (?P<right>.*)"
)  # YOU_AND_RIGHT
_TOKEN = re.compile(r"\d+\.?\d*(?:e[-+]?\d+)?|\w+|\s+|\*\*|//|[<>=!]=|.")
Marked = list[tuple[str, bool]]  # pieces of a line, and whether they are only in this one


class Conclusion(NamedTuple):
    """A conclusion: its sentences; the line of code with the mistake, and the right one; and where it is."""

    words: str
    you: Marked
    right: Marked
    line: str | None


def parts(conclusion: str) -> Conclusion:
    """A conclusion without its lines of code, and these."""
    found = _PAIR.search(conclusion)
    if found is None:
        return Conclusion(conclusion, [], [], None)
    words = f"{conclusion[: found.start()]} {conclusion[found.end() :]}".strip()
    return Conclusion(words, *marked(found["you"], found["right"]), found["line"])


def marked(you: str, right: str) -> tuple[Marked, Marked]:
    """Two lines of code in pieces, with what is only in one of them marked."""
    one, other = _TOKEN.findall(you), _TOKEN.findall(right)
    left, there = Marked(), Marked()
    for kind, a, b, c, d in difflib.SequenceMatcher(None, one, other, autojunk=False).get_opcodes():
        left.append(("".join(one[a:b]), kind != "equal"))
        there.append(("".join(other[c:d]), kind != "equal"))
    return [piece for piece in left if piece[0]], [piece for piece in there if piece[0]]
