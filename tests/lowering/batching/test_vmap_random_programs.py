"""Random programs, batched: value and gradient are those of one example after the other."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from random_programs.generator import write
from random_programs.oracle import Judge

import tinygrad_cnn as tg

PLACES = (None, 2e-3)  # along the line that the oracle moves arguments on


def leaves(result: Any) -> list[Any]:
    return [x.value if isinstance(x, tg.Tensor) else x for x in tg.tree.flatten(result).leaves]


def close(a: Any, b: Any, single: bool) -> bool:
    """Whether they agree to the digits that are left where large terms cancel."""
    relative = 1e-4 if single else 1e-9
    scale = float(np.max(np.abs(b[np.isfinite(b)]), initial=0.0))
    return a.shape == b.shape and a.dtype == b.dtype and np.allclose(
        a, b, rtol=relative, atol=relative * max(scale, 1e-1), equal_nan=True
    )  # fmt: skip


def outcome(seed: int) -> str:
    """What became of the random program of that seed: "right", "refused" or "not run"; anything else is a fault."""
    program = write(seed)
    if program is None:
        return "not run"
    judge = Judge(program, thorough=False)

    def function(tree: Any) -> Any:
        return tg.value_and_grad(judge.of_tree(constants=judge.fresh_constants()[1]))(tree)

    batch = tg.tree.map(lambda *xs: np.stack(xs), *[judge.tree(judge.arguments(place)) for place in PLACES])
    try:
        expected = [leaves(function(tg.tree.map(lambda x, i=i: x[i], batch))) for i in range(len(PLACES))]
    except Exception:
        return "not run"
    try:
        found = leaves(tg.vmap(function)(batch))
    except (tg.TracingError, NotImplementedError):
        return "refused"
    single = program.uses_single_precision()
    if all(close(x, np.stack(each), single) for x, each in zip(found, zip(*expected, strict=True), strict=True)):
        return "right"
    return f"differs:\n{program.source()}"


def outcomes(seeds: range) -> list[str]:
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = {seed: outcome(seed) for seed in seeds}
    assert not {seed: x for seed, x in found.items() if x not in ("right", "refused", "not run")}
    return list(found.values())


def test_random_programs_are_batched() -> None:
    assert outcomes(range(25)).count("right") > 8


@pytest.mark.slow
@pytest.mark.parametrize("part", range(4))
def test_many_random_programs_are_batched(part: int) -> None:
    assert outcomes(range(part * 100, part * 100 + 100)).count("right") > 40
