"""The learner's folder: one file for each exercise, which only the learner changes, and what has been done so far."""

from __future__ import annotations

import datetime
import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from tinygrad_cnn import files
from tinygrad_cnn.learn.course import HINTS, LANGUAGES, Exercise, Language, course
from tinygrad_cnn.learn.outcome import Outcome

PROGRESS = ".progress.json"


class FolderError(ValueError):
    """A folder that cannot be used. The message is one line, which says what to do."""


@dataclass(frozen=True)
class Done:
    """What was done of one exercise.

    attempts       how often a changed file was judged
    hints          how many hints were asked for, at most 3
    solved         when it was solved first, as ISO 8601 text; None if it was not
    seen           whether the solution was looked at before it was solved
    last           the text that was judged last, as a digest, so that a file that did not change is no attempt
    """

    attempts: int = 0
    hints: int = 0
    solved: str | None = None
    seen: bool = False
    last: str = ""

    @property
    def tried(self) -> bool:
        """Whether there was an honest attempt."""
        return bool(self.attempts or self.solved)


@dataclass
class Folder:
    """A learner's folder: where it is, its language, and what was done, by the number of the exercise."""

    path: Path
    language: Language
    present: str
    done: dict[str, Done] = field(default_factory=dict)

    def file(self, exercise: Exercise) -> Path:
        """The file of an exercise."""
        return self.path / exercise.name

    def of(self, exercise: Exercise) -> Done:
        """What was done of an exercise."""
        return self.done.get(exercise.number, Done())

    def exercise(self) -> Exercise:
        """The one that the learner is at."""
        return find(self.present)

    def judged(self, exercise: Exercise, source: bytes, outcome: Outcome) -> None:
        """Note that an answer was judged. A file in which nothing is filled in yet is none."""
        if any(line.written not in ("", "...") for line in outcome.lines):
            self.attempted(exercise, hashlib.sha256(source).hexdigest(), outcome.solved)

    def attempted(self, exercise: Exercise, digest: str, solved: bool) -> None:
        """Note an answer, by its digest."""
        before = self.of(exercise)
        if digest == before.last and (before.solved or not solved):
            return
        now = datetime.datetime.now().astimezone().isoformat(timespec="seconds")
        self._set(
            exercise,
            attempts=before.attempts + (digest != before.last),
            last=digest,
            solved=before.solved or (now if solved else None),
        )

    def hint(self, exercise: Exercise) -> tuple[int, str]:
        """The next hint, and which it is; the last one again, where all were given."""
        n = min(self.of(exercise).hints + 1, HINTS)
        self._set(exercise, hints=n)
        return n, exercise.hints[self.language][n - 1]

    def looked_at_solution(self, exercise: Exercise) -> None:
        """Note that the solution was shown; to whoever has solved it, that is no help."""
        before = self.of(exercise)
        self._set(exercise, seen=before.seen or not before.solved)

    def go_to(self, exercise: Exercise) -> None:
        """Make another exercise the present one."""
        self.present = exercise.number
        self.save()

    def restore(self, exercise: Exercise) -> bool:
        """Write the file of an exercise as it is given, if it is not there. Whether it was written."""
        self.file(exercise).parent.mkdir(parents=True, exist_ok=True)
        return write_new(self.file(exercise), exercise.starter(self.language))

    def save(self) -> None:
        """Write down what was done. Raises FolderError."""
        data = {
            "language": self.language,
            "present": self.present,
            "done": {number: asdict(done) for number, done in self.done.items()},
        }
        try:
            files.write(self.path / PROGRESS, (json.dumps(data, indent=1) + "\n").encode())
        except OSError as error:
            raise FolderError(f"{self.path / PROGRESS}: cannot be written: {error.strerror or error}") from None

    def _set(self, exercise: Exercise, **changes: Any) -> None:
        self.done[exercise.number] = replace(self.of(exercise), **changes)
        self.save()


def find(name: str) -> Exercise:
    """The exercise of a number, such as "4.2". Raises FolderError."""
    for exercise in course():
        if exercise.number == name:
            return exercise
    raise FolderError(f"there is no exercise {name!r}; expected one of {course()[0].number} to {course()[-1].number}")


def exercise_of(path: Path) -> Exercise:
    """The exercise of a learner's file, by its name and the name of its folder. Raises FolderError."""
    name = f"{path.resolve().parent.name}/{path.name}"
    for exercise in course():
        if exercise.name == name:
            return exercise
    raise FolderError(
        f"{path}: is no file of an exercise; expected one that `learn start` wrote, such as {course()[0].name}"
    )


def start(path: Path, language: Language) -> Folder:
    """Write the files of all exercises into a new folder. Raises FolderError if something is there already."""
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        if (path / PROGRESS).exists():
            raise FolderError(f"{path}: the exercises are there already; go on with: tinygrad-cnn learn {path}")
        raise FolderError(f"{path}: is there already, and not empty; name another folder")
    folder = Folder(path, language, course()[0].number)
    try:
        for exercise in course():
            folder.restore(exercise)
    except OSError as error:
        raise FolderError(f"{path}: cannot be written: {error.strerror or error}") from None
    folder.save()
    return folder


def opened(path: Path) -> Folder:
    """The folder that `start` wrote. Raises FolderError."""
    progress = path / PROGRESS
    try:
        data = json.loads(progress.read_text(encoding="utf-8"))
        folder = Folder(path, data["language"], data["present"], _done(data["done"]))
    except FileNotFoundError:
        raise FolderError(
            f"{path}: has no exercises; begin with: tinygrad-cnn learn start {path if path != Path() else 'backprop'}"
        ) from None
    except OSError as error:
        raise FolderError(f"{progress}: cannot be read: {error.strerror or error}") from None
    except (ValueError, KeyError, TypeError):
        raise FolderError(
            f"{progress}: is damaged; rename it, run `learn start` in another folder, and copy its {PROGRESS} here: "
            "your files stay as they are"
        ) from None
    if folder.language not in LANGUAGES or folder.present not in {e.number for e in course()}:
        raise FolderError(f"{progress}: is of another edition of the exercises")
    return folder


def _done(data: Mapping[str, Mapping[str, Any]]) -> dict[str, Done]:
    return {number: Done(**done) for number, done in data.items()}


def write_new(path: Path, text: str) -> bool:
    """Write a file that is not there yet; one that is there stays as it is."""
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        return False
    return True
