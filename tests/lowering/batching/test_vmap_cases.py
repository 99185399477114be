"""tg.vmap(f)(xs)[i] is f(xs[i]): of every case of the tables of primitives, value and gradient."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from all_cases import CASES
from cases import Case

import tinygrad_cnn as tg
from tinygrad_cnn.lowering.batching import rules
from tinygrad_cnn.lowering.operations import OPERATIONS

EXAMPLES = 3
ROUNDING = {"rtol": 1e-9, "atol": 1e-11}

# What depends on the elements: it cannot be traced.
UNTRACEABLE = (
    "x[x > 0]", "np.extract", "np.trim_zeros", "np.unique", "np.union1d", "np.intersect1d", "np.setdiff1d",
    "np.setxor1d", "np.histogram", "np.poly", "np.piecewise", "np.bincount", "emath.", "roots",
    "lstsq", "eig, ", "eig of", "eigvals",
    "sum, out=", "mean, out=", "prod, out=", "max, out=", "add.reduce, out=", "sum of nothing, out=",
)  # fmt: skip


def value(case: Case) -> Callable[..., Any]:
    return lambda *operands: case.function(*operands)


def gradient(case: Case) -> Callable[..., Any]:
    return tg.grad(lambda *operands: np.sum(case.function(*operands)), argnums=tuple(range(len(case.shapes))))


def leaves(result: Any) -> list[Any]:
    return [np.asarray(x.value if isinstance(x, tg.Tensor) else x) for x in tg.tree.flatten(result).leaves]


def agrees(function: Callable[..., Any], many: list[list[Any]], mapped: tuple[bool, ...]) -> None:
    """The batched function gives what the function gives of one example after the other."""
    singly = [[x if of_each else first for x, first, of_each in zip(one, many[0], mapped, strict=True)] for one in many]
    batches = [np.stack(xs) if each else xs[0] for xs, each in zip(zip(*many, strict=True), mapped, strict=True)]
    with np.errstate(all="ignore"):
        expected = [leaves(function(*operands)) for operands in singly]
        found = leaves(tg.vmap(function, in_axes=tuple([0 if each else None for each in mapped]))(*batches))
    for x, results in zip(found, zip(*expected, strict=True), strict=True):
        np.testing.assert_allclose(x, np.stack(results), **ROUNDING, strict=True)


def is_refused(case: Case) -> bool:
    return any(case.name.startswith(name) for name in UNTRACEABLE)


@pytest.mark.parametrize("part", range(4))
def test_a_batch_of_each_case_is_what_its_examples_are(part: int) -> None:
    faults = {}
    for number, case in list(enumerate(CASES))[part::4]:
        if is_refused(case):
            continue
        many = [[np.asarray(x) for x in case.operands(seed=seed)] for seed in range(EXAMPLES)]
        which = [mapped for mapped in itertools.product((True, False), repeat=len(case.shapes)) if any(mapped)]
        try:
            agrees(value(case), many, which[number % len(which)])
            if case.order and number % 3 == 0:  # the others are among the slow tests
                agrees(gradient(case), many, which[-number % len(which)])
        except Exception as error:
            faults[case.name] = error
    assert not faults


@pytest.mark.slow
@pytest.mark.parametrize("part", range(4))
def test_so_it_is_whichever_operands_are_mapped(part: int) -> None:
    for case in CASES[part::4]:
        if not is_refused(case):
            many = [[np.asarray(x) for x in case.operands(seed=seed)] for seed in range(EXAMPLES)]
            for mapped in itertools.product((True, False), repeat=len(case.shapes)):
                if any(mapped):
                    agrees(value(case), many, mapped)
                    if case.order:
                        agrees(gradient(case), many, mapped)


def test_few_cases_are_refused() -> None:
    assert sum(map(is_refused, CASES)) < len(CASES) / 10


def test_every_operation_has_a_batching_rule() -> None:
    assert set(OPERATIONS) <= set(rules.RULES)
