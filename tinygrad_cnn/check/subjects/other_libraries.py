"""A function of another library, as a loss and its hand-derived gradient."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from tinygrad_cnn.check import sentences
from tinygrad_cnn.check.cross_check import gradients
from tinygrad_cnn.check.report.report import Report
from tinygrad_cnn.check.subjects.weighted import is_differentiable, weighted, weights_of
from tinygrad_cnn.engine.tensor import Tensor
from tinygrad_cnn.extras import MissingExtraError


class Function:
    """A function of another library, of arrays by name. A subclass calls the library.

    inputs       all arguments, by name
    parameters   those of a module, which it has itself
    """

    library = ""
    inputs: dict[str, Any]
    parameters: dict[str, Any]

    def place(self, inputs: Any, names: list[str]) -> None:
        """Give the inputs their names."""
        given = list(inputs) if isinstance(inputs, tuple | list) else [inputs]
        if len(names) < len(given):
            names = [f"x{k}" if k else "x" for k in range(len(given))]
        self.inputs = {name: self.numbers(x) for name, x in zip(names, given, strict=False)}
        self.parameters = {}

    def numbers(self, x: Any) -> Any:
        """An input as an array of floats; what is not of floats as it is."""
        raise NotImplementedError

    def outputs(self, p: Mapping[str, Any]) -> tuple[list[Any], dict[str, Any], Any]:
        """The outputs and the intermediate values."""
        raise NotImplementedError

    def array(self, x: Any) -> Any:
        """An array of the library as one of NumPy."""
        return np.asarray(x)

    def gradients(self, p: Mapping[str, Any], weights: list[Any]) -> tuple[dict[str, Any], dict[str, Any], float]:
        """The gradients, those of intermediate values, and the loss."""
        raise NotImplementedError

    def apart(self, result: Any) -> tuple[list[Any], dict[str, Any]]:
        """The outputs that a function returned, and the dict of intermediate values, if it returned one."""
        values: dict[str, Any] = {}
        if isinstance(result, tuple) and len(result) == 2 and isinstance(result[1], dict):
            result, values = result
        outputs = [x for x in (result if isinstance(result, tuple | list) else [result]) if is_differentiable(x)]
        if not outputs:
            raise ValueError(
                f"the function of {self.library} returned a {type(result).__name__}; expected an array of floats, or a "
                "tuple of them"
            )
        return outputs, values

    def values(self) -> dict[str, Any]:
        """What gradients are checked of."""
        return {**{name: x for name, x in self.inputs.items() if is_differentiable(x)}, **self.parameters}


def checked(function: Function, forward: Callable[..., Any] | None, seed: int, how: Mapping[str, Any]) -> Report:
    """The check of a function of another library; forward: the same in NumPy."""
    p = function.values()
    if not p:
        raise ValueError(f"the function of {function.library} has no input of floats to check the gradient of")
    weights = weights_of([function.array(x) for x in function.outputs(p)[0]], seed)

    def loss(p: Mapping[str, Any]) -> Any:
        if forward is not None:
            result = forward(*[p.get(name, x) for name, x in function.inputs.items()], *_parameters(function, p))
            return weighted(list(result) if isinstance(result, tuple) else [result], weights)
        if any(isinstance(x, Tensor) for x in p.values()):
            raise TypeError(f"it is a function of {function.library}; forward= takes the same in NumPy")
        return float(weighted([function.array(x) for x in function.outputs(p)[0]], weights))

    def by_hand(p: Mapping[str, Any]) -> Any:
        found, steps, value = function.gradients({name: np.asarray(x, float) for name, x in p.items()}, weights)
        return value, found, {f"dL_d{name}": x for name, x in steps.items()} if forward is not None else None

    report = gradients(loss, p, by_hand, seed=seed, **how)
    report.notes.insert(0, sentences.OF_LIBRARY.format(library=function.library))
    return report


def _parameters(function: Function, p: Mapping[str, Any]) -> list[Any]:
    return [{name: p[name] for name in function.parameters}] if function.parameters else []


def imported(library: str) -> Any:
    """The library; MissingExtraError if it is not installed."""
    try:
        return importlib.import_module(library)
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            f"check.{library} needs {library}, which is not installed. Run pip install {library}", library
        ) from error


def argument_names(function: Any) -> list[str]:
    """What a function calls its arguments; nothing, if that is not known."""
    try:
        arguments = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return []
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return [x.name for x in arguments if x.kind in kinds]
