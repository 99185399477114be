"""The article's pictures, from a result: each a matplotlib figure."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import numpy as np

from tinygrad_cnn.circle_square.data import Drawings
from tinygrad_cnn.circle_square.experiment import Result
from tinygrad_cnn.circle_square.model import Forward
from tinygrad_cnn.circle_square.palette import PALETTES, Theme, on_paper
from tinygrad_cnn.extras import extra

with extra("cnn", "a figure"):
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.font_manager import findfont, get_font

COLUMNS = 12
NARROWEST = 6.0  # inches: a title, or the scale of a row, is as wide as that


def montage(
    images: Any,
    labels: list[str],
    title: str,
    colours: list[str] | None = None,
    columns: int = COLUMNS,
    rows: list[str] | None = None,
    theme: Theme = "light",
) -> Figure:
    """Images in rows of `columns`, each on a grey scale of its own, with its label above it.

    rows: what the rows are; then each row has one grey scale, which is written beside that.
    They are laid out in one picture rather than in axes of their own, which takes matplotlib seconds.
    """
    palette = PALETTES[theme]
    columns = min(columns, len(images))
    count = -(-len(images) // columns)
    lines = 1 + max(label.count("\n") for label in labels)
    above = 0.0 if rows is None else 0.3
    side, gap, head = 1.0, 0.1, 0.16 + 0.16 * lines + above  # inches, but for a scale
    width, height = columns * (side + gap), count * (side + head + gap)
    size = (max(0.85 * width + 0.1, NARROWEST), 0.85 * height + 0.3)
    figure = Figure(figsize=size, dpi=110, layout="constrained", facecolor=palette.paper)
    FigureCanvasAgg(figure)
    axis = figure.subplots()
    axis.set_axis_off()
    axis.set_xlim(0, width)
    axis.set_ylim(height, 0)
    axis.set_title(title, fontsize=10, color=palette.ink)
    for i, image in enumerate(images):
        row = i // columns
        left, top = i % columns * (side + gap), row * (side + head + gap)
        edges = (left, left + side, top + head + side, top + head)
        of_scale = image if rows is None else images[row * columns : (row + 1) * columns]
        least, most = float(np.min(of_scale)), float(np.max(of_scale))
        if rows is not None and i % columns == 0:
            ends = f"black {least:.4g}, white {most:.4g}".replace("-", "−")
            said = f"{rows[row]}: {ends}"
            at = 0.0, top + above - 0.06
            axis.text(*at, said, fontsize=8.5, color=palette.faint, va="bottom", parse_math=False, in_layout=False)
        axis.imshow(image, cmap="gray", interpolation="nearest", extent=edges, vmin=least, vmax=max(most, least + 1e-9))
        colour = colours[i] if colours else palette.ink
        at = left + side / 2, top + head - 0.06
        axis.text(*at, labels[i], fontsize=8, color=colour, ha="center", va="bottom", parse_math=False, in_layout=False)
    axis.set_xlim(0, width)
    axis.set_ylim(height, 0)
    return figure


def training_images(result: Result, theme: Theme = "light") -> Figure:
    """The images that it is trained on."""
    drawings, shapes = result.data.train, _in_letters(result.data.classes)
    return montage(on_paper(drawings.grey, theme), _classes(drawings, shapes), "Training images", theme=theme)


def test_images(result: Result, theme: Theme = "light") -> Figure:  # noqa: PT028 (it is no test)
    """The images that it is tested with, and what it took them for."""
    drawings, shapes = result.data.test, _in_letters(result.data.classes)
    sigma = result.test.sigma[0]
    labels, colours = [], []
    for target, probability in zip(drawings.y[:, 0], sigma, strict=True):
        said = int(probability > 0.5)
        sign = "✓" if said == target else "✗"
        labels.append(f"{shapes[int(target)]}:\n{sign} {shapes[said]} {probability if said else 1 - probability:.0%}")
        colours.append(PALETTES[theme].training if said == target else PALETTES[theme].test)
    title = "Test images: what it is, and what the model says"
    return montage(on_paper(drawings.grey, theme), labels, title, colours, columns=6, theme=theme)


def shuffled_images(result: Result, theme: Theme = "light") -> Figure:
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
        theme=theme,
    )


def _maps(result: Result, steps: Forward, when: str, theme: Theme) -> Figure:
    """Conv above, max-pool below, of 24 training images, the first class before the second: 4 x 12."""
    drawings, shapes = result.data.train, _in_letters(result.data.classes)
    each = [np.flatnonzero(drawings.y[:, 0] == k)[:COLUMNS] for k in (0, 1)]
    columns = max(map(len, each))
    images, labels, rows = [], [], []
    for name, maps in (("conv", steps.conv), ("max-pool", steps.max_pool)):
        for shape, chosen in zip(shapes, each, strict=True):
            rows.append(f"{name} of {shape}")
            blank = np.full(maps.shape[1:], maps[chosen].min() if len(chosen) else 0.0)
            for k in range(columns):
                images.append(maps[chosen[k]] if k < len(chosen) else blank)
                labels.append(f"{chosen[k] + 1}" if k < len(chosen) else "")
    title = f"What the filter makes of the training images, {when} training"
    return montage(images, labels, title, columns=columns, rows=rows, theme=theme)


def maps_before(result: Result, theme: Theme = "light") -> Figure:
    """Conv and max-pool of the training images, before training."""
    return _maps(result, result.before, "before", theme)


def maps_after(result: Result, theme: Theme = "light") -> Figure:
    """Conv and max-pool of the training images, after training."""
    return _maps(result, result.after, "after", theme)


def weights(result: Result, theme: Theme = "light") -> Figure:
    """The filter, and Wf as a map of evidence for one class or the other."""
    palette, shapes = PALETTES[theme], _in_letters(result.data.classes)
    figure = Figure(figsize=(7.2, 3.3), dpi=110, layout="constrained", facecolor=palette.paper)
    FigureCanvasAgg(figure)
    titles = "The filter Wc", f"Wf: blue is evidence for {shapes[0]}, red for {shapes[1]}"
    arrays = result.final.Wc, result.final.Wf.reshape(14, 14)
    for axis, array, title in zip(figure.subplots(1, 2), arrays, titles, strict=True):
        most = float(np.abs(array).max()) or 1.0
        shown = axis.imshow(array, cmap="RdBu_r", vmin=-most, vmax=most, interpolation="nearest")
        axis.set_title(title, fontsize=10, color=palette.ink, parse_math=False)
        axis.set_axis_off()
        scale = figure.colorbar(shown, ax=axis, shrink=0.85)
        scale.ax.tick_params(labelsize=8, colors=palette.faint)
    for (i, j), w in np.ndenumerate(arrays[0]):
        ink = "white" if abs(w) > 0.6 * np.abs(arrays[0]).max() else "black"
        figure.axes[0].text(j, i, f"{w:+.2f}".replace("-", "−"), ha="center", va="center", fontsize=9, color=ink)
    return figure


def loss_curve(result: Result, theme: Theme = "light") -> Figure:
    """What is minimised, the cross-entropies, and the shares that are right, of every epoch."""
    palette = PALETTES[theme]
    figure = Figure(figsize=(10.5, 3.2), dpi=110, layout="constrained", facecolor=palette.paper)
    FigureCanvasAgg(figure)
    loss, entropy, right = figure.subplots(1, 3)
    losses = np.array(result.losses)
    if result.settings.recipe == "published":  # which is negative: above its least it has a logarithm
        loss.plot(losses + len(result.data.train) * np.log(2), color=palette.training, linewidth=1.4)
        title = "Printed loss, above its minimum −batch·log 2"
    else:
        loss.plot(losses, color=palette.training, linewidth=1.4)
        title = "Loss"
    for axis, what in ((entropy, "loss"), (right, "right")):
        for curve, name, ink in zip(result.curves, ("training", "test"), (palette.training, palette.test), strict=True):
            values = getattr(curve, what) * (100 if what == "right" else 1)
            axis.plot(values, color=ink, linewidth=1.4, label=name)
    right.set_ylim(-4, 104)
    with np.errstate(all="ignore"):
        for axis in (loss, entropy):
            axis.set_yscale("log")
    titles = title, "Mean cross-entropy", "Images on the right side, %"
    for axis, words in zip((loss, entropy, right), titles, strict=True):
        axis.set_title(words, fontsize=9.5, color=palette.ink)
        axis.set_facecolor(palette.paper)
        axis.set_xlabel("epoch", fontsize=9, color=palette.faint)
        axis.tick_params(which="both", labelsize=8, colors=palette.faint)
        axis.grid(color=palette.line, linewidth=0.6)
        axis.spines[["top", "right"]].set_visible(False)
        axis.spines[["left", "bottom"]].set_color(palette.line)
    legend = right.legend(fontsize=8.5, frameon=False, loc="center right")
    for text in legend.get_texts():
        text.set_color(palette.ink)
    return figure


FIGURES: dict[str, Callable[[Result, Theme], Figure]] = {
    "training_images": training_images,
    "test_images": test_images,
    "shuffled_images": shuffled_images,
    "maps_before": maps_before,
    "maps_after": maps_after,
    "weights": weights,
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
