"""Arrays that are laid out from a few numbers, which may be Tensors: np.linspace and its kin, np.meshgrid, np.ix_."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_cnn.engine.primitive import implements, to_values
from tinygrad_cnn.stand_in import is_known


@implements(np.linspace)
def linspace(
    start: Any, stop: Any, num: int = 50, endpoint: bool = True, retstep: bool = False, dtype: Any = None,
    axis: int = 0, *, device: Any = None,
) -> Any:  # fmt: skip
    """As `np.linspace`."""
    of_arrays: Any = np.linspace
    plain, step = of_arrays(*to_values([start, stop]), num, endpoint, True, dtype, device=device)
    if plain.dtype.kind not in "fc":
        return np.moveaxis(plain, 0, axis), step  # of integers there is no derivative
    start, stop = start * np.ones((), plain.dtype), stop * np.ones((), plain.dtype)
    steps = num - 1 if endpoint else num
    counts = np.arange(num).reshape((num,) + (1,) * (plain.ndim - 1))
    step = (stop - start) / steps if steps > 0 else step
    found = counts.astype(plain.dtype) * (step if steps > 0 else 0 * (stop - start)) + start
    if endpoint and num > 1:
        found = np.where(counts == steps, stop, found)  # to the last digit
    found = np.moveaxis(found, 0, axis)
    return (found, step) if retstep else found


@implements(np.logspace)
def logspace(
    start: Any, stop: Any, num: int = 50, endpoint: bool = True, base: Any = 10.0, dtype: Any = None, axis: int = 0
) -> Any:
    """As `np.logspace`."""
    if np.ndim(base):
        ndim = max(np.ndim(x) for x in (start, stop, base))
        start, stop, base = (np.reshape(x, (1,) * (ndim - np.ndim(x)) + np.shape(x)) for x in (start, stop, base))
        base = np.expand_dims(base, axis)
    found = np.power(base, np.linspace(start, stop, num, endpoint, axis=axis))
    return found if dtype is None else found.astype(dtype)


@implements(np.geomspace)
def geomspace(
    start: Any, stop: Any, num: int = 50, endpoint: bool = True, dtype: Any = None, axis: int = 0
) -> Any:  # fmt: skip
    """As `np.geomspace`."""
    if is_known(np.any(np.equal(start, 0))) or is_known(np.any(np.equal(stop, 0))):
        raise ValueError("Geometric sequence cannot include zero")
    sign = np.sign(start)
    logarithms = np.linspace(np.log(start / sign), np.log(stop / sign), num, endpoint, axis=axis)
    found = np.exp(logarithms) * np.expand_dims(sign, axis)
    return found.astype(np.result_type(found.dtype, np.float64) if dtype is None else dtype)


@implements(np.meshgrid)
def meshgrid(*xi: Any, copy: bool = True, sparse: bool = False, indexing: str = "xy") -> tuple[Any, ...]:
    """As `np.meshgrid`."""
    if indexing not in ("xy", "ij"):
        raise ValueError("Valid values for `indexing` are 'xy' and 'ij'.")
    axes = list(range(len(xi)))
    if indexing == "xy":
        axes[:2] = axes[1::-1]
    grids = [np.reshape(x, [-1 if axis == i else 1 for i in range(len(xi))]) for x, axis in zip(xi, axes, strict=True)]
    if not sparse:
        grids = list(np.broadcast_arrays(*grids))
    return tuple([np.copy(grid, "C") if copy else grid for grid in grids])


@implements(np.ix_)
def ix_(*args: Any) -> tuple[Any, ...]:
    """As `np.ix_`."""
    shapes = [grid.shape for grid in np.ix_(*to_values(args))]  # and NumPy's own errors
    return tuple([np.reshape(x, shape) for x, shape in zip(args, shapes, strict=True)])
