"""The drawings that a model is trained and tested on: bundled, or from a person's folder."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_cnn.circle_square import inputs
from tinygrad_cnn.circle_square.errors import InputError
from tinygrad_cnn.circle_square.images import CHANGES, SUFFIXES, Grey, read_drawing
from tinygrad_cnn.circle_square.tasks import Task

Floats = NDArray[np.float64]

BUNDLED = "drawings that come with tinygrad_cnn"


@dataclass(frozen=True)
class Scaling:
    """How drawings become numbers: dark strokes on white, inverted so that strokes are bright, and scaled to 0..top."""

    invert: bool = True
    top: float = 10.0

    def is_right(self) -> bool:
        """Whether `invert` is True or False and `top` a finite number above 0; what is read from a file may not be."""
        number = isinstance(self.top, int | float) and not isinstance(self.top, bool)
        return isinstance(self.invert, bool) and number and 0 < self.top <= sys.float_info.max

    def __call__(self, grey: Grey) -> Floats:
        """(batch, 28, 28) float64, of drawings (batch, 28, 28) uint8, dark on light."""
        return (255 - grey if self.invert else grey).astype(np.float64) * (self.top / 255)


@dataclass(frozen=True)
class Drawings:
    """Drawings with their targets.

    grey   (batch, 28, 28) uint8, dark on light
    y      (batch, 1) float64: 0 for the first class, 1 for the second
    names  of the files
    notes  what a person should know of how they were read, a sentence each
    """

    grey: Grey
    y: Floats
    names: list[str]
    notes: list[str]

    def __len__(self) -> int:
        return len(self.grey)


@dataclass(frozen=True)
class DataSet:
    """Drawings to train on and to test with, of two classes; `source` says where they are from."""

    train: Drawings
    test: Drawings
    classes: tuple[str, str]
    source: str

    @property
    def notes(self) -> list[str]:
        """What a person should know of how the drawings were read."""
        return self.train.notes + self.test.notes


def bundled(task: Task) -> DataSet:
    """The drawings that come with the package, which its own generator drew."""
    train, test = (read_half_and_half(bundled_folder(task) / part) for part in ("train", "test"))
    return DataSet(train, test, task.shapes, BUNDLED)


def bundled_folder(task: Task) -> Path:
    """Where they are: a folder with the folders train and test."""
    here = Path(__file__).parent.parent
    folders = [parent / "data" / _entry(task) for parent in (here, here.parent)]
    if not any(folder.is_dir() for folder in folders):
        raise InputError(f"the bundled drawings are missing; expected {folders[0]}. Reinstall the package")
    return next(folder for folder in folders if folder.is_dir())


def _entry(task: Task) -> str:
    return task.name.replace("-", "_")


def load(folder: Path, task: Task, split: str | None = None, split_seed: int = 0) -> DataSet:
    """The drawings in a person's `folder`.

    Either `folder` has the folders train and test, each with drawing(1).png, drawing(2).png, ... (the first half of
    them circles, as in the article) or with a folder of drawings for each class; or it has itself a folder for each
    class, and `split` says which of them to train and test with: "12+2" takes 12 and 2 of each class, as a permutation
    from `split_seed` has them; the name of a JSON file, those that it lists by number:
    {"train": [[1, 3], [2, 4]], "test": [[5], [6]]}, circles first.

    Raises InputError, which names the file or folder and says what is wrong with it.
    """
    try:
        if not folder.is_dir():
            raise InputError(f"{folder}: {'this is not a folder' if folder.exists() else 'there is no such folder'}")
        return _load(folder, task, split, split_seed)
    except OSError as error:
        raise InputError(f"{error.filename or folder}: {error.strerror or error}") from None


def _load(folder: Path, task: Task, split: str | None, split_seed: int) -> DataSet:
    if (folder / "train").is_dir() or (folder / "test").is_dir():
        if split is not None:
            raise InputError(f"{folder}: it has folders train and test, so --split has no effect. Leave --split out")
        for part in ("train", "test"):
            if not (folder / part).is_dir():
                raise InputError(f"{folder}: it has no folder {part!r}; expected both train and test")
        (train, classes), (test, same) = (_read_layout(folder / part, task) for part in ("train", "test"))
        if classes != same:
            raise InputError(
                f"{folder}: train has the classes {_and(classes)}, test {_and(same)}; expected the same in both"
            )
        return DataSet(train, test, classes, str(folder))
    folders = _class_folders(folder, task)
    if not folders:
        raise InputError(f"{folder}: expected folders train and test, or a folder for each of {_plural(task)}")
    if split is None:
        raise InputError(f"{folder}: it is not divided into train and test. Pass --split, for example --split 12+2")
    chosen, how = divided([image_files(f) for f in folders], split, split_seed, _entry(task))
    train, test = (_read(paths) for paths in chosen)
    return DataSet(train, test, _names(folders, task), f"{folder} ({how})")


def read_half_and_half(folder: Path) -> Drawings:
    """The drawings in one folder, in natural order: the first half of them circles, as in the article."""
    files = image_files(folder)
    if len(files) % 2:
        raise InputError(
            f"{folder}: it has {len(files)} images; expected an even number, of which the first half are circles and "
            "the second half the other shape"
        )
    half = len(files) // 2
    return _read([files[:half], files[half:]])


def _read_layout(folder: Path, task: Task) -> tuple[Drawings, tuple[str, str]]:
    """The drawings in a folder of either layout, and what their two classes are called."""
    folders = _class_folders(folder, task)
    if not folders:
        return read_half_and_half(folder), task.shapes
    return _read([image_files(f) for f in folders]), _names(folders, task)


def _names(folders: list[Path], task: Task) -> tuple[str, str]:
    """What the classes in two folders are called: as the task's shapes, if it knows the folders, else as they are."""
    first, second = (f.name for f in folders)
    return task.shapes if first.lower().startswith(task.shapes[0]) else (first, second)


