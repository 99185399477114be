"""Padding, windows and pooling in C."""

from __future__ import annotations

import math
from typing import Any

from tinygrad_cnn.lowering.c.elementwise import C_TYPES, number
from tinygrad_cnn.lowering.c.functions import ctype, for_, offset
from tinygrad_cnn.lowering.c.kernels import FLOATS, Kernel, Writing
from tinygrad_cnn.lowering.c.places import Place
from tinygrad_cnn.lowering.instructions import Instruction, Slot
from tinygrad_cnn.primitives.windows import layout

HIGHER = "{0} > {1} || {0} != {0} ? {0} : {1}"  # of +0 and -0, the second, as NumPy's vectors have it

ON_THE_STACK = 4096  # elements


def kernel(x: Instruction, places: dict[Instruction, Place]) -> Kernel | None:
    """The kernel of an operation on windows, if it has one."""
    write = _KERNELS.get(x.operation)
    if write is None or x.result.size == 0 or x.result.dtype not in C_TYPES or x.result.kind != "array":
        return None
    if any(y not in places or y.result.dtype not in C_TYPES or y.result.kind != "array" for y in x.operands):
        return None
    if any(y.result.size == 0 for y in x.operands):
        return None
    pooling = x.operation in ("max_pool2d", "avg_pool2d", "max_unpool", "max_unpool_shared", "unpool", "col2im")
    if pooling and (x.result.dtype not in FLOATS or x.operands[0].result.dtype != x.result.dtype):
        return None
    if x.operation in ("max_unpool", "max_unpool_shared") and x.operands[1].result.dtype != x.operands[2].result.dtype:
        return None
    return Kernel(x.operation, list(x.operands), lambda w: write(w, x))


def _pad(w: Writing, x: Instruction) -> None:
    f, image, out = w.f, w.places[x.operands[0]], w.places[x]
    value = number(x.parameters["constant_values"], x.result.dtype)
    f.line(f"{for_('i', x.result.size)} {f.write(x)}[i] = {value};")
    start = sum(before * step for (before, _), step in zip(x.parameters["pad_width"], out.strides, strict=True))
    with f.loops(image.shape) as at:
        f.line(f"{f.write(x)}[{offset(at, out.strides, start)}] = {f.element(image, at)};")


def _im2col(w: Writing, x: Instruction) -> None:
    f, image = w.f, w.places[x.operands[0]]
    at = layout(image.shape, x.parameters["window"], x.parameters["stride"])
    down, across = image.strides[-2:]
    steps = (*image.strides[:-2], down, across, at.stride[0] * down, at.stride[1] * across)
    with f.loops(at.windows) as i:
        windows = Place(x, 0, at.windows, _row_by_row(at.windows))
        element = f.element(Place(image.root, image.offset, at.windows, steps), i)
        f.line(f"{f.element(windows, i, write=True)} = {element};")


