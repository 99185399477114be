"""The cases of all tables, and the parametrization of a test by them."""

from __future__ import annotations

import pytest
from cases import CASES as OF_MODELS
from cases_linear_algebra import CASES as OF_LINEAR_ALGEBRA
from cases_nn import CASES as OF_NN
from cases_numpy import CASES as OF_NUMPY
from cases_ufuncs import CASES as OF_UFUNCS

CASES = [*OF_MODELS, *OF_LINEAR_ALGEBRA, *OF_NUMPY, *OF_UFUNCS, *OF_NN]

each_case = pytest.mark.parametrize("case", CASES, ids=[case.name.replace(" ", "-") for case in CASES])
