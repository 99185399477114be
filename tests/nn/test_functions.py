"""The functions of `tg.nn`: compared with PyTorch, compiled, and checked by the cross-check."""

from __future__ import annotations

import inspect
import json
import re
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from cases_nn import PEERS, Peer, nn
from pages import blocks
from paths import ROOT

import tinygrad_cnn as tg

each_peer = pytest.mark.parametrize("peer", PEERS, ids=[peer.case.name.replace(" ", "-") for peer in PEERS])


def weighted(function):
    """A sum with other weights for each element, so that all of them have a share in the gradient."""

    def total(*operands):
        out = function(*operands)
        return np.sum(out * np.cos(np.arange(out.size)).reshape(out.shape))

    return total


@pytest.mark.peers
@pytest.mark.filterwarnings("ignore:Using padding=.same. with even kernel lengths")
@each_peer
def test_its_value_and_gradients_are_those_of_pytorch(peer: Peer) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    operands = peer.case.operands()
    given = [torch.tensor(x, requires_grad=True) for x in operands]
    expected = peer.theirs(torch, *given)
    out, pullback = tg.vjp(peer.case.function, *operands)
    np.testing.assert_allclose(out, expected.detach().numpy(), rtol=1e-10, atol=1e-10)
    cotangent = np.random.default_rng(0).standard_normal(out.shape)
    wanted = torch.autograd.grad(expected, given, torch.tensor(cotangent))
    for found, gradient in zip(pullback(cotangent), wanted, strict=True):
        np.testing.assert_allclose(found, gradient.numpy(), rtol=1e-10, atol=1e-10)


@each_peer
def test_the_value_of_float32_is_float32(peer: Peer) -> None:
    assert peer.case.function(*peer.case.operands(np.float32)).dtype == np.float32


@each_peer
def test_compiled_it_computes_the_same(peer: Peer) -> None:
    step = tg.value_and_grad(weighted(peer.case.function), argnums=tuple(range(len(peer.case.shapes))))
    compiled = tg.compile(step)
    compiled(*peer.case.operands())
    operands = peer.case.operands(seed=1)  # other than those with which it was traced
    (value, gradients), (expected, wanted) = compiled(*operands), step(*operands)
    np.testing.assert_allclose(value, expected, rtol=1e-12, atol=1e-12)
    for found, gradient in zip(gradients, wanted, strict=True):
        np.testing.assert_allclose(found, gradient, rtol=1e-11, atol=1e-11)


@each_peer
def test_the_cross_check_finds_nothing(peer: Peer) -> None:
    report = tg.check.gradients(lambda p: weighted(peer.case.function)(*p), peer.case.operands())
    assert report.ok, str(report)


PUBLIC = sorted(nn.__all__)
PAGE = (ROOT / "docs" / "nn.md").read_text(encoding="utf-8")


def test_the_page_names_every_function_and_its_program_runs() -> None:
    rows = "".join(line for line in PAGE.splitlines() if line.startswith("|"))
    assert set(PUBLIC) <= set(re.findall(r"`(\w+)`", rows))
    space: dict[str, Any] = {}
    exec("\n".join(blocks("docs/nn.md")), space)
    assert np.isfinite(space["value"])
    assert space["state"]["steps"] == 3


def test_gelu_is_the_same_without_scipy_down_to_its_tail() -> None:
    """SciPy's error function is taken only where SciPy is in use."""
    x = np.linspace(-6, 6, 201)
    script = (
        "import sys, numpy as np, tinygrad_cnn as tg; x = np.linspace(-6, 6, 201); out = tg.nn.gelu(x); "
        "assert 'scipy.special' not in sys.modules; assert tg.nn.gelu(x.astype('f')).dtype == 'f'; print(out.tolist())"
    )
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    special = pytest.importorskip("scipy.special", reason="SciPy is not installed")
    np.testing.assert_allclose(json.loads(found), x * special.ndtr(x), rtol=1e-13)


@pytest.mark.parametrize("name", PUBLIC)
def test_a_public_name_has_a_docstring_with_an_example(name: str) -> None:
    assert ">>> " in (inspect.getdoc(getattr(nn, name)) or "")
