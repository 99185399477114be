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

Theme = Literal["light", "dark", "auto"]


class Look(NamedTuple):
    """The fill, the border and the writing of a kind of box."""

    fill: str
    line: str
    ink: str


class Palette(NamedTuple):
    """The colours of a theme."""

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
)

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
)


def exchanged() -> dict[str, str]:
    """From each colour of the light theme to what it is in the dark one."""
    found = {}
    for light, dark in zip(LIGHT, DARK, strict=True):
        if isinstance(light, str) and isinstance(dark, str):
            found[light] = dark
    found |= {colour: DARK.changes[change] for change, colour in LIGHT.changes.items()}
    for kind, look in LIGHT.kinds.items():
        found |= dict(zip(look, DARK.kinds[kind], strict=True))
    for layer, look in LIGHT.layers.items():
        found |= dict(zip(look, DARK.layers[layer], strict=True))
    return found


PALETTES = {"light": LIGHT, "dark": DARK, "auto": LIGHT}

# From little to much, lighter to darker in every theme, so that a step is also seen in grey.
HEAT = ("#fff8e8", "#fdd49e", "#fdae61", "#e8743b", "#b5361c", "#7a0f0f")
SEVERITY = ("#fffdfb", "#fde0d0", "#f8b195", "#e2704f", "#b8302a", "#7a0b1c")


def on_scale(scale: tuple[str, ...], at: float) -> tuple[str, str]:
    """The colour at 0..1 on a scale, and what to write on it with, black or white: the same in both themes."""
    colour = scale[min(int(at * len(scale)), len(scale) - 1)]
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return colour, "#fffffe" if 0.299 * red + 0.587 * green + 0.114 * blue < 140 else "#1b1f22"


def dark_rules() -> str:
    """The rules of CSS that make a light picture dark, by exchanging its colours."""
    return "".join(
        f'[fill="{light}"]{{fill:{to}}}[stroke="{light}"]{{stroke:{to}}}' for light, to in exchanged().items()
    )


def scoped(style: str, name: str) -> str:
    """Rules that hold within elements of a class alone, for an SVG may stand in the middle of a page."""
    return re.sub(r"(^|[{}])([^{}@]+)\{", lambda m: f"{m[1]}.{name} {m[2]}{{", style)
