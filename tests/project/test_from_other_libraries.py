"""docs/from_other_libraries.md: the same model in each library gives the same, and what is said to differ does."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from paths import ROOT

import tinygrad_cnn as tg
from tinygrad_cnn import nn

PAGE = (ROOT / "docs" / "from_other_libraries.md").read_text(encoding="utf-8")
CODE = re.findall(r"^```python ?(\w*)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def blocks(library: str) -> list[str]:
    """What a reader runs: the data, and then the three blocks of a library."""
    return [code for name, code in CODE if name in ("", library)]


def run(space: dict[str, Any], *sources: str) -> dict[str, Any]:
    for source in sources:
        exec(source, space)
    return space


def ours() -> dict[str, Any]:
    space = run({}, *blocks("tinygrad_cnn")[:2])
    return run(space | {"first": space["model"]}, *blocks("tinygrad_cnn")[2:])


def leaves(tree: Any) -> list[Any]:
    return tg.tree.flatten(tree).leaves


def agree(found: Any, expected: Any) -> None:
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(np.asarray(one), np.asarray(other), rtol=1e-10, atol=1e-10)


def test_the_code_of_keras_is_there_and_is_python() -> None:
    sources = [code for name, code in CODE if name == "keras"]
    assert len(sources) == 3
    for source in sources:
        compile(source, "docs/from_other_libraries.md", "exec")


def test_our_step_is_the_one_that_the_gradient_gives() -> None:
    space = ours()
    stepped = [p - 0.1 * g for p, g in zip(leaves(space["first"]), leaves(space["gradient"]), strict=True)]
    agree(leaves(space["model"]), stepped)


@pytest.mark.peers
def test_pytorch_gives_the_same_loss_gradient_and_weights_and_ours_takes_them_over() -> None:
    torch = pytest.importorskip("torch")
    expected = ours()
    data, model, loss, step = blocks("pytorch")
    space = run({}, data, model)
    for theirs, weight in zip(space["network"].parameters(), leaves(expected["first"]), strict=True):
        theirs.data = torch.tensor(weight)
    run(space, loss)
    before = space["value"].item()
    agree([g.numpy() for g in space["gradient"]], leaves(expected["gradient"]))
    run(space, step)
    agree([before, space["value"]], [expected["loss"](expected["first"], expected["x"], expected["y"])] * 2)
    agree([p.detach() for p in space["network"].parameters()], leaves(expected["model"]))
    run(space, *blocks("tinygrad_cnn")[1:2], *[code for name, code in CODE if name == "weights"])
    logits = space["network"](torch.tensor(space["x"])).detach()
    np.testing.assert_allclose(space["model"](space["x"]), logits, rtol=0, atol=1e-10)


@pytest.mark.peers
def test_jax_gives_the_same_loss_gradient_and_weights() -> None:
    pytest.importorskip("jax")
    expected = ours()
    p = dict(zip(("W1", "b1", "W2", "b2"), leaves(expected["first"]), strict=True))
    space = run({"p": p}, *blocks("jax"))
    agree([space["value"]], [expected["loss"](expected["first"], expected["x"], expected["y"])])
    for found, tree in ((space["gradient"], expected["gradient"]), (space["p"], expected["model"])):
        agree([found[name] for name in p], leaves(tree))


@pytest.mark.parametrize(
    "library", ["tinygrad_cnn", *(pytest.param(name, marks=pytest.mark.peers) for name in ("torch", "jax"))]
)
def test_the_names_in_the_tables_exist(library: str) -> None:
    module = pytest.importorskip(library)
    prefix = {"tinygrad_cnn": r"tg\.|(?=(?:nn|train)\.)"}.get(library, rf"{library}\.")
    tables = "\n".join(line for line in PAGE.splitlines() if line.startswith("|"))
    names = set(re.findall(rf"(?<![\w.])(?:{prefix})([A-Za-z_]\w*(?:\.\w+)*)", tables))
    assert len(names) >= 8
    for name in names:
        found, path = module, library
        for part in name.split("."):
            path += f".{part}"
            found = getattr(found, part, None) or importlib.import_module(path)


# What behaves differently: what is said of each library, in the order of the table.

Gradient = Callable[[Any, Any], Any]  # of a function of one array, at an array


def of_torch(function: Callable[[Any], Any], x: Any) -> Any:
    import torch

    t = torch.tensor(x, requires_grad=True)
    function(t).backward()
    return t.grad.numpy()


def of_jax(function: Callable[[Any], Any], x: Any) -> Any:
    import jax

    jax.config.update("jax_enable_x64", True)
    return np.asarray(jax.grad(function)(x))


def pooled_by_jax(x: Any) -> Any:
    import jax

    window = (1, 1, 2, 2)
    return jax.lax.reduce_window(x, -np.inf, jax.lax.max, window, window, "VALID").sum()


TIED, WINDOW = np.ones(2), np.ones((1, 1, 2, 2))
GRADIENTS = {  # a point; then of each library a function, and its gradient there
    "ties in max_pool2d": (
        WINDOW,
        (lambda x: np.sum(nn.max_pool2d(x, 2)), [0.25, 0.25, 0.25, 0.25]),
        (lambda t: lambda x: t.nn.functional.max_pool2d(x, 2).sum(), [1, 0, 0, 0]),
        (lambda j: pooled_by_jax, [1, 0, 0, 0]),
    ),
    "ties in max": (
        TIED, (np.max, [0.5, 0.5]), (lambda t: t.max, [0.5, 0.5]), (lambda j: j.numpy.max, [0.5, 0.5]),
    ),
    "ties in max along an axis": (
        TIED,
        (lambda x: np.max(x, axis=0), [0.5, 0.5]),
        (lambda t: lambda x: x.max(dim=0).values, [1, 0]),
        (lambda j: lambda x: x.max(axis=0), [0.5, 0.5]),
    ),
    "maximum(x, 0)": (
        0.0,
        (lambda x: np.maximum(x, 0), 0.5),
        (lambda t: lambda x: t.maximum(x, t.tensor(0.0)), 0.5),
        (lambda j: lambda x: j.numpy.maximum(x, 0), 0.5),
    ),
    "relu": (0.0, (nn.relu, 0), (lambda t: t.relu, 0), (lambda j: j.nn.relu, 0)),
    "abs": (0.0, (np.abs, 0), (lambda t: t.abs, 0), (lambda j: j.numpy.abs, 1)),
    "where(x > 0, sqrt(x), 0)": (
        0.0,
        (lambda x: np.where(x > 0, np.sqrt(x), 0), 0),
        (lambda t: lambda x: t.where(x > 0, t.sqrt(x), 0.0), np.nan),
        (lambda j: lambda x: j.numpy.where(x > 0, j.numpy.sqrt(x), 0.0), np.nan),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", GRADIENTS)
def test_our_gradient_at_a_tie_or_kink_is_the_one_of_the_table(name: str) -> None:
    point, (function, expected), *_ = GRADIENTS[name]
    assert np.array_equal(np.ravel(tg.grad(function)(point)), np.ravel(expected))


@pytest.mark.peers
@pytest.mark.parametrize("name", GRADIENTS)
@pytest.mark.parametrize("library", ["torch", "jax"])
def test_their_gradient_at_a_tie_or_kink_is_the_one_of_the_table(name: str, library: str) -> None:
    module = pytest.importorskip(library)
    point, _, *theirs = GRADIENTS[name]
    make, expected = theirs[library == "jax"]
    found = {"torch": of_torch, "jax": of_jax}[library](make(module), point)
    assert np.array_equal(np.ravel(found), np.ravel(expected), equal_nan=True)


def changed(x: Any) -> Any:
    x[0] = 2.0
    return np.sum(x)


def test_what_is_said_of_our_arrays_and_graphs_holds() -> None:
    x = np.ones(3)
    assert np.array_equal(tg.grad(changed)(x), [0, 1, 1])
    assert np.array_equal(x, [1, 1, 1])
    t = tg.Tensor(3.0)
    square = t * t
    square.backward()
    square.backward()
    assert t.grad == 6.0
    with pytest.raises(tg.GradientLostError):
        tg.grad(lambda x: np.sum(x) * float(x[0]))(x)
    branching = lambda x: x**2 if x > 0 else x
    assert tg.grad(branching)(2.0) == 4.0
    with pytest.raises(tg.TracingError):
        tg.compile(branching)(2.0)
    assert np.array_equal(tg.grad(lambda p: p["used"] * 1.0)({"used": 1.0, "not": x})["not"], np.zeros(3))
    assert (tg.Tensor(np.ones(2, np.float32)) * np.float64(2)).dtype == np.float64


@pytest.mark.peers
def test_what_is_said_of_pytorchs_holds() -> None:
    torch = pytest.importorskip("torch")
    with pytest.raises(RuntimeError, match="in-place"):
        of_torch(lambda x: x.__setitem__(0, 2.0), np.ones(3))
    t, unused = torch.tensor(3.0, requires_grad=True), torch.ones(3, requires_grad=True)
    square = t * t
    square.backward()
    (t * t).backward()
    assert t.grad == 12.0
    assert unused.grad is None
    with pytest.raises(RuntimeError, match="a second time"):
        square.backward()
    assert (torch.ones(2) * torch.tensor(2.0, dtype=torch.float64)).dtype == torch.float32
    assert torch.std(torch.tensor([1.0, 2.0, 3.0])) == 1.0


@pytest.mark.peers
def test_what_is_said_of_jaxs_holds() -> None:
    jax = pytest.importorskip("jax")
    jax.config.update("jax_enable_x64", True)
    with pytest.raises(TypeError, match="immutable"):
        of_jax(changed, jax.numpy.ones(3))
    with pytest.raises(jax.errors.ConcretizationTypeError):
        of_jax(lambda x: jax.numpy.sum(x) * float(x[0]), np.ones(3))
    with pytest.raises(jax.errors.TracerBoolConversionError):
        jax.jit(lambda x: x**2 if x > 0 else x)(2.0)
    _, pullback = jax.vjp(lambda x: x * x, 3.0)
    assert pullback(1.0) == pullback(1.0)
    assert abs(jax.nn.gelu(1.0) - nn.gelu(np.array(1.0))) > 1e-4
