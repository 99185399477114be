"""Functions that call a function of the caller's for each element, or go through the elements one by one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from tinygrad_cnn.engine.graph import Handle, differentiating
from tinygrad_cnn.engine.primitive import operand
from tinygrad_cnn.replacements import holds_tensor, register


class vectorize(np.vectorize):  # noqa: N801 (NumPy's name)
    """As `np.vectorize`. Where Tensors are in play, the function is called once for each element."""

    def __call__(self, *args: Any, **keywords: Any) -> Any:
        """Call the function for each element of the arguments, which broadcast."""
        if not differentiating.get() and not holds_tensor((*args, *keywords.values())):
            return super().__call__(*args, **keywords)
        if not callable(self.pyfunc):
            return super().__call__(*args, **keywords)  # a decorator with arguments, of a function yet to come
        if self.signature is not None:
            raise NotImplementedError("np.vectorize: signature= is not supported for Tensors. Write a loop")
        given: dict[Any, Any] = {**dict(enumerate(args)), **keywords}
        varied = {key: operand(x) for key, x in given.items() if key not in self.excluded}
        shape = np.broadcast_shapes(*[np.shape(x) for x in varied.values()])
        if 0 in shape:
            return super().__call__(*args, **keywords)
        spread = {key: np.broadcast_to(x, shape) for key, x in varied.items()}
        found = []
        for i in np.ndindex(shape):
            now = {**given, **{key: x[i] for key, x in spread.items()}}
            positional = [now.pop(place) for place in range(len(args))]
            found.append(self.pyfunc(*positional, **now))
        if isinstance(found[0], tuple):
            return tuple([self._joined(column, shape, i) for i, column in enumerate(zip(*found, strict=True))])
        return self._joined(found, shape, 0)

    def _joined(self, elements: Any, shape: tuple[int, ...], place: int) -> Any:
        joined = np.stack(elements) if any(isinstance(x, Handle) for x in elements) else np.array(elements)
        joined = np.reshape(joined, shape)
        kinds = self.otypes
        return joined if kinds is None else joined.astype(kinds[place])


class ndenumerate(np.ndenumerate):  # noqa: N801
    """As `np.ndenumerate`."""

    def __new__(cls, arr: Any) -> Any:
        """An iterator over the indices and elements of `arr`."""
        return _enumerated(arr) if isinstance(arr, Handle) else np.ndenumerate(arr)


class Broadcast:
    """What `np.broadcast` makes of arrays among which are Tensors."""

    def __init__(self, *args: Any) -> None:
        self._arrays = np.broadcast_arrays(*map(operand, args))
        self.shape: tuple[int, ...] = np.shape(self._arrays[0])
        self.ndim = self.nd = len(self.shape)
        self.size: int = np.size(self._arrays[0])
        self.numiter = len(args)

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        return (tuple([x[i] for x in self._arrays]) for i in np.ndindex(self.shape))


def broadcast(*args: Any) -> Any:
    """As `np.broadcast`: an object with the shape that the arguments have together, and their elements."""
    return Broadcast(*args) if holds_tensor(args) else np.broadcast(*args)


def _enumerated(t: Any) -> Iterator[tuple[tuple[int, ...], Any]]:
    return ((i, t[i]) for i in np.ndindex(t.shape))


functions: dict[str, Any] = {"vectorize": vectorize, "ndenumerate": ndenumerate, "broadcast": broadcast}
for _name, _function in functions.items():
    register(getattr(np, _name), _function)
