"""Drawings of any number of classes, from a folder with a folder for each class."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_cnn.circle_square import data
from tinygrad_cnn.circle_square.errors import InputError
from tinygrad_cnn.circle_square.images import CONVERSIONS, INVERTED, Grey, as_drawing, read_picture
from tinygrad_cnn.circle_square.ink import ink

FEWEST = 2  # drawings of a class, to train on


@dataclass(frozen=True)
class Labelled:
    """Drawings with their labels.

    grey     (batch, 28, 28) uint8, dark on light, to look at
    ink      (batch, 56, 56) uint8, what is drawn on them, as `ink.ink` gives it
    labels   (batch,) int: indices of classes
    names    of the files
    notes    what a person should know of how they were read, a sentence each
    """

    grey: Grey
    ink: Grey
    labels: NDArray[np.intp]
    names: list[str]
    notes: list[str]

    def __len__(self) -> int:
        return len(self.labels)

    def chosen(self, indices: Any) -> Labelled:
        """Some of them, by their indices."""
        return Labelled(
            self.grey[indices], self.ink[indices], self.labels[indices], [self.names[i] for i in indices], []
        )


@dataclass(frozen=True)
class Classes:
    """Drawings to train on, and to test with, if there are any; `source` says where they are from."""

    train: Labelled
    test: Labelled | None
    names: tuple[str, ...]
    source: str

    @property
    def notes(self) -> list[str]:
        """What a person should know of how the drawings were read."""
        return self.train.notes + (self.test.notes if self.test else [])


def load(folder: Path, names: tuple[str, ...] | None = None, split: str | None = None, split_seed: int = 0) -> Classes:
    """The drawings in a person's `folder`, which has a folder for each class, or folders train and test that have them.

    names: the classes, in the order of their labels; by default all folders there are. A folder is found by its name in
    upper or lower case, with or without a plural s. Instead of folders of classes, train and test may have drawings of
    two classes, the first half of the first, if they are named.
    split: as for `data.load`; without it, all drawings are for training. Raises InputError.
    """
    _check_folder(folder)
    parts = [folder / part for part in ("train", "test")]
    if any(part.is_dir() for part in parts):
        if split is not None:
            raise InputError(f"{folder}: it has folders train and test, so --split has no effect. Leave --split out")
        for part in parts:
            _check_folder(part)
        (train, names), (test, _) = (files_of(part, names) for part in parts)
        _check_enough(train)
        return Classes(read(train), read(test), names, str(folder))
    files, names = files_of(folder, names)
    if split is None:
        _check_enough(files)
        return Classes(read(files), None, names, str(folder))
    entry = "_".join(_singular(name) for name in names)
    (train, test), how = data.divided(files, split, split_seed, entry)
    _check_enough(train)
    return Classes(read(train), read(test), names, f"{folder} ({how})")


def load_all(folder: Path, names: tuple[str, ...]) -> tuple[Labelled, str]:
    """The drawings in a folder to test with, and where they are from: in its folder test, if it has one."""
    _check_folder(folder)
    source = folder / "test" if (folder / "test").is_dir() else folder
    return read(files_of(source, names)[0]), str(source)


def files_of(folder: Path, names: tuple[str, ...] | None) -> tuple[list[list[Path]], tuple[str, ...]]:
    """The files of each class in a folder, in natural order, and what the classes are called."""
    try:
        folders = sorted(
            (f for f in folder.iterdir() if f.is_dir() and not f.name.startswith((".", "__"))), key=data.natural
        )
        if not folders and names and len(names) == 2:
            files = data.image_files(folder)
            if len(files) % 2:
                raise InputError(
                    f"{folder}: it has {len(files)} images; expected a folder for each class, or an even number of "
                    f"images, of which the first half are {names[0]}"
                )
            return [files[: len(files) // 2], files[len(files) // 2 :]], names
        if names is None:
            if len(folders) < 2:
                has = f"only the folder {folders[0].name}" if folders else "no folders"
                raise InputError(f"{folder}: it has {has}; expected a folder for each of at least two classes")
            names = tuple([f.name for f in folders])
        return [data.image_files(_found(name, folders, folder)) for name in names], names
    except OSError as error:
        raise InputError(f"{error.filename or folder}: {error.strerror or error}") from None


def _found(name: str, folders: list[Path], within: Path) -> Path:
    """The folder of a class: of its very name, or else the one whose name differs by case or a plural s."""
    exactly = [f for f in folders if f.name == name]
    similar = exactly or [f for f in folders if _singular(f.name) == _singular(name)]
    if len(similar) == 1:
        return similar[0]
    if similar:
        raise InputError(f"{within}: {similar[0].name} and {similar[1].name} may both be the class {name!r}")
    there = f"it has {', '.join(f.name for f in folders[:10])}" if folders else "it has no folders"
    raise InputError(f"{within}: there is no folder for the class {name!r}; {there}. Pass --classes with their names")


def _singular(name: str) -> str:
    return name.lower().removesuffix("s")


def _check_folder(folder: Path) -> None:
    if not folder.is_dir():
        raise InputError(f"{folder}: {'this is not a folder' if folder.exists() else 'there is no such folder'}")


def _check_enough(files: list[list[Path]]) -> None:
    for of_class in files:
        if len(of_class) < FEWEST:
            raise InputError(
                f"{of_class[0].parent}: {len(of_class)} image to train on; expected at least {FEWEST} of each class"
            )


def read(files: list[list[Path]]) -> Labelled:
    """Drawings from the files of each class."""
    paths = [path for of_class in files for path in of_class]
    pictures = [read_picture(path) for path in paths]
    notes = data.notes_on(
        paths,
        [picture.changes + picture.conversions for picture in pictures],
        {INVERTED: "are light on dark, and were inverted", **CONVERSIONS},
    )
    sizes = sorted({picture.grey.shape for picture in pictures})
    if len(sizes) > 1:
        (first, last) = (f"{width} x {height}" for height, width in (sizes[0], sizes[-1]))
        notes.append(f"the drawings have {len(sizes)} sizes, from {first} to {last} pixels; all are scaled to the ink")
    return Labelled(
        grey=np.array([as_drawing(picture).grey for picture in pictures]),
        ink=ink([picture.grey for picture in pictures]),
        labels=np.repeat(np.arange(len(files)), [len(of_class) for of_class in files]),
        names=[path.name for path in paths],
        notes=notes,
    )
