"""What occurs in an array, and how often: sets of its elements, which are picked from it, and counts of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_cnn.engine.mutation.versions import index_add
from tinygrad_cnn.engine.primitive import implementations, implements, to_values
from tinygrad_cnn.primitives.arguments import as_array
from tinygrad_cnn.primitives.shaping import laid_out


@implements(np.unique)
def unique(
    ar: Any, return_index: bool = False, return_inverse: bool = False, return_counts: bool = False,
    axis: int | None = None, **how: Any,
) -> Any:  # fmt: skip
    """As `np.unique`: of elements that are equal, the first is picked."""
    of_arrays: Any = np.unique
    plain, places, *more = of_arrays(to_values(ar), True, return_inverse, return_counts, axis, **how)
    found = np.ravel(ar)[places] if axis is None else laid_out(np.take(ar, places, axis), plain)
    if not (return_index or more):
        return found
    return (found, *([places] if return_index else []), *more)


def _of_a_standard(name: str) -> None:
    """np.unique_all and its kin, of the array API standard, which give named tuples of arrays."""
    function = getattr(np, name)

    def kin(x: Any, /) -> Any:
        plain = function(to_values(x))
        return plain._replace(values=np.unique(x, equal_nan=False))

    implementations[function] = kin


for _name in ("unique_all", "unique_counts", "unique_inverse"):
    _of_a_standard(_name)


@implements(np.unique_values)
def unique_values(x: Any, /) -> Any:
    """As `np.unique_values`; its elements are sorted."""
    return np.unique(x, equal_nan=False)


@implements(np.union1d)
def union1d(ar1: Any, ar2: Any) -> Any:
    """As `np.union1d`."""
    return np.unique(np.concatenate([ar1, ar2], axis=None))


@implements(np.intersect1d)
def intersect1d(ar1: Any, ar2: Any, assume_unique: bool = False, return_indices: bool = False) -> Any:
    """As `np.intersect1d`: the elements are those of the first array."""
    values: Any = to_values([ar1, ar2])
    _, first, second = np.intersect1d(values[0], values[1], assume_unique, return_indices=True)
    found = np.ravel(ar1)[first]
    return (found, first, second) if return_indices else found


@implements(np.setdiff1d)
def setdiff1d(ar1: Any, ar2: Any, assume_unique: bool = False) -> Any:
    """As `np.setdiff1d`."""
    elements = np.ravel(ar1) if assume_unique else np.unique(ar1)
    return elements[~np.isin(elements, ar2)]


@implements(np.setxor1d)
def setxor1d(ar1: Any, ar2: Any, assume_unique: bool = False) -> Any:
    """As `np.setxor1d`."""
    parts = [np.ravel(x) if assume_unique else np.unique(x) for x in (ar1, ar2)]
    elements = np.sort(np.concatenate(parts))
    _, count = np.unique(to_values(elements), return_inverse=True, return_counts=True)[1:]
    return np.unique(elements)[count == 1]


# Counts. Elements that weigh something are counted by their weights, to which gradients flow.


@implements(np.bincount)
def bincount(x: Any, /, weights: Any = None, minlength: int = 0) -> Any:
    """As `np.bincount`."""
    x, plain = as_array(to_values(x)), np.bincount(to_values(x), to_values(weights), minlength)
    if to_values(weights) is weights:
        return plain
    return index_add(np.zeros(plain.shape), x, weights.astype(np.float64))


@implements(np.histogram_bin_edges)
def histogram_bin_edges(a: Any, bins: Any = 10, range: Any = None, weights: Any = None) -> Any:
    """As `np.histogram_bin_edges`: without a range, the edges move with the least and the largest element."""
    plain = np.histogram_bin_edges(*to_values([a, bins, range, weights]))
    if np.ndim(bins):
        return bins
    low, high = (np.min(a), np.max(a)) if range is None and np.size(a) else plain[[0, -1]]
    if np.equal(low, high):
        low, high = low - 0.5, high + 0.5
    return np.linspace(low, high, len(plain)).astype(plain.dtype)


@implements(np.histogram)
def histogram(a: Any, bins: Any = 10, range: Any = None, density: Any = None, weights: Any = None) -> Any:
    """As `np.histogram`; its counts are plain numbers, where nothing is weighted and no density asked for."""
    of_arrays: Any = np.histogram
    found, plain = of_arrays(*to_values([a, bins, range]), weights=to_values(weights))
    edges = np.histogram_bin_edges(a, bins, range, weights)
    if to_values(weights) is not weights:
        values = np.ravel(to_values(a))
        within = (values >= plain[0]) & (values <= plain[-1])
        places = np.clip(np.searchsorted(plain, values[within], "right") - 1, 0, len(found) - 1)
        found = index_add(np.zeros(found.shape, found.dtype), places, np.ravel(weights)[within])
    return (found / np.diff(edges).astype(float) / np.sum(found) if density else found), edges


def _several_axes(function: Any) -> Any:
    """A histogram of several axes: its counts and edges are plain arrays."""

    def counted(*args: Any, density: Any = None, weights: Any = None, **keywords: Any) -> Any:
        if density or to_values(weights) is not weights:
            raise NotImplementedError(
                f"np.{function.__name__}: density= and weights= are not supported for Tensors. Use np.histogram, for "
                "one axis"
            )
        values = {name: to_values(x) for name, x in keywords.items()}
        return function(*to_values(args), weights=weights, **values)

    return counted


implementations[np.histogram2d] = _several_axes(np.histogram2d)
implementations[np.histogramdd] = _several_axes(np.histogramdd)
