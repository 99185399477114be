"""Convolutions a few images at a time, as the eager engine computes them, where the columns would be large."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tinygrad_cnn.lowering.instructions import Instruction, Listing, same
from tinygrad_cnn.lowering.passes.dead_code import without_dead_code
from tinygrad_cnn.lowering.passes.reading.convolutions import with_convolutions
from tinygrad_cnn.lowering.planned.kernels import Lines, kernel
from tinygrad_cnn.primitives.convolution import (
    AT_A_TIME,
    convolution,
    convolve,
    image_gradient,
    put_back,
    weight_gradient,
)

Array = Any
_NONE = (0, 0)  # the images are padded already


def with_large_convolutions(listing: Listing) -> Listing:
    """The listing with one instruction for each convolution and each gradient of one that has large columns."""
    found = with_convolutions(listing, AT_A_TIME)

    def rewrite(x: Instruction, operands: Any) -> Instruction:
        x = same(x, operands)
        return x.with_(function=_FUNCTIONS[x.operation]) if x.operation in _FUNCTIONS else x

    return without_dead_code(found.rewritten(rewrite))


def _convolution(x: Array, weight: Array, *, stride: Any) -> Array:
    return convolution.forward(x, weight, stride, _NONE)


def _image_gradient(g: Array, weight: Array, *, shape: Any, stride: Any) -> Array:
    return image_gradient.forward(g, weight, shape, stride, _NONE)


def _weight_gradient(g: Array, x: Array, *, shape: Any, stride: Any) -> Array:
    return weight_gradient.forward(g, x, shape[2:], stride, _NONE)


_FUNCTIONS: dict[str, Callable[..., Array]] = {
    "conv2d": _convolution, "conv2d_image_gradient": _image_gradient, "conv2d_kernel_gradient": _weight_gradient,
}  # fmt: skip


@kernel("conv2d")
def _into(lines: Lines, x: Instruction, out: Array, operands: list[Any], scratch: Any) -> None:
    lines.call(convolve, out, *operands, x.parameters["stride"], _NONE)


@kernel("conv2d_image_gradient")
def _image_gradient_into(lines: Lines, x: Instruction, out: Array, operands: list[Any], scratch: Any) -> None:
    lines.call(put_back, out, *operands, x.parameters["stride"], _NONE)


@kernel("conv2d_kernel_gradient")
def _weight_gradient_into(lines: Lines, x: Instruction, out: Array, operands: list[Any], scratch: Any) -> None:
    lines.call(_copied, out, *operands, x.parameters["shape"], x.parameters["stride"])


def _copied(out: Array, g: Array, x: Array, shape: Any, stride: Any) -> None:
    np.copyto(out, _weight_gradient(g, x, shape=shape, stride=stride))
