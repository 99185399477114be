"""Pictures on light pages and on dark ones.

Those of the article are made at each build. NAME_light.png gives way to NAME_dark.png, if there is one, on a dark page;
NAME.svg to NAME_still.svg, for a reader who wants no motion.
"""

from __future__ import annotations

import importlib.util
import re
import shutil
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.transforms import SphinxTransform

DOCS = Path(__file__).parent.parent


class Themes(SphinxTransform):
    """Beside a light picture, put the dark one; each is shown where it fits."""

    default_priority = 10  # before Sphinx collects the images

    def apply(self, **keywords: Any) -> None:
        """Go through the pictures of a page."""
        folder = Path(self.document["source"]).parent
        for image in list(self.document.findall(nodes.image)):
            uri = image["uri"]
            if uri.endswith(".svg"):
                image["classes"].append("dark-light")  # follows the theme by itself
            for name, here, there in (
                (uri.replace("_light.", "_dark."), "only-light", "only-dark"),
                (uri.replace(".svg", "_still.svg"), "moving", "still"),
            ):
                if name != uri and (folder / name).exists():
                    other = image.deepcopy()
                    other["uri"] = name
                    image["classes"].append(here)
                    other["classes"].append(there)
                    image.parent.insert(image.parent.index(image) + 1, other)


SHOWN_WHERE = re.compile(r"only-\w+|moving|still")  # the classes that `Themes` gives a picture; its link has them too
IMAGE = re.compile(r'<img (?:[^>]* )?src="([^"]*_images/[^"]*)"[^>]*>')


def open_at_a_tap(app: Any, name: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Make a picture a link to itself: on a narrow page it is small."""

    def link(found: re.Match[str]) -> str:
        given = re.search(r'class="([^"]*)"', found[0])
        shown_where = [name for name in (given[1] if given else "").split() if SHOWN_WHERE.fullmatch(name)]
        return f'<a class="{" ".join(["picture", *shown_where])}" href="{found[1]}">{found[0]}</a>'

    if "body" in context:
        context["body"] = IMAGE.sub(link, context["body"])


def replace_figures(app: Any, exception: Exception | None) -> None:
    """Put the article's figures, made by this build, in the place of those that a forge shows."""
    if exception or app.builder.format != "html":
        return
    spec = importlib.util.spec_from_file_location("article_figures", DOCS / "article_figures.py")
    figures = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(figures)
    made = Path(app.doctreedir) / "figures"
    if not made.is_dir():
        figures.make(made)
    for name, copied in app.builder.images.items():
        if name.startswith("images/article/"):
            shutil.copy(made / Path(name).name, Path(app.outdir) / "_images" / copied)


def setup(app: Any) -> dict[str, bool]:
    """Connect them."""
    app.add_transform(Themes)
    app.connect("html-page-context", open_at_a_tap)
    app.connect("build-finished", replace_figures)
    return {"parallel_read_safe": True}
