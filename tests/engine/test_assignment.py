"""Assignment, in place and by views: what NumPy does to arrays happens to Tensors, and the gradient knows of it."""

from __future__ import annotations

import threading
import tracemalloc

import numpy as np
import pytest
from cases_numpy import PADS_BY_NAMED_AXES
from hypothesis import given, settings
from hypothesis import strategies as st
from numeric import derivatives_agree

import tinygrad_cnn as tg
from tinygrad_cnn.engine.graph import ancestors

RNG = np.random.default_rng(0)


def assigned(index, square=True):
    """A program in NumPy that assigns to an array, to be run on arrays and on Tensors."""

    def program(x, v):
        t = x * 1.0
        before = t**2 if square else t * 1.0
        t[index] = v
        return before + t**3

    return program


INDICES = [
    0, -1, (1, 2), slice(None), slice(0, 2), (slice(None, None, 2), slice(1, 3)), (Ellipsis, 0), (None, 0),
    [0, 2], np.array([2, 0]), (np.array([0, 2]), slice(1, None)), (np.array([0, 1]), np.array([2, 0])),
    np.array([[True, False, True], [False, True, False], [True, True, False]]), np.array([True, False, True]),
]  # fmt: skip


@pytest.mark.parametrize("index", INDICES, ids=str)
@pytest.mark.parametrize("of_full_shape", [True, False])
def test_what_is_assigned_at_an_index_has_two_right_derivatives(index, of_full_shape) -> None:
    x = RNG.standard_normal((3, 3))
    v = RNG.standard_normal(x[index].shape if of_full_shape else ())
    program = assigned(index)
    np.testing.assert_array_equal(program(tg.Tensor(x), tg.Tensor(v)).value, program(x, v))
    derivatives_agree(program, [x, v], order=2)


def test_where_an_element_is_assigned_twice_the_last_has_the_gradient() -> None:
    def program(x, v):
        t = x * 1.0
        t[[0, 0, 2]] = v
        return t**2

    derivatives_agree(program, [np.ones(3), np.array([1.0, 2.0, 3.0])], order=2)


@pytest.mark.parametrize("shape", [(), (1,), (1, 1), (3,), (1, 3), (2, 1)])
def test_what_is_assigned_is_stretched_as_numpy_does(shape) -> None:
    def program(x, v):
        t = x * 1.0
        t[:2] = v
        return t**2

    if shape == (1, 1) or len(shape) <= 2:
        derivatives_agree(program, [RNG.standard_normal((4, 3)), RNG.standard_normal(shape)], order=2)


def test_leading_axes_of_length_one_are_dropped_as_numpy_does() -> None:
    def program(x, v):
        t = x * 1.0
        t[0] = v
        return t**2

    derivatives_agree(program, [RNG.standard_normal((2, 3)), RNG.standard_normal((1, 1, 3))], order=2)


OPERATORS = {
    "+=": lambda t, u: t.__iadd__(u), "-=": lambda t, u: t.__isub__(u), "*=": lambda t, u: t.__imul__(u),
    "/=": lambda t, u: t.__itruediv__(u), "**=": lambda t, u: t.__ipow__(u),
}  # fmt: skip


@pytest.mark.parametrize("name", OPERATORS)
def test_in_place_operators_change_what_other_names_call_too(name) -> None:
    def program(x, u):
        t = x * 1.0
        also, part, y = t, t[0], t * t
        changed = OPERATORS[name](t, u)
        assert changed is t
        assert also is t
        return y + also**2 + part

    derivatives_agree(program, [np.full((2, 3), 1.5), np.linspace(0.5, 1.5, 3)], order=2)


def test_the_gradient_is_that_of_the_argument_as_it_was_before_the_function_assigned_to_it() -> None:
    def f(x):
        x *= 2.0
        x[0] = 5.0
        return np.sum(x * x)

    x = np.array([1.0, 2.0])
    value, gradient = tg.value_and_grad(f)(x)
    assert type(value) is np.float64
    np.testing.assert_array_equal(gradient, [0, 16])
    np.testing.assert_array_equal(tg.hessian(f)(x), [[0, 0], [0, 8]])
    assert tg.jvp(f, [x], [np.array([1.0, 1.0])]) == (41, 16)
    np.testing.assert_array_equal(x, [1, 2])


