"""Numbers that mean something: lengths of arrays, constants of the code, and those that people forget."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from tinygrad_cnn.check import sentences

FORGOTTEN = {2.0: "2", 0.5: "1/2", 4.0: "4", 0.25: "1/4", 3.0: "3", 1 / 3: "1/3", 1.5: "3/2", 2 / 3: "2/3"}
CLOSE = 1e-8


class Named(NamedTuple):
    """A number in digits, and what it is, or what `number` in it is, if that is more."""

    digits: str
    meaning: str = ""
    number: str = ""


class Numbers:
    """Names numbers.

    shapes      of the values around, by name
    constants   numbers that the code has, by name or in digits
    """

    def __init__(self, shapes: Iterable[tuple[str, tuple[int, ...]]], constants: Iterable[tuple[str, float]]) -> None:
        self.lengths: dict[int, str] = {}
        several: dict[int, str] = {}
        for name, shape in shapes:
            for axis, n in enumerate(shape):
                if n > 1:
                    of = sentences.LENGTH_OF_VECTOR if len(shape) == 1 else sentences.LENGTH
                    self.lengths.setdefault(n, of.format(axis=axis, name=name))
            for count in range(2, min(len(shape), 4) + 1):
                for axes in itertools.combinations(range(len(shape)), count):
                    n = math.prod(shape[axis] for axis in axes)
                    of = sentences.SIZE if count == len(shape) else sentences.LENGTHS
                    several.setdefault(n, of.format(axes=axes, name=name))
        self.lengths = {**several, **self.lengths}
        self.lengths.pop(1, None)
        self.constants = {value: name for name, value in constants if value not in (0.0, 1.0)}

    def name(self, factor: float) -> Named | None:
        """What a positive factor is; None if it is nothing that has a name."""
        for n, length in self.lengths.items():
            if n > 2 and _close(factor, n):
                return Named(str(n), length, str(n))
            if n > 2 and _close(factor, 1 / n):
                return Named(f"1/{n}", length, str(n))
        for value, text in FORGOTTEN.items():
            if _close(factor, value):
                return Named(text)
        return next((named for value, named in self._others() if _close(factor, value)), None)

    def _others(self) -> Iterator[tuple[float, Named]]:
        for value, name in self.constants.items():
            digits = f"{value:.6g}"
            yield value, Named(digits, "" if name == digits else name, digits)
            if value:
                yield 1 / value, Named(f"1/{digits}", "" if name == digits else name, digits)
        for n, length in self.lengths.items():
            yield n / 2, Named(f"{n}/2", length, str(n))
            yield 2 / n, Named(f"2/{n}", length, str(n))
            if n > 2:
                less = sentences.ONE_LESS.format(length=length)
                yield n - 1.0, Named(str(n - 1), less, str(n - 1))
                yield 1 / (n - 1), Named(f"1/{n - 1}", less, str(n - 1))
                yield n / (n - 1), Named(f"{n}/{n - 1}", length, str(n))
                yield (n - 1) / n, Named(f"{n - 1}/{n}", length, str(n))
                yield math.sqrt(n), Named(f"sqrt({n})", length, str(n))
                yield 1 / math.sqrt(n), Named(f"1/sqrt({n})", length, str(n))
                yield float(n * n), Named(f"{n}**2", length, str(n))
                yield 1 / (n * n), Named(f"1/{n}**2", length, str(n))
        for n in range(5, 11):
            yield float(n), Named(str(n))
            yield 1 / n, Named(f"1/{n}")
        for value, digits in ((math.pi, "pi"), (math.log(2), "log(2)")):
            yield value, Named(digits)
            yield 1 / value, Named(f"1/{digits}")

    def plausible(self) -> Iterator[tuple[float, str]]:
        """Factors that are tried where none can be fitted: of what is not linear in them."""
        yield from ((2.0, "2"), (0.5, "1/2"), (4.0, "4"), (0.25, "1/4"))
        for n in self.lengths:
            if n > 2:
                yield from ((n / (n - 1), f"{n}/{n - 1}"), ((n - 1) / n, f"{n - 1}/{n}"))
                yield from ((float(n), str(n)), (1 / n, f"1/{n}"))


def _close(a: float, b: float) -> bool:
    return math.isclose(a, b, rel_tol=CLOSE)


def is_round(x: float, digits: int = 2) -> float | None:
    """The number of so few digits that `x` is close to: 1e-5 of 1.00003e-5; None if there is none."""
    if not x or not math.isfinite(x):
        return None
    rounded = float(f"{x:.{digits - 1}e}")
    return rounded if math.isclose(x, rounded, rel_tol=2e-3) else None
