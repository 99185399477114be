"""The functions of other packages that have a counterpart for Tensors, and the counterparts: one table, by identity.

    @replaces(scipy.linalg.expm)
    def expm(A):
        ...                      # an expression of primitives: it is called where an argument is a Tensor

makes `expm` SciPy's function where no argument is a Tensor, at the cost of one check, and enters the pair into the
table. What calls a package's function by way of a module that cannot be edited reads the table to exchange it.
"""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable, Iterable
from types import ModuleType
from typing import Any, TypeVar

from tinygrad_cnn.engine.graph import Handle

F = TypeVar("F", bound=Callable[..., Any])

# id(original): (original, its counterpart), of functions, of objects such as scipy.stats.norm, and of modules.
replacements: dict[int, tuple[Any, Any]] = {}

# Parameters that do not change the value; that its arguments are finite, a counterpart checks as it sees fit.
_WITHOUT_EFFECT = {"check_finite", "driver", "lapack_driver", "lwork", "plan", "workers"} | {
    f"overwrite_{name}" for name in ("a", "ab", "b", "data", "x")
}


def register(original: Any, counterpart: Any) -> None:
    """Enter a pair into the table."""
    replacements[id(original)] = (original, counterpart)


def holds_tensor(arguments: Iterable[Any]) -> bool:
    """Whether one of the arguments is a Tensor, or a list or tuple with one in it."""
    for x in arguments:
        if isinstance(x, Handle):
            return True
        if (type(x) is list or type(x) is tuple) and holds_tensor(x):
            return True
    return False


def replaces(original: Any, name: str | None = None) -> Callable[[F], F]:
    """Make the decorated function `original` where no argument is a Tensor, and register it as its counterpart.

    The function has those parameters of `original` that it supports, by the same names. Another one that is given, and
    is not what it is by default, raises NotImplementedError. name: that of `original` in the message.
    """
    called = name or f"{public_module(original)}.{original.__name__}"

    def decorate(on_tensors: F) -> F:
        supports = _Supported(original, on_tensors, called)

        @functools.wraps(on_tensors)
        def counterpart(*args: Any, **keywords: Any) -> Any:
            if holds_tensor(args) or (keywords and holds_tensor(keywords.values())):
                if len(args) > supports.leading or not (keywords.keys() <= supports.names):
                    args, keywords = (), supports.arguments(args, keywords)
                return on_tensors(*args, **keywords)
            return original(*args, **keywords)

        register(original, counterpart)
        return counterpart  # type: ignore[return-value]

    return decorate


def public_module(original: Any) -> str:
    """The module as which users know where `original` is: scipy.linalg for scipy.linalg._basic."""
    return ".".join(part for part in original.__module__.split(".") if not part.startswith("_"))


class _Supported:
    """Which parameters of a function its counterpart takes."""

    def __init__(self, original: Any, on_tensors: Callable[..., Any], called: str) -> None:
        self.called, self.signature = called, inspect.signature(original)
        theirs, ours = list(self.signature.parameters.values()), list(inspect.signature(on_tensors).parameters.values())
        self.others = any(p.kind is p.VAR_KEYWORD for p in ours)
        # One that an older version of the package lacks is refused there, as it is by the original.
        has_others = any(p.kind is p.VAR_KEYWORD for p in theirs)
        known = {p.name for p in ours if has_others or p.name in self.signature.parameters}
        self.names = {p.name for p in ours if p.name in known and p.kind is not p.VAR_KEYWORD}
        self.leading = 0  # how many arguments may be passed on by position as they are
        for mine, other in zip(ours, theirs, strict=False):
            if mine.kind is mine.VAR_POSITIONAL == other.kind:
                self.leading = 10**9
            if mine.name != other.name or mine.kind is not other.kind:
                break
            self.leading += 1

    def arguments(self, args: Any, keywords: Any) -> dict[str, Any]:
        """The arguments by their names; raises if one of them is not supported."""
        parameters = self.signature.parameters
        bound = self.signature.bind(*args, **keywords).arguments
        for name, parameter in parameters.items():
            if parameter.kind is parameter.VAR_KEYWORD:
                bound.update(bound.pop(name, {}))
        for name, x in list(bound.items()):
            if name in self.names or (self.others and name not in parameters):
                continue
            default = parameters[name].default if name in parameters else None
            if name not in _WITHOUT_EFFECT and x is not default and not (type(x) is type(default) and x == default):
                raise NotImplementedError(
                    f"{self.called}: {name}={x!r} is not supported for Tensors; expected {default!r}"
                )
            del bound[name]
        return bound


def fallback(original: ModuleType, names: dict[str, Any]) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """`__getattr__` and `__dir__` of the module whose globals are `names`, the counterpart of the module `original`.

    What the module does not define is that of `original`. It is entered into the table.
    """
    register(original, sys.modules[names["__name__"]])
    public = getattr(original, "__all__", None) or [name for name in dir(original) if not name.startswith("_")]
    names["__all__"] = list(public)

    def get(name: str) -> Any:
        return getattr(original, name)

    return get, lambda: dir(original)
