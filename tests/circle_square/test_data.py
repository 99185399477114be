"""Reading drawings: every layout, every polarity and size, and every way in which a file can be wrong."""

from __future__ import annotations

import concurrent.futures
import contextlib
import json
import struct
import sys
import warnings
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from tinygrad_cnn.circle_square.data import load, natural, read_half_and_half
from tinygrad_cnn.circle_square.drawing import draw
from tinygrad_cnn.circle_square.errors import InputError
from tinygrad_cnn.circle_square.images import read_drawing, write_image
from tinygrad_cnn.circle_square.tasks import TASKS

TASK = TASKS["circle-square"]


def some(folder: Path, count: int, shape="circle", start: int = 1) -> list[np.ndarray]:
    folder.mkdir(parents=True, exist_ok=True)
    drawings = [draw(shape, np.random.default_rng([len(str(folder)), start + i])) for i in range(count)]
    for i, grey in enumerate(drawings):
        write_image(folder / f"drawing({start + i}).png", grey)
    return drawings


def classes(folder: Path, count: int = 6) -> dict[str, list[np.ndarray]]:
    return {name: some(folder / name, count, shape) for name, shape in (("circles", "circle"), ("squares", "square"))}


def test_names_are_sorted_as_people_count() -> None:
    paths = [Path(f"drawing({n}).png") for n in (10, 9, 1, 100)]
    assert [path.name for path in sorted(paths, key=natural)] == [f"drawing({n}).png" for n in (1, 9, 10, 100)]


def test_the_articles_layout_has_circles_in_its_first_half(tmp_path: Path) -> None:
    drawings = some(tmp_path / "train", 12) + some(tmp_path / "train", 12, "square", 13)
    some(tmp_path / "test", 4)
    data = load(tmp_path, TASK)
    np.testing.assert_array_equal(data.train.grey, drawings)
    assert data.train.y.ravel().tolist() == [0] * 12 + [1] * 12
    assert data.train.names[9] == "drawing(10).png"
    assert len(data.test) == 4


def test_train_and_test_may_have_a_folder_for_each_class(tmp_path: Path) -> None:
    train = classes(tmp_path / "train", 3)
    classes(tmp_path / "test", 1)
    some(tmp_path / "train" / "triangles", 2, "triangle")
    data = load(tmp_path, TASK)
    np.testing.assert_array_equal(data.train.grey, train["circles"] + train["squares"])
    assert data.train.y.ravel().tolist() == [0, 0, 0, 1, 1, 1]


def test_class_folders_are_split_by_a_seed(tmp_path: Path) -> None:
    drawings = classes(tmp_path, 6)
    data = load(tmp_path, TASK, "3+2", split_seed=7)
    rng = np.random.default_rng(7)
    circles, squares = rng.permutation(6), rng.permutation(6)
    expected = [drawings["circles"][i] for i in circles[:3]] + [drawings["squares"][i] for i in squares[:3]]
    np.testing.assert_array_equal(data.train.grey, expected)
    expected = [drawings["circles"][i] for i in circles[3:5]] + [drawings["squares"][i] for i in squares[3:5]]
    np.testing.assert_array_equal(data.test.grey, expected)


def test_class_folders_are_split_by_a_list(tmp_path: Path) -> None:
    drawings = classes(tmp_path / "images", 6)
    listed = tmp_path / "split.json"
    listed.write_text(json.dumps({"train": [[1, 6], [2, 3]], "test": [[4], [5]]}))
    data = load(tmp_path / "images", TASK, str(listed))
    c, s = drawings["circles"], drawings["squares"]
    np.testing.assert_array_equal(data.train.grey, [c[0], c[5], s[1], s[2]])
    np.testing.assert_array_equal(data.test.grey, [c[3], s[4]])
    listed.write_text(json.dumps({"circle_square": {"train": [[1], [2]], "test": [[4], [5]]}}))
    assert len(load(tmp_path / "images", TASK, str(listed)).train) == 2


def test_two_folders_of_any_name_are_two_classes(tmp_path: Path) -> None:
    some(tmp_path / "apples", 3)
    some(tmp_path / "pears", 3)
    data = load(tmp_path, TASK, "2+1")
    assert len(data.train) == 4
    assert data.classes == ("apples", "pears")


def test_the_folders_of_train_and_test_have_the_same_two_classes(tmp_path: Path) -> None:
    for part, second in (("train", "pears"), ("test", "plums")):
        some(tmp_path / part / "apples", 2)
        some(tmp_path / part / second, 2)
    with pytest.raises(InputError, match="train has the classes apples and pears, test apples and plums"):
        load(tmp_path, TASK)


