"""What is public is enough: the article's system, `circle_square`, and the recipes are written with it alone."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import tinygrad_cnn as tg
from tinygrad_cnn import circle_square, recipes

# Beside the public names of the package, these modules, which know nothing of Tensors: files that are written whole or
# not at all, text from outside that is escaped, source that is highlighted, and packages that may be missing.
SUPPORT = {"tinygrad_cnn.files", "tinygrad_cnn.escaping", "tinygrad_cnn.extras", "tinygrad_cnn.highlighting"}
MODULES = sorted(path for package in (circle_square, recipes) for path in Path(package.__file__).parent.glob("*.py"))
PACKAGES = ("tinygrad_cnn.circle_square", "tinygrad_cnn.recipes")
PUBLIC = {"tinygrad_cnn", "tinygrad_cnn.train"}


def imported(tree: ast.Module) -> set[str]:
    """The modules of the package that are imported, wherever in the module that is."""
    names = set()
    for statement in ast.walk(tree):
        if isinstance(statement, ast.Import):
            names |= {alias.name for alias in statement.names}
        elif isinstance(statement, ast.ImportFrom):
            assert statement.level == 0, "relative imports would not be seen here"
            names |= {
                f"{statement.module}.{alias.name}" if statement.module == "tinygrad_cnn" else str(statement.module)
                for alias in statement.names
            }
    return {name for name in names if name.split(".")[0] == "tinygrad_cnn"}


def dotted(node: ast.expr) -> list[str]:
    """`tg.check.gradients` as ["tg", "check", "gradients"]; empty if it does not begin with a name."""
    if isinstance(node, ast.Name):
        return [node.id]
    if isinstance(node, ast.Attribute) and (before := dotted(node.value)):
        return [*before, node.attr]
    return []


@pytest.mark.parametrize("path", MODULES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_it_is_written_with_the_public_api_alone(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    others = {name for name in imported(tree) if not name.startswith(PACKAGES)}
    assert others <= PUBLIC | SUPPORT | {f"tinygrad_cnn.{name}" for name in tg.__all__}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Attribute):
            continue
        assert node.attr != "node", f"line {node.lineno}: a Tensor's node is not public"
        private = node.attr.startswith("_") and not node.attr.startswith("__")
        assert not private, f"line {node.lineno}: {node.attr} is private"
        name = dotted(node)
        if name[:1] == ["tg"]:
            assert name[1] in tg.__all__ or name[1] == "__version__", f"line {node.lineno}: tg.{name[1]} is not public"
            if name[1:2] in (["check"], ["nn"], ["train"], ["tree"]) and len(name) > 2:
                public = getattr(getattr(tg, name[1]), "__all__", dir(getattr(tg, name[1])))
                assert name[2] in public, f"line {node.lineno}: tg.{name[1]}.{name[2]} is not public"


def test_nothing_of_the_article_is_public() -> None:
    words = ("circle", "square", "printed", "shifted", "hand_derived", "published", "drawing", "article")
    assert [name for name in tg.__all__ if any(word in name.lower() for word in words)] == []
