"""Each operation as operators: the table `EMITTERS`, but for indexing, which has a module of its own."""

from __future__ import annotations

import inspect
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from tinygrad_cnn.lowering.instructions import Instruction
from tinygrad_cnn.lowering.onnx_graph.indexing import add_at, getitem, scatter, setitem
from tinygrad_cnn.lowering.onnx_graph.lengths import Length, Ratio
from tinygrad_cnn.lowering.onnx_graph.operators import (
    NUMBERS,
    OF_BOOLEANS,
    PADDED,
    REDUCTIONS,
    SORTED,
    UFUNCS,
    WIDE,
    code,
    computed_in,
    run_in,
)  # fmt: skip
from tinygrad_cnn.lowering.onnx_graph.refusal import refused
from tinygrad_cnn.lowering.onnx_graph.writer import Emitter, Writer

INT64 = np.dtype(np.int64)
BOOLEAN = np.dtype(bool)


# Elementwise.


def elementwise(w: Writer, x: Instruction) -> str:
    """A ufunc: its operands in the dtype that NumPy computes it in."""
    dtypes = computed_in(x)
    operator, among = UFUNCS.get(x.operation, ("", NUMBERS))
    first = dtypes[0]
    if x.operation in ("floor_divide", "remainder"):  # of integers, as a part of what composes them
        operator, among = ("Div" if x.operation == "floor_divide" else "Mod"), WIDE
    if x.operation == "fmod" and first.kind in "iu":
        among = WIDE
    if first.kind == "b" and x.operation in OF_BOOLEANS:
        operator, among = OF_BOOLEANS[x.operation], frozenset(["b1"])
    ran = run_in(first, among)
    given = {"fmod": 1} if operator == "Mod" and x.operation == "fmod" else {}
    made = w.graph.node(operator, *[w.operand(y, ran) for y in x.operands], **given)
    return w.cast(made, BOOLEAN if dtypes[-1].kind == "b" else ran, x.result.dtype)


def square(w: Writer, x: Instruction) -> str:
    return w.node_in(NUMBERS, "Mul", x.result.dtype, [x.operands[0]] * 2)


def not_equal(w: Writer, x: Instruction) -> str:
    equal = x.with_(operation="equal")
    return w.graph.node("Not", elementwise(w, equal))


def identity(w: Writer, x: Instruction) -> str:
    return w.graph.node("Identity", w.operand(x.operands[0], x.result.dtype))


def scaled(factor: float) -> Emitter:
    def emit(w: Writer, x: Instruction) -> str:
        return w.graph.node("Mul", w.operand(x.operands[0], x.result.dtype), w.graph.constant(factor, x.result.dtype))

    return emit


def where(w: Writer, x: Instruction) -> str:
    condition = w.operand(x.operands[0], BOOLEAN)
    ran = run_in(x.result.dtype, NUMBERS)
    made = w.graph.node("Where", condition, *[w.operand(y, ran) for y in x.operands[1:]])
    return w.cast(made, ran, x.result.dtype)


def astype(w: Writer, x: Instruction) -> str:
    (y,) = x.operands
    if y.result.dtype == x.result.dtype:
        return identity(w, x)
    return w.operand(y, x.result.dtype)


def view(w: Writer, x: Instruction) -> str:
    (y,) = x.operands
    if y.result.dtype.kind == "b" and x.result.dtype.kind in "iu" and x.result.dtype.itemsize == 1:
        return w.operand(y, x.result.dtype)
    raise refused(x, f"{y.result.dtype} cannot be read as {x.result.dtype}")


# Constants and lengths.


def constant(w: Writer, x: Instruction) -> str:
    return w.graph.constant(np.array(x.parameters["value"], x.result.dtype), name=x.origin.name)


def length(w: Writer, x: Instruction) -> str:
    made = w.reshape(w.batch_lengths(x.parameters["length"]), (1,), ())
    return w.cast(made, INT64, x.result.dtype)


def arange(w: Writer, x: Instruction) -> str:
    stop = w.reshape(w.batch_lengths(x.parameters["length"]), (1,), ())
    made = w.graph.node("Range", w.graph.constant(0, INT64), stop, w.graph.constant(1, INT64))
    return w.cast(made, INT64, x.result.dtype)


