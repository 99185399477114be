"""A mistake that somebody made in a hand-derived gradient, re-created: the facts of it, in code of our own."""

from __future__ import annotations

import ast
import hashlib
import inspect
import textwrap
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Parameters = dict[str, Any]
ByHand = Callable[[Parameters], dict[str, Any]]


@dataclass(frozen=True)
class Case:
    """One mistake.

    name      what it is called; it also decides whether the case is held back
    source    where it was reported, corrected or found
    loss      a function of the parameters, in NumPy; its variables have the names that `by_hand` uses
    by_hand   the gradient as it was derived, with the cotangents of intermediate values by name
    point     the parameters
    fix       what has to be replaced in the source of `by_hand`, by what, for it to be right
    step      the first wrong cotangent
    cause     what is wrong, in one sentence
    says      a regular expression that an explanation in words has to match in order to be the cause
    """

    name: str
    source: str
    loss: Callable[[Parameters], Any]
    by_hand: ByHand
    point: Parameters
    fix: dict[str, str]
    step: str
    cause: str
    says: str
    right: ByHand = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "right", corrected(self.by_hand, self.fix))

    @property
    def family(self) -> str:
        """The module that it is in."""
        return self.by_hand.__module__.rpartition(".")[2]


def is_held_back(name: str) -> bool:
    """Whether the case of that name belongs to the half that nobody looks at while working on explanations."""
    return hashlib.sha256(name.encode()).digest()[0] % 2 == 1


def body_of(function: Callable[..., Any]) -> tuple[str, int]:
    """The source of a function without its decorators, and the number of its first line in its file."""
    source = textwrap.dedent(inspect.getsource(function))
    definition = ast.parse(source).body[0]
    lines = source.splitlines()[definition.lineno - 1 :]
    return "\n".join(lines) + "\n", function.__code__.co_firstlineno + definition.lineno - 1


def compiled(source: str, function: Callable[..., Any], first_line: int = 1, filename: str = "<corrected>") -> Any:
    """What `source` defines in place of `function`, in the same module."""
    namespace = function.__globals__
    local: dict[str, Any] = {}
    exec(compile("\n" * (first_line - 1) + source, filename, "exec"), namespace, local)
    return local[function.__name__]


def corrected(by_hand: ByHand, fix: dict[str, str]) -> ByHand:
    """`by_hand` with the replacements of `fix` made in its source; each has to be there once."""
    source, _ = body_of(by_hand)
    for wrong, right in fix.items():
        if source.count(wrong) != 1:
            raise ValueError(f"{by_hand.__name__} has {wrong!r} {source.count(wrong)} times; expected once")
        source = source.replace(wrong, right)
    return compiled(source, by_hand)


_FOUND: list[Case] = []


def mistake(
    loss: Callable[[Parameters], Any],
    point: Parameters,
    *,
    source: str,
    step: str,
    cause: str,
    fix: dict[str, str],
    says: str,
) -> Callable[[ByHand], ByHand]:
    """Enter the function that follows, a wrong gradient of `loss`, into the table. For the rest, see `Case`."""

    def enter(by_hand: ByHand) -> ByHand:
        _FOUND.append(Case(by_hand.__name__, source, loss, by_hand, point, fix, step, cause, says))
        return by_hand

    return enter


def cases_of(package: str) -> list[Case]:
    """The cases of the modules of a package that were imported."""
    return [case for case in _FOUND if case.by_hand.__module__.rpartition(".")[0] == package]


def normal(seed: int, *shape: int) -> Any:
    """Normally distributed numbers, the same at each call."""
    return np.random.default_rng(seed).standard_normal(shape)


def sigmoid(z: Any) -> Any:
    """1 / (1 + exp(-z))."""
    return 1 / (1 + np.exp(-z))


def softmax(z: Any) -> Any:
    """Along the last axis."""
    e = np.exp(z - np.max(z, axis=-1, keepdims=True))
    return e / np.sum(e, axis=-1, keepdims=True)
