"""An LSTM learns to spell from this project's documentation, of which it is given one letter after the other.

What it writes is judged by how many of its words are in the text.
"""

import argparse
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

import tinygrad_cnn as tg
from tinygrad_cnn import nn, train

parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
parser.add_argument("--epochs", type=int, default=12)
arguments = parser.parse_args()

# The prose of the documentation in small letters, without code, tables and headings.
pages = sorted((Path(__file__).parent.parent / "docs").glob("**/*.md"))
markup = re.compile(r"```[^`]*```|`[^`]*`|^(    |\||#).*$", re.MULTILINE)
prose = "\n".join(markup.sub("", page.read_text(encoding="utf-8")) for page in pages)
text = " ".join(re.findall(r"[a-z]+", prose.lower()))[:75_000]
words = set(text.split())
LETTERS = " abcdefghijklmnopqrstuvwxyz"
codes = np.array([LETTERS.index(letter) for letter in text])
print(f"{len(text):,} letters, {len(words):,} different words")

LENGTH = 50
starts = np.arange(0, len(codes) - LENGTH, LENGTH // 2)
windows = codes[starts[:, None] + np.arange(LENGTH + 1)]  # (windows, 51)
x, y = windows[:, :-1], windows[:, 1:]  # from each letter, the next


@dataclass(frozen=True)
class Speller(nn.Layer):
    """Scores of the next letter after each letter; and the state, with which it goes on."""

    letters: nn.Embedding
    memory: nn.LSTM
    scores: nn.Linear

    def __call__(self, codes: Any, state: Any = None) -> Any:
        outputs, state = self.memory(self.letters(codes), state)  # (..., time, 128)
        return self.scores(outputs), state


def loss(model, x, y):
    scores, _ = model(x)
    return nn.softmax_cross_entropy(scores, y)


def written(model, rng, lines=20, length=100):
    """Lines of letters, each drawn with the probability that the model gives it."""
    code, state, found = np.zeros((lines, 1), int), None, []
    for _ in range(length):
        scores, state = model(code, state)
        p = nn.softmax(scores[:, -1])  # (lines, 27)
        code = np.argmax(np.cumsum(p, axis=-1) > rng.random((lines, 1)), axis=-1, keepdims=True)
        found.append(code)
    return ["".join(LETTERS[k] for k in line) for line in np.hstack(found)]


def spelled(lines):
    """The share of words that are in the text; a word that the end of a line may have cut off does not count."""
    found = [word for line in lines for word in line.split()[:-1]]
    return np.mean([word in words for word in found])


model = Speller(nn.Embedding(len(LETTERS), 16), nn.LSTM(None, 128, returns="both"), nn.Linear(None, len(LETTERS)))
model = model.init(np.random.default_rng(0), x[:1])
model = tg.tree.map(lambda weight: weight.astype(np.float32), model)
drawn = "".join(np.random.default_rng(0).permutation(list(text)))  # the same letters in any order
print(f"of words with the letters in any order, {spelled([drawn]):.0%} are in the text")

shares, samples = [], []


def note(epoch):
    lines = written(epoch.model, np.random.default_rng(1))
    shares.append(spelled(lines))
    samples.append(lines[0][:70])
    print(f"epoch {epoch.number:2}   loss {epoch.loss:.3f}   {shares[-1]:4.0%} spelled   {samples[-1]}", flush=True)


BATCH = 32
steps = arguments.epochs * -(-len(x) // BATCH)
optimiser = nn.Adam(nn.one_cycle_schedule(0.01, steps=steps))
fitted = train.fit(model, loss, (x, y), optimiser, epochs=arguments.epochs, batch_size=BATCH, callbacks=[note])
lines = written(fitted.model, np.random.default_rng(2), lines=100)
print(f"of the words that it writes, {spelled(lines):.0%} are in the text")

figure = Figure(figsize=(10, 3.5), layout="constrained")
axes, beside = figure.subplots(1, 2, width_ratios=[1, 1.8])
axes.plot(fitted.history["epoch"], np.multiply(100, shares), marker="o")
axes.axhline(100 * spelled([drawn]), color="grey", linestyle=":", label="letters in any order")
axes.set(xlabel="epoch", ylabel="words that are in the text, %", ylim=(0, 100))
axes.legend()
beside.axis("off")
rows = [f"{number:2}  {sample}" for number, sample in enumerate(samples, 1)]
beside.text(0, 1, "epoch\n" + "\n".join(rows), family="monospace", fontsize=9, va="top")

out = Path("runs/examples")
out.mkdir(parents=True, exist_ok=True)
figure.savefig(out / "11_character_lstm.png", dpi=120)
print("picture:", out / "11_character_lstm.png")
