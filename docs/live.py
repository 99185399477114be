"""Make the recording of the live page for the README, and its stills: live.gif, live_light.png and live_dark.png.

    python docs/live.py

It needs Chromium and playwright (`pip install '.[test]'`), and draws with a real pointer.
"""

from __future__ import annotations

import io
import math
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from playwright.sync_api import sync_playwright

from tinygrad_cnn.circle_square import data
from tinygrad_cnn.circle_square.live import live_page
from tinygrad_cnn.circle_square.tasks import TASKS
from tinygrad_cnn.circle_square.training import PUBLISHED_SEED, start_of

IMAGES = Path(__file__).parent / "images"
SIZE, SHOWN = (1180, 800), (885, 600)  # pixels, of the window and of the recording
COLOURS = 160
QUICK, SLOW = 110, 1600  # milliseconds that a frame is seen


def circle(turn: float = 2 * math.pi) -> Iterator[tuple[float, float]]:
    """The way of a pen, in shares of the pad."""
    for t in np.linspace(-math.pi / 2, turn - math.pi / 2, 40):
        wobble = 1 + 0.03 * math.sin(3 * t)
        yield 0.5 + 0.3 * wobble * math.cos(t), 0.5 + 0.31 * wobble * math.sin(t)


class Recording:
    """Frames of a page."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.frames: list[Image.Image] = []
        self.durations: list[int] = []

    def take(self, duration: int = QUICK) -> None:
        """Add what is seen now."""
        shot = Image.open(io.BytesIO(self.page.screenshot())).convert("RGB")
        self.frames.append(shot.resize(SHOWN, Image.Resampling.LANCZOS))
        self.durations.append(duration)

    def save(self, path: Path) -> None:
        """Write a GIF, whose colours are those of all frames."""
        width, height = SHOWN[0] // 3, SHOWN[1] // 3
        sample = Image.new("RGB", (width, len(self.frames) * height))
        for k, frame in enumerate(self.frames):
            sample.paste(frame.resize((width, height), Image.Resampling.NEAREST), (0, k * height))
        palette = sample.quantize(COLOURS, dither=Image.Dither.NONE)
        frames = [frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in self.frames]
        frames[0].save(path, save_all=True, append_images=frames[1:], duration=self.durations, loop=0, optimize=True)


def draw(page: Any, recording: Recording | None = None) -> None:
    """Draw a circle by the mouse."""
    box = page.locator("#pad").bounding_box()
    places = [(box["x"] + box["width"] * x, box["y"] + box["height"] * y) for x, y in circle()]
    page.mouse.move(*places[0])
    page.mouse.down()
    for k, place in enumerate(places[1:]):
        page.mouse.move(*place)
        if recording and k % 4 == 3:
            recording.take()
    page.mouse.up()
    page.mouse.move(5, SIZE[1] - 5)


def record(page: Any) -> None:
    """Draw, train, and see the backward pass flow back."""
    recording = Recording(page)
    recording.take(800)
    draw(page, recording)
    recording.take(SLOW)
    for k in range(60):  # a training, epoch by epoch
        page.keyboard.press(".")
        if k % 4 == 3:
            recording.take()
    recording.take(SLOW)
    page.keyboard.press("2")  # as if it were a square, so that something flows back
    page.keyboard.press("b")
    for _ in range(14):
        page.wait_for_timeout(60)
        recording.take()
    page.wait_for_timeout(1200)
    recording.take(2 * SLOW)
    recording.save(IMAGES / "live.gif")


def main() -> None:
    """Make them."""
    drawings, task = data.bundled(TASKS["circle-square"]), TASKS["circle-square"]
    program = shutil.which("chromium") or shutil.which("google-chrome")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        path = Path(folder) / "live.html"
        live_page(drawings, data.Scaling(), start_of("published", PUBLISHED_SEED), "published", task).save(path)
        browser = playwright.chromium.launch(
            executable_path=program, args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        )
        size = {"width": SIZE[0], "height": SIZE[1]}
        page = browser.new_page(viewport=size, color_scheme="light")
        page.goto(path.as_uri())
        page.wait_for_selector("html[data-ready]")
        record(page)
        for theme in ("light", "dark"):
            still = browser.new_page(viewport=size, color_scheme=theme, reduced_motion="reduce")
            still.goto(f"{path.as_uri()}#epochs=60&class=1&backward=1")
            still.wait_for_selector("html[data-ready]")
            draw(still)
            shot = Image.open(io.BytesIO(still.screenshot())).convert("RGB")
            shot.save(IMAGES / f"live_{theme}.png", optimize=True)
        browser.close()


if __name__ == "__main__":
    main()
