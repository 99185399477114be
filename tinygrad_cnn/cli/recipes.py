"""`tinygrad-cnn recipes`: the ways to train, and what each reaches."""

from __future__ import annotations

import json

import click
from rich.console import Console

from tinygrad_cnn.recipes import CATALOGUE


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print a list as JSON.")
def recipes(as_json: bool) -> int:
    """List the recipes, what each reaches on drawings by people, and the command that measured it."""
    if as_json:
        print(json.dumps([recipe._asdict() for recipe in CATALOGUE], indent=1))
        return 0
    console = Console(highlight=False, soft_wrap=True)
    for recipe in CATALOGUE:
        console.print(f"[bold]{recipe.name}[/]  {recipe.what}")
        for reached, command in zip(recipe.reaches, recipe.measure, strict=True):
            console.print(f"  {reached}\n    [dim]{command}[/]")
    console.print("\nDIR has a folder of drawings for each class. Train with tinygrad-cnn train --recipe NAME.")
    return 0
