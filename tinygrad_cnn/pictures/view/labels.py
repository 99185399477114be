"""How shapes, numbers, static arguments and names are written in every picture."""

from __future__ import annotations

import unicodedata
from typing import Any

import numpy as np

LONGEST = 48  # characters of a name or a static argument

_PICTURES = {code: chr(0x2400 + code) for code in range(32)} | {127: "\u2421"}


def clean(text: str, longest: int | None = LONGEST) -> str:
    """`text` on one line, of characters that every format can hold, and no longer than `longest`.

    Control characters become their pictures, a line's end among them (␊); halves of a surrogate pair and characters
    that change the direction of writing become �.
    """
    if not text.isprintable():
        text = "".join(
            "\ufffd" if unicodedata.category(c) in ("Cs", "Cc", "Cn") or unicodedata.bidirectional(c) in _TURNS else c
            for c in text.translate(_PICTURES)
        )
    return text if longest is None or len(text) <= longest else text[: longest - 1] + "…"


_TURNS = frozenset(("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"))


def shape(of: tuple[int, ...]) -> str:
    """24×28×28, and a scalar's as "scalar"."""
    return "×".join(map(str, of)) or "scalar"


def shapes(several: list[tuple[int, ...]]) -> str:
    """The shapes of what is drawn as one: 1…196×4 where the first axis differs."""
    first = several[0]
    if all(one == first for one in several):
        return shape(first)
    if any(len(one) != len(first) for one in several):
        return f"{shape(first)} … {shape(several[-1])}"
    axes = []
    for sizes in zip(*several, strict=True):
        least, most = min(sizes), max(sizes)
        axes.append(str(least) if least == most else f"{least}…{most}")
    return "×".join(axes)


def number(x: Any, digits: int = 4) -> str:
    """A number with as many digits as one can take in at a glance, or as are given."""
    if isinstance(x, bool | np.bool_):
        return str(bool(x))
    if isinstance(x, int | np.integer):
        return str(int(x)).replace("-", "\u2212")
    plain = complex(x) if isinstance(x, complex | np.complexfloating) else float(x)
    return f"{plain + 0:.{digits}g}".replace("-", "\u2212")  # -0.0 + 0 is 0.0


def numbered(name: str, place: int) -> str:
    """The name of the `place`-th value that is called `name`: h, h₂, h₃."""
    return name if place == 1 else name + "".join(chr(0x2080 + int(digit)) for digit in str(place))


def ordinal(n: int) -> str:
    """1st, 2nd, 3rd, 4th, 11th."""
    ending = "th" if n // 10 % 10 == 1 else {1: "st", 2: "nd", 3: "rd"}.get(n % 10, "th")
    return f"{n:,}{ending}"


def argument(x: Any) -> str:
    """A static argument or a constant as it is written in a call; arrays by their shape."""
    if isinstance(x, bool | None | str | type(Ellipsis)):
        return "…" if x is Ellipsis else clean(repr(x))
    if isinstance(x, int | float | complex | np.generic):
        return number(x, 8)
    if isinstance(x, slice):
        ends = ["" if end is None else argument(end) for end in (x.start, x.stop, x.step)]
        return ":".join(ends[: 3 if ends[2] else 2])
    if isinstance(x, np.ndarray):
        if x.dtype == bool:
            return "mask"
        return number(x.item(), 8) if x.size == 1 and x.dtype.kind in "fiu" else f"array {shape(x.shape)}"
    if isinstance(x, tuple | list):
        inner = [argument(item) for item in x[:8]] + (["…"] if len(x) > 8 else [])
        text = ", ".join(inner)
        return clean(f"({text})" if isinstance(x, tuple) else f"[{text}]")
    if isinstance(x, np.dtype | type):
        return clean(np.dtype(x).name if isinstance(x, np.dtype) else x.__name__)
    return clean(f"{type(x).__name__}")


def seconds(t: float) -> str:
    """A duration: 12 µs, 3.4 ms."""
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if t >= size:
            return f"{t / size:.3g} {unit}"
    return f"{t * 1e9:.0f} ns"


def many(n: float, unit: str) -> str:
    """A count with a prefix: 1.35 Mflop, 150 kB."""
    for prefix, size in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if n >= size:
            return f"{n / size:.3g} {prefix}{unit}"
    return f"{n:.0f} {unit}"
