"""docs/numpy.md says which of NumPy's functions take Tensors: it is true, and what it lists is tested."""

from __future__ import annotations

import importlib.util
import warnings
from pathlib import Path

import numpy as np
import pytest
from test_derivatives import CASES

import tinygrad_cnn as tg
from tinygrad_cnn.primitive import implementations

DOCS = Path(__file__).parent.parent / "docs"


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

    from tinygrad_cnn import tensor

    monkeypatch.setattr(tensor, "implementations", Watched(implementations))
    for case in CASES:
        case.function(*[tg.Tensor(x) for x in case.operands()])
    listed = {
        f: f"{space}.{name}" for space, name, f in coverage.functions() if coverage.status(name, f)[0] == "derivative"
    }
    untested = sorted(name for function, name in listed.items() if function not in called)
    assert untested == []


def test_plain_functions_give_plain_arrays() -> None:
    from tinygrad_cnn.rules.plain import PLAIN

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
