"""Convolutions and their two gradients, without the columns that im2col would make of the images.

In a listing, a convolution is a product of a matrix of weights and of columns. Where nothing else needs the columns,
the products are summed up from the images instead.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

from tinygrad_cnn.lowering.c import convolutions
from tinygrad_cnn.lowering.c.kernels import Kernel
from tinygrad_cnn.lowering.c.places import Place
from tinygrad_cnn.lowering.instructions import Instruction, Listing
from tinygrad_cnn.lowering.javascript.kernels import Writing, rounded

UNROLLED = 25  # weights of a window that are variables


def kernels(listing: Listing, places: dict[Instruction, Place]) -> dict[Instruction, Kernel]:
    """The kernels of the convolutions of a listing, by the instruction that each computes."""
    found = {}
    for x, kernel in convolutions.kernels(listing, places).items():
        parts = [y for y in kernel.parts if y.operation != "pad"]  # which is an array of its own here
        if kernel.kind == "convolution":
            columns = x.operands[1]
            reads, write = [x.operands[0], columns.operands[0]], _forward
        elif kernel.kind == "weight_gradient":
            columns = x.operands[0].operands[1].operands[0]
            reads, write = [x.operands[0].operands[0], columns.operands[0]], _weights
        else:
            columns, reads, write = x, list(x.operands[0].operands), _images
        images = x if columns is x else columns.operands[0]
        s = _sizes(images.result.shape, columns)
        found[x] = Kernel(kernel.kind, reads, functools.partial(write, x=x, reads=reads, s=s), parts)
    return found


@dataclass
class _Sizes:
    """The sizes of a convolution: of a batch of images, each (channels, height, width)."""

    batch: int
    channels: int
    height: int
    width: int
    kh: int
    kw: int
    sh: int
    sw: int

    @property
    def out_h(self) -> int:
        return (self.height - self.kh) // self.sh + 1

    @property
    def out_w(self) -> int:
        return (self.width - self.kw) // self.sw + 1

    @property
    def positions(self) -> list[tuple[int, int]]:
        """Those of a window, one by one, or none if they are too many."""
        every = [(u, v) for u in range(self.kh) for v in range(self.kw)]
        return every if len(every) <= UNROLLED else []


def _sizes(images: tuple[int, ...], of: Instruction) -> _Sizes:
    (kh, kw), (sh, sw) = of.parameters["window"], of.parameters["stride"]
    return _Sizes(images[0], images[1] if len(images) == 4 else 1, images[-2], images[-1], kh, kw, sh, sw)


def _of_images(place: Place) -> tuple[int, int, int, int]:
    """The strides of images: of the batch, channels, rows and columns."""
    n, *c, y, x = place.strides
    return n, (c[0] if c else 0), y, x


def _forward(w: Writing, x: Instruction, reads: list[Instruction], s: _Sizes) -> None:
    f, (weight, image) = w.f, [w.places[y] for y in reads]
    n, c, down, across = _of_images(image)
    filters, size = weight.shape[0], s.out_h * s.out_w
    step = weight.strides[1]
    steps = (weight.strides[0], s.kh * s.kw * step)
    single = s.channels == 1
    with f.loops((s.batch, filters)) as (i_n, i_o):
        if not single:
            f.line(f"{f.write(x)}.fill(0, {_at((i_n, i_o), (filters * size, size))}, "
                   f"{_at((i_n, i_o), (filters * size, size), size)});")  # fmt: skip
        with f.loops((s.channels,), "k") as (i_c,):
            for u, v in s.positions:
                more = (u * s.kw + v) * step
                f.line(f"const weight{u}{v} = {f.at(weight, (i_o, i_c), steps, more)};")
            with f.loops((s.out_h, s.out_w), "j") as (j, i):
                at, strides = (i_n, i_c, j, i), (n, c, down * s.sh, across * s.sw)
                target = f.out(x, (i_n, i_o, j, i), (filters * size, size, s.out_w, 1))
                if s.positions:
                    terms = [
                        f"weight{u}{v} * {f.at(image, at, strides, u * down + v * across)}" for u, v in s.positions
                    ]
                    _sum(w, x, target, terms, single)
                else:
                    f.line("let sum = 0;")
                    with f.loops((s.kh, s.kw), "u") as (top, left):
                        of_weight = f.at(weight, (i_o, i_c, top, left), (*steps, s.kw * step, step))
                        f.line(f"sum += {of_weight} * {f.at(image, (*at, top, left), (*strides, down, across))};")
                    f.line(f"{target} {'=' if single else '+='} {rounded('sum', x)};")


def _sum(w: Writing, x: Instruction, target: str, terms: list[str], single: bool) -> None:
    """A sum of products, a row of the window on each line."""
    lines = [" + ".join(terms[k : k + 3]) for k in range(0, len(terms), 3)]
    if len(lines) == 1:
        w.f.line(f"{target} {'=' if single else '+='} {rounded(lines[0], x)};")
        return
    opening, closing = ("Math.fround(", ")") if rounded("", x) else ("", "")
    w.f.line(f"{target} {'=' if single else '+='} {opening}{lines[0]}")
    for line in lines[1:-1]:
        w.f.line(f"  + {line}")
    w.f.line(f"  + {lines[-1]}{closing};")


def _at(variables: tuple[str, ...], steps: tuple[int, ...], more: int = 0) -> str:
    terms = [f"{v} * {step}" for v, step in zip(variables, steps, strict=True) if v != "0"]
    return " + ".join([*terms, *([str(more)] if more or not terms else [])])


def _weights(w: Writing, x: Instruction, reads: list[Instruction], s: _Sizes) -> None:
    """Each weight's gradient is the sum over all places of the window: (filters, channels * kh * kw)."""
    f, (g, image) = w.f, [w.places[y] for y in reads]
    n, c, down, across = _of_images(image)
    filters, terms = g.shape[1], s.channels * s.kh * s.kw
    steps = (g.strides[0], g.strides[1], g.strides[2] * s.out_w, g.strides[2])
    strides = (n, c, down * s.sh, across * s.sw)
    to = (terms, s.kh * s.kw)
    with f.loops((filters, s.channels), "k") as (i_o, i_c):
        if s.positions:
            for u, v in s.positions:
                f.line(f"{f.out(x, (i_o, i_c), to, u * s.kw + v)} = 0;")
            with f.loops((s.batch,)) as (i_n,):  # each image is summed up by itself: fewer roundings of a long sum
                for u, v in s.positions:
                    f.line(f"let sum{u}{v} = 0;")
                with f.loops((s.out_h, s.out_w), "j") as (j, i):
                    f.line(f"const share = {f.at(g, (i_n, i_o, j, i), steps)};")
                    for u, v in s.positions:
                        f.line(f"sum{u}{v} += share * {f.at(image, (i_n, i_c, j, i), strides, u * down + v * across)};")
                for u, v in s.positions:
                    f.line(f"{f.out(x, (i_o, i_c), to, u * s.kw + v)} += sum{u}{v};")
            return
        with f.loops((s.kh, s.kw), "u") as (top, left):
            f.line("let sum = 0;")
            with f.loops((s.batch, s.out_h, s.out_w)) as (i_n, j, i):
                element = f.at(image, (i_n, i_c, j, i, top, left), (*strides, down, across))
                f.line(f"sum += {f.at(g, (i_n, i_o, j, i), steps)} * {element};")
            f.line(f"{f.out(x, (i_o, i_c, top, left), (*to, s.kw, 1))} = {rounded('sum', x)};")


