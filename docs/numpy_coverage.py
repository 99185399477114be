"""Write docs/numpy.md: which of NumPy's functions take Tensors.

From the root of the project: python docs/numpy_coverage.py
"""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

import tinygrad_cnn as tg
from tinygrad_cnn.engine.primitive import implementations
from tinygrad_cnn.numpy_functions.without_derivative import PLAIN
from tinygrad_cnn.primitives.scipy_special import rules_of

PAGE = Path(__file__).parent / "numpy.md"
SPACES = {"np": np, "np.linalg": np.linalg, "np.fft": np.fft}
# Written with rules of their own, but plain all the same.
PLAIN_TOO = (
    np.shape, np.ndim, np.size, np.histogram2d, np.histogramdd, np.shares_memory, np.may_share_memory,
)  # fmt: skip

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
    "it is an old name, and goes on to np.vstack, which does": "row_stack",
    "it is about how an array lies in memory": "require asarray_chkfinite isfortran",
}


# How each function may be called with a complex matrix z of 3 x 3; a way that NumPy does not take is passed over.
_UPPER = np.triu(np.ones((3, 3), bool))
CALLS: dict[str, Callable[[Any, Any], Any]] = {
    "f(z)": lambda f, z: f(z),
    "f(row)": lambda f, z: f(z[0]),
    "f(positive definite)": lambda f, z: f(z @ np.conj(z.T) + np.eye(3)),
    "f(z, z.T)": lambda f, z: f(z, z.T),
    "f(row, row)": lambda f, z: f(z[0], z[1]),
    "f(z, row)": lambda f, z: f(z, z[0]),
    "f(z, 2)": lambda f, z: f(z, 2),
    "f(z, 0.5)": lambda f, z: f(z, 0.5),
    "f(z, indices)": lambda f, z: f(z, [0, 2]),
    "f(z, axes)": lambda f, z: f(z, 0, 1),
    "f(z, shape)": lambda f, z: f(z, (9,)),
    "f(z, longer shape)": lambda f, z: f(z, (2, 3, 3)),
    "f(z, dtype)": lambda f, z: f(z, np.complex128),
    "f(cube, n)": lambda f, z: f(np.stack([z, z]), 3),
    "f(z, place, row)": lambda f, z: f(z, 1, z[0]),
    "f(z, places along an axis)": lambda f, z: f(z, np.zeros((3, 1), int), 1),
    "f(list of arrays)": lambda f, z: f([z, z.T]),
    "f(list of rows)": lambda f, z: f([z[0], z[1]]),
    "f(mask, z)": lambda f, z: f(_UPPER, z),
    "f(mask, z, z.T)": lambda f, z: f(_UPPER, z, z.T),
    "f(masks, list of arrays)": lambda f, z: f([_UPPER], [z]),
    "f(z, masks, functions)": lambda f, z: f(z, [_UPPER, ~_UPPER], [np.square, np.exp]),
    "f(places, list of rows)": lambda f, z: f(np.array([0, 1, 0]), [z[0], z[1]]),
    "f(points, nodes, row)": lambda f, z: f([0.5, 1.5], [0.0, 1.0, 2.0], z[0]),
    "f(points, row, degree)": lambda f, z: f([0.0, 1.0, 2.0], z[0], 1),
    "f(function, axis, z)": lambda f, z: f(np.sum, 0, z),
    "f(function, z, axes)": lambda f, z: f(np.sum, z, [0]),
    "f(subscripts, z, z)": lambda f, z: f("ij,jk->ik", z, z),
    "f(copy, values)": lambda f, z: _changed(f, z, z[0]),
    "f(copy, mask, values)": lambda f, z: _changed(f, z, _UPPER, z[0]),
    "f(copy, places, values)": lambda f, z: _changed(f, z, [0, 4], z[0, :2]),
    "f(copy, places, values, axis)": lambda f, z: _changed(f, z, np.zeros((3, 1), int), z[:, :1], 1),
}
# Of the elements of these NumPy says nothing, or nothing of their order.
NOT_CALLED = ("empty", "empty_like", "unique_values")
WITHOUT_BOUNDS = ("f(z)", "f(row)", "f(positive definite)")  # ways of calling np.clip that change nothing


def _changed(f: Callable[..., Any], z: Any, *args: Any) -> Any:
    """A copy of z after a function that gives nothing has changed it."""
    copy = z * 1.0
    if f(copy, *args) is not None:
        raise TypeError(f"{f.__name__} changes nothing in place")
    return copy


# Real parts that are far from each other, so that none change places in a test by differences.
X, Y = (np.random.default_rng(k).permutation(np.linspace(-2.0, 2.5, 9)).reshape(3, 3) for k in (0, 1))