def test_an_array_without_axes_stays_one_when_it_is_changed_in_place() -> None:
    def program(x):
        t = np.zeros_like(x[0, ...])
        also, seen = t, t[...]
        t += x[0]
        t += x[1]
        return also * seen

    x = np.array([2.0, 3.0])
    assert program(tg.Tensor(x)).value == program(x) == 25
    derivatives_agree(program, [x], order=2)


def test_a_copy_of_an_array_without_axes_can_be_assigned_to() -> None:
    t = tg.Tensor(1.0)
    for copied in (t.copy(), np.copy(t)):
        copied[...] = 2.0
        assert copied.value == 2.0
    assert t.value == 1.0


def test_a_number_is_not_changed_under_another_name() -> None:
    def f(x):
        best = x
        x += 1.0
        total = x + best
        first = total
        total *= 2.0
        return total * first

    assert f(np.float64(2.0)) == tg.value_and_grad(f)(2.0)[0] == 50.0
    assert tg.grad(f)(2.0) == 40.0


def test_in_place_keeps_the_shape_and_the_dtype() -> None:
    t = tg.Tensor(np.ones(3, np.float32)) * np.float32(1)
    with pytest.raises(ValueError, match=r"np.add in place: the result has shape \(2, 3\)"):
        t += np.ones((2, 3))
    t += np.ones(3)
    assert t.dtype == np.float32


# Views.

VIEWS = {
    "t[1:]": lambda t: t[1:],
    "t[1]": lambda t: t[1],
    "t[::-1, 0]": lambda t: t[::-1, 0],
    "t.T": lambda t: t.T,
    "t.reshape(-1)": lambda t: t.reshape(-1),
    "t.swapaxes": lambda t: t.swapaxes(0, 1),
    "t.T[1]": lambda t: t.T[1],
    "flip": lambda t: np.flip(t, 0),
    "rot90": lambda t: np.rot90(t),
    "ravel": lambda t: t.ravel(),
    "moveaxis": lambda t: np.moveaxis(t, 0, 1),
    "squeeze": lambda t: np.squeeze(t[None, 1:], 0),
    "split": lambda t: np.split(t, [1])[1],
    "t[1:].reshape(-1)[2:]": lambda t: t[1:].reshape(-1)[2:],
    "t.real": lambda t: t.real,
    "np.real(t[1:])": lambda t: np.real(t[1:]),
    "t.astype(float, copy=False)": lambda t: t.astype(float, copy=False),
    "np.astype(t, float, copy=False)": lambda t: np.astype(t, float, copy=False),
}


@pytest.mark.parametrize("view", VIEWS)
def test_a_view_and_its_base_change_with_each_other(view) -> None:
    def program(x, u):
        t = x * 1.0
        v = VIEWS[view](t)
        early = v * v
        t[0, 0] = u[0]
        t[1] *= 2.0
        v[0] = u[1]
        v += u[2]
        v[...] = v * v
        return np.concatenate([(t**2).reshape(-1), (v**3).reshape(-1), early.reshape(-1)])

    x, u = RNG.standard_normal((3, 3)), RNG.standard_normal(3)
    np.testing.assert_array_equal(program(tg.Tensor(x), tg.Tensor(u)).value, program(x, u))
    derivatives_agree(program, [x, u], order=2)


def test_a_view_of_a_version_that_is_being_filled_follows_it() -> None:
    def program(x):
        t = np.zeros_like(x)
        t[0] = x[0]
        head = t[:2]
        t[1] = x[1] * head[0]
        return head * head[1]

    derivatives_agree(program, [np.array([1.5, 2.0, 3.0])], order=2)


def test_what_indexing_by_an_array_gives_is_a_copy() -> None:
    t = tg.Tensor(np.arange(3.0)) * 1.0
    taken, masked = t[[0, 1]], t[np.array([True, True, False])]
    t[0] = 9.0
    taken[1] = 7.0
    np.testing.assert_array_equal(taken.value, [0, 7])
    np.testing.assert_array_equal(masked.value, [0, 1])
    np.testing.assert_array_equal(t.value, [9, 1, 2])


