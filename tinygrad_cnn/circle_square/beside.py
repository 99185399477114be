"""The article's program and its hand-derived gradient, side by side: as text, as Markdown and as a page of HTML."""

from __future__ import annotations

from tinygrad_cnn.circle_square.gradient_program import Step
from tinygrad_cnn.extras import extra
from tinygrad_cnn.highlighting import highlighted

with extra("cnn", "the page of a program"):
    import jinja2
    import markupsafe

_templates = jinja2.Environment(
    loader=jinja2.PackageLoader("tinygrad_cnn.circle_square"), autoescape=True, undefined=jinja2.StrictUndefined
)
TITLES = ("The forward pass", "The gradient")


def as_text(parts: tuple[list[Step], list[Step]]) -> str:
    """For a terminal: each step of the program above the hand-derived one."""
    lines = []
    for title, steps in zip(TITLES, parts, strict=True):
        lines += [f"{title}:", ""]
        for step in steps:
            lines += [f"program       {line}" for line in step.program.splitlines()]
            lines += [f"hand-derived  {line}" for line in step.derived.splitlines()]
            lines.append("")
    return "\n".join(lines)


def as_markdown(parts: tuple[list[Step], list[Step]]) -> str:
    """For the documentation: a block of code for each part."""
    blocks = []
    for title, steps in zip(TITLES, parts, strict=True):
        pairs = []
        for step in steps:
            ours = [f"{line}  # program" for line in step.program.splitlines()]
            theirs = [f"{line}  # hand-derived" for line in step.derived.splitlines()]
            pairs.append("\n".join([*ours, *theirs]))
        blocks.append(f"#### {title}\n\n```python\n" + "\n\n".join(pairs) + "\n```\n")
    return "\n".join(blocks)


def as_page(parts: tuple[list[Step], list[Step]]) -> str:
    """A page that stands alone; every character of the code is escaped."""
    named = [{"title": title, "steps": steps} for title, steps in zip(TITLES, parts, strict=True)]
    return _templates.get_template("beside.html").render(parts=named, code=_code)


def _code(source: str) -> markupsafe.Markup:
    return markupsafe.Markup(highlighted(source, classes=True))  # which escapes
