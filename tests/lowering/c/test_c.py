"""Programs as C: loops, windows, convolutions, products and assignments give what the interpreter gives."""

from __future__ import annotations

import itertools
import re
import warnings

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st
from lowering.c.in_c import agrees, kinds, needs_a_compiler
from lowering.elements import OF_ONE, OF_TWO, SPECIAL
from random_programs.generator import write
from random_programs.oracle import Judge

import tinygrad_cnn as tg
from tinygrad_cnn.lowering.c.source import Gaps
from tinygrad_cnn.lowering.recorder import TracingError

needs_a_compiler()
RNG = np.random.default_rng(0)
EXHAUSTIVE = pytest.mark.exhaustive  # of what the compiler takes long for, one case in three is always run
LARGE_WINDOW = pytest.param(5, 1, marks=EXHAUSTIVE)
OTHER_OUTPUTS = [pytest.param(n, marks=EXHAUSTIVE) for n in (1, 7)]
TYPES = pytest.mark.parametrize("dtype", [np.float64, np.float32])


def normal(*shape, dtype=np.float64):
    return RNG.normal(size=shape).astype(dtype)


# Loops.


@TYPES
@pytest.mark.parametrize("name", OF_ONE)
def test_nan_infinities_and_signs_of_zeros_in_one_operand(name, dtype) -> None:
    with np.errstate(over="ignore", under="ignore"):
        x = SPECIAL.astype(dtype)
    assert kinds(agrees(OF_ONE[name], [np.ones_like(x)], [x], signs=name not in ("sqrt",))) == {"loop"}


@TYPES
@pytest.mark.parametrize("name", OF_TWO)
def test_nan_infinities_and_signs_of_zeros_in_two_operands(name, dtype) -> None:
    with np.errstate(over="ignore", under="ignore"):
        x, y = np.array(list(itertools.product(SPECIAL, SPECIAL))).T.astype(dtype)
    assert kinds(agrees(OF_TWO[name], [np.ones_like(x), np.ones_like(y)], [x, y])) == {"loop"}


@pytest.mark.parametrize("dtype", ["?", "i1", "u1", "i2", "u4", "i4", "i8", "u8", "f4", "f8", ">f8", "f2", "c16"])
def test_every_dtype(dtype) -> None:
    x = (RNG.normal(size=(4, 5)) * 3).astype(dtype)
    agrees(lambda x: (x + x, x * 2, x == 1, np.where(x > 0, x, 0), x.astype(np.complex128) / 2, np.sum(x), -abs(x + 1)),
           [x[::-1]], [x])  # fmt: skip


def test_numbers_keep_their_kind() -> None:
    def function(x, a, k):
        return x * a, x + k, a * a, a + 1.5, k + 1, np.float32(2) * x, a / 3

    for x in (normal(3), normal(3, dtype=np.float32)):
        agrees(function, [x, 2.0, 3], [x + 1, 0.1, 7])


AXES = [None, 0, 1, 2, -1, (0, 1), (1, 2), (0, 2), (0, 1, 2)]


@TYPES
@pytest.mark.parametrize("shape", [(3, 4, 5), (2, 1, 700), (1, 1, 1), (600, 3, 2), (2, 3, 1030)])
def test_reductions_along_every_axis(shape, dtype) -> None:
    def function(x):
        each = []
        for axis in AXES:
            each += [
                np.sum(np.sqrt(np.abs(x)), axis=axis),
                np.max(x, axis=axis, keepdims=True),
                np.mean(x * x, axis=axis),
            ]
            each += [np.min(x, axis), np.prod(x, axis), np.any(x > 1, axis), np.all(x > -9, axis), np.sum(x > 0, axis)]
        return each

    assert kinds(agrees(function, [normal(*shape, dtype=dtype)], [normal(*shape, dtype=dtype)])) == {"loop"}


def test_a_long_sum_is_as_exact_as_numpys() -> None:
    x = np.full(1_000_000, 0.1, np.float32)
    (found,) = agrees(np.sum, [x], [x])([x])
    assert abs(float(found) - 1e6 * float(np.float32(0.1))) < 0.5


