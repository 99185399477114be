"""Why a step by hand differs from autodiff's: the mistakes that people make, each a small class that knows one of them.

`EXPLANATIONS` has them in the order in which they are tried: the simplest first, but those for which there has to be a
tie or a kink before a factor that would account for the same. Another one is a class with a method `explain`:

    class Negated(Explanation):
        def explain(self, case):
            if case.accounts(-case.right):
                return "the sign is wrong"

and is used by `gradients(..., explanations=[Negated(), *EXPLANATIONS])`.
"""

from tinygrad_cnn.check.diagnose.explanations.case import Case, Explanation, Fitted, OtherRule, explain
from tinygrad_cnn.check.diagnose.explanations.rules import (
    Assigned,
    HeldConstant,
    InPart,
    KnownMistake,
    LeftOut,
    OtherDerivative,
    OtherSideOfKink,
    OtherValue,
    TiesInFull,
)
from tinygrad_cnn.check.diagnose.explanations.values import (
    Epsilon,
    Factor,
    FactorOfValue,
    InFloat32,
    Moved,
    NotCropped,
    PermutedAxes,
    Reshaped,
    Reversed,
    Sign,
    Summed,
    Transposed,
)

EXPLANATIONS: list[Explanation] = [
    InFloat32(),
    Sign(),
    OtherSideOfKink(),
    TiesInFull(),
    Factor(),
    Transposed(),
    PermutedAxes(),
    Reversed(),
    Reshaped(),
    Summed(),
    HeldConstant(),
    LeftOut(),
    InPart(),
    KnownMistake(),
    FactorOfValue(),
    OtherValue(),
    OtherDerivative(),
    Assigned(),
    NotCropped(),
    Moved(),
    Epsilon(),
]

__all__ = ["EXPLANATIONS", "Case", "Explanation", "Fitted", "OtherRule", "OtherSideOfKink", "TiesInFull", "explain"]
