"""The same functions in other people's systems: HIPS autograd, JAX and PyTorch, where they are installed.

A function of the tables is written with `np`; with another module under that name, it is another system's function.
"""

from __future__ import annotations

import types
import warnings

import numpy as np
import pytest
from all_cases import CASES
from cases import Case

import tinygrad_cnn as tg


def with_numpy(function, module):
    """`function`, with `module` where it says np; None where it does not say np, or the module lacks the function."""
    if isinstance(function, types.FunctionType):
        if "tg" in function.__code__.co_names or function.__closure__:
            return None
        return types.FunctionType(function.__code__, {**function.__globals__, "np": module})
    for space in ("", "linalg", "fft"):
        ours = getattr(np, space) if space else np
        theirs = getattr(module, space, None) if space else module
        name = getattr(function, "__name__", "")
        if getattr(ours, name, None) is function:
            return getattr(theirs, name, None)
    return None


def gradients(grad, function, operands, cotangent):
    def total(*xs):
        return (cotangent * function(*xs)).sum()

    return [grad(total, i)(*operands) for i in range(len(operands))]


def agrees(case: Case, module, grad, refuses: tuple[type[BaseException], ...]) -> bool | None:
    """Whether the gradients are those of the other system; None where it has not got the function."""
    function = with_numpy(case.function, module)
    operands = case.operands()
    if function is None or any(x.size == 0 for x in operands):
        return None
    value = np.asarray(case.function(*operands))
    cotangent = np.random.default_rng(5).standard_normal(value.shape)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            theirs = gradients(grad, function, operands, cotangent)
        except refuses:
            return None
    ours = gradients(lambda f, i: tg.grad(f, i), case.function, operands, cotangent)
    return all(
        found.shape == np.shape(expected) and np.allclose(found, expected, rtol=1e-8, atol=1e-9)
        for found, expected in zip(ours, theirs, strict=True)
    )


def compare(module, grad, refuses, faults: dict[str, str], least: int) -> None:
    found = {case.name: agrees(case, module, grad, refuses) for case in CASES}
    refused = {name for name, same in found.items() if same is None}  # that depends on the version of NumPy
    assert {name for name, same in found.items() if same is False} == set(faults) - refused
    assert sum(same is not None for same in found.values()) >= least


def test_hips_autograd_gives_the_same_gradients() -> None:
    autograd = pytest.importorskip("autograd")
    import autograd.numpy as anp

    # Its own errors for what it cannot do are of many kinds, and come from deep within.
    refuses = (NotImplementedError, TypeError, ValueError, AttributeError, KeyError, IndexError, AssertionError)
    # Where it differs, its rule is at fault: ours is what differences give, and JAX.
    faults = {
        "transpose by axes": "negative axes",
        "cross": "broadcasting",
        "einsum, axes of length 1": "broadcasting",
        "solve, matrix and stack": "broadcasting",
        "cholesky of what is not symmetric": "not the triangle that is read",
        "norm of vectors": "keepdims",
        "np.sum, where": "where= is ignored",
        "np.sum, where and initial": "where= is ignored",
        "np.prod, where": "where= is ignored",
        "np.prod, where and initial": "where= is ignored",
        "np.mean, where": "where= is ignored",
        "np.min, initial": "initial= is ignored",
        "np.var, where": "where= is ignored",
        "np.std, correction": "correction= is ignored",
        "np.var, mean": "mean= is ignored",
        "np.split at places that go back": "empty parts",
        "np.diag of a matrix": "what is no square",
        "np.sinc near 0 of one number": "digits lost near 0",
        "np.linspace of none": "broadcasting",
        "full_like": "what it is filled with is a constant there",
    }
    compare(anp, autograd.grad, refuses, faults, least=300)


