"""The verdict on one case: right, refused, NaN, wrong, or not judged.

A process runs one case, so that each begins cold: `python -m public_programs.verdict NAME`, which prints JSON.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import json
import os
import signal
import sys
import traceback
import types
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from public_programs.case import Program, load

STEPS = np.geomspace(0.03, 1e-4, 8)  # of differences, relative to an element
SIXTH_ORDER = ((1, 45 / 60), (2, -9 / 60), (3, 1 / 60))
NOISE = 1e-6  # differences that disagree by more than this part of the gradient are no witness
PLAIN_CALLS = 50
ROOT = Path(__file__).parent.parent.parent


def differences(f: Program, x: Any, scale: float) -> tuple[np.ndarray, float]:
    """The gradient by central differences of sixth order, and how far the best two neighbouring steps disagree."""
    x = np.asarray(x)
    found = np.empty((len(STEPS), x.size))
    for j in range(x.size):
        unit = np.zeros(x.size)
        unit[j] = scale * (abs(x.flat[j]) or 1.0)
        for i, step in enumerate(STEPS):
            moved = lambda k, step=step, unit=unit: _given(x + (k * step * unit).reshape(x.shape))
            slope = sum(weight * (_number(f(moved(k))) - _number(f(moved(-k)))) for k, weight in SIXTH_ORDER)
            found[i, j] = slope / (step * unit[j])
    gaps = np.abs(np.diff(found, axis=0))
    best = np.argmin(np.where(np.isfinite(gaps), gaps, np.inf), axis=0)
    columns = np.arange(x.size)
    slopes = (found[best, columns] + found[best + 1, columns]) / 2
    return slopes.reshape(x.shape), float(np.max(gaps[best, columns]))


def judge(f: Program, x: Any, gradient: Callable[[], tuple[Any, Any]], truth: dict[str, Any]) -> dict[str, Any]:
    """Compare the value and the gradient that `gradient` returns with the truth."""
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        try:
            value, slopes = gradient()
            value, slopes = _number(value), np.asarray(slopes, dtype=float)
        except Exception as error:  # a refusal, of whatever kind
            return refused(error)
    expected, noise = np.asarray(truth["gradient"]), truth["noise"]
    size = max(float(np.max(np.abs(expected))), 1e-300)
    off = float(np.max(np.abs(slopes - expected))) if slopes.shape == expected.shape else float("nan")
    apart = abs(value - truth["value"])
    if not apart <= 1e-9 * max(abs(truth["value"]), 1e-9):
        return {"verdict": "wrong", "message": f"value {value!r}; plain NumPy's is {truth['value']!r}"}
    if not off <= max(10 * noise, 1e-7 * size):
        for warning in warned:
            if warning.category.__name__ == "GradientLostWarning":
                return {"verdict": "refused", "message": f"warned: {warning.message}", "frames": []}
        if np.any(np.isnan(slopes)):
            return {"verdict": "NaN", "message": f"gradient {slopes.ravel()[:4].tolist()}"}
        got, want = slopes.ravel()[:4].tolist(), expected.ravel()[:4].tolist()
        return {"verdict": "wrong", "message": f"gradient {got}; differences give {want}"}
    return {"verdict": "right", "message": ""}


def refused(error: BaseException) -> dict[str, Any]:
    """A refusal: its message, and the last lines of code that is not ours or NumPy's."""
    frames = [
        f"{Path(frame.filename).name}:{frame.lineno}: {frame.line}"
        for frame in traceback.extract_tb(error.__traceback__)
        if "tinygrad_cnn" not in Path(frame.filename).parts[:-1] and not frame.filename.endswith("verdict.py")
    ]
    return {"verdict": "refused", "message": f"{type(error).__name__}: {error}", "frames": frames[-4:]}


def true_gradient(f: Program, x: Any, scale: float) -> dict[str, Any]:
    """What the verdict is compared with: JSON, so that other processes can be given it."""
    value = _number(f(_given(x)))
    slopes, noise = differences(f, x, scale)
    truth = {"value": value, "gradient": slopes.tolist(), "noise": noise}
    size = float(np.max(np.abs(slopes)))
    if not np.isfinite(value) or not np.isfinite(size) or size == 0.0:
        truth["not judged"] = f"value {value}, gradient {slopes.ravel()[:4].tolist()}"
    elif not noise <= NOISE * size:
        truth["not judged"] = f"differences disagree by {noise:.1e}, in a gradient of size {size:.1e}"
    return truth