def test_what_a_mask_picks_from_an_array_that_was_assigned_to_is_a_copy() -> None:
    def program(x):
        t = x * 1.0
        t[0] = 2.0
        masked = t[np.array([True, True, False])]
        masked[:] = 7.0
        t[2] = 3.0
        return np.concatenate([t, masked])

    np.testing.assert_array_equal(program(tg.Tensor(np.ones(3))).value, program(np.ones(3)))


@pytest.mark.parametrize("assigned_before", [False, True])
@pytest.mark.parametrize("lay_out", [np.ravel, lambda t: t.reshape(-1), lambda t: t.reshape(-1, order="F")])
@pytest.mark.parametrize("turn", [np.flip, lambda t: t[::-1], lambda t: t.T, lambda t: t[:, 1:], lambda t: t[1:]])
def test_where_numpy_copies_to_lay_elements_in_a_row_the_copy_is_written_to_alone(
    turn, lay_out, assigned_before
) -> None:
    def program(x):
        t = x * 1.0
        if assigned_before:
            t[0, 0] = 9.0
        row = lay_out(turn(t))
        row[0] = 5.0
        t[1] = 4.0
        return np.concatenate([t.reshape(-1), row])

    x = np.arange(9.0).reshape(3, 3)
    np.testing.assert_array_equal(program(tg.Tensor(x)).value, program(x))


def written_through_a_view(t):
    t.T[0] = 5.0
    return t


def changed_by_what_lies_otherwise(t):
    t += np.ones(t.shape)
    return t


def picked_from_what_was_picked(t):
    t[0, 0] = 5.0
    return t[::2][None]


def picked_after_an_assignment(t):
    t[0, 0] = 5.0
    return t[:, :2]


@pytest.mark.parametrize("lay_out", [lambda t: t.reshape(-1), lambda t: t.T.reshape(-1), np.ravel])
@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize(
    "change",
    [
        written_through_a_view,
        changed_by_what_lies_otherwise,
        picked_from_what_was_picked,
        picked_after_an_assignment,
    ],
)
def test_what_is_assigned_to_lies_in_memory_as_numpys_does_and_so_has_the_same_views(
    change, transposed, lay_out
) -> None:
    def program(x):
        t = np.copy(x.T if transposed else x)
        row = lay_out(change(t))
        row[1] = 7.0
        t[2] = 4.0
        return np.concatenate([t.reshape(-1), row])

    x = np.arange(6.0).reshape(2, 3) if transposed else np.arange(6.0).reshape(3, 2)
    np.testing.assert_array_equal(program(tg.Tensor(x)).value, program(x))


@pytest.mark.parametrize("give", [lambda t: np.broadcast_to(t, (3, 2, 2)), np.diagonal, np.diag])
def test_what_numpy_gives_read_only_is_read_only_and_follows(give) -> None:
    base = tg.Tensor(np.ones((2, 2))) * 1.0
    t = give(base)
    with pytest.raises(ValueError, match="read-only"):
        t[0] = 2.0
    base[0, 0] = 5.0
    assert np.max(t.value) == 5.0


@given(data=st.data())
@settings(max_examples=100, deadline=None)
def test_any_program_of_assignments_and_views_does_what_it_does_to_arrays(data: st.DataObject) -> None:
    index = st.one_of(st.integers(0, 2), st.slices(3), st.tuples(st.integers(0, 2), st.slices(3)), st.just([0, 2]))
    steps = data.draw(st.lists(st.tuples(st.sampled_from(["assign", "add", "view", "read"]), index), max_size=12))

    def program(x):
        t, total = x * 1.0, 0.0
        names = [t]
        for k, (step, at) in enumerate(steps):
            target = names[(7 * k) % len(names)]
            if target.ndim == 0 or (target.ndim < 2 and isinstance(at, tuple)) or min(target.shape) < 3:
                target = t
            if step == "assign":
                target[at] = x[0, 0] * (k + 1.0)
            elif step == "add":
                target[at] += x[1, 1] * k
            elif step == "view" and not isinstance(at, list) and target[at].ndim:
                names.append(target[at])
            else:
                total = total + np.sum(target * target) * 0.1
        return total + sum(np.sum(name**2) for name in names)

    x = np.linspace(-1, 1, 9).reshape(3, 3)
    value, gradient = tg.value_and_grad(program)(x)
    assert value == pytest.approx(program(x), rel=1e-12, abs=1e-12)
    step = 1e-3
    direction = np.cos(np.arange(9.0)).reshape(3, 3)
    difference = (program(x + step * direction) - program(x - step * direction)) / (2 * step)
    assert np.sum(gradient * direction) == pytest.approx(difference, rel=1e-5, abs=1e-5)


