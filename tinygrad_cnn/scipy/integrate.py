"""scipy.integrate: integrals and initial value problems, differentiated by their own equations.

Where no Tensor is in play each is SciPy's own, and so is the value always. The derivative of an integral is the
integral of the derivative; that of a solution of a differential equation solves the equation's linearisation along it.
Both are computed by the same function of SciPy's, with the same tolerances.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tinygrad_cnn.engine.primitive import operand
from tinygrad_cnn.engine.tensor import Tensor
from tinygrad_cnn.extras import extra
from tinygrad_cnn.recordings import node_of, sweep, tensors_on
from tinygrad_cnn.replacements import fallback, replaces
from tinygrad_cnn.scipy._initial_values import odeint, solve_ivp  # noqa: F401 (which are of this module)
from tinygrad_cnn.scipy._observed import Observed
from tinygrad_cnn.scipy._sensitivities import row_of, shaped, size_of
from tinygrad_cnn.scipy._solvers import (
    Call,
    has_tensor,
    marked,
    solves,
    undifferentiable,
    with_value,
    without_tensors,
)

with extra("scipy", "tinygrad_cnn.scipy.integrate"):
    from scipy import integrate as scipys

__getattr__, __dir__ = fallback(scipys, globals())


# Integrals of functions


@solves(scipys.quad, ["a", "b", "args"])
def quad(call: Call) -> Any:
    """Differentiated under the integral sign, and with respect to its limits."""
    func, extra_args = call["func"], call.extra
    if not callable(func):  # compiled code
        return call.run()
    integrand = Observed(lambda u: func(u, *extra_args), call.name)
    found = call.run(func=lambda u, *args: integrand(u))
    limits = [name for name in ("a", "b") if isinstance(call[name], Tensor) and np.isfinite(call[name].value)]
    if not integrand.outer and not limits:
        return found
    call.refuse("complex_func")
    if limits and call["weight"] is not None:
        call.check_tensors(["args"])
    integrand.keep()
    integral = _Integral(call, integrand, limits)
    operands = [*tensors_on(integrand.outer), *[call[name] for name in limits]]
    value = node_of(np.asarray(found[0])[()], operands, integral.cotangents, call.name)
    error = undifferentiable(found[1], value, f"{call.name}'s estimate of the error")
    return value, error, *marked(found[2:], value, call.name)


class _Integral:
    """What the derivatives of one call of `quad` need.

    limits  the names of those limits that are Tensors
    """

    def __init__(self, call: Call, integrand: Observed, limits: list[str]) -> None:
        self.integrand, self.limits = integrand, limits
        self.span = without_tensors((call["a"], call["b"]))
        self.options = {name: without_tensors(x) for name, x in call.arguments.items() if name not in _INTEGRAND}
        self.slopes: dict[float, Any] = {}

    def cotangents(self, g: Any, out: Any, *operands: Any) -> list[Any]:
        """The cotangents of what the integrand closes over, and of the limits."""
        outer = self.integrand.outer
        limits = dict(zip(self.limits, operands[len(outer) :], strict=True))
        a, b = (limits.get(name, plain) for name, plain in zip("ab", self.span, strict=True))
        integrate, slopes = (
            (quad, self.recorded_slopes) if isinstance(out, Tensor) else (scipys.quad, self.plain_slopes)
        )
        parts = [integrate(lambda u, i=i: slopes(u)[i], a, b, **self.options)[0] for i in range(size_of(outer))]
        found = [g * x for x in shaped(parts, outer)]
        for name, limit in limits.items():
            value = np.reshape(self.integrand.value_at(limit, recorded=isinstance(out, Tensor)), ())
            found.append(g * value if name == "b" else -g * value)
        return found

    def plain_slopes(self, u: float) -> Any:
        """The derivatives of the integrand at u by all that it closes over, in a row."""
        if u not in self.slopes:
            run = self.integrand.recorded_at(u, anew=False)
            found = {node: np.zeros_like(node.like) for node in self.integrand.outer}
            found.update(zip(run.outer, run.cotangents([np.ones(1)]), strict=True))
            self.slopes[u] = row_of(list(found.values()))
        return self.slopes[u]

    def recorded_slopes(self, u: Any) -> Any:
        """The same as a Tensor."""
        outer = self.integrand.outer
        run = self.integrand.recorded_at(u)
        seeds = {x.node: np.ones(1) for x in run.results.leaves if isinstance(x, Tensor)}
        return row_of(sweep(seeds, outer, recorded=True))


_INTEGRAND = ("func", "a", "b", "args", "full_output")


@solves(scipys.dblquad, ["a", "b", "gfun", "hfun", "args"])
def dblquad(call: Call) -> Any:
    """Differentiated as `quad` of `quad` is."""
    return _nested(call, [("gfun", "hfun")])


@solves(scipys.tplquad, ["a", "b", "gfun", "hfun", "qfun", "rfun", "args"])
def tplquad(call: Call) -> Any:
    """Differentiated as `quad` of `quad` of `quad` is."""
    return _nested(call, [("gfun", "hfun"), ("qfun", "rfun")])


def _nested(call: Call, limits: list[tuple[str, str]]) -> Any:
    """A multiple integral. limits: the names of those of the inner integrals, which may be functions."""
    func, extra_args = call["func"], call.extra
    functions = {name: _function(call[name]) for pair in limits for name in pair}
    tolerances = {name: call[name] for name in ("epsabs", "epsrel")}

    def integral(outer: tuple[Any, ...]) -> Any:
        """Over all variables that are not in `outer`, of which the first is the outermost."""
        if len(outer) > len(limits):
            return func(*reversed(outer), *extra_args)
        low, high = [functions[name](*outer) for name in limits[len(outer) - 1]] if outer else (call["a"], call["b"])
        return quad(lambda x: integral((*outer, x)), low, high, **tolerances)[0]

    observed = Observed(lambda *x: func(*x, *extra_args), call.name)
    bounds = {name: Observed(function, call.name) for name, function in functions.items()}
    found = call.run(func=lambda *x: observed(*x[: len(limits) + 1]), **bounds)
    if not any(x.outer for x in (observed, *bounds.values())) and not has_tensor([call["a"], call["b"]]):
        return found
    value = with_value(found[0], integral(()), call.name)
    return value, undifferentiable(found[1], value, f"{call.name}'s estimate of the error")


def _function(bound: Any) -> Callable[..., Any]:
    return bound if callable(bound) else lambda *outer: bound


@solves(scipys.quad_vec, ["a", "b", "args"])
def quad_vec(call: Call) -> Any:
    """Differentiated under the integral sign, and with respect to its limits."""
    f, extra_args = call["f"], call.extra
    integrand = Observed(lambda u: f(u, *extra_args), call.name)
    found = call.run(f=lambda u, *args: integrand(u))
    limits = [name for name in ("a", "b") if isinstance(call[name], Tensor) and np.isfinite(call[name].value)]
    if not integrand.outer and not limits:
        return found
    integrand.keep()
    span = without_tensors((call["a"], call["b"]))
    options = {name: x for name, x in call.arguments.items() if name not in ("f", "a", "b", "args", "full_output")}

    def cotangents(g: Any, out: Any, *operands: Any) -> list[Any]:
        recorded, outer = isinstance(out, Tensor), integrand.outer
        ends = dict(zip(limits, operands[len(outer) :], strict=True))
        a, b = (ends.get(name, plain) for name, plain in zip("ab", span, strict=True))

        def slopes(u: Any) -> Any:
            """What a cotangent g of the integrand at u becomes, in a row."""
            run = integrand.recorded_at(u, anew=recorded)
            seeds = {x.node: np.reshape(g, -1) for x in run.results.leaves if isinstance(x, Tensor)}
            return row_of(sweep(seeds, outer, recorded))

        integrate = quad_vec if recorded else scipys.quad_vec
        parts = shaped(integrate(slopes, a, b, **options)[0], outer) if outer else []
        for name, end in ends.items():
            value = np.sum(np.reshape(g, -1) * integrand.value_at(end, recorded=recorded))
            parts.append(value if name == "b" else -value)
        return parts

    operands = [*tensors_on(integrand.outer), *[call[name] for name in limits]]
    value = node_of(found[0], operands, cotangents, call.name)
    return value, undifferentiable(found[1], value, f"{call.name}'s estimate of the error"), *found[2:]


# Integrals of samples


@replaces(scipys.trapezoid)
def trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Any:
    """As `scipy.integrate.trapezoid`."""
    return np.trapezoid(operand(y), x if x is None else operand(x), dx, axis)


@replaces(scipys.cumulative_trapezoid)
def cumulative_trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1, initial: Any = None) -> Any:
    """As `scipy.integrate.cumulative_trapezoid`."""
    y = np.moveaxis(operand(y), axis, -1)
    steps = dx if x is None else _steps(x, y, axis)
    result = np.cumsum(steps * (y[..., 1:] + y[..., :-1]) / 2, axis=-1)
    if initial is not None:
        if initial != 0:
            raise ValueError("`initial` parameter must be `None` or `0`.")
        result = np.concatenate([np.zeros((*result.shape[:-1], 1)), result], axis=-1)
    return np.moveaxis(result, -1, axis)


def _steps(x: Any, y: Any, axis: int) -> Any:
    """The differences of samples x of one axis, or of the shape of y, along the axis of integration, as the last."""
    x = operand(x)
    return np.diff(x if x.ndim == 1 else np.moveaxis(x, axis, -1))


@replaces(scipys.simpson)
def simpson(y: Any, x: Any = None, *, dx: Any = 1.0, axis: int = -1) -> Any:
    """As `scipy.integrate.simpson`: the last interval of an odd number of them by Cartwright's correction."""
    y = np.moveaxis(operand(y), axis, -1)
    count = y.shape[-1]
    h = np.full(count - 1, dx) if x is None and not isinstance(dx, Tensor) else None
    if h is None:
        h = dx * np.ones(count - 1) if x is None else _steps(x, y, axis)
    if count == 2:
        return 0.5 * h[..., 0] * (y[..., 0] + y[..., 1])
    total: Any = 0.0
    pairs = count - 1 if count % 2 else count - 2
    if count > 2:
        h0, h1 = h[..., 0:pairs:2], h[..., 1:pairs:2]
        first, middle, last = y[..., 0 : pairs - 1 : 2], y[..., 1:pairs:2], y[..., 2 : pairs + 1 : 2]
        both = h0 + h1
        total = np.sum(
            both / 6 * (first * (2 - h1 / h0) + middle * (both * both / (h0 * h1)) + last * (2 - h0 / h1)), axis=-1
        )
    if count % 2 == 0:
        h0, h1 = h[..., -2], h[..., -1]
        alpha = (2 * h1**2 + 3 * h0 * h1) / (6 * (h1 + h0))
        beta = (h1**2 + 3 * h0 * h1) / (6 * h0)
        eta = h1**3 / (6 * h0 * (h0 + h1))
        total = total + alpha * y[..., -1] + beta * y[..., -2] - eta * y[..., -3]
    return total


@replaces(scipys.romb)
def romb(y: Any, dx: Any = 1.0, axis: int = -1) -> Any:
    """As `scipy.integrate.romb`, which is linear in y."""
    y = np.moveaxis(operand(y), axis, -1)
    return y @ scipys.romb(np.eye(y.shape[-1])) * dx


@replaces(scipys.cumulative_simpson)
def cumulative_simpson(y: Any, *, x: Any = None, dx: Any = 1.0, axis: int = -1, initial: Any = None) -> Any:
    """As `scipy.integrate.cumulative_simpson`, which is linear in y; x is plain."""
    if has_tensor(x) or np.ndim(dx) or np.ndim(x) > 1 or np.ndim(initial):
        raise NotImplementedError(
            "scipy.integrate.cumulative_simpson: for Tensors, x is to be a plain array of one axis, and dx and initial "
            "numbers"
        )
    y = np.moveaxis(operand(y), axis, -1)
    integrals = y @ scipys.cumulative_simpson(np.eye(y.shape[-1]), x=x)
    if x is None:
        integrals = integrals * dx
    if initial is not None:
        integrals = np.concatenate([np.zeros((*y.shape[:-1], 1)), integrals], axis=-1) + initial
    return np.moveaxis(integrals, -1, axis)