def full(w: Writer, x: Instruction) -> str:
    value = w.filled(x)["value"]
    dtype, shape = x.result.dtype, x.result.shape
    if isinstance(value, Instruction):
        return w.expand(w.operand(value, dtype), value.result.shape, shape)
    if isinstance(value, Ratio):
        n = w.cast(w.reshape(w.batch_lengths(Length(1, 0)), (1,), ()), INT64, dtype)
        return w.expand(w.graph.node("Div", w.graph.constant(value.above, dtype), n), (), shape)
    if isinstance(value, Length):
        return w.expand(w.cast(w.reshape(w.batch_lengths(value), (1,), ()), INT64, dtype), (), shape)
    if any(isinstance(n, Length) for n in shape) or math.prod(shape) > 16:
        return w.expand(w.graph.constant(value, dtype), np.shape(value), shape)
    return w.graph.constant(np.full(shape, value, dtype))


# Shapes.


def reshape(w: Writer, x: Instruction) -> str:
    (y,) = x.operands
    tensor, shape = w.operand(y, x.result.dtype), x.result.shape
    if x.parameters.get("order", "C") in "FA" and x.parameters.get("order") != "C":
        turned = w.transpose(tensor, range(len(y.result.shape))[::-1])
        made = w.reshape(turned, y.result.shape[::-1], shape[::-1])
        return w.transpose(made, range(len(shape))[::-1])
    return w.reshape(tensor, y.result.shape, shape)


def transpose(w: Writer, x: Instruction) -> str:
    return w.transpose(w.names[x.operands[0]], x.parameters["axes"])


def broadcast_to(w: Writer, x: Instruction) -> str:
    (y,) = x.operands
    return w.expand(w.operand(y, x.result.dtype), y.result.shape, x.result.shape)


def concatenate(w: Writer, x: Instruction) -> str:
    return w.graph.node("Concat", *[w.operand(y, x.result.dtype) for y in x.operands], axis=x.parameters["axis"])


def array(w: Writer, x: Instruction) -> str:
    one = w.graph.integers([0])
    parts = [w.graph.node("Unsqueeze", w.operand(y, x.result.dtype), one) for y in x.operands]
    made = w.graph.node("Concat", *parts, axis=0)
    return w.reshape(made, (len(parts),), x.result.shape)


def pad(w: Writer, x: Instruction) -> str:
    widths, value = x.parameters["pad_width"], x.parameters["constant_values"]
    ran = run_in(x.result.dtype, PADDED)
    pads = w.graph.integers([before for before, _ in widths] + [behind for _, behind in widths])
    made = w.graph.node("Pad", w.operand(x.operands[0], ran), pads, w.graph.constant(value, ran))
    return w.cast(made, ran, x.result.dtype)


# Reductions and products.


def reduce(w: Writer, x: Instruction) -> str:
    (y,) = x.operands
    ufunc, axis = x.parameters["ufunc"], x.parameters["axis"]
    logical = ufunc.startswith("logical") or (x.result.dtype.kind == "b")
    dtype = np.dtype(np.int32) if logical else run_in(x.result.dtype, NUMBERS)
    tensor = w.operand(y, BOOLEAN) if logical else w.operand(y, dtype)
    if logical:
        tensor = w.cast(tensor, BOOLEAN, dtype)
    if x.operands[0].result.shape == () or axis == ():
        return w.cast(w.graph.node("Identity", tensor), dtype, x.result.dtype)
    operator = {"add": "ReduceMax", "multiply": "ReduceMin"}.get(ufunc) if logical else None
    made = _reduced(w, operator or REDUCTIONS[ufunc], tensor, x)
    return w.cast(made, dtype, x.result.dtype)


def _reduced(w: Writer, operator: str, tensor: str, x: Instruction) -> str:
    axis, ndim = x.parameters["axis"], len(x.operands[0].result.shape)
    axes = range(ndim) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    among = [] if axis is None else [w.graph.integers(sorted([a % ndim for a in axes]))]
    return w.graph.node(operator, tensor, *among, keepdims=int(bool(x.parameters["keepdims"])))


