"""Convolutions of images and of sequences, and the transposed convolution."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np

from tinygrad_cnn import origins
from tinygrad_cnn.engine.graph import Array, Handle, scope
from tinygrad_cnn.engine.primitive import OPERANDS, operand
from tinygrad_cnn.nn.padding import Padding, sides
from tinygrad_cnn.primitives.convolution import by_columns, convolution, image_gradient
from tinygrad_cnn.primitives.windows import Pair, im2col, layout, pair

Two = tuple[int, int]


@scope("conv2d", kind="convolution")
def conv2d(
    x: Array,
    weight: Array,
    bias: Array | None = None,
    stride: Pair = 1,
    padding: Padding = 0,
    dilation: Pair = 1,
    groups: int = 1,
) -> Array:
    """The cross-correlation of images with filters.

    x: (..., channels, height, width), weight: (filters, channels / groups, kh, kw); returns (..., filters, out_h,
    out_w), where out_h = (height + padding above and below - dilation (kh - 1) - 1) // stride + 1. Alternatively, as in
    the article, one channel and one filter: x (batch, height, width), weight (kh, kw); returns (batch, out_h, out_w).
    bias: (filters,), or one number for one filter. stride, dilation: a number, or (down, across).
    padding: a number, (down, across), ((above, below), (left, right)), "valid", which is none, or "same", with which
    out_h = ceil(height / stride). groups: channels and filters are divided into so many groups, and the filters of
    a group take its channels alone. Raises ValueError if the shapes do not fit.

    Source of dilation: F. Yu and V. Koltun, "Multi-scale context aggregation by dilated convolutions", 2016.

    >>> import numpy as np, tinygrad_cnn as tg
    >>> tg.conv2d(np.ones((1, 4, 4)), np.ones((3, 3)), padding=1)
    array([[[4., 6., 6., 4.],
            [6., 9., 9., 6.],
            [6., 9., 9., 6.],
            [4., 6., 6., 4.]]])
    >>> tg.conv2d(np.ones((10, 4, 8, 8)), np.ones((6, 2, 3, 3)), padding="same", dilation=2, groups=2).shape
    (10, 6, 8, 8)
    """
    if not isinstance(x, OPERANDS) or not isinstance(weight, OPERANDS):
        x, weight = operand(x), operand(weight)
    single = len(x.shape) == 3 and len(weight.shape) == 2
    if not single and (len(x.shape) < 3 or len(weight.shape) != 4):
        raise ValueError(
            f"conv2d: x has shape {x.shape} and weight {weight.shape}; expected (..., channels, height, width) and "
            "(filters, channels, kh, kw), or (batch, height, width) and (kh, kw)"
        )
    if type(groups) is not int or groups < 1 or (weight.shape[0] % groups if not single else groups > 1):
        filters = 1 if single else weight.shape[0]
        raise ValueError(f"conv2d: groups is {groups!r}; expected an integer that divides the {filters} filters")
    if not single and x.shape[-3] != weight.shape[1] * groups:
        raise ValueError(
            f"conv2d: x has {x.shape[-3]} channels; expected {weight.shape[1] * groups}, for weight of shape "
            f"{weight.shape}" + (f" and {groups} groups" if groups > 1 else "")
        )
    if bias is not None and np.size(bias) != (1 if single else weight.shape[0]):
        raise ValueError(f"conv2d: bias has shape {np.shape(bias)}; expected one number for each filter")
    steps, apart = pair(stride, "stride"), pair(dilation, "dilation")
    kh, kw = weight.shape[-2:]
    window = (kh - 1) * apart[0] + 1, (kw - 1) * apart[1] + 1
    (above, below), (left, right) = sides(padding, "conv2d", x.shape[-2:], window, steps)
    around = above, left
    if around != (below, right):
        widths = [*[(0, 0)] * (len(x.shape) - 2), (above, below), (left, right)]
        images, x, around = x, np.pad(x, widths), (0, 0)
        if type(x) is np.ndarray and isinstance(weight, Handle):
            x.setflags(write=False)  # so that the graph keeps it without a copy
            origins.note(x, images, "pad", lambda images: np.pad(images, widths))
    if single:
        if apart == (1, 1):
            out = by_columns(x, weight, steps, around)
        else:
            out = _in_groups(x[:, None], weight[None, None], steps, around, apart, 1)[:, 0]
    else:
        images = x if len(x.shape) == 4 else x.reshape(math.prod(x.shape[:-3]), *x.shape[-3:])
        if groups == 1 and apart == (1, 1):
            out = convolution(images, weight, stride=steps, padding=around)
        else:
            out = _in_groups(images, weight, steps, around, apart, groups)
        if images is not x:
            out = out.reshape(*x.shape[:-3], *out.shape[1:])
    if bias is None:
        return out
    return out + np.reshape(bias, (-1, 1, 1))


def _in_groups(x: Array, weight: Array, stride: Two, padding: Two, dilation: Two, groups: int) -> Array:
    """A convolution with dilation or groups: one product of matrices for each image and group."""
    (filters, channels, kh, kw), images = weight.shape, x
    if any(padding):
        x = np.pad(x, [(0, 0), (0, 0), *[(n, n) for n in padding]])
    out_h, out_w = layout(x.shape, ((kh - 1) * dilation[0] + 1, (kw - 1) * dilation[1] + 1), stride).windows[-2:]
    shape = len(x), groups, channels * kh * kw, out_h * out_w
    columns = _columns(x, (kh, kw), stride, dilation).reshape(shape)
    if type(columns) is np.ndarray and isinstance(weight, Handle):
        columns = columns.copy()
        columns.setflags(write=False)
        around = [(0, 0), (0, 0), *[(n, n) for n in padding]]
        again = lambda x: _columns(np.pad(x, around), (kh, kw), stride, dilation).reshape(shape)
        origins.note(columns, images, f"{'pad, ' if any(padding) else ''}im2col", again)
    out = weight.reshape(groups, filters // groups, channels * kh * kw) @ columns
    return out.reshape(len(x), filters, out_h, out_w)


def _columns(x: Array, size: Two, stride: Two, dilation: Two) -> Array:
    """The windows of images as columns: (batch, channels * kh * kw, ...), or (batch, channels, kh * kw, ...)."""
    if dilation == (1, 1):
        return im2col(x, size, stride)
    (kh, kw), (down, across) = size, dilation
    at = layout(x.shape, ((kh - 1) * down + 1, (kw - 1) * across + 1), stride)
    return np.stack([x[place] for (u, v), place in at.offsets if not (u % down or v % across)], axis=2)


@scope("conv1d", kind="convolution")
def conv1d(
    x: Array,
    weight: Array,
    bias: Array | None = None,
    stride: int = 1,
    padding: Literal["same", "valid"] | Pair = 0,
    dilation: int = 1,
    groups: int = 1,
) -> Array:
    """The cross-correlation of sequences with filters.

    x: (..., channels, time), weight: (filters, channels / groups, k), bias: (filters,); returns (..., filters, out),
    where out = (time + padding before and after - dilation (k - 1) - 1) // stride + 1. padding: a number, (before,
    after), "valid" or "same"; the others as in `conv2d`. (dilation (k - 1), 0) makes it causal. Raises ValueError if
    the shapes do not fit.

    >>> import numpy as np, tinygrad_cnn as tg
    >>> tg.nn.conv1d(np.array([[1.0, 2.0, 4.0]]), np.array([[[-1.0, 1.0]]]), padding=(1, 0))
    array([[1., 1., 2.]])
    """
    x, weight = operand(x), operand(weight)
    if np.ndim(x) < 2 or np.ndim(weight) != 3:
        raise ValueError(
            f"conv1d: x has shape {np.shape(x)} and weight {np.shape(weight)}; expected (..., channels, time) and "
            "(filters, channels, k)"
        )
    for name, n in (("stride", stride), ("dilation", dilation)):
        if not isinstance(n, int | np.integer) or n < 1:
            raise ValueError(f"conv1d: {name} is {n!r}; expected an integer of at least 1")
    around: Padding
    if isinstance(padding, str):
        around = padding
    else:
        both = padding if isinstance(padding, tuple | list) else (padding, padding)
        if len(both) != 2 or not all(isinstance(n, int | np.integer) and n >= 0 for n in both):
            raise ValueError(
                f"conv1d: padding is {padding!r}; expected 'same', 'valid', an integer of at least 0, or (before, "
                "after)"
            )
        around = ((0, 0), (int(both[0]), int(both[1])))
    out = conv2d(x[..., None, :], weight[:, :, None], bias, (1, stride), around, (1, dilation), groups)
    return out[..., 0, :]


@scope("conv_transpose2d", kind="convolution")
def conv_transpose2d(
    x: Array,
    weight: Array,
    bias: Array | None = None,
    stride: Pair = 1,
    padding: Pair = 0,
    output_padding: Pair = 0,
    dilation: Pair = 1,
    groups: int = 1,
) -> Array:
    """The transpose of `conv2d` with respect to its images, which enlarges images: every element adds a filter.

    x: (..., channels, height, width), weight: (channels, filters / groups, kh, kw), bias: (filters,); returns (...,
    filters, out_h, out_w), where out_h = (height - 1) stride - 2 padding + dilation (kh - 1) + 1 + output_padding.
    stride, padding, dilation, groups: those of the convolution that it is the transpose of. output_padding: how many
    more rows and columns, fewer than `stride`: the images of as many sizes are convolved to one size. Raises ValueError
    if the shapes do not fit.

    Source: V. Dumoulin and F. Visin, "A guide to convolution arithmetic for deep learning", 2016, chapter 4.

    >>> import numpy as np, tinygrad_cnn as tg
    >>> tg.nn.conv_transpose2d(np.array([[[1.0, 2.0]]]), np.ones((1, 1, 2, 2)), stride=2)
    array([[[1., 1., 2., 2.],
            [1., 1., 2., 2.]]])
    """
    x, weight = operand(x), operand(weight)
    if np.ndim(x) < 3 or np.ndim(weight) != 4 or x.shape[-3] != weight.shape[0]:
        raise ValueError(
            f"conv_transpose2d: x has shape {np.shape(x)} and weight {np.shape(weight)}; expected (..., channels, "
            "height, width) and (channels, filters, kh, kw)"
        )
    if type(groups) is not int or groups < 1 or weight.shape[0] % groups:
        raise ValueError(
            f"conv_transpose2d: groups is {groups!r}; expected an integer that divides the {weight.shape[0]} channels"
        )
    apart = pair(dilation, "conv_transpose2d: dilation")
    if apart != (1, 1):
        weight = _spread(weight, apart)
    filters = weight.shape[1] * groups
    if bias is not None and np.size(bias) != filters:
        raise ValueError(f"conv_transpose2d: bias has shape {np.shape(bias)}; expected one number for each filter")
    steps = pair(stride, "conv_transpose2d: stride")
    around, more = (
        pair(padding, "conv_transpose2d: padding", 0),
        pair(output_padding, "conv_transpose2d: output_padding", 0),
    )
    if more[0] >= steps[0] or more[1] >= steps[1]:
        raise ValueError(
            f"conv_transpose2d: output_padding is {output_padding!r}; expected less than stride, {stride!r}"
        )
    sizes = zip(x.shape[-2:], weight.shape[2:], steps, around, more, strict=True)
    out_h, out_w = ((n - 1) * step - 2 * p + k + extra for n, k, step, p, extra in sizes)
    if out_h < 1 or out_w < 1:
        raise ValueError(
            f"conv_transpose2d: the result would be {out_h} x {out_w}; expected at least one row and one column. "
            f"padding is {padding!r} for a window of {weight.shape[2]} x {weight.shape[3]}"
        )
    batch = math.prod(x.shape[:-3])
    images = x.reshape(batch, *x.shape[-3:])
    shape = (batch, weight.shape[1], out_h, out_w)
    if groups == 1:
        out = image_gradient(images, weight, shape=shape, stride=steps, padding=around)
    else:
        size = weight.shape[0] // groups
        parts = [slice(k * size, (k + 1) * size) for k in range(groups)]
        out = np.concatenate(
            [image_gradient(images[:, p], weight[p], shape=shape, stride=steps, padding=around) for p in parts], axis=1
        )
    out = out.reshape(*x.shape[:-3], filters, out_h, out_w)
    return out if bias is None else out + np.reshape(bias, (-1, 1, 1))


def _spread(weight: Array, dilation: Two) -> Array:
    """Filters with zeros between their elements, whose convolution is that with `dilation`."""
    (*outer, kh, kw), (down, across) = weight.shape, dilation
    zeros = [*[(0, 0)] * 3, (0, down - 1), (0, 0), (0, across - 1)]
    spread = np.pad(weight.reshape(*outer, kh, 1, kw, 1), zeros).reshape(*outer, kh * down, kw * across)
    return spread[..., : (kh - 1) * down + 1, : (kw - 1) * across + 1]
