"""Functions that are defined by an equation: `implicit`, and what else differentiates a solution by its equation."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from tinygrad_cnn import tree
from tinygrad_cnn.argnums import Function
from tinygrad_cnn.engine.graph import Array, no_grad, recording
from tinygrad_cnn.engine.runs import described
from tinygrad_cnn.engine.tensor import Tensor, leaf_on
from tinygrad_cnn.recordings import Recording, bound, node_of, recording_aside, tensors_on


def implicit(solver: Function, residual: Function) -> Function:
    """`solver`, whose result x has the derivatives of the solution of residual(x, ...) = 0.

    solver    any function that returns an array or a number x: it is given plain arrays, and nothing in it is recorded
    residual  called as residual(x, *args, **keywords) with what the solver was called with; NumPy code that returns an
              array of the shape of x, which is zero at the solution

    The derivative is that of the implicit function theorem: it takes one evaluation of the residual at the solution,
    and one linear system with its Jacobian. So it does not depend on how the solver works, and is as accurate as the
    solution. Arguments may be trees. Tensors that the residual closes over have gradients too. An argument that only
    the solver uses, such as a first guess, has the gradient 0.

    For a fixed point of f, the residual is f(x, p) - x; for a minimum of f, it is tg.grad(f).

    Raises LinAlgError where the Jacobian of the residual is singular, and ValueError where x is not a solution.

    >>> import tinygrad_cnn as tg
    >>> def bisect(p, low, high):
    ...     for _ in range(60):
    ...         middle = (low + high) / 2
    ...         low, high = (middle, high) if middle**3 < p else (low, middle)
    ...     return middle
    >>> cube_root = tg.implicit(bisect, residual=lambda x, p, low, high: x**3 - p)
    >>> float(tg.grad(cube_root)(8.0, 0.0, 8.0))  # 1 / (3 * 2**2)
    0.08333333333333333
    """

    @functools.wraps(solver)
    def solved(*args: Any, **keywords: Any) -> Any:
        given, named = tree.map(without_graph, (args, keywords))
        with no_grad():
            x = without_graph(solver(*given, **named))
        if not recording.get():
            return x
        return solution(x, lambda x: residual(x, *args, **keywords), "implicit")

    return solved


def without_graph(x: Any) -> Any:
    """The value of a Tensor, as an array of the caller's own; anything else as it is."""
    if not isinstance(x, Tensor):
        return x
    value = x.node.value
    return value.copy() if isinstance(value, np.ndarray) else value


def solution(
    x: Any, residual: Callable[[Any], Any], caller: str, *, elementwise: bool = False, refined: bool = False
) -> Any:
    """`x`, where `residual` is zero, as a Tensor computed from those that it closes over; `x` itself if there are none.

    elementwise  each element of the residual depends on the corresponding element of x alone
    refined      take the derivatives one step of Newton's method nearer to the solution than x, which is inaccurate
    """
    value = _floats(x, caller)
    run = _recorded(residual, value, caller)
    if not run.outer:
        return x
    equation = _Equation(run, elementwise, caller)
    if refined and (nearer := equation.nearer()) is not None:
        equation = _Equation(_recorded(residual, nearer, caller), elementwise, caller)
    return node_of(value, tensors_on(equation.run.outer), equation.cotangents, caller)


def _recorded(residual: Callable[[Any], Any], value: Array, caller: str) -> Recording:
    """The residual, recorded at x = `value`."""
    run = Recording(residual, value)
    leaves = run.results.leaves
    if len(leaves) != 1 or np.shape(leaves[0]) != value.shape:
        returned = f"{len(leaves)} arrays" if len(leaves) != 1 else f"an array of shape {np.shape(leaves[0])}"
        raise ValueError(
            f"{caller}: the residual returned {returned}; expected one of shape {value.shape}, the shape of the "
            "solution x"
        )
    if not isinstance(leaves[0], Tensor) or leaves[0].node.constant:
        raise ValueError(
            f"{caller}: the residual returned {described(leaves[0])}, which does not depend on x; expected a function "
            "of x, written with NumPy's functions, that is zero at the solution"
        )
    return run