def test_two_drawings_of_one_number_are_told_apart_by_nobody(tmp_path: Path) -> None:
    for shape in ("circles", "squares"):
        some(tmp_path / shape, 3)
    (tmp_path / "circles" / "drawing(1).png").rename(tmp_path / "circles" / "drawing(2).bmp")
    listed = tmp_path / "split.json"
    listed.write_text('{"train": [[2], [1]], "test": [[3], [2]]}')
    with pytest.raises(InputError, match="both have the number 2"):
        load(tmp_path, TASK, str(listed))


def saved(path: Path, pixels: np.ndarray) -> Path:
    assert cv2.imwrite(str(path), pixels)
    return path


def test_a_light_drawing_on_dark_is_inverted_and_said_to_be(tmp_path: Path) -> None:
    grey = draw("circle", np.random.default_rng(0))
    read = read_drawing(saved(tmp_path / "a.png", 255 - grey))
    np.testing.assert_array_equal(read.grey, grey)
    assert read.changes == ("light on dark, and was inverted",)
    assert read_drawing(saved(tmp_path / "b.png", grey)).changes == ()
    for i in range(1, 5):
        saved(tmp_path / f"drawing({i}).png", 255 - grey)
    (tmp_path / "a.png").unlink()
    (tmp_path / "b.png").unlink()
    notes = read_half_and_half(tmp_path).notes
    assert notes[0] == "drawing(1).png: light on dark, and was inverted"
    assert notes[3] == "and 1 more drawings are light on dark, and were inverted"


@pytest.mark.parametrize(("height", "width"), [(280, 280), (14, 14), (100, 300), (300, 100), (29, 28)])
def test_any_size_becomes_28_by_28_without_being_pressed(tmp_path: Path, height: int, width: int) -> None:
    picture = np.full((height, width), 255, np.uint8)
    side = min(height, width)
    cv2.circle(picture, (width // 2, height // 2), side // 3, 0, max(1, side // 20))
    grey = read_drawing(saved(tmp_path / "a.png", picture)).grey
    assert grey.shape == (28, 28)
    ys, xs = np.nonzero(grey < 200)
    assert abs(np.ptp(ys) - np.ptp(xs)) <= 2


def test_large_pictures_are_averaged_by_area(tmp_path: Path) -> None:
    picture = np.random.default_rng(0).integers(150, 256, (56, 56)).astype(np.uint8)
    grey = read_drawing(saved(tmp_path / "a.png", picture)).grey
    assert np.abs(grey - picture.reshape(28, 2, 28, 2).mean(axis=(1, 3))).max() <= 0.5


def test_colour_transparency_and_sixteen_bits(tmp_path: Path) -> None:
    grey = draw("square", np.random.default_rng(1))
    colour = cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR)
    np.testing.assert_array_equal(read_drawing(saved(tmp_path / "colour.png", colour)).grey, grey)
    ink = np.zeros((28, 28, 4), np.uint8)
    ink[..., 3] = 255 - grey
    np.testing.assert_array_equal(read_drawing(saved(tmp_path / "clear.png", ink)).grey, grey)
    deep = grey.astype(np.uint16) * 257
    np.testing.assert_array_equal(read_drawing(saved(tmp_path / "deep.png", deep)).grey, grey)
    assert read_drawing(saved(tmp_path / "a.jpg", colour)).grey.shape == (28, 28)


def whole_png() -> bytes:
    return cv2.imencode(".png", draw("circle", np.random.default_rng(0)))[1].tobytes()


def of_one_shade(grey: int) -> bytes:
    return cv2.imencode(".png", np.full((28, 28), grey, np.uint8))[1].tobytes()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r"the file is empty \(0 bytes\)"),
        (b"this is text", "not an image in a supported format, or a damaged one"),
        (whole_png()[:150], "the image is truncated"),
        (whole_png()[:60] + b"\x00" * 20 + whole_png()[80:], "not an image in a supported format, or a damaged one"),
        (
            cv2.imencode(".png", np.full((28, 28), 255, np.uint8))[1].tobytes(),
            "the image is empty, all white",
        ),
        (cv2.imencode(".png", np.full((28, 28), 0, np.uint8))[1].tobytes(), "the image is empty, all black"),
        (cv2.imencode(".png", np.full((9, 9), 99, np.uint8))[1].tobytes(), "all of one shade"),
        (cv2.imencode(".jpg", draw("circle", np.random.default_rng(0)))[1].tobytes()[:-40], "the image is truncated"),
    ],
)
def test_a_file_that_is_no_drawing_is_named(tmp_path: Path, capfd, content: bytes, message: str) -> None:
    path = tmp_path / "a picture.png"
    path.write_bytes(content)
    with pytest.raises(InputError, match=message) as caught:
        read_drawing(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)
    assert capfd.readouterr().err == ""


