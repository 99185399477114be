"""Calls of NumPy's functions, with the arguments that JAX's take.

JAX takes no list where NumPy makes an array of it, has some parameters in another order or not at all, and no result
whose shape depends on values: what is constant in an index is computed before the program is written.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from tinygrad_cnn.lowering.instructions import Instruction, Slot

Given = dict[str, Any]

# Parameters of which NumPy makes an array; of those in SEQUENCES, of each item.
ARRAYS = frozenset(
    {
        "a", "a1", "a2", "arr", "ary", "aweights", "bins", "condition", "fp", "fweights", "indices", "m", "obj", "p",
        "q",
        "repeats", "to_begin", "to_end", "v", "values", "weights", "x", "x1", "x2", "xp", "y",
    }
)  # fmt: skip
SEQUENCES = frozenset({"arrays", "choicelist", "choices", "condlist", "tup", "xi"})
LAYOUT = frozenset({"order", "subok", "copy", "like", "device", "kind", "casting"})  # what makes no difference in JAX


# Parameters that have another name in JAX.
NAMES = {
    np.clip: {"a_min": "min", "a_max": "max"},
    np.nanstd: {"correction": "ddof"},
    np.nanvar: {"correction": "ddof"},
}

POSITIONAL = (np.where, np.astype)  # which take no names in JAX


class UnsupportedError(Exception):
    """A call that JAX has no counterpart of; the message says what of it."""


def adapted(x: Instruction) -> Instruction:
    """The call with arguments that JAX's function takes. Raises UnsupportedError."""
    args, keywords = x.parameters["args"], x.parameters["keywords"]
    owner = getattr(x.function, "__self__", None)
    if isinstance(owner, np.ufunc):
        return _with(x, [_array(a) if k else a for k, a in enumerate(args)], keywords)
    given = _by_name(x.function, args, keywords)
    if given is None:
        return _with(x, list(args), {k: v for k, v in keywords.items() if k not in LAYOUT})
    rewrite = REWRITES.get(x.function)
    if rewrite is not None:
        made = rewrite(x, given)
        if made is not None:
            return made
    positional: list[Any] = []
    named: Given = {}
    for p in inspect.signature(x.function).parameters.values():
        if p.name not in given:
            continue
        value = _converted(p.name, given[p.name])
        if p.kind is p.VAR_POSITIONAL:
            positional += value
        elif p.name in NAMES.get(x.function, {}):
            named[NAMES[x.function][p.name]] = value
        elif x.function in POSITIONAL or (p.default is p.empty and p.kind is not p.KEYWORD_ONLY and not named):
            positional.append(value)
        elif p.name not in LAYOUT or (p.name == "order" and x.function in (np.reshape, np.ravel)):
            named[p.name] = value
    return _with(x, positional, named)


def _by_name(function: Any, args: Any, keywords: Any) -> Given | None:
    """The arguments that are given, by the names of the parameters."""
    try:
        signature = inspect.signature(function)
        bound = signature.bind(*args, **keywords)
    except (TypeError, ValueError):
        return None
    defaults = {name: p.default for name, p in signature.parameters.items()}
    given = dict(bound.arguments)
    others = next((p.name for p in signature.parameters.values() if p.kind is p.VAR_KEYWORD), "")
    given.update(given.pop(others, {}))
    return {k: v for k, v in given.items() if v is not np._NoValue and not (v is None and defaults.get(k, 0) is None)}


def _with(x: Instruction, args: Any, keywords: Any, function: Any = None) -> Instruction:
    function = function or x.function
    return x.with_(function=function, parameters={"args": tuple(args), "keywords": dict(keywords)})


def _converted(name: str, value: Any) -> Any:
    if name in SEQUENCES and isinstance(value, list | tuple):
        return type(value)([item if _has_slots([item]) else _array(item) for item in value])
    return _array(value) if name in ARRAYS else value


