"""report.html: one page that shows a run in the order of the article's sections, and loads nothing from elsewhere."""

from __future__ import annotations

import base64

from tinygrad_cnn.circle_square.experiment import Result
from tinygrad_cnn.circle_square.gradient_check import difference, largest
from tinygrad_cnn.extras import extra

with extra("cnn", "the report of a run"):
    import jinja2

_templates = jinja2.Environment(
    loader=jinja2.PackageLoader("tinygrad_cnn.circle_square"),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def page(
    result: Result,
    other: Result | None,
    pictures: dict[str, bytes],
    dark: dict[str, bytes],
    graph: str,
    versions: dict[str, str],
) -> str:
    """The page, as HTML.

    pictures, dark: PNG files by name, in dark colours on light and the reverse; graph: the model as SVG; other: the
    result of the other recipe on the same images.
    """
    return _templates.get_template("report.html").render(
        result=result,
        other=other,
        how=result.settings.resolved(),
        graph="data:image/svg+xml;base64," + base64.b64encode(graph.encode()).decode(),
        pictures={name: _inline(png) for name, png in pictures.items()},
        dark={name: _inline(png) for name, png in dark.items()},
        versions=versions,
        milestones=[n for n in range(len(result.losses)) if n % 50 == 0 or n == len(result.losses) - 1],
        difference=difference,
        largest=largest,
        percent=lambda share: f"{100 * share:.0f} %",
    )


def _inline(png: bytes) -> str:
    """A picture as a data URL."""
    return "data:image/png;base64," + base64.b64encode(png).decode()
