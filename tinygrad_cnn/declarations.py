"""What tools may ask of a primitive, declared beside its forward function: kinks, cost, doubts, common mistakes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypedDict

Array = Any
Rule = Callable[..., Array]


# What a step of a model does, as people name the layers of a network: what a picture colours, and draws as one box.
KINDS = ("convolution", "activation", "pooling", "linear", "normalisation", "loss")
LAYER = "layer"  # of a composite that is one box, and none of these: attention, dropout, a recurrence


class Declared(TypedDict, total=False):
    """What a primitive may say of itself, each False or empty unless it is declared: `primitive` explains them."""

    broadcasts: bool
    elementwise: bool
    singular: bool
    moves: bool
    bilinear: bool
    windowed: bool
    complex: bool
    pure: bool
    view_or_copy: bool
    opaque: bool
    implied: tuple[str, ...]
    kind: str


Change = Sequence[Rule | None] | Mapping[str, Any]


@dataclass(frozen=True)
class Kink:
    """Where a primitive is not differentiable: see `Primitive.defkink`."""

    choices: Callable[..., list[Array]]
    meeting: Callable[..., Array]
    conventions: Mapping[str, Change]
    ties_in_full: Change | None
    mask: int | None


class Declarations:
    """What a primitive says of itself. Of it, the engine reads `broadcasts`, `complex` and `view_or_copy` alone."""

    arity: int | None
    __qualname__: str

    def __reduce__(self) -> str:
        """By name, as a function is pickled and copied: a model may hold one."""
        return self.__qualname__

    def _declare(self, declared: Declared) -> None:
        self.elementwise = declared.get("elementwise", False)
        self.broadcasts = declared.get("broadcasts", False) or (self.elementwise and self.arity != 1)
        self.singular = declared.get("singular", False)
        self.moves = declared.get("moves", False)
        self.bilinear = declared.get("bilinear", False)
        self.windowed = declared.get("windowed", False)
        self.complex = declared.get("complex", False)
        self.pure = declared.get("pure", False)
        self.view_or_copy = declared.get("view_or_copy", False)
        self.opaque = declared.get("opaque", False)
        self.implied = declared.get("implied", ())
        self.kind = known_kind(declared.get("kind", ""))
        self.flops: Callable[..., float] | None = _one_each if self.elementwise else _none if self.moves else None
        self.factors: Sequence[str] = ()
        self.kink: Kink | None = None
        self.mistakes: dict[str, Sequence[Rule | None]] = {}
        self.doubt: Callable[..., str | None] | None = None

    def defkink(
        self,
        choices: Callable[..., list[Array]],
        meeting: Callable[..., Array],
        *,
        conventions: Mapping[str, Change] | None = None,
        ties_in_full: Change | None = None,
        mask: int | None = None,
    ) -> None:
        """Declare where the function is not differentiable, for the cross-check to know of it.

        Between kinks a function consists of smooth pieces: x > 0 and x < 0 for a relu, an element of the window that
        is the largest for a pooling. Both functions are given what a rule is given, but for the cotangent.

        choices        a list of arrays that change just where the function goes over to another piece
        meeting        for each element of the result, whether pieces meet there, so that the rule takes a convention
        conventions    others that people take, by a sentence on what becomes of the cotangent: rules that do so, or
                       static arguments of this primitive that do
        ties_in_full   the same for what gives each element that ties the whole cotangent, which is no derivative
        mask           the operand that says which of the others an element is taken from

        >>> import numpy as np, tinygrad_cnn as tg
        >>> @tg.primitive(elementwise=True)
        ... def hinge(x, /):
        ...     return np.maximum(1 - x, 0)
        >>> _ = hinge.defvjp(lambda g, out, x: -g * (x < 1))
        >>> hinge.defkink(lambda out, x: [x < 1, x > 1], lambda out, x: x == 1)
        >>> report = tg.check.gradients(lambda x: np.sum(hinge(x)), np.array([0.0, 1.0, 2.0]))
        >>> [(kink.primitive, kink.elements) for kink in report.kinks]
        [('hinge', 1)]
        """
        self.kink = Kink(choices, meeting, conventions or {}, ties_in_full, mask)

    def defflops(self, flops: Callable[..., float]) -> Callable[..., float]:
        """Declare how many floating-point operations a call takes, from the result and the arguments.

        Without it that is one for each element of the result if the primitive is elementwise, none if it only moves
        elements, and else unknown.

        >>> import numpy as np, tinygrad_cnn as tg
        >>> @tg.primitive
        ... def squared_norm(x, /):
        ...     return np.sum(x * x)
        >>> _ = squared_norm.defvjp(lambda g, out, x: 2 * g * x)
        >>> _ = squared_norm.defflops(lambda out, x: 2 * x.size)
        """
        self.flops = flops
        return flops

    def defdoubt(self, doubt: Callable[..., str | None]) -> Callable[..., str | None]:
        """Declare when a rule's result is not to be trusted: what debug mode then warns of, else None.

        doubt: given what a rule is given.
        """
        self.doubt = doubt
        return doubt

    def defmistake(self, mistake: str, *rules: Rule | None) -> None:
        """Declare wrong rules that people write, for the cross-check to recognise in a hand-derived gradient.

        mistake: what is wrong, as "the inverse is not transposed". rules: as for `defvjp`; None if it is not affected.
        """
        self.mistakes[mistake] = rules


def known_kind(kind: str) -> str:
    """`kind`, if it is one. Raises ValueError for any other."""
    if kind and kind not in (*KINDS, LAYER):
        raise ValueError(f"unknown kind {kind!r}; expected one of {', '.join((*KINDS, LAYER))}")
    return kind


def _one_each(out: Array, *operands: Any, **static_args: Any) -> int:
    return int(out.size)


def _none(out: Array, *operands: Any, **static_args: Any) -> int:
    return 0
