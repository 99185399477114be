"""A film as pixels, for GIF and animated PNG: the picture is drawn once, and what plays is drawn into it."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

from tinygrad_cnn.extras import extra
from tinygrad_cnn.pictures.view.film import LINE, SIZE, Film
from tinygrad_cnn.pictures.view.pixels import decoded
from tinygrad_cnn.pictures.write import film_head
from tinygrad_cnn.pictures.write.colours import PALETTES, Theme
from tinygrad_cnn.pictures.write.film_head import BASELINE, BOTTOM, DOT, HEIGHT, LEAST, LEFT, MARGIN, RIGHT, pieces
from tinygrad_cnn.pictures.write.picture import IMAGE, Picture, position_of

with extra("render", "a film as GIF or APNG"):
    import matplotlib
    from PIL import Image, ImageDraw, ImageFont

DENSITY = 2  # pixels for each point, as thumbnails have
FINER = 4  # times: what is drawn of a curve is drawn so much larger, for ImageDraw's edges are rough


def gif(film: Film, theme: Theme, seconds: list[float]) -> bytes:
    """The film as a GIF, with a pixel for each point; each frame is seen for so many seconds."""
    frames = [frame.reduce(DENSITY) for frame in _frames(film, theme)]
    return _written(_in_few_colours(frames), "GIF", seconds, optimize=False)


def apng(film: Film, theme: Theme, seconds: list[float]) -> bytes:
    """The film as an animated PNG, with two pixels for each point."""
    return _written(_in_few_colours(_frames(film, theme)), "PNG", seconds)


def _written(frames: list[Any], format: str, seconds: list[float], **options: Any) -> bytes:
    buffer = io.BytesIO()
    shown = [round(1000 * duration) for duration in seconds]
    frames[0].save(buffer, format, save_all=True, append_images=frames[1:], duration=shown, loop=0, **options)
    return buffer.getvalue()


def _in_few_colours(frames: list[Any]) -> list[Any]:
    """The frames with one table of 256 colours, those of the first, the middle and the last."""
    width, height = frames[0].size
    sample = Image.new("RGB", (width, 3 * height))
    for k, i in enumerate((0, len(frames) // 2, len(frames) - 1)):
        sample.paste(frames[i], (0, k * height))
    table = sample.quantize(256, dither=Image.Dither.NONE)
    return [frame.quantize(palette=table, dither=Image.Dither.NONE) for frame in frames]


def _frames(film: Film, theme: Theme) -> list[Any]:
    """The frames in all colours."""
    still, palette = Picture(film.diagram, theme), PALETTES[theme]
    drawn = Image.open(io.BytesIO(still.png)).convert("RGB")
    wide = max(drawn.width, DENSITY * LEAST)
    base = Image.new("RGB", (wide, drawn.height + DENSITY * HEIGHT), palette.paper)
    base.paste(drawn, (0, DENSITY * HEIGHT))
    places = _places(still.layout)
    head = film_head.head_of(film, wide / DENSITY)
    _ticks(base, head, palette.faint, wide / DENSITY)
    frames = []
    for i in range(len(film.frames)):
        frame = base.copy()
        for id, pictures in film.pictures.items():
            picture = Image.fromarray(decoded(pictures[i].png), "RGBA")
            at = places[id][0]
            frame.paste(picture, (at[0], at[1]), picture)
        for id, numbers in film.numbers.items():
            (x, y), ink = places[id]
            _write(frame, (x, y + round(BASELINE * LINE * DENSITY)), numbers[i], SIZE, ink)
        name, value = [(MARGIN * DENSITY, at * DENSITY) for at in (film_head.NAME, film_head.VALUE)]
        _write(frame, name, head.names[i], film_head.NAME_SIZE, palette.ink, bold=True)
        _write(frame, value, head.values[i], film_head.VALUE_SIZE, palette.ink)
        _curve(frame, head.points, i, palette.frame, palette.backward)
        frames.append(frame)
    return frames


def _places(svg: str) -> dict[str, tuple[tuple[int, int], str]]:
    """Where thumbnails are, in pixels, and the colour of what is written beside each, by the id of the box."""
    moved = re.search(r"translate\(([-\d.]+)[ ,]([-\d.]+)\)", svg)
    assert moved is not None
    found = {}
    for match in IMAGE.finditer(svg):
        x, y = position_of(match[0])
        ink = re.compile('fill="(#[^"]*)"').search(svg, svg.rindex("<text", 0, match.start()))
        assert ink is not None
        at = round(DENSITY * (x + float(moved[1]))), round(DENSITY * (y + float(moved[2]) + HEIGHT))
        found[match[1]] = at, ink[1]
    return found


def _write(
    image: Any, at: tuple[float, float], text: str, size: float, ink: str, *, bold: bool = False, anchor: str = "ls"
) -> None:
    """Write on a baseline; at: in pixels, size: in points."""
    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    font = ImageFont.truetype(str(Path(matplotlib.get_data_path()) / "fonts/ttf" / name), DENSITY * size)
    ImageDraw.Draw(image).text(at, text, fill=ink, font=font, anchor=anchor)


def _ticks(image: Any, head: film_head.Head, ink: str, width: float) -> None:
    places = film_head.places_of_ticks(width)
    for tick, x, anchor in zip(head.ticks, places, ("ls", "ms", "rs"), strict=True):
        _write(image, (DENSITY * x, DENSITY * film_head.TICK), tick, film_head.TICK_SIZE, ink, anchor=anchor)
    ImageDraw.Draw(image).line([(DENSITY * LEFT, DENSITY * BOTTOM), (DENSITY * (width - RIGHT), DENSITY * BOTTOM)], ink)


def _curve(image: Any, points: list[tuple[float, float] | None], now: int, faint: str, strong: str) -> None:
    """The curve as far as it has grown, on the whole of it."""
    scale = DENSITY * FINER
    part = image.crop((0, 0, image.width, DENSITY * (BOTTOM + DOT))).resize(
        (FINER * image.width, int(scale * (BOTTOM + DOT)))
    )
    draw = ImageDraw.Draw(part)
    for some, colour, wide in ((points, faint, 1.0), (points[: now + 1], strong, film_head.STROKE)):
        for piece in pieces(some):
            draw.line([(scale * x, scale * y) for x, y in piece], colour, round(scale * wide), joint="curve")
    point = points[now]
    if point is not None:
        x, y, radius = (scale * v for v in (*point, DOT))
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), strong)
    image.paste(part.reduce(FINER), (0, 0))
