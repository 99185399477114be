"""Where the gradients of a layer's parameters are after its backward pass."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from tinygrad_cnn.check.subjects.layer_parameters import container_of, get
from tinygrad_cnn.engine.graph import Array

CONTAINERS = ("grads", "gradients", "grad", "dparams")
NAMES = ("d{}", "grad_{}", "{}_grad", "g{}", "d_{}", "grad{}", "dL_d{}", "{}.grad", "{}_gradient", "gradient_{}")


class Recorder:
    """An optimiser that records the gradients that it is given, and changes no parameter.

    Layers copy it (`copy.copy`), and all copies record in one list.
    """

    def __init__(self) -> None:
        self.updates: list[tuple[Any, Any]] = []
        self.cur_step = 0

    def update(self, w: Any, gradient: Any, *_: Any, **__: Any) -> Any:
        """Record a gradient; the parameter stays as it is."""
        self.updates.append((w, gradient))
        return w

    __call__ = update

    def step(self) -> None:
        """There is nothing to do."""

    def gradient_of(self, w: Any) -> Any:
        """What was recorded for a parameter, the object itself; None if nothing was."""
        return next((gradient for x, gradient in self.updates if x is w), None)


def gradients_of(
    layer: Any, paths: Sequence[str], where: Any, extra: Any, recorder: Recorder, values: Mapping[str, Array]
) -> dict[str, Any]:
    """The gradient of each parameter for which there is one, by its path.

    where: see `layer`. extra: what else the backward pass returned: gradients in the order of the parameters, or by
    name. values: the parameters, as they were put into the layer.
    """
    if where is not None:
        return _given(layer, paths, where)
    found: dict[str, Any] = {}
    for k, path in enumerate(paths):
        name = path.rpartition(".")[2]
        for source in (
            recorder.gradient_of(values.get(path)),
            _among(extra, name, k, len(paths)),
            *_beside(layer, path),
            *(_among(container_of(layer, c), name, k, len(paths)) for c in CONTAINERS),
            *(_at(layer, path, form) for form in NAMES),
        ):
            if source is not None:
                found[path] = source
                break
    return found


def _beside(layer: Any, path: str) -> Iterator[Any]:
    """What the layer within another one that has a parameter has as its gradient, in a dict."""
    *within, name = path.split(".")
    for k in range(len(within), 0, -1):
        try:
            holder = get(layer, ".".join(within[:k]))
        except KeyError:
            continue
        for c in CONTAINERS:
            container = container_of(holder, c)
            if isinstance(container, Mapping):
                yield _among(container, name, 0, 0)


def _given(layer: Any, paths: Sequence[str], where: Any) -> dict[str, Any]:
    """The gradients at a place that is given."""
    if isinstance(where, Mapping):
        return {path: get(layer, str(where[name])) for path in paths if (name := _key(where, path)) is not None}
    made = where(layer) if callable(where) else get(layer, where)
    found = {}
    for k, path in enumerate(paths):
        gradient = _among(made, path.rpartition(".")[2], k, len(paths))
        if gradient is not None:
            found[path] = gradient
    return found


def _key(where: Mapping[str, Any], path: str) -> str | None:
    return next((name for name in (path, path.rpartition(".")[2]) if name in where), None)


def _among(container: Any, name: str, k: int, n: int) -> Any:
    """The gradient of a parameter in a dict, by its name or that of a derivative, or in a list for all of them."""
    if isinstance(container, Mapping):
        forms = (name, *(form.format(name) for form in NAMES))
        return next((container[form] for form in forms if form in container), None)
    if isinstance(container, list | tuple) and len(container) == n:
        return container[k]
    return None


def _at(layer: Any, path: str, form: str) -> Any:
    """An attribute beside the parameter: "cell.dW" for "cell.W"."""
    parent, _, name = path.rpartition(".")
    try:
        x = get(layer, f"{parent}.{form.format(name)}" if parent else form.format(name))
    except (KeyError, ValueError):
        return None
    return x if isinstance(x, np.ndarray | np.generic | float) else None
