"""A function of the caller's that SciPy integrates: evaluated at many points, and again for its derivatives."""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable
from types import CellType, FunctionType, MethodType
from typing import Any

import numpy as np

from tinygrad_cnn.engine.conversions import GradientLostError
from tinygrad_cnn.engine.graph import Node, differentiating, handle_on, now
from tinygrad_cnn.engine.tensor import Tensor
from tinygrad_cnn.recordings import Recording, closed_over, recording_aside
from tinygrad_cnn.scipy._solvers import has_tensor, vector, without_tensors


class Observed:
    """A function as SciPy may call it, which notes the Tensors that it closes over, whichever branches it takes.

    A derivative needs it at other points, after SciPy is done. So `keep` makes a copy of it as it is now: a lambda in a
    loop closes over a variable that changes.

    function  of plain numbers; returns a number, an array, or a list of numbers; all of them may be Tensors
    name      of SciPy's function, in error messages
    outer     the nodes that it closes over
    values    at the points at which it was called, the first thousand of them
    graphs    if it is a function of one number, what was recorded there
    """

    def __init__(self, function: Callable[..., Any], name: str) -> None:
        self.function, self.name = function, name
        self.outer: list[Node] = []
        self.values: dict[Any, Any] = {}
        self.graphs: dict[Any, Recording] = {}
        self.plain = not differentiating.get()  # whether it has returned numbers alone, and probably will

    def __call__(self, *point: Any) -> Any:
        if self.plain:
            try:
                result = self.function(*point)
            except GradientLostError:  # it may be right within a transform, where arrays can be assigned Tensors to
                self.plain = False
            else:
                if isinstance(result, float | np.ndarray) or not has_tensor(result):
                    return result
                self.plain = False
        born = now()
        with recording_aside():
            result = self.function(*point)
        if has_tensor(result):
            recorded = vector(result)
            outer = closed_over([recorded], [], born)
            if len(point) == 1 and len(self.graphs) < 1000:
                self.graphs[_key(point)] = Recording.of(recorded, outer)
            if not set(outer) <= set(self.outer):
                self.outer = sorted({*outer, *self.outer}, key=lambda node: node.order)
        result = without_tensors(result)
        if len(self.values) < 1000:
            self.values[_key(point)] = result
        return result

    def keep(self) -> None:
        """From now on be the function as it is now, whatever becomes of the variables that it closes over."""
        self.function = snapshot(self.function, {})

    def recorded_at(self, *point: Any, by_last: bool = False, anew: bool = True) -> Recording:
        """The function recorded at a point: its result as one vector.

        by_last  the last argument is a Tensor
        anew     call the function again, though it was recorded there: for what is recorded once more, of new nodes
        """
        if not anew and _key(point) in self.graphs:
            return self.graphs[_key(point)]
        if by_last:
            run = Recording(lambda x: vector(self.function(*point[:-1], x)), point[-1])
        else:
            run = Recording(lambda: vector(self.function(*point)))
        before, after = self.values.get(_key(point)), without_tensors(run.results.leaves[0])
        if before is not None and not np.array_equal(np.reshape(before, -1), after, equal_nan=True):
            raise RuntimeError(
                f"{self.name}: the function that it was given returned something else when it was called again for its "
                "derivative; expected the same values. It uses something that has changed since, or random numbers: "
                "draw or copy that first, and pass it in args"
            )
        self.check(run.outer)
        return run

    def value_at(self, *point: Any, recorded: bool) -> Any:
        """The value at a point, as one vector: a Tensor if `recorded`, which depends on the point and on `outer`."""
        if recorded:
            return vector(self.function(*point))
        with recording_aside():
            return without_tensors(vector(self.function(*point)))

    def check(self, outer: list[Node]) -> None:
        """Raise if the function uses a Tensor that it did not use when it was called by SciPy."""
        if not set(outer) <= set(self.outer):
            raise GradientLostError(
                f"{self.name}: the function that it was given uses a Tensor that it did not use when it was evaluated, "
                "which would have no gradient. Let it use the same Tensors at all points, for example by np.where"
            )


def _key(point: Any) -> Any:
    return tuple([x.tobytes() if isinstance(x, np.ndarray) else x for x in point])


def snapshot(x: Any, made: dict[int, Any]) -> Any:
    """`x` as it is now: a function with what it closes over, a container or an array as copies."""
    if id(x) in made:
        return made[id(x)]
    if isinstance(x, Tensor):
        return handle_on(x.node)
    if isinstance(x, np.ndarray):
        return x.copy("K")
    if type(x) is list or type(x) is tuple:
        return type(x)([snapshot(item, made) for item in x])
    if type(x) is dict:
        return {name: snapshot(item, made) for name, item in x.items()}
    if isinstance(x, functools.partial):
        return functools.partial(
            snapshot(x.func, made), *snapshot(x.args, made), **{k: snapshot(v, made) for k, v in x.keywords.items()}
        )
    if isinstance(x, MethodType):  # whose attributes may be assigned to
        made[id(x)] = MethodType(snapshot(x.__func__, made), copy.copy(x.__self__))
        return made[id(x)]
    if isinstance(x, FunctionType):
        cells = tuple([CellType() for _ in x.__closure__ or ()])
        made[id(x)] = kept = FunctionType(x.__code__, x.__globals__, x.__name__, x.__defaults__, cells)
        kept.__kwdefaults__ = x.__kwdefaults__
        for cell, old in zip(cells, x.__closure__ or (), strict=True):
            try:
                cell.cell_contents = snapshot(old.cell_contents, made)
            except ValueError:  # an empty cell
                continue
        return kept
    return x
