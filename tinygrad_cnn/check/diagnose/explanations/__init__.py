"""Why a hand-derived step differs from autodiff: the mistakes that people make, each a small class that knows one.

`EXPLANATIONS` has them in the order in which they are tried: the simplest first, but those for which there has to be a
tie or a kink before a factor that would account for the same. Another one is a class with a method `explain`:

    class Negated(Explanation):
        def explain(self, case):
            if case.accounts(-case.expected):
                return "the sign is wrong"

and is used by `gradients(..., explanations=[Negated(), *EXPLANATIONS])`.
"""

from tinygrad_cnn.check.diagnose.explanations.assigned_not_added import AssignedNotAdded
from tinygrad_cnn.check.diagnose.explanations.case import Case, Fitted
from tinygrad_cnn.check.diagnose.explanations.kink_conventions import OtherSideOfKink, TiesInFull
from tinygrad_cnn.check.diagnose.explanations.search import Explanation, OtherRule, SmallestEdit, SourceEdit, explain
from tinygrad_cnn.check.diagnose.explanations.wrong_rules import KnownMistake, UsersMistake
from tinygrad_cnn.check.diagnose.explanations.wrong_values import Epsilon, InFloat32

EXPLANATIONS: list[Explanation] = [
    InFloat32(),
    OtherSideOfKink(),
    TiesInFull(),
    UsersMistake(),
    SmallestEdit(),
    KnownMistake(),
    AssignedNotAdded(),
    Epsilon(),
    SourceEdit(),
]

__all__ = [
    "EXPLANATIONS",
    "Case",
    "Explanation",
    "Fitted",
    "OtherRule",
    "OtherSideOfKink",
    "SmallestEdit",
    "SourceEdit",
    "TiesInFull",
    "explain",
]
