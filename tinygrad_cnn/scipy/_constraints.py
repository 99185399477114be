"""The constraints of scipy.optimize.minimize: which of them hold a minimum where it is, and with which multipliers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tinygrad_cnn.engine.transforms import grad
from tinygrad_cnn.implicit_functions import solution
from tinygrad_cnn.jacobians import jacobian
from tinygrad_cnn.scipy._solvers import Watched, has_tensor, plain, vector, without_tensors


class Constraints:
    """Constraints in the form of dicts with the keys type, fun, jac and args."""

    def __init__(self, given: Any, name: str) -> None:
        self.given = [given] if isinstance(given, dict) or not hasattr(given, "__iter__") else list(given)
        self.name = name
        self.watched = [Watched(c["fun"]) for c in self.given if isinstance(c, dict)]
        for c, watched in zip(self._dicts(), self.watched, strict=True):
            watched.uses_tensors = has_tensor(c.get("args", ()))

    def _dicts(self) -> list[dict[str, Any]]:
        return [c for c in self.given if isinstance(c, dict)]

    def for_scipy(self) -> list[Any]:
        """The same, of functions that are given and return plain numbers."""
        watched = iter(self.watched)
        found = []
        for c in self.given:
            if isinstance(c, dict):
                args = without_tensors(c.get("args", ()))
                c = {**c, "fun": next(watched), "args": args, **({"jac": plain(c["jac"])} if c.get("jac") else {})}
            found.append(c)
        return found

    @property
    def use_tensors(self) -> bool:
        """Whether a constraint depends on a Tensor."""
        return any(watched.uses_tensors for watched in self.watched)

    def minimiser(self, x: Any, objective: Callable[[Any], Any], at_bound: Any) -> Any:
        """`x` as the solution of the equations of Karush, Kuhn and Tucker, for those constraints that are active.

        These are grad f(x) = sum of multiplier * grad c(x), and c(x) = 0. An element of x that is at a bound is
        constant.
        """
        if len(self.watched) < len(self.given):
            raise NotImplementedError(
                f"{self.name}: constraints of type {type(self.given[0]).__name__} are not supported where a function "
                "uses Tensors; expected dicts, {'type': 'eq', 'fun': ...}"
            )
        free, n = ~np.broadcast_to(at_bound, x.shape), x.size
        slope = without_tensors(grad(objective)(x))
        active = self._active(x, slope, free)
        multipliers = self._multipliers(x, slope, free, active)

        def residual(z: Any) -> Any:
            p, multipliers = z[:n], z[n:]
            slope = grad(lambda q: objective(q) - np.sum(multipliers * self._values(q)[active]))(p)
            return np.concatenate([np.where(free, slope, p - x), self._values(p)[active]])

        return solution(np.concatenate([x, multipliers]), residual, self.name, refined=True)[:n]

    def _values(self, x: Any) -> Any:
        """All elements of all constraints at x."""
        return np.concatenate([vector(c["fun"](x, *c.get("args", ()))) for c in self._dicts()])

    def _multipliers(self, x: Any, slope: Any, free: Any, active: Any) -> Any:
        J = without_tensors(jacobian(self._values)(x))[np.ix_(active, free)]
        return np.linalg.lstsq(J.T, slope[free], rcond=None)[0]

    def _active(self, x: Any, slope: Any, free: Any) -> Any:
        """The indices of the equalities, and of the inequalities that are 0 and press upon x."""
        values = without_tensors(self._values(x))
        kinds = [c["type"].lower() == "eq" for c in self._dicts()]
        sizes = [without_tensors(vector(c["fun"](x, *c.get("args", ())))).size for c in self._dicts()]
        equal = np.repeat(kinds, sizes)
        active = np.flatnonzero(equal | (np.abs(values) <= 1e-6 * max(1.0, float(np.max(np.abs(x), initial=0)))))
        multipliers = self._multipliers(x, slope, free, active)
        return active[equal[active] | (multipliers > 1e-8 * max(1.0, float(np.max(np.abs(slope), initial=0))))]
