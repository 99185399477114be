"""Every case of the tables of primitives as JavaScript, compared with the interpreter, for other arguments."""

from __future__ import annotations

import numpy as np
import pytest
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
        cases, refused = written()
    assert not faults(cases)
    named = {message.split("to='js': ")[1].split()[0] for message in refused.values() if " is complex" not in message}
    assert named <= REFUSED, "these could be written before"
    assert sum(case.name.endswith("value and gradient") for case in cases) > 0.75 * len(CASES)


@pytest.mark.exhaustive
def test_every_case_in_single_precision_gives_what_the_interpreter_gives() -> None:
    with np.errstate(all="ignore"):
        assert not faults(written(np.float32)[0])


# What has no form, or not with each of its parameters: np.sum only with both where and initial, for instance.
REFUSED = set(
    """frexp getitem ldexp mean modf nextafter numpy.apply_along_axis numpy.apply_over_axes numpy.average
    numpy.bincount numpy.choose numpy.cov numpy.diff numpy.ediff1d numpy.einsum numpy.empty numpy.geomspace
    numpy.gradient numpy.histogram numpy.histogram_bin_edges numpy.i0 numpy.interp numpy.linalg.cholesky
    numpy.linalg.cond numpy.linalg.eigh numpy.linalg.eigvalsh numpy.linalg.lstsq numpy.linalg.matrix_norm
    numpy.linalg.norm numpy.linalg.pinv numpy.linalg.qr numpy.linalg.svd numpy.linalg.svdvals numpy.linalg.tensorinv
    numpy.linalg.tensorsolve numpy.linalg.vector_norm numpy.linspace numpy.logspace numpy.max numpy.nanmedian
    numpy.nanpercentile numpy.nanquantile numpy.pad numpy.partition numpy.piecewise numpy.poly numpy.polyadd
    numpy.polyder numpy.polydiv numpy.polyfit numpy.polyint numpy.polymul numpy.polysub numpy.prod numpy.quantile
    numpy.std numpy.sum numpy.unwrap numpy.vander numpy.var reduceat sinc_derivative""".split()  # noqa: SIM905
)
