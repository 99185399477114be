"""What happens where a Tensor would become a Python number, which has no gradient: an error, or a warning.

Python asks an object for its number in one way, whether a person wrote float(t), or math.exp(t), or array[i] = t, or a
library did so somewhere inside. None of them can be distinguished from here, so all of them raise. `t.value` is the way
out: it is this package's own word, so whoever writes it means it.
"""

from __future__ import annotations

import warnings
from contextvars import ContextVar

from tinygrad_cnn.engine.graph import now
from tinygrad_cnn.sources import calling_line


class GradientLostError(TypeError):
    """A Tensor was asked for a Python number or an array, which would have lost its gradient."""


class GradientLostWarning(UserWarning):
    """`t.item()` or `t.tolist()` was called on a Tensor that is being differentiated: the numbers have no gradient."""


# When the numbers of a Tensor were last taken (by `.value`, `.item()`, `.tolist()`), in the numbers of `Node.order`.
numbers_taken: ContextVar[int] = ContextVar("numbers_taken", default=-1)


def note_numbers_taken() -> None:
    """Remember that the numbers of a Tensor were taken now."""
    numbers_taken.set(now())


def no_number(kind: str) -> GradientLostError:
    """The error for a Tensor that was asked for its `kind` of number: float, int, complex, ..."""
    return GradientLostError(
        f"a Tensor does not become a Python {kind} by itself, because its gradient would be lost ({calling_line()}). "
        "Call NumPy's function in place of Python's or math's: np.exp(t) for math.exp(t), np.round(t) for round(t). "
        "To assign into an array, make it by np.zeros_like(t) or np.zeros(shape, like=t). "
        f"For the number without its gradient, write {_NUMBER.get(kind, kind)}(t.value)"
    )


_NUMBER = {"integer": "int"}


def warn_of_loss(method: str) -> None:
    """Warn, once for each line, that `t.method()` gives numbers without their gradient."""
    warnings.warn(
        f"t.{method}() gives plain numbers, which have no gradient, of a Tensor that is being differentiated. "
        f"If that is what you want, write tg.stop_gradient(t).{method}()",
        GradientLostWarning,
        stacklevel=4,
    )
