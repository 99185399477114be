"""Functions and modules of PyTorch: its backward passes, among them those that somebody wrote."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from tinygrad_cnn.check.report.report import Report
from tinygrad_cnn.check.subjects.other_libraries import Function, argument_names, checked, imported
from tinygrad_cnn.check.subjects.weighted import is_differentiable


def torch(
    function: Any,
    inputs: Any,
    *,
    forward: Callable[..., Any] | None = None,
    seed: int = 0,
    **how: Any,
) -> Report:
    """Check the gradient that PyTorch computes of a function or module, at kinks and ties too.

    function: a function of tensors, a `torch.nn.Module`, whose parameters are checked too, or a subclass of
    `torch.autograd.Function` with a backward pass of its own. inputs: a tensor or array, or a tuple of them; gradients
    are checked of those of floats, all in double.

    The loss is the sum of the outputs times random numbers; an output that is a single number counts as it is.
    PyTorch's gradient is compared with finite differences of its own forward pass. A function may also return
    `(outputs, {"h": h})`, a dict of intermediate values.

    forward: the same in NumPy, as a function of the inputs, and then of a dict of the parameters if there are some.
    Then autodiff of this is a witness too, each intermediate value of the same name is a step that is compared, and
    mistakes are explained. seed: of the random numbers, PyTorch's among them. how: what else `tg.check.gradients`
    takes.

    Raises MissingExtraError if PyTorch is not installed.

    >>> import numpy as np, pytest, tinygrad_cnn as tg
    >>> _ = pytest.importorskip("torch")
    >>> import torch
    >>> report = tg.check.torch(torch.relu, np.array([-1.0, 0.0, 2.0]))
    >>> report.ok, report.parameters[0].kinks
    (True, 1)
    """
    made = _Torch(function, inputs, seed)
    return checked(made, forward, seed, how)


class _Torch(Function):
    """A function of PyTorch, of arrays by name."""

    library = "PyTorch"

    def __init__(self, function: Any, inputs: Any, seed: int) -> None:
        torch = imported("torch")

        self.torch, self.seed = torch, seed
        self.module: Any = None
        if isinstance(function, torch.nn.Module):
            self.module = copy.deepcopy(function).double()
            self.function: Any = self.module
            names = argument_names(function.forward)
        elif isinstance(function, type) and issubclass(function, torch.autograd.Function):
            made: Any = function
            self.function, names = made.apply, argument_names(made.forward)[1:]
        else:
            self.function, names = function, argument_names(function)
        self.place(inputs, names)
        if self.module is not None:
            of_module = {name: x.detach().numpy().copy() for name, x in self.module.named_parameters()}
            self.parameters = of_module

    def numbers(self, x: Any) -> Any:
        """An input as an array of doubles; what is not of floats as it is."""
        if isinstance(x, self.torch.Tensor) and x.is_floating_point():
            return x.detach().cpu().double().numpy().copy()
        return np.asarray(x, float) if is_differentiable(x) and not isinstance(x, self.torch.Tensor) else x

    def outputs(self, p: Mapping[str, Any], differentiate: bool = False) -> tuple[list[Any], dict[str, Any], Any]:
        """The outputs, the intermediate values, and the leaves to differentiate with respect to."""
        torch = self.torch
        leaves = {name: torch.tensor(np.asarray(x, float), requires_grad=differentiate) for name, x in p.items()}
        inputs = [leaves.get(name, self._other(x)) for name, x in self.inputs.items()]
        with torch.random.fork_rng(devices=[]), torch.set_grad_enabled(differentiate):
            torch.manual_seed(self.seed)
            if self.module is None:
                result = self.function(*inputs)
            else:
                own = {name: leaves[name] for name in self.parameters}
                buffers = {name: x.clone() for name, x in self.module.named_buffers()}
                result = torch.func.functional_call(self.module, {**own, **buffers}, tuple(inputs))
        outputs, values = self.apart(result)
        return outputs, values, leaves

    def _other(self, x: Any) -> Any:
        return self.torch.as_tensor(x) if isinstance(x, np.ndarray) else x

    def array(self, x: Any) -> Any:
        """A tensor as an array."""
        return x.detach().numpy()

    def gradients(self, p: Mapping[str, Any], weights: list[Any]) -> tuple[dict[str, Any], dict[str, Any], float]:
        """The gradients, those of intermediate values by name, and the loss."""
        outputs, values, leaves = self.outputs(p, differentiate=True)
        loss = sum((x * self.torch.tensor(w)).sum() for x, w in zip(outputs, weights, strict=True))
        wanted = {**leaves, **{name: x for name, x in values.items() if x.requires_grad}}
        if not getattr(loss, "requires_grad", False):
            return {name: np.zeros_like(x) for name, x in p.items()}, {}, float(loss.detach())
        found = self.torch.autograd.grad(loss, list(wanted.values()), allow_unused=True)
        arrays = {
            name: np.zeros(tuple(x.shape)) if g is None else g.numpy().copy()
            for (name, x), g in zip(wanted.items(), found, strict=True)
        }
        return (
            {name: arrays[name] for name in p},
            {name: arrays[name] for name in values if name in arrays},
            float(loss.detach()),
        )
