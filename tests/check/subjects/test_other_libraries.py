"""Functions of PyTorch and JAX, and public reports of gradient checkers that were wrong at kinks and ties."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest

import tinygrad_cnn as tg
from tinygrad_cnn.extras import MissingExtraError

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
torch.set_num_threads(1)
rng = np.random.default_rng(0)


class Cube(torch.autograd.Function):
    """x ** 3, with a factor of its derivative that may be wrong."""

    factor = 3.0

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        (x,) = ctx.saved_tensors
        return g * Cube.factor * x**2


@pytest.mark.parametrize(("factor", "right"), [(3.0, True), (2.0, False)])
@pytest.mark.parametrize("forward", [None, lambda x: x**3], ids=["alone", "in NumPy too"])
def test_a_function_with_a_backward_pass_of_its_own(
    factor: float, right: bool, forward: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Cube, "factor", factor)
    report = tg.check.torch(Cube, rng.standard_normal((2, 3)), forward=forward)
    assert report.ok == right
    assert [p.name for p in report.parameters] == ["x"]
    assert (report.parameters[0].autodiff is None) == (forward is None)
    assert right or "2/3" in str(report)


def test_a_module_is_checked_with_its_parameters_and_left_as_it_is() -> None:
    module = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.Tanh(), torch.nn.Dropout(0.5))
    before = {name: x.clone() for name, x in module.state_dict().items()}
    report = tg.check.torch(module, torch.randn(4, 3))
    assert report.ok
    assert [p.name for p in report.parameters] == ["input", "['0.weight']", "['0.bias']"]
    assert all(x.dtype == torch.float32 and torch.equal(x, before[name]) for name, x in module.state_dict().items())


def test_a_loss_of_scores_and_labels() -> None:
    scores, labels = rng.standard_normal((4, 3)), np.array([0, 2, 1, 1])

    def in_numpy(scores: Any, labels: Any) -> Any:
        shifted = scores - np.max(scores, axis=1, keepdims=True)
        return np.mean(np.log(np.sum(np.exp(shifted), axis=1)) - shifted[np.arange(4), labels])

    for forward in (None, in_numpy):
        report = tg.check.torch(torch.nn.functional.cross_entropy, (scores, labels), forward=forward)
        assert report.ok
        assert [p.name for p in report.parameters] == ["input"]


def test_intermediate_values_are_steps() -> None:
    class Wrong(torch.autograd.Function):
        """tanh, whose derivative is taken to be 1 - h."""

        @staticmethod
        def forward(ctx: Any, z: Any) -> Any:
            h = torch.tanh(z)
            ctx.save_for_backward(h)
            return h

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            (h,) = ctx.saved_tensors
            return g * (1 - h)

    def model(x: Any, W: Any) -> Any:
        z = x @ W
        h = Wrong.apply(z)
        return (h**2).sum(), {"z": z, "h": h}

    def in_numpy(x: Any, W: Any) -> Any:
        z = x @ W
        h = np.tanh(z)
        return np.sum(h**2)

    report = tg.check.torch(model, (rng.standard_normal((4, 3)), rng.standard_normal((3, 2))), forward=in_numpy)
    assert report.first_wrong is not None
    assert report.first_wrong.name == "dL_dz"
    assert [step.name for step in report.steps if step.wrong] == ["dL_dz"]


# Public reports of checkers that raised an alarm where a convention was right. Facts re-created.


def windows_of(x: Any) -> Any:
    """The 2 by 2 windows of a 4 by 4 image."""
    return x.reshape(2, 2, 2, 2).permute(0, 2, 1, 3).reshape(4, 4)


def max_pool1d(input: Any) -> Any:
    pooled, _ = torch.nn.functional.max_pool1d(
        input.unsqueeze(0), 2, stride=2, padding=1, return_indices=True, ceil_mode=True
    )
    return pooled


def pooled_and_unpooled(x: Any) -> Any:
    pooled, indices = torch.nn.functional.max_pool3d(x, 2, return_indices=True)
    return torch.nn.functional.max_unpool3d(pooled, indices, 2, output_size=x.shape[-3:])


TIED = np.ones((1, 1, 2, 2, 2))
TIED[..., 0, 0, 0] = 0.5
PUBLIC: dict[str, tuple[Any, Any]] = {
    "kornia 1396: four elements of a window tie": (lambda x: windows_of(x).amax(1), np.ones((4, 4))),
    "pytorch 114234: relu at 0": (torch.nn.functional.relu, np.zeros((2, 3))),
    "pytorch 114233: max of equal elements": (lambda x: torch.max(x, 0)[0], np.zeros((3, 1))),
    "pytorch 114219: max_pool1d of [1, 1, 1, 8]": (max_pool1d, np.array([1.0, 1.0, 1.0, 8.0])),
    "caffe 688: the elementwise maximum of values nearer than the step": (
        torch.maximum, (np.array([0.3, 1.0, 2.0]), np.array([0.3 + 1e-5, 1.0, 2.5])),
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", PUBLIC)
def test_conventions_at_kinks_and_ties_are_right(case: str) -> None:
    function, inputs = PUBLIC[case]
    report = tg.check.torch(function, inputs)
    assert report.ok, str(report)
    assert sum(p.kinks for p in report.parameters) > 0


@pytest.mark.parametrize("case", PUBLIC)
def test_which_pytorch_cannot_see(case: str) -> None:
    function, inputs = PUBLIC[case]
    given = inputs if isinstance(inputs, tuple) else (inputs,)
    tensors = [torch.tensor(x, requires_grad=True) for x in given]
    assert not torch.autograd.gradcheck(function, tensors, eps=1e-3 if "step" in case else 1e-6, raise_exception=False)


def test_at_elements_where_the_function_jumps_nothing_is_concluded_pytorch_67658() -> None:
    """Where elements tie, unpooling puts the maximum elsewhere as soon as one of them grows: the function jumps.

    PyTorch's checker raises an alarm, and the thread concludes that the backward pass is right.
    """
    assert not torch.autograd.gradcheck(
        pooled_and_unpooled, torch.tensor(TIED, requires_grad=True), raise_exception=False
    )
    (found,) = tg.check.torch(pooled_and_unpooled, TIED).parameters
    assert found.hand_derived_vs_differences.verdict == "agree"
    assert "7 of 8 slopes are inconclusive: the loss jumps there" in found.hand_derived_vs_differences.note
    apart = tg.check.torch(pooled_and_unpooled, TIED + rng.random(TIED.shape)).parameters[0]
    assert apart.hand_derived_vs_differences.note == ""


class InFull(torch.autograd.Function):
    """A maximum that gives each tied element the whole cotangent: no convention, but a mistake."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.save_for_backward(x)
        return x.max()

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        (x,) = ctx.saved_tensors
        return g * (x == x.max())


