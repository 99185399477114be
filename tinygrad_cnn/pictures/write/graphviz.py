"""Graphviz, which lays a picture out: the system's `dot` if it is there, else the engine in pygraphviz's wheel."""

from __future__ import annotations

import contextlib
import os
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

from tinygrad_cnn import files

WHAT_TO_INSTALL = (
    "nothing here can lay out a graph: pip install 'tinygrad-cnn[render]', which has an engine in it, or else install "
    "Graphviz (apt-get install graphviz, brew install graphviz, winget install graphviz)"
)
_one_at_a_time = threading.Lock()  # Graphviz has global variables


class NoEngineError(RuntimeError):
    """There is neither a Graphviz nor pygraphviz with an engine of its own."""


def laid_out(dot: str, format: str, folder: Path | None = None, dpi: int | None = None) -> bytes:
    """`dot` as a file of `format`: "svg", "png" or "pdf". Thumbnails are looked for in `folder`.

    dpi: pixels in an inch, of a PNG. Raises NoEngineError if nothing can lay it out.
    """
    source = dot
    if folder is not None:
        source = source.replace("digraph {", f'digraph {{ imagepath="{_quoted(folder)}"', 1)
    if dpi is not None:
        source = source.replace("digraph {", f"digraph {{ dpi={dpi}", 1)
    with _one_at_a_time, _fonts():
        return _by_system(source, format) or _by_wheel(source, format)


def _quoted(folder: Path) -> str:
    return str(folder).replace("\\", "/").replace('"', '\\"')


def _by_system(dot: str, format: str) -> bytes | None:
    """None if there is no `dot`, or one that cannot do this format."""
    try:
        import graphviz
    except ModuleNotFoundError:
        return None
    try:
        out: bytes = graphviz.pipe("dot", format, dot.encode(), quiet=True)
    except (graphviz.ExecutableNotFound, graphviz.CalledProcessError):
        return None
    return out


def _by_wheel(dot: str, format: str) -> bytes:
    try:
        import pygraphviz
    except ImportError:
        raise NoEngineError(WHAT_TO_INSTALL) from None
    import warnings

    graph = pygraphviz.AGraph(string=dot)
    try:
        with warnings.catch_warnings(), _complaints():
            warnings.simplefilter("ignore", RuntimeWarning)
            out = graph.draw(format=format, prog="dot")
    except ValueError as error:
        raise NoEngineError(
            f"pygraphviz cannot lay out a graph ({error}): install Graphviz, or pip install -U 'pygraphviz>=2.0.4'"
        ) from None
    finally:
        graph.close()
    return out if isinstance(out, bytes) else out.encode()


@contextlib.contextmanager
def _complaints() -> Iterator[None]:
    """What the engine's libraries write to the terminal themselves, kept from it: of fonts, and of bends in an edge."""
    try:
        kept = os.dup(2)
    except OSError:  # there is no terminal
        yield
        return
    with tempfile.TemporaryFile() as file:
        try:
            os.dup2(file.fileno(), 2)
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)


@contextlib.contextmanager
def _fonts() -> Iterator[None]:
    """Let there be fonts: the machine's, and those that matplotlib carries, where it is installed."""
    try:
        import matplotlib
    except ModuleNotFoundError:
        yield
        return
    known = os.environ.get("FONTCONFIG_FILE")
    folders = [os.environ.get("FONTCONFIG_PATH", ""), "/etc/fonts", "/usr/local/etc/fonts", "/opt/homebrew/etc/fonts"]
    usual = [known] if known else [f"{folder}/fonts.conf" for folder in folders if folder]
    with files.temporary_folder() as folder:
        config = folder / "fonts.conf"
        config.write_text(
            '<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig>'
            + "".join(f'<include ignore_missing="yes">{_xml(path)}</include>' for path in usual)
            + f"<dir>{_xml(matplotlib.get_data_path())}/fonts/ttf</dir>"
            + '<cachedir prefix="xdg">fontconfig</cachedir></fontconfig>',
            encoding="utf-8",
        )
        os.environ["FONTCONFIG_FILE"] = str(config)
        try:
            yield
        finally:
            if known is None:
                del os.environ["FONTCONFIG_FILE"]
            else:
                os.environ["FONTCONFIG_FILE"] = known


def _xml(path: str) -> str:
    import html

    return html.escape(path)
