"""scipy.optimize: roots and minima, differentiated by their equations.

Where the function that is given uses no Tensor, each is SciPy's own, and so is the value always. A first guess or a
bracket has the derivative 0, as the solution does not depend on it.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np

from tinygrad_cnn.engine.primitive import operand
from tinygrad_cnn.engine.tensor import Tensor
from tinygrad_cnn.engine.transforms import grad
from tinygrad_cnn.extras import extra
from tinygrad_cnn.implicit_functions import solution
from tinygrad_cnn.jacobians import elementwise_grad, jacobian
from tinygrad_cnn.replacements import fallback, register
from tinygrad_cnn.scipy._constraints import Constraints
from tinygrad_cnn.scipy._solvers import (
    Call,
    Watched,
    has_tensor,
    mark,
    marked,
    plain,
    solves,
    undifferentiable,
    vector,
    with_value,
)

with extra("scipy", "tinygrad_cnn.scipy.optimize"):
    from scipy import optimize as scipys

__getattr__, __dir__ = fallback(scipys, globals())


# Roots


def _bracketed(call: Call) -> Any:
    """The root has the derivatives that follow from f(x) = 0."""
    watched = call.watched("f")
    found = call.run(f=watched)
    return _with_root(found, watched, lambda x: call["f"](x, *call.extra), call)


def _with_root(found: Any, watched: Watched, residual: Callable[[Any], Any], call: Call, each: bool = False) -> Any:
    """What SciPy returned, x or a tuple that begins with it, with x as a Tensor."""
    if not watched.uses_tensors:
        return found
    if not isinstance(found, tuple):
        return solution(found, residual, call.name, elementwise=each)
    x = solution(found[0], residual, call.name, elementwise=each)
    for result in found[1:]:
        if hasattr(result, "root"):
            result.root = x
    return (x, *found[1:])


_BRACKETS = ("a", "b", "args")
brentq, brenth = solves(scipys.brentq, _BRACKETS)(_bracketed), solves(scipys.brenth, _BRACKETS)(_bracketed)
bisect, ridder = solves(scipys.bisect, _BRACKETS)(_bracketed), solves(scipys.ridder, _BRACKETS)(_bracketed)
toms748 = solves(scipys.toms748, _BRACKETS)(_bracketed)


@solves(scipys.newton, ["x0", "x1", "args"])
def newton(call: Call) -> Any:
    """The root has the derivatives that follow from func(x) = 0; fprime and fprime2 are used by the iteration alone."""
    watched = call.watched("func")
    found = call.run(func=watched, fprime=plain(call["fprime"]), fprime2=plain(call["fprime2"]))
    return _with_root(found, watched, lambda x: call["func"](x, *call.unpacked), call, each=True)


@solves(scipys.root_scalar, ["args", "bracket", "x0", "x1"])
def root_scalar(call: Call) -> Any:
    """`.root` has the derivatives that follow from f(x) = 0."""
    watched, with_slope = call.watched("f"), bool(call["fprime"]) and not callable(call["fprime"])
    found = call.run(f=watched, fprime=plain(call["fprime"]), fprime2=plain(call["fprime2"]))
    if watched.uses_tensors:
        with_slope = with_slope or (bool(call["fprime2"]) and not callable(call["fprime2"]))

        def residual(x: Any) -> Any:
            value = call["f"](x, *call.extra)
            return value[0] if with_slope else value

        found.root = solution(found.root, residual, call.name)
    return found


@solves(scipys.fixed_point, ["x0", "args"])
def fixed_point(call: Call) -> Any:
    """The fixed point has the derivatives that follow from func(x) - x = 0."""
    watched = call.watched("func")
    found = call.run(func=watched)
    return _with_root(found, watched, lambda x: call["func"](x, *call.unpacked) - x, call)


@solves(scipys.fsolve, ["x0", "args"])
def fsolve(call: Call) -> Any:
    """X has the derivatives that follow from func(x) = 0."""
    watched = call.watched("func")
    found = call.run(func=watched, fprime=plain(call["fprime"]))
    found = _with_root(found, watched, lambda x: vector(call["func"](x, *call.extra)), call)
    if watched.uses_tensors and isinstance(found, tuple):
        mark(found[1], found[0], call.name, but=("fvec",))
    return found


@solves(scipys.root, ["x0", "args"])
def root(call: Call) -> Any:
    """`.x` has the derivatives that follow from fun(x) = 0."""
    watched, with_slope = call.watched("fun"), bool(call["jac"]) and not callable(call["jac"])
    found = call.run(fun=watched, jac=plain(call["jac"]))
    if watched.uses_tensors:

        def residual(x: Any) -> Any:
            value = call["fun"](x, *call.extra)
            return np.reshape(vector(value[0] if with_slope else value), x.shape)

        found.x = solution(found.x, residual, call.name)
        mark(found, found.x, call.name, but=("x", "fun"))
    return found


def _zero(call: Call) -> Any:
    """X has the derivatives that follow from F(x) = 0."""
    watched = call.watched("F")
    found = call.run(F=watched)
    return _with_root(found, watched, lambda x: np.reshape(operand(call["F"](x)), x.shape), call)


broyden1, broyden2 = solves(scipys.broyden1, ["xin"])(_zero), solves(scipys.broyden2, ["xin"])(_zero)
anderson, newton_krylov = solves(scipys.anderson, ["xin"])(_zero), solves(scipys.newton_krylov, ["xin"])(_zero)


# Minima


@solves(scipys.minimize, ["x0", "args", "constraints"])
def minimize(call: Call) -> Any:
    """`.x` has the derivatives that follow from grad(fun)(x) = 0, `.fun` those of the minimum.

    The gradient of fun that the derivatives need is its own; the method uses `jac` or differences, as SciPy's does. An
    element of x that is at a bound stays there. With constraints, in the form of dicts, the equations are those of
    Karush, Kuhn and Tucker.
    """
    watched, with_slope = call.watched("fun"), bool(call["jac"]) and not callable(call["jac"])
    constraints = Constraints(call["constraints"], call.name)
    given: dict[str, Any] = {name: plain(call[name]) for name in ("jac", "hess", "hessp") if name in call.arguments}
    if constraints.given:
        given["constraints"] = constraints.for_scipy()
    found = call.run(fun=watched, **given)
    if watched.uses_tensors or constraints.use_tensors:

        def objective(x: Any) -> Any:
            value = call["fun"](x, *call.extra)
            return np.reshape(value[0] if with_slope else value, ())

        at_bound = _at_a_bound(found.x, _bounds_of_pairs(call["bounds"]))
        if constraints.given:
            found.x = constraints.minimiser(found.x, objective, at_bound)
        else:
            found.x = _minimiser(found.x, objective, call, at_bound)
        found.fun = with_value(found.fun, objective(found.x), f"{call.name}.fun")
        mark(found, found.x, call.name, but=("x", "fun"))
    return found


@solves(scipys.minimize_scalar, ["args", "bracket"])
def minimize_scalar(call: Call) -> Any:
    """`.x` has the derivatives that follow from grad(fun)(x) = 0, `.fun` those of the minimum."""
    watched = call.watched("fun")
    found = call.run(fun=watched)
    if watched.uses_tensors:

        def objective(x: Any) -> Any:
            return np.reshape(call["fun"](x, *call.extra), ())

        found.x = _minimiser(found.x, objective, call)
        found.fun = with_value(found.fun, objective(found.x), f"{call.name}.fun")
    return found


def _minimum(call: Call) -> Any:
    """The minimiser has the derivatives that follow from the gradient of the function, which is zero there."""
    name = "f" if "f" in call.arguments else "func"
    watched = call.watched(name)
    found = call.run(
        **{name: watched}, **{key: plain(call[key]) for key in ("fprime", "fhess", "fhess_p") if call[key]}
    )
    if not watched.uses_tensors:
        return found
    x, *others = found if isinstance(found, tuple) else (found,)

    def objective(x: Any) -> Any:
        value = call[name](x, *call.extra)
        return np.reshape(value[0] if isinstance(value, tuple) else value, ())

    x = _minimiser(x, objective, call, _at_a_bound(x, _bounds_of_pairs(call["bounds"])))
    if others and (call["full_output"] or "full_output" not in call.defaults):
        others = [with_value(others[0], objective(x), call.name), *marked(others[1:], x, call.name)]
    return (x, *others) if isinstance(found, tuple) else x


_GUESS = ("x0", "args")
fmin, fmin_powell = solves(scipys.fmin, _GUESS)(_minimum), solves(scipys.fmin_powell, _GUESS)(_minimum)
fmin_bfgs, fmin_cg = solves(scipys.fmin_bfgs, _GUESS)(_minimum), solves(scipys.fmin_cg, _GUESS)(_minimum)
fmin_ncg, fmin_l_bfgs_b = solves(scipys.fmin_ncg, _GUESS)(_minimum), solves(scipys.fmin_l_bfgs_b, _GUESS)(_minimum)
brent, golden = solves(scipys.brent, ["brack", "args"])(_minimum), solves(scipys.golden, ["brack", "args"])(_minimum)
fminbound = solves(scipys.fminbound, ["args"])(_minimum)


def _elementwise(call: Call) -> Any:
    """`.x` has the derivatives that follow from f(x) = 0, or f'(x) = 0 at a minimum; `.f_x` those of the minimum."""
    watched, of_minimum = call.watched("f"), call.original.__name__ == "find_minimum"
    found = call.run(f=watched)
    if watched.uses_tensors:

        def value(x: Any) -> Any:
            return call["f"](x, *call.extra)

        def residual(x: Any) -> Any:
            return elementwise_grad(value)(x) if of_minimum else value(x)

        found.x = solution(found.x, residual, call.name, elementwise=True, refined=of_minimum)
        if of_minimum:
            found.f_x = with_value(found.f_x, value(found.x), f"{call.name}.f_x")
        for name in ("bracket", "f_bracket"):
            found[name] = tuple([undifferentiable(x, found.x, f"{call.name}'s {name}") for x in found[name]])
    return found


