"""A pass: what ONNX has no operator for, as what it is composed of.

What composes it is NumPy, which is traced as a user's function is: a function of `elementary.py` or of `rearranged.py`,
else what the engine composes a NumPy function of, to differentiate it. An expansion is expanded again, until all of it
has operators; a function that is named in its own expansion stands there for the operator.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tinygrad_cnn.engine.tensor import Tensor
from tinygrad_cnn.lowering.instructions import Instruction, Listing, Origin, Result, Slot, filled, same, slots
from tinygrad_cnn.lowering.onnx_graph import elementary, rearranged
from tinygrad_cnn.lowering.onnx_graph.operators import computed_in, has_operator
from tinygrad_cnn.lowering.onnx_graph.refusal import NotInOnnxError, refused
from tinygrad_cnn.lowering.operations import ufunc_of
from tinygrad_cnn.lowering.passes import optimised
from tinygrad_cnn.lowering.recorder import TracingError
from tinygrad_cnn.lowering.trace import traced

Composition = Callable[..., Any]

# Of a ufunc or an opaque primitive, by its name.
COMPOSED: dict[str, Composition] = {
    name.rstrip("_"): function
    for source, names in (
        (
            elementary,
            "isfinite signbit copysign trunc modf heaviside fmax fmin remainder floor_divide divmod_ left_shift "
            "right_shift ldexp hypot cbrt log1p expm1 exp2 log2 log10 logaddexp logaddexp2 sigmoid sinh cosh arcsinh "
            "arccosh arctanh tan arctan arcsin arccos arctan2 sinc_derivative i0_derivative erfc",
        ),
        (
            rearranged,
            "im2col col2im conv2d conv2d_kernel_gradient conv2d_image_gradient avg_pool2d max_pool2d max_unpool "
            "max_unpool_shared unpool larger masked labels_in_range at_least_one vecdot matvec vecmat",
        ),
    )
    for name in names.split()
    for function in [getattr(source, name)]
}
OF_INTEGERS: dict[str, Composition] = {
    "floor_divide": elementary.floor_divide_integers,
    "remainder": elementary.remainder_integers,
    "fmod": elementary.fmod_integers,
}
# Of a function of NumPy's.
CALLS: dict[Any, Composition] = {
    np.sinc: elementary.sinc, np.i0: elementary.i0,
    np.argsort: rearranged.argsort, np.sort: rearranged.sort, np.partition: rearranged.partition,
    np.argpartition: rearranged.argpartition, np.searchsorted: rearranged.searchsorted, np.take: rearranged.take,
    np.clip: rearranged.clip, np.flip: rearranged.flip, np.convolve: rearranged.convolve,
    np.correlate: rearranged.correlate, np.outer: rearranged.outer_product, np.dot: rearranged.dot,
    np.mean: rearranged.mean_where, np.stack: rearranged.stack, np.concatenate: rearranged.concatenate,
    np.tril: rearranged.triangle(np.tril), np.triu: rearranged.triangle(np.triu),
    np.cumsum: rearranged.running(np.add, None), np.cumprod: rearranged.running(np.multiply, None),
    np.full_like: rearranged.full_like,
    **{f: rearranged.statistic(f, False) for f in (np.median, np.quantile, np.percentile)},
    **{f: rearranged.statistic(f, True) for f in (np.nanmedian, np.nanquantile)},
    np.nanpercentile: rearranged.nanpercentile,
    **{f: rearranged.moved(f) for f in (np.diagonal, np.diag, np.roll, np.repeat, np.tile, np.rot90, np.resize,
                                        np.delete, np.diagflat, np.fliplr, np.flipud, np.insert, np.compress,
                                        np.reshape, np.ravel, np.pad)},
    np.append: rearranged.append, np.select: rearranged.select, np.choose: rearranged.choose,
    np.unwrap: rearranged.unwrap,
}  # fmt: skip
METHODS = {"accumulate": rearranged.running, "reduceat": rearranged.reduceat, "outer": rearranged.outer}


def expanded(listing: Listing) -> Listing:
    """The listing with all expansions. Raises NotInOnnxError for what has neither an operator nor one."""
    return _expanded(listing, frozenset(), {})


def _expanded(listing: Listing, within: frozenset[Any], parts: dict[Instruction, list[Instruction]]) -> Listing:
    """`within`: what it is the expansion of, for which the operators stand in it. parts: those of a tuple."""

    def rewrite(x: Instruction, operands: Sequence[Instruction]) -> Any:
        if x.operation == "item" and operands[0] in parts:
            return parts[operands[0]][x.parameters["number"]]
        return composed(same(x, operands))

    def composed(x: Instruction) -> Any:
        if x.operation == "call" and isinstance(x.function, np.ufunc):
            numbers, plain = _plain(x)
            made = composed(plain) if plain is not x else x
            return (
                [*numbers, *(made if isinstance(made, list) else [made])]
                if plain is not x
                else _spliced(x, within, parts)
            )
        if x.operation in ("input", "constant", "closed_over") or has_operator(x, _key(x) in within):
            return x
        if x.result.dtype is not None and x.result.dtype.kind not in "fiub":
            raise refused(x, f"ONNX has no operators for {x.result.dtype}")
        casts, x = _in_one_dtype(x)
        made = _spliced(x, within, parts)
        return [*casts, *(made if isinstance(made, list) else [made])]

    return listing.rewritten(rewrite)


def _plain(x: Instruction) -> tuple[list[Instruction], Instruction]:
    """The call of a ufunc as an operation of its own, and the constants that are operands of it."""
    if ufunc_of(x.function.__name__) is not x.function or x.parameters["keywords"]:
        return [], x
    numbers: list[Instruction] = []
    operands = []
    for argument in x.parameters["args"]:
        if isinstance(argument, Slot):
            operands.append(x.operands[argument.number])
        else:
            numbers.append(Instruction("constant", (), {"value": argument}, Result.of(argument), x.origin))
            operands.append(numbers[-1])
    name = x.function.__name__
    return numbers, x.with_(operation=name, operands=tuple(operands), parameters={}, function=None)


def _cast(x: Instruction, result: Result, origin: Origin) -> list[Instruction]:
    """Instructions that make `x` one of another dtype or kind; of a Python number, by way of NumPy's."""
    first = []
    if x.result.kind == "number":
        x = Instruction("scalar", (x,), {}, Result((), x.result.dtype, "scalar"), origin)
        first = [x]
    return [*first, Instruction("astype", (x,), {"dtype": result.dtype}, result, origin)]


