"""The article's pictures, from a result: each a matplotlib figure."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import numpy as np

from tinygrad_cnn.circle_square.data import Drawings
from tinygrad_cnn.circle_square.experiment import Result
from tinygrad_cnn.circle_square.model import Forward
from tinygrad_cnn.extras import extra

with extra("cnn", "a figure"):
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.font_manager import findfont, get_font

COLUMNS = 12
RIGHT, WRONG = "#1b7837", "#b2182b"


def montage(
    images: Any, labels: list[str], title: str, colours: list[str] | None = None, columns: int = COLUMNS
) -> Figure:
    """Images in rows of `columns`, each on a grey scale of its own, with its label above it.

    They are laid out in one picture rather than in axes of their own, which takes matplotlib seconds.
    """
    columns = min(columns, len(images))
    rows = -(-len(images) // columns)
    lines = 1 + max(label.count("\n") for label in labels)
    side, gap, head = 1.0, 0.1, 0.16 + 0.16 * lines  # inches, but for a scale
    width, height = columns * (side + gap), rows * (side + head + gap)
    figure = Figure(figsize=(0.85 * width + 0.1, 0.85 * height + 0.3), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    axis = figure.subplots()
    axis.set_axis_off()
    axis.set_xlim(0, width)
    axis.set_ylim(height, 0)
    axis.set_title(title, fontsize=10)
    for i, image in enumerate(images):
        left, top = i % columns * (side + gap), i // columns * (side + head + gap)
        edges = (left, left + side, top + head + side, top + head)
        least, most = float(image.min()), float(image.max())
        axis.imshow(image, cmap="gray", interpolation="nearest", extent=edges, vmin=least, vmax=max(most, least + 1e-9))
        colour = colours[i] if colours else "black"
        at = left + side / 2, top + head - 0.06
        axis.text(*at, labels[i], fontsize=8, color=colour, ha="center", va="bottom", parse_math=False)
    axis.set_xlim(0, width)
    axis.set_ylim(height, 0)
    return figure


def training_images(result: Result) -> Figure:
    """The images that it is trained on."""
    drawings, shapes = result.data.train, _in_letters(result.data.classes)
    return montage(drawings.grey, _classes(drawings, shapes), "Training images")


def test_images(result: Result) -> Figure:
    """The images that it is tested with, and what it took them for."""
    drawings, shapes = result.data.test, _in_letters(result.data.classes)
    sigma = result.test.sigma[0]
    labels, colours = [], []
    for target, probability in zip(drawings.y[:, 0], sigma, strict=True):
        said = int(probability > 0.5)
        labels.append(f"{shapes[int(target)]}:\n{shapes[said]} {probability if said else 1 - probability:.0%}")
        colours.append(RIGHT if said == target else WRONG)
    return montage(drawings.grey, labels, "Test images: what it is, and what the model says", colours, columns=6)


def shuffled_images(result: Result) -> Figure:
    """The training images in the order of the first epoch."""
    drawings = result.data.train
    labels = _classes(drawings, _in_letters(result.data.classes))
    order = result.first_order
    return montage(
        result.settings.scaling(drawings.grey)[order],
        [labels[i] for i in order],
        "As the model sees them in its first epoch: shuffled, strokes bright"
        if result.settings.scaling.invert
        else "As the model sees them in its first epoch: shuffled, not inverted",
    )


def _maps(result: Result, steps: Forward, when: str) -> Figure:
    """Conv above, max-pool below, of the first 24 training images: 4 x 12."""
    count = min(len(result.data.train), 2 * COLUMNS)
    rows = [range(start, min(start + COLUMNS, count)) for start in range(0, count, COLUMNS)]
    images = [steps.conv[i] for row in rows for i in row] + [steps.max_pool[i] for row in rows for i in row]
    labels = [f"conv {i + 1}" for i in range(count)] + [f"max-pool {i + 1}" for i in range(count)]
    return montage(images, labels, f"What the filter makes of the training images, {when} training")


def maps_before(result: Result) -> Figure:
    """Conv and max-pool of the training images, before training."""
    return _maps(result, result.before, "before")


def maps_after(result: Result) -> Figure:
    """Conv and max-pool of the training images, after training."""
    return _maps(result, result.after, "after")


def loss_curve(result: Result) -> Figure:
    """The loss and the training accuracy of every epoch."""
    figure = Figure(figsize=(8, 3.2), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    loss, right = figure.subplots(1, 2)
    loss.plot(result.losses, color="#2166ac", linewidth=1.2)
    loss.set_title(
        "Loss" + (", as printed by the article" if result.settings.recipe == "published" else ""), fontsize=10
    )
    if result.settings.recipe == "published":
        floor = -len(result.data.train) * np.log(2)
        loss.axhline(floor, color="grey", linestyle=":", linewidth=1)
        words = "the least there is, -batch log 2"
        at = {"xycoords": loss.get_yaxis_transform(), "xytext": (0, 6), "textcoords": "offset points"}
        loss.annotate(words, (1, floor), fontsize=8, color="dimgrey", va="bottom", ha="right", **at)
    else:
        loss.set_yscale("log")
    right.plot(100 * np.array(result.accuracies), color="#1b7837", linewidth=1.2)
    right.set_title("Training images on the right side, %", fontsize=10)
    right.set_ylim(-2, 102)
    for axis in (loss, right):
        axis.set_xlabel("epoch", fontsize=9)
        axis.tick_params(labelsize=8)
        axis.spines[["top", "right"]].set_visible(False)
    return figure


FIGURES: dict[str, Callable[[Result], Figure]] = {
    "training_images": training_images,
    "test_images": test_images,
    "shuffled_images": shuffled_images,
    "maps_before": maps_before,
    "maps_after": maps_after,
    "loss": loss_curve,
}


def _classes(drawings: Drawings, shapes: tuple[str, str]) -> list[str]:
    return [shapes[int(target)] for target in drawings.y[:, 0]]


def _in_letters(classes: tuple[str, str]) -> tuple[str, str]:
    """The names of the classes, or numbers if the pictures' font has no letters for them, as for Korean."""
    font = get_font(findfont("DejaVu Sans"))
    return classes if all(font.get_char_index(ord(c)) for name in classes for c in name) else ("class 0", "class 1")


def png(figure: Figure) -> bytes:
    """A figure as a PNG file."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()