def png_of(width: int, height: int) -> bytes:
    """A PNG that claims to be of this size."""
    chunks = b""
    for kind, data in (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)),
        (b"IDAT", b""),
        (b"IEND", b""),
    ):
        chunks += struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    return b"\x89PNG\r\n\x1a\n" + chunks


@pytest.mark.parametrize(("width", "height"), [(1_000_000, 1), (30_000, 30_000), (8193, 10), (2**31 - 1, 2**31 - 1)])
def test_a_picture_of_too_many_pixels_is_refused_before_it_is_decoded(tmp_path: Path, width: int, height: int) -> None:
    (tmp_path / "a.png").write_bytes(png_of(width, height))
    with pytest.raises(InputError, match=r"a\.png: it .*expected at most 8192"):
        read_drawing(tmp_path / "a.png")


KINDS = {
    "png": ("1", "L", "P", "RGB", "RGBA", "LA", "I;16"),
    "tif": ("1", "L", "P", "RGB", "RGBA", "LA", "CMYK", "I", "I;16", "F"),
    "bmp": ("1", "L", "P", "RGB"),
    "webp": ("RGB", "RGBA"),
    "jpg": ("L", "RGB", "CMYK"),
}


@pytest.mark.parametrize(("ending", "mode"), [(ending, mode) for ending, modes in KINDS.items() for mode in modes])
def test_every_kind_of_pixel_is_read(tmp_path: Path, ending: str, mode: str) -> None:
    grey = draw("square", np.random.default_rng(1))
    if mode.startswith("I"):
        picture = Image.fromarray(grey.astype(np.int32 if mode == "I" else np.uint16) * 257)
    elif mode == "F":
        picture = Image.fromarray(grey.astype(np.float32) / 255)
    else:
        picture = Image.fromarray(grey).convert(mode)
    picture.save(tmp_path / f"a.{ending}", **({"quality": 100} if ending in ("jpg", "webp") else {}))
    read = read_drawing(tmp_path / f"a.{ending}").grey
    expected = np.asarray(picture.convert("L")) if mode == "1" else grey
    assert np.abs(read.astype(int) - expected).max() <= (30 if ending in ("jpg", "webp") else 1)


def test_a_tiff_that_calls_its_bytes_signed_is_read_as_others_are(tmp_path: Path) -> None:
    grey = draw("square", np.random.default_rng(1))
    Image.fromarray(grey).save(tmp_path / "a.tif", tiffinfo={339: 2})
    np.testing.assert_array_equal(read_drawing(tmp_path / "a.tif").grey, grey)


COMPRESSED = [(mode, how) for mode in ("L", "RGB", "RGBA") for how in ("tiff_lzw", "tiff_deflate", "packbits", "jpeg")]


@pytest.mark.parametrize(("mode", "compression"), [*COMPRESSED, ("I;16", "tiff_lzw"), ("1", "group4")])
def test_compressed_tiffs_are_read_or_refused_in_silence(tmp_path: Path, mode: str, compression: str, capfd) -> None:
    grey, path = draw("square", np.random.default_rng(1)), tmp_path / "a.tif"
    picture = Image.fromarray(grey.astype(np.uint16) * 257) if mode == "I;16" else Image.fromarray(grey).convert(mode)
    picture.save(path, compression=compression)
    expected = np.asarray(picture.convert("L")) if mode == "1" else grey
    assert np.abs(read_drawing(path).grey.astype(int) - expected).max() <= (60 if compression == "jpeg" else 1)
    content = bytearray(path.read_bytes())
    rng = np.random.default_rng(0)
    for _ in range(50):
        damaged = content.copy()
        for at in rng.integers(8, len(damaged), 3):
            damaged[at] = rng.integers(256)
        path.write_bytes(damaged)
        with contextlib.suppress(InputError), warnings.catch_warnings():
            warnings.filterwarnings("ignore", module=r"PIL\.")
            assert read_drawing(path).grey.shape == (28, 28)
    assert capfd.readouterr().err == ""


def test_images_may_be_read_in_threads_and_standard_error_stays(tmp_path: Path, capfd) -> None:
    for i in range(8):
        content = whole_png()
        (tmp_path / f"{i}.png").write_bytes(content if i % 2 else content[:60] + bytes(20) + content[80:])

    def read(path: Path) -> str:
        try:
            return str(read_drawing(path).changes)
        except InputError as error:
            return str(error)

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        said = list(pool.map(read, sorted(tmp_path.iterdir()) * 20))
    assert [text == "()" for text in said] == [bool(i % 2) for i in range(8)] * 20
    assert capfd.readouterr().err == ""
    print("still there", file=sys.stderr)
    assert capfd.readouterr().err == "still there\n"


