"""The pictures of a run: each a matplotlib figure."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import tinygrad_cnn as tg
from tinygrad_cnn import nn
from tinygrad_cnn.circle_square.figures import montage, png
from tinygrad_cnn.circle_square.ink import as_input
from tinygrad_cnn.extras import extra
from tinygrad_cnn.recipes import cnn
from tinygrad_cnn.recipes.evaluation import UNSURE, Evaluation
from tinygrad_cnn.recipes.experiments import Row, Trial
from tinygrad_cnn.recipes.training import Result

with extra("cnn", "a figure"):
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

RIGHT, WRONG = "#1b7837", "#b2182b"
MOST = 48  # drawings in a picture
LAYERS = {"first": 2, "second": 5}  # how many of the network's layers give the maps of its first and second convolution


def drawings(result: Result) -> Figure:
    """What it is trained on, as it was drawn: as many of each class."""
    train = result.data.train
    chosen = _of_each_class(train.labels, MOST // len(result.data.names))
    return montage(train.grey[chosen], [result.data.names[k] for k in train.labels[chosen]], "Drawings to train on")


def inputs(result: Result) -> Figure:
    """Ink, and three variants of each, as the network sees them."""
    chosen = _of_each_class(result.data.train.labels, 12 // len(result.data.names))
    rng, inks = np.random.default_rng(0), result.data.train.ink[chosen]
    rows = [inks, *[cnn.variants(inks, rng) for _ in range(3)]]
    labels = ["ink"] * len(inks) + ["variant"] * (3 * len(inks))
    images = [image for row in rows for image in as_input(row)[:, 0]]
    return montage(images, labels, "As the network sees them: their ink, and variants of it", columns=len(inks))


def answers(found: Evaluation, images: Any, title: str = "Test drawings: what each is, and what is said") -> Figure:
    """Drawings with their predictions, the wrong ones first, then the least sure."""
    least_sure = [i for i in np.argsort(found.sure, kind="stable") if found.said[i] == found.labels[i]]
    order = np.array([*found.wrong, *least_sure][:MOST], int)
    labels = [f"{found.classes[found.labels[i]]}:\n{found.classes[found.said[i]]} {found.sure[i]:.0%}" for i in order]
    colours = [RIGHT if found.said[i] == found.labels[i] else WRONG for i in order]
    return montage(images[order], labels, title, colours, columns=8)


def wrong_answers(found: Evaluation, images: Any) -> Figure:
    """The drawings that were taken for another class, the surest first."""
    wrong = found.wrong[:MOST]
    labels = [f"{found.classes[found.labels[i]]}:\n{found.classes[found.said[i]]} {found.sure[i]:.0%}" for i in wrong]
    title = f"Wrong: {len(found.wrong)} of {len(found.labels)}"
    return montage(images[wrong], labels, title, [WRONG] * len(wrong), columns=8)


def confusion(found: Evaluation) -> Figure:
    """How many of each class were taken for which."""
    figure, axis = _figure(1.6 + 1.1 * len(found.classes), 1.1 + 0.9 * len(found.classes))
    counts = found.confusion
    axis.imshow(counts / np.maximum(counts.sum(axis=1, keepdims=True), 1), cmap="Greens", vmin=0, vmax=1.4)
    for (i, j), count in np.ndenumerate(counts):
        axis.text(j, i, str(count), ha="center", va="center", color=WRONG if i != j and count else "black")
    ticks = range(len(found.classes))
    axis.set_xticks(ticks, found.classes, parse_math=False)
    axis.set_yticks(ticks, found.classes, parse_math=False)
    axis.set_xlabel("predicted", fontsize=9)
    axis.set_ylabel("drawn", fontsize=9)
    return figure


def calibration(found: Evaluation) -> Figure:
    """How many are right among those of about the same probability: as many, on the diagonal."""
    figure, axis = _figure(4.2, 3.6)
    rows = found.calibration()
    axis.plot([0, 1], [0, 1], color="grey", linestyle=":", linewidth=1)
    axis.scatter(
        [row["mean_probability"] for row in rows],
        [row["accuracy"] for row in rows],
        s=[20 + 3 * row["drawings"] for row in rows],
        color="#2166ac",
    )
    for row in rows:
        axis.annotate(
            f"{row['drawings']:.0f}",
            (row["mean_probability"], row["accuracy"]),
            xytext=(0, -14),
            textcoords="offset points",
            fontsize=7,
            ha="center",
        )
    axis.set_xlim(1 / len(found.classes) - 0.05, 1.03)
    axis.set_ylim(-0.03, 1.08)
    axis.set_xlabel("mean probability of the likeliest class", fontsize=9)
    axis.set_ylabel("share of these that are right", fontsize=9)
    return figure


def curves(result: Result) -> Figure:
    """The loss, and the accuracy of drawings, of every epoch."""
    figure, (loss, right) = _figure(8, 3.2, 2)
    loss.plot(range(1, len(result.losses) + 1), result.losses, color="#2166ac", marker="o", markersize=3)
    loss.set_title("Loss, on variants and scribbles", fontsize=10)
    loss.set_ylim(0, None)
    epochs = list(result.accuracies)
    of_parts = {"training drawings": RIGHT, "test drawings": "#b35806"}
    for k, (name, colour) in enumerate(of_parts.items()):
        values = [accuracies[k] for accuracies in result.accuracies.values()]
        if values and values[0] is not None:
            style = {"color": colour, "linestyle": ("-", "--")[k], "marker": "o", "markersize": 3}
            right.plot(epochs, [100 * value for value in values if value is not None], label=name, **style)
    right.set_title("Drawings on the right side, %", fontsize=10)
    right.set_ylim(0, 103)
    right.legend(fontsize=8, frameon=False, loc="lower right")
    for axis in (loss, right):
        axis.set_xlabel("epoch", fontsize=9)
    return figure


def filters(result: Result) -> Figure:
    """The filters of the first layer, before and after training."""
    stages = {"before": result.before, "after": result.model}
    weights = [tg.tree.flatten(model).leaves[0] for model in stages.values()]  # (filters, 1, 3, 3)
    images = [image for of_stage in weights for image in np.asarray(of_stage)[:, 0]]
    count = len(images) // 2
    labels = [f"{when} {k + 1}" for when in stages for k in range(count)]
    return montage(images, labels, "Filters of the first layer: before training above, after it below", columns=count)


def maps_before(result: Result) -> Figure:
    """The first layer's maps of a drawing of each class, before training."""
    return _maps(result, result.before, "first", "First convolution, before training")