def mean(w: Writer, x: Instruction) -> str:
    if x.operands[0].result.shape == () or x.parameters["axis"] == ():
        return identity(w, x)
    return _reduced(w, "ReduceMean", w.operand(x.operands[0], x.result.dtype), x)


def matmul(w: Writer, x: Instruction) -> str:
    if any(0 in y.result.shape for y in x.operands):
        return _zeros(w, x)
    if x.result.dtype.kind == "b":
        ran = np.dtype(np.int32)
        return w.cast(w.graph.node("MatMul", *[w.operand(y, ran) for y in x.operands]), ran, x.result.dtype)
    a, b = x.operands
    ran = run_in(x.result.dtype, NUMBERS)
    if len(b.result.shape) == 1 and a.operation == "transpose":
        # As a matrix of one column: onnxruntime 1.32 makes Transpose and MatMul one node, which is wrong for a vector.
        column = w.graph.node("Unsqueeze", w.operand(b, ran), w.graph.integers([1]))
        made = (
            w.graph.node("MatMul", w.operand(a, ran), column)
            if not _swaps(a) or code(ran) != "f8"
            else w.graph.node("Gemm", w.operand(a.operands[0], ran), column, transA=1)
        )
        return w.cast(w.graph.node("Squeeze", made, w.graph.integers([-1])), ran, x.result.dtype)
    if code(ran) == "f8" and (_swaps(a) or _swaps(b)) and min(len(y.result.shape) for y in x.operands) > 1:
        return _transposed_product(w, a, b, ran)
    return w.node_in(NUMBERS, "MatMul", x.result.dtype, x.operands)


def _zeros(w: Writer, x: Instruction) -> str:
    """The sum of no products. onnxruntime 1.32 would divide by the length, which is 0, and end the process."""
    return w.expand(w.graph.constant(0, x.result.dtype), (), x.result.shape)


def _swaps(x: Instruction) -> bool:
    """Whether it is a stack of matrices, each transposed."""
    if x.operation != "transpose":
        return False
    n = len(x.parameters["axes"])
    return tuple(x.parameters["axes"]) == (*range(n - 2), n - 1, n - 2)


def _transposed_product(w: Writer, a: Instruction, b: Instruction, dtype: Any) -> str:
    """A product of what is transposed, in float64.

    Of Transpose and MatMul onnxruntime makes one operator, which 1.23 has in float32 alone.
    """
    given = [y.operands[0] if _swaps(y) else y for y in (a, b)]
    if all(len(y.result.shape) == 2 for y in given):
        turned = {name: 1 for name, y in (("transA", a), ("transB", b)) if _swaps(y)}
        return w.graph.node("Gemm", *[w.operand(y, dtype) for y in given], **turned)
    equation = f"...{'ji' if _swaps(a) else 'ij'},...{'kj' if _swaps(b) else 'jk'}->...ik"
    tensors = [w.operand(y, dtype) for y in given]
    equation, tensors = _without_ellipsis(w, equation, tensors, [y.result.shape for y in given])
    return w.graph.node("Einsum", *tensors, equation=equation)


def softmax(w: Writer, x: Instruction) -> str:
    return w.graph.node("Softmax", w.names[x.operands[0]], axis=x.parameters["axis"])


# Calls.


def call(w: Writer, x: Instruction) -> str:
    given = w.filled(x)
    return CALLS[x.function](w, x, given["args"], given["keywords"])


def einsum(w: Writer, x: Instruction, args: Sequence[Any], keywords: dict[str, Any]) -> str:
    if isinstance(args[0], str):
        equation, operands = args[0].replace(" ", ""), list(args[1:])
    else:
        pairs = [(args[k], args[k + 1]) for k in range(0, len(args) - 1, 2)]
        operands = [operand for operand, _ in pairs]
        equation = ",".join([_letters(sublist) for _, sublist in pairs])
        if len(args) % 2:
            equation += f"->{_letters(args[-1])}"
    if set(keywords) - {"optimize"} or not all(isinstance(y, Instruction) for y in operands):
        raise refused(x, "it has an operand or a parameter that Einsum has not")
    if any(0 in y.result.shape for y in operands):
        return _zeros(w, x)
    ran = run_in(x.result.dtype, NUMBERS)
    tensors = [w.operand(y, ran) for y in operands]
    if "..." in equation:
        equation, tensors = _without_ellipsis(w, equation, tensors, [y.result.shape for y in operands])
    return w.cast(w.graph.node("Einsum", *tensors, equation=equation), ran, x.result.dtype)


