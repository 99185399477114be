"""Programs of packages that were not written for automatic differentiation: none has a wrong gradient.

Run by `pytest -m public_programs` alone: it installs some 80 packages and takes a quarter of an hour.
"""

from __future__ import annotations

import pytest

from public_programs import running
from public_programs.case import Case, load

pytestmark = pytest.mark.public_programs


@pytest.fixture(scope="module")
def python() -> object:
    return running.environment()


KNOWN = [
    pytest.param(case, marks=pytest.mark.xfail(reason=case.limit) if case.limit else (), id=name)
    for name, case in load().items()
]


@pytest.mark.parametrize("case", KNOWN)
def test_no_gradient_is_wrong_without_a_sign_of_it(case: Case, python) -> None:
    found = running.overall(running.verdicts(case, python))
    assert found["verdict"] in ("right", "refused", "NaN"), found["message"]
