"""Random programs as JavaScript: their value and gradient, compared with the interpreter, for other arguments too."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from lowering.comparing import PLACES, value_and_gradient_of
from lowering.javascript.in_javascript import Case, case, faults
from random_programs.generator import write

from tinygrad_cnn.lowering.passes import optimised
from tinygrad_cnn.lowering.recorder import TracingError
from tinygrad_cnn.lowering.trace import traced

pytestmark = pytest.mark.slow


def case_of(seed: int) -> Case | str:
    """The random program of that seed, written as JavaScript; or why it is not."""
    program = write(seed)
    if program is None:
        return "not run"
    function, arguments = value_and_gradient_of(program)
    calls = [arguments(place) for place in PLACES]
    try:
        for call in calls:
            function(*call)
        listing = optimised(traced(function, arguments(None), {}))
        return case(str(seed), function, listing, calls, program.uses_single_precision())
    except TracingError:
        return "refused"
    except NotImplementedError as error:
        return str(error)
    except Exception:
        return "not run"


def written(seeds: range) -> tuple[list[Case], list[str]]:
    """The programs of these seeds, and what became of those that are not written."""
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = [case_of(seed) for seed in seeds]
    return [x for x in found if isinstance(x, Case)], [x for x in found if isinstance(x, str)]


def test_random_programs_give_what_the_interpreter_gives() -> None:
    cases, _ = written(range(200))
    assert not faults(cases)
    assert len(cases) > 100
