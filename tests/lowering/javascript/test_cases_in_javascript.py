"""Every case of the tables of primitives as JavaScript, compared with the interpreter, for other arguments."""

from __future__ import annotations

import numpy as np
from all_cases import CASES
from lowering.javascript.in_javascript import Case, case, faults
from lowering.test_cases import gradient, value

from tinygrad_cnn.lowering.passes import optimised
from tinygrad_cnn.lowering.recorder import TracingError
from tinygrad_cnn.lowering.trace import traced


def both(given):
    """The value and the gradient."""
    return lambda *operands: (given.function(*operands), gradient(given)(*operands))


def written(dtype: type = np.float64) -> tuple[list[Case], dict[str, str]]:
    """Every case as a program, or its value alone where its gradient is refused; and why some are refused."""
    found, refused = [], {}
    for given in CASES:
        traced_with, run_with = ([as_(x, dtype) for x in given.operands(seed=seed)] for seed in (0, 1))
        for kind, function in (("value and gradient", both(given)), ("value", value(given))):
            try:
                listing = optimised(traced(function, tuple(traced_with), {}))
                name = f"{given.name}, {kind}"
                found.append(case(name, function, listing, [tuple(run_with)], dtype == np.float32))
                break
            except TracingError:
                continue  # test_cases.py says of which
            except NotImplementedError as error:
                refused[f"{given.name}, {kind}"] = str(error)
    return found, refused


def as_(x, dtype: type):
    x = np.asarray(x)
    return x.astype(dtype) if x.dtype == np.float64 else x


def test_every_case_gives_what_the_interpreter_gives() -> None:
    with np.errstate(all="ignore"):
        cases, _ = written()
    assert not faults(cases)
