"""A layer: a frozen dataclass of parameters, which is a tree, and of hyperparameters, which are static fields.

All that is done with a layer of layers is `__call__` itself, run with a stand-in for each sublayer: it makes the
parameters of the sublayer (`init`), gives it its state (`predict`) or trains it (`train`). So a layer of one's own is
`__call__` alone, and there is no list of sublayers to keep.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from types import FunctionType, MethodType
from typing import Any, ClassVar, TypeVar

import numpy as np

from tinygrad_cnn import tree
from tinygrad_cnn.engine.graph import Array
from tinygrad_cnn.engine.primitive import Primitive
from tinygrad_cnn.nn.layers.table import Row, short, table

L = TypeVar("L", bound="Layer")
_HYPERPARAMETERS = (int, str, FunctionType, np.ufunc, Primitive)
_SHAPES = "_output_shapes"  # what `init` notes on a layer; it is no field, and so no part of the tree
Visit = Callable[["Layer", str, tuple[Any, ...], dict[str, Any]], tuple["Layer", Any]]


def static(default: Any = dataclasses.MISSING, **options: Any) -> Any:
    """A field of a dataclass that is no part of the tree's leaves, but of its structure: a hyperparameter.

    default, options: those of `dataclasses.field`. Values can be hashed; a compiled function gets another program for
    another value.

    >>> import dataclasses, numpy as np, tinygrad_cnn as tg
    >>> @dataclasses.dataclass(frozen=True)
    ... class Scale:
    ...     weight: object
    ...     power: int = tg.nn.static(2)
    >>> tg.tree.flatten(Scale(3.0)).names
    ['weight']
    """
    return dataclasses.field(default=default, metadata={"static": True}, **options)


class Layer:
    """What layers share. One's own is a frozen dataclass of layers and parameters with `__call__`:

    >>> import dataclasses, numpy as np, tinygrad_cnn as tg
    >>> from tinygrad_cnn import nn
    >>> @dataclasses.dataclass(frozen=True)
    ... class Gated(nn.Layer):
    ...     value: nn.Linear
    ...     gate: nn.Linear
    ...
    ...     def __call__(self, x):
    ...         return self.value(x) * nn.sigmoid(self.gate(x))
    >>> layer = Gated(nn.Linear(None, 3), nn.Linear(None, 3)).init(np.random.default_rng(0), np.ones((5, 2)))
    >>> layer.gate.weight.shape, layer(np.ones((5, 2))).shape
    ((3, 2), (5, 3))

    For parameters of its own it has fields that are None by default, and `parameters`. A hyperparameter is a field that
    `nn.static` makes.
    """

    sizes: ClassVar[tuple[str, ...]] = ()  # hyperparameters that are at least 1, or None, for that of the example

    def __post_init__(self) -> None:
        kind = type(self).__name__
        parameters, static_fields = tree.fields(type(self))
        for name in static_fields:
            value = getattr(self, name)
            try:
                hash(value)
            except TypeError:
                raise TypeError(f"{kind}: {name} is {value!r}; expected what can be hashed, such as a tuple") from None
        for name in self.sizes:
            size = getattr(self, name)
            if size is not None and (not isinstance(size, int | np.integer) or isinstance(size, bool) or size < 1):
                raise ValueError(f"{kind}: {name} is {size!r}; expected an integer of at least 1")
        for name in parameters:
            value = getattr(self, name)
            if isinstance(value, _HYPERPARAMETERS):
                raise TypeError(
                    f"{kind}: {name} is {value!r}, in a field for parameters or a layer; expected an array or a layer. "
                    f"Declare a hyperparameter by {name}: ... = nn.static()"
                )

    def __call__(self, x: Array) -> Any:
        """The result for x, as for a prediction."""
        raise NotImplementedError(f"{type(self).__name__}: has no __call__; expected def __call__(self, x)")

    def parameters(self, rng: np.random.Generator, x: Array) -> dict[str, Any]:
        """First values of the fields of this layer, but not of its sublayers, for an example x: by default none.

        Arrays of floats become those of the dtype of x. A field that is not None stays as it is.
        """
        return {}

    def init(self: L, rng: np.random.Generator, *inputs: Any) -> L:
        """The layer with parameters. inputs: an example of what it is called with, in most layers x alone.

        Sizes that are None are those of the example. Parameters have its dtype, or float64 if it has integers. What is
        not None, such as a layer that has parameters already, stays as it is.
        """
        if not isinstance(rng, np.random.Generator):
            raise TypeError(
                f"{short(self)}.init: rng is {rng!r}; expected a numpy.random.Generator, as np.random.default_rng(0)"
            )
        return self._initialised(rng, inputs, {})[0]

    def init_state(self) -> Any:
        """The state before training, such as the running statistics of a `BatchNorm`; None without any.

        That of a layer of layers is a dict of the states of its sublayers, by their names.
        """
        states = {name: layer.init_state() for name, layer in sublayers(self)}
        return {name: state for name, state in states.items() if state is not None} or None

    def predict(self, x: Array, state: Any = None) -> Any:
        """`self(x)`, with the state that training gave, where there is one."""
        return self._predicted((x,), {}, state)

    def train(self, x: Array, state: Any = None, rng: np.random.Generator | None = None) -> tuple[Any, Any]:
        """The result for x in training, and the new state. rng: a generator, for what is drawn, such as dropout."""
        return self._trained((x,), {}, state, rng)

    def _initialised(self: L, rng: np.random.Generator, inputs: Any, keywords: Any) -> tuple[L, Any]:
        dtype = getattr(inputs[0], "dtype", np.dtype(float)) if inputs else np.dtype(float)
        made = self.parameters(rng, *inputs, **keywords)
        missing = [name for name in made if getattr(self, name) is None]
        layer = tree.replaced(self, missing, [_cast(made[name], dtype) for name in missing])

        def visit(sublayer: Layer, name: str, inputs: Any, keywords: Any) -> tuple[Layer, Any]:
            if type(sublayer).init is Layer.init:
                return sublayer._initialised(rng, inputs, keywords)
            sublayer = sublayer.init(rng, *inputs, **keywords)
            return sublayer, sublayer._predicted(inputs, keywords, sublayer.init_state())

        if any(sublayers(layer)):
            layer, out = layer._run(visit, inputs, keywords)
        else:
            out = layer._predicted(inputs, keywords, layer.init_state())
        object.__setattr__(layer, _SHAPES, [np.shape(x) for x in tree.flatten(out).leaves])
        return layer, out

    def _predicted(self, inputs: Any, keywords: Any, state: Any) -> Any:
        if state is None:
            return self(*inputs, **keywords)
        if type(self).predict is not Layer.predict:
            return self.predict(*inputs, state, **keywords)  # type: ignore[call-arg]

        def visit(layer: Layer, name: str, inputs: Any, keywords: Any) -> tuple[Layer, Any]:
            return layer, layer._predicted(inputs, keywords, state.get(name))

        return self._run(visit, inputs, keywords)[1]

    def _trained(self, inputs: Any, keywords: Any, state: Any, rng: Any) -> tuple[Any, Any]:
        if type(self).train is not Layer.train:
            return self.train(*inputs, state, rng, **keywords)  # type: ignore[call-arg]
        states = dict(state or {})

        def visit(layer: Layer, name: str, inputs: Any, keywords: Any) -> tuple[Layer, Any]:
            out, new = layer._trained(inputs, keywords, states.get(name), rng)
            if new is not None:
                states[name] = new
            return layer, out

        if any(sublayers(self)):
            return self._run(visit, inputs, keywords)[1], states or None
        return self(*inputs, **keywords), state

    def _run(self: L, visit: Visit, inputs: Any, keywords: Any) -> tuple[L, Any]:
        """The layer called, with `visit` in place of its sublayers, and what is to become of it."""
        stand_ins = _with_sublayers(self, lambda layer, name: _StandIn(layer, name, visit))
        out = type(self).__call__(stand_ins, *inputs, **keywords)
        return _without_stand_ins(stand_ins), out

    def __str__(self) -> str:
        return table(_rows(self, "", 0))

    def __repr__(self) -> str:
        return short(self, [Layer.__repr__(layer) for _, layer in sublayers(self)])


class _StandIn:
    """What a sublayer is replaced by while the layer that holds it is run."""

    def __init__(self, layer: Layer, name: str, visit: Visit) -> None:
        self._layer, self._name, self._visit = layer, name, visit

    def __call__(self, *inputs: Any, **keywords: Any) -> Any:
        self._layer, out = self._visit(self._layer, self._name, inputs, keywords)
        return out

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._layer, name)
        if isinstance(found, MethodType) or _has_layers(found):
            raise TypeError(
                f"{short(self._layer)}: another layer takes {self._name}.{name}; expected that it calls {self._name} "
                "as a whole, or takes its parameters. What is called otherwise is neither initialised nor trained"
            )
        return found


def sublayers(layer: Layer) -> list[tuple[str, Layer]]:
    """The names and layers that a layer holds, also in lists, tuples, dicts and dataclasses; not those within them."""
    found: list[tuple[str, Layer]] = []
    _with_sublayers(layer, lambda sublayer, name: found.append((name, sublayer)))
    return found


def _rows(layer: Layer, name: str, depth: int) -> list[Row]:
    within = sublayers(layer)
    inner = {id(leaf) for _, sublayer in within for leaf in tree.flatten(sublayer).leaves}
    flat = tree.flatten(layer)
    own = [(name, leaf) for name, leaf in zip(flat.names, flat.leaves, strict=True) if id(leaf) not in inner]
    rows = [Row("  " * depth + name, short(layer), getattr(layer, _SHAPES, []), own)]
    for inner_name, sublayer in within:
        rows += _rows(sublayer, inner_name, depth + 1)
    return rows


def _with_sublayers(layer: L, replacement: Callable[[Layer, str], Any]) -> L:
    def within(item: Any, path: str) -> Any:
        if isinstance(item, Layer) and item is not layer:
            return replacement(item, path)
        parts = tree.parts_of(item, path)
        if parts is None or item is None:
            return item
        children, paths, remake = parts
        return remake([within(child, name) for child, name in zip(children, paths, strict=True)])

    return within(layer, "")  # type: ignore[no-any-return]


def _has_layers(item: Any) -> bool:
    parts = None if item is None else tree.parts_of(item, "")
    return isinstance(item, Layer) or (parts is not None and any(map(_has_layers, parts[0])))


def _without_stand_ins(item: Any) -> Any:
    if isinstance(item, _StandIn):
        return item._layer
    parts = None if item is None else tree.parts_of(item, "")
    return item if parts is None else parts[2]([_without_stand_ins(child) for child in parts[0]])


def _cast(value: Any, dtype: Any) -> Any:
    """An array of floats in the dtype of the example; anything else, such as a size or a layer, as it is."""
    if isinstance(value, np.ndarray) and value.dtype.kind == "f" and dtype.kind == "f":
        return value.astype(dtype, copy=False)
    return value


def initialised(layer: Layer, parameter: Any) -> Any:
    """`parameter`, or an error if the layer has none yet."""
    if parameter is None:
        raise ValueError(
            f"{short(layer)}: has no parameters yet; expected model = model.init(rng, x) before it is called"
        )
    return parameter


def size_of(layer: Layer, x: Any, axis: int, what: str) -> int:
    """How many elements the example has along `axis`."""
    shape = np.shape(x)
    if not -len(shape) <= axis < len(shape):
        raise ValueError(f"{short(layer)}: x has shape {shape}; expected {what} along axis {axis}")
    return int(shape[axis])


def check_size(layer: Layer, x: Any, axis: int, size: int, what: str) -> None:
    """Raise ValueError if x has not `size` elements along `axis`."""
    shape = np.shape(x)
    if not -len(shape) <= axis < len(shape) or shape[axis] != size:
        raise ValueError(f"{short(layer)}: x has shape {shape}; expected {size} {what} along axis {axis}")
