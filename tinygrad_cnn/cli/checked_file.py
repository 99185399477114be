"""`tinygrad-cnn check FILE.py`: the gradient that a file of anybody's derives, of the loss that it defines."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from rich.console import Console

from tinygrad_cnn.check import Report, gradients
from tinygrad_cnn.check.report.page import page
from tinygrad_cnn.check.report.terminal import rendered
from tinygrad_cnn.check.witnesses.raised import raised_at
from tinygrad_cnn.circle_square import outputs
from tinygrad_cnn.circle_square.errors import InputError
from tinygrad_cnn.cli import options

OPTIONAL = ("by_hand", "names", "losses", "modules")


def check_file(path: Path, html: Path | None, as_json: bool, seconds: float | None) -> int:
    """Check the gradient of a file, and print the report. The exit code: see `check`."""
    with contextlib.ExitStack() as stack:
        put = None if html is None else stack.enter_context(outputs.new_file(html))
        with _prints_go_elsewhere() if as_json else contextlib.nullcontext():
            report = _checked(path, seconds, as_json)
        if put is not None:
            put(page(report).encode(errors="backslashreplace"))
    if as_json:
        print(json.dumps({"file": str(path), **report.to_dict()}, indent=1, allow_nan=False))
    else:
        console = Console(highlight=False)
        console.print(rendered(report))
        if html is not None:
            console.print(f"\nPage: {options.shown(str(html))}", soft_wrap=True)
    return 0 if report.ok else 1 if report.contradicts else 2


def _checked(path: Path, seconds: float | None, as_json: bool) -> Report:
    module = _loaded(path)
    for name, what in (("loss", "a function of the parameters that returns one number"), ("parameters", "arrays")):
        if not hasattr(module, name):
            raise InputError(f"{path}: defines no {name!r}. Expected {what}, and by_hand, the hand-derived gradient")
    if not callable(module.loss):
        raise InputError(f"{path}: loss is of type {type(module.loss).__name__}. Expected a function of the parameters")
    given = {name: getattr(module, name) for name in OPTIONAL if hasattr(module, name)}
    progress = False if as_json else None
    try:
        parameters = module.parameters() if callable(module.parameters) else module.parameters
        return gradients(module.loss, parameters, seconds=seconds, progress=progress, **given)
    except Exception as error:
        raise InputError(f"{path}: {_in_a_line(error)}") from error


def _loaded(path: Path) -> ModuleType:
    """The file as a module. Raises InputError if it cannot be read, or if it fails."""
    if path.suffix != ".py":
        raise InputError(f"{path}: is not a file of Python. Expected a name that ends in .py")
    try:
        path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from None
    spec = importlib.util.spec_from_file_location(f"checked_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look for it there
    sys.path.insert(0, str(path.resolve().parent))
    try:
        spec.loader.exec_module(module)
    except SyntaxError as error:
        raise InputError(f"{path}: is no valid Python: {error.msg} (line {error.lineno})") from None
    except (Exception, SystemExit) as error:
        raise InputError(f"{path}: {_in_a_line(error)}") from error
    finally:
        sys.path.pop(0)
    return module


def _in_a_line(error: BaseException) -> str:
    """Where an exception was raised, and what it says, in one line."""
    at = raised_at(error)
    return " ".join((f"{at}{error}" if at else f"{type(error).__name__}: {error}").split())


@contextlib.contextmanager
def _prints_go_elsewhere() -> Iterator[None]:
    """A block in which what is printed goes to standard error, so that JSON is alone on standard output."""
    out = io.StringIO()
    try:
        with contextlib.redirect_stdout(out):
            yield
    finally:
        sys.stderr.write(out.getvalue())
