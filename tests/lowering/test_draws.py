"""Random draws in programs: those that the function itself would make, from the generator of each call."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from comparing import assert_same, leaves

import tinygrad_cnn as tg
from tinygrad_cnn import nn

X = np.linspace(0.5, 1.5, 6)


def dropped(x, rng):
    return np.sum(nn.dropout(np.tanh(nn.dropout(x, 0.5, rng)), 0.3, rng) ** 2)


def in_place(x, rng):
    noise = rng.normal(1.0, 2.0, size=x.shape)
    noise += 1
    noise[0] = 5.0
    return np.sum(x * noise)


def numbers(x, rng):
    return np.sum(x) * rng.random() + x[rng.integers(len(x))] * rng.choice([1.0, 2.0], p=[0.25, 0.75])


def permuted(x, rng):
    return np.sum(x[rng.permutation(len(x))] * np.arange(len(x)))


def in_float32(x, rng):
    return np.sum(x * rng.standard_normal(x.shape, dtype=np.float32))


def of_two(x, rngs):
    a, b = rngs["a"], rngs["b"][0]
    return np.sum(x * a.random(x.shape) * b.random(x.shape) - a.exponential(size=x.shape))


def one(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def two(seed: int) -> Any:
    return {"a": one(seed), "b": [one(seed + 1)]}


def shared(seed: int) -> Any:
    rng = one(seed)
    return {"a": rng, "b": [rng]}


CASES = {
    "dropout": (dropped, one), "in place": (in_place, one), "numbers": (numbers, one), "permutation": (permuted, one),
    "float32": (in_float32, one), "two": (of_two, two), "one generator twice": (of_two, shared),
}  # fmt: skip

each_case = pytest.mark.parametrize(("function", "generators"), CASES.values(), ids=CASES)


@pytest.mark.parametrize("backend", ["c", "numpy"])
@each_case
def test_a_compiled_function_draws_what_the_function_would(function, generators, backend) -> None:
    step = tg.value_and_grad(function)
    compiled = tg.compile(step, backend=backend)
    for seed in (3, 3, 4):
        mine, its = generators(seed), generators(seed)
        for x in (X, X + 1):  # the second goes on with the generator as the first leaves it
            assert_same(leaves(compiled(x, mine)), leaves(step(x, its)), "compiled")
        for a, b in zip(tg.tree.flatten(mine).leaves, tg.tree.flatten(its).leaves, strict=True):
            assert a.bit_generator.state == b.bit_generator.state


@each_case
def test_a_program_and_its_source_draw_what_the_function_would(function, generators) -> None:
    step = tg.value_and_grad(function)
    given = generators(0)
    program = tg.program(step)(X, given)
    assert given is not None
    assert tg.tree.flatten(given).leaves[0].random() == tg.tree.flatten(generators(0)).leaves[0].random()
    space: dict[str, Any] = {}
    exec(program.source(), space)
    for run in (program, space["step"]):
        assert_same(leaves(run(X + 1, generators(7))), leaves(step(X + 1, generators(7))), "program")
    assert program.derivation()


def test_with_verify_the_function_gets_the_same_numbers() -> None:
    rng, same = one(0), one(0)
    compiled = tg.compile(dropped, verify=True)
    for _ in range(3):
        assert compiled(X, rng) == pytest.approx(dropped(X, same), rel=1e-12)


def test_another_generator_is_no_other_program() -> None:
    traced = []

    def counted(x, rng):
        traced.append(1)
        return x * rng.random(x.shape)

    compiled = tg.compile(counted)
    for seed in range(5):
        compiled(X, one(seed))
    assert len(traced) == 2  # each program is traced twice


COUNT = [0]


def counting(x, rng):
    COUNT[0] += 1
    return x * rng.normal(COUNT[0], 1.0, x.shape)


REFUSED = {
    "an argument": (
        lambda x, rng: rng.normal(x[0], 1.0, 3),
        "rng.normal is called with an array, or with what.*Draw standard numbers",
    ),
    "an array": (lambda x, rng: rng.normal(np.ones(3)), "rng.normal is called with an array"),
    "a shape of an argument": (lambda x, rng: rng.random((x[0].astype(int), 2)), "rng.random is called"),
    "an argument by name": (lambda x, rng: rng.normal(0.0, scale=x[0]), "rng.normal is called"),
    "bytes": (lambda x, rng: rng.bytes(3), "uses rng.bytes"),
    "shuffle": (lambda x, rng: rng.shuffle(x), "uses rng.shuffle.*permutation in place of shuffle"),
    "spawn": (lambda x, rng: rng.spawn(1)[0].random(3), "uses rng.spawn"),
    "hidden state": (counting, r"a draw of normal with \(\d+, 1.0, \(6,\)\) and then with"),
}


@pytest.mark.parametrize(("function", "message"), REFUSED.values(), ids=REFUSED)
def test_what_is_not_drawn_from_constants_is_refused(function, message) -> None:
    with pytest.raises(tg.TracingError, match=message):
        tg.compile(function)(X, one(0))


def test_a_model_with_dropout_is_trained_the_same_by_a_program() -> None:
    x, y = one(1).random((6, 5)), np.array([0, 1, 2, 0, 1, 2])
    model = nn.Sequential(nn.Linear(None, 8), nn.relu, nn.BatchNorm(), nn.Dropout(0.5), nn.Linear(None, 3))
    model, optimiser = model.init(one(0), x), nn.Momentum(0.01)

    def loss(model, state, x, y, rng):
        out, state = model.train(x, state, rng)
        return nn.softmax_cross_entropy(out, y), state

    def step(model, state, kept, x, y, rng):
        (value, state), gradient = tg.value_and_grad(loss, has_aux=True)(model, state, x, y, rng)
        model, kept = optimiser.update(model, gradient, kept)
        return value, model, state, kept

    runs = []
    for function in (step, tg.compile(step)):
        rng, now = one(2), (model, model.init_state(), optimiser.init(model))
        for _ in range(5):
            value, *now = function(*now, x, y, rng)
        runs.append([value, *leaves(now)])
    for a, b in zip(*runs, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)
