"""scipy.integrate's solvers of initial value problems."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from tinygrad_cnn.engine.graph import differentiating, recording
from tinygrad_cnn.engine.primitive import operand
from tinygrad_cnn.engine.tensor import Tensor
from tinygrad_cnn.extras import extra
from tinygrad_cnn.implicit_functions import solution
from tinygrad_cnn.scipy._observed import Observed
from tinygrad_cnn.scipy._sensitivities import Flow
from tinygrad_cnn.scipy._solvers import Call, Watched, has_tensor, marked, solves, without_tensors

with extra("scipy", "tinygrad_cnn.scipy.integrate"):
    from scipy import integrate as scipys


@solves(scipys.solve_ivp, ["t_span", "y0", "t_eval", "args"])
def solve_ivp(call: Call) -> Any:
    """`.y` is differentiated by the sensitivity equations, with respect to y0, times, args and what fun closes over.

    So are `.sol`, of dense_output, and the times and values at events, each with the time at which it happens.
    """
    fun, extra_args = call["fun"], call.unpacked
    observed = Observed(lambda t, y: fun(t, y, *extra_args), call.name)
    options = dict(call["options"] or {})
    if callable(options.get("jac")):
        jac = options["jac"]
        options["jac"] = lambda *args: without_tensors(jac(*args))
    events = [Watched(event) for event in _events(call["events"])]
    given = {"events": events} if events else {}
    found = call.run(fun=lambda t, y, *args: observed(t, y), options=options, **given)
    problem = _Problem(call, observed, options)
    uses_tensors = problem.uses_tensors or any(event.uses_tensors for event in events)
    if found.sol is not None and (uses_tensors or differentiating.get()):  # of which the time may be a Tensor
        found.sol = _Dense(found.sol, problem)
    if not uses_tensors:
        return found
    call.refuse("vectorized")
    if events:
        problem.follow_events(found, events)
    times = problem.times(found)
    found.y = problem.at(found.y, times)
    found.t = times
    return found


def _events(given: Any) -> list[Callable[..., Any]]:
    return [] if given is None else [given] if callable(given) else list(given)


class _Problem:
    """An initial value problem, as `solve_ivp` was called for it."""

    def __init__(self, call: Call, observed: Observed, options: dict[str, Any]) -> None:
        self.call, self.observed = call, observed
        self.options = {name: x for name, x in options.items() if name not in _OF_THE_JACOBIAN}
        self.y0, self.span, t_eval = operand(call["y0"]), call["t_span"], call["t_eval"]
        self.t_eval = None if t_eval is None else operand(t_eval)
        self.uses_tensors = bool(observed.outer) or has_tensor([self.y0, self.span, self.t_eval])
        self.end: Any = None  # the time of the event that ended it

    def times(self, found: Any) -> Any:
        """The times of the solution, of which t_eval is given, or of SciPy's own times the first and the last."""
        if self.t_eval is not None:
            return self.t_eval[: found.t.size] if isinstance(self.t_eval, Tensor) else found.t
        end = self.end if self.end is not None else self.span[1]
        if not found.success or not has_tensor([self.span[0], end]):
            return found.t
        return np.concatenate([np.reshape(self.span[0], 1), found.t[1:-1], np.reshape(end, 1)])

    def at(self, value: Any, times: Any) -> Any:
        """`value`, the solution at `times`, as a Tensor."""
        flow = Flow(
            self.observed,
            self.call.name,
            functools.partial(self.solve, solver=scipys.solve_ivp),
            functools.partial(self.solve, solver=solve_ivp),
        )
        return flow.solution(value, self.y0, self.span[0], times)

    def solve(self, fun: Any, y0: Any, t0: Any, times: Any, solver: Any) -> Any:
        """The solution of another problem of this kind, with the same tolerances."""
        given, end = dict(self.options), without_tensors(times)[-1]
        if end == without_tensors(t0):
            return np.stack([y0 for _ in range(np.size(without_tensors(times)))], axis=1)
        if np.ndim(given.get("atol", 0)):
            given["atol"] = tolerances(given["atol"], np.size(y0))
        sol = solver(fun, (t0, end), y0, method=self.call["method"], t_eval=times, **given)
        if not sol.success:
            raise RuntimeError(f"{self.call.name}: the sensitivity equations could not be solved: {sol.message}")
        return sol.y

    def follow_events(self, found: Any, events: list[Watched]) -> None:
        """Make Tensors of the times and values at events: event(t, y(t)) = 0."""
        for k, watched in enumerate(events):
            if not found.t_events[k].size:
                continue
            times, values = [], []
            for t, y in zip(found.t_events[k], found.y_events[k], strict=True):
                time = solution(t, functools.partial(self._distance, watched.function, y), f"{self.call.name}'s event")
                times.append(time)
                values.append(self._at_one(y, time))
                if found.status == 1 and self._ended(watched, found, t):
                    self.end = time
            found.t_events[k], found.y_events[k] = np.stack(times), np.stack(values)

    def _at_one(self, y: Any, t: Any) -> Any:
        """The solution y at one time."""
        return self.at(y[:, np.newaxis], np.reshape(t, 1))[:, 0]

    def _distance(self, event: Callable[..., Any], y: Any, t: Any) -> Any:
        """What the event is the zero of, as a function of the time alone."""
        return np.reshape(event(t, self._at_one(y, t), *self.call.unpacked), ())

    def _ended(self, watched: Watched, found: Any, t: float) -> bool:
        """Whether it was this event, at t, that ended the integration."""
        return bool(getattr(watched.function, "terminal", False)) and (self.t_eval is not None or t == found.t[-1])


class _Dense:
    """The solution as a function of time, as SciPy's OdeSolution."""

    def __init__(self, sol: Any, problem: _Problem) -> None:
        self._sol, self._problem = sol, problem

    def __call__(self, t: Any) -> Any:
        value = self._sol(without_tensors(t))
        if not recording.get():
            return value
        t, n = np.reshape(operand(t), -1), self._problem.y0.size
        begin, end = without_tensors(self._problem.span)
        order = np.argsort(without_tensors(t) * np.sign(end - begin), kind="stable")
        y = self._problem.at(np.reshape(value, (n, -1))[:, order], t[order])
        return np.reshape(y[:, np.argsort(order)], value.shape)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sol, name)


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
                given[name] = tolerances(given[name], np.size(y0))
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


def tolerances(each: Any, size: int) -> Any:
    """The tolerance of each element of y, also for the derivatives of that element."""
    each = np.asarray(each)
    return np.concatenate([each, np.repeat(each, (size - each.size) // each.size)])
