"""What an operand may be, for each line of the tables: of any layout or dtype, complex, a list beside a Tensor."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from all_cases import CASES, each_case
from cases import Case

import tinygrad_cnn as tg

pytestmark = pytest.mark.slow


def strided(x: np.ndarray) -> np.ndarray:
    spread = np.zeros([2 * n for n in x.shape])[(*[slice(None, None, 2)] * x.ndim, ...)]
    spread[...] = x
    return spread


def backwards(x: np.ndarray) -> np.ndarray:
    turn = (*[slice(None, None, -1)] * x.ndim, ...)
    return x[turn].copy()[turn]


def unwritable(x: np.ndarray) -> np.ndarray:
    x = x.copy()
    x.flags.writeable = False
    return x


LAYOUTS = {
    "in Fortran's order": lambda x: x.copy(order="F"),
    "strided": strided,
    "backwards": backwards,
    "read-only": unwritable,
}


@each_case
@pytest.mark.parametrize("layout", LAYOUTS)
def test_neither_value_nor_gradient_depends_on_how_an_array_lies_in_memory(case: Case, layout: str) -> None:
    operands = case.operands()
    laid_out = [LAYOUTS[layout](x) for x in operands]
    everyone = tuple(range(len(operands)))

    def number(*xs: Any) -> Any:
        return np.sum(np.cos(case.function(*xs)))

    np.testing.assert_allclose(
        case.function(*map(tg.Tensor, laid_out)).value, case.function(*operands), rtol=1e-13, atol=1e-13
    )
    found, expected = tg.grad(number, everyone)(*laid_out), tg.grad(number, everyone)(*operands)
    for x, y in zip(found, expected, strict=True):
        np.testing.assert_allclose(x, y, rtol=1e-12, atol=1e-13, strict=True)


def numpys(case: Case, operands: list[Any]) -> np.ndarray | None:
    """What NumPy makes of `operands`; None if it does not take them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return np.asarray(case.function(*operands))
        except (TypeError, ValueError, IndexError, AttributeError, np.linalg.LinAlgError):
            return None


