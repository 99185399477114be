"""The commands of `tinygrad-cnn`, one module each."""

from __future__ import annotations

import click

import tinygrad_cnn as tg
from tinygrad_cnn.cli.check import check
from tinygrad_cnn.cli.draw import draw
from tinygrad_cnn.cli.graph import graph
from tinygrad_cnn.cli.predict import predict
from tinygrad_cnn.cli.program import program
from tinygrad_cnn.cli.train import train


@click.group(context_settings={"help_option_names": ["-h", "--help"], "show_default": True, "max_content_width": 100})
@click.version_option(tg.__version__, prog_name="tinygrad-cnn")
def command() -> None:
    """Train and inspect a CNN with one convolution that distinguishes circles from squares."""


for _command in (train, check, graph, program, predict, draw):
    _command.short_help = (_command.help or "").split(".")[0] + "."  # whole: Click would cut it off
    command.add_command(_command)