if importlib.util.find_spec("scipy.optimize.elementwise"):  # since SciPy 1.15
    _theirs = importlib.import_module("scipy.optimize.elementwise")
    elementwise = ModuleType(f"{__name__}.elementwise", _theirs.__doc__)
    vars(elementwise).update({name: x for name, x in vars(_theirs).items() if not name.startswith("__")})
    for _original in (_theirs.find_root, _theirs.find_minimum):
        setattr(elementwise, _original.__name__, solves(_original, ["init", "args"])(_elementwise))
    register(_theirs, elementwise)


# Least squares

# rho(z) of the squares z of the residuals, as SciPy's least_squares defines it.
_LOSSES: dict[str, Callable[[Any], Any]] = {
    "linear": lambda z: z,
    "soft_l1": lambda z: 2 * (np.sqrt(1 + z) - 1),
    "huber": lambda z: np.where(z <= 1, z, 2 * np.sqrt(np.where(z <= 1, 1, z)) - 1),
    "cauchy": np.log1p,
    "arctan": np.arctan,
}


@solves(scipys.least_squares, ["x0", "args", "kwargs"])
def least_squares(call: Call) -> Any:
    """`.x` has the derivatives that follow from its optimality, `.cost` and `.fun` those at the optimum."""
    watched = call.watched("fun")
    found = call.run(fun=watched, jac=plain(call["jac"]))
    if watched.uses_tensors:
        if callable(call["loss"]):
            raise NotImplementedError(
                f"{call.name}: loss is a function, which is not supported where fun uses Tensors; expected one of "
                f"{', '.join(map(repr, _LOSSES))}"
            )

        def residuals(x: Any) -> Any:
            return vector(call["fun"](x, *call.unpacked, **(call["kwargs"] or {})))

        def cost(x: Any) -> Any:
            scale = call["f_scale"]
            return 0.5 * scale**2 * np.sum(_LOSSES[call["loss"]]((residuals(x) / scale) ** 2))

        found.x = _minimiser(found.x, cost, call, found.active_mask != 0)
        found.cost = with_value(found.cost, cost(found.x), f"{call.name}.cost")
        found.fun = with_value(found.fun, residuals(found.x), f"{call.name}.fun")
        mark(found, found.x, call.name, but=("x", "cost", "fun"))
    return found