@pytest.mark.parametrize("part", [np.real, np.imag])
def test_assignment_to_a_part_of_complex_numbers_changes_them(part) -> None:
    def changed(x):
        z = np.exp(1j * x)
        view = part(z)
        view[0] = x[1] ** 2
        view /= x[2]
        part(z)[1:] += 1.0
        return z

    x = np.array([0.3, 0.7, 1.1])
    value, _ = tg.vjp(lambda x: np.abs(changed(x)), x)
    np.testing.assert_array_equal(value, np.abs(changed(x)))
    derivatives_agree(lambda x: np.abs(changed(x)), [x], order=2)


# Linear cost.


def filled(x, n):
    t = np.zeros(n, like=x)
    t[0] = x[0]
    for i in range(1, n):
        t[i] = 0.5 * t[i - 1] + 1.0
    return t


def test_a_loop_that_fills_an_array_is_right() -> None:
    t = tg.Tensor([4.0])
    np.testing.assert_array_equal(filled(t, 5).value, [4, 3, 2.5, 2.25, 2.125])
    derivatives_agree(lambda x: filled(x, 6) ** 2, [np.array([4.0])], order=2)


@pytest.mark.parametrize("differentiate", ["grad", "backward", "twice"])
def test_filling_an_array_takes_no_more_memory_than_a_few_of_it(differentiate) -> None:
    """With a copy for each assignment, or for each cotangent, this would be 8 GB."""
    n = 1000 if differentiate == "twice" else 2000
    extra = np.zeros(250_000)

    def f(x):
        t = np.zeros_like(extra, dtype=float) * x  # 2 MB
        t[0] = x
        for i in range(1, n):
            t[i] = t[i - 1] + x
        return np.sum(t * t)

    tracemalloc.start()
    try:
        if differentiate == "grad":
            found = tg.grad(f)(2.0)
        elif differentiate == "backward":
            x = tg.Tensor(2.0)
            f(x).backward()
            found = x.grad
        else:
            found = tg.grad(lambda x: tg.grad(f)(x) * x / 2)(2.0)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    squares = sum(i * i for i in range(1, n + 1))
    assert found == pytest.approx(4 * squares)
    assert peak < 100e6


def test_very_many_rows_are_not_joined_at_once_for_each_is_shown_all_that_it_is_joined_with() -> None:
    x = tg.Tensor(np.arange(4000.0).reshape(2000, 2))
    joined = np.stack([row * 2.0 for row in x])
    np.testing.assert_array_equal(joined.value, 2 * x.value)
    assert max(len(node.operands) for node in ancestors([joined.node])[0]) < 300
    joined.backward(x.value)
    np.testing.assert_array_equal(x.grad, 2 * x.value)


@pytest.mark.parametrize("by", ["a view", "np.add.at"])
def test_filling_by_a_view_or_by_add_at_takes_no_more_memory_than_a_few_of_it(by: str) -> None:
    n = 250_000

    def f(x):
        t = x * 1.0
        view = t[1:]
        for i in range(1000):
            if by == "a view":
                view[i] = view[i] * 2.0
            else:
                np.add.at(t, [i], 1.0)
        return np.sum(t)

    tracemalloc.start()
    try:
        found = tg.grad(f)(np.ones(n))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert np.sum(found) == (n + 1000 if by == "a view" else n)
    assert peak < 20 * 8 * n


