"""`tinygrad-cnn train --recipe cnn` and `--recipe synthetic`: training with checkpoints, and continuing from one."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from tinygrad_cnn.circle_square import outputs
from tinygrad_cnn.circle_square.errors import InputError, reason
from tinygrad_cnn.cli import jax_engine, options
from tinygrad_cnn.lowering.jax_source.parallel import is_first_process
from tinygrad_cnn.recipes import cnn, runs, training
from tinygrad_cnn.recipes.training import Plan

OPTIONS = (
    "task", "folder", "split", "split_seed", "recipe", "classes", "epochs", "seed", "out", "as_json", "quiet",
    "verbose", "engine", "devices", "coordinator", "processes", "process",
)  # fmt: skip
OF_JAX = ("devices", "coordinator", "processes", "process")
WITH_RESUME = ("resume", "as_json", "quiet", "verbose", "engine", *OF_JAX)


def plan(
    recipe: Any,
    task: str,
    folder: str | None,
    classes: tuple[str, ...] | None,
    split: str | None,
    split_seed: int,
    seed: int | None,
    epochs: int | None,
) -> Plan:
    """The plan that options ask for. Raises InputError for what the recipe does not take."""
    if recipe == "synthetic" and split is not None:
        raise InputError("--split has no effect with --recipe synthetic: all drawings are for the test. Leave it out")
    if epochs == 0:
        raise InputError(f"--epochs 0 trains nothing with --recipe {recipe}; expected at least 1")
    return Plan(recipe, task, folder, classes, split, split_seed, seed or 0, cnn.EPOCHS if epochs is None else epochs)


def begin(console: Console, plan: Plan, out: Path | None, as_json: bool, devices: int | None = None) -> int:
    """Train anew. Checkpoints are kept beside the folder of the run until that is written.

    devices: see `train.fit`. Of several processes, the first writes the run.
    """
    if devices is not None and cnn.BATCH % devices:
        raise InputError(f"--devices {devices} cannot share a batch of {cnn.BATCH} equally; expected a divisor of it")
    drawings = plan.drawings()
    name = plan.task if plan.folder is None else "-".join(drawings.names[:4]).replace("/", "_")
    to = out or _free(Path("runs") / f"{name}-{plan.recipe}")
    checkpoints = checkpoints_of(to)
    if not _writes(devices):
        return _train_with_the_first(plan, drawings, to, devices, resume=False)
    if checkpoints.exists():
        raise InputError(
            f"{checkpoints}: here are checkpoints of a training that was interrupted. Continue it with --resume {to}, "
            "choose another --out, or remove them"
        )
    with contextlib.suppress(_Interrupted), outputs.new_folder(to) as aside:
        try:
            checkpoints.mkdir()
            runs.write_plan(checkpoints, plan, training.checksum(drawings))
        except OSError as error:
            raise InputError(f"{checkpoints}: cannot be written: {reason(error)}") from None
        return _train(console, plan, drawings, to, aside, as_json, resume=False, devices=devices)
    return 130


def resume(console: Console, to: Path, as_json: bool, devices: int | None = None) -> int:
    """Continue a training that was interrupted. devices: see `begin`."""
    checkpoints = checkpoints_of(to)
    if not checkpoints.is_dir():
        what = "it is finished" if to.is_dir() else "there is no such run"
        raise InputError(f"{to}: {what}; expected a run with its checkpoints in {checkpoints}, to resume")
    plan, expected = runs.read_plan(checkpoints)
    drawings = plan.drawings()
    if training.checksum(drawings) != expected:
        raise InputError(f"{to}: the drawings to train on, {drawings.source}, have changed since it began")
    if not _writes(devices):
        return _train_with_the_first(plan, drawings, to, devices, resume=True)
    with contextlib.suppress(_Interrupted), outputs.new_folder(to) as aside:
        return _train(console, plan, drawings, to, aside, as_json, resume=True, devices=devices)
    return 130


def _free(run: Path) -> Path:
    """A name that no run has, finished or not."""
    number, free = 1, run
    while os.path.lexists(free) or os.path.lexists(checkpoints_of(free)):
        number += 1
        free = run.with_name(f"{run.name}-{number}")
    return free


def checkpoints_of(run: Path) -> Path:
    """Where the checkpoints of a run are while it is trained."""
    return run.with_name(f"{run.name}.checkpoints")


class _Interrupted(Exception):  # noqa: N818 (it is no error)
    """Training was interrupted, and its folder is not to be written."""


def _writes(devices: int | None) -> bool:
    """Whether this process writes the run."""
    return devices is None or is_first_process()


def _train_with_the_first(plan: Plan, drawings: Any, to: Path, devices: int | None, resume: bool) -> int:
    """The same training as in the first process, which writes what comes of it."""
    result = _run(plan, drawings, to, lambda *epoch: None, resume, False, devices)
    return 1 if result.stopped else 0


def _run(
    plan: Plan,
    drawings: Any,
    to: Path,
    watch: Any,
    resume: bool,
    progress: bool | None,
    devices: int | None,
) -> training.Result:
    checkpoints = checkpoints_of(to) / "epochs"
    try:
        return training.run(
            plan, drawings, watch, checkpoints=checkpoints, resume=resume or None, progress=progress, devices=devices
        )
    except ConnectionError as error:
        jax_engine.end_without_others(error, f"tinygrad-cnn train --resume {to} continues")


def _train(
    console: Console,
    plan: Plan,
    drawings: Any,
    to: Path,
    aside: Path,
    as_json: bool,
    resume: bool,
    devices: int | None,
) -> int:
    for note in drawings.notes:
        console.print(f"[dim]{options.shown(note)}[/]")
    console.print(f"{len(drawings.train)} drawings of {options.shown(', '.join(drawings.names))}; {cnn.VARIANTS} "
                  f"variants of them, and {cnn.SCRIBBLES} scribbles")  # fmt: skip

    def watch(number: int, loss: float, trained: float, tested: float | None) -> None:
        test = "" if tested is None else f"   test {tested:6.1%}"
        console.print(f"epoch {number:2} of {plan.epochs}   loss {loss:.4f}   drawings right: {trained:6.1%}{test}")

    folder = checkpoints_of(to)
    bar = None if not console.quiet else False
    result = _run(plan, drawings, to, watch, resume, bar, devices)
    if result.stopped and result.stopped.startswith("interrupted"):
        print(f"tinygrad-cnn: {result.stopped}; tinygrad-cnn train --resume {to} continues", file=sys.stderr)
        raise _Interrupted
    runs.write(aside, result)
    shutil.rmtree(folder, ignore_errors=True)
    if as_json:
        sys.stdout.write((aside / "metrics.json").read_text())
    _show(console, result, to)
    return 1 if result.stopped else 0


def _show(console: Console, result: training.Result, to: Path) -> None:
    classes = result.data.names
    if result.test is not None:
        table = Table("drawn, predicted:", *[options.shown(name) for name in classes], box=box.SIMPLE_HEAD)
        for name, row in zip(classes, result.test.confusion, strict=True):
            table.add_row(options.shown(name), *[str(count) for count in row])
        console.print(table)
        console.print(f"Test: {result.test.sentence()}.")
        if len(result.test.labels) < 50:
            console.print(f"[dim]{len(result.test.labels)} drawings are no test: see the interval.[/]")
    else:
        console.print("No drawing was kept for a test: pass --split 12+2, or test it with tinygrad-cnn evaluate.")
    console.print(f"{len(result.losses)} epochs in {result.seconds:.1f} s.")
    if result.stopped:
        console.print(f"Training stopped: {options.shown(result.stopped)}.")
    console.print(f"Report: {options.shown(str(to / 'report.html'))}", soft_wrap=True)
