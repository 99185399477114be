"""The picture of a live page: the poster of the loss of one image, with places for what flows.

The poster is that of `tg.render`, and so are its cards. Where a thumbnail or a number would be, it has an empty place
of a known size, on which the page paints the values of the instruction that computes it.
"""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinygrad_cnn.engine.graph import Node
from tinygrad_cnn.engine.tensor import Tensor
from tinygrad_cnn.pictures.live_page.model import Recording
from tinygrad_cnn.pictures.read.build import diagram_of
from tinygrad_cnn.pictures.read.reading import read_graph
from tinygrad_cnn.pictures.view.closed_groups import groups_to_close, with_closed
from tinygrad_cnn.pictures.view.contracted import contracted
from tinygrad_cnn.pictures.view.diagram import Box, Diagram
from tinygrad_cnn.pictures.view.pixels import encoded
from tinygrad_cnn.pictures.view.poster import poster_of
from tinygrad_cnn.pictures.view.thumbnails import Thumbnail
from tinygrad_cnn.pictures.view.values import Value
from tinygrad_cnn.pictures.write.dot import FONT
from tinygrad_cnn.pictures.write.picture import Picture

# In points.
SIDE = 72  # of an image
SMALL = 14  # of an element of a small one, such as a filter, at most
TILE, GAP, ACROSS = 40, 2, 4  # of one image of a stack, between them, and how many stand side by side
MOST = 8  # images of a stack
STRIP = 12  # the height of a vector's
LINE = 13  # of the range beneath
LEAST = 88  # the width of a place that has a range
MARGIN = 4  # around all
NUMBER = 58  # the width of a number, which stands beside its name

_PAIR = re.compile(r"(-?[\d.]+),(-?[\d.]+)")


@dataclass(frozen=True)
class Tile:
    """A matrix that is shown of an array: where it begins, and how far it is to the next row and column."""

    offset: int
    rows: int
    columns: int
    row_step: int
    column_step: int


@dataclass(frozen=True)
class Look:
    """How an array is painted: tiles of it, each so wide and high, so many side by side; no tiles for one number."""

    tiles: tuple[Tile, ...] = ()
    width: int = NUMBER
    height: int = LINE
    across: int = 1

    @property
    def size(self) -> tuple[int, int]:
        """The width and height of its place, with the line beneath."""
        if not self.tiles:
            return NUMBER, LINE
        rows = math.ceil(len(self.tiles) / self.across)
        wide = min(self.across, len(self.tiles)) * (self.width + GAP) - GAP
        return max(LEAST, wide), rows * (self.height + GAP) - GAP + LINE


@dataclass(frozen=True)
class Place:
    """A place on the picture, and what is shown there.

    number    of the array among those that flow
    card      the number of the card in the order of execution
    title     what it is called
    backward  it is a cotangent, or a gradient
    """

    number: int
    card: int
    title: str
    backward: bool
    look: Look
    left: float
    top: float


@dataclass(frozen=True)
class Alive:
    """The picture as SVG, its size, its places, and what is to be read of a recording for them.

    cards  what each card is called, in the order of execution
    """

    svg: str
    width: float
    height: float
    places: list[Place]
    cards: list[str]
    sources: list[Callable[[Recording], Any]]


def alive(loss: Tensor, x: Node) -> Alive:
    """The picture of a recorded loss, of which `x` is the image."""
    recording = Recording.of(loss)
    drawn, closed_of = _drawn(loss, x, recording)
    reading = read_graph(loss)
    folds = _folds(recording.nodes)
    index = {node: number for number, node in enumerate(recording.nodes)}
    by_id = {box_id: index[several[-1]] for box_id, several in reading.members.items()}
    taken = {e.tail: (by_id[e.head], e.position) for e in closed_of.edges if e.head in by_id}
    sources: list[Callable[[Recording], Any]] = []
    looks: dict[str, tuple[int, Look]] = {}
    for box in drawn.boxes.values():
        source = _source(closed_of.boxes[box.shows or box.id], by_id, taken)
        if source is None:
            continue
        value = np.asarray(source(recording))
        if value.dtype.kind not in "fiub" or not value.size:
            continue
        look = look_of(value.shape, folds)
        looks[box.id] = len(sources), look
        sources.append(source)
        drawn.boxes[box.id] = dataclasses.replace(box, value=Value(picture=_place(*look.size)))
    poster = poster_of(drawn)
    card_of: dict[str, int] = {}
    for number, card in enumerate(poster.cards.values()):
        members = [card.box, card.cotangent, *(box for pair in card.within for box in pair)]
        card_of |= {box.id: number for box in members if box is not None}
    found: dict[str, tuple[float, float]] = {}

    def note(id: str) -> Callable[[float, float, str], str]:
        def noted(x: float, y: float, ink: str) -> str:
            found[id] = (x, y)
            number, look = looks[id]
            down = y + look.size[1] - 3.5
            return f'<text data-of="{number}" x="{x:g}" y="{down:g}" font-size="9" fill="{ink}" font-family="{FONT}"/>'

        return noted

    svg = Picture(drawn, "light").svg_with({id: note(id) for id in looks})
    left, top, right, bottom = _extent(svg)
    places = [
        Place(number, card_of[id], drawn.boxes[id].title, drawn.boxes[id].half == "backward", look,
              found[id][0] - left, found[id][1] - top)
        for id, (number, look) in looks.items() if id in found
    ]  # fmt: skip
    names = [_called(card.box) for card in poster.cards.values()]
    return Alive(_cropped(svg, left, top, right, bottom), right - left, bottom - top, places, names, sources)


