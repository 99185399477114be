"""How wrong numbers differ from the right ones, where only the numbers are known."""

from __future__ import annotations

import itertools
import re
from typing import Any

import numpy as np

WITHIN = 1e-9  # relative; the exercises' numbers are of the order of 1
# Kinds that the numbers show, whatever the line says.
PLAIN = ("sign", "transposed", "nothing", "number_zero", "not_finite")
NAMED_FACTORS = (2, 3, 4, 0.5, 1 / 3, 0.25, 10, 0.1)

_OBJECT = re.compile(r"<(?:\w+\.)*(\w+)(?: \S+)? (?:object )?at 0x[0-9a-fA-F]+>")  # its address says nothing


def same(yours: Any, right: Any) -> bool:
    """Whether two values are equal, numbers to rounding: arrays, texts, and lists, tuples and dicts of them."""
    if isinstance(right, dict):
        return isinstance(yours, dict) and yours.keys() == right.keys() and all(same(yours[k], right[k]) for k in right)
    if isinstance(right, str | bool) or right is None:
        return type(yours) is type(right) and bool(yours == right)
    if isinstance(right, list | tuple) and _array(right) is None:
        return isinstance(yours, list | tuple) and len(yours) == len(right) and all(map(same, yours, right))
    y, r = _array(yours), _array(right)
    if y is None or r is None or y.shape != r.shape:
        return False
    return bool(np.allclose(y, r, rtol=WITHIN, atol=WITHIN * _size(r), equal_nan=True))


def difference(yours: Any, right: Any) -> tuple[str, dict[str, Any]]:
    """The kind of a mistake, of `words.MISTAKES`, and what fills in its sentence.

    Of several values it is that of the first one that is wrong.
    """
    if isinstance(right, list | tuple) and isinstance(yours, list | tuple) and len(yours) == len(right):
        return next((difference(y, r) for y, r in zip(yours, right, strict=True) if not same(y, r)), ("other", {}))
    y, r = _array(yours), _array(right)
    if yours is None:
        return "nothing_returned", {}
    if isinstance(yours, str) and isinstance(right, str):
        return "text", {}
    if y is None or r is None:
        return "another_type", {"actual": type(yours).__name__, "expected": type(right).__name__}
    if y.shape != r.shape:
        if y.T.shape == r.shape and same(y.T, r):
            return "transposed_shape", {"actual": y.shape, "expected": r.shape}
        if y.size == r.size and same(y.reshape(r.shape), r):
            return "reshaped", {"actual": y.shape, "expected": r.shape}
        kind = "not_summed" if _is_a_sum(r, y) else "summed_shape" if _is_a_sum(y, r) else "shape"
        return kind, {"actual": y.shape, "expected": r.shape}
    if not np.all(np.isfinite(y) | ~np.isfinite(r)):
        return "not_finite", {}
    if same(-y, r):
        return "sign", {}
    if not np.any(y):
        return ("nothing" if y.ndim else "number_zero"), {}
    if y.ndim == 2 and y.shape[0] == y.shape[1] and same(y.T, r):
        return "transposed", {}
    with np.errstate(all="ignore"):
        factor = float(np.vdot(r, y) / np.vdot(r, r))
    if np.isfinite(factor) and factor and same(y / factor, r):
        named = [x for x in NAMED_FACTORS if abs(factor - x) < WITHIN] or [
            n for n in (y.size, 1 / y.size) if n == factor
        ]
        if y.size == 1 and not named:  # any number is a multiple of any other
            return "number", {}
        kind = "times" if y.size == 1 else "scale_everywhere"
        return kind, {"factor": _fraction(float(named[0] if named else factor))}
    wrong = ~np.isclose(y, r, rtol=WITHIN, atol=WITHIN * _size(r), equal_nan=True)
    if y.size > 1 and not np.all(wrong):
        return "some_elements", {"n": int(np.sum(wrong)), "size": y.size}
    return ("other" if y.size > 1 else "number"), {}


def _fraction(factor: float) -> str:
    """A factor as it is read best: 0.5, and 1/3 for 0.333..."""
    n = round(1 / factor) if abs(factor) < 1 else 0
    exact = float(f"{factor:.4g}") == factor
    return f"1/{n}" if n > 1 and abs(n * factor - 1) < WITHIN and not exact else f"{factor:.4g}"


def _is_a_sum(small: np.ndarray[Any, Any], large: np.ndarray[Any, Any]) -> bool:
    """Whether `small` is `large`, summed over one axis or several."""
    if small.size >= large.size:
        return False
    subsets = (axes for n in range(1, large.ndim + 1) for axes in itertools.combinations(range(large.ndim), n))
    sums = (large.sum(axis=axes, keepdims=True) for axes in subsets)
    return any(x.size == small.size and same(x.reshape(small.shape), small) for x in sums)


def shown(value: Any) -> str:
    """A value as a learner reads it: an array's first rows and columns, and its shape."""
    if isinstance(value, bool | np.bool_):
        return str(bool(value))
    if isinstance(value, list | tuple | dict) and _has_arrays(value):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        return "\n".join(f"[{key!r}]  {shown(x)}".replace("\n", "\n     ") for key, x in items)
    array = _array(value)
    if array is not None and np.asarray(value).dtype == bool:
        array = np.asarray(value)
    numbers = isinstance(value, list | tuple) and all(isinstance(x, int | float) for x in value)
    if array is None or numbers:
        plain = [x.item() if isinstance(x, np.generic) else x for x in value] if numbers else value
        return _short(_OBJECT.sub(r"\1", repr(tuple(plain) if isinstance(value, tuple) else plain)))
    with np.printoptions(precision=4, suppress=True, threshold=36, edgeitems=3, linewidth=72):
        text = str(array + 0.0) if array.dtype.kind == "f" else str(array)
    return f"{text}\nshape {array.shape}" if array.ndim else text


def _has_arrays(value: Any) -> bool:
    """Whether it is or has an array of one axis or more."""
    values = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ()
    return bool(np.ndim(value)) if isinstance(value, np.ndarray) else any(map(_has_arrays, values))


def _short(text: str) -> str:
    return text if len(text) <= 200 else f"{text[:197]}..."


def _size(x: np.ndarray[Any, Any]) -> float:
    finite = np.abs(x[np.isfinite(x)])
    return float(np.max(finite, initial=1e-300))


def _array(x: Any) -> np.ndarray[Any, Any] | None:
    """`x` as an array of numbers; None if it is none."""
    try:
        array = np.asarray(x)
    except ValueError:
        return None
    return array.astype(float) if array.dtype.kind in "biuf" else None