def _images(w: Writing, x: Instruction, reads: list[Instruction], s: _Sizes) -> None:
    """Each element of the result gives its cotangent to all elements of its window."""
    f, (weight, g) = w.f, [w.places[y] for y in reads]  # weight: (channels * kh * kw, filters)
    filters, plane = weight.shape[1], s.height * s.width
    terms = weight.strides[0]
    steps = (g.strides[0], g.strides[1], g.strides[2] * s.out_w, g.strides[2])
    to = (s.channels * plane, plane, s.width * s.sh, s.sw)
    f.line(f"{f.write(x)}.fill(0);")
    with f.loops((s.batch, s.channels, filters), "k") as (i_n, i_c, i_o):
        for u, v in s.positions:
            of_weight = f.at(weight, (i_c, i_o), (s.kh * s.kw * terms, weight.strides[1]), (u * s.kw + v) * terms)
            f.line(f"const weight{u}{v} = {of_weight};")
        with f.loops((s.out_h, s.out_w), "j") as (j, i):
            f.line(f"const share = {f.at(g, (i_n, i_o, j, i), steps)};")
            if s.positions:
                for u, v in s.positions:
                    f.line(f"{f.out(x, (i_n, i_c, j, i), to, u * s.width + v)} += weight{u}{v} * share;")
            else:
                with f.loops((s.kh, s.kw), "u") as (top, left):
                    of_weight = f.at(
                        weight, (i_c, top, left, i_o), (s.kh * s.kw * terms, s.kw * terms, terms, weight.strides[1])
                    )
                    f.line(f"{f.out(x, (i_n, i_c, j, i, top, left), (*to, s.width, 1))} += {of_weight} * share;")
