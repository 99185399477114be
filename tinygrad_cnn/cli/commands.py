"""The commands of `tinygrad-cnn`, one module each, imported when asked for: drawing libraries take half a second."""

from __future__ import annotations

import importlib

import click

import tinygrad_cnn as tg
from tinygrad_cnn.extras import MissingExtraError

NAMES = (
    "train", "learn", "recipes", "evaluate", "experiment", "predict", "check", "graph", "program", "export", "draw",
    "live",
)  # fmt: skip


class _Missing(click.Command):
    """A command whose extra is not installed: it says so, whatever it is given."""

    def __init__(self, name: str, error: MissingExtraError) -> None:
        super().__init__(name, help=f"Needs pip install 'tinygrad-cnn[{error.extra}]'.")
        self.error = error

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Refuse."""
        raise self.error


class _Commands(click.Group):
    """The command `name` is the function of that name in the module of that name."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Their names, in the order of the help page."""
        return list(NAMES)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """The command of that name, or None."""
        if name not in NAMES:
            return None
        try:
            found: click.Command = getattr(importlib.import_module(f"tinygrad_cnn.cli.{name}"), name)
        except MissingExtraError as error:
            found = _Missing(name, error)
        found.short_help = (found.help or "").split(".")[0] + "."  # whole: Click would cut it off
        return found


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"], "show_default": True, "max_content_width": 100},
)
@click.version_option(tg.__version__, prog_name="tinygrad-cnn")
def command() -> None:
    """Train and inspect CNNs that distinguish circles, squares and other drawings."""