def _array(value: Any) -> Any:
    """An array for a list of numbers."""
    if not isinstance(value, list | tuple) or _has_slots(value):
        return ArrayOf(value) if isinstance(value, list | tuple) else value
    array = np.array(value)
    return array.astype(np.int64) if not array.size and array.dtype == np.float64 else array


class ArrayOf(list[Any]):
    """A list in which operands stand, of which an array is made."""


def _has_slots(value: Any) -> bool:
    return any(isinstance(item, Slot) or (isinstance(item, list | tuple) and _has_slots(item)) for item in value)


def _constant(value: Any, x: Instruction) -> Any:
    """The value of an argument that is known, as an array."""
    if isinstance(value, Slot):
        operand = x.operands[value.number]
        known = operand.operation in ("constant", "closed_over")
        return np.asarray(operand.parameters["value"]) if known else None
    return None if value is None or (isinstance(value, list | tuple) and _has_slots(value)) else np.asarray(value)


def _length(value: Any, axis: int | None, x: Instruction) -> int:
    """How long an operand is along an axis."""
    shape = x.operands[value.number].result.shape if isinstance(value, Slot) else np.shape(value)
    return int(np.prod(shape, dtype=int)) if axis is None else int(shape[axis])


def _taken(x: Instruction, of: Any, numbers: Any, axis: int | None) -> Instruction:
    """What is taken at constant places."""
    return _with(x, [of, np.asarray(numbers)], {} if axis is None else {"axis": axis}, np.take)


def _compress(x: Instruction, given: Given) -> Instruction | None:
    condition = _constant(given["condition"], x)
    if condition is None:
        raise UnsupportedError("with a condition that depends on arguments")
    return _taken(x, given["a"], np.nonzero(condition)[0], given.get("axis"))


def _repeat(x: Instruction, given: Given) -> Instruction | None:
    repeats, axis = _constant(given["repeats"], x), given.get("axis")
    if repeats is None or repeats.ndim == 0 or repeats.size == 1:
        return None
    return _taken(x, given["a"], np.repeat(np.arange(_length(given["a"], axis, x)), repeats), axis)


def _delete(x: Instruction, given: Given) -> Instruction | None:
    obj, axis = given["obj"], given.get("axis")
    if not isinstance(obj, slice):
        obj = _constant(obj, x)
    if obj is None:
        raise UnsupportedError("with places that depend on arguments")
    return _taken(x, given["arr"], np.delete(np.arange(_length(given["arr"], axis, x)), obj), axis)


def _partition(x: Instruction, given: Given) -> Instruction | None:
    """Sorted arrays are partitioned arrays, and JAX's partition takes one place alone."""
    names = {"axis": given["axis"]} if "axis" in given else {}
    return _with(x, [given["a"]], names, np.argsort if x.function is np.argpartition else np.sort)


def _tri(x: Instruction, given: Given) -> Instruction:
    """With its dtype, which in JAX is float32 if it is not given."""
    rest = {k: v for k, v in given.items() if k not in ("N", "dtype")}
    return _with(x, [given["N"]], {**rest, "dtype": x.result.dtype})


def _bincount(x: Instruction, given: Given) -> Instruction:
    """As long as NumPy's result is, where that is known."""
    rest = {k: v for k, v in given.items() if k not in ("x", "minlength")}
    return _with(x, [_array(given["x"])], {**rest, "length": x.result.shape[0]})


def _histogram(x: Instruction, given: Given) -> None:
    a, weights = [_dtype(given.get(name), x) for name in ("a", "weights")]
    if weights is not None and a != weights:
        raise UnsupportedError("with weights of another dtype")


def _dtype(value: Any, x: Instruction) -> Any:
    if isinstance(value, Slot):
        return x.operands[value.number].result.dtype
    return None if value is None else np.asarray(value).dtype


def _gradient(x: Instruction, given: Given) -> None:
    if given.get("edge_order", 1) != 1:
        raise UnsupportedError("with edge_order=2")


