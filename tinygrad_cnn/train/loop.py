"""fit: the training loop."""

from __future__ import annotations

import functools
import math
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinygrad_cnn import tree
from tinygrad_cnn.train import arguments
from tinygrad_cnn.train.checkpoints import Checkpoints, described_data
from tinygrad_cnn.train.data import STEP, generator, loader_of
from tinygrad_cnn.train.descriptions import described
from tinygrad_cnn.train.interruption import noted
from tinygrad_cnn.train.measurement import Measurement, Metric
from tinygrad_cnn.train.progress import bar
from tinygrad_cnn.train.run import Best, History, Run, is_finite
from tinygrad_cnn.train.steps import Loss, ParallelRunner, Runner, fetched, plain, update_step


@dataclass(frozen=True)
class Epoch:
    """What a callback gets after each epoch: its number, counted from 1, and what was measured.

    metrics  those that `fit` was given, by name
    best     whether the validation loss is the lowest so far
    """

    number: int
    loss: float
    validation_loss: float | None
    metrics: dict[str, float]
    best: bool
    model: Any
    state: Any


@dataclass(frozen=True)
class Fitted:
    """What `fit` returns.

    model, state  those after the epoch with the lowest validation loss; without validation after the last epoch
    history       lists with an item for each epoch: "epoch", "loss", "validation_loss", the metrics, "seconds"
    best_epoch    the epoch after which the model was as it is, counted from 1; 0 if there is none
    stopped       why the training ended before its last epoch; None if it did not
    backend       how the steps were run: "c", "numpy" (see `tg.compile`), or "eager", with the reason after a colon;
                  empty if there was none
    optimiser     the state of the optimiser at the end
    """

    model: Any
    state: Any
    history: History
    best_epoch: int
    stopped: str | None
    backend: str
    optimiser: Any


