"""Write docs/scipy.md: which of SciPy's functions take Tensors, and by which arguments they are differentiated.

From the root of the project: python docs/scipy_coverage.py

An argument is listed if a test compares the derivative by it with differences: the calls of tests/scipy are made with
Tensors, and what is given to each function is recorded.
"""

from __future__ import annotations

import importlib
import inspect
import sys
from pathlib import Path
from typing import Any

import numpy as np
import scipy
import scipy.special

import tinygrad_cnn as tg
import tinygrad_cnn.scipy
from tinygrad_cnn.primitives.scipy_special import rules_of
from tinygrad_cnn.replacements import holds_tensor, replacements

PAGE = Path(__file__).parent / "scipy.md"
TESTS = Path(__file__).parents[1] / "tests"
# The modules of the page, and the tests of each.
MODULES = {
    "special": "test_special", "linalg": "test_linalg", "stats": "test_stats", "interpolate": "test_interpolate",
    "signal": "test_signal", "ndimage": "test_ndimage", "spatial.distance": "test_spatial", "fft": "test_fft",
}  # fmt: skip
METHODS = ("logpdf", "logpmf", "pdf", "pmf", "cdf", "sf", "logcdf", "logsf", "ppf", "isf")

HEAD = """\
# SciPy's functions on Tensors

`tinygrad_cnn.scipy` has SciPy's modules under their names, with all that is in them:

    from tinygrad_cnn.scipy import linalg, signal
    from tinygrad_cnn.scipy.stats import norm

    tg.grad(lambda a: np.sum(linalg.solve(a, b, assume_a="pos")))(a)
    tg.grad(lambda p: -np.sum(norm.logpdf(data, p["mean"], np.exp(p["log_scale"]))))(p)

A function of the lists below is SciPy's own where no Tensor is among its arguments, at the cost of one check. With a
Tensor it is an expression of NumPy's functions, or a primitive whose forward function is SciPy's: values, dtypes and
errors are SciPy's up to rounding. Everything else in these modules is SciPy's object, and refuses Tensors. The ufuncs
of `scipy.special` take Tensors as they are, imported from SciPy. `tg.adopt` puts these functions into code that cannot
be edited. The solvers of `optimize` and `integrate` have [a page of their own](solvers.md).

SciPy is the extra `scipy`: `pip install 'tinygrad-cnn[scipy]'`. It is imported with the module that needs it.

- An argument that is not listed is to be plain; a derivative that has no closed form, such as that by the order of a
  Bessel function, raises NotImplementedError and names the argument. None is taken to be zero.
- A parameter that a function does not support raises NotImplementedError unless it is what it is by default.
- Of a matrix of which SciPy reads one triangle, as with `assume_a="pos"`, the gradient lies in that triangle.
- Permutations, ranks, frequencies and shapes are plain arrays and numbers.
- Matrices and signals are real.

This page is written by `python docs/scipy_coverage.py`, from what the tests compare with differences; a test keeps it
true."""


def main_module(name: str) -> tuple[Any, Any]:
    """SciPy's module of that name, and ours."""
    return importlib.import_module(f"scipy.{name}"), importlib.import_module(f"tinygrad_cnn.scipy.{name}")


class Recording:
    """A module of which the arguments that are Tensors are recorded, by the names of its functions."""

    def __init__(self, theirs: Any, ours: Any) -> None:
        self.theirs, self.ours, self.found = theirs, ours, dict[str, dict[str, None]]()

    def __getattr__(self, name: str) -> Any:
        function, original = getattr(self.ours, name), getattr(self.theirs, name)
        if not callable(function) or not (inspect.isclass(original) or hasattr(original, "__name__")):
            return function

        def call(*args: Any, **keywords: Any) -> Any:
            bound = inspect.signature(original).bind(*args, **keywords)
            given = {**bound.arguments, **bound.arguments.pop("kwargs", {})}
            names = self.found.setdefault(name, {})
            names.update(dict.fromkeys(n for n, x in given.items() if holds_tensor((x,))))
            return function(*args, **keywords)

        return call


def recorded(name: str) -> dict[str, list[str]]:
    """For each function of the module: the arguments by which tests differentiate it, in SciPy's order."""
    for folder in (TESTS / "support", TESTS / "scipy"):
        if str(folder) not in sys.path:
            sys.path.insert(0, str(folder))
    theirs, ours = main_module(name)
    module = Recording(theirs, ours)
    for call in importlib.import_module(MODULES[name]).CALLS:
        with np.errstate(all="ignore"):
            call.function(module, *map(tg.Tensor, call.operands()))
    order = {f: list(inspect.signature(getattr(theirs, f)).parameters) for f in module.found}
    return {
        f: sorted(arguments, key=lambda n: order[f].index(n) if n in order[f] else len(order[f]))
        for f, arguments in sorted(module.found.items())
    }


