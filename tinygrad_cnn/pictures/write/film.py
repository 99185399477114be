"""A film as SVG: one picture, in which strips of frames move behind windows. No script: CSS alone, and where a reader
wants no motion, the last frame stands still.
"""

from __future__ import annotations

import base64
import functools
import html
import re
from collections.abc import Callable, Sequence

import numpy as np

from tinygrad_cnn.pictures.view.film import LINE, SIZE, Film
from tinygrad_cnn.pictures.view.pixels import decoded, encoded_in_few_colours
from tinygrad_cnn.pictures.view.thumbnails import Thumbnail
from tinygrad_cnn.pictures.write import film_head, formats
from tinygrad_cnn.pictures.write.colours import PALETTES, Theme
from tinygrad_cnn.pictures.write.dot import FONT
from tinygrad_cnn.pictures.write.label import escaped
from tinygrad_cnn.pictures.write.picture import Picture

LARGEST = 3_000_000  # bytes of a file
PACE = 0.2  # seconds that a frame is seen
REST = 2.0  # seconds that the last one is seen


class FilmPicture(Picture):
    """A picture that plays: as SVG, GIF, or APNG (`png`). What else a picture can be is that of the last frame.

    notes say which frames were chosen. A file that would be larger than 3 MB has fewer frames, of which the
    notes then say so.
    """

    _formats = formats.FILM_FORMATS

    def __init__(self, film: Film, theme: Theme = "auto") -> None:
        super().__init__(film.last, theme)
        self.film = film
        self.notes = list(film.diagram.notes)

    def __repr__(self) -> str:
        return f"<Film of {self.diagram.title}: {len(self.film.frames)} frames>"

    def content(self, format: str) -> bytes:
        """What a file of this format holds."""
        return self.gif if format == "gif" else super().content(format)

    @functools.cached_property
    def svg(self) -> str:
        """The film as SVG."""
        return self._small_enough(lambda film: _svg(film, self._theme).encode()).decode()

    @functools.cached_property
    def gif(self) -> bytes:
        """The film as a GIF, in the light theme unless "dark" was asked for."""
        from tinygrad_cnn.pictures.write import film_pixels

        return self._small_enough(lambda film: film_pixels.gif(film, self._theme, durations(len(film.frames))))

    @functools.cached_property
    def png(self) -> bytes:
        """The film as an animated PNG, in the light theme unless "dark" was asked for."""
        from tinygrad_cnn.pictures.write import film_pixels

        return self._small_enough(lambda film: film_pixels.apng(film, self._theme, durations(len(film.frames))))

    def _small_enough(self, write: Callable[[Film], bytes]) -> bytes:
        """What is written of the film, of as many frames as a file of `LARGEST` bytes holds."""
        film = self.film
        data = write(film)
        while len(data) > LARGEST and len(film.frames) > 2:
            film = film.thinned(max(2, min(len(film.frames) - 1, len(film.frames) * LARGEST // len(data))))
            data = write(film)
        self.notes = list(film.diagram.notes)
        return data


def durations(count: int) -> list[float]:
    """How long each of so many frames is seen, in seconds."""
    return [PACE] * (count - 1) + [REST]


def _svg(film: Film, theme: Theme) -> str:
    """The film as SVG."""
    instead: dict[str, Callable[[float, float, str], str]] = {}
    for id, pictures in film.pictures.items():
        instead[id] = functools.partial(_pictures, pictures)
    for id, numbers in film.numbers.items():
        instead[id] = functools.partial(_numbers, numbers)
    text = Picture(film.diagram, theme).svg_with(instead)
    size = re.search(r'<svg width="([\d.]+)" height="([\d.]+)"\s*viewBox="[^"]*"', text)
    assert size is not None
    width, height = max(float(size[1]), film_head.LEAST), float(size[2]) + film_head.HEIGHT
    opening = f'<svg width="{width:g}" height="{height:g}" viewBox="0 {-film_head.HEIGHT} {width:g} {height:g}"'
    end = text.rindex("</svg>")
    at = text.index("</style>") + len("</style>")
    paper = f'<rect y="{-film_head.HEIGHT}" width="{width:g}" height="{height:g}" fill="{PALETTES[theme].paper}"/>'
    rules = f"<style>{_rules(len(film.frames))}</style>"
    title = html.escape(f"A film of the graph of {film.diagram.title}: {film.frames[0]} to {film.frames[-1]}")
    before = re.sub(r'aria-label="[^"]*"', f'aria-label="{title}"', text[size.end() : at], count=1)
    before = re.sub(r"<title>[^<]*</title>", f"<title>{title}</title>", before, count=1)
    return f"{text[: size.start()]}{opening}{before}{rules}{paper}{text[at:end]}{_head(film, width, theme)}{text[end:]}"


def _rules(count: int) -> str:
    """The rules that move strips of so many frames, by a share of their height.

    Their names depend on the count, so that films in one page do not disturb each other.
    """
    name = f"tinygrad-cnn-film-{count}"
    seen = durations(count)
    whole = sum(seen)
    began = [sum(seen[:i]) / whole for i in range(count)]
    moved = [f"translateY({-100 * i / count:.5g}%)" for i in range(count)]
    steps = "".join(f"{100 * at:.5g}%{{transform:{to}}}" for at, to in zip(began, moved, strict=True))
    return (
        f"@keyframes {name}{{{steps}to{{transform:{moved[-1]}}}}}"
        f".{name}{{transform-box:fill-box;transform:{moved[-1]};animation:{name} {whole:g}s step-end infinite}}"
        f"@media (prefers-reduced-motion:reduce){{.{name}{{animation:none}}}}"
    )


def _strip(count: int, x: float, y: float, width: float, height: float, content: str) -> str:
    """A window, behind which `content`, of so many windows' heights, moves."""
    whole = f'<rect width="{width:g}" height="{count * height:g}" fill="none"/>'  # so that its height is known
    return (
        f'<svg x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" aria-hidden="true">'
        f'<g class="tinygrad-cnn-film-{count}">{whole}{content}</g></svg>'
    )


def _pictures(pictures: Sequence[Thumbnail], x: float, y: float, ink: str) -> str:
    """Thumbnails, one below the other in one PNG file."""
    width, height = pictures[0].width, pictures[0].height
    frames = [decoded(picture.png) for picture in pictures]
    # A window is a whole number of points high, and pixels may be half of one.
    padded = [np.pad(f, ((0, 2 * height - f.shape[0]), (0, 2 * width - f.shape[1]), (0, 0))) for f in frames]
    data = base64.b64encode(encoded_in_few_colours(np.concatenate(padded))).decode()
    size = f'width="{width}" height="{len(pictures) * height}"'
    image = f'<image {size} xlink:href="data:image/png;base64,{data}"/>'
    return _strip(len(pictures), x, y, width, height, image)


def _numbers(numbers: Sequence[str], x: float, y: float, ink: str) -> str:
    """Numbers, one below the other."""
    wide = max(map(len, numbers)) * SIZE
    return _strip(len(numbers), x, y, wide, LINE, _lines(numbers, LINE, SIZE, ink))


def _lines(texts: Sequence[str], step: float, size: float, ink: str, look: str = "") -> str:
    lines = "".join(
        f'<text y="{i * step + film_head.BASELINE * step:g}">{escaped(text)}</text>'
        for i, text in enumerate(texts)
        if text
    )
    return f'<g font-family="{FONT}" font-size="{size:g}" fill="{ink}"{look}>{lines}</g>'


def _head(film: Film, width: float, theme: Theme) -> str:
    """What stands above the picture."""
    palette, count = PALETTES[theme], len(film.frames)
    head = film_head.head_of(film, width)
    up = -film_head.HEIGHT
    parts = []
    for texts, baseline, size, look in (
        (head.names, film_head.NAME, film_head.NAME_SIZE, ' font-weight="bold"'),
        (head.values, film_head.VALUE, film_head.VALUE_SIZE, ""),
    ):
        step = 1.4 * size
        widest, top = film_head.LEFT - 20, up + baseline - film_head.BASELINE * step
        lines = _lines(texts, step, size, palette.ink, look)
        parts.append(_strip(count, film_head.MARGIN, top, widest, step, lines))
    places = film_head.places_of_ticks(width)
    ticks = "".join(
        f'<text x="{x:g}" y="{up + film_head.TICK}" text-anchor="{anchor}">{escaped(tick)}</text>'
        for x, anchor, tick in zip(places, ("start", "middle", "end"), head.ticks, strict=True)
        if tick
    )
    parts.append(f'<g font-family="{FONT}" font-size="{film_head.TICK_SIZE}" fill="{palette.faint}">{ticks}</g>')
    axis = f"M{film_head.LEFT} {up + film_head.BOTTOM}H{width - film_head.RIGHT:g}"
    whole = f'<path d="{axis}{_path(head.points, 0, up)}" fill="none" stroke="{palette.frame}"/>'
    frames = []
    left, top, high = (
        film_head.LEFT - film_head.DOT,
        film_head.TOP - film_head.DOT,
        film_head.BOTTOM - film_head.TOP + 2 * film_head.DOT,
    )
    for i, point in enumerate(head.points):
        down = i * high - top
        dot = (
            ""
            if point is None
            else (
                f'<circle cx="{point[0] - left:.1f}" cy="{point[1] + down:.1f}" r="{film_head.DOT:g}" '
                f'fill="{palette.backward}"/>'
            )
        )
        path = _path(head.points[: i + 1], -left, down)
        frames.append(
            f'<path d="{path}" fill="none" stroke="{palette.backward}" stroke-width="{film_head.STROKE}"/>{dot}'
        )
    wide = width - film_head.RIGHT - film_head.LEFT + 2 * film_head.DOT
    return "".join([*parts, whole, _strip(count, left, up + top, wide, high, "".join(frames))])


def _path(points: list[tuple[float, float] | None], right: float, down: float) -> str:
    return "".join(
        "M" + "L".join(f"{x + right:.1f} {y + down:.1f}" for x, y in piece) for piece in film_head.pieces(points)
    )
