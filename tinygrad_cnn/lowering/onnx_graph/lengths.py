"""Lengths that follow the batch: found by tracing a function with several batch sizes, and comparing the listings.

What differs from one to another is a length that is linear in the size of the batch, a constant that is made of one,
as numpy.arange(n), or something that a graph for any size cannot have, which is refused.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinygrad_cnn import tree
from tinygrad_cnn.lowering.instructions import Argument, Instruction, Listing, Result, Slot
from tinygrad_cnn.lowering.onnx_graph.refusal import NotInOnnxError, refused
from tinygrad_cnn.lowering.passes import optimised
from tinygrad_cnn.lowering.trace import argument_names, traced


class MismatchError(Exception):
    """What two listings do not have in common."""


@dataclass(frozen=True)
class Length:
    """scale * n + offset, for a batch of n."""

    scale: int
    offset: int

    def __mul__(self, other: Any) -> Length:
        if not isinstance(other, int):
            raise MismatchError("a product of lengths")
        return Length(self.scale * other, self.offset * other)

    __rmul__ = __mul__

    def text(self, n: str) -> str:
        """It in words, where a batch has the length `n`."""
        scaled = n if self.scale == 1 else f"{self.scale}*{n}"
        return scaled if not self.offset else f"{scaled}{self.offset:+}"


@dataclass(frozen=True)
class Ratio:
    """above / n, for a batch of n: as a mean has it."""

    above: float


Size = int | Length


def merged(listings: Sequence[Listing], sizes: Sequence[int]) -> Listing:
    """One listing of those traced with batches of these sizes, with a `Length` for what follows them."""
    first = listings[0]
    new: dict[Instruction, Instruction] = {}
    numbers = [{x: k for k, x in enumerate(listing.instructions)} for listing in listings]
    for k, x in enumerate(first.instructions):
        alike = [listing.instructions[k] if k < len(listing.instructions) else None for listing in listings]
        for y, number, mine in zip(alike, numbers, [numbers[0]] * len(numbers), strict=True):
            if (
                y is None or y.operation != x.operation or _name(y) != _name(x)
                or [number[z] for z in y.operands] != [mine[z] for z in x.operands]
            ):  # fmt: skip
                raise refused(
                    x, "for another size of the batch the function does something else. Save it without batch="
                )
        try:
            new[x] = _merged(x, alike, sizes).with_(operands=tuple([new[y] for y in x.operands]))
        except MismatchError as error:
            raise refused(x, f"{error} depends on the size of the batch. Save it without batch=") from None
    if any(len(listing.instructions) != len(first.instructions) for listing in listings):
        raise refused(x, "for another size of the batch the function does more. Save it without batch=")
    return first.with_(
        instructions=tuple(new.values()),
        arguments=tuple([Argument(a.name, new[a.instruction]) for a in first.arguments]),
        outputs=tuple([new[x] for x in first.outputs]),
    )


def _name(x: Instruction) -> str:
    return getattr(x.function, "__qualname__", str(x.function))


def _merged(x: Instruction, alike: Sequence[Any], sizes: Sequence[int]) -> Instruction:
    results = [y.result for y in alike]
    if any(r.dtype != x.result.dtype or r.kind != x.result.kind for r in results):
        raise MismatchError("a dtype")
    shape = _common([r.shape for r in results], sizes, "a shape")
    result = Result(shape, x.result.dtype, x.result.kind)
    if x.operation in ("constant", "closed_over"):
        return _constant(x, [y.parameters["value"] for y in alike], result, sizes)
    if x.operation == "input":
        return x.with_(result=result)
    if x.operation == "full" and isinstance(x.parameters["value"], float | np.floating):
        value = _number([y.parameters["value"] for y in alike], sizes)
        return x.with_(result=result, parameters={**x.parameters, "value": value, "shape": shape})
    return x.with_(result=result, parameters=_common([y.parameters for y in alike], sizes, "a parameter"))


def _constant(x: Instruction, values: Sequence[Any], result: Result, sizes: Sequence[int]) -> Instruction:
    first = values[0]
    if isinstance(first, int) and not isinstance(first, bool):
        length = _common(values, sizes, "a number")
        return x if isinstance(length, int) else x.with_(operation="length", parameters={"length": length})
    if all(_same(first, value) for value in values):
        return x
    if isinstance(first, float | np.floating):
        return x.with_(operation="full", parameters={"value": _number(values, sizes), "shape": ()})
    if isinstance(first, np.ndarray) and first.ndim:
        if all(_same(value, np.arange(value.size, dtype=value.dtype)) for value in values):
            return x.with_(operation="arange", parameters={"length": result.shape[0]}, result=result)
        if all(value.size and _same(value, np.full_like(value, first.flat[0])) for value in values):
            filled = {"shape": result.shape, "value": first.flat[0], "dtype": first.dtype}
            return x.with_(operation="full", parameters=filled, result=result)
    raise MismatchError(f"a constant of shape {np.shape(first)}")


def _number(values: Sequence[Any], sizes: Sequence[int]) -> Any:
    """A number that all are, or that is one over the size of the batch, or that size."""
    first, kind = values[0], np.asarray(values[0]).dtype.type
    if all(_same(first, value) for value in values):
        return first
    above = float(first) * sizes[0]
    for rounded in (kind, np.float32):  # a Python number may have been rounded to single precision before
        for whole in (above, float(rounded(above))):
            if all(value == rounded(whole / n) for value, n in zip(values, sizes, strict=True)):
                return Ratio(whole)
    if all(float(value).is_integer() for value in values):
        return _common([int(value) for value in values], sizes, f"the number {first}")
    raise MismatchError(f"the number {first}")


def _same(a: Any, b: Any) -> bool:
    a, b = np.asarray(a), np.asarray(b)
    return bool(a.shape == b.shape and a.dtype == b.dtype and a.tobytes() == b.tobytes())


def _common(values: Sequence[Any], sizes: Sequence[int], what: str) -> Any:
    """What values have in common, with a Length where they are numbers that follow the sizes."""
    first = values[0]
    if any(type(value) is not type(first) for value in values):
        raise MismatchError(what)
    if isinstance(first, Slot | str | type(None)) or callable(first):
        if not callable(first) and any(value != first for value in values):
            raise MismatchError(what)
        return first
    if isinstance(first, dict):
        if any(value.keys() != first.keys() for value in values):
            raise MismatchError(what)
        return {key: _common([value[key] for value in values], sizes, what) for key in first}
    if isinstance(first, list | tuple):
        if any(len(value) != len(first) for value in values):
            raise MismatchError(what)
        return type(first)([_common(items, sizes, what) for items in zip(*values, strict=True)])
    if isinstance(first, slice):
        return slice(*[_common([getattr(v, end) for v in values], sizes, what) for end in ("start", "stop", "step")])
    if isinstance(first, np.ndarray):
        if not all(_same(first, value) for value in values):
            raise MismatchError("an index" if first.dtype.kind in "iub" else what)
        return first
    if all(value is first or value == first or _same(value, first) for value in values):
        return first
    if isinstance(first, int) and not isinstance(first, bool):
        scale, rest = divmod(values[1] - first, sizes[1] - sizes[0])
        length = Length(scale, first - scale * sizes[0])
        if not rest and all(length.scale * n + length.offset == v for v, n in zip(values, sizes, strict=True)):
            return length
    raise MismatchError(what)


def at_sizes(function: Callable[..., Any], listing: Listing, count: int = 3) -> tuple[list[Listing], list[int]]:
    """The function traced with batches of other sizes too, of which the first is the listing's own; and the sizes.

    The batch is the first axis of arguments that are arrays by themselves: see `batched_arguments`.
    """
    axes, n = batched_arguments(listing)
    lengths = {m for a in listing.arguments for m in a.instruction.result.shape}
    sizes = [n, *itertools.islice((m for m in itertools.count(n + 1) if m not in lengths), count - 1)]
    listings = [listing]
    for size in sizes[1:]:
        leaves = [_resized(a, size if a.name in axes else None) for a in listing.arguments[: listing.given]]
        given = _with_leaves(listing.signature, leaves)
        names = argument_names(function, len(given))
        same = next((k for k, (a, b) in enumerate(zip(names, given, strict=True)) if a != b), len(given))
        values = list(given.values())
        try:
            with np.errstate(all="ignore"):
                again = traced(function, tuple(values[:same]), dict(list(given.items())[same:]))
        except Exception as error:
            raise NotInOnnxError(
                f"program: the function takes no batch of another length than {n}: for one of {size} it raises "
                f"{type(error).__name__}: {error}. Save it without batch="
            ) from None
        listings.append(optimised(again))
    return listings, sizes


def batched_arguments(listing: Listing) -> tuple[list[str], int]:
    """The arguments whose first axis is the batch, and its length.

    See `Listing.batch`; arrays by themselves of one axis and that length are of the batch as well.
    """
    if listing.draws:
        raise NotInOnnxError("program: batch= is not for a program that draws random numbers. Pass them as an argument")
    found = listing.batch()
    if found is None:
        raise NotInOnnxError(
            "program: cannot tell which length is the batch's; expected an argument that is an array (batch, ...), "
            "with a batch of at least 2 and of no length that another axis has. Trace it with such a batch"
        )
    _, n = found
    shapes = {
        name: listing.arguments[k].instruction.result.shape for name, k in listing.signature.items() if type(k) is int
    }
    return [name for name, shape in shapes.items() if shape[:1] == (n,)], n


def _with_leaves(signature: dict[str, Any], leaves: Sequence[Any]) -> dict[str, Any]:
    flat = tree.flatten(signature)
    rebuilt: dict[str, Any] = flat.rebuild([leaves[x] if type(x) is int else x for x in flat.leaves])
    return rebuilt


def _resized(argument: Argument, size: int | None) -> Any:
    result = argument.instruction.result
    if result.kind == "array":
        return np.ones(result.shape if size is None else (size, *result.shape[1:]), result.dtype)
    return result.dtype.type(1) if result.kind == "scalar" else result.dtype.type(1).item()