def functions_of(name: str) -> list[str]:
    """The functions and classes of the module that have a counterpart."""
    theirs, ours = main_module(name)
    return [
        f
        for f in sorted(theirs.__all__)
        if (found := replacements.get(id(getattr(theirs, f))))
        and found[1] is getattr(ours, f)
        and not inspect.ismodule(found[1])
        and (inspect.isclass(found[0]) or hasattr(found[0], "__name__"))
    ]


def _ufuncs() -> list[str]:
    """A row for each ufunc of scipy.special that has rules."""
    rows = ["| ufunc | with respect to | not |", "| --- | --- | --- |"]
    for name, rules in sorted(rules_of(scipy.special).items()):
        of_first = rules[0] if isinstance(rules[0], tuple) else rules
        operands = next((names for rule in of_first if (names := _operands(rule))), ["x"])
        no = [x for x, rule in zip(operands, of_first, strict=True) if rule and "unsupported" in rule.__qualname__]
        yes = [x for x, rule in zip(operands, of_first, strict=True) if rule and x not in no]
        rows.append(f"| `{name}` | {_listed(yes)} | {_listed(no)} |")
    return rows


def _operands(rule: Any) -> list[str]:
    """The operands of a ufunc, by the names that its rule has for them behind g and out."""
    if rule is None or "unsupported" in rule.__qualname__:
        return []
    return list(inspect.signature(rule).parameters)[2:]


def _listed(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _functions(name: str) -> list[str]:
    rows = ["| function | with respect to |", "| --- | --- |"]
    for f, arguments in recorded(name).items():
        is_class = inspect.isclass(getattr(main_module(name)[0], f))
        places = ["the points of evaluation"] if is_class else []
        rows.append(f"| `{f}` | {', '.join([*[f'`{x}`' for x in arguments], *places])} |")
    return rows


def _distributions() -> list[str]:
    """A row for each distribution: its methods, and by which shape parameters the density alone has derivatives."""
    tests = importlib.import_module("test_distributions")
    rows = ["| distribution | methods | shape parameters | of the density alone |", "| --- | --- | --- | --- |"]
    _, ours = main_module("stats")
    for name, values in sorted(tests.SHAPES.items()):
        distribution = getattr(ours, name)
        keys = {"logpdf": "log", "logpmf": "log", "pdf": "density", "pmf": "density"}
        methods = [
            method
            for method in METHODS
            if hasattr(type(distribution), method) and _supports(distribution, method, keys.get(method, method))
        ]
        shapes = [x.strip() for x in (distribution.shapes or "").split(",") if x.strip()]
        density = [x for k, x in enumerate(shapes) if not _differentiable(distribution, values, k, methods)]
        rows.append(f"| `{name}` | {_listed(methods)} | {_listed(shapes)} | {_listed(density)} |")
    return rows


def _supports(distribution: Any, method: str, key: str) -> bool:
    try:
        distribution.standard_function(method, key)
    except (NotImplementedError, AttributeError):
        return False
    return True


def _differentiable(distribution: Any, values: list[float], k: int, methods: list[str]) -> bool:
    """Whether the distribution function has a derivative by the k-th shape parameter."""
    if "cdf" not in methods:
        return True
    at = 1.0 if "pmf" in methods else float(distribution.ppf(0.4, *values))
    try:
        tg.grad(lambda shape: distribution.cdf(at, *values[:k], shape, *values[k + 1 :]))(float(values[k]))
    except NotImplementedError:
        return False
    return True


def page() -> str:
    """The text of docs/scipy.md."""
    lines = HEAD.splitlines()
    for name in MODULES:
        lines += ["", f"## scipy.{name}", ""]
        if name == "special":
            lines += [*_ufuncs(), ""]
        lines += _functions(name)
        if name == "stats":
            lines += [
                "",
                "Distributions, also frozen ones, with respect to the point or the probability, `loc`, `scale` and the",
                "shape parameters; discrete ones with respect to the shape parameters alone:",
                "",
                *_distributions(),
                "",
                "`multivariate_normal` (`x`, `mean`, `cov`), `dirichlet` (`x`, `alpha`) and `multinomial` (`p`): the",
                "density and its logarithm.",
            ]
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(f"wrote {PAGE}")
