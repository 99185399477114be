"""Every layer: its value and the gradients of its parameters and its input are those of PyTorch's module."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest

import tinygrad_cnn as tg
from tinygrad_cnn import nn


class Peer(NamedTuple):
    """A layer, the shape of its input, PyTorch's module, and our name for each of its parameters.

    A name may be several, whose arrays are concatenated. output: what of the module's result is ours.
    """

    layer: nn.Layer
    shape: tuple[int, ...]
    theirs: Callable[[Any], Any]
    names: dict[str, str] = {}  # noqa: RUF012
    output: Callable[[Any], Any] = lambda out: out
    call: Callable[[Any, Any], Any] = lambda module, x: module(x)


WEIGHT = {"weight": "weight"}
BOTH = {"weight": "weight", "bias": "bias"}
OVER_TIME = {"weight_ih_l0": "weight_x", "weight_hh_l0": "weight_h", "bias_ih_l0": "bias_x", "bias_hh_l0": "bias_h"}
PROJECTIONS = ("query", "key", "value")
HEADS = {
    "in_proj_weight": " ".join(f"{name}.weight" for name in PROJECTIONS),
    "in_proj_bias": " ".join(f"{name}.bias" for name in PROJECTIONS),
    "out_proj.weight": "output.weight",
    "out_proj.bias": "output.bias",
}

PEERS = {
    "Linear": Peer(nn.Linear(None, 3), (4, 2, 5), lambda t: t.nn.Linear(5, 3), BOTH),
    "Linear, no bias": Peer(nn.Linear(5, 3, use_bias=False), (4, 5), lambda t: t.nn.Linear(5, 3, bias=False), WEIGHT),
    "Conv1d": Peer(
        nn.Conv1d(None, 4, 3, stride=2, padding=2, dilation=2, groups=2),
        (3, 2, 9),
        lambda t: t.nn.Conv1d(2, 4, 3, 2, 2, 2, 2),
        BOTH,
    ),
    "Conv2d": Peer(
        nn.Conv2d(None, 4, 3, padding="same"), (3, 2, 6, 5), lambda t: t.nn.Conv2d(2, 4, 3, padding="same"), BOTH
    ),
    "Conv2d, all options": Peer(
        nn.Conv2d(4, 6, (3, 2), stride=(2, 1), padding=(2, 1), dilation=(1, 2), groups=2),
        (3, 4, 6, 5),
        lambda t: t.nn.Conv2d(4, 6, (3, 2), (2, 1), (2, 1), (1, 2), 2),
        BOTH,
    ),
    "ConvTranspose2d": Peer(
        nn.ConvTranspose2d(None, 4, 3, stride=2, padding=1, output_padding=1, groups=2),
        (2, 6, 4, 3),
        lambda t: t.nn.ConvTranspose2d(6, 4, 3, 2, 1, 1, 2),
        BOTH,
    ),
    "MaxPool2d": Peer(nn.MaxPool2d(3, stride=2, padding=1), (2, 3, 7, 6), lambda t: t.nn.MaxPool2d(3, 2, 1)),
    "AvgPool2d": Peer(nn.AvgPool2d((2, 3)), (2, 3, 7, 6), lambda t: t.nn.AvgPool2d((2, 3))),
    "GlobalAvgPool2d": Peer(
        nn.GlobalAvgPool2d(), (2, 3, 7, 6), lambda t: t.nn.AdaptiveAvgPool2d(1), output=lambda out: out[..., 0, 0]
    ),
    "AdaptiveAvgPool2d": Peer(nn.AdaptiveAvgPool2d((2, 4)), (2, 3, 7, 6), lambda t: t.nn.AdaptiveAvgPool2d((2, 4))),
    "Flatten": Peer(nn.Flatten(), (2, 3, 4), lambda t: t.nn.Flatten()),
    "BatchNorm, vectors": Peer(nn.BatchNorm(), (5, 3), lambda t: t.nn.BatchNorm1d(3), BOTH),
    "BatchNorm, images": Peer(nn.BatchNorm(3, epsilon=0.1), (5, 3, 2, 2), lambda t: t.nn.BatchNorm2d(3, 0.1), BOTH),
    "LayerNorm": Peer(nn.LayerNorm(), (5, 2, 3), lambda t: t.nn.LayerNorm(3), BOTH),
    "RMSNorm": Peer(nn.RMSNorm(), (5, 2, 3), lambda t: t.nn.RMSNorm(3, 1e-6), WEIGHT),
    "GroupNorm": Peer(nn.GroupNorm(2), (5, 4, 3, 2), lambda t: t.nn.GroupNorm(2, 4), BOTH),
    "Dropout": Peer(nn.Dropout(0.3), (4, 5), lambda t: t.nn.Dropout(0.3).eval()),
    "RNN": Peer(nn.RNN(None, 4), (3, 5, 2), lambda t: t.nn.RNN(2, 4, batch_first=True), OVER_TIME, lambda out: out[0]),
    "LSTM": Peer(
        nn.LSTM(None, 4), (3, 5, 2), lambda t: t.nn.LSTM(2, 4, batch_first=True), OVER_TIME, lambda out: out[0]
    ),
    "GRU, last": Peer(
        nn.GRU(None, 4, returns="last"),
        (3, 5, 2),
        lambda t: t.nn.GRU(2, 4, batch_first=True),
        OVER_TIME,
        lambda out: out[1][0],
    ),
    "MultiHeadAttention": Peer(
        nn.MultiHeadAttention(2),
        (3, 5, 4),
        lambda t: t.nn.MultiheadAttention(4, 2, batch_first=True),
        HEADS,
        lambda out: out[0],
        lambda module, x: module(x, x, x),
    ),
    "Residual": Peer(
        nn.Residual(nn.Sequential(nn.Linear(None, 4), np.tanh)),
        (3, 4),
        lambda t: t.nn.Linear(4, 4),
        {"weight": "layer.layers[0].weight", "bias": "layer.layers[0].bias"},
        call=lambda module, x: x + module(x).tanh(),
    ),
}


def made(peer: Peer) -> tuple[Any, np.ndarray, Any]:
    """The layer with random parameters, also where they begin as zeros or ones; an input; and the state."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal(peer.shape)
    layer = peer.layer.init(rng, x)
    layer = tg.tree.map(lambda p: p + 0.3 * rng.standard_normal(p.shape), layer)
    return layer, x, layer.init_state()