class _Equation:
    """A residual, recorded at a solution x: of the cotangent of x, it makes those of what the residual closes over."""

    def __init__(self, run: Recording, elementwise: bool, caller: str) -> None:
        self.run, self.elementwise, self.caller = run, elementwise, caller
        self.result = run.results.leaves[0]
        self.jacobian: Array = None  # computed when it is needed first

    def cotangents(self, g: Any, out: Any, *operands: Any) -> list[Any]:
        """The cotangents of the operands. With J = dF/dx: J.T @ u = g, and that of p is -dF/dp.T @ u."""
        run, name = self.run, self.caller
        if self.jacobian is None:
            self.jacobian = self.derivative(recorded=False)
            self.check()
        if not isinstance(out, Tensor):
            return run.cotangents([-self.solve(self.jacobian, g)])[1:]
        # To be differentiated again: J depends on x, and so on the operands by way of `out`.
        seed = leaf_on(np.array(g.node.value)[()], None) if isinstance(g, Tensor) else g
        with recording_aside():
            u = self.solve(self.derivative(recorded=True), seed)
            found = run.cotangents([-u], recorded=True)[1:]
        inner, given = [run.inputs[0], *run.outer], [out, *operands]
        if isinstance(g, Tensor):
            inner, given = [*inner, seed.node], [*given, g]
        return [bound(x, inner, given, name) for x in found]

    def derivative(self, recorded: bool) -> Any:
        """The Jacobian of the residual by x, as a matrix; where it is elementwise, its diagonal."""
        like = self.result.node.like
        if self.elementwise:
            return self.run.cotangents([np.ones(like.shape, like.dtype)[()]], recorded)[0]
        rows = []
        for k in range(like.size):
            basis = np.zeros(like.shape, like.dtype)
            basis.flat[k] = 1
            rows.append(np.reshape(self.run.cotangents([basis[()]], recorded)[0], -1))
        return np.stack(rows) if rows else np.zeros((0, 0))

    def solve(self, jacobian: Any, g: Any) -> Any:
        """The solution u of J.T @ u = g."""
        if self.elementwise:
            return g / jacobian
        return np.reshape(np.linalg.solve(np.transpose(jacobian), np.reshape(g, -1)), np.shape(g))

    def check(self) -> None:
        """Raise if the Jacobian is singular, or x no solution: a step of Newton's method would change it much."""
        if not np.all(np.isfinite(self.jacobian)):
            raise np.linalg.LinAlgError(
                f"{self.caller}: the Jacobian of the residual with respect to x is not finite at the solution, which "
                "has no derivative there"
            )
        if _is_singular(self.jacobian, self.elementwise):
            raise np.linalg.LinAlgError(
                f"{self.caller}: the Jacobian of the residual with respect to x is singular at the solution, which "
                "has no derivative there: the solution is a multiple root, or is not unique"
            )
        x, residual = self.run.inputs[0].value, self.result.node.value
        far = np.max(np.abs(self.step()), initial=0)
        if not far <= 1e-2 * np.max(np.abs(x), initial=0) + 1e-6:
            raise ValueError(
                f"{self.caller}: x is not a solution, so its derivative is unknown: the residual there is "
                f"{np.max(np.abs(residual)):.2g}, and a step of Newton's method would change x by {far:.2g}. Expected "
                "a solver that converged, and the residual of its equation"
            )

    def step(self) -> Array:
        """What a step of Newton's method takes from x."""
        residual = self.result.node.value
        if self.elementwise:
            return residual / self.jacobian
        return np.linalg.solve(self.jacobian, residual.reshape(-1)).reshape(residual.shape)

    def nearer(self) -> Array:
        """The solution after a step of Newton's method; None where `check` raises, as it then will again."""
        self.jacobian = self.derivative(recorded=False)
        try:
            self.check()
        except ValueError:  # of which LinAlgError is one
            self.jacobian = None
            return None
        return (self.run.inputs[0].value - self.step())[()]


def _is_singular(jacobian: Array, elementwise: bool) -> bool:
    """Whether a matrix is singular up to rounding, whatever the units of its rows and columns."""
    if elementwise:
        return bool(np.any(jacobian == 0))
    for axis in (1, 0):
        scale = np.max(np.abs(jacobian), axis, keepdims=True, initial=0)
        if not np.all(scale):
            return True
        jacobian = jacobian / scale
    return bool(jacobian.size and np.linalg.cond(jacobian) > 0.1 / np.finfo(jacobian.dtype).eps)


def _floats(x: Any, caller: str) -> Array:
    """A solution, as an array or a NumPy number of floats."""
    if isinstance(x, list | tuple | dict) or x is None:
        raise TypeError(f"{caller}: the solver returned {described(x)}; expected one array or number of floats")
    value = np.asarray(x)
    if value.dtype.kind in "iu":
        value = value.astype(float)
    if value.dtype.kind != "f":
        raise TypeError(f"{caller}: the solver returned {described(x)}; expected an array or a number of floats")
    return value if isinstance(x, np.ndarray) else value[()]