def maps_after(result: Result) -> Figure:
    """The same, after training."""
    return _maps(result, result.model, "first", "First convolution, after training")


def second_maps(result: Result) -> Figure:
    """The second layer's maps, after training."""
    return _maps(result, result.model, "second", "Second convolution, after training")


def _maps(result: Result, model: nn.Sequential, layer: str, title: str) -> Figure:
    """A row for each class: its first drawing, and every channel."""
    chosen = _of_each_class(result.data.train.labels, 1)
    x = as_input(result.data.train.ink[chosen])
    images, labels = [], []
    maps: Any = x
    for step in model.layers[: LAYERS[layer]]:
        maps = step(maps)
    for k, of_class in enumerate(np.asarray(maps)):
        images += [x[k, 0], *of_class]
        labels += [result.data.names[k], *[f"channel {c + 1}" for c in range(len(of_class))]]
    return montage(images, labels, f"{title}: a drawing of each class, and what each filter makes of it",
                   columns=1 + len(maps[0]))  # fmt: skip


def saliency(model: nn.Sequential, x: Any) -> Any:
    """How much the score of the likeliest class changes with each pixel: (batch, 28, 28), not negative.

    Source: K. Simonyan et al., "Deep inside convolutional networks", 2014.
    """
    said = np.argmax(np.asarray(model(x)), axis=1)
    gradient = tg.grad(lambda x: np.sum(model(x)[np.arange(len(said)), said]))(x)
    return np.abs(np.asarray(gradient))[:, 0]


