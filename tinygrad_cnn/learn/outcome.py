"""What became of a learner's answer, as data that crosses from the process that ran it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Status = Literal["right", "wrong", "follows", "blank", "gone", "given", "unknown"]


def value_of(blank: str) -> str:
    """The name of what a blank computes, or fills a part of: "dx" of "dx[i, j]"."""
    return blank.partition("[")[0]


@dataclass(frozen=True)
class Line:
    """One blank.

    name     what it assigns to
    status   "right"; "wrong"; "follows": wrong because of a wrong line before it; "blank"; "gone": the statement is not
             there any more; "given": it is the wrong line that is to be found; "unknown": nothing shows it
    line     its line in the learner's file
    written  the right-hand side that the learner wrote
    text     the whole statement, as it stands in the learner's file
    """

    name: str
    status: Status
    line: int | None = None
    written: str = ""
    text: str = ""

    @property
    def value(self) -> str:
        """The name of what it computes, or fills a part of."""
        return value_of(self.name)

    @property
    def at(self) -> tuple[int, str] | None:
        """Its line, and its text."""
        return None if self.line is None else (self.line, self.text)


@dataclass(frozen=True)
class Outcome:
    """The verdict on an answer.

    solved      whether everything is filled in and right
    lines       the blanks, in the order of the exercise
    kind        the kind of mistake, of `words.MISTAKES`, or of `words.FAILURES`
    facts       what fills in its sentence
    says        the exercise's own words on it, by language
    at          the line of the learner's file that it is about, and its text
    yours       the wrong numbers, as text
    printed     what the learner's file printed
    """

    solved: bool
    lines: list[Line]
    kind: str = ""
    facts: dict[str, Any] = field(default_factory=dict)
    says: dict[str, str] = field(default_factory=dict)
    at: tuple[int, str] | None = None
    yours: str = ""
    printed: str = ""

    @property
    def first_wrong(self) -> Line | None:
        """The first line that is wrong."""
        return next((line for line in self.lines if line.status == "wrong"), None)

    @property
    def name(self) -> str:
        """What the mistake is about: the first line that is wrong, or a value that no line computes; "" if neither."""
        wrong = self.first_wrong
        return str(self.facts.get("name", "")) if wrong is None else wrong.name

    @property
    def first_blank(self) -> Line | None:
        """The first line that is still to be filled in."""
        return next((line for line in self.lines if line.status in ("blank", "gone")), None)

    def to_json(self) -> str:
        """As text."""
        return json.dumps(asdict(self))


def from_json(text: str) -> Outcome:
    """The outcome that `to_json` wrote."""
    data = json.loads(text)
    data["lines"] = [Line(**line) for line in data["lines"]]
    data["at"] = None if data["at"] is None else tuple(data["at"])
    return Outcome(**data)