@TYPES
@pytest.mark.parametrize(
    "value",
    [normal(4, 6)[:, ::2], normal(4, 6).T, np.asfortranarray(normal(4, 6)), normal(4, 6)[::-1], np.zeros((0, 3)),
     np.array(2.0), np.broadcast_to(normal(3), (4, 3)), np.frombuffer(b"\0" + normal(6).tobytes(), "f8", 6, 1)],
)  # fmt: skip
def test_strided_empty_0_d_and_unaligned_arguments(value, dtype) -> None:
    value = value.astype(dtype, copy=False)
    agrees(tg.value_and_grad(lambda x: np.sum(np.sin(x) * x)), [value], [value])


EMPTY = {
    "a convolution": (lambda x, w: tg.conv2d(x, w, padding=1), (0, 2, 5, 5), (3, 2, 3, 3)),
    "pooling": (lambda x, w: tg.max_pool2d(x, 2) * w, (0, 2, 4, 4), ()),
    "a product of no rows": (np.matmul, (0, 4), (4, 5)),
    "a product of no terms": (np.matmul, (3, 0), (0, 5)),
    "a sum": (lambda x, w: np.sum(x, axis=0) + w, (0, 3), (3,)),
}


@TYPES
@pytest.mark.parametrize("name", EMPTY)
def test_empty_arrays(name, dtype) -> None:
    function, *shapes = EMPTY[name]
    given = [normal(*shape, dtype=dtype) if shape else dtype(2) for shape in shapes]
    agrees(tg.value_and_grad(lambda x, w: np.sum(np.sin(function(x, w))), argnums=(0, 1)), given, given)


VIEWS = {
    "a transposition": lambda x: x.T * 2 + x.T,
    "a reshape that copies": lambda x: (x.T + 1).T.reshape(-1) * 2,
    "a reshape of a slice": lambda x: (x * 2)[:, 1:3].reshape(-1) + 1,
    "a reversed slice": lambda x: (x * 2)[::-1, ::-2] + 1,
    "an element": lambda x: x[1, 2] * x,
    "a new axis": lambda x: (x * 2)[:, None] + x[None],
    "a broadcast": lambda x: np.broadcast_to(x[0], (3, 4)) + x,
    "a mask as numbers": lambda x: (x > 0).view(np.uint8) + 1,
    "an advanced index": lambda x: (x * 2)[[2, 0], [1, 1]] + 1,
    "the argument itself": lambda x: (x, x.T, x[0], x[1, 1]),
    "parts of one array": lambda x: [part + 1 for part in np.split(x * 2, 2, axis=1)],
    "a sorted array": lambda x: np.sort(x * 2) + 1,
    "a decomposition": lambda x: np.linalg.svd(x * 2)[1] + 1,
}


@pytest.mark.parametrize("name", VIEWS)
def test_views_and_what_only_numpy_computes(name) -> None:
    agrees(VIEWS[name], [normal(3, 4)], [normal(3, 4)])


# Windows and convolutions.

IMAGES = [(2, 6, 7), (3, 1, 9, 9), (2, 5, 8, 30), (2, 3, 17, 17)]


@TYPES
@pytest.mark.parametrize("shape", IMAGES)
@pytest.mark.parametrize(("window", "stride"), [(2, None), (3, 2), ((1, 2), (2, 1)), (4, 3), (2, 3), LARGE_WINDOW])
def test_pooling_and_its_gradient(shape, window, stride, dtype) -> None:
    def function(x):
        each = [
            tg.max_pool2d(x, window, stride),
            tg.max_pool2d(x, window, stride, ties="all"),
            tg.avg_pool2d(x, window, stride),
        ]
        return sum(np.sum(np.sin(y)) for y in each), each

    x = np.round(normal(*shape, dtype=dtype))  # with ties
    plan = agrees(lambda x: (function(x), tg.grad(lambda x: function(x)[0])(x)), [x], [-x])
    assert {"max_pool2d", "avg_pool2d", "max_unpool", "max_unpool_shared", "unpool"} <= kinds(plan)


