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
from tinygrad_cnn.replacements import replaces
from tinygrad_cnn.scipy._fallback import fallback
from tinygrad_cnn.scipy._observed import Observed
from tinygrad_cnn.scipy._sensitivities import Flow, row_of, shaped, size_of
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


# Initial value problems


@solves(scipys.solve_ivp, ["t_span", "y0", "t_eval", "args"])
def solve_ivp(call: Call) -> Any:
    """`.y` is differentiated by the sensitivity equations, with respect to y0, times, args and what fun closes over."""
    fun, extra_args = call["fun"], tuple(call["args"] or ())
    observed = Observed(lambda t, y: fun(t, y, *extra_args), call.name)
    options = dict(call["options"] or {})
    if callable(options.get("jac")):
        jac = options["jac"]
        options["jac"] = lambda *args: without_tensors(jac(*args))
    found = call.run(fun=lambda t, y, *args: observed(t, y), options=options)
    y0, t_span, t_eval = operand(call["y0"]), call["t_span"], call["t_eval"]
    if not observed.outer and not has_tensor([y0, t_span, t_eval]):
        return found
    call.refuse("dense_output", "events", "vectorized")
    t_eval = None if t_eval is None else operand(t_eval)
    times, plain_times = found.t, found.t
    if isinstance(t_eval, Tensor):
        times = t_eval[: len(plain_times)]
    elif t_eval is None and has_tensor(t_span):  # of SciPy's own times only the first and the last are given
        inner = plain_times[1:-1]
        times = np.concatenate([np.reshape(t_span[0], 1), inner, np.reshape(t_span[1], 1)]) if found.success else times

    def solve(fun: Any, t_span: Any, y0: Any, times: Any, solver: Any) -> Any:
        given = {name: x for name, x in options.items() if name not in _OF_THE_JACOBIAN}
        if np.ndim(given.get("atol", 0)):
            given["atol"] = _tolerances(given["atol"], np.size(y0))
        sol = solver(fun, t_span, y0, method=call["method"], t_eval=times, **given)
        if not sol.success:
            raise RuntimeError(f"{call.name}: the sensitivity equations could not be solved: {sol.message}")
        return sol.y

    end = t_span[1] if found.success else plain_times[-1]
    flow = Flow(
        observed,
        call.name,
        lambda f, z, s, ts: solve(f, (s, without_tensors(end)), z, ts, scipys.solve_ivp),
        lambda f, z, s, ts: solve(f, (s, end), z, ts, solve_ivp),
    )
    found.y = flow.solution(found.y, y0, t_span[0], times)
    found.t = times if isinstance(times, Tensor) else found.t
    return found


_OF_THE_JACOBIAN = ("jac", "jac_sparsity", "lband", "uband")


@solves(scipys.odeint, ["y0", "t", "args"])
def odeint(call: Call) -> Any:
    """Differentiated by the sensitivity equations, with respect to y0, t, args and what func closes over."""
    func, extra_args, tfirst = call["func"], call.extra, call["tfirst"]
    observed = Observed(lambda t, y: func(t, y, *extra_args) if tfirst else func(y, t, *extra_args), call.name)
    jac, swapped = call["Dfun"], None
    if jac is not None:
        swapped = lambda t, y, *args: without_tensors(jac(t, y, *args) if tfirst else jac(y, t, *args))
    found = call.run(func=lambda t, y, *args: observed(t, y), tfirst=True, Dfun=swapped)
    y0, times = operand(call["y0"]), operand(call["t"])
    if not observed.outer and not has_tensor([y0, times]):
        return found
    names = ("rtol", "atol", "tcrit", "h0", "hmax", "hmin", "mxstep", "mxhnil", "mxordn", "mxords")
    options = {name: call[name] for name in names}

    def solve(fun: Any, y0: Any, times: Any, solver: Any) -> Any:
        given = dict(options)
        for name in ("rtol", "atol"):
            if np.ndim(given[name]):
                given[name] = _tolerances(given[name], np.size(y0))
        return np.transpose(solver(fun, y0, times, tfirst=True, **given))

    flow = Flow(
        observed,
        call.name,
        lambda f, z, s, ts: solve(f, z, ts, scipys.odeint),
        lambda f, z, s, ts: solve(f, z, ts, odeint),
    )
    values = found[0] if call["full_output"] else found
    y = np.transpose(flow.solution(values.T, np.reshape(y0, -1), times[0], times))
    return (y, *marked(found[1:], y, call.name)) if call["full_output"] else y


def _tolerances(each: Any, size: int) -> Any:
    """The tolerance of each element of y, also for the derivatives of that element."""
    each = np.asarray(each)
    return np.concatenate([each, np.repeat(each, (size - each.size) // each.size)])


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
