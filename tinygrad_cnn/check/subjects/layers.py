"""Layers with hand-written backward passes: classes that keep state, and pairs of functions."""

from __future__ import annotations

import contextlib
import copy
import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import Any

import numpy as np

from tinygrad_cnn.check import sentences
from tinygrad_cnn.check.cross_check import gradients as check_gradients
from tinygrad_cnn.check.report.report import Report
from tinygrad_cnn.check.subjects.layer_gradients import Recorder, gradients_of
from tinygrad_cnn.check.subjects.layer_parameters import (
    BACKWARD,
    CONTAINERS,
    found_parameters,
    get,
    in_container,
    is_layer,
    places_of,
    put,
    put_at,
)
from tinygrad_cnn.check.subjects.modules_run import modules_run
from tinygrad_cnn.check.subjects.order_by_name import places, returned_names
from tinygrad_cnn.check.subjects.uninitialised import undefined
from tinygrad_cnn.check.subjects.weighted import is_differentiable, repeatable, weighted, weights_of
from tinygrad_cnn.check.witnesses.autodiff import Subject, autodiff
from tinygrad_cnn.check.witnesses.named_arrays import give_name
from tinygrad_cnn.check.witnesses.trace import as_array

FORWARD = ("forward", "forward_pass", "fprop", "__call__", "loss")
Method = str | Callable[..., Any]


def layer(
    make: Any,
    inputs: Any,
    *,
    parameters: Sequence[str] | Mapping[str, Any] | None = None,
    gradients: Any = None,
    forward: Method | None = None,
    backward: Method | None = None,
    modules: Sequence[ModuleType] | None = None,
    seed: int = 0,
    **how: Any,
) -> Report:
    """Check the backward pass of a layer: its gradients with respect to its inputs and its parameters.

    make: a function that makes a new layer, or a layer, of which copies are used; or a pair of functions,
    `forward(*inputs)`, which returns outputs and a cache, and `backward(*cotangents, cache)`. If `make` takes an
    argument, or the layer has a method `initialize` that does, that is an optimiser whose `update(w, gradient)` records
    the gradient, and changes nothing. inputs: what the forward pass takes, or a tuple of several such inputs; gradients
    are checked of arrays of floats and of lists of them.

    The loss is the sum of the outputs times random numbers, which are the cotangents that `backward` gets; an output
    that is a single number has the cotangent 1. Each evaluation has a new copy of the layer, and NumPy's global random
    numbers start from `seed` each time, so that state and dropout do no harm.

    parameters: the names of the parameters: attributes, entries of the dicts `params` or `parameters`, or paths such as
    "cell.W"; or a dict from these to the values to check at. None takes those for which gradients are found.

    gradients: where these are after the backward pass: the name of an attribute that is a dict or a list, a dict from
    the name of a parameter to the path of its gradient, or a function of the layer. None looks at what `backward`
    returned, at `grads`, `gradients`, `dW`, `grad_W` and `W_grad`, and at what the optimiser was given.

    forward, backward: the names of the methods, or functions `forward(layer, *inputs)` and
    `backward(layer, *cotangents)`; None looks for the usual names. modules: as for `tg.check.gradients`; None takes the
    modules whose code the forward pass runs, if autodiff needs that. how: what else `tg.check.gradients` takes.

    >>> import numpy as np, tinygrad_cnn as tg
    >>> class Dense:
    ...     def __init__(self):
    ...         self.W, self.b = np.ones((3, 2)), np.zeros(2)
    ...     def forward(self, x):
    ...         self.x = x
    ...         return x @ self.W + self.b
    ...     def backward(self, dout):
    ...         self.dW, self.db = self.x.T @ dout, dout.sum(axis=0)
    ...         return dout @ self.W.T
    >>> report = tg.check.layer(Dense, np.arange(12.0).reshape(4, 3) / 10)
    >>> report.ok, [p.name for p in report.parameters]
    (True, ['x', 'W', 'b'])
    """
    made = _Layer(make, inputs, parameters, gradients, forward, backward, seed)
    if modules is None:
        modules = made.modules() if autodiff(Subject.of(made.loss, made.values())).opaque is not None else ()
    report = check_gradients(made.loss, made.values(), made.by_hand, modules=modules, seed=seed, **how)
    report.notes += made.notes
    return report


