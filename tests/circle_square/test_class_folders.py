"""Folders of any number of classes: every layout, and every way in which one can be wrong."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from tinygrad_cnn.circle_square import data
from tinygrad_cnn.circle_square.class_folders import load, load_all
from tinygrad_cnn.circle_square.drawing import draw
from tinygrad_cnn.circle_square.errors import InputError
from tinygrad_cnn.circle_square.tasks import TASKS

SHAPES = {"circles": "circle", "squares": "square", "triangles": "triangle"}


def folder_of(folder: Path, count: int = 4, names: tuple[str, ...] = tuple(SHAPES)) -> Path:
    rng = np.random.default_rng(0)
    for name in names:
        (folder / name).mkdir(parents=True, exist_ok=True)
        for i in range(1, count + 1):
            cv2.imwrite(str(folder / name / f"drawing({i}).png"), draw(SHAPES[name], rng))
    return folder


def test_without_names_the_classes_are_all_folders_and_without_a_split_all_drawings_are_for_training(tmp_path) -> None:
    found = load(folder_of(tmp_path))
    assert found.names == ("circles", "squares", "triangles")
    assert found.train.labels.tolist() == [0] * 4 + [1] * 4 + [2] * 4
    assert found.train.names[:2] == ["drawing(1).png", "drawing(2).png"]
    assert found.train.ink.shape == (12, 56, 56)
    assert (found.test, found.notes) == (None, [])


def test_named_classes_are_in_the_order_given_and_found_whatever_their_case_and_number(tmp_path: Path) -> None:
    found = load(folder_of(tmp_path), ("Triangle", "circles"))
    assert found.names == ("Triangle", "circles")
    first = cv2.imread(str(tmp_path / "triangles" / "drawing(1).png"), cv2.IMREAD_GRAYSCALE)
    np.testing.assert_array_equal(found.train.grey[0], first)


def test_a_split_divides_each_class(tmp_path: Path) -> None:
    found = load(folder_of(tmp_path), None, "3+1", 5)
    assert found.test is not None
    assert (len(found.train), found.test.labels.tolist()) == (9, [0, 1, 2])
    assert not {*zip(found.train.labels, found.train.names, strict=True)} & {
        *zip(found.test.labels, found.test.names, strict=True)
    }


def test_a_list_may_be_in_an_entry_named_after_the_classes(tmp_path: Path) -> None:
    split = tmp_path / "split.json"
    split.write_text(json.dumps({"circle_triangle": {"train": [[1, 2], [3, 4]], "test": [[4], [1]]}}))
    found = load(folder_of(tmp_path / "all"), ("circles", "triangles"), str(split))
    assert found.train.names == [f"drawing({n}).png" for n in (1, 2, 3, 4)]
    assert found.test is not None
    assert found.test.names == ["drawing(4).png", "drawing(1).png"]


def test_folders_train_and_test_are_as_they_are(tmp_path: Path) -> None:
    folder_of(tmp_path / "train", 3)
    folder_of(tmp_path / "test", 2)
    found = load(tmp_path)
    assert found.test is not None
    assert (len(found.train), len(found.test)) == (9, 6)
    tested, source = load_all(tmp_path, ("circle", "square", "triangle"))
    np.testing.assert_array_equal(tested.ink, found.test.ink)
    assert source == str(tmp_path / "test")


def test_the_bundled_drawings_are_read_too() -> None:
    task = TASKS["circle-square"]
    found = load(data.bundled_folder(task), task.shapes)
    assert found.train.labels.tolist() == [0] * 12 + [1] * 12
    np.testing.assert_array_equal(found.train.grey, data.bundled(task).train.grey)


def test_pictures_of_every_kind_are_read_with_a_note(tmp_path: Path) -> None:
    folder_of(tmp_path, 2)
    grey = draw("square", np.random.default_rng(1))
    colour = np.dstack([grey, np.full_like(grey, 255), np.full_like(grey, 255)])
    clear = np.dstack([np.zeros_like(colour), 255 - grey])
    kinds = {"colour.png": colour, "clear.png": clear, "deep.png": grey.astype(np.uint16) * 257, "a.jpg": grey,
             "dark.bmp": 255 - grey, "large.png": cv2.resize(grey, (70, 50))}  # fmt: skip
    for name, pixels in kinds.items():
        assert cv2.imwrite(str(tmp_path / "squares" / name), pixels)
    found = load(tmp_path)
    assert sorted(found.notes) == [
        "clear.png: transparent, and was laid on white",
        "colour.png: in colour, and was made grey",
        "dark.bmp: light on dark, and was inverted",
        "deep.png: of 16 bits a pixel",
        "the drawings have 2 sizes, from 28 x 28 to 70 x 50 pixels; all are scaled to the ink",
    ]
    by_name = dict(zip(found.train.names, found.train.ink, strict=True))
    np.testing.assert_array_equal(by_name["dark.bmp"], by_name["deep.png"])


def empty_class(folder: Path) -> None:
    for path in (folder / "squares").iterdir():
        path.unlink()


def damage(folder: Path) -> None:
    (folder / "circles" / "drawing(2).png").write_bytes(b"\x89PNG")


def one_left(folder: Path) -> None:
    for n in (2, 3, 4):
        (folder / "squares" / f"drawing({n}).png").unlink()


def twice(folder: Path) -> None:
    folder_of(folder / "x", 2)
    (folder / "x" / "circles").rename(folder / "Circle")


@pytest.mark.parametrize(
    ("spoil", "names", "split", "message"),
    [
        (None, ("circles", "stars"), None, r"there is no folder for the class 'stars'; it has circles, squares, tri"),
        (empty_class, None, None, r"squares: it contains no images; expected files"),
        (one_left, None, None, r"squares: 1 image to train on; expected at least 2 of each class"),
        (damage, None, None, r"drawing\(2\)\.png: not an image in a supported format, or a damaged one"),
        (twice, ("circle", "squares"), None, "Circle and circles may both be the class 'circle'"),
        (None, None, "12+2", r"circles: it has 4 images; --split 12\+2 needs 14"),
        (None, None, "1+2", "1 image to train on"),
        (None, None, "half", "--split half: expected TRAIN"),
    ],
)
def test_what_cannot_be_used_is_named(tmp_path: Path, spoil, names, split, message: str) -> None:
    folder_of(tmp_path)
    if spoil:
        spoil(tmp_path)
    with pytest.raises(InputError, match=message) as caught:
        load(tmp_path, names, split)
    assert "\n" not in str(caught.value)


def test_folders_that_are_none_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no such folder"):
        load(tmp_path / "none")
    with pytest.raises(InputError, match="it has no folders; expected a folder for each of at least two classes"):
        load(tmp_path)
    with pytest.raises(InputError, match="it has only the folder circles"):
        load(folder_of(tmp_path / "a", names=("circles",)))
    folder_of(tmp_path / "b" / "train")
    with pytest.raises(InputError, match="test: there is no such folder"):
        load(tmp_path / "b")
    with pytest.raises(InputError, match="so --split has no effect"):
        load(tmp_path / "b", None, "2+1")
