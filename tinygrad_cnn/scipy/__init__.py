"""SciPy's namespace, in which functions take Tensors: `from tinygrad_cnn.scipy import linalg, stats`.

A module here has the name of one of SciPy's and all that is in it: under SciPy's names, functions that take Tensors,
which are SciPy's own where no Tensor is among their arguments, and SciPy's own objects for the rest. SciPy is not
needed for the rest of the package: it is the extra `scipy`, and is imported with the module that needs it.
"""

from __future__ import annotations

import importlib
import pkgutil
import sys
from types import ModuleType
from typing import Any

from tinygrad_cnn.extras import extra

MODULES = tuple(module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_"))


def counterparts() -> dict[str, ModuleType]:
    """The modules here of those modules of SciPy that are in use, by SciPy's names; their functions get registered."""
    used = [name for name in MODULES if f"scipy.{name}" in sys.modules]
    return {f"scipy.{name}": importlib.import_module(f"{__name__}.{name}") for name in used}


def __getattr__(name: str) -> Any:
    if name in MODULES:
        return importlib.import_module(f"{__name__}.{name}")
    with extra("scipy", "tinygrad_cnn.scipy"):
        import scipy
    return getattr(scipy, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *MODULES})