class _Layer:
    """A layer as a loss of its inputs and parameters, and its backward pass as the hand-derived gradient of that."""

    def __init__(
        self, make: Any, inputs: Any, parameters: Any, where: Any, forward: Any, backward: Any, seed: int
    ) -> None:
        self.pair = make if isinstance(make, tuple | list) and len(make) == 2 and all(map(callable, make)) else None
        self.make, self.where, self.seed = make, where, seed
        self.inputs = list(inputs) if isinstance(inputs, tuple) else [inputs]
        self.notes: list[str] = []
        self.recorder = Recorder()
        self.prototype = self._made()
        self.forward_name = "" if self.pair or callable(forward) else self._found("forward", forward, FORWARD)
        self.backward_name = "" if self.pair or callable(backward) else self._found("backward", backward, BACKWARD)
        self.forward, self.backward = [
            given if callable(given) else _method(name)
            for given, name in ((forward, self.forward_name), (backward, self.backward_name))
        ]
        self.input_names = self._names_of_inputs()
        self.parameters: dict[str, Any] = {}
        self.places: dict[str, list[tuple[Any, ...]]] = {}  # where else the same array is, by the path of a parameter
        self.outputs: int | None = None  # of how many the cotangents are given, if not of all
        self.cotangent_order: list[int] = []
        self.weights = weights_of(self._first_run(parameters), seed)
        self.backward_takes = len(self.weights)
        if self.backward_name:
            self.backward_takes = len(_positional(getattr(self.prototype, self.backward_name)))
        if self.backward_takes == 1 < len(self.weights):
            self._take_the_first_output_alone_if_need_be()
        self._set_orders()
        self._keep_those_with_gradients(parameters)

    # The layer.

    def _made(self) -> Any:
        """A new layer."""
        if self.pair is not None:
            return None
        with repeatable(self.seed):
            if not callable(self.make) or is_layer(self.make):
                made = copy.deepcopy(self.make)
            elif _required(self.make) == 1:
                made = self.make(self.recorder)
            else:
                made = self.make()
            if hasattr(made, "initialize") and _required(made.initialize) == 1:
                made.initialize(self.recorder)
        return made

    def _found(self, which: str, given: str | None, usual: Sequence[str]) -> str:
        """The name of a method that the layer has; none, if `loss` is there to return the gradients too."""
        names = usual if given is None else (given,)
        name = next((name for name in names if callable(getattr(self.prototype, name, None))), None)
        if name is None and which == "backward" and given is None and self.forward_name == "loss":
            return ""
        if name is None:
            raise ValueError(
                f"layer: a {type(self.prototype).__name__} has no method {' or '.join(names)}; pass {which}=, the name "
                "of a method or a function of the layer"
            )
        return name

    def _names_of_inputs(self) -> list[str]:
        """What the forward pass calls its inputs; x, x1, ... where that is not known."""
        function = self.pair[0] if self.pair else getattr(type(self.prototype), self.forward_name, None)
        names = _positional(function)[0 if self.pair else 1 :] if function is not None else []
        known = names[: len(self.inputs)] if len(names) >= len(self.inputs) else []
        return known or [f"x{k}" if k else "x" for k in range(len(self.inputs))]

    def _first_run(self, parameters: Any) -> list[Any]:
        """The outputs. Finds the parameters on the way, running the layer once more if it makes them only then."""
        if isinstance(parameters, Mapping):
            self.parameters = {name: as_array(x) for name, x in parameters.items()}
        elif self.pair is None:
            names = list(parameters) if parameters is not None else found_parameters(self.prototype)
            probe = self._made()
            with repeatable(self.seed):
                self._run(probe, self.inputs, keep=False)
            made = [name for name in found_parameters(probe) if name not in names and (not names or in_container(name))]
            if parameters is None and made and self._runs_again(probe):  # else one that has not run yet is better
                names, self.prototype = names + made, probe
            elif any(not _has_array(self.prototype, name) for name in names):
                self.prototype = probe
            missing = [name for name in names if not _has_array(self.prototype, name)]
            if missing:
                raise ValueError(
                    f"layer: a {type(self.prototype).__name__} has no parameter {', '.join(missing)}; it has "
                    f"{', '.join(found_parameters(self.prototype)) or 'no arrays of floats'}"
                )
            arrays = {name: get(self.prototype, name) for name in names}
            self.parameters = {name: np.array(x) for name, x in arrays.items()}
            self.places = {name: places_of(self.prototype, x) for name, x in arrays.items()}
        with repeatable(self.seed):
            return self._run(self._with(self.parameters), self.inputs)[0]

    def _runs_again(self, made: Any) -> bool:
        """Whether a layer that has run can do so again, with its backward pass: some keep all that they were given."""
        again = copy.deepcopy(made, self._kept())
        try:
            with repeatable(self.seed):
                outputs, _ = self._run(again, self.inputs)
                cotangents = [np.ones_like(x) for x in outputs]
                takes = len(_positional(getattr(again, self.backward_name))) if self.backward_name else 0
                if self.backward is not None:
                    self.backward(again, *(cotangents[:takes] if takes else []))
        except Exception:  # whatever it raises
            return False
        return True

    def _with(self, parameters: Mapping[str, Any]) -> Any:
        """A new layer with these parameters."""
        if self.pair is not None:
            return None
        self.recorder.updates.clear()
        made = copy.deepcopy(self.prototype, self._kept())
        for path, x in parameters.items():
            put(made, path, x)
            for place in self.places.get(path, []):
                put_at(made, place, x)
        return made

    def _kept(self) -> dict[int, Any]:
        """What a deep copy of the layer has in common with it: where gradients are recorded."""
        return {id(x): x for x in (self.recorder, self.recorder.updates)}

    # Its passes.

    def _run(self, made: Any, inputs: Sequence[Any], keep: bool = True) -> tuple[list[Any], Any]:
        """The outputs of a forward pass, and what came with them: a cache, or the gradients of a `loss`."""
        if self.pair is not None:
            result = self.pair[0](*inputs)
            n = max(1, _required(self.pair[1]) - 1)
            if not isinstance(result, tuple) or len(result) <= n:
                raise ValueError(
                    f"layer: {_called(self.pair[0])} returned {_described(result)}; expected (output, cache), for "
                    f"{_called(self.pair[1])} takes cotangents and a cache"
                )
            return list(result[:n]), result[n]
        if not keep and self.forward_name and "retain_derived" in _names(getattr(made, self.forward_name)):
            result = getattr(made, self.forward_name)(*inputs, retain_derived=False)
        else:
            result = self.forward(made, *inputs)
        if self.backward is None:
            if not isinstance(result, tuple) or len(result) != 2:
                raise ValueError(
                    f"layer: {type(made).__name__}.loss returned {_described(result)}; expected (loss, gradients)"
                )
            return [result[0]], result[1]
        outputs = [x for x in (result if isinstance(result, tuple | list) else [result]) if is_differentiable(x)]
        if not outputs:
            raise ValueError(
                f"layer: the forward pass of a {type(made).__name__} returned {_described(result)}; expected an array "
                "of floats"
            )
        return outputs[: self.outputs], None

    def _take_the_first_output_alone_if_need_be(self) -> None:
        """Of several outputs, if the backward pass takes one cotangent, and not a tuple of all."""
        with repeatable(self.seed):
            made = self._with(self.parameters)
            _, cache = self._run(made, self.inputs)
            try:
                self._carry_back(made, cache)
            except Exception:
                self.notes.append(sentences.FIRST_OUTPUT_ALONE.format(n=len(self.weights)))
                self.outputs, self.weights = 1, self.weights[:1]

    def _set_orders(self) -> None:
        """In which order the backward pass takes cotangents, if its arguments are called after the outputs."""
        forward, backward = self.pair or [
            getattr(type(self.prototype), name, None) for name in (self.forward_name, self.backward_name)
        ]
        n = len(self.weights)
        taken = _positional(backward)[0 if self.pair else 1 :][:n]
        outputs = returned_names(forward)[:n]
        self.cotangent_order = places(taken, outputs) if len(taken) == len(outputs) == n else list(range(n))
        names = taken if len(taken) == n else ["dout"] if n == 1 else [f"dout_{k}" for k in range(n)]
        for k, name in zip(self.cotangent_order, names, strict=True):
            give_name(self.weights[k], name)
        if self.cotangent_order != sorted(self.cotangent_order):
            self.notes.append(sentences.ORDER_OF_COTANGENTS.format(names=", ".join(taken)))

    def _carry_back(self, made: Any, cache: Any) -> Any:
        """What the backward pass returns."""
        cotangents = [w.copy() if w.ndim else w[()] for w in self.weights]
        if self.cotangent_order:
            cotangents = [cotangents[k] for k in self.cotangent_order]
        if self.pair is not None:
            return self.pair[1](*cotangents, cache)
        if self.backward is None:
            return cache
        if self.backward_takes < len(cotangents):
            return self.backward(made, *([tuple(cotangents)] if self.backward_takes else []))
        return self.backward(made, *cotangents)

    def loss(self, p: Mapping[str, Any]) -> Any:
        """The sum of the outputs, weighted."""
        with repeatable(self.seed):
            parameters = {path: p[self.names[path]] for path in self.parameters}
            outputs, _ = self._run(self._with(parameters), self._inputs_at(p))
            return weighted(outputs, self.weights)

    def by_hand(self, p: Mapping[str, Any]) -> dict[str, Any]:
        """The gradients by the backward pass."""
        with repeatable(self.seed):
            parameters = {path: np.asarray(p[self.names[path]]) for path in self.parameters}
            found = self._gradients(parameters, self._inputs_at(p))
        return {name: found[name] for name in p}

    def _gradients(self, parameters: Mapping[str, Any], inputs: Sequence[Any]) -> dict[str, Any]:
        made = self._with(parameters)
        _, cache = self._run(made, inputs)
        returned = self._carry_back(made, cache)
        of_inputs, extra = self._of_inputs(returned)
        of_parameters = gradients_of(made, list(parameters), self.where, extra, self.recorder, parameters)
        return of_inputs | {self.names[path]: x for path, x in of_parameters.items()}

    def _of_inputs(self, returned: Any) -> tuple[dict[str, Any], Any]:
        """The gradients of the inputs, and what else the backward pass returned."""
        checked = [name for name, x in zip(self.input_names, self.inputs, strict=True) if _has_gradient(x)]
        if returned is None or isinstance(returned, Mapping):
            parts = dict(returned or {})
            forms = {name: (f"d{name}", f"grad_{name}", name) for name in checked}
            names = {name: next((form for form in forms[name] if form in parts), None) for name in checked}
            return {name: parts[form] for name, form in names.items() if form is not None}, parts
        whole = len(self.inputs) == 1 and isinstance(self.inputs[0], list)
        if not isinstance(returned, tuple | list) or (whole and len(returned) == len(self.inputs[0])):
            return ({checked[0]: returned} if checked else {}), None
        every = self.input_names if len(returned) >= len(self.inputs) else checked
        pairs = dict(zip(every, returned, strict=False))
        of_inputs = {name: pairs[name] for name in checked if pairs.get(name) is not None}
        rest = list(returned[len(every) :])
        return of_inputs, (rest[0] if len(rest) == 1 and isinstance(rest[0], Mapping | list | tuple) else rest)

    def _inputs_at(self, p: Mapping[str, Any]) -> list[Any]:
        return [p.get(name, x) for name, x in zip(self.input_names, self.inputs, strict=True)]

    # What is checked.

    def _keep_those_with_gradients(self, asked: Any) -> None:
        """Leave out inputs and parameters without a gradient, unless they were asked for."""
        self.names = {path: _short(path) for path in self.parameters}
        with repeatable(self.seed):
            found = self._gradients(self.parameters, self.inputs)
        for path in list(self.parameters):
            gradient, shape = found.get(self.names[path]), self.parameters[path].shape
            if gradient is None and asked is not None:
                raise ValueError(
                    f"layer: no gradient of {path} was found after the backward pass; pass gradients=, where it is: "
                    'the name of an attribute, a dict such as {"W": "dW"}, or a function of the layer'
                )
            if asked is None and (gradient is None or np.shape(gradient) != shape):
                del self.parameters[path]
        self._note_what_is_uninitialised(found)
        self.checked = {}
        for name, x in zip(self.input_names, self.inputs, strict=True):
            if _has_gradient(x) and name in found:
                self.checked[name] = [np.asarray(y) for y in x] if isinstance(x, list) else np.asarray(x)
            elif _has_gradient(x):
                self.notes.append(sentences.NO_GRADIENT_OF_INPUT.format(name=name))
        if not self.checked and not self.parameters:
            raise ValueError(
                "layer: the backward pass returned no gradient, and none of a parameter was found; pass parameters= "
                "and gradients="
            )

    def _note_what_is_uninitialised(self, found: Mapping[str, Any]) -> None:
        with contextlib.suppress(Exception), repeatable(self.seed), undefined():  # it may refuse NaN
            others = self._gradients(self.parameters, self.inputs)
            if any(_has_nan(x) and not _has_nan(found[name]) for name, x in others.items()):
                self.notes.append(sentences.UNINITIALISED)

    def values(self) -> dict[str, Any]:
        """The inputs and parameters that are checked, by name."""
        return {**self.checked, **{self.names[path]: x for path, x in self.parameters.items()}}

    def modules(self) -> list[ModuleType]:
        """The modules whose code the forward pass runs, so that autodiff can follow it."""
        with repeatable(self.seed):
            made = self._with(self.parameters)
            names = modules_run(lambda: self._run(made, self.inputs))
        return [sys.modules[name] for name in names if name in sys.modules]


