"""What stands for Python's float, int, isinstance and round in adopted code."""

from __future__ import annotations

import math
import numbers
from typing import Any

import numpy as np
import pytest

import tinygrad_cnn as tg
from tinygrad_cnn import builtin_functions as ours


def test_of_numbers_they_are_pythons() -> None:
    for x in ("3.5", "inf", 2, 2.5, True, np.float32(1.5)):
        assert ours.float(x) == float(x)
        assert type(ours.float(x)) is float
    assert ours.float() == 0.0
    assert ours.float.fromhex("0x1p3") == 8.0
    for x in ("12", 2.9, True, np.float32(1.5)):
        assert ours.int(x) == int(x)
        assert type(ours.int(x)) is int
    assert ours.int("ff", 16) == ours.int("ff", base=16) == 255
    assert ours.round(2.567, 2) == 2.57
    assert ours.round(2.5) == 2
    assert type(ours.round(2.5)) is int
    for wrong in ("x", [1], None):
        with pytest.raises((TypeError, ValueError)):
            ours.float(wrong)


def test_the_classes_are_pythons_to_whoever_asks() -> None:
    for stand_in, original in ((ours.float, float), (ours.int, int)):
        assert stand_in == original
        assert {original: "found"}[stand_in] == {stand_in: "found"}[original] == "found"
        assert isinstance(original(3), stand_in)
        assert issubclass(original, stand_in)
        assert issubclass(stand_in, original)
        assert not isinstance("3", stand_in)
        assert not isinstance(original(3), type(stand_in))
        assert repr(stand_in) == repr(original)
        assert np.dtype(stand_in) == np.dtype(original)
        assert np.zeros(2, dtype=stand_in).dtype == np.dtype(original)
        assert np.array([1, 2]).astype(stand_in).dtype == np.dtype(original)
        assert np.issubdtype(np.dtype(original), stand_in)
    assert isinstance(True, ours.int)
    assert not isinstance(2.0, ours.int)
    match 2.5:
        case ours.float(x):
            assert x == 2.5


def test_of_a_tensor() -> None:
    def f(t: Any) -> Any:
        assert ours.int(t[0]) == 2
        assert type(ours.int(t[0])) is int
        assert ours.round(t[0]) == 3
        assert ours.round(t[0], 1) == 2.7
        z = ours.complex(t[0], t[1]) * ours.complex(imag=t[0])
        assert ours.isinstance(z, complex)
        return ours.float(t[0]) + ours.float(t[1:2]) ** 2 + ours.float(t[1].reshape(1, 1)) + z.real

    assert tg.grad(f)(np.array([2.71, 3.0])).tolist() == [1.0 - 3.0, 7.0 - 2.71]
    assert ours.complex(1.0, 2.0) == 1.0 + 2.0j
    assert ours.complex("1+2j") == 1.0 + 2.0j
    with pytest.raises(TypeError, match="length-1"):
        tg.grad(lambda t: ours.float(t))(np.ones(2))


@pytest.mark.parametrize("value", [np.float64(0.5), np.float32(0.5), np.array(0.5), np.array([0.5, 1.5])])
@pytest.mark.parametrize(
    "kind",
    [np.ndarray, float, int, np.floating, np.float64, np.generic, numbers.Real, numbers.Integral, list, (int, list)],
)
def test_a_tensor_is_an_instance_of_what_its_value_is_one_of(value: Any, kind: Any) -> None:
    def f(t: Any) -> Any:
        assert ours.isinstance(t, kind) == isinstance(value, kind)
        assert ours.isinstance(t, tg.Tensor)
        return np.sum(t)

    tg.grad(f)(value)


def test_isinstance_of_what_is_no_tensor_is_pythons() -> None:
    assert ours.isinstance(1, int)
    assert not ours.isinstance(1, (str, float))
    assert ours.isinstance(math.pi, int | float)
    with pytest.raises(TypeError):
        ours.isinstance(1, "int")


def test_numpys_floats_are_called_with_tensors_too() -> None:
    for stand_in, original in ((ours.float64, np.float64), (ours.float32, np.float32)):
        assert type(stand_in(2)) is original
        assert stand_in([1.0, 2.0]).dtype == original
        assert stand_in == original
        assert {original: "found"}[stand_in] == "found"
        assert isinstance(original(1), stand_in)
        assert issubclass(original, stand_in)
        assert np.dtype(stand_in) == np.dtype(original)
        assert np.zeros(2, dtype=stand_in).dtype == original
        assert np.issubdtype(original, stand_in)
        assert np.issubdtype(stand_in, np.floating)
        assert np.finfo(stand_in).eps == np.finfo(original).eps

    def f(t: Any) -> Any:
        assert ours.float32(t).dtype == np.float32
        assert ours.float64(np.sum(t)).shape == ()
        return np.sum(ours.float64(t) ** 2) + ours.float32(t[0]) * 3

    np.testing.assert_allclose(tg.grad(f)(np.array([2.0, 3.0])), [7.0, 6.0])