def _extent(svg: str) -> tuple[float, float, float, float]:
    """Left, top, right and bottom of the cards, frames and arrows in an SVG, in the coordinates of its contents."""
    drawn = svg[svg.index('<g id="graph0"') :]
    drawn = drawn[min(at for kind in ("node", "cluster") if (at := drawn.find(f'class="{kind}')) >= 0) :]
    ends = [pair for shape in re.findall(r' (?:points|d)="([^"]*)"', drawn) for pair in re.findall(_PAIR, shape)]
    across, down = zip(*[(float(x), float(y)) for x, y in ends], strict=True)
    return min(across) - MARGIN, min(down) - MARGIN, max(across) + MARGIN, max(down) + MARGIN


def _cropped(svg: str, left: float, top: float, right: float, bottom: float) -> str:
    """The SVG without the caption beneath, which the page has in words of its own, and without the paper behind it."""
    width, height = right - left, bottom - top
    begin, at = svg.index("<svg"), svg.index('<g id="graph0"')
    head = re.sub(r'viewBox="[^"]*"', f'viewBox="{left:g} {top:g} {width:g} {height:g}"', svg[begin:at])
    head = re.sub(r'(?<=<svg) width="[^"]*" height="[^"]*"', "", head)
    first = min(k for kind in ("node", "cluster") if (k := svg.find(f'class="{kind}')) >= 0)
    content = svg[svg.rindex("<g ", 0, first) :]
    return f"{head}<g>{content}"


def _called(box: Box) -> str:
    return box.name or box.primitive


def _drawn(loss: Tensor, x: Node, recording: Recording) -> tuple[Diagram, Diagram]:
    """The diagram that is drawn, of layers and of steps that do more than move elements; and that of all."""
    diagram = diagram_of(loss, backward=True, layers=True, rules=False, cut=True)
    ids = {node: id for id, several in read_graph(loss).members.items() for node in several}
    diagram.boxes[ids[x]].kind = "input"
    drawn = with_closed(diagram, groups_to_close(diagram, "layers"), is_poster=True)
    moving = {ids[node] for node in recording.nodes if node.primitive is not None and node.primitive.moves}
    hidden = {id for id in moving if id in drawn.boxes and not drawn.boxes[id].is_result}
    hidden |= {id for id, box in drawn.boxes.items() if box.of in hidden}
    notes = drawn.notes
    drawn = contracted(drawn, set(drawn.boxes) - hidden)
    drawn.notes = notes
    drawn.boxes = dict(drawn.boxes)
    return drawn, diagram


def _source(box: Box, by_id: dict[str, int], taken: dict[str, tuple[int, int]]) -> Callable[[Recording], Any] | None:
    """What reads the value of a box from a recording."""
    if box.of is not None:
        place = by_id[box.of]
        return lambda recording: recording.cotangents[recording.nodes[place]]
    if box.id in by_id:
        place = by_id[box.id]
        return lambda recording: recording.nodes[place].value
    if box.id in taken:
        head, position = taken[box.id]
        return lambda recording: recording.nodes[head].operands[position]
    return None


def _folds(nodes: Sequence[Node]) -> dict[int, tuple[int, int]]:
    """From a length to the height and width of the images that rows of this length are, which a reshape has made."""
    found = {}
    for node in nodes:
        if node.primitive is None or not node.primitive.moves or not node.sources:
            continue
        before, after = node.sources[0][1].like.shape, node.like.shape
        if len(before) > 2 and len(after) == 2 and before[-1] > 1 and before[-2] > 1:
            found[after[1]] = before[-2:]
    return found


def look_of(shape: tuple[int, ...], folds: dict[int, tuple[int, int]]) -> Look:
    """How an array of this shape is painted.

    Images are images; a row, or a column of a matrix, that is the pixels of images is these images; other matrices are
    heat maps, vectors strips.
    """
    steps = [math.prod(shape[i + 1 :]) for i in range(len(shape))]
    axes = [(n, step) for n, step in zip(shape, steps, strict=True) if n != 1]
    if not axes:
        return Look()
    for i, (n, step) in enumerate(axes):
        if n in folds and len(axes) <= 2:
            height, width = folds[n]
            count = n // (height * width)
            stack = [*axes[:i], *axes[i + 1 :], *([(count, step * height * width)] if count > 1 else [])]
            axes = [*stack, (height, step * width), (width, step)]
            break
    if len(axes) == 1:
        ((n, step),) = axes
        return Look((Tile(0, 1, n, 0, step),), SIDE, STRIP)
    *stack, (rows, row_step), (columns, column_step) = axes
    count = math.prod(n for n, _ in stack)
    chosen = np.unique(np.linspace(0, count - 1, min(count, MOST)).round().astype(int))
    places = [np.unravel_index(k, [n for n, _ in stack]) if stack else () for k in chosen]
    offsets = [sum(int(at) * step for at, (_, step) in zip(place, stack, strict=True)) for place in places]
    tiles = tuple([Tile(offset, rows, columns, row_step, column_step) for offset in offsets])
    most = SIDE if len(tiles) == 1 else TILE
    element = min(most / max(rows, columns), SMALL)
    width, height = max(1, round(element * columns)), max(1, round(element * rows))
    if len(tiles) == 1 and max(rows, columns) > 3 * min(rows, columns):
        width, height = SIDE, max(STRIP, height)
    return Look(tiles, width, height, ACROSS)


def _place(width: int, height: int) -> Thumbnail:
    return Thumbnail(encoded(np.zeros((2 * height, 2 * width, 4), np.uint8)), width, height, "")
