"""Padding, windows and pooling."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tinygrad_cnn.lowering.c.kernels import Kernel
from tinygrad_cnn.lowering.c.places import Place
from tinygrad_cnn.lowering.instructions import Instruction, Slot
from tinygrad_cnn.lowering.javascript.elementwise import number
from tinygrad_cnn.lowering.javascript.kernels import Writing, has_form, is_float, rounded
from tinygrad_cnn.primitives.windows import layout

UNROLLED = 9  # elements of a window that are written one by one


def kernel(x: Instruction, places: dict[Instruction, Place]) -> Kernel | None:
    """The kernel of an operation on windows, if it is one."""
    write = _KERNELS.get(x.operation)
    if write is None or x.function is None or not has_form(x, *x.operands) or any(y not in places for y in x.operands):
        return None
    if x.operation in ("avg_pool2d", "max_unpool", "max_unpool_shared", "unpool", "col2im") and not is_float(
        x, x.operands[0]
    ):
        return None
    return Kernel(x.operation, list(x.operands), lambda w: write(w, x))


def _contiguous(shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple([math.prod(shape[k + 1 :]) for k in range(len(shape))])


def _pad(w: Writing, x: Instruction) -> None:
    f, image, out = w.f, w.places[x.operands[0]], _contiguous(x.result.shape)
    f.line(f"{f.write(x)}.fill({number(x.parameters['constant_values'], x.result.dtype)});")
    start = sum(before * step for (before, _), step in zip(x.parameters["pad_width"], out, strict=True))
    with f.loops(image.shape) as i:
        f.line(f"{f.out(x, i, out, start)} = {f.at(image, i)};")


def _im2col(w: Writing, x: Instruction) -> None:
    f, image = w.f, w.places[x.operands[0]]
    at = layout(image.shape, x.parameters["window"], x.parameters["stride"])
    down, across = image.strides[-2:]
    steps = (*image.strides[:-2], down, across, at.stride[0] * down, at.stride[1] * across)
    with f.loops(at.windows) as i:
        f.line(f"{f.out(x, i, _contiguous(at.windows))} = {f.at(image, i, steps)};")


def _col2im(w: Writing, x: Instruction) -> None:
    f, columns, out = w.f, w.places[x.operands[0]], _contiguous(x.result.shape)
    at = layout(x.result.shape, x.parameters["window"], x.parameters["stride"])
    *outer, kh, kw, _, out_w = at.windows
    batch = columns.strides[0] if len(outer) else 0
    rows, places = columns.strides[-2:]
    channels = (*outer[1:], kh, kw)
    steps = (*((batch,) if outer else ()), *[rows * n for n in _contiguous(channels)], places * out_w, places)
    sums = (*out[:-2], out[-2], out[-1], at.stride[0] * out[-2], at.stride[1] * out[-1])
    f.line(f"{f.write(x)}.fill(0);")
    with f.loops(at.windows) as i:
        f.line(f"{f.out(x, i, sums)} += {f.at(columns, i, steps)};")


def _max_pool2d(w: Writing, x: Instruction) -> None:
    _pool(w, x, "Math.max({0}, {1})")


def _avg_pool2d(w: Writing, x: Instruction) -> None:
    _pool(w, x, "{0} + {1}")


def _pool(w: Writing, x: Instruction, combined: str) -> None:
    f, image, out = w.f, w.places[x.operands[0]], _contiguous(x.result.shape)
    (kh, kw), (sh, sw) = x.parameters["window"], x.parameters["stride"]
    down, across = image.strides[-2:]
    steps = (*image.strides[:-2], down * sh, across * sw)
    finish = "{0}" if x.operation == "max_pool2d" else rounded(f"({{0}}) / {kh * kw}", x)
    with f.loops(x.result.shape) as i:
        if kh * kw <= UNROLLED:
            rows = []
            for u in range(kh):
                elements = [f.at(image, i, steps, u * down + v * across) for v in range(kw)]
                text = elements[0]
                for element in elements[1:]:
                    text = combined.format(text, element)
                f.line(f"const row{u} = {text};")
                rows.append(f"row{u}")
            text = rows[0]
            for row in rows[1:]:
                text = combined.format(text, row)
            f.line(f"{f.out(x, i, out)} = {finish.format(text)};")
            return
        f.line(f"let so_far = {'-Infinity' if x.operation == 'max_pool2d' else '0'};")
        with f.loops((kh, kw), "u") as within:
            f.line(f"so_far = {combined.format('so_far', f.at(image, (*i, *within), (*steps, down, across)))};")
        f.line(f"{f.out(x, i, out)} = {finish.format('so_far')};")


def _max_unpool(w: Writing, x: Instruction) -> None:
    """Each element of a window that is the largest one gets the window's cotangent, or an equal share of it."""
    f, out = w.f, _contiguous(x.result.shape)
    g, image, pooled = [w.places[y] for y in x.operands]
    shared = x.operation == "max_unpool_shared"
    at = layout(x.result.shape, x.parameters["window"], x.parameters["stride"])
    (kh, kw), (sh, sw) = x.parameters["window"], at.stride
    down, across = image.strides[-2:]
    steps, to = (*image.strides[:-2], down * sh, across * sw), (*out[:-2], out[-2] * sh, out[-1] * sw)
    is_set = at.tiles and kh * kw <= UNROLLED
    if not is_set:
        f.line(f"{f.write(x)}.fill(0);")
    with f.loops(pooled.shape) as i:
        f.line(f"const highest = {f.at(pooled, i)};")
        if kh * kw <= UNROLLED:
            positions = [(u, v) for u in range(kh) for v in range(kw)]
            for u, v in positions:
                f.line(f"const won{u}{v} = {f.at(image, i, steps, u * down + v * across)} === highest ? 1 : 0;")
            count = " + ".join([f"won{u}{v}" for u, v in positions])
            share = rounded(f"{f.at(g, i)} / ({count})", x) if shared else f.at(g, i)
            f.line(f"const share = {share};")
            for u, v in positions:
                target = f.out(x, i, to, u * out[-2] + v * out[-1])
                f.line(f"{target} {'=' if is_set else '+='} share * won{u}{v};")
            return
        within = (*steps, down, across)
        if shared:
            f.line("let tied = 0;")
            with f.loops((kh, kw), "u") as place:
                f.line(f"if ({f.at(image, (*i, *place), within)} === highest) tied += 1;")
        f.line(f"const share = {rounded(f.at(g, i) + ' / tied', x) if shared else f.at(g, i)};")
        with f.loops((kh, kw), "u") as place:
            target = f.out(x, (*i, *place), (*to, *out[-2:]))
            f.line(f"{target} += share * ({f.at(image, (*i, *place), within)} === highest ? 1 : 0);")


def _unpool(w: Writing, x: Instruction) -> None:
    f, g, out = w.f, w.places[x.operands[0]], _contiguous(x.result.shape)
    at = layout(x.result.shape, x.parameters["window"], x.parameters["stride"])
    to = (*out[:-2], out[-2] * at.stride[0], out[-1] * at.stride[1])
    f.line(f"{f.write(x)}.fill(0);")
    for won, ((u, v), _) in zip(x.parameters["winners"], at.offsets, strict=True):
        with f.loops(g.shape) as i:
            share = f.at(g, i)
            if isinstance(won, Slot):
                share += f" * {f.at(w.places[x.operands[won.number]], i)}"
            elif won is not True:
                share += f" * {number(np.asarray(won)[()], x.result.dtype)}"
            f.line(f"{f.out(x, i, to, u * out[-2] + v * out[-1])} += {share};")


_KERNELS: dict[str, Any] = {
    "avg_pool2d": _avg_pool2d,
    "col2im": _col2im,
    "im2col": _im2col,
    "max_pool2d": _max_pool2d,
    "max_unpool": _max_unpool,
    "max_unpool_shared": _max_unpool,
    "pad": _pad,
    "unpool": _unpool,
}
