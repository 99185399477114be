"""Convolutions and their two gradients in C, without the columns that im2col would make of the images.

In a listing, a convolution is a product of a matrix of weights and of columns. Where nothing else needs the columns, an
image is copied with its padding to scratch memory instead, which stays in the cache, and the products are summed up
from there: several outputs at a time, each a row of vectors, in registers. Where windows are `sw` columns apart, the
columns are copied in an order such that those which are `sw` apart lie together, so that vectors can be read.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from tinygrad_cnn.lowering.c.functions import ctype, for_, offset
from tinygrad_cnn.lowering.c.kernels import Kernel, Writing, is_real
from tinygrad_cnn.lowering.c.places import Place
from tinygrad_cnn.lowering.instructions import Instruction, Listing

Write = Callable[[Writing], None]
PHASES = 9  # of the gradient of images: each is code of its own
Widths = tuple[tuple[int, int], tuple[int, int]]


def kernels(listing: Listing, places: dict[Instruction, Place]) -> dict[Instruction, Kernel]:
    """The kernels of the convolutions of a listing, by the instruction that each computes."""
    uses, outputs = listing.uses(), set(listing.outputs)
    found: dict[Instruction, Kernel] = {}
    for x in listing.instructions:
        if x.operation == "im2col" and x not in outputs:
            found.update(_of_columns(x, uses, outputs))
        elif x.operation == "col2im":
            found.update(_of_images(x, uses, outputs, places))
    virtual = {y for kernel in found.values() for y in kernel.parts}
    for x in listing.instructions:  # padding that only convolutions read
        if (
            x.operation == "pad"
            and x not in outputs
            and uses[x]
            and is_for_convolutions(x)
            and all(y in virtual for y in uses[x])
        ):
            for kernel in found.values():
                if x in kernel.reads:
                    kernel.reads[kernel.reads.index(x)] = x.operands[0]
                    kernel.parts.append(x)
    return found


@dataclass
class _Sizes:
    """The sizes of a convolution: of a batch of images, each (channels, height, width), padded by `widths`."""

    batch: int
    channels: int
    height: int
    width: int
    kh: int
    kw: int
    sh: int
    sw: int
    outputs: int

    @property
    def out_h(self) -> int:
        return (self.height - self.kh) // self.sh + 1

    @property
    def out_w(self) -> int:
        return (self.width - self.kw) // self.sw + 1

    @property
    def terms(self) -> int:
        """How many products are summed up."""
        return self.channels * self.kh * self.kw

    def nanoseconds(self, w: Writing, type_: str, size: tuple[int, int]) -> float:
        """About how long a convolution takes that sums up a product for each weight and each place of an image."""
        vectors = vectors_of(w, type_, size[1])[1]
        return 0.35 * self.batch * self.outputs * self.terms * size[0] * vectors


def _sizes(images: tuple[int, ...], of: Instruction, outputs: int) -> _Sizes:
    """The sizes, of images and of their columns `of`."""
    channels = images[1] if len(images) == 4 else 1
    (kh, kw), (sh, sw) = of.parameters["window"], of.parameters["stride"]
    return _Sizes(images[0], channels, images[-2], images[-1], kh, kw, sh, sw, outputs)


def _of_columns(
    x: Instruction, uses: dict[Instruction, list[Instruction]], outputs: set[Instruction]
) -> dict[Instruction, Kernel]:
    """The convolution and the gradient of its weights, if nothing else reads the columns `x`."""
    images = x.operands[0]
    if len(x.result.shape) != 3 or len(images.result.shape) > 4 or not x.result.size:
        return {}
    found: dict[Instruction, Kernel] = {}
    for user in uses[x]:
        if _is_product(user) and user.operands[1] is x and len(user.operands[0].result.shape) == 2:
            s = _sizes(images.result.shape, x, user.result.shape[1])
            reads = [user.operands[0], images]
            found[user] = Kernel("convolution", reads, _forward(user, reads, s), [x])
            continue
        if user.operation != "transpose" or user.parameters["axes"] != (0, 2, 1) or user in outputs:
            return {}
        for product in uses[user]:
            if not _is_product(product) or product.operands[1] is not user or product in outputs:
                return {}
            g = product.operands[0]
            if len(g.result.shape) != 3 or g.result.shape[0] != x.result.shape[0]:
                return {}
            for total in uses[product]:
                if not _is_sum_over_batch(total):
                    return {}
                s = _sizes(images.result.shape, x, g.result.shape[1])
                reads = [g, images]
                found[total] = Kernel("weight_gradient", reads, _weights(total, reads, s), [x, user, product])
    return found


def _is_product(x: Instruction) -> bool:
    return x.operation == "matmul" and x.function is None and is_real(x, *x.operands) and x.result.size > 0


def _is_outer_product(x: Instruction) -> bool:
    """Whether it is the product of a column and of rows, as a rule writes it where there is one output."""
    if x.operation != "multiply" or not is_real(x, *x.operands) or x.result.size == 0:
        return False
    column, rows = [y.result.shape for y in x.operands]
    return len(column) == 2 and column[1] == 1 and len(rows) == 3 and rows[1] == 1 and x.result.shape[1] == column[0]


def _is_sum_over_batch(x: Instruction) -> bool:
    how = x.parameters
    return x.operation == "reduce" and how["ufunc"] == "add" and how["axis"] in (0, (0,)) and set(how) <= {
        "ufunc", "axis", "dtype", "keepdims", "where", "initial"
    } and not how["keepdims"] and how["dtype"] in (None, x.operands[0].result.dtype) and len(x.operands) == 1 and all(
        how.get(name) is None for name in ("where", "initial")
    )  # fmt: skip


def _of_images(
    x: Instruction, uses: dict[Instruction, list[Instruction]], outputs: set[Instruction],
    places: dict[Instruction, Place],
) -> dict[Instruction, Kernel]:  # fmt: skip
    """The gradient of the images: the columns' cotangents, a product, put back into images."""
    (product,) = x.operands
    if not (_is_product(product) or _is_outer_product(product)) or uses[product] != [x] or product in outputs:
        return {}
    weights, g = product.operands
    if len(weights.result.shape) != 2 or len(g.result.shape) != 3 or len(x.result.shape) not in (3, 4):
        return {}
    s = _sizes(x.result.shape, x, g.result.shape[1])
    if s.sh * s.sw > PHASES:
        return {}
    region = ((0, s.height), (0, s.width))
    if len(uses[x]) == 1 and x not in outputs:
        region = _cropped(x, places.get(uses[x][0]), region)
    reads = [weights, g]
    return {x: Kernel("image_gradient", reads, _images(x, reads, s, region), [product])}


