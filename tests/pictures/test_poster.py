"""The poster: one card for each layer, in the colour of what it is, with its parameters and what flows back."""

from __future__ import annotations

import gc
import itertools
import linecache
import re
import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from picture_models import attention, batch_norm_mlp, two_convolutions
from render_graphs import circle_square

import tinygrad_cnn as tg
from tinygrad_cnn import nn, origins, tree
from tinygrad_cnn.declarations import KINDS
from tinygrad_cnn.pictures.view.poster import Card, poster_of
from tinygrad_cnn.pictures.write.colours import DARK, LIGHT
from tinygrad_cnn.pictures.write.geometry import places

ROOT = Path(__file__).parents[2]


def tour_as_printed() -> Any:
    """The loss that the code of docs/tour.md draws: that of its section on models, and of the one on pictures."""
    text = (ROOT / "docs" / "tour.md").read_text(encoding="utf-8")
    sections = [
        re.search(rf"## {name}\n\n((?:    .*\n|\n)+)", text) for name in ("A model is an expression", "A picture of it")
    ]
    code = "\n".join(section[1] for section in sections if section is not None)
    code = "\n".join(line for line in code.splitlines() if not re.match(r" *(tg\.render|print)\(", line))
    file = ROOT / "docs" / "tour.md"
    names: dict[str, Any] = {}
    lines = textwrap.dedent(code)
    linecache.cache[str(file)] = (len(lines), None, lines.splitlines(keepends=True), str(file))
    exec(compile(lines, str(file), "exec"), names)
    return names["t"]


def cards(loss: Any, **options: Any) -> list[Card]:
    diagram = tg.render(loss, **options).diagram
    return list(poster_of(diagram).cards.values())


def title(card: Card) -> str:
    return card.box.title if card.box.stays else card.box.primitive


def within(loss: Any, of: str, **options: Any) -> list[tuple[str, str | None]]:
    """What is shown within the card of this title, with the gradients."""
    (card,) = (card for card in cards(loss, **options) if title(card) == of)
    return [(leaf.title, gradient and gradient.title) for leaf, gradient in card.within]


def test_the_model_of_the_readme_is_one_column_of_its_layers() -> None:
    loss = tour_as_printed()
    picture = tg.render(loss, backward=True, values="thumbnails")
    poster = poster_of(picture.diagram)
    titles = {card.box.id: title(card) for card in poster.cards.values()}
    down = [(titles[e.tail], titles[e.head]) for e in poster.edges if e.flow == "forward"]
    assert down == list(
        itertools.pairwise(["x", "conv2d", "maximum", "max_pool2d", "reshape", "matmul", "add", "loss"])
    )
    centres = centre_of_each_box(picture.svg)
    assert np.ptp(centres) < 20


def centre_of_each_box(svg: str) -> list[float]:
    return [(place.left + place.right) / 2 for place in places(svg) if place.kind == "node"]


def test_a_card_has_its_parameters_and_their_gradients() -> None:
    loss = tour_as_printed()
    assert within(loss, "conv2d", backward=True) == [("Wc", "∂L/∂Wc"), ("Bc", "∂L/∂Bc")]
    assert within(loss, "conv2d") == [("Wc", None), ("Bc", None)]
    assert within(loss, "loss") == [("y", None)]
    dot = tg.render(loss, backward=True, values="thumbnails").dot
    assert all(f"∂L/∂{name}" in dot for name in ("Wc", "Bc", "Wf", "Bf", "conv", "pool"))


def test_columns_of_a_constant_image_are_drawn_from_the_image() -> None:
    loss = tour_as_printed()
    boxes = tg.render(loss, depth="all").diagram.boxes
    x = next(box for box in boxes.values() if box.title == "x")
    assert (x.shape, x.kind) == ("24×28×28", "constant")
    assert not [box for box in boxes.values() if box.title == "constant"]
    assert [box.primitive for box in boxes.values() if box.kind == "primitive"][:3].count("im2col") == 1


