"""Convolution of images with channels, and its two gradients, each of which is a few instructions around im2col.

    conv2d                   kernel.reshape(filters, -1) @ im2col(x), as images
    conv2d_kernel_gradient   (g @ im2col(x).mT).sum(axis=0), in the shape of the kernel
    conv2d_image_gradient    col2im(kernel.reshape(filters, -1).T @ g)

They compute what the instructions do, to the last bit; the columns of im2col are made twice. Images without channels
keep their columns, as in the article, whose im2col is a step of its own.
"""

from __future__ import annotations

from typing import Any

from tinygrad_cnn.lowering.instructions import Instruction, Listing
from tinygrad_cnn.lowering.passes.reading.patterns import Made, axes, is_sum, rewritten
from tinygrad_cnn.primitives.windows import col2im, im2col

Array = Any
Size = tuple[int, ...]
Stride = tuple[int, int]


def with_convolutions(listing: Listing, least: int = 0) -> Listing:
    """The listing with convolutions in place of what they are made of.

    least: only those whose columns have at least so many bytes.
    """

    def rewrite(made: Made, x: Instruction) -> Instruction | None:
        found = _rewrite(made, x)
        return found if found is None or not least or _bytes_of_columns(found) >= least else None

    return rewritten(listing, rewrite)


def _bytes_of_columns(x: Instruction) -> int:
    """Of a convolution, or of a gradient of one."""
    images_or_g, other = x.operands
    kernel, out = {
        "conv2d": (other, x), "conv2d_kernel_gradient": (x, images_or_g), "conv2d_image_gradient": (other, images_or_g),
    }[x.operation]  # fmt: skip
    filters = max(kernel.result.shape[0], 1)
    return int((kernel.result.size // filters) * (out.result.size // filters) * x.result.dtype.itemsize)


def _rewrite(made: Made, x: Instruction) -> Instruction | None:
    if x.operation == "reshape":
        return _forward(x) or _of_kernel(x)
    return _of_image(x) if x.operation == "col2im" else None


def _columns(x: Instruction) -> Instruction | None:
    """The images whose columns `x` is."""
    return x.operands[0] if x.operation == "im2col" and len(x.operands[0].result.shape) == 4 else None


def _flat_kernel(x: Instruction) -> Instruction | None:
    """The kernel (filters, channels, kh, kw) that `x` has as (filters, channels * kh * kw)."""
    if x.operation != "reshape" or len(x.result.shape) != 2 or len(x.operands[0].result.shape) != 4:
        return None
    kernel = x.operands[0]
    return kernel if kernel.result.shape[0] == x.result.shape[0] else None


def _flat_images(x: Instruction) -> Instruction | None:
    """The images (batch, filters, height, width) that `x` has as (batch, filters, height * width)."""
    if x.operation != "reshape" or len(x.result.shape) != 3 or len(x.operands[0].result.shape) != 4:
        return None
    images = x.operands[0]
    return images if images.result.shape[:2] == x.result.shape[:2] else None


def _sizes(images: Size, window: Size, stride: Size) -> Size:
    return tuple([(n - w) // s + 1 for n, w, s in zip(images[-2:], window, stride, strict=True)])


def _forward(x: Instruction) -> Instruction | None:
    (product,) = x.operands
    if product.operation != "matmul" or len(x.result.shape) != 4:
        return None
    kernel, images = _flat_kernel(product.operands[0]), _columns(product.operands[1])
    if kernel is None or images is None:
        return None
    window, stride = product.operands[1].parameters["window"], product.operands[1].parameters["stride"]
    if kernel.result.shape[-2:] != window or x.result.shape[2:] != _sizes(images.result.shape, window, stride):
        return None
    return _idiom(x, conv2d, (images, kernel), stride=stride)


def _of_kernel(x: Instruction) -> Instruction | None:
    (total,) = x.operands
    if not is_sum(total) or axes(total) != (0,) or total.parameters["keepdims"]:
        return None
    product = total.operands[0]
    if product.operation != "matmul" or product.operands[1].operation != "transpose":
        return None
    flipped, g = product.operands[1], _flat_images(product.operands[0])
    columns = flipped.operands[0]
    images = _columns(columns)
    if g is None or images is None or flipped.parameters["axes"] != (0, 2, 1):
        return None
    window = columns.parameters["window"]
    if x.result.shape != (g.result.shape[1], images.result.shape[1], *window):
        return None
    return _idiom(x, conv2d_kernel_gradient, (g, images), shape=x.result.shape, stride=columns.parameters["stride"])


def _of_image(x: Instruction) -> Instruction | None:
    (product,) = x.operands
    if product.operation != "matmul" or product.operands[0].operation != "transpose" or len(x.result.shape) != 4:
        return None
    flipped, g = product.operands[0], _flat_images(product.operands[1])
    kernel = _flat_kernel(flipped.operands[0])
    if kernel is None or g is None or flipped.parameters["axes"] != (1, 0):
        return None
    stride, window = x.parameters["stride"], x.parameters["window"]
    if kernel.result.shape[1:] != (x.result.shape[1], *window):
        return None
    if g.result.shape[2:] != _sizes(x.result.shape, window, stride):
        return None
    return _idiom(x, conv2d_image_gradient, (g, kernel), shape=x.result.shape, stride=stride)


def _idiom(x: Instruction, function: Any, operands: tuple[Instruction, ...], **parameters: Any) -> Instruction:
    return x.with_(operation=function.__name__, operands=operands, parameters=parameters, function=function)


def conv2d(x: Array, kernel: Array, *, stride: Stride) -> Array:
    """The cross-correlation of images with a kernel, as the layer computes it."""
    columns = im2col.forward(x, window=kernel.shape[-2:], stride=stride)
    out = kernel.reshape(len(kernel), -1) @ columns
    return out.reshape(*out.shape[:2], *_sizes(x.shape, kernel.shape[-2:], stride))


def conv2d_kernel_gradient(g: Array, x: Array, *, shape: Size, stride: Stride) -> Array:
    """The cotangent of the kernel, from that of the result."""
    columns = im2col.forward(x, window=(shape[-2], shape[-1]), stride=stride)
    return (_flattened(g) @ columns.mT).sum(axis=0).reshape(shape)


def conv2d_image_gradient(g: Array, kernel: Array, *, shape: Size, stride: Stride) -> Array:
    """The cotangent of the images, from that of the result."""
    columns = kernel.reshape(len(kernel), -1).T @ _flattened(g)
    return col2im.forward(columns, shape=shape, window=kernel.shape[-2:], stride=stride)


def _flattened(g: Array) -> Array:
    return g.reshape(*g.shape[:2], g.shape[2] * g.shape[3])