def test_iterating_over_rows_makes_no_cotangent_of_the_whole_for_each() -> None:
    tracemalloc.start()
    tg.grad(lambda x: sum(np.sum(row * row) for row in x))(np.ones((2000, 200)))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 60e6


def test_the_value_of_a_version_that_was_written_over_is_still_there() -> None:
    t = np.zeros_like(tg.Tensor(np.ones(4)))
    nodes = []
    for i in range(4):
        t[i] = i + 1.0
        nodes.append(t.node)
    np.testing.assert_array_equal([node.value for node in nodes], np.tri(4) * [1, 2, 3, 4])


@pytest.mark.parametrize(
    "make",
    [
        lambda z: np.zeros_like(z),
        lambda z: np.empty_like(z),
        lambda z: np.ones_like(np.real(z), dtype=complex),
        lambda z: np.full_like(z, 1j),
        lambda z: np.full_like(z, z[0, 0]),
        lambda z: np.zeros(z.shape, complex, like=z),
    ],
)
def test_complex_arrays_made_like_a_tensor_are_assigned_to(make) -> None:
    def program(x):
        z = x * (1 + 2j)
        t = make(z)
        t[:] = t[0, 0] * 0 + 1 - 1j
        t[0] = z[0] * z[1]
        t[1, 1] += z[0, 2]
        return np.sum(np.abs(t) ** 2)

    def expression(x):
        z = x * (1 + 2j)
        return np.sum(np.abs(z[0] * z[1]) ** 2) + np.abs(1 - 1j + z[0, 2]) ** 2 + 4

    x = np.arange(6.0).reshape(2, 3)
    np.testing.assert_allclose(tg.grad(program)(x), tg.grad(expression)(x), rtol=1e-14)
    assert program(x) == pytest.approx(expression(x))


def test_a_version_that_was_written_over_is_picked_from() -> None:
    def program(x):
        t = np.zeros_like(x)
        t[0] = x[0]
        square = t * t
        t[1] = x[1] * square[0]
        return np.sum(t**3)

    x = np.array([1.5, 2.0])
    derivatives_agree(lambda x: tg.grad(program)(x), [x], order=2)
    t = tg.Tensor(x) * 1.0
    t[0] = 3.0
    first = t.__copy__()
    t[1] = 4.0  # the array is now that of t
    assert first[1].value == 2.0


def test_add_at_adds_where_an_index_comes_twice() -> None:
    def program(x, v):
        t = x * 1.0
        np.add.at(t, [0, 2, 2], v)
        return t**2

    derivatives_agree(program, [np.ones(3), np.array([1.0, 2.0, 3.0])], order=2)


def test_index_add_leaves_what_it_is_given() -> None:
    derivatives_agree(lambda x, v: tg.index_add(x, [0, 2, 2], v) ** 2 + x, [np.ones(3), np.arange(3.0)], order=2)
    derivatives_agree(lambda x, v: tg.index_add(x, slice(1, None), v) ** 2, [np.ones(3), np.float64(2.0)], order=2)
    x = np.zeros(2)
    tg.index_add(x, 0, 1.0)
    assert not x.any()


# What becomes of a graph whose arrays are changed: nothing. Each way in is one line here.


def test_the_value_of_a_tensor_cannot_be_written_to() -> None:
    for t in (tg.Tensor(np.ones(3)), np.exp(tg.Tensor(np.ones(3))), tg.Tensor(np.ones(3))[1:]):
        with pytest.raises(ValueError, match="read-only"):
            t.value[0] = 5.0


def test_the_array_that_a_tensor_was_made_of_is_its_own_no_more() -> None:
    array = np.ones(3)
    t = tg.Tensor(array)
    array[0] = 5.0
    assert t.value[0] == 1.0


@pytest.mark.parametrize("use", [lambda x, a: x * a, lambda x, a: x @ a, lambda x, a: np.where(a > 0, x, 2 * x * a)])
def test_a_constant_that_changes_afterwards_changes_nothing(use) -> None:
    constant = np.array([1.0, 2.0, 3.0])
    x = tg.Tensor(np.ones(3))
    y = np.sum(use(x, constant))
    expected = tg.grad(lambda x: np.sum(use(x, constant.copy())))(np.ones(3))
    constant[:] = 100.0
    y.backward()
    np.testing.assert_array_equal(x.grad, expected)


