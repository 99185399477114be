"""Colours: two themes, and the scales of marks and of heat.

The kinds of layers differ in lightness too: their colours were searched for such that any two are far apart for people
who lack one kind of cones, and in grey (`tests/pictures/test_poster.py` states how far).

Shape and border also show what a thing is, so that a picture can be read in grey: forward is nearly white, backward has
a tint, parameters have a double border, constants a dashed one. Blue and orange can be distinguished with nearly all
kinds of colour blindness.
"""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

from tinygrad_cnn.pictures.view.outlines import COLOURS

Theme = Literal["light", "dark", "auto"]


class Look(NamedTuple):
    """The fill, the border and the writing of a kind of box."""

    fill: str
    line: str
    ink: str


Scale = tuple[tuple[str, str], ...]  # from little to much: the fill of a box, and what is written on it


class Palette(NamedTuple):
    """The colours of a theme.

    On its scales what is little is close to the paper, and what is much stands out from it: in the light theme they go
    from light to dark, in the dark one from dark to light. So a step is also seen in grey.
    """

    paper: str
    ink: str
    faint: str  # captions, shapes
    forward: str  # arrows
    backward: str
    frame: str  # the border of a group
    group: str  # its fill
    wrong: str
    changes: dict[str, str]  # of what was added, and what was removed
    kinds: dict[str, Look]
    layers: dict[str, Look]  # of posters
    heat: Scale  # of costs
    severity: Scale  # of marks


# Borders where an element is followed, in the colours that outlines in thumbnails have.
REACHED = {kind: "#{:02x}{:02x}{:02x}".format(*COLOURS[kind]) for kind in ("before", "after")}

# No colour stands for two things in the light theme, so that a picture is made dark by exchanging colours.
LIGHT = Palette(
    paper="#ffffff",
    ink="#1b1f24",
    faint="#5b6470",
    forward="#4a5563",
    backward="#b2531d",
    frame="#c9d1db",
    group="#f6f8fa",
    wrong="#b00020",
    changes={"added": "#1a7f37", "removed": "#b00021"},
    kinds={
        "input": Look("#e3f1ea", "#2c7a5b", "#10281e"),
        "parameter": Look("#dbe9fb", "#1f5fae", "#0d2340"),
        "constant": Look("#fdfdfd", "#8a939e", "#3b434d"),
        "primitive": Look("#fefefe", "#59636f", "#1b1f23"),
        "scope": Look("#eceff3", "#59636e", "#1b1f25"),
        "cotangent": Look("#fdefe3", "#b3541e", "#40200c"),
        "rule": Look("#fff9f4", "#cf8f68", "#40200d"),
    },
    layers={
        "convolution": Look("#9cc3fd", "#2f5f9e", "#0b1c31"),
        "linear": Look("#bb9eae", "#6f4560", "#26101d"),
        "loss": Look("#dba79f", "#8f4034", "#2f0f0a"),
        "pooling": Look("#b3fcc5", "#2a7a42", "#0c260f"),
        "activation": Look("#ebde98", "#7d6f17", "#2a2505"),
        "normalisation": Look("#82dcec", "#17707f", "#0a272c"),
    },
    heat=(
        ("#fff8e8", "#1c2021"), ("#fdd49e", "#1c2022"), ("#fdae61", "#1c2023"),
        ("#e8743b", "#1c2024"), ("#b5361c", "#fffffa"), ("#7a0f0f", "#fffffb"),
    ),
    severity=(
        ("#fffdfb", "#1c2025"), ("#fde0d0", "#1c2026"), ("#f8b195", "#1c2027"),
        ("#e2704f", "#1c2028"), ("#b8302a", "#fffffc"), ("#7a0b1c", "#fffffd"),
    ),
)  # fmt: skip

DARK = Palette(
    paper="#14181d",
    ink="#e6eaef",
    faint="#9aa5b1",
    forward="#aab4c0",
    backward="#f0a06a",
    frame="#3a434e",
    group="#1b2027",
    wrong="#ff8a8a",
    changes={"added": "#56d364", "removed": "#ff8a8b"},
    kinds={
        "input": Look("#173329", "#5fbf96", "#dff3ea"),
        "parameter": Look("#16304f", "#6fa8ef", "#e1edfc"),
        "constant": Look("#161a20", "#7b8692", "#c3cbd4"),
        "primitive": Look("#20262d", "#8d98a5", "#e6eaef"),
        "scope": Look("#2a313a", "#8d98a5", "#e6eaef"),
        "cotangent": Look("#3a2415", "#f0a06a", "#fbe6d8"),
        "rule": Look("#2a1e16", "#a8734f", "#fbe6d8"),
    },
    layers={
        "convolution": Look("#3c649f", "#8fb6f0", "#f0f5fd"),
        "linear": Look("#69407a", "#c795dc", "#f7effa"),
        "loss": Look("#775049", "#d6a398", "#faf1ef"),
        "pooling": Look("#253a27", "#7fb784", "#e5f6e7"),
        "activation": Look("#4c4822", "#c3bb6b", "#f8f5dc"),
        "normalisation": Look("#004451", "#5fb4c6", "#e2f6fa"),
    },
    heat=(
        ("#262320", "#ede9e4"), ("#4a3419", "#f3ece3"), ("#744515", "#fbf3ea"),
        ("#a55a12", "#ffffff"), ("#e58a34", "#1a1205"), ("#ffd08a", "#1a1206"),
    ),
    severity=(
        ("#20262c", "#e6eaee"), ("#452a2a", "#f6e6e4"), ("#713634", "#fdf0ee"),
        ("#a3403c", "#fffafa"), ("#f0806f", "#1f0604"), ("#ffb3a3", "#1f0605"),
    ),
)  # fmt: skip


def exchanged() -> dict[str, str]:
    """From each colour of the light theme to what it is in the dark one."""
    found = {}
    for colour, other in zip(LIGHT, DARK, strict=True):
        if isinstance(colour, str) and isinstance(other, str):
            found[colour] = other
    found |= {colour: DARK.changes[change] for change, colour in LIGHT.changes.items()}
    for kind, look in LIGHT.kinds.items():
        found |= dict(zip(look, DARK.kinds[kind], strict=True))
    for layer, look in LIGHT.layers.items():
        found |= dict(zip(look, DARK.layers[layer], strict=True))
    for light, dark in ((LIGHT.heat, DARK.heat), (LIGHT.severity, DARK.severity)):
        for pair, to in zip(light, dark, strict=True):
            found |= dict(zip(pair, to, strict=True))
    return found


PALETTES = {"light": LIGHT, "dark": DARK, "auto": LIGHT}


def on_scale(scale: Scale, at: float) -> tuple[str, str]:
    """The colour at 0..1 on a scale, and what to write on it with."""
    return scale[min(int(at * len(scale)), len(scale) - 1)]


def dark_rules() -> str:
    """The rules of CSS that make a light picture dark, by exchanging its colours."""
    return "".join(
        f'[fill="{light}"]{{fill:{to}}}[stroke="{light}"]{{stroke:{to}}}' for light, to in exchanged().items()
    )


def scoped(style: str, name: str) -> str:
    """Rules that hold within elements of a class alone, for an SVG may stand in the middle of a page."""
    return re.sub(r"(^|[{}])([^{}@]+)\{", lambda m: f"{m[1]}.{name} {m[2]}{{", style)
