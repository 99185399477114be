"""Functions that move, repeat or leave out elements, by one rule for them all.

Where an element of the result came from is found by running the same function on numbers that say so: 1, 2, 3, ... for
the elements of one operand, 0 for those of the others. The cotangent is added back there.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from tinygrad_cnn.engine.graph import Array, Handle
from tinygrad_cnn.engine.primitive import Primitive, fixed, implementations, implements, to_values
from tinygrad_cnn.primitives.arguments import axes_of, axis_of, refuse_out, refuse_tensors
from tinygrad_cnn.primitives.indexing import scatter
from tinygrad_cnn.primitives.shaping import laid_out
from tinygrad_cnn.stand_in import StandIn

Run = Callable[..., Array]


def _came_from(position: int, g: Array, out: Array, *arrays: Array, run: Run) -> Array:
    numbers: list[Any] = [np.zeros(np.shape(x), np.intp) for x in arrays]
    shape = numbers[position].shape
    numbers[position] += np.arange(1, numbers[position].size + 1).reshape(shape)
    return scatter(g, (run(*numbers),), (numbers[position].size + 1,))[1:].reshape(shape)


def _moved_numbers(out: Array, *arrays: Array, run: Run) -> list[Array]:
    """Where the elements of `arrays` went, which a condition or an index may decide: numbers in their place."""
    ends = np.cumsum([np.size(x) for x in arrays])
    numbers = [np.arange(end - np.size(x), end).reshape(np.shape(x)) for x, end in zip(arrays, ends, strict=True)]
    return [np.asarray(run(*numbers))]


def rearranging(function: Callable[..., Any], *data: str) -> Callable[..., Any]:
    """Let `function` take Tensors, as one that only moves the elements of its parameters named in `data`.

    Such a parameter may be a list of arrays. All others are static arguments: shapes, indices, conditions.
    """
    signature = inspect.signature(function)
    made: Primitive[..., Array] = Primitive(
        lambda *arrays, run: run(*arrays), function.__name__, moves=True, complex=True, pure=True
    )
    made.defvjp_argnum(_came_from)
    made.defkink(_moved_numbers, lambda *_, **__: np.False_)
    by_flags = function in (np.delete, np.insert)  # these lay out their result by the flags of the operand

    def rearrange(*args: Any, **static_args: Any) -> Any:
        arguments = signature.bind(*args, **static_args).arguments
        refuse_out(function.__name__, arguments.get("out"))
        static_args = {name: _kept(x) for name, x in arguments.items() if name not in data}
        moved = {name: arguments[name] for name in data if name in arguments}
        operands: list[Any] = []
        for x in moved.values():
            operands.extend(x if isinstance(x, list | tuple) else [x])

        traced = next((x for x in static_args.values() if isinstance(x, StandIn)), None)  # such as indices

        def run(*arrays: Any) -> Any:
            rest = iter(arrays if traced is None else [traced.lift(x) for x in arrays])
            return function(**static_args, **{name: _as_given(x, rest) for name, x in moved.items()})

        found = made(*operands, run=run)
        x = operands[0]
        if by_flags and isinstance(x, Handle) and x.node.like.flags.fnc != x.node.value.flags.fnc:
            return laid_out(found, run(x.node.like, *to_values(operands[1:])))
        return found

    implementations[function] = rearrange
    return rearrange


def _kept(x: Any) -> Any:
    """A copy of a static argument that later changes do not affect, with arrays in place of Tensors."""
    return type(x)([_kept(item) for item in x]) if isinstance(x, list | tuple) else fixed(to_values(x))


def _as_given(x: Any, arrays: Iterator[Any]) -> Any:
    """The next of `arrays`, or a list of as many as `x` has."""
    return [next(arrays) for _ in x] if isinstance(x, list | tuple) else next(arrays)


_MOVING: dict[Any, tuple[str, ...]] = {
    np.flip: ("m",), np.fliplr: ("m",), np.flipud: ("m",), np.rot90: ("m",), np.tril: ("m",), np.triu: ("m",),
    np.roll: ("a",), np.repeat: ("a",), np.diagonal: ("a",), np.resize: ("a",), np.take: ("a",), np.compress: ("a",),
    np.diag: ("v",), np.diagflat: ("v",), np.tile: ("A",),
    np.delete: ("arr",), np.extract: ("arr",), np.take_along_axis: ("arr",),
    np.insert: ("arr", "values"), np.append: ("arr", "values"),
    np.choose: ("choices",), np.select: ("choicelist", "default"), np.lib.stride_tricks.sliding_window_view: ("x",),
}  # fmt: skip
for _function, _data in _MOVING.items():
    rearranging(_function, *_data)


def strided(x: Any, first: int, shape: Any, steps: Any) -> Any:
    """As `np.lib.stride_tricks.as_strided`, from an element on, and with strides in elements and not in bytes."""
    return np.lib.stride_tricks.as_strided(x.reshape(-1)[first:], shape, [step * x.itemsize for step in steps])


_strided = rearranging(strided, "x")


def as_strided(x: Any, shape: Any = None, strides: Any = None) -> Any:
    """As `np.lib.stride_tricks.as_strided`, of a Tensor that lies in memory row by row, and within its memory.

    A view may reach elements of what it is a view of, beyond its own.
    """
    root = x if x._view is None else x._view.root
    like, own = root.node.like, x.node.like
    shape = x.shape if shape is None else tuple(np.atleast_1d(shape).tolist())
    strides = own.strides if strides is None else tuple(np.atleast_1d(strides).tolist())
    steps = [stride // like.itemsize for stride in strides]
    ends = [(n - 1) * step for n, step in zip(shape, steps, strict=True)]
    start = (own.ctypes.data - like.ctypes.data) // like.itemsize
    first, last = start + sum(end for end in ends if end < 0), start + sum(end for end in ends if end > 0)
    if not like.flags.c_contiguous or any(stride % like.itemsize for stride in strides):
        raise NotImplementedError(
            f"as_strided: x has strides {like.strides}, and is given {strides}; expected, for Tensors, rows that lie "
            "one behind the other, and multiples of the size of an element. Pass x.copy()"
        )
    if 0 not in shape and (first < 0 or last >= like.size):
        raise ValueError(
            f"as_strided: shape {shape} and strides {strides} reach elements {first} to {last} of x, which has "
            f"{like.size}; expected them to lie in it"
        )
    return _strided(root, start, shape, steps)


@implements(np.trim_zeros)
def trim_zeros(filt: Any, trim: Any = "fb", axis: Any = None) -> Any:
    """As `np.trim_zeros`: what is left is a box, whose corners are elements that are not zero."""
    np.trim_zeros(to_values(filt), trim, axis)  # NumPy's own errors
    found = np.nonzero(to_values(filt))
    axes = axes_of(axis, filt.ndim)
    box = [slice(None)] * filt.ndim
    for i in axes:
        if not found[i].size:
            box[i] = slice(0)
            continue
        box[i] = slice(
            found[i].min() if "f" in trim.lower() else None, found[i].max() + 1 if "b" in trim.lower() else None
        )
    return filt[tuple(box)]


# Padding with elements, or with expressions of them; that with constants is in windows.py.

_pad = rearranging(np.pad, "array")


def pad(x: Any, pad_width: Any, mode: Any, **keywords: Any) -> Any:
    """As `np.pad` in every mode but "constant" and a function's."""
    if callable(mode):
        raise NotImplementedError("np.pad: a function as mode is not supported for Tensors. Use np.concatenate")
    refuse_tensors("pad", keywords)
    odd = keywords.get("reflect_type") == "odd"
    if mode == "empty":
        raise NotImplementedError("np.pad: mode='empty' is not supported for Tensors. Pass mode='constant'")
    if mode in ("edge", "wrap") or (mode in ("reflect", "symmetric") and not odd):
        return _pad(x, pad_width, mode, **keywords)
    np.pad(np.broadcast_to(0.0, x.shape), pad_width, mode, **keywords)  # NumPy's own errors
    if not x.size:  # of such NumPy extends no axis that is empty, and so there is no element in the result either
        return _pad(x, pad_width, "constant")
    widths = _of_each_axis(pad_width, x.ndim)
    extra = _of_each_axis(keywords.get("stat_length", keywords.get("end_values", 0)), x.ndim)
    for axis, ((before, behind), (first, last)) in enumerate(zip(widths, extra, strict=True)):
        rows = np.moveaxis(x, axis, 0)
        if odd:
            rows = _reflected(rows, before, behind, mode == "symmetric")
        elif mode == "linear_ramp":
            rows = np.concatenate([_ramp(first, rows[:1], before), rows, np.flip(_ramp(last, rows[-1:], behind), 0)])
        else:
            reduce: Any = {"mean": np.mean, "maximum": np.max, "minimum": np.min, "median": np.median}[mode]
            head = reduce(rows[: first or None], axis=0, keepdims=True)
            tail = reduce(rows[-last if last else None :], axis=0, keepdims=True)
            rows = np.concatenate([np.repeat(head, before, 0), rows, np.repeat(tail, behind, 0)])
        x = np.moveaxis(rows, 0, axis)
    return x


