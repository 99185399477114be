"""Laws of layers, for sizes and options of any kind."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_cnn as tg
from tinygrad_cnn import nn

two = lambda low, high: st.tuples(st.integers(low, high), st.integers(low, high))
options = st.fixed_dictionaries(
    {"stride": two(1, 3), "padding": two(0, 2), "dilation": two(1, 2), "groups": st.integers(1, 3)}
)


def convolution(window: Any, more: dict[str, Any], per_group: tuple[int, int], size: tuple[int, int]) -> Any:
    """A layer with a random bias, and images for it."""
    rng = np.random.default_rng(0)
    channels, filters = (n * more["groups"] for n in per_group)
    x = rng.standard_normal((2, channels, *size))
    layer = nn.Conv2d(None, filters, window, **more).init(rng, x)
    return tg.tree.map(lambda p: p + rng.standard_normal(p.shape), layer), x


@given(two(1, 3), options, two(1, 2), two(5, 8))
def test_a_convolution_in_groups_is_one_of_each_group(window, more, per_group, size) -> None:
    layer, x = convolution(window, more, per_group, size)
    groups = more["groups"]
    parts = [
        nn.conv2d(*part, more["stride"], more["padding"], more["dilation"])
        for part in zip(
            np.split(x, groups, 1), np.split(layer.weight, groups), np.split(layer.bias, groups), strict=True
        )
    ]
    np.testing.assert_allclose(layer(x), np.concatenate(parts, 1), rtol=1e-10, atol=1e-12)


@given(two(1, 3), options, two(1, 2), two(5, 8))
def test_a_transposed_convolution_is_the_transpose(window, more, per_group, size) -> None:
    """<conv(x), y> is <x, transposed(y)>, where the sizes leave over what output_padding adds."""
    layer, x = convolution(window, more, per_group, size)
    out = nn.conv2d(x, layer.weight, **{name: more[name] for name in more})
    y = np.random.default_rng(1).standard_normal(out.shape)
    axes = zip(size, window, more["stride"], more["padding"], more["dilation"], strict=True)
    over = tuple((n + 2 * p - d * (k - 1) - 1) % s for n, k, s, p, d in axes)
    back = nn.ConvTranspose2d(None, x.shape[1], window, use_bias=False, output_padding=over, **more)
    back = back.init(np.random.default_rng(0), y)
    assert back.weight.shape == layer.weight.shape
    transposed = nn.conv_transpose2d(y, layer.weight, output_padding=over, **more)
    assert transposed.shape == x.shape == back(y).shape
    np.testing.assert_allclose(np.sum(out * y), np.sum(x * transposed), rtol=1e-9, atol=1e-9)


@given(two(1, 3), options, two(1, 2), two(5, 8), st.integers(0, 2**32))
def test_a_table_has_the_shapes_that_results_have_and_init_follows_from_the_seed(window, more, per, size, seed) -> None:
    channels, filters = (n * more["groups"] for n in per)
    x = np.random.default_rng(0).standard_normal((2, channels, *size))
    conv = nn.Conv2d(None, filters, window, **more)
    model = nn.Sequential(conv, nn.LayerNorm(), nn.relu, nn.AvgPool2d(1), nn.Flatten(), nn.Linear(None, 3))
    one, other = (model.init(np.random.default_rng(seed), x) for _ in range(2))
    shown = str(one).splitlines()[3:-2]
    for layer, line in zip(one.layers, shown, strict=True):
        x = layer(x)
        assert f"  {x.shape}" in line
    for a, b in zip(tg.tree.flatten(one).leaves, tg.tree.flatten(other).leaves, strict=True):
        np.testing.assert_array_equal(a, b)


@given(st.integers(1, 4), st.integers(1, 3), st.booleans())
def test_attention_does_not_depend_on_the_order_unless_it_is_causal(heads, width, causal) -> None:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((2, 5, heads * width))
    layer = nn.MultiHeadAttention(heads, causal=causal).init(rng, x)
    order = np.array([3, 0, 4, 1, 2])
    if causal:  # what comes later changes nothing
        changed = x.copy()
        changed[:, 3:] += 1
        np.testing.assert_array_equal(layer(changed)[:, :3], layer(x)[:, :3])
    else:
        np.testing.assert_allclose(layer(x[:, order]), layer(x)[:, order], rtol=1e-9, atol=1e-12)


@given(st.integers(1, 3), two(1, 4))
def test_layers_take_any_axes_before_their_own(extra, sizes) -> None:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((*[2] * extra, *sizes, 4))
    for layer in (nn.Linear(None, 3), nn.LayerNorm(), nn.RMSNorm(), nn.GRU(None, 2), nn.MultiHeadAttention(2)):
        made = layer.init(rng, x)
        for place in np.ndindex(*x.shape[:-2]):
            np.testing.assert_allclose(made(x)[place], made(x[place]), rtol=1e-9, atol=1e-12)
