"""Padding around images, as convolution and pooling take it."""

from __future__ import annotations

from typing import Any, Literal

from tinygrad_cnn.primitives.windows import Pair, pair

Sides = tuple[tuple[int, int], tuple[int, int]]  # (above, below), (left, right)
Padding = Literal["same", "valid"] | Pair | Sides


def sides(
    padding: Padding, name: str, size: tuple[int, ...], window: tuple[int, int], stride: tuple[int, int]
) -> Sides:
    """How much is added to an image of `size` on each side; an error begins with `name`.

    "same" adds what makes the result ceil(size / stride) large, as in TensorFlow and JAX: of an odd number the larger
    part goes below and to the right. With stride 1 this is PyTorch's "same" too.
    """
    if type(padding) is int and padding >= 0:
        return (padding, padding), (padding, padding)
    if padding == "valid":
        return (0, 0), (0, 0)
    if padding == "same":
        down, across = (
            max(0, (-(-n // step) - 1) * step + k - n) for n, k, step in zip(size, window, stride, strict=True)
        )
        return (down // 2, down - down // 2), (across // 2, across - across // 2)
    rows: Any = padding
    if isinstance(rows, list | tuple) and len(rows) == 2 and all(isinstance(x, list | tuple) for x in rows):
        return pair(rows[0], f"{name}: padding above and below", 0), pair(rows[1], f"{name}: padding at the sides", 0)
    if isinstance(padding, str):
        raise ValueError(
            f"{name}: padding is {padding!r}; expected 'same', 'valid', an integer, (down, across), or "
            "((above, below), (left, right))"
        )
    down, across = pair(rows, f"{name}: padding", least=0)
    return (down, down), (across, across)