@TYPES
@pytest.mark.parametrize("shape", IMAGES)
@pytest.mark.parametrize(("kernel", "padding", "stride"), [
    ((3, 3), 1, 1), ((1, 1), 0, 1), ((5, 3), 2, 1), ((2, 4), (0, 3), 1), ((3, 3), 1, 2), ((6, 6), 0, 1),
    ((3, 2), 0, (2, 1)), ((4, 5), 2, (1, 3)), ((1, 2), 0, 3), ((4, 4), 0, 4),
])  # fmt: skip
@pytest.mark.parametrize("outputs", [4, *OTHER_OUTPUTS])
def test_convolutions_and_their_gradients(shape, kernel, padding, stride, outputs, dtype) -> None:
    if len(shape) == 3:
        outputs, channels = None, ()
    else:
        channels = (outputs, shape[1])

    def loss(w, x):
        return np.sum(np.sin(tg.conv2d(x, w, padding=padding, stride=stride)))

    def arguments():
        return [normal(*channels, *kernel, dtype=dtype), normal(*shape, dtype=dtype)]

    plan = agrees(lambda w, x: (loss(w, x), tg.grad(loss, argnums=(0, 1))(w, x)), arguments(), arguments())
    if stride != 4:
        assert {"convolution", "weight_gradient", "image_gradient"} <= kinds(plan)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("where", ["image", "weights", "cotangent"])
@pytest.mark.parametrize("stride", [1, 2])
def test_what_is_not_finite_reaches_only_what_depends_on_it(bad, where, stride) -> None:
    def function(w, x, g):
        out, pull = tg.vjp(lambda w, x: tg.conv2d(x, w, padding=1, stride=stride), w, x)
        return out, pull(g)

    given = {
        "weights": normal(5, 2, 3, 3), "image": normal(2, 2, 6, 11),
        "cotangent": normal(2, 5, *(6, 11) if stride == 1 else (3, 6)),
    }  # fmt: skip
    for place in ((0, 1, 0, 0), (1, 0, 2, 2), (0, 0, 2, 0)):
        broken = {name: x.copy() for name, x in given.items()}
        broken[where][place] = bad
        agrees(function, list(given.values()), list(broken.values()))


@EXHAUSTIVE
@hypothesis.settings(max_examples=40)
@hypothesis.given(
    st.integers(1, 5), st.integers(1, 3), st.integers(1, 9), st.tuples(st.integers(1, 20), st.integers(1, 20)),
    st.tuples(st.integers(1, 5), st.integers(1, 5)), st.tuples(st.integers(1, 4), st.integers(1, 4)),
    st.integers(0, 3), st.sampled_from([np.float64, np.float32]),
)  # fmt: skip
def test_convolutions_of_any_size(batch, channels, outputs, size, kernel, stride, padding, dtype) -> None:
    hypothesis.assume(all(n + 2 * padding >= k for n, k in zip(size, kernel, strict=True)))

    def loss(w, x):
        return np.sum(np.sin(tg.conv2d(x, w, padding=padding, stride=stride)))

    given = [normal(outputs, channels, *kernel, dtype=dtype), normal(batch, channels, *size, dtype=dtype)]
    agrees(tg.value_and_grad(loss, argnums=(0, 1)), given, given)


# Products.


@EXHAUSTIVE
@hypothesis.settings(max_examples=40)
@hypothesis.given(
    st.integers(1, 70), st.integers(1, 70), st.integers(1, 70), st.sampled_from([1, 2]), st.booleans(), st.booleans(),
    st.sampled_from([np.float64, np.float32]),
)  # fmt: skip
def test_products_of_any_size(m, k, n, step, a_transposed, b_transposed, dtype) -> None:
    def function(a, b):
        a, b = a[::step, ::step], b[::step, ::step]
        return (a.T if a_transposed else a) @ (b.T if b_transposed else b)

    a, b = ((k, m) if a_transposed else (m, k)), ((n, k) if b_transposed else (k, n))
    given = [normal(*(step * size for size in shape), dtype=dtype) for shape in (a, b)]
    agrees(function, given, given)


@TYPES
def test_a_product_of_many_terms(dtype) -> None:
    given = [normal(9, 1100, dtype=dtype), normal(1100, 37, dtype=dtype)]
    assert kinds(agrees(lambda a, b: (a @ b, b.T @ a.T), given, given)) == {"product"}


