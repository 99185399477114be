"""Write docs/numpy.md: which of NumPy's functions take Tensors.

From the root of the project: python docs/numpy_coverage.py
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

import tinygrad_cnn as tg
from tinygrad_cnn.primitive import implementations
from tinygrad_cnn.rules.plain import PLAIN

PAGE = Path(__file__).parent / "numpy.md"
SPACES = {"np": np, "np.linalg": np.linalg, "np.fft": np.fft}
# Written with rules of their own, but plain all the same.
SIZES_AND_COUNTS = (np.shape, np.ndim, np.size, np.histogram2d, np.histogramdd)

# Why a function has no rule. What is in no group has none yet.
REASONS = {
    "it works on bits or integers": """bitwise_and bitwise_count bitwise_invert bitwise_left_shift bitwise_not
        bitwise_or bitwise_right_shift bitwise_xor invert left_shift right_shift packbits unpackbits gcd lcm
        binary_repr base_repr ravel_multi_index unravel_index""",
    "it is about dates": "busday_count busday_offset datetime_as_string datetime_data is_busday isnat",
    "it is about files, text, types or NumPy itself, not about arrays of floats": """
        format_float_positional format_float_scientific fromfile
        fromiter frombuffer fromstring genfromtxt get_include get_printoptions getbufsize geterr
        geterrcall info isdtype issubdtype iterable load loadtxt memmap mintypecode nested_iters
        printoptions promote_types set_printoptions setbufsize
        seterr seterrcall show_config show_runtime test typename fromregex asmatrix bmat from_dlpack""",
    "it makes arrays or indices from numbers, and no Tensor enters it": """bartlett blackman broadcast_shapes
        diag_indices diag_indices_from fftfreq hamming hanning indices kaiser mask_indices rfftfreq tril_indices
        tril_indices_from triu_indices triu_indices_from fromfunction""",
    "it makes a ufunc of a Python function, which works on Python objects": "frompyfunc",
    "eigenvalues of matrices that are not symmetric are complex, and are not supported: see eigh": "eig eigvals roots",
    "it is an old name, and goes on to np.vstack, which does": "row_stack",
    "it is about how an array lies in memory": "require asarray_chkfinite isfortran",
}


def functions() -> Iterator[tuple[str, str, Any]]:
    """(space, name, function) of everything public that can be called and is no class."""
    for space, module in SPACES.items():
        for name in sorted(module.__all__):
            function = getattr(module, name)
            if callable(function) and not inspect.isclass(function):
                yield space, name, function


def status(name: str, function: Callable[..., Any]) -> tuple[str, str]:
    """("derivative", "plain" or "none", and why)."""
    if function in PLAIN or function in SIZES_AND_COUNTS:
        return "plain", ""
    if function in implementations:
        return "derivative", ""
    for reason, names in REASONS.items():
        if name in names.split():
            return "none", reason
    return "none", "not yet"


def methods() -> tuple[list[str], list[str]]:
    """The names of ndarray's public methods and attributes that a Tensor has, and of those that it refuses."""
    names = [name for name in dir(np.ndarray) if not name.startswith("_")]
    refused = [name for name in names if not hasattr(tg.Tensor, name)]
    return [name for name in names if name not in refused], refused


def page() -> str:
    """The text of docs/numpy.md."""
    found: dict[str, list[tuple[str, str, str]]] = {"derivative": [], "plain": [], "none": []}
    for space, name, function in functions():
        kind, why = status(name, function)
        found[kind].append((space, name, why))
    have, refused = methods()
    total = sum(map(len, found.values()))
    lines = [
        "# NumPy's functions on Tensors",
        "",
        f"Of the {total} public functions of numpy {np.__version__.rsplit('.', 1)[0]}, numpy.linalg and numpy.fft,",
        f"**{len(found['derivative'])} have a derivative**, {len(found['plain'])} give plain arrays, because they have",
        f"none or one that is zero, and {len(found['none'])} do not take Tensors: they raise NotImplementedError,",
        "TypeError, or have no argument that could be one.",
        f"Of ndarray's {len(have) + len(refused)} methods and attributes, a Tensor has {len(have)}.",
        "",
        "This page is written by `python docs/numpy_coverage.py`, from the table by which functions are looked up; a",
        "test keeps it true, and another sees to it that each function of the first list is tested.",
        "",
        "## With a derivative",
        "",
        *_by_space(found["derivative"]),
        *_ufunc_methods(),
        "",
        "## Plain arrays",
        "",
        *_by_space(found["plain"]),
        "",
        "## Not on Tensors",
        "",
        *_by_reason(found["none"]),
        "",
        "## Methods and attributes of ndarray",
        "",
        f"- as ndarray's: {', '.join(f'`.{name}`' for name in have)}",
        f"- refused, with a word that says what to write: {', '.join(f'`.{name}`' for name in refused)}",
        "",
    ]
    return "\n".join(lines)


def _ufunc_methods() -> list[str]:
    """A line for each method of ufuncs: of which of them it has a derivative."""
    keys = [key for key in implementations if isinstance(key, tuple) and key[0] not in PLAIN]
    return [
        f"- the method `{method}` of {', '.join(sorted(f'`np.{f.__name__}`' for f, name in keys if name == method))}"
        for method in ("reduce", "accumulate", "reduceat", "outer", "at")
    ]


def _by_space(entries: list[tuple[str, str, str]]) -> list[str]:
    return [
        f"- {space}: {', '.join(f'`{name}`' for s, name, _ in entries if s == space)}"
        for space in SPACES
        if any(s == space for s, _, _ in entries)
    ]


def _by_reason(entries: list[tuple[str, str, str]]) -> list[str]:
    reasons = dict.fromkeys(why for _, _, why in entries)
    return [
        f"- {why}: {', '.join(f'`{s}.{name}`' for s, name, w in entries if w == why)}"
        for why in sorted(reasons, key=lambda why: (why == "not yet", why))
    ]


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(f"wrote {PAGE}")
