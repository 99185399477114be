"""`tinygrad-cnn program`: the article's loss and gradient as a program of NumPy."""

from __future__ import annotations

from pathlib import Path

import click

from tinygrad_cnn.circle_square import beside as side_by_side
from tinygrad_cnn.circle_square import data, outputs
from tinygrad_cnn.circle_square.gradient_program import beside_hand_derived, gradient_program
from tinygrad_cnn.circle_square.tasks import TASKS
from tinygrad_cnn.circle_square.training import PUBLISHED_SEED, start_of
from tinygrad_cnn.cli import options
from tinygrad_cnn.escaping import printable


@click.command()
@options.task
@click.option("--lines", is_flag=True, help="Add to each line which line of the model it is from.")
@click.option("--beside", is_flag=True, help="Print each step beside the hand-derived one instead.")
@click.option("--html", type=options.path, help="With --beside: write a page to this file instead.")
@click.option("--out", type=options.path, show_default="standard output", help="The file to write.")
def program(task: str, lines: bool, beside: bool, html: Path | None, out: Path | None) -> int:
    """Print the article's loss and gradient as a program.

    It is what the engine computes, written out as NumPy that runs by itself.
    """
    if html is not None and (not beside or out is not None):
        raise click.UsageError("--html is the page of --beside; expected --beside, and no --out")
    drawings = data.bundled(TASKS[task]).train
    made = gradient_program(start_of("published", PUBLISHED_SEED), data.Scaling()(drawings.grey), drawings.y)
    if html is not None:
        text, out = side_by_side.as_page(beside_hand_derived(made)), html
    elif beside:
        text = side_by_side.as_text(beside_hand_derived(made))
    else:
        text = made.source(lines=lines)
    if out is None:
        print(text.rstrip())
        return 0
    with outputs.new_file(out) as put:
        put(text.encode())
    print(f"Wrote {printable(out)}")
    return 0
