"""How a notebook shows what we make: in a page with rules of its own, in a narrow column, light and dark."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinygrad_cnn as tg

HOST = """<!doctype html><html lang="en"><head><title>A notebook</title><style>
body { margin: 0; background: BACK; color: INK; }
main { width: 500px; }
svg, img, table { max-width: 100%; }
p { color: INK; } pre { background: BACK; color: INK; } mark { background: yellow; color: black; }
</style></head><body><main>
<section id="host"><p class="note">A paragraph</p><pre>code <span class="right">x</span></pre><mark>m</mark>
<table><caption>t</caption><tr><th>head</th><td>cell</td></tr></table><div class="wrong">d</div></section>
<section id="ours"></section></main></body></html>"""
LOOKS = """() => [...document.querySelectorAll("#host, #host *")].map(e => {
  const s = getComputedStyle(e); return [...s].map(k => k + ":" + s.getPropertyValue(k)).join(";")})"""


def outputs() -> list[str]:
    x = tg.Tensor(np.linspace(-1, 1, 6).reshape(2, 3), "x")
    branches = [np.sum(np.sin(x * k)) for k in range(1, 9)]
    wide = tg.named(sum(branches[1:], branches[0]), "wide")
    with np.errstate(all="ignore"):
        nan = tg.named(np.log(x), "nan")
    report = tg.check.gradients(lambda w: np.sum(w**3), np.arange(1.0, 4.0), lambda w: 2 * w**2, evaluations=0)
    shown = [tg.render(wide, backward=True, values="thumbnails", depth="all"), tg.graph(wide), nan, report]
    return [found._repr_html_() for found in shown]  # type: ignore[attr-defined]


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.parametrize(("ink", "back"), [("#eeeeee", "#111111"), ("#111111", "#ffffff")], ids=["dark", "light"])
def test_in_a_narrow_cell_of_any_theme(browser: Any, serious_faults: Any, ink: str, back: str) -> None:
    page = browser.new_page(viewport={"width": 600, "height": 800}, bypass_csp=True)
    page.set_content(HOST.replace("INK", ink).replace("BACK", back))
    before = page.evaluate(LOOKS)
    page.evaluate("made => { document.querySelector('#ours').innerHTML = made.join('') }", outputs())
    assert page.evaluate(LOOKS) == before, "the rules of an output hold in that output alone"
    assert page.evaluate("document.documentElement.scrollWidth") == 600
    boxes = page.locator("#ours > [role=region]")
    assert boxes.count() == 3
    picture = boxes.first.evaluate("e => [e.scrollWidth, e.clientWidth, e.firstElementChild.clientWidth]")
    assert picture[0] > picture[1] == 500
    assert picture[0] == picture[2], "a wide picture keeps its size, and is scrolled"
    assert serious_faults(page) == []
    page.close()


def test_a_notebook_prints_one_line_of_each() -> None:
    x = tg.Tensor(np.ones((40, 40)), "x")
    loss = tg.named(np.sum(np.sin(x)), "loss")
    report = tg.check.gradients(lambda w: np.sum(w), np.ones(3), np.ones(3), evaluations=0)
    for shown in (tg.render(loss), tg.graph(loss), report):
        assert len(repr(shown).splitlines()) == 1
        assert len(repr(shown)) < 100
