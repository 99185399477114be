"""A listing, run for many examples at once: each instruction by its batching rule, or once if it is the same for all.

As the rules are NumPy, the values may be traced themselves: so the batched listing is what `tg.program` records.
A function that is composed of others is taken apart as the engine does it to differentiate: it is recorded anew, on one
example, and that listing is run.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator, Sequence
from contextvars import ContextVar
from typing import Any

import numpy as np

from tinygrad_cnn.engine.primitive import Primitive, implementations
from tinygrad_cnn.engine.tensor import leaf_on
from tinygrad_cnn.lowering.batching import calls, primitives, rules
from tinygrad_cnn.lowering.batching.sums import Sums
from tinygrad_cnn.lowering.batching.values import Batched, elementwise, for_each, is_batched
from tinygrad_cnn.lowering.instructions import Instruction, Listing, filled, slots
from tinygrad_cnn.lowering.operations import run
from tinygrad_cnn.lowering.passes.canonical import canonical
from tinygrad_cnn.lowering.passes.dead_code import without_dead_code
from tinygrad_cnn.lowering.recorder import TracingError, current
from tinygrad_cnn.lowering.trace import traced_once
from tinygrad_cnn.lowering.traced import primitives as opaque
from tinygrad_cnn.stand_in import StandIn

_ARRAYS = (np.ndarray, np.generic)
# The functions that are being taken apart.
_apart: ContextVar[tuple[Any, ...]] = ContextVar("apart", default=())


def batched(listing: Listing, n: int, leaves: Sequence[Any], summed: Sequence[int] = ()) -> list[Any]:
    """The outputs for `n` examples, from values of the arguments that are `Batched`, or the same for all examples.

    summed: the places of outputs that are summed over all examples
    """
    values: dict[Instruction, Any] = {
        argument.instruction: leaf for argument, leaf in zip(listing.arguments, leaves, strict=True)
    }
    sums = Sums(listing, summed)
    for x in listing.instructions:
        if x.operation in ("constant", "closed_over", "outside", "captured"):
            values[x] = x.parameters["value"]
        elif x.operation != "input" and x not in sums.later:
            values[x] = _run(x, n, [values[operand] for operand in x.operands])
    found = [values.get(x) for x in listing.outputs]
    for k in summed:
        found[k] = sums.of(listing.outputs[k], n, values, _run)
    return found


def _run(x: Instruction, n: int, operands: list[Any]) -> Any:
    taken = len(operands) - len(slots(x.parameters))
    among = [y.value if is_batched(y) else y for y in operands]
    if (like := next((y for y in among if isinstance(y, StandIn)), None)) is not None:
        operands = [*[_lifted(y, like) for y in operands[:taken]], *operands[taken:]]
    primitive = opaque.get(x.function)
    given = filled(x.parameters, operands)
    if not any(map(is_batched, operands)):
        return run(x, operands) if primitive is None else primitive(*operands[:taken], **given)
    try:
        with _origin_of(x):
            return Batched(_by_rule(x, primitive, n, operands[:taken], given, operands))
    except NotImplementedError as error:
        raise _lacking(x, str(error)) from error


@contextlib.contextmanager
def _origin_of(x: Instruction) -> Iterator[None]:
    """A context in which what a trace around records is from where `x` is from; the last has the name of `x`."""
    recorder = current.get()
    before = 0 if recorder is None else len(recorder.instructions)
    yield
    if recorder is not None and recorder.named:
        unnamed = dataclasses.replace(x.origin, name=None)
        for made in recorder.instructions[before:]:
            recorder.carried[made] = x.origin if made is recorder.instructions[-1] else unnamed


def _lifted(x: Any, like: StandIn) -> Any:
    """`x` as what is traced, as `like` is."""
    if isinstance(x, tuple):
        return x
    return Batched(like.lift(x.value)) if is_batched(x) and not isinstance(x.value, tuple) else like.lift(x)


def _by_rule(
    x: Instruction, primitive: Any, n: int, operands: list[Any], given: dict[str, Any], slotted: list[Any]
) -> Any:
    if x.operation == "call":
        rule = calls.rule_of(x.function)
        return _by_parts(x, n, slotted) if rule is None else rule(n, *given["args"], **given["keywords"])
    if primitive is not None:
        rule = primitives.rule_of(primitive, x.operation)
    elif x.operation == "masked":
        rule = elementwise(x.function)
    else:
        rule = rules.rule_of(x.operation)
    if rule is None:
        raise NotImplementedError("")
    return rule(n, *operands, **given)


def _by_parts(x: Instruction, n: int, operands: list[Any]) -> Any:
    """The result of a call of a function that is composed of others."""
    composed = implementations.get(x.function)
    if composed is None or isinstance(composed, Primitive) or x.function in _apart.get():
        raise NotImplementedError("")

    def call(*operands: Any) -> Any:
        tensors = [leaf_on(y, None) if isinstance(y, _ARRAYS) and y.dtype.kind in "fc" else y for y in operands]
        given = filled(x.parameters, tensors)
        return composed(*given["args"], **given["keywords"])

    token = _apart.set((*_apart.get(), x.function))
    try:
        with np.errstate(all="ignore"):  # of one example
            listing = traced_once(call, tuple(map(example_of, operands)), {}, named=False)
        found = batched(without_dead_code(canonical(listing)), n, operands)
    except (NotImplementedError, TracingError) as error:
        raise NotImplementedError("") from error
    finally:
        _apart.reset(token)
    values = [for_each(y, n) for y in found]
    return tuple(values) if x.result.kind == "tuple" else values[0]


def example_of(x: Any) -> Any:
    """The value of one example: of an empty batch, zeros."""
    if not is_batched(x):
        return x.example if isinstance(x, StandIn) else x
    values = x.value.example if isinstance(x.value, StandIn) else x.value
    return values[0] if len(values) else np.zeros(values.shape[1:], values.dtype)[()]


def _lacking(x: Instruction, what: str) -> NotImplementedError:
    """The error for an instruction that has no batching rule."""
    function = x.function
    if not what:
        what = x.operation
        if what == "call":
            module = getattr(function, "__module__", None) or "numpy"
            what = f"{module}.{function.__name__}".replace("numpy", "np", 1)
    return NotImplementedError(
        f"vmap: there is no batching rule for {what} ({x.origin.line}); expected operations that have one. Compute it "
        "with others, or one example at a time: np.stack([f(x) for x in xs])"
    )