@solves(scipys.leastsq, ["x0", "args"])
def leastsq(call: Call) -> Any:
    """X has the derivatives that follow from its optimality."""
    watched = call.watched("func")
    found = call.run(func=watched, Dfun=plain(call["Dfun"]))
    if not watched.uses_tensors:
        return found
    x = _minimiser(found[0], lambda x: np.sum(vector(call["func"](x, *call.extra)) ** 2) / 2, call)
    if len(found) == 2:
        return x, found[1]
    covariance = None if found[1] is None else undifferentiable(found[1], x, f"{call.name}'s cov_x")
    mark(found[2], x, call.name)
    return x, covariance, *found[2:]


@solves(scipys.curve_fit, ["xdata", "ydata", "p0", "sigma"])
def curve_fit(call: Call) -> Any:
    """Popt has the derivatives that follow from its optimality, with respect to data, sigma and what f closes over."""
    watched, data = call.watched("f"), [call[name] for name in ("xdata", "ydata", "sigma")]
    found = call.run(f=watched, jac=plain(call["jac"]))
    if not watched.uses_tensors and not has_tensor(data):
        return found
    call.refuse("nan_policy")
    rest = call["kwargs"] or {}
    if rest.get("loss", "linear") != "linear":
        raise NotImplementedError(f"{call.name}: loss={rest['loss']!r} is not supported for Tensors; expected 'linear'")
    x, y, sigma = [operand(value) for value in data]

    def residuals(p: Any) -> Any:
        difference = call["f"](x, *p) - y
        if sigma is None or not np.ndim(sigma):
            return difference if sigma is None else difference / sigma
        return difference / sigma if np.ndim(sigma) == 1 else np.linalg.solve(np.linalg.cholesky(sigma), difference)

    bounds = call["bounds"] if isinstance(call["bounds"], scipys.Bounds) else scipys.Bounds(*call["bounds"])
    active = _at_a_bound(found[0], bounds)
    popt = _minimiser(found[0], lambda p: np.sum(residuals(p) ** 2) / 2, call, active)
    return popt, _covariance(found[1], popt, residuals, call), *marked(found[2:], popt, call.name)


