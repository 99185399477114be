"""A few hundred random programs, and that what judges them sees faults. The long campaign is a command:

python tests/random_programs/campaign.py --programs 100000 --seed 0 --jobs 2
"""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from random_programs.campaign import run
from random_programs.generator import write
from random_programs.oracle import PLACES, STEP, difference, judged
from random_programs.program import Input, Program
from random_programs.shrink import shrunk

import tinygrad_cnn as tg
from tinygrad_cnn.engine.primitive import implementations

pytestmark = pytest.mark.slow

PROGRAMS = 400


def a_program(*lines, results=("v",), arguments=None, constants=()) -> Program:
    x = Input("x", "np.random.default_rng(0).uniform(0.5, 1.5, (2, 3))")
    return Program(tuple(arguments or [x]), tuple(constants), lines, results)


@pytest.mark.parametrize("part", range(4))
def test_random_programs_are_as_numpy_runs_them_and_as_differences_differentiate_them(part) -> None:
    each = PROGRAMS // 4
    tally = run(range(part * each, (part + 1) * each), seconds=0)
    assert not tally.faults, "\n".join(
        f"# {verdict.kind}: {verdict.detail}\n{p.source()}" for p, verdict in tally.faults
    )
    assert tally.judged["second"] > each / 2


def test_a_program_prints_as_source_that_runs_by_itself() -> None:
    programs = [program for program in map(write, range(20)) if program and judged(program).kind == "right"]
    for program in programs[:5]:
        result = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", program.source()], capture_output=True, text=True, check=False
        )
        assert result.returncode == 0, result.stderr


def test_a_seed_gives_the_same_program_again() -> None:
    assert [write(seed) for seed in range(20)] == [write(seed) for seed in range(20)]


# The oracle: each kind of fault is planted, and found.


def planted(monkeypatch, function, implementation) -> None:
    monkeypatch.setitem(implementations, function, implementation)


def of_sine(forward, rule):
    @tg.primitive
    def sine(x, /):
        return forward(x)

    sine.defvjp(rule)
    return sine


FAULTS = {
    "value": (lambda x: np.sin(x) + 1e-6, lambda g, out, x: g * np.cos(x)),
    "dtype": (lambda x: np.sin(x).astype(np.float32), lambda g, out, x: g * np.cos(x)),
    "shape": (lambda x: np.sin(x)[:1], lambda g, out, x: g * np.cos(x)),
    "layout": (lambda x: np.asfortranarray(np.sin(x)), lambda g, out, x: g * np.cos(x)),
    "gradient": (np.sin, lambda g, out, x: g * np.cos(x) * (1 + 1e-4)),
    "jvp": (np.sin, lambda g, out, x: np.copy(to_value(g)) * np.cos(x)),
    "second derivative": (np.sin, lambda g, out, x: g * np.cos(to_value(x))),
    "error": (np.sin, lambda g, out, x: np.zeros((7, 7)) + g[0, 0]),
}


def to_value(x):
    return x.value if isinstance(x, tg.Tensor) else x


@pytest.mark.parametrize("kind", FAULTS)
def test_a_planted_fault_is_found(kind, monkeypatch) -> None:
    program = a_program("v = np.sin(x)")
    assert judged(program).kind == "right"
    planted(monkeypatch, np.sin, of_sine(*FAULTS[kind]))
    assert judged(program).kind == kind


def test_a_view_that_is_a_copy_is_found(monkeypatch) -> None:
    program = a_program("v = np.transpose(x)", results=("v", "x"))
    assert judged(program).kind == "right"
    original = implementations[np.transpose]
    planted(monkeypatch, np.transpose, lambda x, axes=None: np.copy(original(x), "K"))
    assert judged(program).kind == "aliasing"


def test_a_rule_that_reads_what_the_caller_may_overwrite_is_found(monkeypatch) -> None:
    program = a_program("v = np.hypot(x, c)", constants=[Input("c", "np.random.default_rng(1).uniform(1, 2, (2, 3))")])
    assert judged(program).kind == "right"

    def uncopied(x, y):
        @tg.primitive
        def hypot(a, /):
            return np.sqrt(a**2 + y**2)

        hypot.defvjp(lambda g, out, a: g * a / np.sqrt(a**2 + y**2))
        return hypot(x)

    planted(monkeypatch, np.hypot, uncopied)
    assert judged(program).kind == "overwritten"


def test_a_refusal_is_no_fault_and_an_unexpected_error_is_one(monkeypatch) -> None:
    def refuses(*_, **__):
        raise NotImplementedError("np.sin does not take Tensors")

    def breaks(*_, **__):
        raise KeyError("sin")

    program = a_program("v = np.sin(x)")
    planted(monkeypatch, np.sin, refuses)
    assert judged(program).kind == "refused"
    planted(monkeypatch, np.sin, breaks)
    assert judged(program).kind == "error"


# Differences.

SMOOTH = {"exp": (np.exp, 1, 1), "sin": (np.sin, 1, 0), "of the third degree": (lambda t: t**3 + t, 1, 0)}


@pytest.mark.parametrize("name", SMOOTH)
def test_differences_of_smooth_functions_are_derivatives(name) -> None:
    function, first, second = SMOOTH[name]
    samples = function(PLACES * STEP)
    for order, expected in ((1, first), (2, second)):
        found = difference(samples, order)
        assert found is not None
        assert abs(found[0] - expected) <= found[1] + 1e-9


KINKS = {
    "abs": np.abs, "relu": lambda t: np.maximum(t, 0), "a jump": lambda t: np.where(t > 1e-3, 1.0, 0.0),
    "a kink beside": lambda t: np.abs(t - 1e-3), "sqrt": lambda t: np.sqrt(np.abs(t)),
    "noise": lambda t: np.sin(1e9 * t),
}  # fmt: skip


@pytest.mark.parametrize("name", KINKS)
def test_at_a_kink_nothing_is_judged(name) -> None:
    assert difference(KINKS[name](PLACES * STEP), 1) is None


def test_a_kink_of_the_slope_is_not_judged_in_second_order() -> None:
    samples = PLACES * STEP * np.abs(PLACES * STEP) + 1.0
    assert difference(samples, 2) is None


def test_a_failing_program_is_shrunk_to_the_statement_at_fault(monkeypatch) -> None:
    program = a_program("a = np.exp(x)", "b = a[0] * 2", "v = np.sin(b)", "w = v + a", results=("v", "w"))
    planted(monkeypatch, np.sin, of_sine(*FAULTS["gradient"]))
    small, verdict = shrunk(program, judged(program))
    assert verdict.kind == "gradient"
    assert len(small.lines) == 3
    assert small.results == ("v",)