def _in_one_dtype(x: Instruction) -> tuple[list[Instruction], Instruction]:
    """A ufunc of operands that are cast to the dtypes that NumPy computes it in, and the casts."""
    if x.operation in OF_INTEGERS or ufunc_of(x.operation) is None:
        return [], x
    origin = Origin(half=x.origin.half, scope=x.origin.scope, line=x.origin.line)
    casts: list[Instruction] = []
    operands = []
    for y, dtype in zip(x.operands, computed_in(x), strict=False):
        if y.result.dtype == dtype and y.result.kind != "number":
            operands.append(y)
            continue
        casts += _cast(y, Result(y.result.shape, dtype, "array"), origin)
        operands.append(casts[-1])
    return casts, x.with_(operands=tuple(operands))


def _key(x: Instruction) -> Any:
    return x.function if x.operation == "call" else x.operation


def _spliced(x: Instruction, within: frozenset[Any], parts: dict[Instruction, list[Instruction]]) -> Any:
    """The instructions that `x` is composed of."""
    expansion = _expanded(_expansion(x, within), within | {_key(x)}, parts)
    given = dict(zip([a.instruction for a in expansion.arguments], x.operands, strict=True))
    new: dict[Instruction, Instruction] = {}
    made: list[Instruction] = []
    base = (x.origin.name or x.origin.local or x.operation).split(".")[0]
    for y in expansion.instructions:
        if y in given:
            new[y] = given[y]
            continue
        own = Origin(None, f"{base}.{y.operation}", None, x.origin.of, x.origin.half, x.origin.scope, x.origin.line)
        new[y] = y.with_(operands=tuple([new[z] for z in y.operands]), origin=own)
        made.append(new[y])
        if y in parts:
            parts[new[y]] = [new.get(z, z) for z in parts[y]]
    outputs = [new[y] for y in expansion.outputs]
    if x.result.kind == "tuple":
        whole = x.with_(operation="tuple", operands=tuple(outputs), parameters={}, function=None)
        parts[whole] = outputs
        return [*made, whole]
    (out,) = outputs
    if out.result.shape != x.result.shape:
        raise refused(x, f"what it is composed of has shape {out.result.shape} in place of {x.result.shape}")
    # The last instruction stands for `x`: its name, kind and dtype are those of `x`.
    if out.result.dtype != x.result.dtype or out not in made or out.result.kind != x.result.kind:
        return [*made, *_cast(out, x.result, x.origin)]
    last = out.with_(origin=x.origin)
    return [*[y for y in made if y is not out], last] if made[-1] is out else [*made, _same_as(last, out)]


