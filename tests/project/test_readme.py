"""The READMEs have what they quote of other pages, and the same sections."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from pages import blocks
from paths import ROOT

import tinygrad_cnn as tg

PAGES = ["README.md", "README.ko.md"]
READMES = pytest.mark.parametrize("readme", PAGES)


def test_the_example_of_the_cross_check_says_what_its_page_says(tmp_path: Path) -> None:
    loss, says = (
        next(block.lstrip() for block in blocks("docs/cross_check.md") if words in block)
        for words in ("def loss", "The first wrong")
    )
    (tmp_path / "model.py").write_text(loss)  # for lines and names are read from the file
    rng = np.random.default_rng(0)
    names: dict = {"np": np, "x": rng.normal(size=(5, 3)), "y": rng.normal(size=(5, 2))}
    exec(compile(loss, str(tmp_path / "model.py"), "exec"), names)
    report = tg.check.gradients(names["loss"], {"W": rng.normal(size=(2, 3))}, by_hand=names["hand_derived"])
    printed = " ".join(str(report).split())
    for part in " ".join(says.split()).split(" ... "):
        assert part in printed


MISTAKES = {  # how many there are, causes named, and wrong ones; the same of those that were held back
    "README.md": r"Of (\d+) real mistakes.*?the cause of (\d+),.*?cause for (\d+)\."
    r".*?looking at (\d+).*?the cause of (\d+),.*?for (\d+)",
    "README.ko.md": r"실제 실수 (\d+)개.*?원인은 (\d+)개.*?틀린 원인은 (\d+)개"
    r".*?가운데 (\d+)개.*?원인을 찾은 것은 (\d+)개.*?원인을 말한 것은 (\d+)개",
}


@READMES
def test_it_finds_in_real_mistakes_what_the_page_of_these_says(readme: str) -> None:
    page = (ROOT / "docs" / "gradient_checkers.md").read_text(encoding="utf-8")
    halves = re.findall(r"of the (\d+).*: .* and the cause of (\d+) .*; (?:of|for) (\d+) it", page)
    seen, held_back = ([int(n) for n in half] for half in halves)
    total = [a + b for a, b in zip(seen, held_back, strict=True)]
    said = re.search(MISTAKES[readme], (ROOT / readme).read_text(encoding="utf-8"), re.DOTALL)
    assert said is not None
    assert [int(n) for n in said.groups()] == [*total, *held_back]


def test_both_readmes_have_the_same_sections() -> None:
    """Section by section: the same code blocks, links, inline code, comments and figures of tables."""
    texts = [(ROOT / name).read_text(encoding="utf-8").replace("README.ko.md", "README.md") for name in PAGES]
    english, korean = (re.split(r"^## ", text, flags=re.MULTILINE) for text in texts)
    assert len(english) == len(korean)
    for ours, theirs in zip(english, korean, strict=True):
        for pattern in (r"(?:^    .*\n)+", r"\]\([^)]*\)", r"`[^`\n]+`", r"<!-- .* -->", r"\| *[\d.]+"):
            expected, found = (sorted(re.findall(pattern, page, re.MULTILINE)) for page in (ours, theirs))
            assert found == expected, ours.partition("\n")[0]
