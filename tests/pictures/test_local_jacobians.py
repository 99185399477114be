"""The sparse Jacobian of a step is the dense one, of every primitive; and it has what could depend, and no more."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from all_cases import each_case
from cases import Case
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_cnn as tg
from tinygrad_cnn import tree
from tinygrad_cnn.engine.graph import ancestors
from tinygrad_cnn.pictures.read import local_jacobians
from tinygrad_cnn.pictures.read.local_jacobians import Jacobians, Step, TooLargeError, moved
from tinygrad_cnn.pictures.read.reading import values
from tinygrad_cnn.pictures.view.influence import Jacobian


def steps(function: Callable[..., Any], *operands: Any) -> Iterator[tuple[Step, int]]:
    """What a function of Tensors computes, by each value that is one."""
    leaves = tree.flatten(function(*[tg.Tensor(x) for x in operands])).leaves
    for node in ancestors([x.node for x in leaves if isinstance(x, tg.Tensor)])[0]:
        for position, _ in node.sources:
            yield Step(node.primitive, values(node), node.static_args, node.value), position


def dense(found: Jacobian, step: Step, position: int) -> Any:
    matrix = np.zeros((np.size(step.out), np.size(step.operands[position])))
    matrix[found.rows, found.elements] = found.weights
    return matrix


def by_reverse_mode(step: Step, position: int) -> Any:
    def function(x: Any) -> Any:
        operands = [x if i == position else y for i, y in enumerate(step.operands)]
        return step.primitive(*operands, **step.static_args)

    matrix = tg.jacobian(function)(step.operands[position])
    return np.reshape(matrix, (np.size(step.out), np.size(step.operands[position])))


def pattern(function: Callable[..., Any], *operands: Any, position: int = 0) -> Any:
    """1 where an element of the result of one step has one of an operand as an entry, whatever its weight."""
    step = next(step for step, at in steps(function, *operands) if at == position)
    found = Jacobians().of(step, position)
    return dense(found._replace(weights=np.ones(len(found.elements))), step, position).astype(int)


def is_complex(step: Step, position: int) -> bool:
    return "c" in (np.result_type(step.out).kind, np.result_type(step.operands[position]).kind)


@each_case
def test_it_is_the_dense_one(case: Case) -> None:
    jacobians = Jacobians()
    for step, position in steps(case.function, *case.operands()):
        if is_complex(step, position) or step.primitive.rules[position] is None:
            continue
        found = jacobians.of(step, position)
        np.testing.assert_allclose(
            dense(found, step, position), by_reverse_mode(step, position), rtol=1e-10, atol=1e-12
        )


@given(
    st.tuples(st.integers(1, 2), st.integers(1, 3), st.integers(3, 7), st.integers(3, 7)),
    st.tuples(st.integers(1, 3), st.integers(1, 3), st.integers(1, 3)),
    st.integers(1, 3),
    st.integers(0, 1),
    st.randoms(use_true_random=False),
)
@settings(max_examples=25, deadline=None)
def test_that_of_a_convolution_and_a_pooling_is_the_dense_one(shape, filters, stride, padding, random) -> None:
    rng = np.random.default_rng(random.getrandbits(32))
    x, W = rng.normal(size=shape), rng.normal(size=(filters[0], shape[1], *filters[1:]))

    def function(x: Any, W: Any) -> Any:
        return tg.max_pool2d(tg.conv2d(x, W, stride=stride, padding=padding), 1, 2)

    for step, position in steps(function, x, W):
        found = Jacobians().of(step, position)
        expected = by_reverse_mode(step, position)
        np.testing.assert_allclose(dense(found, step, position), expected, rtol=1e-10, atol=1e-12)
        assert len(found.elements) == np.count_nonzero(expected)


def test_a_step_that_differs_in_values_alone_has_its_own_weights() -> None:
    rng = np.random.default_rng(0)
    jacobians = Jacobians()
    for W in (np.zeros((3, 4)), rng.normal(size=(3, 4))):
        ((step, position),) = steps(lambda x, W=W: x @ W, rng.normal(size=(2, 3)))
        found = jacobians.of(step, position)
        assert len(found.elements) == 2 * 4 * 3
        np.testing.assert_array_equal(dense(found, step, position), np.kron(np.eye(2), W.T))


IMAGE = np.array([[1.0, 2.0, 0.0, 5.0]])
STRUCTURES = {
    "a relu has its operand on the dead side too": (tg.relu, [np.array([-1.0, 2.0])], 0, np.eye(2)),
    "a maximum has both": (np.maximum, [np.array([1.0, 5.0]), np.array([2.0, 3.0])], 1, np.eye(2)),
    "where has both": (lambda x, y: np.where([True, False], x, y), [np.ones(2), np.ones(2)], 2, np.eye(2)),
    "the maximum of a window has all of it": (
        lambda x: tg.max_pool2d(x, (1, 2)), [IMAGE], 0, [[1, 1, 0, 0], [0, 0, 1, 1]],
    ),
    "a maximum along an axis has that axis": (
        lambda x: np.max(x, axis=1), [np.array([[1.0, 2.0], [4.0, 3.0]])], 0, [[1, 1, 0, 0], [0, 0, 1, 1]],
    ),
    "a product has what is multiplied by 0": (np.matmul, [np.zeros((1, 2)), np.zeros((2, 1))], 0, [[1, 1]]),
    "a running sum has what came before": (np.cumsum, [np.zeros(3)], 0, np.tril(np.ones((3, 3)))),
    "a factor of a product has 0 by another 0": (np.prod, [np.zeros(3)], 0, [[1, 1, 1]]),
    "a slope that is 0 here is none elsewhere": (np.square, [np.zeros(2)], 0, np.eye(2)),
    "padding comes from nowhere": (lambda x: np.pad(x, 1, constant_values=3), [np.ones(1)], 0, [[0], [1], [0]]),
    "sorting has where an element was": (np.sort, [np.array([3.0, 1.0, 2.0])], 0, [[0, 1, 0], [0, 0, 1], [1, 0, 0]]),
    "windows repeat elements": (lambda x: tg.im2col(x, (1, 3)), [IMAGE], 0, np.eye(4)[[0, 1, 1, 2, 2, 3]]),
}  # fmt: skip


@pytest.mark.parametrize("name", STRUCTURES)
def test_its_entries_are_what_the_result_can_depend_on(name: str) -> None:
    function, operands, position, expected = STRUCTURES[name]
    np.testing.assert_array_equal(pattern(function, *operands, position=position), expected)


def test_of_a_primitive_that_is_not_pure_only_weights_other_than_0_are_known() -> None:
    @tg.primitive
    def squares(x, /):
        return np.cumsum(x * x)

    squares.defvjp(lambda g, out, x: 2 * x * np.cumsum(g[::-1])[::-1])
    np.testing.assert_array_equal(pattern(squares, np.array([0.0, 1.0])), [[0, 0], [0, 1]])


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_the_numbers_of_elements_are_moved_in_any_precision(dtype: type) -> None:
    x = np.zeros((70, 1000), dtype)
    found = moved(lambda x: np.pad(x.T, ((0, 0), (1, 0)), constant_values=np.nan), x)
    expected = np.arange(x.size).reshape(x.shape).T
    np.testing.assert_array_equal(found.elements, expected.reshape(-1))
    np.testing.assert_array_equal(found.rows, np.pad(np.ones((1000, 70)), ((0, 0), (1, 0))).reshape(-1).nonzero()[0])


def test_of_complex_numbers_there_is_none() -> None:
    step, position = next(steps(lambda x: np.abs(np.fft.fft(x)), np.ones(4)))
    with pytest.raises(TypeError, match="between complex numbers"):
        Jacobians().of(step, position)


@pytest.mark.parametrize("function", [lambda x: x @ np.ones((400, 400)), lambda x: np.cumsum(x, axis=0)])
def test_one_that_is_too_large_is_refused(function: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local_jacobians, "MOST", 10_000)
    step, position = next(steps(function, np.ones((400, 400))))
    with pytest.raises(TooLargeError, match="at most 10,000"):
        Jacobians().of(step, position)
