"""A rule compared with finite differences of the forward function that it stands beneath."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinygrad_cnn.check.witnesses.finite_differences import extrapolated, steps_from
from tinygrad_cnn.check.witnesses.magnitude import largest
from tinygrad_cnn.engine.graph import Array

STEP = 1e-3  # the longest, as a share of the size of the operand


@dataclass(frozen=True)
class RuleSlope:
    """The slope by one operand, along a random direction and for a random cotangent.

    error: how far off that by finite differences may be, estimated
    """

    by_rule: float
    by_differences: float
    error: float

    @property
    def agree(self) -> bool:
        """Whether both are the same, to the error of finite differences."""
        difference = abs(self.by_rule - self.by_differences)  # NaN if the rule gives NaN: that is no agreement
        return difference <= 100 * self.error + 1e-6 * abs(self.by_differences)

    def __str__(self) -> str:
        return (
            f"along a random direction it gives {self.by_rule:.6g}, and finite differences give "
            f"{self.by_differences:.6g}"
        )


def rule_slope(
    primitive: Any, operands: Sequence[Any], static_args: Mapping[str, Any], position: int, rng: np.random.Generator
) -> RuleSlope | None:
    """What the rule for one operand gives, and finite differences; None if these are inconclusive.

    Raises ValueError if the rule gives a cotangent of another shape than the operand, and may not.
    """
    with np.errstate(all="ignore"):
        out = primitive.forward(*operands, **static_args)
        x = np.asarray(operands[position])
        x = x.astype(np.result_type(x.dtype, np.float64))
        g, direction = _normal(rng, out), _normal(rng, x) * (largest(x) or 1.0)
        g.flags.writeable = False  # a rule that writes to what it was given raises
        cotangent = np.asarray(primitive.rules[position](g, out, *operands, **static_args))
        if cotangent.shape != x.shape and not primitive.broadcasts:
            raise ValueError(
                f"the rule of {primitive.__name__} for operand {position} returned a cotangent of shape "
                f"{cotangent.shape}; expected the operand's shape, {x.shape}"
            )

        def moved(t: float) -> Any:
            there = [x + t * direction if k == position else y for k, y in enumerate(operands)]
            return primitive.forward(*there, **static_args)

        if moved(STEP) is out:  # that of a checkpoint or a solver, which has the result already
            return None

        steps = steps_from(STEP)
        noise = 16 * float(np.finfo(float).eps) * float(np.sum(np.abs(g) * np.abs(out)))
        slope = extrapolated(
            [_pairing(g, moved(h) - moved(-h)) / (2 * h) for h in steps], [noise / h for h in steps], power=2
        )
        if not slope.settled or not np.isfinite(slope.slope):
            return None
        return RuleSlope(_pairing(cotangent, direction), slope.slope, slope.error)


def _normal(rng: np.random.Generator, like: Any) -> Array:
    drawn = rng.standard_normal(np.shape(like))
    return np.asarray(drawn + 1j * rng.standard_normal(np.shape(like)) if np.iscomplexobj(like) else drawn)


def _pairing(cotangent: Any, tangent: Any) -> float:
    """The change of the loss, for a cotangent dL/du - i dL/dv of u + iv: see `primitives/complex_numbers.py`."""
    return float(np.real(np.sum(cotangent * tangent)))
