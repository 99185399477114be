"""The exercises as data: a folder for each, in a folder for each section.

    exercises/course.toml                      the sections in order, with their titles
    exercises/4_convolution/02_filter/
        exercise.toml                          title, minutes, hints, how it is judged, wrong answers
        text.en.md, text.ko.md                 the mathematics and the shapes, which stand first in the learner's file
        solution.py                            the file with its lines filled in; `# blank` marks those to be taken out

A teacher adds an exercise by adding a folder; docs/exercises.md says how.
"""

from __future__ import annotations

import functools
import itertools
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

from tinygrad_cnn.learn.blanks import Blank, blanks_of, starter

Language = Literal["en", "ko"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
Texts = Mapping[str, str]  # by language
FOLDER = Path(__file__).parent / "exercises"
HINTS = 3


class CourseError(ValueError):
    """An exercise whose folder is not as it should be. The message names the file."""


@dataclass(frozen=True)
class WrongAnswer:
    """An answer that learners give, and what they are to be told.

    blanks   what is written, by the name of the blank; the others are as in the solution
    kind     the kind of mistake, a name of `words.MISTAKES`, of which they are told
    says     the exercise's own words, told whoever gives an answer of the same numbers
    any_number   whether these are also told whoever writes the same code with other numbers in it
    """

    blanks: Mapping[str, str]
    kind: str = ""
    says: Texts = field(default_factory=dict)
    any_number: bool = False


@dataclass(frozen=True)
class Exercise:
    """One exercise.

    number    such as "4.2"
    folder    where it is
    section   the title of its section
    title     by language
    minutes   how long it takes
    hints     three, from a nudge to nearly the answer, by language
    calls     expressions whose values are compared with those of the solution; none if the gradient is cross-checked
    wrong     answers that learners give
    """

    number: str
    folder: Path
    section: Texts
    title: Texts
    minutes: int
    hints: Mapping[str, tuple[str, ...]]
    calls: tuple[str, ...]
    wrong: tuple[WrongAnswer, ...]

    @property
    def name(self) -> str:
        """The file that the learner edits, from the learner's folder: "4_convolution/02_filter.py"."""
        return f"{self.folder.parent.name}/{self.folder.name}.py"

    @functools.cached_property
    def solution(self) -> str:
        """The source with its lines filled in."""
        return (self.folder / "solution.py").read_text(encoding="utf-8")

    @functools.cached_property
    def blanks(self) -> list[Blank]:
        """What is to be filled in."""
        return blanks_of(self.solution)

    def text(self, language: Language) -> str:
        """The mathematics and the shapes."""
        return (self.folder / f"text.{language}.md").read_text(encoding="utf-8").strip()

    def starter(self, language: Language) -> str:
        """What the learner is given: the text, then the source with its blanks."""
        title = f"{self.number}  {self.title[language]}"
        escaped = f"{title}\n\n{self.text(language)}\n".replace("\\", "\\\\").replace('"""', r"\"\"\"")
        return f'"""{escaped}"""\n\n{starter(self.solution)}'


@functools.cache
def course(folder: Path = FOLDER) -> tuple[Exercise, ...]:
    """All exercises, in order. Raises CourseError if a folder is not as it should be."""
    sections = _toml(folder / "course.toml").get("section", [])
    found = []
    for section in sections:
        path = folder / section["folder"]
        exercises = sorted(p.parent for p in path.glob("*/exercise.toml"))
        found += [_exercise(f"{_place(path)}.{_place(p)}", p, section["title"]) for p in exercises]
    return tuple(found)


def sections() -> list[tuple[Exercise, ...]]:
    """The exercises of each section, in order."""
    return [tuple(group) for _, group in itertools.groupby(course(), key=lambda e: e.folder.parent)]


def _place(folder: Path) -> int:
    """The number that a folder's name begins with: 4 for 4_convolution."""
    number, _, rest = folder.name.partition("_")
    if not number.isdigit() or not rest:
        raise CourseError(f"{folder}: the name does not begin with a number and _, as 02_filter does")
    return int(number)


def _exercise(number: str, folder: Path, section: Texts) -> Exercise:
    path = folder / "exercise.toml"
    data = _toml(path)
    unknown = data.keys() - {"title", "minutes", "hints", "calls", "wrong"}
    if unknown:
        raise CourseError(f"{path}: {', '.join(sorted(unknown))} is not known here")
    for language in LANGUAGES:
        for name in ("title", "hints"):
            if language not in data.get(name, {}):
                raise CourseError(f"{path}: {name}.{language} is missing")
        if len(data["hints"][language]) != HINTS:
            raise CourseError(f"{path}: hints.{language} has {len(data['hints'][language])} hints, not {HINTS}")
        if not (folder / f"text.{language}.md").exists():
            raise CourseError(f"{folder}: has no text.{language}.md")
    made = Exercise(
        number=number,
        folder=folder,
        section=section,
        title=data["title"],
        minutes=data["minutes"],
        hints={language: tuple(hints) for language, hints in data["hints"].items()},
        calls=tuple(data.get("calls", ())),
        wrong=tuple(WrongAnswer(**wrong) for wrong in data.get("wrong", ())),
    )
    names = {blank.name for blank in made.blanks}
    for wrong in made.wrong:
        if strange := wrong.blanks.keys() - names:
            raise CourseError(
                f"{path}: a wrong answer fills in {', '.join(strange)}; the blanks are {', '.join(names)}"
            )
    return made


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise CourseError(f"{path}: {error}") from error
