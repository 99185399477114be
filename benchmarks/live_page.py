"""How long the live page takes for a stroke, and for the article's training, in Chromium.

    python benchmarks/live_page.py

Times are by the page's own clock. A stroke: from the movement of the pointer until all that flows is painted, forward
alone and with the backward pass. A training: 501 epochs at once, on 24 drawings, with the answers for 4 test drawings
before each, as a link asks for.
"""

from __future__ import annotations

import shutil
import statistics
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from tinygrad_cnn.circle_square import data
from tinygrad_cnn.circle_square.live import live_page
from tinygrad_cnn.circle_square.tasks import TASKS
from tinygrad_cnn.circle_square.training import PUBLISHED_SEED, start_of

STROKES = """() => {
  const pad = document.getElementById("pad"), box = pad.getBoundingClientRect(), times = [];
  pad.setPointerCapture = () => {};
  const at = (name, x, y) => {
    pad.dispatchEvent(new PointerEvent(name, { clientX: box.left + x, clientY: box.top + y, pointerId: 1 }));
  };
  at("pointerdown", 60, 150);
  for (let i = 1; i < 60; i++) {
    const start = performance.now();
    at("pointermove", 60 + 3 * i, 150 + 60 * Math.sin(i / 6));
    times.push(performance.now() - start);
  }
  at("pointerup", 0, 0);
  return times;
}"""
TRAINING = """() => new Promise((done) => {
  const epoch = document.getElementById("epoch");
  const start = performance.now();
  const watch = new MutationObserver(() => epoch.dataset.value === "501" && done(performance.now() - start));
  watch.observe(epoch, { attributes: true });
  location.hash = "#seed=%d&epochs=501&again=%d";
})"""


def main() -> None:
    """Measure, and print."""
    task = TASKS["circle-square"]
    program = shutil.which("chromium") or shutil.which("google-chrome")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        path = Path(folder) / "live.html"
        start = start_of("published", PUBLISHED_SEED)
        live_page(data.bundled(task), data.Scaling(), start, "published", task).save(path)
        browser = playwright.chromium.launch(
            executable_path=program, args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        )
        page = browser.new_page(reduced_motion="reduce")
        page.goto(path.as_uri())
        page.wait_for_selector("html[data-ready]")
        for what in ("a stroke, forward", "a stroke, forward and backward"):
            times = sorted(page.evaluate(STROKES))
            print(f"{what}: median {statistics.median(times):.1f} ms, of 59 the third longest {times[-3]:.1f} ms")
            page.keyboard.press("b")
        times = []
        for number in range(7):
            times.append(page.evaluate(TRAINING % (PUBLISHED_SEED, number)))
        print(f"501 epochs: median {statistics.median(times):.0f} ms, least {min(times):.0f} ms of {len(times)}")
        browser.close()


if __name__ == "__main__":
    main()