@TYPES
@pytest.mark.parametrize("sizes", [(1, 196, 24), (24, 1, 196), (5, 7, 3), (1, 1, 1), (17, 33, 9), (200, 200, 200)])
def test_products_of_matrices_in_every_layout(sizes, dtype) -> None:
    m, k, n = sizes

    def function(a, b):
        x, y = a + 1, b + 1
        return x @ y, y.T @ x.T, x[0] @ y, x @ y[:, 0], x[::-1] @ y[:, ::-1], x.T.copy().T @ y.T.copy().T

    agrees(
        function,
        [normal(m, k, dtype=dtype), normal(k, n, dtype=dtype)],
        [normal(m, k, dtype=dtype), normal(k, n, dtype=dtype)],
    )


# Assignments.


def loop(x):
    h = np.zeros_like(x)
    for t in range(len(x)):
        h[t] = np.tanh(x[t] + (h[t - 1] if t else 0))
    return np.sum(h**2)


def through_a_view(x):
    h = x * 1.0
    row = h[1]
    row[1:] = row[:-1] * x[0, 1:]
    row += 1
    return np.sum(h**2)


def old_and_new(x):
    h = x * 2
    before = h * 1.0
    h[0] = h[1] + before[2]
    return np.sum(h * before) + np.sum(h[::-1] ** 2)


def swapped(x):
    h = np.exp(x)
    h[:, 0], h[:, 1] = h[:, 1].copy(), h[:, 0].copy()
    h[::2] += h[::-2]
    return np.sum(np.sin(h))


@pytest.mark.parametrize("function", [loop, through_a_view, old_and_new, swapped])
def test_assignments_and_their_gradients(function) -> None:
    agrees(lambda x: (function(x), tg.grad(function)(x)), [normal(6, 4)], [normal(6, 4)])


# Memory.


