"""scipy.fftpack, against SciPy's values and differences."""

from __future__ import annotations

import numpy as np
import pytest
from numeric import derivatives_agree

import tinygrad_cnn as tg

scipy_fftpack = pytest.importorskip("scipy.fftpack")

from tinygrad_cnn.scipy import fftpack  # noqa: E402

X = np.random.default_rng(0).standard_normal((3, 4))


@pytest.mark.parametrize("name", ["dct", "idct", "dst", "idst"])
@pytest.mark.parametrize("kind", [1, 2, 3, 4])
@pytest.mark.parametrize("keywords", [{}, {"norm": "ortho", "axis": 0}, {"n": 5}])
def test_real_transforms(name: str, kind: int, keywords: dict[str, object]) -> None:
    if kind == 1 and keywords.get("norm") and name.endswith("dct"):
        keywords = {**keywords, "axis": 1}
    ours, theirs = getattr(fftpack, name), getattr(scipy_fftpack, name)
    expected = theirs(X, kind, **keywords)
    np.testing.assert_allclose(tg.vjp(lambda x: ours(x, kind, **keywords), X)[0], expected, rtol=1e-13, atol=1e-13)
    np.testing.assert_array_equal(ours(X, kind, **keywords), expected)
    derivatives_agree(lambda x: ours(x, kind, **keywords), [X], order=1)


@pytest.mark.parametrize("name", ["fft", "ifft"])
def test_complex_transforms(name: str) -> None:
    ours, theirs = getattr(fftpack, name), getattr(scipy_fftpack, name)
    np.testing.assert_allclose(tg.vjp(lambda x: ours(x, axis=0), X)[0], theirs(X, axis=0), rtol=1e-14)
    derivatives_agree(lambda x: np.abs(ours(x)), [X], order=1)