@pytest.mark.parametrize(("width", "height", "side"), [(300, 200, 60), (2000, 2000, 100), (40, 40, 9)])
def test_what_is_drawn_small_is_cut_out_and_enlarged(tmp_path: Path, width: int, height: int, side: int) -> None:
    picture = np.full((height, width), 255, np.uint8)
    cv2.circle(picture, (width // 4, height // 3), side // 2, 0, max(1, side // 20))
    read = read_drawing(saved(tmp_path / "a.png", picture))
    assert read.changes == ("drawn small, and was enlarged",)
    assert read.doubt is None
    ys, xs = np.nonzero(read.grey < 200)
    assert abs(np.ptp(ys) + 1 - 17) <= 2
    assert abs(np.ptp(xs) + 1 - 17) <= 2
    assert abs(xs.mean() - 13.5) <= 1


@pytest.mark.parametrize("side", range(2, 8))
def test_what_is_28_by_28_stays_as_it_is_however_small(tmp_path: Path, side: int) -> None:
    picture = np.full((28, 28), 255, np.uint8)
    picture[3 : 3 + side, 5 : 5 + side] = 0
    read = read_drawing(saved(tmp_path / "a.png", picture))
    np.testing.assert_array_equal(read.grey, picture)
    assert read.changes == ()
    assert read.doubt == "it is smaller than any drawing that the model may have been trained on"


def test_of_no_drawing_that_people_made_is_there_any_doubt(shared: Path) -> None:
    drawings = sorted((shared / "data" / "basicshapes").rglob("*.png"))
    assert len(drawings) == 150
    assert [path.name for path in drawings if read_drawing(path)[1:] != ((), None)] == []


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.png: No such file"):
        read_drawing(tmp_path / "none.png")


def test_folders_that_cannot_be_used_are_named(tmp_path: Path) -> None:
    def refuses(message: str, folder: Path = tmp_path, *how) -> None:
        with pytest.raises(InputError, match=message):
            load(folder, TASK, *how)

    refuses("there is no such folder", tmp_path / "none")
    (tmp_path / "file").write_text("x")
    refuses("this is not a folder", tmp_path / "file")
    refuses("expected folders train and test, or a folder for each of circles and squares")
    (tmp_path / "train").mkdir()
    refuses("it has no folder 'test'; expected both")
    (tmp_path / "test").mkdir()
    refuses("train: it contains no images")
    some(tmp_path / "train", 3)
    refuses("train: it has 3 images; expected an even number")
    some(tmp_path / "train", 1, start=4)
    refuses("test: it contains no images")
    refuses("it has folders train and test, so --split has no effect", tmp_path, "2+1")


def test_splits_that_cannot_be_made_are_named(tmp_path: Path) -> None:
    folder = tmp_path / "images"
    classes(folder, 3)

    def refuses(message: str, split: str | None) -> None:
        with pytest.raises(InputError, match=message):
            load(folder, TASK, split)

    refuses("not divided into train and test. Pass --split", None)
    refuses(r"circles: it has 3 images; --split 3\+1 needs 4", "3+1")
    for wrong in ("12", "a+b", "0+2", "2+0", "-1+2"):
        refuses("expected TRAIN.TEST, drawings of each class", wrong)
    refuses(r"none\.json: No such file", str(tmp_path / "none.json"))
    listed = tmp_path / "split.json"
    for content, message in [
        ("{", "not valid JSON"),
        ('{"train": [[1], [1]]}', "it has no entry 'test'"),
        ('{"train": [[1], [9]], "test": [[2], [2]]}', "there is no drawing with the number 9"),
        ('{"train": [[1]], "test": [[2], [2]]}', "expected numbers for 2 classes"),
        ('{"train": 5, "test": 6}', r"expected \{\"train\""),
        ("[1, 2]", "it has no entry 'train'"),
        ('{"train": [[1, 1], [1]], "test": [[2], [2]]}', "is listed twice"),
        ('{"train": [[1.5], [1]], "test": [[2], [2]]}', r"expected \{\"train\""),
    ]:
        listed.write_text(content)
        refuses(message, str(listed))
    some(folder / "triangles", 3)
    for name in ("circles", "squares"):
        for path in (folder / name).iterdir():
            path.unlink()
        (folder / name).rmdir()
        (folder / f"x{name}").mkdir()
    refuses("it has 3 folders; expected one for each of circles and squares", "1+1")
    some(folder / "circles", 3)
    refuses("it has no folder for squares", "1+1")