def _of_each_axis(pairs: Any, ndim: int) -> Any:
    """(before, behind) for each axis, of what `np.pad` takes in their place."""
    if isinstance(pairs, dict):
        width = {axis_of(axis, ndim): pair for axis, pair in pairs.items()}
        return [np.broadcast_to(width.get(axis, 0), 2).tolist() for axis in range(ndim)]
    return np.broadcast_to(0 if pairs is None else pairs, (ndim, 2)).tolist()


def _ramp(end: Any, edge: Any, n: int) -> Any:
    """`n` rows from `end` on towards `edge`, in equal steps."""
    steps = (np.arange(n) / max(n, 1)).astype(edge.dtype).reshape((n,) + (1,) * (edge.ndim - 1))
    return end + (edge - end) * steps


def _reflected(x: Any, before: int, behind: int, edge_twice: bool) -> Any:
    """The rows of `x`, mirrored in the points at both ends again and again: twice is a shift by 2 (end - start)."""
    n = len(x)
    if n == 1 and not edge_twice:
        return np.repeat(x, before + 1 + behind, 0)
    places = np.arange(-before, n + behind)
    period = 2 * n if edge_twice else 2 * (n - 1)
    within = (places >= 0) & (places < n)  # these stay what they are, to the last digit
    times, place = np.divmod(places, period)
    mirrored = place >= n
    place = np.where(mirrored, period - edge_twice - place, place)
    shape = (len(places),) + (1,) * (x.ndim - 1)
    sign = np.where(mirrored, -1, 1).astype(x.dtype).reshape(shape)
    starts, ends = (-2 * times).astype(x.dtype).reshape(shape), (2 * (times + mirrored)).astype(x.dtype).reshape(shape)
    return np.where(within.reshape(shape), x[place], sign * x[place] + starts * x[:1] + ends * x[-1:])
