"""Modules that are imported while a package is adopted, and what functions of adopted modules import themselves."""

from __future__ import annotations

import builtins
import importlib.abc
import importlib.machinery
import importlib.util
import sys
import threading
from collections.abc import Callable
from types import ModuleType
from typing import Any

from tinygrad_cnn.adoption.exchange import counterpart_of
from tinygrad_cnn.advice.callers import adopted


class Imports:
    """What takes part in imports while something is adopted.

    is_held  whether a module, by its name, is adopted
    adopt    adopts a module that was just executed
    """

    def __init__(self, is_held: Callable[[str], bool], adopt: Callable[[ModuleType], None]) -> None:
        self.finder, self.function = _Finder(is_held, adopt), _Importing()

    def begin(self) -> None:
        """Take part, unless it does."""
        if self.finder not in sys.meta_path:
            sys.meta_path.insert(0, self.finder)
            self.function.begin()

    def end(self) -> None:
        """Take no part any more."""
        if self.finder in sys.meta_path:
            sys.meta_path.remove(self.finder)
            self.function.end()


class _Finder(importlib.abc.MetaPathFinder):
    """Finds nothing itself; lets the modules of adopted packages be adopted after they are executed."""

    def __init__(self, is_held: Callable[[str], bool], adopt: Callable[[ModuleType], None]) -> None:
        self._is_held, self._adopt = is_held, adopt
        self._within = threading.local()

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> Any:
        """The spec that the other finders give, with a loader that adopts."""
        if getattr(self._within, "found", False) or not self._is_held(fullname):
            return None
        self._within.found = True
        try:
            spec = importlib.util.find_spec(fullname)
        finally:
            self._within.found = False
        if spec is not None and isinstance(spec.loader, importlib.machinery.SourceFileLoader):
            spec.loader = _AdoptingLoader(spec.loader.name, spec.loader.path)
            spec.loader.adopt = self._adopt
        return spec


class _AdoptingLoader(importlib.machinery.SourceFileLoader):
    """Executes a module, and adopts it."""

    adopt: Callable[[ModuleType], None]

    def exec_module(self, module: ModuleType) -> None:
        """As any loader's."""
        super().exec_module(module)
        self.adopt(module)


class _Importing:
    """Python's `__import__`, which gives a function of an adopted module the counterpart of what it imports."""

    def __init__(self) -> None:
        self.original: Any = None

    def begin(self) -> None:
        """Take the place of Python's."""
        self.original, builtins.__import__ = builtins.__import__, self

    def end(self) -> None:
        """Leave it to Python's, if nothing else has taken it."""
        if builtins.__import__ is self:
            builtins.__import__ = self.original

    def __call__(self, name: str, globals: Any = None, locals: Any = None, fromlist: Any = (), level: int = 0) -> Any:
        module = self.original(name, globals, locals, fromlist, level)
        if level or globals is None or globals.get("__name__") not in adopted:
            return module
        counterpart = counterpart_of(module)
        return module if counterpart is None else counterpart
