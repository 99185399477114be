"""The colours of figures and cards, light and dark: those of pictures of the graph."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

Theme = Literal["light", "dark"]


class Palette(NamedTuple):
    """Colours: paper, writing, lines; what is of training, or right; what is of the test, or wrong.

    Blue and orange can be distinguished with nearly all kinds of colour blindness; right and wrong have a sign too.
    """

    paper: str
    ink: str
    faint: str
    line: str
    training: str
    test: str


PALETTES: dict[Theme, Palette] = {
    "light": Palette("#ffffff", "#1b1f24", "#5b6470", "#c9d1db", "#1f5fae", "#b2531d"),
    "dark": Palette("#14181d", "#e6eaef", "#9aa5b1", "#3a434e", "#6fa8ef", "#f0a06a"),
}


def on_paper(grey: Any, theme: Theme) -> Any:
    """Drawings in grey, 0 to 255: dark on light as they come, or bright on dark."""
    return 255 - grey if theme == "dark" else grey