def _without_ellipsis(w: Writer, equation: str, tensors: list[str], shapes: Sequence[Any]) -> tuple[str, list[str]]:
    """With a letter for each axis that `...` stands for; axes of length 1 that are stretched are left out."""
    before, arrow, after = equation.partition("->")
    free = [c for c in "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ" if c not in equation]
    subscripts = before.split(",")
    counts = [
        len(shape) - len(s.replace("...", "")) if "..." in s else 0 for s, shape in zip(subscripts, shapes, strict=True)
    ]
    letters = free[: max(counts)]
    lengths: dict[str, Any] = {}
    for s, shape, count in zip(subscripts, shapes, counts, strict=True):
        for c, n in zip(letters[len(letters) - count :], shape[len(s.partition("...")[0]) :], strict=False):
            if n != 1:
                lengths[c] = n
    written = []
    for k, (s, shape, count) in enumerate(zip(subscripts, shapes, counts, strict=True)):
        whole = s.replace("...", "".join(letters[len(letters) - count :]))
        kept = [not (c in letters and n == 1 and c in lengths) for c, n in zip(whole, shape, strict=True)]
        written.append("".join([c for c, keep in zip(whole, kept, strict=True) if keep]))
        tensors[k] = w.reshape(tensors[k], shape, [n for n, keep in zip(shape, kept, strict=True) if keep])
    if not arrow:
        once = sorted([c for c in set(before) - set(",.") if before.count(c) == 1])
        after = "..." + "".join(once)
    return f"{','.join(written)}->{after.replace('...', ''.join(letters))}", tensors


def _letters(sublist: Sequence[Any]) -> str:
    letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
    return "".join(["..." if k is Ellipsis else letters[k] for k in sublist])


def argsort(w: Writer, x: Instruction, args: Sequence[Any], keywords: dict[str, Any]) -> str:
    bound = inspect.signature(np.argsort).bind(*args, **keywords).arguments
    y = bound["a"]
    axis = bound.get("axis", -1) % len(y.result.shape)
    ran = run_in(y.result.dtype, SORTED)
    count = w.lengths([y.result.shape[axis]])
    return w.graph.nodes_of("TopK", [w.operand(y, ran), count], 2, axis=axis, largest=0, sorted=1)[1]


def take_along_axis(w: Writer, x: Instruction, args: Sequence[Any], keywords: dict[str, Any]) -> str:
    bound = inspect.signature(np.take_along_axis).bind(*args, **keywords).arguments
    y, places, axis = bound["arr"], bound["indices"], bound.get("axis", -1)
    tensor, shape = w.names[y], y.result.shape
    if axis is None:
        tensor, shape, axis = (
            w.reshape(tensor, shape, x.result.shape if len(shape) != 1 else shape),
            (y.result.size,),
            0,
        )
    if isinstance(places, Instruction):
        index, extent = w.operand(places, INT64), places.result.shape
    else:
        index, extent = w.graph.constant(places, INT64), np.shape(places)
    axis %= len(shape)
    whole = tuple(
        [max(a, b, key=_long) if k != axis else None for k, (a, b) in enumerate(zip(shape, extent, strict=True))]
    )
    tensor = w.expand(tensor, shape, [shape[k] if n is None else n for k, n in enumerate(whole)])
    index = w.expand(index, extent, [extent[k] if n is None else n for k, n in enumerate(whole)])
    return w.graph.node("GatherElements", tensor, index, axis=axis)


def _long(n: Any) -> Any:
    return math.inf if isinstance(n, Length) else n


# Convolution and pooling, in float32; of float64, `rearranged.py` has them.