def _same_as(x: Instruction, y: Instruction) -> Instruction:
    return Instruction("positive", (y,), {}, x.result, x.origin)


def _expansion(x: Instruction, within: frozenset[Any]) -> Listing:
    own = len(x.operands) - len(slots(x.parameters))
    composition = composition_of(x)

    def composed(*operands: Any) -> Any:
        assert composition is not None
        given = filled(x.parameters, operands)
        if x.operation == "call":
            return composition(*given["args"], **given["keywords"])
        return composition(*operands[:own], **given)

    def of_tensors(*operands: Any) -> Any:
        """What the engine composes the function of."""
        given = filled(x.parameters, [Tensor(y) if y.dtype.kind == "f" else y for y in operands])
        return x.function(*given["args"], **given["keywords"])

    if composition is None and (x.operation != "call" or x.function in within):
        raise refused(x, "it has no operator, and is not composed of those that there are")
    examples = [_example(y.result) for y in x.operands]
    try:
        with np.errstate(all="ignore"):
            listing = traced(composed if composition is not None else of_tensors, tuple(examples), {}, named=False)
    except NotInOnnxError:
        raise
    except np.linalg.LinAlgError:
        raise refused(x, "ONNX has no linear algebra but products") from None
    except (NotImplementedError, TracingError, TypeError, ValueError) as error:
        raise refused(x, str(error).splitlines()[0].removeprefix("program: ")) from None
    return optimised(listing)


def composition_of(x: Instruction) -> Composition | None:
    """What composes `x`, or None."""
    if x.operation == "call":
        ufunc = getattr(x.function, "__self__", None)
        if isinstance(ufunc, np.ufunc):
            of = METHODS.get(x.function.__name__)
            return of(ufunc) if of is not None and ufunc_of(ufunc.__name__) is ufunc else None
        if x.function is np.pad and not rearranged.is_moving_pad(*x.parameters["args"], **x.parameters["keywords"]):
            return None  # the engine composes it
        try:
            return CALLS.get(x.function)
        except TypeError:
            return None
    if x.operation == "reduce":
        return reduced
    if x.operation in OF_INTEGERS and x.result.dtype.kind in "iub":
        return OF_INTEGERS[x.operation]
    return COMPOSED.get(x.operation)


def reduced(
    x: Any, *, ufunc: str, axis: Any, dtype: Any, keepdims: bool, where: Any = True, initial: Any = None
) -> Any:
    """A reduction with `where` or `initial`, or by a ufunc that has no operator for it."""
    of = getattr(np, ufunc)
    if where is not True:
        neutral = initial if of.identity is None else of.identity
        if neutral is None:
            raise NotImplementedError("its `where` needs an `initial`")
        x = np.where(where, x, neutral)
    axes = tuple(range(x.ndim)) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    if initial is not None:
        total = of.reduce(x, axis=axis, dtype=dtype, keepdims=keepdims)
        return of(total, initial)
    if where is not True:
        return of.reduce(x, axis=axis, dtype=dtype, keepdims=keepdims)
    for k in sorted([a % x.ndim for a in axes], reverse=True):
        x = rearranged.reduced_stepwise(of, x, k, keepdims)
    return x


def _example(result: Result) -> Any:
    if result.kind == "array":
        return np.ones(result.shape, result.dtype)
    return result.dtype.type(1) if result.kind == "scalar" else result.dtype.type(1).item()
