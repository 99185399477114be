"""What a module here does not define is SciPy's."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

from tinygrad_cnn.replacements import register


def fallback(scipys: ModuleType, names: dict[str, Any]) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """`__getattr__` and `__dir__` of the module whose globals are `names`; it is registered as SciPy's counterpart."""
    import sys

    register(scipys, sys.modules[names["__name__"]])
    names["__all__"] = list(scipys.__all__)

    def get(name: str) -> Any:
        return getattr(scipys, name)

    return get, lambda: sorted({*dir(scipys), *names})