def _class_folders(folder: Path, task: Task) -> list[Path]:
    """The folders of the task's two shapes, by their names; else the only two there are, in natural order."""
    folders = sorted((f for f in folder.iterdir() if f.is_dir() and not f.name.startswith((".", "__"))), key=natural)
    named = [next((f for f in folders if f.name.lower().startswith(shape)), None) for shape in task.shapes]
    if all(named):
        return [f for f in named if f is not None]
    if folders and not any(named) and len(folders) != 2:
        raise InputError(
            f"{folder}: it has {len(folders)} folders; expected one for each of {_plural(task)}, named after it"
        )
    if any(named):
        missing = next(shape for shape, f in zip(task.shapes, named, strict=True) if f is None)
        raise InputError(f"{folder}: it has no folder for {missing}s")
    return folders


def image_files(folder: Path) -> list[Path]:
    """The image files in a folder, in natural order; at least one."""
    files = sorted((f for f in folder.iterdir() if f.is_file() and not f.name.startswith(".")), key=natural)
    images = [f for f in files if f.suffix.lower() in SUFFIXES]
    if not images:
        raise InputError(f"{folder}: it contains no images; expected files {', '.join(sorted(SUFFIXES))}")
    return images


def natural(path: Path) -> list[Any]:
    """A key to sort names by as people count: drawing(2) before drawing(10)."""
    return [int(part) if part.isdecimal() else part.lower() for part in re.split(r"(\d+)", path.name)]


def divided(
    files: list[list[Path]], split: str, seed: int, entry: str
) -> tuple[tuple[list[list[Path]], list[list[Path]]], str]:
    """The files of each class to train with, and to test with, and how they were chosen, in words.

    split: "12+2", as a permutation from `seed` has them, or a JSON file that lists them by number, itself or in its
    entry `entry`.
    """
    if split.endswith(".json"):
        train, test = _split_by_list(Path(split), files, entry)
        return (train, test), f"split by {split}"
    train, test = _split(split, seed, files)
    return (train, test), f"split {split}, seed {seed}"


