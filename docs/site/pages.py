"""Pages that are readable on a forge, as pages of a site.

- A page that is only a link to a Markdown file elsewhere in the repository becomes that file, with its links.
- The README of a folder of docs/ is the index of its pages.
- A link to such a file leads to its page here; one to another file downloads it; one to a folder is text.
- A link whose text is the name of a page has its title as text.
- The Korean edition has the text of `docs/ko/NAME.md` on each page that is translated: see `languages`.
- A block that is indented is Python, or a session of it, if it can be read as such.
- `tg.NAME` in code is a link to what the reference says of it, and `np.NAME`, if asked for, to NumPy's.
- `{api} MODULE`, with names below it, is what their docstrings say.
- `{command} NAME` is the help of `tinygrad-cnn NAME`.
"""

from __future__ import annotations

import ast
import contextlib
import importlib
import os
import re
from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.parsers.rst import Directive
from languages import SWITCH, page_of, translated_anchor, translation, with_contents_of
from sphinx.addnodes import pending_xref
from sphinx.transforms import SphinxTransform
from sphinx.transforms.post_transforms import SphinxPostTransform

DOCS = Path(__file__).parent.parent
ROOT = DOCS.parent
LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^)\s]+)\)")
PICTURE = re.compile(r'<picture>.*?<img src="([^"]*)" alt="([^"]*)">.*?</picture>', re.DOTALL)
SOURCE = re.compile(r'(<img src=")([^":]+)')
API = re.compile(r"^```\{api\} (\S+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
WHOLE = re.compile(r"\s*\[[^\]]*\]\((\.\./[^)]+\.md)\)\s*")


def elsewhere() -> dict[Path, Path]:
    """The Markdown files outside of docs/ that have a page here, and that page."""
    found = {}
    for page in DOCS.rglob("*.md"):
        if only := WHOLE.fullmatch(page.read_text(encoding="utf-8")):
            found[(page.parent / only[1]).resolve()] = page
    return found | {ROOT / "README.md": DOCS / "index.md", ROOT / "README.ko.md": DOCS / "ko" / "index.md"}


def title(page: Path) -> str:
    """The heading of a page, or of the file that it stands for."""
    text = page.read_text(encoding="utf-8")
    if only := WHOLE.fullmatch(text):
        return title((page.parent / only[1]).resolve())
    return re.search(r"^# (.*)$", text, re.MULTILINE)[1]


def on_site(text: str, source: Path, page: Path, known: dict[Path, Path], korean: bool = False) -> str:
    """Text of `source`, with links that are right on the site's `page`, of the Korean edition if `korean`."""

    def link(found: re.Match[str]) -> str:
        picture, words, target = found.groups()
        path, hash_, anchor = target.partition("#")
        if not path or re.match(r"[a-z]+:", target):
            return found[0]
        file = (source.parent / path).resolve()
        if file.is_dir():
            return words
        file = known.get(file, file)
        if words.strip("`").removeprefix("docs/") in (path, file.name) and file.suffix == ".md" and not anchor:
            words = title((korean and translation(file)) or file)
        if korean:
            anchor, file = translated_anchor(file, anchor), page_of(file)
        return f"{picture}[{words}]({os.path.relpath(file, page.parent)}{hash_}{anchor})"

    def source_of(found: re.Match[str]) -> str:
        return f"{found[1]}{os.path.relpath((source.parent / found[2]).resolve(), page.parent)}"

    return SOURCE.sub(source_of, LINK.sub(link, text))


def documented(found: re.Match[str]) -> str:
    """The directives of autodoc for the names in an `{api}` block."""
    module = importlib.import_module(found[1])
    lines = ["```{eval-rst}"]
    for name in found[2].split():
        thing = getattr(module, name)
        if not isinstance(thing, type):
            lines.append(f".. autofunction:: {found[1]}.{name}")
        elif issubclass(thing, Exception):
            lines.append(f".. autoexception:: {found[1]}.{name}")
        else:
            lines += [f".. autoclass:: {found[1]}.{name}", "    :members:"]
        lines.append("")
    return "\n".join([*lines, "```"])


def read_source(app: Any, name: str, content: list[str]) -> None:
    """Replace a page by the file that it stands for, and mend its links."""
    page = Path(app.env.doc2path(name))
    source, text = page, content[0]
    korean = app.config.language == "ko"
    if korean and (translated := translation(page)):
        source, text = translated, with_contents_of(translated.read_text(encoding="utf-8"), text)
        app.env.note_dependency(str(source))
    if only := WHOLE.fullmatch(text):
        source = (source.parent / only[1]).resolve()
        text = source.read_text(encoding="utf-8")
        app.env.note_dependency(str(source))
    if page.name == "README.md":
        text += "\n```{toctree}\n:hidden:\n:glob:\n\n[0-9]*\n```\n"
    text = PICTURE.sub(r"![\2](\1)", text)  # `figures` makes one of it that can stand still
    text = API.sub(documented, SWITCH.sub("", text))
    content[0] = on_site(text, source, page, app.config._elsewhere, korean)


class Names(SphinxPostTransform):
    """`tg.grad` in a text is a link; `np.tanh` too, where the inventory of NumPy's documentation is at hand."""

    default_priority = 5

    def run(self, **keywords: Any) -> None:
        """Look each literal up among the objects of the reference."""
        for node in list(self.document.findall(nodes.literal)):
            name = re.match(r"(tg|np)\.([A-Za-z_][\w.]*)", node.astext())
            if name is None or self.in_link(node):
                continue
            refuri = self.ours(name[2]) if name[1] == "tg" else self.of_numpy(name[2])
            if refuri is not None:
                reference = nodes.reference("", "", internal=name[1] == "tg", refuri=refuri)
                node.replace_self(reference)
                reference += node

    @staticmethod
    def in_link(node: nodes.Node) -> bool:
        """Whether it is a part of a link already, which may not be resolved yet."""
        while node.parent is not None:
            node = node.parent
            if isinstance(node, (nodes.reference, pending_xref)):
                return True
        return False

    def ours(self, name: str) -> str | None:
        """Where the reference has it."""
        entry = self.env.get_domain("py").objects.get(f"tinygrad_cnn.{name}")
        if entry is None:
            return None
        return f"{self.app.builder.get_relative_uri(self.env.docname, entry.docname)}#{entry.node_id}"

    def of_numpy(self, name: str) -> str | None:
        """Where NumPy's documentation has it: see NUMPY_LINKS in conf.py."""
        inventory = getattr(self.env, "intersphinx_inventory", {})
        found = (
            inventory.get(f"py:{kind}", {}).get(f"numpy.{name}") for kind in ("function", "class", "data", "module")
        )
        return next((item.uri for item in found if item is not None), None)


class Indented(SphinxTransform):
    """The language of a block of code that does not say its own."""

    default_priority = 20

    def apply(self, **keywords: Any) -> None:
        """Try to read each."""
        for block in self.document.findall(nodes.literal_block):
            if block.get("language", "none") not in ("none", "default"):
                continue
            text = block.astext()
            if text.lstrip().startswith(">>>"):
                block["language"] = "pycon"
                continue
            with contextlib.suppress(SyntaxError, ValueError):
                ast.parse(text)
                block["language"] = "python"


class Command(Directive):
    """The help of a command."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """What `tinygrad-cnn NAME --help` prints."""
        from click.testing import CliRunner

        from tinygrad_cnn.cli.commands import command

        (name,) = self.arguments
        words = [] if name == "tinygrad-cnn" else [name]
        text = CliRunner().invoke(command, [*words, "--help"], prog_name="tinygrad-cnn").output
        block = nodes.literal_block(text, text)
        block["language"] = "text"
        return [block]


def setup(app: Any) -> dict[str, bool]:
    """Connect them."""
    app.connect("config-inited", lambda app, config: setattr(config, "_elsewhere", elsewhere()))
    app.connect("source-read", read_source)
    app.add_transform(Indented)
    app.add_post_transform(Names)
    app.add_directive("command", Command)
    return {"parallel_read_safe": True}