def _method(name: str) -> Any:
    """A function of a layer and arguments that calls its method; None without a name."""
    return (lambda made, *arguments: getattr(made, name)(*arguments)) if name else None


def _short(path: str) -> str:
    """The name of a parameter: "W" for "params.W", "param_0" for "params.0", "cell.W" for "cell.params.W"."""
    names, short = path.split("."), list[str]()
    for k, name in enumerate(names):
        if name not in CONTAINERS or k == len(names) - 1:
            short.append(f"param_{name}" if name.isdigit() else name)
    return ".".join(short)


def _has_nan(x: Any) -> bool:
    return any(map(_has_nan, x)) if isinstance(x, list | tuple) else bool(np.any(np.isnan(np.asarray(x, float))))


def _has_gradient(x: Any) -> bool:
    """Whether an input is an array of floats, or a list of them."""
    return all(map(is_differentiable, x)) if isinstance(x, list) and x else is_differentiable(x)


def _has_array(layer: Any, path: str) -> bool:
    try:
        return is_differentiable(get(layer, path))
    except (KeyError, ValueError):
        return False


def _parameters_of(function: Any) -> list[inspect.Parameter]:
    try:
        return list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return []


def _positional(function: Any) -> list[str]:
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return [p.name for p in _parameters_of(function) if p.kind in kinds]


def _names(function: Any) -> set[str]:
    return {p.name for p in _parameters_of(function)}


def _required(function: Any) -> int:
    """How many arguments a function has to be given."""
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return sum(p.kind in kinds and p.default is inspect.Parameter.empty for p in _parameters_of(function))


def _called(function: Any) -> str:
    return str(getattr(function, "__name__", function))


def _described(x: Any) -> str:
    return f"a tuple of {len(x)}" if isinstance(x, tuple) else f"an object of type {type(x).__name__}"