def by_name(layer: Any) -> dict[str, Any]:
    flat = tg.tree.flatten(layer)
    return dict(zip(flat.names, flat.leaves, strict=True))


each_layer = pytest.mark.parametrize("name", PEERS)


@pytest.mark.peers
@pytest.mark.filterwarnings("ignore:Using padding=.same. with even kernel lengths")
@each_layer
def test_values_and_gradients_are_those_of_pytorch(name: str) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    peer = PEERS[name]
    layer, x, state = made(peer)
    module = peer.theirs(torch).double()
    parameters, modules = by_name(layer), dict(module.named_parameters())
    assert set(peer.names) == set(modules)
    assert sorted(" ".join(peer.names.values()).split()) == sorted(parameters)
    with torch.no_grad():
        for theirs, ours in peer.names.items():
            modules[theirs].copy_(torch.tensor(np.concatenate([parameters[part] for part in ours.split()])))
    given = torch.tensor(x, requires_grad=True)
    expected = peer.output(peer.call(module, given))
    out, pullback = tg.vjp(lambda layer, x: layer.train(x, state, None)[0] if state else layer(x), layer, x)
    np.testing.assert_allclose(out, expected.detach().numpy(), rtol=1e-10, atol=1e-10)
    cotangent = np.random.default_rng(1).standard_normal(out.shape)
    expected.backward(torch.tensor(cotangent))
    gradient, of_x = pullback(cotangent)
    np.testing.assert_allclose(of_x, given.grad.numpy(), rtol=1e-10, atol=1e-10)
    gradients = by_name(gradient)
    for theirs, ours in peer.names.items():
        found = np.concatenate([gradients[part] for part in ours.split()])
        np.testing.assert_allclose(found, modules[theirs].grad.numpy(), rtol=1e-10, atol=1e-10)