def agrees(
    case: Case, operands: list[Any], expected: np.ndarray, refusals: tuple[type[Exception], ...], precision: float
) -> None:
    """Assert that Tensors give what NumPy does, or are refused by one of `refusals`."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            found = case.function(*operands)
        except refusals:
            return
    found = found.value if isinstance(found, tg.Tensor) else np.asarray(found)
    np.testing.assert_allclose(found, expected, rtol=precision, atol=precision, strict=True)


@each_case
@pytest.mark.parametrize("dtype", [np.float32, np.longdouble])
def test_the_value_has_the_dtype_that_numpy_gives_it(case: Case, dtype: type) -> None:
    operands = case.operands(dtype)
    expected = numpys(case, operands)
    if expected is not None:
        agrees(case, [tg.Tensor(x) for x in operands], expected, (), 1e-5 if dtype is np.float32 else 1e-14)


@each_case
def test_complex_numbers_give_what_numpy_makes_of_them_or_are_refused(case: Case) -> None:
    operands = case.operands()

    def made_complex(x: Any, turn: complex) -> Any:
        return x * turn + 0.25j * np.arange(np.size(x)).reshape(np.shape(x))

    turns = [1 + 0.5j if k % 2 else 1 - 0.5j for k in range(len(operands))]
    expected = numpys(case, [made_complex(x, turn) for x, turn in zip(operands, turns, strict=True)])
    if expected is not None:
        tensors = [made_complex(tg.Tensor(x), turn) for x, turn in zip(operands, turns, strict=True)]
        agrees(case, tensors, expected, (TypeError,), 1e-13)


OTHERS: dict[str, Callable[[np.ndarray], Any]] = {
    "a list": np.ndarray.tolist,
    "an array of integers": lambda x: np.arange(1, x.size + 1).reshape(x.shape),
    "an array of float32": lambda x: x.astype(np.float32),
}


@pytest.mark.parametrize("case", [c for c in CASES if len(c.shapes) > 1], ids=lambda case: case.name)
@pytest.mark.parametrize("other", OTHERS)
def test_beside_a_tensor_stands_what_may_stand_beside_an_array(case: Case, other: str) -> None:
    for k in range(len(case.shapes)):
        operands = [OTHERS[other](x) if i == k else x for i, x in enumerate(case.operands())]
        expected = numpys(case, operands)
        if expected is not None:
            mixed = [x if i == k else tg.Tensor(x) for i, x in enumerate(operands)]
            refusals = (NotImplementedError, TypeError) if expected.dtype.kind == "i" else (NotImplementedError,)
            agrees(case, mixed, expected, refusals, 1e-5 if other == "an array of float32" else 1e-13)


class Column:
    """What says that it can be an array, as a column of pandas does."""

    def __init__(self, values: np.ndarray) -> None:
        self.values = values

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        return np.array(self.values, dtype, copy=copy)


def test_beside_a_tensor_stands_whatever_can_be_an_array() -> None:
    values, t = np.array([1.0, 2.0]), tg.Tensor([3.0, 5.0])
    product = t * Column(values)
    values[:] = 7  # too late to change anything
    np.sum(product).backward()
    assert list(product.value) == [3, 10]
    assert list(t.grad) == [1, 2]
    assert list(tg.relu(Column(np.array([-1.0, 1.0])))) == [0, 1]


@pytest.mark.peers
def test_tables_of_pandas_stand_on_either_side_of_an_operator() -> None:
    pandas = pytest.importorskip("pandas")
    x = np.arange(6.0).reshape(2, 3)
    table, column, w = pandas.DataFrame(x), pandas.Series(x[1]), np.array([1.0, 2.0, 4.0])
    for ours, plain in [
        (lambda w: table * w, lambda w: x * w),
        (lambda w: w - table, lambda w: w - x),
        (lambda w: column * w, lambda w: x[1] * w),
        (lambda w: w**column, lambda w: w ** x[1]),
        (lambda w: np.multiply(column, w), lambda w: x[1] * w),
        (lambda w: table[0] - w[0], lambda w: x[:, 0] - w[0]),
        (lambda w: w @ table.T, lambda w: w @ x.T),
        (lambda w: tg.linear(table, w[None]), lambda w: tg.linear(x, w[None])),
    ]:
        found, expected = (tg.value_and_grad(lambda w, f=f: np.sum(f(w) ** 2))(w) for f in (ours, plain))
        np.testing.assert_array_equal(found[0], expected[0])
        np.testing.assert_array_equal(found[1], expected[1])
    with pytest.raises(TypeError, match=r"table\.to_numpy\(\)"):
        table @ tg.Tensor(w)


def test_a_float_is_not_put_into_an_array_of_integers() -> None:
    with pytest.raises(TypeError, match="insert: the result for a Tensor has dtype int64"):
        np.insert(np.arange(3), 1, tg.Tensor(0.5))


class Quantity(np.ndarray):
    """An array of a kind of somebody else's, such as one with a unit."""


MORE_THAN_ARRAYS = {
    "MaskedArray": np.ma.array([1.0, 2.0], mask=[False, True]),
    "Quantity": np.ones(2).view(Quantity),
}


@pytest.mark.parametrize("name", MORE_THAN_ARRAYS)
def test_what_is_more_than_an_array_is_refused(name: str) -> None:
    """Its mask would be ignored, or its product taken for another, without a word."""
    x = MORE_THAN_ARRAYS[name]
    t = tg.Tensor([3.0, 4.0])
    for use in (
        lambda: t * x, lambda: np.multiply(x, t), lambda: np.sum(t + x), lambda: tg.Tensor(x), lambda: tg.relu(x),
        lambda: tg.grad(np.sum)(x), lambda: tg.check.gradients(np.sum, x),
        lambda: tg.check.gradients(np.sum, np.ones(2), {"x": x}),
    ):  # fmt: skip
        with pytest.raises(TypeError, match=f"an array of type {name} cannot be differentiated"):
            use()


def test_a_masked_array_without_masked_elements_is_an_array() -> None:
    x = np.ma.array([1.0, 2.0])
    for product in (lambda t: t * x, lambda t: np.dot(x, t)):
        np.testing.assert_array_equal(tg.grad(lambda t, f=product: np.sum(f(t)))(np.array([3.0, 4.0])), [1, 2])


def test_a_file_mapped_to_memory_is_an_array(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.array([1.0, 2.0]))
    x = np.load(tmp_path / "x.npy", mmap_mode="r")
    assert isinstance(x, np.memmap)
    slope = tg.grad(lambda x, y: np.sum(x * y), (0, 1))(x, 3 * x)
    np.testing.assert_array_equal(slope, [[3, 6], [1, 2]])
    assert [type(g) for g in slope] == [np.ndarray, np.ndarray]
