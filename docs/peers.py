"""Draw one network with peers and with tinygrad_cnn, for docs/pictures.md: the same weights, the same images.

    pip install -e '.[test]' torch torchview torchlens netron onnx ai-edge-model-explorer
    python docs/peers.py

Netron and Model Explorer are pages, of which Chromium makes screenshots, through playwright; they listen on a port of
this machine while they are drawn. Graphviz is the one in pygraphviz's wheel, put in the place of the program `dot` for
those that call that. Pictures are scaled and trimmed, and otherwise left as they come.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx  # noqa: F401  # torch.onnx.export needs it
import playwright.sync_api
import pygraphviz
import torch
from PIL import Image, ImageChops
from torch.nn import Conv2d, Flatten, Linear, MaxPool2d, ReLU, Sequential

import tinygrad_cnn as tg
from tinygrad_cnn.circle_square import data
from tinygrad_cnn.circle_square.tasks import TASKS

IMAGES = Path(__file__).parent / "images"
WIDE = 700  # pixels: what fits into a column
PORT = 8931


def main() -> None:
    """All pictures."""
    torch.manual_seed(0)
    model = Sequential(
        Conv2d(1, 8, 3, padding=1), ReLU(), MaxPool2d(2),
        Conv2d(8, 16, 3, padding=1), ReLU(), MaxPool2d(2),
        Flatten(), Linear(784, 2),
    )  # fmt: skip
    drawings = data.bundled(TASKS["circle-square"]).train
    chosen = np.linspace(0, len(drawings.y) - 1, 16).astype(int)
    x, y = drawings.grey[chosen, None] / 255, drawings.y[chosen].astype(int).ravel()
    ours({name: w.detach().numpy().astype(float) for name, w in model.named_parameters()}, x, y)
    images, labels = torch.tensor(x, dtype=torch.float32), torch.tensor(y)
    with tempfile.TemporaryDirectory() as name, programs() as path:
        folder = Path(name)
        os.environ["PATH"] = os.pathsep.join([str(path), os.environ["PATH"]])
        torchview(model, images, folder)
        torchlens(model, images, labels, folder)
        netron(model, images, folder)
        model_explorer(model, images, folder)


def ours(p: dict[str, Any], x: Any, y: Any) -> None:
    """The poster."""
    p = {name: tg.Tensor(w, name) for name, w in zip(("W1", "b1", "W2", "b2", "W3", "b3"), p.values(), strict=True)}
    h = tg.max_pool2d(tg.relu(tg.conv2d(x, p["W1"], p["b1"], padding=1)), 2)
    h = tg.max_pool2d(tg.relu(tg.conv2d(h, p["W2"], p["b2"], padding=1)), 2)
    logits = tg.linear(h.reshape(len(x), -1), p["W3"], p["b3"])
    loss = tg.nn.softmax_cross_entropy(logits, y)
    tg.render(loss, IMAGES / "peers_tinygrad_cnn.svg", backward=True, values="thumbnails")


def torchview(model: Any, x: Any, folder: Path) -> None:
    """Modules, with the shapes of what comes in and goes out."""
    import torchview

    source = torchview.draw_graph(model, input_data=x).visual_graph.source
    pygraphviz.AGraph(string=source).draw(str(folder / "torchview.png"), prog="dot", format="png")
    keep(folder / "torchview.png", "torchview")


def torchlens(model: Any, x: Any, y: Any, folder: Path) -> None:
    """The operations of the forward pass, and, in a picture of both, those of the backward pass."""
    import torchlens as tl

    forward = tl.trace(model, x)
    forward.draw(vis_outpath=str(folder / "forward"), vis_save_only=True, vis_fileformat="png", direction="topdown")
    keep(folder / "forward.png", "torchlens")
    both = tl.trace(model, x, capture=tl.options.CaptureOptions(save_grads=True))
    both.log_backward(torch.nn.functional.cross_entropy(both.layer_list[-1].out, y))
    both.draw_combined(
        vis_outpath=str(folder / "both"), vis_save_only=True, vis_fileformat="png", vis_direction="topdown"
    )
    keep(folder / "both.png", "torchlens_backward", 520)


def netron(model: Any, x: Any, folder: Path) -> None:
    """The ONNX file of the model, with the first convolution chosen."""
    import netron

    path = folder / "model.onnx"
    torch.onnx.export(model, (x,), path, dynamo=False, input_names=["x"], output_names=["logits"])
    netron.start(str(path), address=("localhost", PORT), browse=False)
    try:
        with page(1000, 760) as shown:
            shown.goto(f"http://localhost:{PORT}")
            shown.click("text=Accept")  # its notice about cookies
            shown.wait_for_selector("text=MaxPool")
            time.sleep(1)
            shown.click("text=Conv >> nth=0")
            time.sleep(1)
            shown.screenshot(path=folder / "netron.png")
    finally:
        netron.stop(("localhost", PORT))
    keep(folder / "netron.png", "netron")


def model_explorer(model: Any, x: Any, folder: Path) -> None:
    """The program that torch.export gives, with its layers opened and the first convolution chosen."""
    path = folder / "model.pt2"
    torch.export.save(torch.export.export(model.eval(), (x,)), path)
    program = str(Path(sys.executable).with_name("model-explorer"))
    command = [program, str(path), f"--port={PORT + 1}", "--no_open_in_browser"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        assert server.stdout is not None
        found = next(filter(None, (re.search(r"http://localhost:\S+", line) for line in server.stdout)))
        threading.Thread(target=server.stdout.read, daemon=True).start()  # so that it can go on writing
        with page(1000, 900, "--use-gl=swiftshader", "--ignore-gpu-blocklist", "--enable-unsafe-swiftshader") as shown:
            shown.goto(found[0])
            shown.wait_for_selector("text=unfold_more_double")
            time.sleep(4)
            shown.click("text=unfold_more_double")
            time.sleep(3)
            shown.keyboard.press("Space")  # zoom to fit
            time.sleep(2)
            shown.mouse.click(315, 291)  # the first convolution
            time.sleep(2)
            shown.screenshot(path=folder / "explorer.png")
    finally:
        server.terminate()
        server.wait()
    keep(folder / "explorer.png", "model_explorer")


@contextlib.contextmanager
def page(width: int, height: int, *options: str) -> Iterator[Any]:
    """A page of Chromium."""
    program = shutil.which("chromium") or shutil.which("google-chrome")
    options = ("--no-sandbox", "--disable-background-networking", *(options or ("--disable-gpu",)))
    with playwright.sync_api.sync_playwright() as session:
        browser = session.chromium.launch(executable_path=program, args=list(options))
        yield browser.new_page(viewport={"width": width, "height": height})
        browser.close()


@contextlib.contextmanager
def programs() -> Iterator[Path]:
    """A folder with a program `dot`, which is pygraphviz's."""
    with tempfile.TemporaryDirectory() as name:
        program = Path(name, "dot")
        program.write_text(
            f"#!{sys.executable}\n"
            "import sys, pygraphviz\n"
            "options = dict(zip(sys.argv, sys.argv[1:]))\n"
            "format = next(a[2:] for a in sys.argv if a.startswith('-T'))\n"
            "text = sys.stdin.read() if sys.argv[-1].startswith('-') else open(sys.argv[-1]).read()\n"
            "drawn = pygraphviz.AGraph(string=text).draw(options.get('-o'), format=format, prog='dot')\n"
            "sys.stdout.buffer.write(drawn or b'')\n",
            encoding="utf-8",
        )
        program.chmod(0o755)
        yield Path(name)


def keep(path: Path, name: str, width: int = WIDE) -> None:
    """Trim a picture and scale it to the width of a column; in all of its colours, for of fewer some would be wrong."""
    picture = Image.open(path).convert("RGB")
    ground = Image.new("RGB", picture.size, picture.getpixel((0, picture.height - 1)))
    bounds = ImageChops.difference(picture, ground).getbbox()
    left, top, right, bottom = bounds or (0, 0, *picture.size)
    picture = picture.crop(
        (max(left - 8, 0), max(top - 8, 0), min(right + 8, picture.width), min(bottom + 8, picture.height))
    )
    if picture.width > width:
        picture = picture.resize((width, round(picture.height * width / picture.width)), Image.Resampling.LANCZOS)
    picture.save(IMAGES / f"peers_{name}.png", optimize=True)


if __name__ == "__main__":
    main()
