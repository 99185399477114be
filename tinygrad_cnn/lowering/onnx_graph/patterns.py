"""Passes: what there is an operator for, where the reading passes leave what it is made of.

A convolution in float32 is a `conv2d`, also of images without channels and of a constant kernel; a softmax is one
where it is computed with the largest subtracted.
"""

from __future__ import annotations

import numpy as np

from tinygrad_cnn.lowering.instructions import Instruction, Listing, Origin, Result
from tinygrad_cnn.lowering.passes.reading.convolutions import conv2d
from tinygrad_cnn.lowering.passes.reading.patterns import Made, axes, rewritten
from tinygrad_cnn.lowering.passes.reading.probabilities import softmax


def with_operators(listing: Listing) -> Listing:
    """The listing with `conv2d` and `softmax`."""
    return rewritten(rewritten(listing, _convolution), _softmax)


def _convolution(made: Made, x: Instruction) -> Instruction | None:
    """Of reshape(kernel @ im2col(images)), where the kernel is a matrix with a row for each filter."""
    if x.operation != "reshape" or x.operands[0].operation != "matmul" or x.result.dtype != np.float32:
        return None
    flat, columns = x.operands[0].operands
    if columns.operation != "im2col" or any(y.result.dtype != np.float32 for y in (flat, columns)):
        return None
    (images,), window, stride = columns.operands, columns.parameters["window"], columns.parameters["stride"]
    n, *channels, height, width = images.result.shape if len(images.result.shape) > 2 else (0, 0, 0)
    filters = flat.result.shape[0] if len(flat.result.shape) == 2 else 0
    if not n or len(channels) > 1 or x.result.shape[:-2] != ((n, filters) if channels else (n,)):
        return None
    if not channels and filters != 1:
        return None
    size = tuple([(m - k) // s + 1 for m, k, s in zip((height, width), window, stride, strict=True)])
    if x.result.shape[-2:] != size:
        return None
    channel = images if channels else _with_channel(made, images)
    kernel = _reshaped(
        made, flat.operands[0] if flat.operation == "reshape" else flat, (filters, *(channels or [1]), *window)
    )
    result = Result((n, filters, *size), x.result.dtype)
    out = Instruction("conv2d", (channel, kernel), {"stride": stride}, result, x.operands[0].origin, conv2d)
    if channels:
        return out.with_(origin=x.origin)
    return Instruction("reshape", (made.add(out),), {"shape": x.result.shape}, x.result, x.origin)


def _with_channel(made: Made, images: Instruction) -> Instruction:
    """Images with an axis for a single channel; before they are padded, so that the operator may pad."""
    n, *size = images.result.shape
    if images.operation != "pad":
        return _reshaped(made, images, (n, 1, *size))
    (before,) = images.operands
    inner = _reshaped(made, before, (before.result.shape[0], 1, *before.result.shape[1:]))
    widths = images.parameters["pad_width"]
    parameters = {**images.parameters, "pad_width": (widths[0], (0, 0), *widths[1:])}
    return made.add(
        images.with_(operands=(inner,), parameters=parameters, result=Result((n, 1, *size), np.dtype("f4")))
    )


def _reshaped(made: Made, x: Instruction, shape: tuple[int, ...]) -> Instruction:
    if x.result.shape == shape:
        return x
    origin = Origin(half=x.origin.half, scope=x.origin.scope, line=x.origin.line)
    return made.add(Instruction("reshape", (x,), {"shape": shape}, Result(shape, x.result.dtype), origin))


def _softmax(made: Made, x: Instruction) -> Instruction | None:
    """Of e / sum(e), where e is exp(x - where(isfinite(largest), largest, 0))."""
    if x.operation != "divide" or x.operands[0].operation != "exp" or x.operands[1].operation != "reduce":
        return None
    exps, total = x.operands
    difference = exps.operands[0]
    if total.operands[0] is not exps or total.parameters["ufunc"] != "add" or difference.operation != "subtract":
        return None
    logits, chosen = difference.operands
    if chosen.operation != "where" or chosen.operands[0].operation != "isfinite":
        return None
    largest = chosen.operands[1]
    if largest.operation != "reduce" or largest.parameters["ufunc"] != "maximum" or largest.operands[0] is not logits:
        return None
    along = axes(total)
    if along is None or len(along) != 1 or axes(largest) != along or not total.parameters["keepdims"]:
        return None
    if chosen.operands[0].operands[0] is not largest or not largest.parameters["keepdims"]:
        return None
    return x.with_(operation="softmax", operands=(logits,), parameters={"axis": along[0]}, function=softmax)