def test_the_memory_of_a_program_is_its_own_as_long_as_it_is_called() -> None:
    given = [normal(128, 128), normal(128, 128)]
    plan = agrees(np.matmul, given, given)  # whose result is not in that memory
    others = [np.ones(plan.source.memory.length // 8) for _ in range(20)]
    for _ in range(3):
        (found,) = plan(given)
        np.testing.assert_allclose(found, given[0] @ given[1], rtol=1e-12, atol=1e-12)
    assert all(np.all(x == 1) for x in others)


def test_large_outputs_belong_to_the_caller() -> None:
    def function(x):
        y = x * 2 + 1
        return y, y.T, y, np.sin(y), y[0]

    (x,) = given = [normal(60, 70)]
    plan = agrees(function, given, given)
    first = plan(given)
    for k, found in enumerate(first):
        if isinstance(found, np.ndarray):
            found[...] = k
    for k, found in enumerate(first[:4]):
        assert np.all(found == k)
    np.testing.assert_array_equal(plan(given)[0], x * 2 + 1)


@pytest.mark.parametrize("seed", range(20))
def test_memory_that_is_taken_belongs_to_one(seed) -> None:
    rng, gaps, taken = np.random.default_rng(seed), Gaps(), []
    for _ in range(200):
        if taken and rng.uniform() < 0.45:
            gaps.give(*taken.pop(rng.integers(len(taken))))
        else:
            size = int(rng.integers(1, 9))
            begin = gaps.take(size)
            assert begin + size <= gaps.length
            assert all(begin + size <= other or other + n <= begin for other, n in taken)
            taken.append((begin, size))
    for begin, size in taken:
        gaps.give(begin, size)
    assert gaps.take(gaps.length) == 0  # what was given back is one piece again


# The source.


def test_hostile_names_are_harmless() -> None:
    def function(p):
        exp = p['*/ system("x"); /*'] + p["int"] + p["x\\\n"] + p["exp"] + p["한글"]
        i0 = np.exp(exp)
        memory = np.sin(i0) + p["EOF"]
        return memory, exp, np.sum(i0)

    names = ['*/ system("x"); /*', "int", "x\\\n", "exp", "한글", "EOF", "INFINITY", "i0", "step_0"]
    plan = agrees(function, [{name: normal(3) for name in names}], [{name: normal(3) for name in names}])
    assert "\\" not in plan.source.text.split("#endif")[1]
    assert plan.source.text.count("/*") == plan.source.text.count("*/")


def test_an_argument_of_any_name_that_c_or_a_kernel_uses() -> None:
    for name in (
        "n",
        "o",
        "x",
        "y",
        "c",
        "u",
        "v",
        "i",
        "k",
        "weights",
        "image",
        "sums",
        "finite",
        "g",
        "total",
        "exp",
    ):
        space: dict = {"tg": tg, "np": np}
        exec(f"def f({name}, w_):\n    return np.sum(np.exp(tg.conv2d({name}, w_, padding=1) / 9))", space)
        f = space["f"]
        agrees(
            lambda a, b, f=f: f(a, b),
            [normal(2, 2, 6, 6), normal(3, 2, 3, 3)],
            [normal(2, 2, 6, 6), normal(3, 2, 3, 3)],
        )
        agrees(f, [normal(2, 2, 6, 6), normal(3, 2, 3, 3)], [normal(2, 2, 6, 6), normal(3, 2, 3, 3)])


def test_comments_name_what_is_in_the_c_or_in_a_comment_before() -> None:
    def function(w, x, h):
        for t in range(3):
            h = np.tanh(x[t, 0] @ h + w[0, 0])
        return np.sum(np.log(tg.conv2d(x, w, padding=1) ** 2 + 1).reshape(4, -1).T @ np.ones((4, 1))) + np.sum(h)

    given = [normal(1, 2, 3, 3), normal(4, 2, 3, 3), normal(3, 3)]
    text = agrees(tg.value_and_grad(function, argnums=(0, 1, 2)), given, given).source.text
    known = {"True", "False", "inf"} | set(
        re.findall(r"\b[A-Za-z]\w*?(?=(?:_i|_total)?\b)", re.sub(r"/\*.*?\*/", "", text, flags=re.S))
    )
    found = re.findall(r"/\* (\w+) = (.*?)  \(.*\*/", text)
    assert len(found) > 20
    for name, computed in found:
        assert set(re.findall(r"\b[A-Za-z]\w*\b(?![(.])", computed)) <= known, computed
        known.add(name)


def test_a_program_is_saved_as_c(tmp_path) -> None:
    program = tg.program(tg.grad(lambda w, x: np.sum(np.tanh(x @ w))))(normal(3), normal(5, 3))
    program.save(tmp_path / "step.c")
    text = (tmp_path / "step.c").read_text()
    assert "SEGMENT segment_0(char *memory, void **arrays, Split *split)" in text
    assert "tanh(" in text


# Random programs.


def in_single_precision(x):
    return x.astype(np.float32) if isinstance(x, np.ndarray) and x.dtype == np.float64 else x


@pytest.mark.exhaustive
@pytest.mark.parametrize("single", [False, True], ids=["double", "single"])
@pytest.mark.parametrize("part", range(4))
def test_random_programs(part, single) -> None:
    ran = 0
    for seed in range(1000 + part * 50, 1050 + part * 50):
        program = write(seed)
        if program is None or (program.uses_single_precision() and not single):
            continue
        judge = Judge(program, thorough=False)

        def function(tree, constants, judge=judge):
            return tg.value_and_grad(judge.of_tree(constants=constants))(tree)

        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            given = [judge.tree(judge.arguments(None)), judge.fresh_constants()[1]]
            given = tg.tree.map(in_single_precision, given) if single else given
            try:
                function(*given)
            except Exception:
                continue
            try:
                agrees(function, given, given, single=single)
            except TracingError:
                continue
            ran += 1
    assert ran > 15


def test_integers_of_python_that_memory_cannot_hold_raise() -> None:
    step = tg.compile(lambda n, k: n**k, backend="c")
    assert step(10, 2) == 100
    with pytest.raises(TypeError, match=r"power of Python numbers gave 0\.01"):
        step(10, -2)
    with pytest.raises(TypeError, match="expected int64"):
        step(10, 30)