@pytest.mark.peers
def test_running_statistics_and_the_predictions_from_them_are_those_of_pytorch() -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    layer, x, state = made(PEERS["BatchNorm, images"])
    module = torch.nn.BatchNorm2d(3, 0.1).double()
    with torch.no_grad():
        module.weight.copy_(torch.tensor(layer.weight))
        module.bias.copy_(torch.tensor(layer.bias))
    for seed in range(3):
        batch = np.random.default_rng(seed).standard_normal((4, 3, 2, 2)) * seed
        module(torch.tensor(batch))
        _, state = layer.train(batch, state)
    np.testing.assert_allclose(state["mean"], module.running_mean.numpy(), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(state["variance"], module.running_var.numpy(), rtol=1e-12)
    expected = module.eval()(torch.tensor(x)).detach().numpy()
    np.testing.assert_allclose(layer(x, state), expected, rtol=1e-10, atol=1e-12)


@pytest.mark.peers
def test_an_embedding_is_that_of_pytorch() -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    indices = np.array([[3, 0], [3, 1]])
    layer = nn.Embedding(4, 2).init(np.random.default_rng(0), indices)
    theirs = torch.nn.Embedding.from_pretrained(torch.tensor(layer.weight), freeze=False)
    out, pullback = tg.vjp(lambda layer: layer(indices), layer)
    expected = theirs(torch.tensor(indices))
    np.testing.assert_array_equal(out, expected.detach().numpy())
    expected.backward(torch.tensor(np.arange(8.0).reshape(2, 2, 2)))
    np.testing.assert_allclose(pullback(np.arange(8.0).reshape(2, 2, 2))[0].weight, theirs.weight.grad.numpy())


@pytest.mark.parametrize("kind", [nn.RNN, nn.LSTM, nn.GRU])
def test_a_sequence_in_two_parts_goes_on_from_the_state(kind) -> None:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((2, 7, 3))
    layer = kind(None, 4, returns="both").init(rng, x)
    outputs, last = layer(x)
    first, state = layer(x[:, :3])
    second, end = layer(x[:, 3:], state)
    np.testing.assert_allclose(np.concatenate([first, second], 1), outputs, rtol=1e-12)
    for a, b in zip(tg.tree.flatten(end).leaves, tg.tree.flatten(last).leaves, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)


@each_layer
def test_the_cross_check_finds_nothing(name: str) -> None:
    layer, x, state = made(PEERS[name])

    def total(p):
        out = p["layer"].train(p["x"], state, None)[0] if state else p["layer"](p["x"])
        return np.sum(out * np.cos(np.arange(out.size)).reshape(out.shape))

    report = tg.check.gradients(total, {"layer": layer, "x": x})
    assert report.ok, str(report)


@each_layer
def test_compiled_in_training_it_computes_the_same(name: str) -> None:
    layer, x, state = made(PEERS[name])

    def total(layer, state, x, rng):
        out, state = layer.train(x, state, rng)
        return np.sum(np.sin(out)), state

    step = tg.value_and_grad(total, has_aux=True)
    (value, state), gradient = tg.compile(step)(layer, state, x, np.random.default_rng(0))
    (expected, kept), wanted = step(layer, made(PEERS[name])[2], x, np.random.default_rng(0))
    np.testing.assert_allclose(value, expected, rtol=1e-12)
    for found, other in ((gradient, wanted), (state, kept)):
        assert tg.tree.structure(found) == tg.tree.structure(other)
        for a, b in zip(tg.tree.flatten(found).leaves, tg.tree.flatten(other).leaves, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-11)


@each_layer
def test_float32_stays_float32(name: str) -> None:
    peer = PEERS[name]
    x = np.random.default_rng(0).standard_normal(peer.shape).astype(np.float32)
    layer = peer.layer.init(np.random.default_rng(0), x)
    assert {leaf.dtype for leaf in tg.tree.flatten((layer, layer.init_state())).leaves} <= {np.dtype(np.float32)}
    out, state = layer.train(x, layer.init_state(), np.random.default_rng(0))
    assert {leaf.dtype for leaf in tg.tree.flatten((out, state)).leaves} == {np.dtype(np.float32)}
