"""docs/numpy.md says which of NumPy's functions take Tensors: it is true, and what it lists is tested."""

from __future__ import annotations

import importlib.util
import warnings

import numpy as np
import pytest
from all_cases import CASES
from numeric import derivatives_agree, slope
from paths import ROOT

import tinygrad_cnn as tg
import tinygrad_cnn.numpy
from tinygrad_cnn.engine.primitive import implementations

DOCS = ROOT / "docs"


@pytest.fixture(scope="module")
def coverage():
    spec = importlib.util.spec_from_file_location("numpy_coverage", DOCS / "numpy_coverage.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_what_the_table_of_functions_says(coverage) -> None:
    written = (DOCS / "numpy.md").read_text(encoding="utf-8")
    if f"numpy {np.__version__.rsplit('.', 1)[0]}," not in written:
        pytest.skip("the page was written for another version of NumPy")
    assert coverage.page() == written, "write it anew: python docs/numpy_coverage.py"


def test_at_least_280_functions_have_a_derivative_and_330_with_methods(coverage) -> None:
    functions = [f for _, name, f in coverage.functions() if coverage.status(name, f)[0] == "derivative"]
    assert len(functions) >= 280
    assert len(functions) + len(coverage.methods()[0]) >= 330


def test_every_function_with_a_derivative_has_a_line_in_the_tables(coverage, monkeypatch) -> None:
    called = set()

    class Watched(dict):
        def get(self, key, default=None):
            called.add(key)
            return super().get(key, default)

        def __getitem__(self, key):
            called.add(key)
            return super().__getitem__(key)

    from tinygrad_cnn.engine import tensor

    monkeypatch.setattr(tensor, "implementations", Watched(implementations))
    for case in CASES:
        case.function(*[tg.Tensor(x) for x in case.operands()])
    listed = {
        f: f"{space}.{name}" for space, name, f in coverage.functions() if coverage.status(name, f)[0] == "derivative"
    }
    untested = sorted(name for function, name in listed.items() if function not in called)
    assert untested == []


def test_plain_functions_give_plain_arrays() -> None:
    from tinygrad_cnn.numpy_functions.without_derivative import PLAIN

    x = np.array([0.5, 2.5, -1.5])
    for function in PLAIN:
        for args in ((x,), (x, 1.0), (x, x), (x, 1)):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)  # of NumPy's own functions, as np.fix
                try:
                    expected = function(*args)
                except (TypeError, ValueError, np.linalg.LinAlgError):
                    continue
                found = function(*[tg.Tensor(a) if a is x else a for a in args])
            assert not isinstance(found, tg.Tensor)
            np.testing.assert_equal(found, expected)
            break


# Functions with a branch cut on the real numbers beyond 1.
HAVE_A_CUT = ("acos", "arccos", "asin", "arcsin", "atanh", "arctanh")


def test_each_complex_rule_that_the_page_lists_is_what_differences_give(coverage) -> None:
    """Of a real number that shows both parts of all results, along a direction in both parts of the operand."""
    X, Y = coverage.X, coverage.Y
    wrong, count = [], 0
    for space, name, function in coverage.functions():
        rng = np.random.default_rng(len(name))
        if coverage.status(name, function)[0] != "derivative":
            continue
        for way in coverage.complex_calls(name, function)[0]:
            if name in HAVE_A_CUT and way == "f(positive definite)":  # whose diagonal is on it
                continue
            call, U, V = coverage.CALLS[way], *rng.standard_normal((2, 3, 3))

            def number(t, f=function, call=call, U=U, V=V):
                total = 0.0
                for k, x in enumerate(coverage.arrays(call(f, (X + t * U) + 1j * (Y + t * V)))):
                    if np.result_type(x).kind in "fc":
                        weights = np.cos(np.arange(np.size(x)) + k).reshape(np.shape(x))
                        total = total + np.sum(weights * np.real(x)) + np.sum(np.sin(weights) * np.imag(x))
                return total

            with warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("ignore")
                expected = slope(lambda t: number(np.float64(t)))
                found = tg.grad(number)(0.0)
            count += 1
            if np.isfinite(expected) and found != pytest.approx(expected, rel=1e-6, abs=1e-7):
                wrong.append(f"{space}.{name}, {way}: {found}, but differences give {expected}")
    assert "\n".join(wrong) == ""
    assert count > 300


def test_of_lists_of_tensors_a_function_makes_a_tensor_or_raises(coverage) -> None:
    """A list is no argument that NumPy asks: what leaves the graph by it does so with an error."""
    lost = []
    for values in ([0.5, 0.25], [np.array([0.5, 0.75]), np.array([0.25, 0.125])]):
        for space, name, function in coverage.functions():
            if coverage.status(name, function)[0] != "derivative":
                continue
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                try:
                    function(values)
                    found = function([tg.Tensor(x) * 1 for x in values])
                except Exception:  # NumPy's, where it takes no such list, or ours
                    continue
            if not any(isinstance(x, tg.Tensor) for x in coverage.arrays(found)):
                lost.append(f"{space}.{name}")
    assert lost == []


@pytest.mark.parametrize(
    "function",
    [
        lambda np, t, u: np.array([t, u]),
        lambda np, t, u: np.mean([t, u]),
        lambda np, t, u: np.stack([[t, u], [u, t]]),
        lambda np, t, u: np.r_[t, 1.0],
        lambda np, t, u: np.c_[t, u],
    ],
)
def test_what_is_refused_of_lists_names_the_namespace_that_takes_them(function) -> None:
    t, u = np.array([1.0, 2.0]), np.array([3.0, 5.0])
    with pytest.raises(TypeError, match=r"write `import tinygrad_cnn\.numpy as np`"):
        function(np, tg.Tensor(t), tg.Tensor(u))
    found = function(tinygrad_cnn.numpy, tg.Tensor(t), tg.Tensor(u))
    np.testing.assert_array_equal(found.value, function(np, t, u))


def test_operators_and_ufuncs_take_a_list_of_tensors_beside_a_tensor() -> None:
    for function in (
        lambda x: x * [x[0], 2.0, x[1]],
        lambda x: [x[2], x[1], 1.0] / x,
        lambda x: np.hypot([x[:2], x[1:]], x[0]),
        lambda x: x @ [[x[0], 1.0], [x[1], x[2]], [0.5, x[0] * x[1]]],
    ):
        derivatives_agree(function, [np.array([0.5, 1.5, 2.0])], order=2)