def _cropped(x: Instruction, part: Place | None, whole: Widths) -> Widths:
    """The rows and columns of images that a view of them is, if it is that and nothing else; otherwise the whole."""
    width = x.result.shape[-1]
    if part is None or part.root is not x or part.strides[-2:] != (width, 1):
        return whole
    if len(part.shape) != len(x.result.shape) or part.shape[:-2] != x.result.shape[:-2]:
        return whole
    top, left = divmod(part.offset, width)
    return (top, top + part.shape[-2]), (left, left + part.shape[-1])


class _Copied:
    """Images that are copied one by one into scratch memory, each with zeros around it.

    apart   how many columns windows are apart: those of 0, apart, 2 * apart, ... come first, then those of 1, ...
    phase   how far it is from the columns of 0, apart, ... to those of 1, ...
    """

    def __init__(
        self, w: Writing, place: Place, channels: int, size: tuple[int, int], corner: tuple[int, int], name: str,
        apart: int = 1,
    ) -> None:  # fmt: skip
        self.w, self.place, self.apart = w, place, apart
        self.top, self.left = corner
        self.pitch, self.type = -(-size[1] // apart), ctype(place.root)
        self.phase = size[0] * self.pitch
        self.plane = apart * self.phase
        self.name = w.f.scratch(name, self.type, channels * self.plane + w.vector, each=True)
        w.f.line(f"memset({self.name}, 0, {channels * self.plane} * sizeof({self.type}));")

    def copy(self, n: str) -> None:
        """Write the copy of the image of that number."""
        f, (first, *strides) = self.w.f, self.place.strides
        *outer, columns = self.place.shape[1:]
        to = (self.plane, self.pitch, 1)[-len(strides) :]
        for begin in range(min(self.apart, columns)):
            phase = (begin + self.left) % self.apart
            start = phase * self.phase + self.top * self.pitch + (begin + self.left) // self.apart
            steps = (first, *strides[:-1], strides[-1] * self.apart)
            with f.loops((*outer, -(-(columns - begin) // self.apart)), "j") as j:
                element = offset((n, *j), steps, self.place.offset + begin * strides[-1])
                f.line(f"{self.name}[{offset(j, to, start)}] = {f.read(self.place.root)}[{element}];")


def _pad_of(x: Instruction) -> tuple[int, int]:
    """How many rows and columns a padding puts in front."""
    widths = x.parameters["pad_width"]
    return widths[-2][0], widths[-1][0]


def is_for_convolutions(x: Instruction) -> bool:
    """Whether a padding is of zeros, and around the rows and columns alone."""
    value, widths = x.parameters["constant_values"], x.parameters["pad_width"]
    return value == 0 and all(pair == (0, 0) for pair in widths[:-2])


def _image(w: Writing, s: _Sizes, reads: list[Instruction], original: Instruction) -> _Copied:
    """The images, padded; `original` is what the columns were made of, which may be padding of what is read."""
    place, top, left = w.places[reads[1]], 0, 0
    if reads[1] is not original:
        top, left = _pad_of(original)
    return _Copied(w, place, s.channels, (s.height, s.width), (top, left), "image", s.sw)


def _forward(x: Instruction, reads: list[Instruction], s: _Sizes) -> Write:
    original = reads[1]

    def write(w: Writing) -> None:
        f, type_ = w.f, ctype(x)
        begin, end = f.divide(s.batch, s.nanoseconds(w, type_, (s.out_h, s.out_w)))
        matrix = _row_by_row(w, w.places[reads[0]], s)
        image = _image(w, s, reads, original)
        with f.block(for_("i_n", end, begin)):
            image.copy("i_n")
            out = f"{f.write(x)} + i_n * {s.outputs * s.out_h * s.out_w}"
            correlate(w, type_, s.outputs, s.channels, (s.kh, s.kw), (s.out_h, s.out_w), matrix, s.terms, image.name,
                      image.plane, image.pitch, out, s.out_h * s.out_w, s.out_w, (s.sh, s.sw), image.phase)  # fmt: skip

    return write


def _row_by_row(w: Writing, weights: Place, s: _Sizes) -> str:
    """The weights, of which those of an output lie together: copied if they do not."""
    f = w.f
    if weights.row_by_row or weights.strides == (s.terms, 1):
        return f.read(weights.root) + (f" + {start}" if (start := f.start(weights)) else "")
    matrix = f.scratch("weights", ctype(weights.root), s.outputs * s.terms)
    with f.once(f.before), f.loops(weights.shape, "j") as j:
        f.line(f"{matrix}[{offset(j, (s.terms, 1))}] = {f.element(weights, j)};")
    return matrix


def _weights(x: Instruction, reads: list[Instruction], s: _Sizes) -> Write:
    original = reads[1]

    def write(w: Writing) -> None:
        f, type_ = w.f, ctype(x)
        lanes, vectors, tail = vectors_of(w, type_, s.out_w)
        f.helper(f"gradient_tile {type_} {lanes}")
        vec, budget = f"{type_}_x{lanes}", 24 if w.vector == 64 else 12
        weights = s.outputs * s.terms
        begin, end = f.divide(s.batch, s.nanoseconds(w, type_, (s.out_h, s.out_w)), weights * w.vector)
        sums = f.scratch("sums", vec, weights, each=True)
        image = _image(w, s, reads, original)
        g, given = w.places[reads[0]], ""
        direct = not w.is_elsewhere(g.root) and g.strides[-1] == 1
        if not direct:
            copied = _Copied(w, _rows(g, s), s.outputs, (s.out_h, s.out_w), (0, 0), "g")
        f.line(f"memset({sums}, 0, {weights} * sizeof({vec}));")
        with f.block(for_("i_n", end, begin)):
            image.copy("i_n")
            if direct:
                given, plane = f"{f.read(g.root)} + {offset(('i_n',), g.strides[:1], g.offset)}", g.strides[1]
            else:
                copied.copy("i_n")
                given, plane = copied.name, copied.plane
            block = min(s.outputs, 4 if w.vector == 64 else 2)
            across = min(s.kw, budget // block)
            down = min(s.kh, max(1, budget // block // across)) if across == s.kw else 1
            for start, count, step in _blocks(s.outputs, block):
                with f.block(for_("i_o", start + count, start, step)), f.loops((s.channels,), "j") as (c,):
                    for u, high, v, wide in _tiles(s, down, across):
                        at = offset(("i_o", c), (s.terms, s.kh * s.kw), u * s.kw + v)
                        corner = offset((c,), (image.plane,), u * image.pitch)
                        f.line(
                            f"gradient_tile_{vec}({step}, {high}, {v}, {wide}, {vectors}, {tail}, {s.out_h}, "
                            f"{s.sh}, {s.sw}, {given} + i_o * {plane}, {plane}, {s.out_w}, {image.name} + {corner}, "
                            f"{image.pitch}, {image.phase}, {sums} + {at}, {s.terms}, {s.kw});"
                        )
        with f.once(f.after), f.loops((weights,)) as (i,):
            f.line(f"{vec} all = {sums}[{i}];")
            if f.parts > 1:
                f.line(f"{for_('part', f.parts, 1)} all += {sums}[part * {f.apart(sums)} + {i}];")
            f.line(f"{type_} total = 0;")
            f.line(f"for (int lane = 0; lane < {lanes}; lane++) total += all[lane];")
            f.line(f"{f.write(x)}[{i}] = total;")

    return write


def _tiles(s: _Sizes, down: int, across: int) -> Iterator[tuple[int, int, int, int]]:
    """(u, height, v, width) of parts of a kernel of at most `down` x `across` weights."""
    for top, rows, high in _blocks(s.kh, down):
        for left, columns, wide in _blocks(s.kw, across):
            for u, v in itertools.product(range(top, top + rows, high), range(left, left + columns, wide)):
                yield u, high, v, wide


def _rows(g: Place, s: _Sizes) -> Place:
    """(batch, outputs, out_h * out_w) as (batch, outputs, out_h, out_w)."""
    step = g.strides[2]
    return Place(g.root, g.offset, (*g.shape[:2], s.out_h, s.out_w), (*g.strides[:2], step * s.out_w, step))


class _Phase(NamedTuple):
    """The rows py, py + sh, ... and the columns px, px + sw, ... of images, which the same weights are products for.

    start   where the weights of the phase begin
    window  how many of them there are, down and across
    size    how many rows and columns
    """

    py: int
    px: int
    start: int
    window: tuple[int, int]
    size: tuple[int, int]


def _phases(s: _Sizes) -> list[_Phase]:
    found, start = [], 0
    for py, px in itertools.product(range(s.sh), range(s.sw)):
        window = len(range(py, s.kh, s.sh)), len(range(px, s.kw, s.sw))
        size = len(range(py, s.height, s.sh)), len(range(px, s.width, s.sw))
        if 0 not in window + size:
            found.append(_Phase(py, px, start, window, size))
            start += s.channels * s.outputs * window[0] * window[1]
    return found


def _images(x: Instruction, reads: list[Instruction], s: _Sizes, region: Widths) -> Write:
    """The gradient of the images: for each phase, a convolution of the cotangent with its weights, in reverse order.

    Where there is one phase, only the rows and columns of `region` are computed.
    """

    def write(w: Writing) -> None:
        f, type_ = w.f, ctype(x)
        weights, size, phases = w.places[reads[0]], s.kh * s.kw, _phases(s)  # (channels * kh * kw, outputs)
        high, wide = -(-s.kh // s.sh), -(-s.kw // s.sw)  # the largest window of a phase
        rows, pitch = -(-s.height // s.sh) + high - 1, -(-s.width // s.sw) + wide - 1
        begin, end = f.divide(s.batch, s.nanoseconds(w, type_, (rows, pitch)))
        matrix, finite = f.scratch("weights", type_, s.outputs * s.terms), f.scratch("finite", "int", 1)
        steps = (size * weights.strides[0], s.kw * weights.strides[0], *weights.strides)
        with f.once(f.before):
            f.line("/* The weights, in reverse order: a convolution of the cotangent with them. */")
            f.line(f"{finite}[0] = 1;")
            for phase in phases:
                kh, kw = phase.window
                with f.loops((s.channels, s.outputs, kh, kw), "j") as (c, o, u, v):
                    index = (c, f"({phase.py + (kh - 1) * s.sh} - {u} * {s.sh})",
                             f"({phase.px + (kw - 1) * s.sw} - {v} * {s.sw})", o)  # fmt: skip
                    element = f"{f.read(weights.root)}[{offset(index, steps, weights.offset)}]"
                    to = offset((c, o, u, v), (s.outputs * kh * kw, kh * kw, kw, 1), phase.start)
                    f.line(f"{matrix}[{to}] = {element};")
                    f.line(f"{finite}[0] &= isfinite({element}) != 0;")
        g = _Copied(w, _rows(w.places[reads[1]], s), s.outputs, (rows, pitch), (high - 1, wide - 1), "g")
        plane = s.height * s.width
        out = f"{f.write(x)} + i_n * {s.channels * plane}"
        if s.sh * s.sw > 1:
            f.scratch("apart", type_, s.channels * max(math.prod(phase.size) for phase in phases), each=True)
        with f.block(for_("i_n", end, begin)):
            g.copy("i_n")
            if len(phases) < s.sh * s.sw:
                f.line(f"memset({out}, 0, {s.channels * plane} * sizeof({type_}));")
            with f.block(f"if ({finite}[0])"):
                for phase in phases:
                    (kh, kw), (down, across) = phase.window, phase.size
                    place = region if s.sh * s.sw == 1 else ((0, down), (0, across))
                    (top, bottom), (left, right) = place
                    corner = (high - kh + top) * pitch + wide - kw + left
                    into = (f"{out} + {top * s.width + left}", plane, s.width)
                    if s.sh * s.sw > 1:
                        into = ("apart", down * across, across)
                    correlate(w, type_, s.channels, s.outputs, (kh, kw), (bottom - top, right - left),
                              f"{matrix} + {phase.start}", s.outputs * kh * kw, f"{g.name} + {corner}", g.plane, pitch,
                              *into)  # fmt: skip
                    if s.sh * s.sw > 1:
                        with f.loops((s.channels, down, across), "j") as j:
                            source = offset(j, (down * across, across, 1))
                            target = offset(("i_n", *j), (s.channels * plane, plane, s.sh * s.width, s.sw),
                                            phase.py * s.width + phase.px)  # fmt: skip
                            f.line(f"{f.write(x)}[{target}] = apart[{source}];")
            with f.block("else"):
                f.helper(f"scatter {type_}")
                f.line(
                    f"scatter_{type_}({s.channels}, {s.outputs}, {s.kh}, {s.kw}, {s.sh}, {s.sw}, {s.out_h}, {s.out_w}, "
                    f"{f.read(weights.root)} + {weights.offset}, {weights.strides[0]}, {weights.strides[1]}, "
                    f"{g.name} + {(high - 1) * pitch + wide - 1}, {g.plane}, {pitch}, {out}, {plane}, {s.width});"
                )

    return write


def vectors_of(w: Writing, type_: str, width: int) -> tuple[int, int, int]:
    """How many lanes a vector has, how many vectors a row, and how many lanes the last of them."""
    lanes = w.vector // (4 if type_ == "float" else 8)
    while lanes // 2 >= max(width, 2):
        lanes //= 2
    vectors = -(-width // lanes)
    return lanes, vectors, width - (vectors - 1) * lanes


def _blocks(count: int, block: int) -> list[tuple[int, int, int]]:
    """(start, count, size) of the whole blocks and of the rest."""
    whole = count // block * block
    return [(0, whole, block), *([(whole, count - whole, count - whole)] if whole < count else [])]


def correlate(
    w: Writing, type_: str, outputs: int, channels: int, window: tuple[int, int], size: tuple[int, int],
    matrix: str, terms: int, image: str, plane: int, pitch: int, out: str, out_plane: int, out_pitch: int,
    stride: tuple[int, int] = (1, 1), phase: int = 0,
) -> None:  # fmt: skip
    """Write out[o][y][x] = sum of matrix[o][c][u][v] * image[c][y * sh + u][x * sw + v] over c, u and v.

    size: of the result, its rows and columns. terms, plane, pitch, out_plane, out_pitch: from one row of the matrix,
    channel or row of an image to the next. phase: from the image's columns of 0, sw, 2 * sw, ... to those of 1, ...
    """
    f, (out_h, out_w) = w.f, size
    lanes, vectors, tail = vectors_of(w, type_, out_w)
    f.helper(f"correlate_tile {type_} {lanes}")
    budget = 16 if w.vector == 64 else 8
    block = min(outputs, 4)
    across = min(vectors, budget // block)
    rows = min(out_h, max(1, budget // block // across))
    for start, count, several in _blocks(outputs, block):
        for first, height, tall in _blocks(out_h, rows):
            with f.block(for_("i_o", start + count, start, several)), f.block(for_("i_y", first + height, first, tall)):
                for left, wide, many, last in _columns(vectors, across, tail < lanes):
                    into = f"{out} + i_o * {out_plane} + i_y * {out_pitch} + i_x, {out_plane}, {out_pitch}"
                    with f.block(for_("i_x", (left + wide) * lanes, left * lanes, many * lanes)):
                        f.line(
                            f"correlate_tile_{type_}_x{lanes}({several}, {tall}, {many}, {tail if last else lanes}, "
                            f"{channels}, {window[0]}, {window[1]}, {stride[0]}, {stride[1]}, "
                            f"{matrix} + i_o * {terms}, {terms}, "
                            f"{image} + i_y * {stride[0] * pitch} + i_x, {plane}, {pitch}, {phase}, {into});"
                        )


def _columns(vectors: int, across: int, has_tail: bool) -> Iterator[tuple[int, int, int, bool]]:
    """(start, count, size, whether it has the last vector) of runs of tiles across, of which the last is apart."""
    for left, wide, many in _blocks(vectors, across):
        if left + wide < vectors or not has_tail:
            yield left, wide, many, False
        else:
            if wide > many:
                yield left, wide - many, many, False
            yield left + wide - many, many, many, True


def helper(name: str, type_: str, lanes: str = "0") -> str:
    """The source of a helper function."""
    integer = "int32_t" if type_ == "float" else "int64_t"
    size = int(lanes) * (4 if type_ == "float" else 8)
    return (
        _HELPERS[name]
        .replace("TYPE", type_)
        .replace("LANES", lanes)
        .replace("INTEGER", integer)
        .replace("BYTES", str(size))
    )


VECTOR = """\
typedef TYPE TYPE_xLANES __attribute__((vector_size(BYTES)));
typedef INTEGER TYPE_xLANES_mask __attribute__((vector_size(BYTES)));

static inline TYPE_xLANES load_TYPE_xLANES(const TYPE *p)
{
    TYPE_xLANES v;
    memcpy(&v, p, sizeof v);
    return v;
}

"""

_HELPERS = {
    "vector": VECTOR,
    "correlate_tile": """\
/* `outputs` x `rows` x `vectors` elements of a convolution, in registers; of the last vectors `tail` lanes count. */
TILE void correlate_tile_TYPE_xLANES(int outputs, int rows, int vectors, int tail, int channels, int kh, int kw,
    int sh, int sw, const TYPE *weights, long terms, const TYPE *image, long plane, long pitch, long phase, TYPE *out,
    long out_plane, long out_pitch)
{
    CONTRACT
    TYPE_xLANES sums[16][16];
    UNROLL for (int o = 0; o < outputs; o++)
        UNROLL for (int t = 0; t < rows * vectors; t++) sums[o][t] = (TYPE_xLANES){0};
    for (int c = 0; c < channels; c++)
        for (int u = 0; u < kh; u++)
            for (int v = 0; v < kw; v++) {
                const TYPE *from = image + c * plane + v % sw * phase + u * pitch + v / sw;
                const TYPE *weight = weights + (c * kh + u) * kw + v;
                UNROLL for (int y = 0; y < rows; y++)
                    UNROLL for (int k = 0; k < vectors; k++) {
                        TYPE_xLANES x = load_TYPE_xLANES(from + y * sh * pitch + k * LANES);
                        IN_REGISTER(x);
                        UNROLL for (int o = 0; o < outputs; o++) sums[o][y * vectors + k] += weight[o * terms] * x;
                    }
            }
    UNROLL for (int o = 0; o < outputs; o++)
        UNROLL for (int y = 0; y < rows; y++)
            UNROLL for (int k = 0; k < vectors; k++)
                memcpy(out + o * out_plane + y * out_pitch + k * LANES, &sums[o][y * vectors + k],
                       (k == vectors - 1 ? tail : LANES) * sizeof(TYPE));
}

""",
    "gradient_tile": """\
/* Adds what one image gives to the gradient of `outputs` x `down` x `across` weights, each a vector of partial sums. */
TILE void gradient_tile_TYPE_xLANES(int outputs, int down, int first, int across, int vectors, int tail, int height,
    int sh, int sw, const TYPE *g, long g_plane, long g_pitch, const TYPE *image, long pitch, long phase,
    TYPE_xLANES *totals, long terms, long kw)
{
    CONTRACT
    TYPE_xLANES sums[4][24];
    TYPE_xLANES_mask mask;
    for (int lane = 0; lane < LANES; lane++) mask[lane] = lane < tail ? -1 : 0;
    UNROLL for (int o = 0; o < outputs; o++)
        UNROLL for (int u = 0; u < down; u++)
            UNROLL for (int v = 0; v < across; v++) sums[o][u * across + v] = totals[o * terms + u * kw + v];
    for (int y = 0; y < height; y++)
        UNROLL for (int k = 0; k < vectors; k++) {
            const int masked = k == vectors - 1 && tail < LANES;
            TYPE_xLANES of[4];
            UNROLL for (int o = 0; o < outputs; o++) {
                of[o] = load_TYPE_xLANES(g + o * g_plane + y * g_pitch + k * LANES);
                if (masked) of[o] = (TYPE_xLANES)((TYPE_xLANES_mask)of[o] & mask);
            }
            UNROLL for (int u = 0; u < down; u++)
                UNROLL for (int v = 0; v < across; v++) {
                    const TYPE *from = image + (first + v) % sw * phase + (y * sh + u) * pitch + (first + v) / sw;
                    TYPE_xLANES x = load_TYPE_xLANES(from + k * LANES);
                    if (masked) x = (TYPE_xLANES)((TYPE_xLANES_mask)x & mask);
                    IN_REGISTER(x);
                    UNROLL for (int o = 0; o < outputs; o++) sums[o][u * across + v] += of[o] * x;
                }
        }
    UNROLL for (int o = 0; o < outputs; o++)
        UNROLL for (int u = 0; u < down; u++)
            UNROLL for (int v = 0; v < across; v++) totals[o * terms + u * kw + v] = sums[o][u * across + v];
}

""",
    "scatter": """\
/* The gradient of an image where a weight is not finite, which 0 times it is not: term by term. */
static void scatter_TYPE(int channels, int outputs, int kh, int kw, int sh, int sw, int out_h, int out_w,
    const TYPE *weights, long row, long column, const TYPE *g, long plane, long pitch, TYPE *out, long out_plane,
    long out_pitch)
{
    memset(out, 0, channels * out_plane * sizeof(TYPE));
    for (int c = 0; c < channels; c++)
        for (int o = 0; o < outputs; o++)
            for (int k = 0; k < kh * kw; k++)
                for (int y = 0; y < out_h; y++)
                    for (int x = 0; x < out_w; x++)
                        out[c * out_plane + (y * sh + k / kw) * out_pitch + x * sw + k % kw] +=
                            weights[(c * kh * kw + k) * row + o * column] * g[o * plane + y * pitch + x];
}

""",
}