def called(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, which raises TypeError where an argument would be its `out`."""
    try:
        signature: Any = None if isinstance(function, np.ufunc) else inspect.signature(function)
    except ValueError:  # of some functions that are written in C
        signature = None

    def call(*args: Any) -> Any:
        count = function.nin if isinstance(function, np.ufunc) else len(args)
        if len(args) != count or (signature and "out" in signature.bind(*args).arguments):
            raise TypeError("an argument is what would be written into")
        return function(*args)

    call.__name__ = function.__name__
    return call


def complex_calls(name: str, function: Callable[..., Any]) -> tuple[list[str], list[str]]:
    """The ways of CALLS that NumPy takes with a complex matrix: those that Tensors take too, and those refused."""
    taken: list[str] = []
    refused: list[str] = []
    if name in NOT_CALLED:
        return taken, refused
    for way, call in CALLS.items():
        if name == "clip" and way in WITHOUT_BOUNDS:
            continue
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            try:
                expected = call(called(function), X + 1j * Y)
            except Exception:  # of NumPy, for a way that does not fit
                continue
            if not any(np.iscomplexobj(x) or np.asarray(x).dtype.kind == "f" for x in arrays(expected)):
                continue
            try:
                found = call(called(function), tg.Tensor(X) + 1j * tg.Tensor(Y))
            except Exception:  # ours, of several kinds
                refused.append(way)
                continue
        if any(isinstance(x, tg.Tensor) for x in arrays(found)):
            taken.append(way)
    return taken, refused


def arrays(result: Any) -> tuple[Any, ...]:
    """The results of a function that may give several."""
    return tuple(result) if isinstance(result, list | tuple) else (result,)


def _complex_support(entries: list[tuple[str, str, str]]) -> list[str]:
    """The table of which functions have a rule for complex numbers."""
    rows: dict[str, list[str]] = {"yes": [], "refused, by TypeError or NotImplementedError": [], "not of them": []}
    yes, no, never = rows.values()
    for space, name, _ in entries:
        taken, refused = complex_calls(name, getattr(SPACES[space], name))
        (yes if taken else no if refused else never).append(f"`{space}.{name}`")
    return [
        "| of complex numbers | functions |",
        "| --- | --- |",
        *[f"| {row} | {', '.join(names)} |" for row, names in rows.items()],
    ]


LISTS = """\
## Lists of Tensors, np.r_ and np.c_

NumPy asks the arguments of a function for an implementation, and the elements of a list only where the function is one
of lists of arrays: `np.concatenate`, `np.stack`, `np.hstack`, `np.vstack`, `np.dstack`, `np.column_stack`, `np.block`,
`np.linalg.multi_dot`, `np.select`, `np.choose`. Everywhere else it makes an array of a list before anybody is asked,
and a Tensor in it raises TypeError: join the Tensors first. That goes for `np.mean([t, u])`, `np.std`, `np.max`,
`np.linalg.norm` and their kin, for `np.stack([[t, u], [v, w]])`, and for `np.array([t, u])`.

| instead of | write |
| --- | --- |
| `np.array([t, u])` | `np.stack([t, u])`, or `np.array([t, u], like=t)`, which takes lists of lists |
| `np.mean([t, u])` | `np.mean(np.stack([t, u]))` |
| `np.r_[t, 1.0]` | `np.concatenate([t, [1.0]])` |
| `np.c_[t, u]` | `np.column_stack([t, u])` |

Operators and ufuncs do take a list of Tensors beside a Tensor: `t * [t[0], 2.0]`."""


def functions() -> Iterator[tuple[str, str, Any]]:
    """(space, name, function) of everything public that can be called and is no class."""
    for space, module in SPACES.items():
        for name in sorted(module.__all__):
            function = getattr(module, name)
            if callable(function) and not inspect.isclass(function):
                yield space, name, function


def status(name: str, function: Callable[..., Any]) -> tuple[str, str]:
    """("derivative", "plain" or "none", and why)."""
    if function in PLAIN or function in PLAIN_TOO:
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
        "## Complex numbers",
        "",
        "A leaf is real, and so is what is differentiated; between them numbers may be complex, and so may be what",
        "`tg.jacobian` and `tg.jvp` are of. The cotangent of z = u + iv is dL/du - i dL/dv. Each function of the list",
        f'was called in {len(CALLS)} ways with a complex matrix. "Yes" means that in one of them at least it has a',
        'derivative, which a test compares with differences; "not of them" that NumPy takes no complex numbers there,',
        "or that the function makes arrays of other things.",
        "",
        *_complex_support(found["derivative"]),
        "",
        *LISTS.splitlines(),
        "",
        "## scipy.special",
        "",
        f"With a derivative, where SciPy is installed: {', '.join(f'`{name}`' for name in rules_of(None))}.",
        "Those of its functions that are no ufuncs make arrays of their arguments, and refuse Tensors; the ones that",
        "`tinygrad_cnn.scipy.special` has under the same names do not.",
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
