"""The solution of an initial value problem, differentiated by its sensitivity equations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tinygrad_cnn.engine.graph import Node, now
from tinygrad_cnn.engine.primitive import operand
from tinygrad_cnn.engine.tensor import Tensor, leaf_on
from tinygrad_cnn.recordings import closed_over, node_of, sweep, tensors_on
from tinygrad_cnn.scipy._observed import Observed
from tinygrad_cnn.scipy._solvers import vector, without_tensors


class Flow:
    """The solution y of an initial value problem at some times, and its derivatives.

    With S = dy/d(y0, p) they solve dS/dt = df/dy S + df/dp, together with y.

    observed  f(t, y), and the p that it closes over
    solve     of (f, y0, t0, times) the solution y (elements, times), as SciPy computes it
    follow    the same by a function that takes Tensors
    """

    def __init__(self, observed: Observed, name: str, solve: Callable[..., Any], follow: Callable[..., Any]) -> None:
        self.observed, self.name, self.solve, self.follow = observed, name, solve, follow
        observed.keep()

    def solution(self, value: Any, y0: Any, t0: Any, times: Any) -> Any:
        """`value`, the solution at `times`, as a Tensor computed from the arguments and what f closes over."""
        if y0.dtype.kind == "c" or value.dtype.kind == "c":
            raise NotImplementedError(
                f"{self.name}: a complex solution is not supported for Tensors; expected a real one"
            )
        self.given = {name: x for name, x in (("y0", y0), ("t0", t0), ("times", times)) if isinstance(x, Tensor)}
        self.plain = {
            "y0": without_tensors(y0).astype(float),
            "t0": without_tensors(t0),
            "times": without_tensors(times),
        }
        self.by_y0 = "y0" in self.given or "t0" in self.given
        operands = [*tensors_on(self.observed.outer), *self.given.values()]
        self.sensitivities: Any = None
        return node_of(value, operands, self.cotangents, self.name)

    def cotangents(self, g: Any, out: Any, *operands: Any) -> list[Any]:
        """The cotangents of what f closes over, and of the arguments that are Tensors."""
        outer, recorded = self.observed.outer, isinstance(out, Tensor)
        tensors = dict(zip(self.given, operands[len(outer) :], strict=True))
        y0, t0, times = (tensors.get(name, self.plain[name]) for name in ("y0", "t0", "times"))
        n = y0.size
        if recorded:
            S = self.of_sensitivity(self.follow, self.recorded_equations, y0, t0, times)
        else:
            if self.sensitivities is None:
                self.sensitivities = self.of_sensitivity(self.solve, self.plain_equations, y0, t0, times)
            S = self.sensitivities
        # (elements, parameters, times)
        total = np.sum(np.expand_dims(g, 1) * S, axis=(0, 2))
        found = shaped(total[n if self.by_y0 else 0 :], outer)
        if "y0" in tensors:
            found.append(np.reshape(total[:n], np.shape(y0)))
        if "t0" in tensors:
            found.append(-np.sum(total[:n] * self.observed.value_at(t0, y0, recorded=recorded)))
        if "times" in tensors:
            slopes = [
                self.observed.value_at(times[j], out[:, j], recorded=recorded) for j in range(self.plain["times"].size)
            ]
            found.append(np.sum(g * np.stack(slopes, axis=1), axis=0))
        return found

    def of_sensitivity(self, solve: Callable[..., Any], equations: Any, y0: Any, t0: Any, times: Any) -> Any:
        n, count = np.size(y0), size_of(self.observed.outer)
        begin = np.eye(n, n + count) if self.by_y0 else np.zeros((n, count))
        if not begin.size:  # only the times are Tensors
            return np.zeros((*begin.shape, self.plain["times"].size))
        z = solve(equations, np.concatenate([np.reshape(y0, -1), begin.reshape(-1)]), t0, times)
        return np.reshape(z[n:], (n, begin.shape[1], -1))

    def plain_equations(self, t: float, z: Any) -> Any:
        """d(y, S)/dt, of plain arrays."""
        n = self.plain["y0"].size
        run = self.observed.recorded_at(t, z[:n], by_last=True)
        rows, zeros = [], {node: np.zeros_like(node.like) for node in self.observed.outer}
        for basis in np.eye(n):
            by_y, *others = run.cotangents([basis])
            by_outer = zeros | dict(zip(run.outer, others, strict=True))
            rows.append([by_y, row_of([by_outer[node] for node in self.observed.outer])])
        return self.joined(without_tensors(run.results.leaves[0]), rows, z[n:])

    def recorded_equations(self, t: Any, z: Any) -> Any:
        """d(y, S)/dt as a Tensor."""
        n = self.plain["y0"].size
        value, rows = _recorded_rows(self.observed, [t], z[:n])
        return self.joined(value, [[row[0], row_of(row[1:])] for row in rows], z[n:])

    def joined(self, value: Any, rows: list[Any], S: Any) -> Any:
        n, count = self.plain["y0"].size, size_of(self.observed.outer)
        by_y, by_outer = np.stack([row[0] for row in rows]), np.stack([row[1] for row in rows])
        if self.by_y0:
            by_outer = np.concatenate([np.zeros((n, n)), by_outer], axis=1)
        slope = by_y @ np.reshape(S, (n, -1)) + by_outer if count or self.by_y0 else by_outer
        return np.concatenate([value, np.reshape(slope, -1)])


def _recorded_rows(observed: Observed, first: list[Any], x: Any) -> tuple[Any, list[list[Any]]]:
    """The function at (*first, x), and the derivatives of each of its elements by x and what it closes over; Tensors.

    These depend on x, if it is a Tensor, and on what the function closes over.
    """
    born = now()
    y = x if isinstance(x, Tensor) else leaf_on(np.array(x, float)[()], None)
    value = vector(observed.function(*first, y))
    if not isinstance(value, Tensor):
        return value, [[np.zeros_like(node.like) for node in (y.node, *observed.outer)] for _ in range(value.size)]
    wrt = [y.node, *observed.outer]
    observed.check([node for node in closed_over([value], wrt, born) if node not in wrt and node.order < born])
    return value, [sweep({value.node: basis}, wrt, recorded=True) for basis in np.eye(value.size, dtype=value.dtype)]


def row_of(parts: list[Any]) -> Any:
    """Arrays and Tensors of any shapes in one vector."""
    return np.concatenate([np.reshape(part, -1) for part in parts]) if parts else np.zeros(0)


def size_of(nodes: list[Node]) -> int:
    return sum(node.like.size for node in nodes)


def shaped(row: Any, nodes: list[Node]) -> list[Any]:
    """A row, or a list, of the elements of `nodes` as an array for each of them."""
    row = operand(row)
    found, start = [], 0
    for node in nodes:
        found.append(np.reshape(row[start : start + node.like.size], node.like.shape))
        start += node.like.size
    return found
