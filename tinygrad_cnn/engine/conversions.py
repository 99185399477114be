"""Conversions of a Tensor to Python numbers, which have no gradient: an error, or a warning.

Python converts an object to a number in the same way for float(t), math.exp(t) and array[i] = t, whether a person or a
library wrote it. They cannot be distinguished here, so all of them raise. `t.value` is explicit: it is a name of this
package, so whoever writes it means it.
"""

from __future__ import annotations

import sys
import warnings
from contextvars import ContextVar

from tinygrad_cnn.advice.callers import adopted
from tinygrad_cnn.engine.graph import now


class GradientLostError(TypeError):
    """A Tensor was to be converted to a Python number or an array, and its gradient would have been lost."""


class GradientLostWarning(UserWarning):
    """`t.item()` or `t.tolist()` was called on a Tensor that is being differentiated, and has no gradient."""


# When the values of a Tensor were last read (by `.value`, `.item()`, `.tolist()`), on the scale of `Node.order`.
numbers_taken: ContextVar[int] = ContextVar("numbers_taken", default=-1)


def called_by_adopted_code() -> bool:
    """Whether adopted code called the method that asks.

    Code that was written for arrays alone does not mean to lose a gradient when it asks for numbers, so there
    `t.item()` and `t.tolist()` give Tensors.
    """
    return bool(adopted) and sys._getframe(2).f_globals.get("__name__") in adopted


def note_numbers_taken() -> None:
    """Remember that the values of a Tensor were read now."""
    numbers_taken.set(now())


def warn_of_loss(method: str) -> None:
    """Warn, once for each line, that `t.method()` returns numbers without their gradient."""
    warnings.warn(
        f"t.{method}() of a Tensor that is being differentiated returns Python numbers, which have no gradient. "
        f"If that is intended, write tg.stop_gradient(t).{method}()",
        GradientLostWarning,
        stacklevel=4,
    )
