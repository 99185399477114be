"""A film as plain data: one diagram, and what its boxes show from frame to frame."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from tinygrad_cnn.pictures.view import labels
from tinygrad_cnn.pictures.view.diagram import Box, Diagram
from tinygrad_cnn.pictures.view.pixels import encoded
from tinygrad_cnn.pictures.view.thumbnails import Thumbnail, on_one_scale
from tinygrad_cnn.pictures.view.values import Value

MOST = 36  # frames: seven seconds
SIZE = 9  # points, of a number that changes
LINE = 12  # points, of its line
WIDEST = 0.64  # of the size of letters: a digit of the widest of our fonts


def spread(count: int, most: int) -> list[int]:
    """At most `most` of `count` places, with the first and the last, spread evenly in the logarithm of the place."""
    if count <= most:
        return list(range(count))
    places = np.array([0, count - 1])
    for tried in range(most, 4 * most):  # the first ones of an even spread fall together
        more = np.unique(np.geomspace(1, count, tried).round().astype(int) - 1)
        if len(more) > most:
            break
        places = more
    return [int(place) for place in places]


@dataclass(frozen=True)
class Curve:
    """A number of each frame: that which is drawn."""

    title: str
    values: tuple[float, ...]


@dataclass
class Film:
    """What plays.

    diagram     what stands still: the diagram of all frames, in which what plays has a place of its size
    last        the diagram of the last frame, as it would be drawn alone
    frames      what the frames are called
    pictures    the thumbnails of each box whose elements change, on one scale, by the id of the box
    numbers     the single element of each box in which that changes, written out
    curve       the result, if that is one number
    total       how many frames there are, of which these were chosen
    """

    diagram: Diagram
    last: Diagram
    frames: list[str]
    pictures: dict[str, list[Thumbnail]]
    numbers: dict[str, list[str]]
    curve: Curve | None
    total: int

    def thinned(self, most: int) -> Film:
        """The film of at most so many of these frames."""
        kept = spread(len(self.frames), most)
        film = dataclasses.replace(
            self,
            frames=[self.frames[i] for i in kept],
            pictures={id: [several[i] for i in kept] for id, several in self.pictures.items()},
            numbers={id: [several[i] for i in kept] for id, several in self.numbers.items()},
            curve=self.curve and Curve(self.curve.title, tuple([self.curve.values[i] for i in kept])),
        )
        film.diagram = dataclasses.replace(self.diagram, notes=[*self.last.notes, film.note])
        return film

    @property
    def note(self) -> str:
        """What a reader has to know of the frames."""
        count = len(self.frames)
        of = f" of {self.total}" if self.total > count else ""
        return f"{count}{of} frames; ranges and colours are those of all"


def film_of(frames: Sequence[tuple[str, Diagram]], total: int) -> Film:
    """The film of diagrams of one structure, with what each is called. Raises ValueError for one of another structure.

    A box shows the range of its elements in all frames, and its colours are of one scale in all of them; what is wrong
    in some frames alone is said with which.
    """
    names = [label for label, _ in frames]
    last = dataclasses.replace(frames[-1][1], boxes=dict(frames[-1][1].boxes))
    for label, diagram in frames:
        _check_alike(frames[0], (label, diagram))
    film = Film(dataclasses.replace(last, boxes={}), last, names, {}, {}, None, total)
    curves = []
    for id, box in frames[-1][1].boxes.items():
        moments = [diagram.boxes[id] for _, diagram in frames]
        last.boxes[id] = _alone(box)
        film.diagram.boxes[id] = box if box.value is None else _played(film, box, moments)
        numbers = [moment.value.least for moment in moments if moment.value is not None and moment.value.number]
        if box.is_result and len(numbers) == len(frames):
            values = tuple(math.nan if x is None else x for x in numbers)
            curves.append(Curve(box.title, values))
    film.curve = curves[0] if len(curves) == 1 else None
    film.diagram.notes = [*last.notes, film.note]
    return film


def _alone(box: Box) -> Box:
    """The box of a frame with its thumbnail, on the scale of that frame."""
    if box.value is None or box.value.picture is None or box.value.picture.tiles is None:
        return box
    (picture,) = on_one_scale([box.value.picture.tiles])
    return dataclasses.replace(box, value=dataclasses.replace(box.value, picture=picture))


def _played(film: Film, box: Box, moments: list[Box]) -> Box:
    """The box of all frames; what plays in it is put into `film`."""
    values = [moment.value for moment in moments if moment.value is not None]
    assert box.value is not None
    if box.value.number is not None:
        written = [value.number or "" for value in values]
        if len(set(written)) == 1:
            return box
        film.numbers[box.id] = written
        wide = math.ceil(max(map(len, written)) * SIZE * WIDEST)
        shown = dataclasses.replace(box.value, number=None, least=None, most=None, picture=_place(wide, LINE))
    else:
        shown = dataclasses.replace(
            box.value, least=_of_all(min, [v.least for v in values]), most=_of_all(max, [v.most for v in values])
        )
        tiles = [v.picture.tiles for v in values if v.picture is not None and v.picture.tiles is not None]
        if len(tiles) == len(values):
            several = on_one_scale(tiles)
            shown = dataclasses.replace(shown, picture=several[-1])
            if len({picture.png for picture in several}) > 1:
                film.pictures[box.id] = several
                shown = dataclasses.replace(
                    shown, picture=_place(several[0].width, several[0].height, several[0].caption)
                )
    wrong = _wrong(film.frames, values)
    inherited = all(moment.inherited for moment in moments if moment.value is not None and moment.value.wrong)
    return dataclasses.replace(box, value=dataclasses.replace(shown, wrong=wrong), inherited=inherited)


def _of_all(choose: Callable[[list[float]], float], several: list[float | None]) -> float | None:
    found = [x for x in several if x is not None]
    return choose(found) if found else None


def _wrong(names: list[str], values: list[Value]) -> tuple[str, ...]:
    """What is wrong in all frames; and in some alone, with how many, and which is the first."""
    found: dict[str, list[tuple[int, str]]] = {}
    for i, value in enumerate(values):
        for text in value.wrong:
            kind = re.sub(r"^\d+ |: [^ ]+", "", text)  # without how many, or how large
            found.setdefault(kind, []).append((i, text))
    said = []
    for kind, those in found.items():
        if len(those) == len(values):
            said.append(those[-1][1])
        else:
            said.append(f"{kind} in {len(those)} of {len(values)} frames, {names[those[0][0]]} first")
    return tuple(said)


def _place(width: int, height: int, caption: str = "") -> Thumbnail:
    """An empty place for what plays."""
    return Thumbnail(encoded(np.zeros((2 * height, 2 * width, 4), np.uint8)), width, height, caption)


def _check_alike(first: tuple[str, Diagram], other: tuple[str, Diagram]) -> None:
    """Raise ValueError unless two diagrams have the same boxes and edges."""
    for a, b in zip(_steps(first[1]), _steps(other[1]), strict=False):
        if a != b:
            raise ValueError(
                f"render: the frame {other[0]!r} has {_described(b)} where the frame {first[0]!r} has {_described(a)}; "
                "expected the same steps, of the same shapes and dtypes, in all frames"
            )
    counts = [len(diagram.boxes) for _, diagram in (first, other)]
    if counts[0] != counts[1] or _arrows(first[1]) != _arrows(other[1]):
        raise ValueError(
            f"render: the frame {other[0]!r} has {counts[1]} boxes, and others of its steps take what the steps of the "
            f"frame {first[0]!r}, of {counts[0]} boxes, take; expected the same graph in all frames"
        )


def _steps(diagram: Diagram) -> list[tuple[str, ...]]:
    return [(b.id, b.kind, b.title, b.primitive, b.dtype, b.shape) for b in diagram.boxes.values()]


def _described(step: tuple[str, ...]) -> str:
    _, _, title, primitive, dtype, shape = step
    name = title if title == primitive else f"{title} ({primitive})"
    return f"{name}, {dtype} {labels.clean(shape)}"


def _arrows(diagram: Diagram) -> list[tuple[str, str, str, int]]:
    return [(e.tail, e.head, e.flow, e.position) for e in diagram.edges]