def conv2d(w: Writer, x: Instruction) -> str:
    images, kernel = x.operands
    tensor, around = _unpadded(w, images)
    return w.graph.node("Conv", tensor, w.names[kernel], strides=list(x.parameters["stride"]), **around)


def _unpadded(w: Writer, images: Instruction) -> tuple[str, dict[str, Any]]:
    """Images before zeros were added around them, and the attribute that has an operator add them."""
    if images.operation == "pad" and not images.parameters["constant_values"]:
        *others, (top, bottom), (left, right) = images.parameters["pad_width"]
        if not any(before or behind for before, behind in others):
            return w.names[images.operands[0]], {"pads": [top, left, bottom, right]}
    return w.names[images], {}


def conv2d_kernel_gradient(w: Writer, x: Instruction) -> str:
    """The images, with the batch in place of the channels, convolved with the cotangent as if it were a kernel."""
    g, images = x.operands
    tensor, around = _unpadded(w, images)
    swapped = (1, 0, 2, 3)
    made = w.graph.node(
        "Conv", w.transpose(tensor, swapped), w.transpose(w.names[g], swapped),
        dilations=list(x.parameters["stride"]), **around,
    )  # fmt: skip
    kh, kw = x.result.shape[2:]
    if x.parameters["stride"] != (1, 1):  # rows and columns that no window reached
        made = w.graph.node(
            "Slice", made, w.graph.integers([0, 0]), w.graph.integers([kh, kw]), w.graph.integers([2, 3])
        )
    return w.transpose(made, swapped)


def conv2d_image_gradient(w: Writer, x: Instruction) -> str:
    g, kernel = x.operands
    (kh, kw), stride = kernel.result.shape[2:], x.parameters["stride"]
    (height, width), (down, across) = x.result.shape[2:], g.result.shape[2:]
    beyond = [height - (down - 1) * stride[0] - kh, width - (across - 1) * stride[1] - kw]
    given = {"output_padding": beyond} if any(beyond) else {}
    return w.graph.node("ConvTranspose", w.names[g], w.names[kernel], strides=list(stride), **given)


def pooled(operator: str) -> Emitter:
    def emit(w: Writer, x: Instruction) -> str:
        (y,) = x.operands
        shape = y.result.shape
        images = (
            (*[1] * (4 - len(shape)), *shape) if len(shape) <= 4 else (shape[0], math.prod(shape[1:-2]), *shape[-2:])
        )
        tensor = w.reshape(w.names[y], shape, images)
        made = w.graph.node(
            operator, tensor, kernel_shape=list(x.parameters["window"]), strides=list(x.parameters["stride"])
        )
        return w.reshape(made, (*images[:2], *x.result.shape[-2:]), x.result.shape)

    return emit


def copy(w: Writer, x: Instruction, args: Sequence[Any], keywords: dict[str, Any]) -> str:
    return identity(w, x)


CALLS = {np.copy: copy, np.einsum: einsum, np.argsort: argsort, np.take_along_axis: take_along_axis}

EMITTERS: dict[str, Emitter] = {
    **dict.fromkeys([*UFUNCS, "floor_divide", "remainder"], elementwise),
    "square": square, "not_equal": not_equal, **dict.fromkeys(["positive", "conjugate", "copy", "real"], identity),
    **dict.fromkeys(["deg2rad", "radians"], scaled(math.pi / 180)),
    **dict.fromkeys(["rad2deg", "degrees"], scaled(180 / math.pi)),
    "where": where, "astype": astype, "scalar": astype, "view": view,
    "constant": constant, "closed_over": constant, "length": length, "arange": arange,
    "full": full, "reshape": reshape, "transpose": transpose, "broadcast_to": broadcast_to,
    "concatenate": concatenate, "array": array, "pad": pad, "reduce": reduce, "mean": mean, "matmul": matmul,
    "softmax": softmax, "call": call, "getitem": getitem, "setitem": setitem, "add_at": add_at, "scatter": scatter,
    "conv2d": conv2d, "conv2d_kernel_gradient": conv2d_kernel_gradient, "conv2d_image_gradient": conv2d_image_gradient,
    "max_pool2d": pooled("MaxPool"), "avg_pool2d": pooled("AveragePool"),
}  # fmt: skip
