"""A card: a training on one picture of 1200 by 630 pixels, the size in which links are shown."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import numpy as np

from tinygrad_cnn.circle_square.errors import InputError
from tinygrad_cnn.circle_square.experiment import Result
from tinygrad_cnn.circle_square.palette import PALETTES, Theme, on_paper
from tinygrad_cnn.extras import extra

with extra("cnn", "a card"):
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.font_manager import FontProperties, findfont, fontManager, get_font

Language = Literal["en", "ko"]

WIDTH, HEIGHT = 1200, 630  # pixels
MARGIN = 48
TOP, MIDDLE = 148, 388  # the upper edges of both rows
COLUMNS = (MARGIN, 520, 716, 940)
SIDE = 154  # of the three pictures in the upper row
UNDER = 26 + SIDE + 20  # the baseline of what is written beneath them
_DPI = 100

# Fonts with Hangul of the systems that have one, in the order of preference.
HANGUL = (
    "Pretendard", "Noto Sans KR", "Noto Sans CJK KR", "Noto Sans CJK JP", "Source Han Sans KR", "Apple SD Gothic Neo",
    "Malgun Gothic", "NanumSquare", "NanumBarunGothic", "NanumGothic", "AppleGothic", "UnDotum", "Baekmuk Dotum",
)  # fmt: skip


class Words(NamedTuple):
    """What is written on a card. The functions take numbers, and names of classes."""

    title: Callable[[str, str], str]
    subtitle: Callable[[int, int, str], str]
    training: str
    test: str
    training_drawings: str
    test_drawings: str
    filter: str
    evidence: str
    right: str
    loss: str
    epoch: str
    score: Callable[[int, int], str]
    training_right: str
    test_right: str
    memorised: str
    names: dict[str, str]


WORDS: dict[Language, Words] = {
    "en": Words(
        title=lambda a, b: f"{a.capitalize()} or {b}?",
        subtitle=lambda n, epochs, recipe: (
            f"One 3 × 3 filter and 196 weights, trained on {n} drawings for {epochs} epochs by the {recipe} recipe"
        ),
        training="training",
        test="test",
        training_drawings="Training drawings",
        test_drawings="Test drawings, and what it says",
        filter="The filter Wc",
        evidence="Evidence in Wf",
        right="Drawings right, %",
        loss="Cross-entropy, log scale",
        epoch="epoch",
        score=lambda right, of: f"{right} of {of}",
        training_right="training drawings right",
        test_right="test drawings right",
        memorised="It memorised the drawings.",
        names={},
    ),
    "ko": Words(
        title=lambda a, b: f"{a}일까, {b}일까?",
        subtitle=lambda n, epochs, recipe: (
            f"3 × 3 필터 하나와 가중치 196개를 그림 {n}장으로 {epochs} 에폭 동안 학습 ({recipe} 레시피)"
        ),
        training="학습",
        test="테스트",
        training_drawings="학습 그림",
        test_drawings="테스트 그림과 모델의 대답",
        filter="필터 Wc",
        evidence="Wf의 근거",
        right="정답률, %",
        loss="교차 엔트로피, 로그 눈금",
        epoch="에폭",
        score=lambda right, of: f"{of}장 중 {right}장",
        training_right="학습 그림 정답",
        test_right="테스트 그림 정답",
        memorised="그림을 외웠을 뿐입니다.",
        names={"circle": "원", "square": "네모", "triangle": "세모"},
    ),
}


def font_for(language: Language) -> str:
    """The file of a font for a language. Raises InputError if no font here has its letters."""
    if language == "en":
        return str(findfont("DejaVu Sans"))
    known = {entry.name: entry.fname for entry in fontManager.ttflist if entry.weight in (400, "normal", "regular")}
    for name in HANGUL:
        if name in known and get_font(known[name]).get_char_index(ord("원")):
            return str(known[name])
    raise InputError(
        "--lang ko: no font with Hangul was found; expected one such as Noto Sans CJK KR or NanumGothic. Install it "
        "(apt-get install fonts-nanum), and remove matplotlib's list of fonts (~/.cache/matplotlib)"
    )


def png(result: Result, language: Language = "en", theme: Theme = "light") -> bytes:
    """The card as a PNG file."""
    buffer = io.BytesIO()
    figure(result, language, theme).savefig(buffer, format="png", dpi=_DPI)
    return buffer.getvalue()


def figure(result: Result, language: Language = "en", theme: Theme = "light") -> Figure:
    """The card as a figure of matplotlib, whose texts are all of its own axes."""
    return _Card(result, WORDS[language], font_for(language), theme).figure


class _Card:
    """The card as it is drawn. Places and sizes are pixels, from the upper left corner."""

    def __init__(self, result: Result, words: Words, font: str, theme: Theme) -> None:
        self.result, self.words, self.font = result, words, font
        self.theme, self.palette = theme, PALETTES[theme]
        self.figure = Figure(figsize=(WIDTH / _DPI, HEIGHT / _DPI), dpi=_DPI, facecolor=self.palette.paper)
        self.canvas = FigureCanvasAgg(self.figure)
        self.axis = self.figure.add_axes((0, 0, 1, 1))
        self.axis.set_axis_off()
        self.hold()
        self.names = [self.called(name) for name in result.data.classes]
        self.heading()
        self.training_drawings(COLUMNS[0], TOP)
        self.filter(COLUMNS[1], TOP)
        self.evidence(COLUMNS[2], TOP)
        self.verdict(COLUMNS[3], TOP)
        self.test_drawings(COLUMNS[0], MIDDLE)
        self.shares(COLUMNS[1] + 40, MIDDLE)
        self.losses(COLUMNS[2] + 188, MIDDLE)
        self.hold()

    def hold(self) -> None:
        """Keep one unit a pixel: an image that is shown changes that."""
        self.axis.set_xlim(0, WIDTH)
        self.axis.set_ylim(HEIGHT, 0)

    def called(self, name: str) -> str:
        """The name of a class in the language of the card; or a number, where the font has not its letters."""
        shown = self.words.names.get(name, name)
        if shown.isprintable() and all(get_font(self.font).get_char_index(ord(c)) for c in shown):
            return shown
        return f"class {self.result.data.classes.index(name)}"

    def write(
        self,
        x: float,
        y: float,
        text: str,
        size: float,
        ink: str,
        widest: float,
        *,
        bold: bool = False,
        align: str = "left",
    ) -> None:
        """Write on a baseline, no wider than `widest`: what is longer ends in an ellipsis."""
        written = self.text(x, y, text, size, bold, color=ink, ha=align)
        while self.extent(written) > widest and len(text) > 1:
            text = text[:-1]
            written.set_text(f"{text}…")

    def text(self, x: float, y: float, text: str, size: float, bold: bool, **look: Any) -> Any:
        font = FontProperties(fname=self.bold() if bold else self.font)
        look = {"va": "baseline", "fontproperties": font, "parse_math": False, **look}
        if not get_font(self.font).get_char_index(ord("−")):  # as in NanumGothic
            text = text.replace("−", "-")
        return self.axis.text(x, y, text, fontsize=size * 72 / _DPI, **look)

    def extent(self, written: Any) -> float:
        renderer: Any = self.canvas
        return float(written.get_window_extent(renderer.get_renderer()).width)

    def width(self, text: str, size: float, *, bold: bool) -> float:
        """How wide a text would be."""
        tried = self.text(0, 0, text, size, bold)
        wide = self.extent(tried)
        tried.remove()
        return wide

    def sign(self, x: float, y: float, is_right: bool, ink: str) -> None:
        """A tick or a cross, which few fonts with Hangul have."""
        font = FontProperties(fname=font_for("en"))
        self.text(x, y, "✓" if is_right else "✗", 14, False, color=ink, fontproperties=font)

    def bold(self) -> str:
        """The file of the bold font of the same family, or else the font itself."""
        family = get_font(self.font).family_name
        bold = [
            e.fname
            for e in fontManager.ttflist
            if e.name == family and e.weight in (700, "bold") and e.style == "normal"
        ]
        return str(bold[0]) if bold else self.font

    def image(self, image: Any, x: float, y: float, side: float, frame: str, width: float = 1.0, **how: Any) -> None:
        """A square image with a frame."""
        self.axis.imshow(image, extent=(x, x + side, y + side, y), interpolation="nearest", aspect="auto", **how)
        corners = [x, x + side, x + side, x, x], [y, y, y + side, y + side, y]
        self.axis.plot(*corners, color=frame, linewidth=width * 72 / _DPI, solid_joinstyle="miter")

    def heading(self) -> None:
        words, result = self.words, self.result
        self.write(MARGIN, 80, words.title(*self.names), 42, self.palette.ink, 860, bold=True)
        about = words.subtitle(len(result.data.train), len(result.losses), result.settings.recipe)
        self.write(MARGIN, 112, about, 16, self.palette.faint, 1000)
        self.write(WIDTH - MARGIN, 80, "tinygrad_cnn", 16, self.palette.faint, 200, align="right")

    def title(self, x: float, y: float, text: str, widest: float) -> None:
        self.write(x, y + 12, text, 15, self.palette.ink, widest, bold=True)

    def training_drawings(self, left: float, top: float) -> None:
        """Three rows of eight, and how many there are of each class."""
        train, palette = self.result.data.train, self.palette
        side, gap = 48, 5
        self.title(left, top, self.words.training_drawings, 400)
        for k, i in enumerate(_spread(len(train), 24)):
            row, column = divmod(k, 8)
            self.show_drawing(
                train.grey[i], left + column * (side + gap), top + 26 + row * (side + gap), side, palette.line
            )
        counts = [int(np.sum(train.y == k)) for k in (0, 1)]
        said = " · ".join(f"{name} {count}" for count, name in zip(counts, self.names, strict=True))
        self.write(left, top + UNDER, said, 13, palette.faint, 419)

    def show_drawing(self, grey: Any, x: float, y: float, side: float, frame: str, width: float = 1.0) -> None:
        self.image(on_paper(grey, self.theme), x, y, side, frame, width, cmap="gray", vmin=0, vmax=255)

    def filter(self, left: float, top: float) -> None:
        weights = self.result.final.Wc
        self.title(left, top, self.words.filter, 154)
        self.weights(weights, left, top + 26)
        self.write(
            left,
            top + UNDER,
            f"{weights.min():+.2f} … {weights.max():+.2f}".replace("-", "−"),
            13,
            self.palette.faint,
            154,
        )

    def evidence(self, left: float, top: float) -> None:
        """Wf as a map: a bright element of max-pool there is evidence for one class, or for the other."""
        self.title(left, top, self.words.evidence, 210)
        self.weights(self.result.final.Wf.reshape(14, 14), left, top + 26)
        first, second = self.names
        self.write(left, top + UNDER, first, 13, self.palette.faint, 54)
        self.write(left + SIDE, top + UNDER, second, 13, self.palette.faint, 54, align="right")
        bar = left + 58, left + SIDE - 58, top + UNDER, top + UNDER - 9
        self.axis.imshow(np.linspace(0, 1, 64)[None], cmap="RdBu_r", extent=bar, aspect="auto")

    def weights(self, weights: Any, left: float, top: float) -> None:
        """Blue below 0, red above it, as in pictures of the graph."""
        most = float(np.abs(weights).max()) or 1.0
        self.image(weights, left, top, SIDE, self.palette.line, cmap="RdBu_r", vmin=-most, vmax=most)

    def verdict(self, left: float, top: float) -> None:
        """How many are right."""
        words, result, palette = self.words, self.result, self.palette
        wide, size = WIDTH - MARGIN - left, 42.0
        counts = [len(part) for part in (result.data.train, result.data.test)]
        shares = result.train_accuracy, result.test_accuracy
        scores = [words.score(round(share * count), count) for share, count in zip(shares, counts, strict=True)]
        while any(self.width(score, size, bold=True) > wide for score in scores) and size > 20:
            size -= 1
        labels, inks = (words.training_right, words.test_right), (palette.training, palette.test)
        for y, score, label, ink in zip((top + 66, top + 148), scores, labels, inks, strict=True):
            self.write(left, y, score, size, ink, wide, bold=True)
            self.write(left, y + 24, label, 15, palette.ink, wide)

    def test_drawings(self, left: float, top: float) -> None:
        """Four of them, with what the model says of each."""
        test, sigma, palette = self.result.data.test, self.result.test.sigma[0], self.palette
        side, gap = 86, 25
        self.title(left, top, self.words.test_drawings, 419)
        for k, i in enumerate(_spread(len(test), 4)):
            said = int(sigma[i] > 0.5)
            is_right = said == int(test.y[i, 0])
            ink = palette.training if is_right else palette.test
            x, y = left + k * (side + gap), top + 26
            self.show_drawing(test.grey[i], x, y, side, ink, 3)
            self.sign(x, y + side + 22, is_right, ink)
            self.write(x + 17, y + side + 22, self.names[said], 14, ink, side + gap - 23)
            surety = sigma[i] if said else 1 - sigma[i]
            self.write(x, y + side + 40, f"{surety:.0%}", 13, palette.faint, side)
        if self.result.train_accuracy == 1 and self.result.test_accuracy <= 0.5:
            self.write(left, HEIGHT - 44, self.words.memorised, 19, palette.ink, 419, bold=True)

    def shares(self, left: float, top: float) -> None:
        """The share of drawings that are right, epoch by epoch, and what the colours of both curves mean."""
        self.title(left - 40, top, self.words.right, 300)
        self.curves(
            [100 * curve.right for curve in self.result.curves],
            (0, 100),
            ((0, "0"), (50, "50"), (100, "100")),
            left,
            top,
        )
        x = left
        for name, ink in ((self.words.training, self.palette.training), (self.words.test, self.palette.test)):
            self.axis.plot([x, x + 22], [HEIGHT - 48, HEIGHT - 48], color=ink, linewidth=2.2)
            self.write(x + 30, HEIGHT - 43, name, 14, ink, 80)
            x += 122

    def losses(self, left: float, top: float) -> None:
        """The cross-entropies, epoch by epoch: a logarithmic scale shows what is small, too."""
        losses = [np.log10(np.maximum(curve.loss, 1e-12)) for curve in self.result.curves]
        finite = np.concatenate(losses)
        finite = finite[np.isfinite(finite)]
        low, high = (np.floor(finite.min()), np.ceil(finite.max())) if finite.size else (0.0, 1.0)
        high = max(high, low + 1)
        step = max(1, round((high - low) / 4))
        ticks = [(at, f"{10.0**at:g}") for at in np.arange(low, high + 0.5, step)]
        self.title(left - 54, top, self.words.loss, 300)
        self.curves(losses, (low, high), ticks, left, top)
        self.write(WIDTH - MARGIN, HEIGHT - 43, self.words.epoch, 13, self.palette.faint, 100, align="right")

    def curves(self, curves: Any, span: tuple[float, float], ticks: Any, left: float, top: float) -> None:
        """Two curves by epochs on a logarithmic scale; span: the ends of the other axis, with these ticks."""
        palette, count = self.palette, len(self.result.losses)
        up, down, right = top + 34, HEIGHT - 90, left + 248

        def height(value: Any) -> Any:
            return down - (value - span[0]) / (span[1] - span[0]) * (down - up)

        def across(epoch: Any) -> Any:
            return left + np.log1p(epoch) / np.log1p(max(count - 1, 1)) * (right - left)

        for value, text in ticks:
            self.axis.plot([left, right], [height(value)] * 2, color=palette.line, linewidth=0.8)
            self.write(left - 8, height(value) + 4, text, 12, palette.faint, 60, align="right")
        for epoch in [n for n in (0, 1, 10, 100, 1000) if n < 0.6 * (count - 1)] + [count - 1]:
            self.write(across(epoch), down + 19, str(epoch), 12, palette.faint, 50, align="center")
        for values, ink in zip(curves, (palette.training, palette.test), strict=True):
            self.axis.plot(across(np.arange(count)), height(values), color=ink, linewidth=1.8, solid_joinstyle="round")


def _spread(count: int, most: int) -> list[int]:
    """At most `most` of `count` places, evenly."""
    return [int(i) for i in np.unique(np.linspace(0, count - 1, min(count, most)).round())]