def test_an_index_that_changes_afterwards_changes_nothing() -> None:
    x, index, positions = tg.Tensor(np.arange(3.0)), np.array([0, 1]), [0, 2]
    y = np.sum(x[index] * 2) + np.sum(x[positions]) + np.sum(x[index, None])
    index[:], positions[:] = 2, [1, 1]
    y.backward()
    np.testing.assert_array_equal(x.grad, [4, 3, 1])


@pytest.mark.parametrize("mode", ["constant", "edge"])
def test_a_setting_that_changes_afterwards_changes_nothing(mode: str) -> None:
    for widths in [{0: (1, 1)}, [(1, 1)]] if PADS_BY_NAMED_AXES else [[(1, 1)]]:
        x = tg.Tensor(np.ones(2))
        y = np.pad(x, widths, mode)
        widths[0] = (0, 2)
        y.backward(np.array([1.0, 2.0, 4.0, 8.0]))
        np.testing.assert_array_equal(x.grad, [2, 4] if mode == "constant" else [3, 12])


def test_what_stop_gradient_gives_cannot_be_written_to() -> None:
    y = np.exp(tg.Tensor([1.0, 2.0]))
    with pytest.raises(ValueError, match="read-only"):
        tg.stop_gradient(y)[0] = 5.0


def test_the_cotangent_that_backward_was_given_may_change_afterwards() -> None:
    x, cotangent = tg.Tensor(np.ones(2)), np.array([1.0, 2.0])
    y = np.positive(x)
    y.backward(cotangent)
    cotangent[:] = 9.0
    np.testing.assert_array_equal([x.grad, y.grad], [[1, 2], [1, 2]])


def test_what_no_grad_gives_cannot_reach_into_the_graph() -> None:
    x = tg.Tensor(np.arange(3.0))
    y = np.exp(x)
    with tg.no_grad():
        part = y[1:]
    with pytest.raises(ValueError, match="read-only"):
        part[0] = 7.0


def test_what_vjp_returns_may_be_changed_without_harm() -> None:
    value, pullback = tg.vjp(np.exp, np.array([1.0, 2.0]))
    value[:] = 0.0
    np.testing.assert_array_equal(pullback(np.ones(2))[0], np.exp([1.0, 2.0]))


def test_without_a_record_an_assignment_makes_a_leaf() -> None:
    w = tg.Tensor([1.0, 2.0], name="w")
    np.sum(w * w).backward()
    with tg.no_grad():
        w -= 0.5 * w.grad
    assert w.node.primitive is None
    assert w.name == "w"
    np.testing.assert_array_equal(w.value, [0, 0])


def test_assigning_a_tensor_into_an_array_says_what_to_write() -> None:
    array, t = np.zeros((2, 2)), tg.Tensor(np.ones(2))
    with pytest.raises(tg.GradientLostError, match=r"create it with np\.zeros\(shape, like=t\)"):
        array[0] = t
    with pytest.raises(ValueError, match="setting an array element") as raised:  # in NumPy's words, and ours above them
        array[0, 0] = t[0]
    assert "np.zeros(shape, like=t)" in str(raised.value.__cause__)
    with pytest.raises(tg.GradientLostError, match=r"write array = array \+ t"):
        array += t
    with pytest.raises(tg.GradientLostError, match="use the result"):
        np.add(t, t, out=array[0])


def test_a_number_cannot_be_assigned_to() -> None:
    with pytest.raises(TypeError, match="does not support item assignment"):
        np.sum(tg.Tensor(np.ones(3)))[()] = 1.0


def test_a_ufunc_writes_its_result_into_a_tensor() -> None:
    def program(x, u):
        t = x * 1.0
        np.multiply(t, u, out=t, where=np.array([True, False, True]))
        np.exp(t, out=t)
        return t

    derivatives_agree(program, [np.ones(3), np.array([1.0, 2.0, 3.0])], order=2)


def test_where_of_a_ufunc_without_an_out_is_refused() -> None:
    with pytest.raises(TypeError, match=r"leaves the other elements undefined"):
        np.exp(tg.Tensor(np.ones(2)), where=np.array([True, False]))