def test_ties_in_full_are_wrong_though_each_is_within_bounds() -> None:
    assert tg.check.torch(InFull, np.array([1.0, 2.0, 0.5])).ok
    report = tg.check.torch(InFull, np.array([2.0, 2.0, 0.5]))
    assert not report.ok
    assert "together they are no slope of the loss" in " ".join(str(report).split())


# JAX.


def test_jax_functions() -> None:
    jax = pytest.importorskip("jax", reason="JAX is not installed")
    jnp = jax.numpy

    @jax.custom_vjp
    def softplus(x: Any) -> Any:
        return jnp.log1p(jnp.exp(x))

    softplus.defvjp(lambda x: (softplus(x), x), lambda x, g: (g / (1 + jnp.exp(-x)),))
    x = rng.standard_normal((2, 3))
    before = jax.config.jax_enable_x64
    assert tg.check.jax(softplus, x).ok
    assert jax.config.jax_enable_x64 == before
    softplus.defvjp(lambda x: (softplus(x), x), lambda x, g: (g / (1 + jnp.exp(x)),))
    assert not tg.check.jax(softplus, x).ok
    report = tg.check.jax(softplus, x, forward=lambda x: np.log1p(np.exp(x)))
    assert report.parameters[0].hand_derived_vs_autodiff.verdict == "differ"
    assert tg.check.jax(lambda x: jnp.max(x), np.array([1.0, 1.0, 0.0])).ok
    two = tg.check.jax(lambda x, n: (jnp.sin(x) * n, jnp.sum(x)), (x, 3))
    assert [p.name for p in two.parameters] == ["x"]
    assert two.ok


@pytest.mark.parametrize("library", ["torch", "jax"])
def test_a_library_that_is_not_installed_is_named(library: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(MissingExtraError, match=f"check.{library} needs {library}, which is not installed. Run pip"):
        getattr(tg.check, library)(np.sin, np.ones(3))


@pytest.mark.parametrize(
    ("inputs", "function", "message"),
    [
        (np.array([1, 2]), torch.abs, "the function of PyTorch has no input of floats to check the gradient of"),
        (np.ones(2), lambda x: "text", "the function of PyTorch returned a str; expected an array of floats"),
    ],
)
def test_bad_input_is_named(inputs: Any, function: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        tg.check.torch(function, inputs)