def occlusion(model: nn.Sequential, x: Any, patch: int = 7, step: int = 2) -> Any:
    """How much of the probability of the likeliest class is lost if a patch about a pixel is covered: of each drawing.

    patch: its side; step: of so many pixels on a side, one in the middle of the patch. Returns (batch, 28, 28).

    Source: M. Zeiler and R. Fergus, "Visualizing and understanding convolutional networks", 2014.
    """
    whole = np.asarray(nn.softmax(model(x)))
    said = np.argmax(whole, axis=1)
    lost = np.zeros((len(x), 28 // step, 28 // step))
    half = patch // 2
    for i, j in np.ndindex(28 // step, 28 // step):
        y, left = (max(k * step + step // 2 - half, 0) for k in (i, j))
        covered = x.copy()
        covered[:, :, y : i * step + step // 2 + half + 1, left : j * step + step // 2 + half + 1] = 0
        lost[:, i, j] = (whole - np.asarray(nn.softmax(model(covered))))[np.arange(len(x)), said]
    return lost.repeat(step, axis=1).repeat(step, axis=2)


def attention(result: Result) -> Figure:
    """What the network looks at: saliency and occlusion for some drawings, before and after training."""
    part = result.data.test or result.data.train
    chosen = _of_each_class(part.labels, max(9 // len(result.data.names), 1))
    x = as_input(part.ink[chosen])
    images, labels = list(x[:, 0]), [result.data.names[k] for k in part.labels[chosen]]
    for when, model in (("before", result.before), ("after", result.model)):
        images += [*saliency(model, x), *occlusion(model, x)]
        labels += [f"saliency\n{when}"] * len(x) + [f"occlusion\n{when}"] * len(x)
    title = "Which pixels the answer depends on"
    return montage(images, labels, title, columns=len(x))


def confidence(result: Result) -> Figure:
    """How sure it is of drawings, and of scribbles that are none of the classes."""
    figure, axis = _figure(5, 2.8)
    bins = np.linspace(1 / len(result.data.names), 1, 21)
    of_drawings = (result.test or result.train).sure
    parts = {"drawings": (of_drawings, RIGHT), "scribbles": (result.none.max(axis=1), "#b35806")}
    for name, (values, colour) in parts.items():
        axis.hist(values, bins, weights=np.full(len(values), 100 / len(values)), color=colour, alpha=0.6, label=name)
    axis.axvline(UNSURE, color="grey", linestyle=":", linewidth=1)
    axis.set_xlabel("probability of the likeliest class", fontsize=9)
    axis.set_ylabel("%", fontsize=9)
    axis.legend(fontsize=8, frameon=False, loc="upper left")
    return figure


def comparison(question: str, rows: Sequence[Row], trials: Sequence[Trial]) -> Figure:
    """The accuracies of an experiment's conditions: each draw, the mean, and its interval."""
    figure, axis = _figure(7, 1.3 + 0.55 * len(rows))
    for k, row in enumerate(rows):
        shares = np.array([trial.right / trial.of for trial in trials if trial.condition == row.condition])
        beside = np.linspace(-0.18, 0.18, len(shares)) if len(shares) > 1 else np.zeros(1)
        axis.scatter(100 * shares, k + beside, s=9, color="#92a9c4", zorder=2, linewidths=0)
        axis.hlines(k, 100 * row.interval[0], 100 * row.interval[1], color="#2166ac", linewidth=2.5, zorder=3)
        axis.scatter(100 * row.mean, k, s=42, color="#2166ac", zorder=4, edgecolors="white")
    axis.set_yticks(range(len(rows)), [row.condition for row in rows], parse_math=False)
    axis.set_ylim(len(rows) - 0.5, -0.5)
    axis.set_xlim(min([*[100 * row.least for row in rows], 90]) - 3, 101.5)
    axis.grid(axis="x", color="#e4e7eb", zorder=0)
    axis.set_xlabel("test drawings right, %: each draw, the mean, and its 95 % interval", fontsize=9)
    axis.set_title("\n".join(textwrap.wrap(question, 80)), fontsize=10)
    return figure


FIGURES: dict[str, Callable[[Result], Figure]] = {
    "drawings": drawings,
    "inputs": inputs,
    "curves": curves,
    "filters": filters,
    "maps_before": maps_before,
    "maps_after": maps_after,
    "second_maps": second_maps,
    "attention": attention,
    "confidence": confidence,
}
OF_A_TEST: dict[str, Callable[[Evaluation], Figure]] = {"confusion": confusion, "calibration": calibration}


def of_run(result: Result) -> dict[str, bytes]:
    """All of them, as PNG files by name."""
    pictures = {name: png(draw(result)) for name, draw in FIGURES.items()}
    if result.test is not None and result.data.test is not None:
        pictures |= {name: png(draw(result.test)) for name, draw in OF_A_TEST.items()}
        pictures["answers"] = png(answers(result.test, result.data.test.grey))
    return pictures


def _of_each_class(labels: Any, count: int) -> Any:
    """The indices of the first `count` of each class."""
    return np.concatenate([np.flatnonzero(labels == k)[: max(count, 1)] for k in np.unique(labels)])


def _figure(width: float, height: float, columns: int = 1) -> tuple[Figure, Any]:
    figure = Figure(figsize=(width, height), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(1, columns)
    for axis in np.ravel(axes):
        axis.tick_params(labelsize=8)
        axis.spines[["top", "right"]].set_visible(False)
    return figure, axes