def test_an_image_that_was_written_to_since_is_not_drawn() -> None:
    x, W = np.ones((2, 5, 5)), tg.Tensor(np.ones((3, 3)), "W")
    y = tg.conv2d(x, W, padding=1)
    assert [card.box.shape for card in cards(y) if card.box.stays] == ["2×5×5"]
    x[0] = 7.0
    assert [card.box.shape for card in cards(y) if card.box.stays] == ["2×9×25"]


@pytest.mark.parametrize("padding", [0, 1, "same", ((0, 1), (1, 0))])
@pytest.mark.parametrize("options", [{}, {"dilation": 2}, {"groups": 2}])
def test_an_image_is_drawn_as_the_image_whatever_the_convolution(padding: Any, options: dict[str, int]) -> None:
    pictures, W = (
        np.random.default_rng(0).normal(size=(2, 4, 6, 6)),
        tg.Tensor(np.ones((4, 4 // options.get("groups", 1), 2, 2)), "W"),
    )
    found = cards(tg.conv2d(pictures, W, padding=padding, **options), values="thumbnails")
    leaves = [(card.box.title, card.box.shape) for card in found if card.box.stays]
    assert leaves == [("pictures", "2×4×6×6")]
    assert [title(card) for card in found] == ["pictures", "conv2d"]


def test_what_an_array_was_moved_from_is_forgotten_with_the_array() -> None:
    gc.collect()
    before = len(origins._origins)
    y = tg.conv2d(np.ones((2, 5, 5)), tg.Tensor(np.ones((3, 3)), "W"))
    assert len(origins._origins) == before + 1
    del y
    gc.collect()
    assert len(origins._origins) == before


def test_a_bias_belongs_to_its_layer_and_a_mean_to_its_loss() -> None:
    x, W, b = np.ones((4, 3)), tg.Tensor(np.ones((2, 3)), "W"), tg.Tensor(np.ones(2), "b")
    assert [title(card) for card in cards(tg.linear(x, W) + b)] == ["x", "linear"]
    assert [title(card) for card in cards(tg.linear(x, W) + x[:, :2])] == ["x", "linear", "add"]
    h = tg.linear(x, W)
    assert [title(card) for card in cards((h + b) * h)] == ["x", "linear", "add", "multiply"]  # taken without the bias


def test_layers_of_a_sequence_are_numbered_among_their_like() -> None:
    rng, x = np.random.default_rng(0), np.ones((4, 3))
    flat = tree.flatten(nn.Sequential(nn.Linear(None, 5), np.tanh, nn.Linear(None, 2)).init(rng, x))
    model = flat.rebuild([tg.Tensor(leaf, name) for leaf, name in zip(flat.leaves, flat.names, strict=True)])
    loss = np.sum(model(x))
    assert [card.layer for card in cards(loss) if card.within] == ["layers[0]", "layers[2]"]
    dot = tg.render(loss, backward=True).dot
    assert re.findall("<I>([^<]*)</I>", dot) == ["loss"]
    assert [name for name in re.findall("<B>([^<]*)</B>", dot) if "linear" in name and "∂" not in name] == [
        "linear 1",
        "linear 2",
    ]
    assert {"<B>weight</B>", "<B>bias</B>", "<B>∂L/∂weight</B>"} <= set(re.findall("<B>[^<]*</B>", dot))


def test_a_layer_within_a_scope_of_the_user_is_a_card_in_a_frame() -> None:
    found = {title(card): card.box for card in cards(circle_square(), inputs="x")}
    assert set(found) >= {"x", "conv2d", "relu", "max_pool2d", "reshape", "matmul", "sigmoid"}
    assert found["x"].kind == "input"
    assert found["conv2d"].group is not None


def test_what_several_steps_take_has_a_card_of_its_own() -> None:
    diagram = tg.render(attention()).diagram
    x = next(box.id for box in diagram.boxes.values() if box.title == "x")
    assert sum(e.tail == x for e in poster_of(diagram).edges) == 4


def test_every_step_and_every_rule_are_one_option_away() -> None:
    loss = two_convolutions()
    counts = [len(tg.render(loss, backward=True, depth=depth).diagram.boxes) for depth in ("layers", "all", "rules")]
    assert counts == sorted(set(counts))
    assert len(tg.graph(loss)) == len(tg.render(loss, depth="all").diagram.boxes)


# Kinds.


def kinds(loss: Any) -> dict[str, str]:
    return {title(card): card.box.layer for card in cards(loss)}


def test_steps_are_coloured_by_what_they_are() -> None:
    assert kinds(two_convolutions()) == {
        "x": "", "conv2d 1": "convolution", "conv2d 2": "convolution", "relu": "activation", "max_pool2d": "pooling",
        "reshape": "", "linear": "linear", "softmax_cross_entropy": "loss",
    }  # fmt: skip
    W = tg.Tensor(np.ones(3), "W")
    assert kinds(tg.nn.layer_norm(W * 2.0, W, W))["layer_norm"] == "normalisation"


def test_a_primitive_and_a_scope_of_a_user_say_what_they_are() -> None:
    @tg.primitive(elementwise=True, kind="activation")
    def swish(x, /):
        return x / (1 + np.exp(-x))

    swish.defvjp(lambda g, out, x: g)

    @tg.scope("my_norm", kind="normalisation")
    def my_norm(x):
        return (x - np.mean(x)) / np.std(x)

    y = swish(my_norm(tg.Tensor([1.0, 2.0], "x")))
    assert kinds(y) == {"x": "", "my_norm": "normalisation", "swish": "activation"}
    dot = tg.render(y).dot
    assert LIGHT.layers["normalisation"].fill in dot
    assert LIGHT.layers["activation"].fill in dot


def test_a_kind_that_there_is_not_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown kind 'conv'; expected one of convolution, activation, pooling"):
        tg.scope("mine", kind="conv")
    with pytest.raises(ValueError, match="unknown kind 'conv'"):
        tg.primitive(kind="conv")(lambda x, /: x)


def test_the_legend_has_what_appears_and_nothing_else() -> None:
    def legend(loss: Any, **options: Any) -> set[str]:
        caption = tg.render(loss, **options).dot.splitlines()[1]
        return set(re.findall(r">([a-z]+)</FONT>", caption))

    assert legend(two_convolutions()) == {"input", "convolution", "activation", "pooling", "linear", "loss"}
    assert legend(batch_norm_mlp(), backward=True) == {"input", "activation", "linear", "loss", "gradient"}


# The change of colours for people who lack one kind of cones, in linear light, from G. Machado et al., "A
# physiologically-based model for simulation of color vision deficiency", 2009, at severity 1.
CONES = {
    "all": np.eye(3),
    "no red": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "no green": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "no blue": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}


def lab(colour: str, cones: Any) -> Any:
    """A colour as seen, in CIELAB."""
    rgb = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    seen = (np.asarray(cones) @ linear).clip(0, 1)
    xyz = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]] @ seen
    f = np.cbrt(xyz / [0.9505, 1.0, 1.089])
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("cones", CONES)
def test_any_two_kinds_can_be_distinguished_whatever_cones_one_has(palette: Any, cones: str) -> None:
    seen = {kind: lab(palette.layers[kind].fill, CONES[cones]) for kind in KINDS}
    near = {(a, b): np.linalg.norm(seen[a] - seen[b]) for a, b in itertools.combinations(KINDS, 2)}
    assert {pair: distance for pair, distance in near.items() if distance < 12} == {}


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
def test_in_grey_kinds_differ_in_lightness_and_can_be_written_on(palette: Any) -> None:
    lightness = sorted(float(lab(palette.layers[kind].fill, CONES["all"])[0]) for kind in KINDS)
    assert min(np.diff(lightness)) > 3.5
    for kind in KINDS:
        look = palette.layers[kind]
        assert abs(lab(look.fill, CONES["all"])[0] - lab(look.ink, CONES["all"])[0]) > 45


IMAGE, SEQUENCE, ROWS = (np.random.default_rng(0).normal(size=shape) for shape in [(2, 3, 8, 8), (2, 8, 4), (4, 3)])
LABELS, LIKELY = np.array([0, 2, 1, 0]), np.full((4, 3), 1 / 3)
LAYERS: list[tuple[Any, Any, str, str]] = [
    (nn.Linear(None, 5), ROWS, "linear", "linear"),
    (nn.Conv2d(None, 4, 3), IMAGE, "conv2d", "convolution"),
    (nn.Conv1d(None, 4, 3), SEQUENCE, "conv1d", "convolution"),
    (nn.ConvTranspose2d(None, 4, 3), IMAGE, "conv_transpose2d", "convolution"),
    (nn.BatchNorm(), IMAGE, "batch_norm", "normalisation"),
    (nn.LayerNorm(), ROWS, "layer_norm", "normalisation"),
    (nn.GroupNorm(1), IMAGE, "group_norm", "normalisation"),
    (nn.RMSNorm(), ROWS, "rms_norm", "normalisation"),
    (nn.MaxPool2d(2), IMAGE, "max_pool2d", "pooling"),
    (nn.AvgPool2d(2), IMAGE, "avg_pool2d", "pooling"),
    (nn.AdaptiveAvgPool2d(2), IMAGE, "adaptive_avg_pool2d", "pooling"),
    (nn.GlobalAvgPool2d(), IMAGE, "global_avg_pool2d", "pooling"),
    (nn.Dropout(0.5), ROWS, "dropout", ""),
    (nn.Flatten(), IMAGE, "reshape", ""),
    (nn.RNN(None, 5), SEQUENCE, "rnn", ""),
    (nn.LSTM(None, 5), SEQUENCE, "lstm", ""),
    (nn.GRU(None, 5), SEQUENCE, "gru", ""),
    (nn.MultiHeadAttention(2), SEQUENCE, "multi_head_attention", ""),
    *((getattr(nn, name), ROWS, name, "activation") for name in
      ("relu", "leaky_relu", "elu", "gelu", "silu", "softplus", "sigmoid", "softmax", "log_softmax")),
    *((lambda x, f=getattr(nn, name): f(x, LIKELY), ROWS, name, "loss") for name in ("mse", "l1", "huber", "kl")),
    (lambda x: nn.softmax_cross_entropy(x, LABELS), ROWS, "softmax_cross_entropy", "loss"),
    (lambda x: nn.binary_cross_entropy_with_logits(x, LIKELY), ROWS, "loss", "loss"),
    (lambda x: nn.embedding(LABELS, x), ROWS, "embedding", ""),
]  # fmt: skip


@pytest.mark.parametrize(("layer", "x", "name", "kind"), LAYERS, ids=[row[2] for row in LAYERS])
def test_each_layer_is_one_card_with_its_name_and_its_colour(layer: Any, x: Any, name: str, kind: str) -> None:
    """Its input has a card, and its parameters are in its own; so it is for every layer of `tg.nn`."""
    x, rng = tg.Tensor(x, "x"), np.random.default_rng(0)
    leaves: tuple[str, ...] = ()
    if isinstance(layer, nn.Layer):
        flat = tree.flatten(layer.init(rng, x.value))
        leaves = tuple(flat.names)
        layer = flat.rebuild([tg.Tensor(w, path) for w, path in zip(flat.leaves, flat.names, strict=True)])
        out = layer.train(x, layer.init_state(), rng)[0]
    else:
        out = layer(x)
    found = cards(out[0] if isinstance(out, tuple) else out, inputs="x")
    assert [(title(card), card.box.layer) for card in found] == [("x", ""), (name, kind)]
    assert sorted(leaf.title for leaf, _ in found[1].within if leaf.kind == "parameter") == sorted(leaves)
