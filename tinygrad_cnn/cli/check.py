"""`tinygrad-cnn check`: the article's gradient, or that of a file, compared with autodiff and finite differences."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import numpy as np
from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from tinygrad_cnn.check.report import as_data
from tinygrad_cnn.check.report.as_data import comparison
from tinygrad_cnn.check.report.page import page
from tinygrad_cnn.check.report.terminal import rendered
from tinygrad_cnn.circle_square import data, findings, gradient_check, outputs, weights
from tinygrad_cnn.circle_square.errors import InputError
from tinygrad_cnn.circle_square.experiment import Settings, run
from tinygrad_cnn.circle_square.tasks import TASKS
from tinygrad_cnn.circle_square.training import PUBLISHED_SEED, published_start
from tinygrad_cnn.cli import options
from tinygrad_cnn.cli.checked_file import check_file


@click.command()
@click.argument("file", type=options.path, required=False)
@options.drawings
@click.option(
    "--at",
    type=click.Choice(["initial", "trained"]),
    default="initial",
    help="The parameters to check at: those that the published recipe starts with, or those that it trains.",
)
@click.option(
    "--run",
    "run_folder",
    type=options.path,
    help="Check at the trained parameters of this run instead: its folder, or its weights.safetensors.",
)
@click.option("--seed", type=options.SEEDS, default=PUBLISHED_SEED, help="The seed of the initial parameters.")
@click.option(
    "--loss",
    "claims",
    type=click.Choice(list(gradient_check.LOSSES)),
    default="printed",
    help="The loss to compare with. The article claims that its gradient is that of the printed loss.",
)
@click.option("--html", type=options.path, help="Also write the report to this file, as an HTML page.")
@click.option(
    "--seconds",
    type=float,
    callback=options.positive,
    help="How long the check of a FILE may take.  [default: as long as it takes]",
)
@click.option("--json", "as_json", is_flag=True, help="Print the results as JSON, and nothing else.")
def check(
    file: Path | None,
    task: str,
    folder: Path | None,
    split: str | None,
    split_seed: int,
    invert: bool,
    scale: float,
    at: str,
    run_folder: Path | None,
    seed: int,
    claims: Any,
    html: Path | None,
    seconds: float | None,
    as_json: bool,
) -> int:
    """Check a hand-derived gradient: the article's, on the training drawings, or that of a FILE.

    FILE is a file of Python that defines `loss`, a function of the parameters, `parameters`, and `by_hand`, their
    gradient or a function that returns it; also `names`, `losses` and `modules`, as `tg.check.gradients` takes them.

    The exit code is 0 if the gradients agree, 1 if they contradict each other, and 2 if nothing can be concluded.
    """
    if file is not None:
        options.refuse_others(
            "is for the article's gradient, and not for a FILE", ("file", "html", "as_json", "seconds")
        )
        return check_file(file, html, as_json, seconds)
    if seconds is not None:
        raise InputError("--seconds is for the gradient of a FILE. Pass one, as in tinygrad-cnn check model.py")
    what, scaling = TASKS[task], data.Scaling(invert, scale)
    drawings = options.load(what, folder, split, split_seed)
    if run_folder is not None:
        options.refuse_beside("--run", "at", "seed", "invert", "scale")
        trained = weights.read_weights(run_folder)
        trained.refuse_others(run_folder, drawings)
        parameters, scaling = trained.parameters, trained.scaling
        where = f"at the parameters of {run_folder}"
    elif at == "trained":
        parameters = run(Settings(what, seed=seed, scaling=scaling), drawings).final
        where = "at the parameters that the published recipe trains"
    else:
        parameters = published_start(np.random.RandomState(seed))
        where = f"at the initial parameters of the published recipe (seed {seed})"
    x, y, shown = scaling(drawings.train.grey), drawings.train.y, False if as_json else None
    if html is None:
        found = findings.investigate(x, y, parameters, claims, shown)
    else:
        with outputs.new_file(html) as put:
            found = findings.investigate(x, y, parameters, claims, shown)
            put(page(found.report, found.findings).encode(errors="backslashreplace"))
    if as_json:
        print(json.dumps(_as_data(found, where, claims), indent=1, allow_nan=False))
        return 0 if found.report.ok else 1
    console = Console(highlight=False)
    title = f"The gradient of the article's {what.name} model, hand-derived, on {len(drawings.train)} drawings"
    console.print(f"{options.shown(title)}\n{options.shown(where)}, against the {claims} loss:\n")
    console.print(rendered(found.report))
    console.print("\n[bold]Findings[/]")
    for number, finding in enumerate(found.findings, 1):
        mark = "[red]found[/]" if finding.found else "[green]not here[/]"
        console.print(f"\n{number}. [bold]{options.shown(finding.title)}[/] ({mark})")
        console.print(Padding(Text(finding.says), (0, 0, 0, 3)))
    if html is not None:
        console.print(f"\nPage: {options.shown(str(html))}", soft_wrap=True)
    return 0 if found.report.ok else 1


def _as_data(found: findings.Findings, where: str, claims: str) -> dict[str, Any]:
    """What `--json` prints."""
    return {
        "where": where,
        "loss": claims,
        "ok": found.report.ok,
        "parameters": {
            row.name: {
                "autodiff_vs_differences": comparison(row.autodiff_vs_differences),
                "hand_derived_vs_autodiff": comparison(row.hand_derived_vs_autodiff),
                "hand_derived_vs_differences": comparison(row.hand_derived_vs_differences),
            }
            for row in found.report.parameters
        },
        "steps": {
            step.name: {**comparison(step.given_upstream), "explanation": step.explanation}
            for step in found.report.steps
        },
        "another_loss": found.report.another_loss,
        "findings": [
            {
                "title": f.title,
                "found": f.found,
                "says": f.says,
                "numbers": {k: as_data.number(v) for k, v in f.numbers.items()},
            }
            for f in found.findings
        ],
    }