@pytest.mark.peers
def test_jax_gives_the_same_gradients() -> None:
    jax = pytest.importorskip("jax")
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    refuses = (NotImplementedError, TypeError, ValueError, AttributeError, KeyError, IndexError)
    # Its sets are cut off from what they are of: a gradient of zeros, without a word.
    sets = ["unique", "unique and more", "unique_values", "unique_all", "unique_counts", "unique_inverse"]
    faults = {f"np.{name}": "zero" for name in [*sets, "union1d", "intersect1d", "setdiff1d", "setxor1d"]}
    # It takes (a + a.T) / 2, where NumPy reads one triangle.
    faults |= dict.fromkeys(
        (
            "cholesky of what is not symmetric",
            "cholesky, upper, not symmetric",
            "eigvalsh of what is not symmetric",
            "eigh, upper, not symmetric",
        ),
        "another value",
    )
    compare(jnp, jax.grad, refuses, faults, least=450)


@pytest.mark.peers
def test_pytorch_gives_the_same_gradients() -> None:
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    x, y, A = rng.uniform(0.5, 1.5, (3, 4)), rng.uniform(0.5, 1.5, (3, 4)), rng.standard_normal((3, 3)) + 3 * np.eye(3)
    images, filters = rng.standard_normal((2, 3, 8, 8)), rng.standard_normal((4, 3, 3, 3))
    pairs = [
        (lambda x, y: np.sum(x**y), lambda x, y: torch.sum(x**y), (x, y)),
        (lambda x, y: np.sum(np.hypot(x, y)), lambda x, y: torch.hypot(x, y).sum(), (x, y)),
        (lambda x: np.sum(np.std(x, axis=1, ddof=1)), lambda x: x.std(1).sum(), (x,)),
        (lambda x: np.sum(np.cumprod(x, 1)), lambda x: torch.cumprod(x, 1).sum(), (x,)),
        (lambda x: np.prod(x), lambda x: torch.prod(x), (x,)),
        (lambda x: np.median(x[:, :3]), lambda x: torch.median(x[:, :3].reshape(-1)), (x,)),
        (lambda x: np.sum(np.sort(x, 1)[:, 1] ** 2), lambda x: (torch.sort(x, 1)[0][:, 1] ** 2).sum(), (x,)),
        (lambda A: np.linalg.det(A), torch.det, (A,)),
        (lambda A: np.linalg.slogdet(A)[1], lambda A: torch.slogdet(A)[1], (A,)),
        (lambda A: np.sum(np.linalg.inv(A) ** 2), lambda A: (torch.linalg.inv(A) ** 2).sum(), (A,)),
        (
            lambda A: np.sum(np.linalg.cholesky(A @ A.T) ** 3),
            lambda A: (torch.linalg.cholesky(A @ A.T) ** 3).sum(),
            (A,),
        ),
        (lambda A: np.sum(np.linalg.svdvals(A) ** 3), lambda A: (torch.linalg.svdvals(A) ** 3).sum(), (A,)),
        (
            lambda x, W: np.sum(tg.conv2d(x, W, stride=2, padding=1) ** 2),
            lambda x, W: (torch.conv2d(x, W, stride=2, padding=1) ** 2).sum(),
            (images, filters),
        ),
        (
            lambda x: np.sum(tg.max_pool2d(x, 3, 2) ** 2),
            lambda x: (torch.max_pool2d(x, 3, 2) ** 2).sum(),
            (images,),
        ),
        (
            lambda x: np.sum(np.abs(np.fft.rfft(x)) ** 3),
            lambda x: (torch.abs(torch.fft.rfft(x)) ** 3).sum(),
            (x,),
        ),
    ]
    for ours, theirs, operands in pairs:
        tensors = [torch.tensor(x, requires_grad=True) for x in operands]
        theirs(*tensors).backward()
        for i, tensor in enumerate(tensors):
            np.testing.assert_allclose(tg.grad(ours, i)(*operands), tensor.grad.numpy(), rtol=1e-9, atol=1e-10)