def _covariance(value: Any, popt: Any, residuals: Callable[[Any], Any], call: Call) -> Any:
    """SciPy's covariance of the parameters, as the expression of them that it is."""
    if not isinstance(popt, Tensor):
        return value
    if not np.all(np.isfinite(value)):
        return undifferentiable(value, popt, f"{call.name}'s pcov")
    J = jacobian(residuals)(popt)
    covariance = np.linalg.inv(np.swapaxes(J, 0, 1) @ J)
    if not call["absolute_sigma"]:
        r = residuals(popt)
        covariance = covariance * np.sum(r * r) / (r.size - popt.size)
    return with_value(value, covariance, f"{call.name}'s pcov")


# What they share


def _minimiser(x: Any, objective: Callable[[Any], Any], call: Call, active: Any = False) -> Any:
    """`x`, where the gradient of `objective` is zero, but for its elements that are at a bound: those are constant."""

    def residual(p: Any) -> Any:
        slope = grad(objective)(p)
        return np.where(active, p - x, slope) if np.any(active) else slope

    return solution(x, residual, call.name, refined=True)


def _bounds_of_pairs(bounds: Any) -> Any:
    """The bounds that `minimize` is given: a Bounds, or a pair for each element of x, with None where there is none."""
    if bounds is None:
        return scipys.Bounds()
    if isinstance(bounds, scipys.Bounds):
        return bounds
    low = [-np.inf if low is None else low for low, _ in bounds]
    high = [np.inf if high is None else high for _, high in bounds]
    return scipys.Bounds(low, high)


def _at_a_bound(x: Any, bounds: Any) -> Any:
    """Which elements of x are at one of their bounds, but for rounding."""
    close = 1e-10 * np.maximum(1, np.abs(x))
    return (x - bounds.lb <= close) | (bounds.ub - x <= close)
