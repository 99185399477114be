"""`tinygrad-cnn export`: a trained model for another runtime."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import click
import numpy as np

import tinygrad_cnn as tg
from tinygrad_cnn.circle_square import gradient_program, model, outputs, weights
from tinygrad_cnn.circle_square.errors import InputError
from tinygrad_cnn.cli import options
from tinygrad_cnn.cli.live import live
from tinygrad_cnn.escaping import printable
from tinygrad_cnn.lowering.naming import identifier
from tinygrad_cnn.lowering.onnx_graph.lengths import at_sizes
from tinygrad_cnn.lowering.targets import TARGETS, Target, target_of
from tinygrad_cnn.recipes import cnn, runs

PAGE = "page"


@click.command()
@click.argument("run_folder", metavar="RUN", type=options.path)
@click.option("--out", required=True, type=options.path, help="The file to write.")
@click.option(
    "--to",
    type=click.Choice([*TARGETS, PAGE]),
    show_default="what the suffix says",
    help="What to write; `page` is that of tinygrad-cnn live.",
)
@click.option("--gradient", is_flag=True, help="Write the loss and its gradient instead of the probabilities.")
@click.option(
    "--batch", type=click.IntRange(1), show_default="any for onnx, else 1", help="How many images a call is for."
)
@click.option("--dtype", type=click.Choice(["float32", "float64"]), show_default="as trained", help="Of all numbers.")
def export(run_folder: Path, out: Path, to: str | None, gradient: bool, batch: int | None, dtype: str | None) -> int:
    """Write the model trained in RUN as a file that runs without this package.

    From images it computes the probability of each class: as a graph of ONNX, a module of NumPy, JAX or JavaScript, or
    C. With --gradient it computes the loss and its gradient from the parameters, images and targets.
    """
    if to == PAGE:
        options.refuse_others(f"has no effect with --to {PAGE}", ("run_folder", "out", "to"))
        return int(live.main([str(run_folder), "--out", str(out)], standalone_mode=False))
    try:
        target = target_of(out, to)
    except ValueError as error:
        raise click.UsageError(str(error).removeprefix("program: ").replace("to=", "--to")) from None
    found = _exported(run_folder, dtype)
    any_batch = target is TARGETS["onnx"] and batch is None
    try:
        written = _written(found, target, identifier(out.stem), gradient, batch, any_batch)
    except NotImplementedError as error:
        raise InputError(str(error).removeprefix("program: ")) from None
    with outputs.new_file(out) as put:
        put(written if isinstance(written, bytes) else written.encode())
    print(f"Wrote {printable(out)}")
    return 0


class Exported(NamedTuple):
    """A trained model as functions.

    probabilities  of parameters and images
    loss           of parameters, images and targets
    image, target  the shape of one image and of one target
    """

    parameters: Any
    probabilities: Callable[..., Any]
    loss: Callable[..., Any]
    image: tuple[int, ...]
    target: tuple[int, ...]


def _exported(run: Path, dtype: str | None) -> Exported:
    trained = runs.read(run)
    found = _of_recipe(trained) if trained is not None else _of_article(weights.read_weights(run), run)
    if dtype is None:
        return found
    return found._replace(parameters=tg.tree.map(lambda x: x.astype(dtype), found.parameters))


def _of_recipe(trained: runs.Trained) -> Exported:
    def probabilities(p: Any, x: Any) -> Any:
        return tg.nn.softmax(p(x))

    def loss(p: Any, x: Any, y: Any) -> Any:
        return cnn.loss(p, x, y)

    classes = _listed(trained.classes)
    seen = "x: ink of the pictures, (batch, 1, 28, 28), 0..1: tinygrad_cnn.circle_square.ink.as_input(ink(pictures))."
    probabilities.__doc__ = f"The probability of each class, (batch, {len(trained.classes)}): {classes}.\n\n{seen}"
    loss.__doc__ = f"The mean cross-entropy.\n\n{seen}\ny: a row of probabilities for each: {classes}."
    return Exported(trained.model, probabilities, loss, (1, 28, 28), (len(trained.classes),))


def _of_article(trained: weights.Trained, run: Path) -> Exported:
    def probabilities(p: model.Parameters, x: Any) -> Any:
        sigma = model.forward(x, p).sigma.T
        return np.concatenate([1 - sigma, sigma], axis=1)

    def robust(p: model.Parameters, x: Any, y: Any) -> Any:
        return model.loss_on_logits(model.forward(x, p).fc, y)

    def published(p: model.Parameters, x: Any, y: Any) -> Any:
        return gradient_program.loss(p, x, y)

    scaling = trained.scaling
    shade = "255 - grey" if scaling.invert else "grey"
    seen = f"x: drawings, (batch, 28, 28): ({shade}) * {scaling.top} / 255, where grey is 0..255 and dark on light."
    probabilities.__doc__ = f"The probability of each class, (batch, 2): {_listed(trained.classes)}.\n\n{seen}"
    loss = robust if run.is_dir() and weights.read_start(run)[0] == "robust" else published
    which = "The mean cross-entropy, on logits" if loss is robust else "The article's loss, with its epsilon"
    loss.__doc__ = f"{which}.\n\n{seen}\ny: (batch, 1), 0 for {trained.classes[0]}, 1 for {trained.classes[1]}."
    return Exported(trained.parameters, probabilities, loss, (28, 28), (1,))


def _listed(classes: tuple[str, ...]) -> str:
    return ", ".join(map(printable, classes))


def _written(
    found: Exported, target: Target, name: str, gradient: bool, batch: int | None, any_batch: bool
) -> str | bytes:
    """The content of the file."""
    parameters = found.parameters
    n = batch or (_no_other_length(found) if any_batch else 1)
    dtype = tg.tree.flatten(parameters).leaves[0].dtype
    x, y = np.ones((n, *found.image), dtype), np.ones((n, *found.target), dtype)
    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    is_graph = target is TARGETS["onnx"]
    if gradient:
        function, arguments = tg.value_and_grad(found.loss), (parameters, x, y)
    elif is_graph:
        function, arguments = found.probabilities, (parameters, x)
    else:

        def probabilities(x: Any) -> Any:
            return found.probabilities(parameters, x)

        function, arguments = probabilities, (x,)
    made = tg.program(function)(*arguments)
    given: dict[str, Any] = {}
    if is_graph:  # the weights, which need not be given
        given = {"values": dict(_named(parameters)), "fixed": not gradient}
    if any_batch:
        listings, sizes = at_sizes(function, made.listing)
        given.update(batch="batch", others=listings[1:], sizes=sizes)
    return target.written(made.listing, name, **given)


def _no_other_length(found: Exported) -> int:
    """A length for a batch that no other axis has."""
    shapes = [x.shape for x in tg.tree.flatten(found.parameters).leaves]
    others = {n for shape in [*shapes, found.image, found.target] for n in shape}
    return next(n for n in itertools.count(2) if n not in others)


def _named(parameters: Any) -> list[tuple[str, Any]]:
    flat = tg.tree.flatten({"p": parameters})
    return list(zip(flat.names, flat.leaves, strict=True))