def _split(split: str, seed: int, files: list[list[Path]]) -> list[list[list[Path]]]:
    match = re.fullmatch(r"([0-9]{1,9})\+([0-9]{1,9})", split)
    if not match or not int(match[1]) or not int(match[2]):
        raise InputError(
            f"--split {_shortened(split)}: expected TRAIN+TEST, drawings of each class, such as 12+2, or a .json file"
        )
    train, test = int(match[1]), int(match[2])
    rng = np.random.default_rng(seed)
    parts: list[list[list[Path]]] = [[], []]
    for paths in files:
        if len(paths) < train + test:
            raise InputError(f"{paths[0].parent}: it has {len(paths)} images; --split {split} needs {train + test}")
        order = rng.permutation(len(paths))
        parts[0].append([paths[i] for i in order[:train]])
        parts[1].append([paths[i] for i in order[train : train + test]])
    return parts


def _split_by_list(path: Path, files: list[list[Path]], entry: str) -> list[list[list[Path]]]:
    try:
        listed = inputs.read_json(path, "split")
    except InputError as error:
        raise InputError(f"--split {error}") from None
    if isinstance(listed, dict):
        listed = listed.get(entry, listed)
    for part in ("train", "test"):
        if not isinstance(listed, dict) or part not in listed:
            raise InputError(f"--split {path}: it has no entry {part!r}")
        if not _is_list(listed[part], list) or not all(_is_list(numbers, int) for numbers in listed[part]):
            raise InputError(f'--split {path}: expected {{"train": [[1, 3], [2, 4]], "test": [[5], [6]]}}')
        if len(listed[part]) != len(files) or not all(listed[part]):
            raise InputError(f'--split {path}: expected numbers for {len(files)} classes in both "train" and "test"')
    chosen: dict[str, list[list[Path]]] = {"train": [], "test": []}
    for k, paths in enumerate(files):
        by_number: dict[int | None, list[Path]] = {}
        for file in paths:
            by_number.setdefault(_number(file), []).append(file)
        taken: set[int] = set()
        for part, of_classes in chosen.items():
            for number in listed[part][k]:
                if number not in by_number:
                    raise InputError(f"--split {path}: there is no drawing with the number {number}")
                drawing, *others = by_number[number]
                if others:
                    both = f"{drawing.name} and {others[0].name}"
                    raise InputError(f"--split {path}: {both} both have the number {number}")
                if number in taken:
                    raise InputError(f"--split {path}: {drawing.name} of a class is listed twice")
                taken.add(number)
            of_classes.append([by_number[number][0] for number in listed[part][k]])
    return list(chosen.values())


def _shortened(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:30]}... ({len(text)} characters)"


def _is_list(x: Any, of: type) -> bool:
    return isinstance(x, list) and all(type(item) is of for item in x)


def _number(path: Path) -> int | None:
    """The last number in a file's name: 3 of drawing(3).png."""
    found = re.findall(r"\d+", path.stem)
    return int(found[-1]) if found else None


def _read(files: list[list[Path]]) -> Drawings:
    """Drawings from the files of two classes."""
    paths = [path for of_class in files for path in of_class]
    read = [read_drawing(path) for path in paths]
    notes = notes_on(paths, [drawing.changes for drawing in read], CHANGES)
    y = np.repeat([0.0, 1.0], [len(of_class) for of_class in files])[:, None]
    return Drawings(np.array([drawing.grey for drawing in read]), y, [path.name for path in paths], notes)


def notes_on(paths: list[Path], changes: list[tuple[str, ...]], wordings: dict[str, str]) -> list[str]:
    """What was done to which files: a sentence for each of the first three, and one for all others.

    wordings: for each change to a file, the same of several.
    """
    notes = []
    for change, many in wordings.items():
        changed = [path.name for path, of_path in zip(paths, changes, strict=True) if change in of_path]
        notes += [f"{name}: {change}" for name in changed[:3]]
        if len(changed) > 3:
            notes.append(f"and {len(changed) - 3} more drawings {many}")
    return notes


def _and(words: tuple[str, ...]) -> str:
    return " and ".join(words)


def _plural(task: Task) -> str:
    return _and(tuple([f"{shape}s" for shape in task.shapes]))