def _polymul(x: Instruction, given: Given) -> None:
    if x.result.shape != (_length(given["a1"], None, x) + _length(given["a2"], None, x) - 1,):
        raise UnsupportedError("of polynomials that begin with zeros")


def _polydiv(x: Instruction, given: Given) -> None:
    raise UnsupportedError("(whose results are as long as the values of its arguments say)")


def _tril(x: Instruction, given: Given) -> None:
    m = given["m"]
    if isinstance(m, Slot) and len(x.operands[m.number].result.shape) < 2:
        raise UnsupportedError("of one row")


def _polyadd(x: Instruction, given: Given) -> None:
    if len(x.result.shape) > 1:
        raise UnsupportedError("of matrices")


def _logspace(x: Instruction, given: Given) -> None:
    base = given.get("base", 10)
    if isinstance(base, list | tuple | np.ndarray) or (isinstance(base, Slot) and x.operands[base.number].result.shape):
        raise UnsupportedError("with several bases")


def _pad(x: Instruction, given: Given) -> Instruction | None:
    widths = given["pad_width"]
    if isinstance(widths, dict):
        ndim = len(x.result.shape)
        pairs = {axis % ndim: np.broadcast_to(n, 2).tolist() for axis, n in widths.items()}
        widths = tuple([tuple(pairs.get(axis, (0, 0))) for axis in range(ndim)])
    rest = {k: v for k, v in given.items() if k not in ("array", "pad_width")}
    return _with(x, [given["array"], widths], rest)


def _quantile(x: Instruction, given: Given) -> None:
    q = given["q"]
    if np.ndim(q) > 1 or (isinstance(q, Slot) and len(x.operands[q.number].result.shape) > 1):
        raise UnsupportedError("of q with two axes")
    of = x.operands[given["a"].number].result if isinstance(given["a"], Slot) else None
    if given.get("method") == "inverted_cdf" and of is not None and of.dtype == np.float32:
        raise UnsupportedError("with method='inverted_cdf' in single precision")
    if given.get("method", "linear") not in ("linear", "lower", "higher", "midpoint", "nearest", "inverted_cdf"):
        raise UnsupportedError(f"with method={given['method']!r}")


def _choose(x: Instruction, given: Given) -> Instruction | None:
    """What is chosen with mode="raise" cannot be checked in JAX, but what is known does not raise."""
    if given.get("mode", "raise") == "raise":
        if _constant(given["a"], x) is None:
            raise UnsupportedError('with mode="raise"')
        return _with(x, [_array(given["a"]), _converted("choices", given["choices"])], {"mode": "clip"})
    return None


def _cholesky(x: Instruction, given: Given) -> Instruction:
    """NumPy reads one triangle; JAX would take the mean of both."""
    rest = {k: v for k, v in given.items() if k != "a"}
    return _with(x, [given["a"]], {**rest, "symmetrize_input": False})


REWRITES: dict[Any, Callable[[Instruction, Given], Instruction | None]] = {
    np.bincount: _bincount,
    np.compress: _compress,
    np.histogram: _histogram,
    np.repeat: _repeat,
    np.delete: _delete,
    np.partition: _partition,
    np.argpartition: _partition,
    np.gradient: _gradient,
    np.polymul: _polymul,
    np.polydiv: _polydiv,
    np.polyadd: _polyadd,
    np.polysub: _polyadd,
    np.tri: _tri,
    np.tril: _tril,
    np.triu: _tril,
    np.logspace: _logspace,
    np.quantile: _quantile,
    np.nanquantile: _quantile,
    np.percentile: _quantile,
    np.nanpercentile: _quantile,
    np.choose: _choose,
    np.pad: _pad,
    np.linalg.cholesky: _cholesky,
    np.linalg.eigh: _cholesky,
    np.linalg.eigvalsh: _cholesky,
}