def test_threads_fill_arrays_of_their_own() -> None:
    found: dict[int, float] = {}

    def work(k: int) -> None:
        found[k] = tg.grad(lambda x: np.sum(filled(x, 50) ** 2) * k)(np.array([2.0]))[0]

    threads = [threading.Thread(target=work, args=(k,)) for k in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [found[k] / k for k in sorted(found)] == pytest.approx([found[1]] * 4)


# out= and where= of ufuncs.


@pytest.mark.parametrize(
    "write",
    [
        lambda t, u: np.add(u[0], 1.0, out=t),
        lambda t, u: np.multiply(u, u[:1], out=t[1]),
        lambda t, u: np.log(t, out=t, where=t > 0),
        lambda t, u: np.power(t, u, out=t, where=t > 0),
        lambda t, u: np.divide(1.0, t.T[1:], out=t.T[1:], where=t.T[1:] > 5),
    ],
)
def test_a_ufunc_writes_into_out_what_is_broadcast_to_it_and_computes_nothing_elsewhere(write) -> None:
    def program(x, u):
        t = x * 1.0
        write(t, u)
        return t**2

    x, u = np.array([[2.0, -1.0, 3.0], [-0.5, -2.0, 4.0]]), np.array([0.5, 1.5, 2.0])
    np.testing.assert_array_equal(program(tg.Tensor(x), tg.Tensor(u)).value, program(x, u))
    derivatives_agree(program, [x, u], order=2)


def test_an_ellipsis_keeps_an_array_without_axes_through_a_view_of_what_has_changed() -> None:
    def program(x):
        t = x * 1.0
        view = t[..., 1]
        t[0] = x[2]
        view[...] = np.sort(view, axis=None)  # of one element
        seen = view[...]
        view[...] = x[2] * seen
        return t * seen

    x = np.array([2.0, 3.0, 5.0])
    np.testing.assert_array_equal(program(tg.Tensor(x)).value, program(x))
    derivatives_agree(program, [x], order=2)


def test_einsum_gives_a_diagonal_that_can_be_written_to() -> None:
    def program(x):
        t = x * 1.0
        diagonal = np.einsum("iji->ji", t)
        diagonal *= x[0, 0, 0]
        return t**2 + np.sum(diagonal)

    x = RNG.standard_normal((3, 2, 3))
    np.testing.assert_array_equal(program(tg.Tensor(x)).value, program(x))
    derivatives_agree(program, [x], order=2)


# t.shape = ...


def test_the_shape_of_a_tensor_can_be_assigned_to() -> None:
    def f(x):
        t = np.sqrt(x)
        t.shape = (2, 3)
        t[1, 2] = t[0, 0] ** 2
        t.shape = -1
        u = t[:4]
        u.shape = (2, 2)
        u[1] *= 2
        t[3] += x[0]
        return np.sum(t * np.arange(6.0)) + np.sum(u**3)

    derivatives_agree(f, [np.arange(1.0, 7.0)], order=2)
    t = tg.Tensor(np.arange(6.0))
    t.shape = (3, 2)
    assert t.shape == (3, 2)
    np.testing.assert_array_equal(t.value, np.arange(6.0).reshape(3, 2))


def test_where_a_shape_cannot_be_assigned_to_it_raises_as_numpys() -> None:
    t = tg.Tensor(np.ones((2, 3)))
    for view, shape, kind in ((t.T, -1, AttributeError), (t, (4, 2), ValueError), (np.sum(t), (1,), AttributeError)):
        with pytest.raises(kind):
            view.shape = shape
    assert t.shape == (2, 3)


def test_a_view_from_before_a_shape_was_assigned_to_is_refused() -> None:
    t = tg.Tensor(np.arange(6.0)) * 1.0
    view = t[1:]
    t.shape = (2, 3)
    for use in (lambda: view * 2, lambda: view.__setitem__(0, 5.0), lambda: view[1]):
        with pytest.raises(NotImplementedError, match="before the shape of its Tensor was assigned to"):
            use()
    assert t.shape == (2, 3)