def fit(
    model: Any,
    loss: Callable[..., Any],
    data: Any,
    optimiser: Any,
    *,
    epochs: int,
    batch_size: int | None = None,
    validation: Any = None,
    metrics: dict[str, Metric] | None = None,
    state: Any = None,
    seed: int = 0,
    patience: int | None = None,
    callbacks: Sequence[Callable[[Epoch], Any]] = (),
    checkpoints: str | os.PathLike[str] | None = None,
    every: int = 1,
    resume: bool | None = None,
    progress: bool | None = None,
    compiled: bool = True,
    devices: int | None = None,
) -> Fitted:
    """Train a model: `epochs` times over the data, with a step of the optimiser for each batch.

    model        any tree of parameters; Tensors in it become arrays
    loss         loss(model, x, y) gives a number. With `state`, or a parameter of that name, loss(model, state, x, y)
                 gives (number, new state). If it has a parameter `rng`, it gets a Generator for each step, and None for
                 the validation
    data         arrays (x, y), shuffled by `seed` in each epoch, or a DataLoader
    optimiser    one of `nn`, or an object with the same methods `init` and `update`
    batch_size   by default 32, or all examples if there are fewer
    validation   (x, y) or a DataLoader, of which the loss is measured after each epoch
    metrics      functions of the loss's arguments without `rng`, by name; they are measured on the validation data, or
                 without it on the training data, and averaged over the examples
    patience     stop when the validation loss has not improved for so many epochs
    callbacks    functions of an `Epoch`, called after each; one that returns True stops the training
    checkpoints  a folder, which gets a checkpoint after each `every` epochs, at the end, and at Ctrl-C and SIGTERM; the
                 last two are kept
    resume       continue from the last checkpoint in the folder, if there is one: the result is the same, bit for bit,
                 as if the training had not been interrupted
    progress     whether to show a progress bar on stderr; by default where that is a terminal and Rich is installed
    compiled     whether to run steps as programs of `tg.compile`, where they can be traced
    devices      run steps on so many devices of JAX's instead, each with its part of the batch; see `tg.data_parallel`

    Ctrl-C ends the training after the step that runs, and what it has found is returned. So does a loss that is not
    finite. Raises ValueError for data or arguments that do not fit together, or for checkpoints of another training.
    If several processes train, joined by `jax.distributed`, each calls this with the same arguments, the first one
    writes the checkpoints, and ConnectionError is raised when one of them has ended.

    >>> import numpy as np, tinygrad_cnn as tg
    >>> x = np.linspace(-1, 1, 20)
    >>> loss = lambda p, x, y: np.mean((p["w"] * x - y) ** 2)
    >>> fitted = tg.train.fit({"w": np.zeros(())}, loss, (x, 3 * x), tg.SGD(0.5), epochs=20, batch_size=10)
    >>> round(float(fitted.model["w"]), 3), len(fitted.history["loss"])
    (3.0, 20)
    """
    metrics = metrics or {}
    arguments.check(
        epochs=epochs, every=every, patience=patience, seed=seed, optimiser=optimiser, metrics=metrics,
        callbacks=callbacks, validation=validation, checkpoints=checkpoints, resume=resume,
    )  # fmt: skip
    loader = loader_of("data", data, batch_size, seed, shuffle=True)
    held_out = None if validation is None else loader_of("validation", validation, None)
    uniform = Loss(loss, state)
    step: Any = Runner(update_step(uniform, optimiser), compiled)
    if devices is not None:
        arguments.check_shares(loader.batch_size, devices)
        step = ParallelRunner(update_step(uniform, optimiser), devices)
        progress = progress if step.writes else False
    measure = Measurement(uniform, metrics, loader, held_out, compiled)
    model, state = tree.map(plain, model), tree.map(plain, state)
    run = Run(model, state, optimiser.init(model), Best(0, model, state))
    store = None
    if checkpoints is not None:
        about = {**described_data(loader), "seed": seed, "optimiser": described(optimiser), "compiled": compiled}
        store = Checkpoints(checkpoints, about)
        run = store.resume(run) if resume else store.begin(run)
    done = run.epoch * len(loader) + run.batch
    with noted(terminate=store is not None) as interrupted:
        stopped = run.over(patience)
        with bar(progress, epochs * len(loader), done) as show:
            while run.epoch < epochs and not stopped and not interrupted():
                began = time.perf_counter() - run.seconds
                for k, (x, y) in enumerate(loader.batches(run.epoch, run.batch), run.batch):
                    rng = functools.partial(generator, seed, STEP, run.epoch, k) if uniform.takes_rng else None
                    value, *after = step(run.model, run.state, run.memory, x, y, rng)
                    run.note_backend(step.backend)
                    if not math.isfinite(value):
                        stopped = f"the loss is {value} in epoch {run.epoch + 1}, batch {k + 1}"
                        break
                    run.after_step(float(value), len(x), *after)
                    show(f"epoch {run.epoch + 1} of {epochs}, loss {run.losses / run.examples:.4g}")
                    if interrupted():
                        break
                run.model, run.state, run.memory = tree.map(fetched, (run.model, run.state, run.memory))
                run.seconds = time.perf_counter() - began
                if run.batch == len(loader) and not is_finite(run.model):
                    stopped = f"the parameters are not finite after epoch {run.epoch + 1}"
                elif run.batch == len(loader):
                    run.after_epoch(measure(run.model, run.state))
                    answers = [callback(_epoch(run, metrics)) for callback in callbacks]
                    if any(isinstance(answer, bool | np.bool_) and answer for answer in answers):
                        run.stopped = f"a callback asked for it after epoch {run.epoch}"
                    stopped = run.over(patience)
                    if store and step.writes and run.epoch % every == 0:
                        store.write(run)
        if store and step.writes:
            store.write(run)
        kept = run.best
        if interrupted() and run.epoch < epochs and not stopped:
            stopped = f"interrupted in epoch {run.epoch + 1}, after {run.batch} of {len(loader)} batches"
            which = f"the best model, after epoch {kept.epoch},"
            if is_finite(run.model) and (held_out is None or not kept.epoch):
                kept, which = Best(run.epoch, run.model, run.state), "the current model"
            resuming = f"; resume=True continues from {store.folder}" if store else ""
            print(f"fit: {stopped}; {which} is returned{resuming}", file=sys.stderr)
    backend = step.backend or " and ".join(run.ways)
    return Fitted(kept.model, kept.state, run.history, kept.epoch, stopped, backend, run.memory)


def _epoch(run: Run, metrics: dict[str, Metric]) -> Epoch:
    """The record of the epoch that has ended."""
    last = {name: values[-1] for name, values in run.history.items()}
    measured = {name: last[name] for name in metrics}
    best = run.best.epoch == run.epoch
    return Epoch(run.epoch, last["loss"], last.get("validation_loss"), measured, best, run.model, run.state)
