"""The engine's README names every module of it, in an order in which each imports only from those before it."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import tinygrad_cnn

ENGINE = Path(tinygrad_cnn.__file__).parent / "engine"
# What serves the modules beside it is read when it is met, and `mutation/`, the hard idea, last.
READ_LATER = {"conversions", "tape", "mutation"}


def order() -> list[str]:
    return re.findall(r"^\| \d+ \| `(\w+)\.py`", (ENGINE / "README.md").read_text(), re.MULTILINE)


def test_the_readme_names_every_module_once() -> None:
    assert sorted(order()) == sorted(path.stem for path in ENGINE.glob("*.py") if path.stem != "__init__")
    text = (ENGINE / "mutation" / "README.md").read_text()
    assert all(f"`{path.name}`" in text for path in (ENGINE / "mutation").glob("*.py") if path.stem != "__init__")


def test_each_module_imports_only_from_those_that_were_read_before() -> None:
    read: set[str] = set()
    for name in order():
        tree = ast.parse((ENGINE / f"{name}.py").read_text())
        modules = {
            part
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("tinygrad_cnn.engine")
            for part in ((node.module or "").split(".")[2:3] or [alias.name for alias in node.names])
        }
        assert modules <= read | READ_LATER, f"{name} imports {modules - read - READ_LATER}, which come later"
        read.add(name)


def test_the_engine_is_small() -> None:
    """At most 1,500 lines of code, blank lines, comments and docstrings left out: see the README at the top."""
    assert sum(map(lines_of_code, ENGINE.rglob("*.py"))) <= 1500


def lines_of_code(path: Path) -> int:
    source = path.read_text()
    left_out: set[int] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            docstring = node.body[0]
            left_out.update(range(docstring.lineno, (docstring.end_lineno or docstring.lineno) + 1))
    lines = enumerate(map(str.strip, source.splitlines()), 1)
    return sum(bool(line) and not line.startswith("#") and number not in left_out for number, line in lines)