def ours(f: Program, x: Any, adopted: list[Any]) -> tuple[Any, Any]:
    """Value and gradient by this package."""
    import tinygrad_cnn as tg

    with tg.adopt(*adopted) if adopted else contextlib.nullcontext():
        return tg.value_and_grad(f)(x)


def autograds(f: Program, x: Any, adopted: list[Any]) -> tuple[Any, Any]:
    """Value and gradient by HIPS autograd, with its numpy in place of NumPy in the same modules."""
    import autograd

    with swapped([*adopted, importlib.import_module("public_programs.case")]):
        return autograd.value_and_grad(f)(x)


@contextlib.contextmanager
def swapped(modules: list[Any]) -> Iterator[None]:
    """autograd.numpy instead of numpy, and its functions instead of NumPy's, among the globals of modules."""
    import autograd.numpy as anp

    names = [module.__name__ for module in modules]
    by_id = {id(np): anp}
    for theirs, its in ((np, anp), (np.linalg, anp.linalg), (np.fft, anp.fft)):
        by_id[id(theirs)] = its
        for name in dir(theirs):
            new = getattr(its, name, None)
            if callable(new) and not isinstance(new, type) and not name.startswith("_"):
                by_id.setdefault(id(getattr(theirs, name)), new)
    old = []
    for name, module in list(sys.modules.items()):
        if isinstance(module, types.ModuleType) and any(name == n or name.startswith(f"{n}.") for n in names):
            for key, thing in list(vars(module).items()):
                if not key.startswith("__") and id(thing) in by_id and thing is not by_id[id(thing)]:
                    old.append((module, key, thing))
                    setattr(module, key, by_id[id(thing)])
    try:
        yield
    finally:
        for module, key, thing in old:
            setattr(module, key, thing)


def _given(x: Any) -> Any:
    """What a person would pass: a float, or an array of their own."""
    return float(x) if np.ndim(x) == 0 else np.array(x)


def _number(value: Any) -> float:
    return float(np.asarray(value).reshape(()))


def cold_and_warm(make: Callable[[], Program], x: Any, scale: float, names: list[str]) -> dict[str, Any]:
    """The verdict on the first call of all, and after plain calls, from which CPython has specialised the code."""
    f = make()
    modules = [importlib.import_module(name) for name in names]
    first: dict[str, Any] = {}

    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        try:
            first["result"] = ours(f, x, modules)
        except Exception as error:
            first["error"] = error
    for _ in range(PLAIN_CALLS):
        f(_given(x))
    truth = true_gradient(f, x, scale)

    def cold() -> tuple[Any, Any]:
        if "error" in first:
            raise first["error"]
        for warning in warned:
            warnings.warn_explicit(warning.message, warning.category, warning.filename, warning.lineno)
        return first["result"]

    return {
        "truth": truth,
        "cold": judge(f, x, cold, truth),
        "warm": judge(f, x, lambda: ours(f, x, modules), truth),
    }


def once(make: Callable[[], Program], x: Any, names: list[str], truth: dict[str, Any], by: str) -> dict[str, Any]:
    """The verdict on one call, against a truth that another process found."""
    f = make()
    modules = [importlib.import_module(name) for name in names]
    return judge(f, x, lambda: (ours if by == "ours" else autograds)(f, x, modules), truth)


def command(name: str, names: list[str], truth: dict[str, Any]) -> str:
    """A program for `python -c`, which holds the case as a person would type it there."""
    case = load()[name]
    return "\n".join(
        [
            "import json, math, warnings",
            "import numpy as np",
            "import sys",
            f"sys.path[:0] = {[str(ROOT), str(ROOT / 'tests')]!r}",
            f"from {case.make.__module__} import *",  # its constants
            "from public_programs import verdict",
            "warnings.simplefilter('ignore')",
            case.source,
            "nan = float('nan')",
            f"x = np.array({case.point.tolist()!r})" if isinstance(case.x, list) else f"x = {case.point!r}",
            f"print(json.dumps(verdict.once({name}, x, {names!r}, {truth!r}, 'ours')))",
        ]
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("name")
    parser.add_argument("--truth", type=json.loads, help="compare one call with this")
    parser.add_argument("--by", choices=["ours", "autograd"], default="ours")
    parser.add_argument("--as-it-is", action="store_true", help="adopt nothing")
    args = parser.parse_args()
    case = load()[args.name]
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    names = [] if args.as_it_is else [*case.adopt, case.make.__module__]
    out = os.dup(1)
    os.dup2(2, 1)  # some packages print
    if args.truth is None:
        result = cold_and_warm(case.make, case.point, case.scale, names)
    else:
        result = once(case.make, case.point, names, args.truth, args.by)
    os.write(out, json.dumps(result).encode())


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    main()
