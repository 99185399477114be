"""The elementwise functions of scipy.special. SciPy is not needed: it is looked at where it is in use.

A ufunc of SciPy asks a Tensor for its implementation as NumPy's do. When one is met for the first time it is looked up
in the module that the caller has imported, by its name, and declared from the rules here.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from tinygrad_cnn.engine.primitive import elementwise, finders, implementations
from tinygrad_cnn.primitives.scipy_special import (
    bessel,
    distributions,
    elementary,
    elliptic,
    error_functions,
    gamma_functions,
    polynomials,
)
from tinygrad_cnn.primitives.scipy_special.rules import Rules, outputs

SUBJECTS = (elementary, error_functions, gamma_functions, bessel, elliptic, polynomials, distributions)


def find(ufunc: np.ufunc) -> Callable[..., Any] | None:
    """The primitive of `ufunc`, if it is one of scipy.special's that has rules here."""
    special: Any = sys.modules.get("scipy.special")
    if special is None or getattr(special, ufunc.__name__, None) is not ufunc:
        return None
    rules = rules_of(special).get(ufunc.__name__)
    if rules is None:
        return None
    if ufunc.nout == 1:
        return elementwise(ufunc, *rules, singular=True)  # most have poles, and to mask at none does no harm
    implementations[ufunc] = outputs(ufunc, rules)
    return implementations[ufunc]


finders.append(find)


def rules_of(special: Any) -> dict[str, Rules]:
    """The rules by the names of ufuncs; what they call is of the module `special`, and so is differentiated again."""
    return {name: rules for subject in SUBJECTS for name, rules in subject.rules_of(special).items()}