def _row_by_row(shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple([math.prod(shape[k + 1 :]) for k in range(len(shape))])


def _col2im(w: Writing, x: Instruction) -> None:
    f, columns, out = w.f, w.places[x.operands[0]], w.places[x]
    at = layout(x.result.shape, x.parameters["window"], x.parameters["stride"])
    *outer, kh, kw, _, out_w = at.windows
    batch = columns.strides[0] if len(outer) else 0
    rows, places = columns.strides[-2:]
    channels = (*outer[1:], kh, kw)
    steps = (*((batch,) if outer else ()), *[rows * n for n in _row_by_row(channels)], places * out_w, places)
    windows = Place(columns.root, columns.offset, at.windows, steps)
    down, across = out.strides[-2:]
    sums = (*out.strides[:-2], down, across, at.stride[0] * down, at.stride[1] * across)
    f.line(f"memset({f.write(x)}, 0, {x.result.size} * sizeof({ctype(x)}));")
    with f.loops(at.windows) as i:
        f.line(f"{f.write(x)}[{offset(i, sums)}] += {f.element(windows, i)};")


def _max_pool2d(w: Writing, x: Instruction) -> None:
    _pool(w, x, HIGHER, "")


def _avg_pool2d(w: Writing, x: Instruction) -> None:
    _pool(w, x, "{0} + {1}", f" / {math.prod(x.parameters['window'])}")


def _pool(w: Writing, x: Instruction, combined: str, finish: str) -> None:
    f, image, out, type_ = w.f, w.places[x.operands[0]], w.places[x], ctype(x)
    (kh, kw), (sh, sw) = x.parameters["window"], x.parameters["stride"]
    down, across = image.strides[-2:]
    steps = (*image.strides[:-2], down * sh, across * sw)
    if (sh, sw) == (kh, kw) and kw <= 4 and across == 1 and out.shape[-1] > 1:
        _pool_side_by_side(w, x, combined, finish)
        return
    with f.loops(out.shape, outermost=f.divide(out.shape[0], 0.3 * kh * kw * x.result.size)) as i:
        if kh * kw <= 9:
            for u in range(kh):
                for v in range(kw):
                    text = f"{f.read(image.root)}[{offset(i, steps, image.offset + u * down + v * across)}]"
                    if not u + v:
                        f.line(f"{type_} pooled = {text};")
                    else:
                        f.line(f"const {type_} at_{u}{v} = {text};")
                        f.line(f"pooled = {combined.format('pooled', f'at_{u}{v}')};")
        else:
            first = f"{f.read(image.root)}[{offset(i, steps, image.offset)}]"
            f.line(f"{type_} pooled = {first if combined == HIGHER else number(0.0, x.result.dtype)};")
            with f.loops((kh, kw), "u") as within:
                place = offset((*i, *within), (*steps, down, across), image.offset)
                f.line(f"const {type_} element = {f.read(image.root)}[{place}];")
                f.line(f"pooled = {combined.format('pooled', 'element')};")
        f.line(f"{f.element(out, i, write=True)} = pooled{finish};")


def _pool_side_by_side(w: Writing, x: Instruction, combined: str, finish: str) -> None:
    """Windows that lie side by side: first down, whole rows at a time, then across, all rows of an image at a time.

    So both loops are long ones over elements that lie together.
    """
    f, image, out, type_ = w.f, w.places[x.operands[0]], w.places[x], ctype(x)
    kh, kw = x.parameters["window"]
    *outer, out_h, out_w = out.shape
    width = out_w * kw
    divided = f.divide(out.shape[0] if outer else 1, 0.2 * kh * kw * x.result.size)
    if out_h * width <= ON_THE_STACK:
        f.line(f"{type_} rows[{out_h * width}];")
    else:
        f.scratch("rows", type_, out_h * width, each=True)

    def pool(texts: list[str]) -> None:
        f.line(f"{type_} pooled = {texts[0]};")
        for k, text in enumerate(texts[1:], 1):
            f.line(f"const {type_} at_{k} = {text};")
            f.line(f"pooled = {combined.format('pooled', f'at_{k}')};")

    down = image.strides[-2]
    with f.loops(outer, outermost=divided if outer else None) as i:
        with f.block(for_("i_y", out_h)), f.block(for_("i_x", width)):
            place = (*i, "i_y", "i_x"), (*image.strides[:-2], kh * down, 1)
            pool([f"{f.read(image.root)}[{offset(*place, image.offset + u * down)}]" for u in range(kh)])
            f.line(f"rows[i_y * {width} + i_x] = pooled;")
        with f.block(for_("i_x", out_h * out_w)):
            pool([f"rows[{offset(('i_x',), (kw,), v)}]" for v in range(kw)])
            f.line(f"{f.write(x)}[{offset((*i, 'i_x'), (*out.strides[:-2], 1))}] = pooled{finish};")


def _max_unpool(w: Writing, x: Instruction) -> None:
    image, pooled = w.places[x.operands[1]], w.places[x.operands[2]]
    _unpooled(w, x, image, pooled, shared=False)


def _max_unpool_shared(w: Writing, x: Instruction) -> None:
    image, pooled = w.places[x.operands[1]], w.places[x.operands[2]]
    _unpooled(w, x, image, pooled, shared=True)


def _unpooled(w: Writing, x: Instruction, image: Place, pooled: Place, shared: bool) -> None:
    f, g, out, type_ = w.f, w.places[x.operands[0]], w.places[x], ctype(x)
    at = layout(x.result.shape, x.parameters["window"], x.parameters["stride"])
    (kh, kw), (sh, sw) = x.parameters["window"], at.stride
    # Images of a batch are divided among threads; the windows of one image may overlap.
    extent = pooled.shape[0] if len(pooled.shape) > 2 else 1
    begin, end = f.divide(extent, 0.4 * kh * kw * x.operands[2].result.size)
    if not at.tiles:
        start, count = f.write(x), f"{x.result.size}"
        if f.parts > 1:
            of_image = x.result.size // extent
            start, count = f"{start} + begin * {of_image}", f"(end - begin) * {of_image}"
        f.line(f"memset({start}, 0, {count} * sizeof({type_}));")
    down, across = image.strides[-2:]
    steps = (*image.strides[:-2], down * sh, across * sw)
    to_down, to_across = out.strides[-2:]
    to = (*out.strides[:-2], to_down * sh, to_across * sw)
    positions = [(u, v) for u in range(kh) for v in range(kw)]
    with f.loops(pooled.shape, outermost=(begin, end) if extent > 1 else None) as i:
        f.line(f"const {ctype(x.operands[2])} highest = {f.element(pooled, i)};")
        f.line(f"{'' if shared else 'const '}{type_} share = {f.element(g, i)};")
        if len(positions) <= 9:
            for u, v in positions:
                element = f"{f.read(image.root)}[{offset(i, steps, image.offset + u * down + v * across)}]"
                f.line(f"const int won{u}{v} = {element} == highest;")
            if shared:
                f.line(f"share /= {' + '.join([f'won{u}{v}' for u, v in positions])};")
            for u, v in positions:
                target = f"{f.write(x)}[{offset(i, to, u * to_down + v * to_across)}]"
                f.line(f"{target} {'=' if at.disjoint else '+='} share * won{u}{v};")
            return
        place = offset((*i, *_within(kh, kw)), (*steps, down, across), image.offset)
        if shared:
            f.line("int tied = 0;")
            with f.loops((kh, kw), "u"):
                f.line(f"tied += {f.read(image.root)}[{place}] == highest;")
            f.line("share /= tied;")
        with f.loops((kh, kw), "u"):
            target = f"{f.write(x)}[{offset((*i, *_within(kh, kw)), (*to, to_down, to_across))}]"
            f.line(f"{target} {'=' if at.disjoint else '+='} share * ({f.read(image.root)}[{place}] == highest);")


def _within(kh: int, kw: int) -> tuple[str, str]:
    """The variables of the loops over a window."""
    return "u0" if kh > 1 else "0", "u1" if kw > 1 else "0"


def _unpool(w: Writing, x: Instruction) -> None:
    f, g, out = w.f, w.places[x.operands[0]], w.places[x]
    at = layout(x.result.shape, x.parameters["window"], x.parameters["stride"])
    f.line(f"memset({f.write(x)}, 0, {x.result.size} * sizeof({ctype(x)}));")
    down, across = out.strides[-2:]
    to = (*out.strides[:-2], down * at.stride[0], across * at.stride[1])
    for won, ((u, v), _) in zip(x.parameters["winners"], at.offsets, strict=True):
        with f.loops(g.shape) as i:
            share = f.element(g, i)
            if isinstance(won, Slot):
                share += f" * {f.element(w.places[x.operands[won.number]], i)}"
            f.line(f"{f.write(x)}[{offset(i, to, u * down + v * across)}] += {share};")


_KERNELS: dict[str, Any] = {
    "avg_pool2d": _avg_pool2d,
    "col2im": _col2im,
    "im2col": _im2col,
    "max_pool2d": _max_pool2d,
    "max_unpool": _max_unpool,
    "max_unpool_shared": _max_unpool_shared,
    "pad": _pad,
    "unpool": _unpool,
}
