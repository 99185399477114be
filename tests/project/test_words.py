"""The package and its documentation use the terms of docs/glossary.md, and no words of their own for them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *ROOT.glob("docs/**/*.md"), *ROOT.glob("tinygrad_cnn/**/*.py")]

INSTEAD = {
    "told apart": "distinguished",
    "cannot be told": "inconclusive",
    "seen to": "handled",
    "held against": "compared with",
    "from without": "closes over",
    "have run away": "diverged",
    "function of each element": "elementwise function",
    "the hand differs": "the hand-derived gradient differs",
    "where they part": "where they diverge",
    "no format of": "unknown format; expected one of",
    "to the draw": "down to the random draws",
    r"rooms?": "module, layer",
    "the house": "the architecture",
    "a setting": "a parameter or static argument",
}


@pytest.mark.parametrize("words", INSTEAD)
def test_the_terms_are_those_of_the_glossary(words: str) -> None:
    pattern = re.compile(rf"\b{words}\b".replace(" ", r"\s+"), re.IGNORECASE)
    found = [str(page.relative_to(ROOT)) for page in PAGES if pattern.search(page.read_text(encoding="utf-8"))]
    assert not found, f"write {INSTEAD[words]!r}"


KOREAN_PAGES = [
    ROOT / "README.ko.md",
    *ROOT.glob("docs/ko/**/*.md"),
    *ROOT.glob("tinygrad_cnn/learn/**/*.ko.md"),
    *ROOT.glob("tinygrad_cnn/**/*.py"),  # in whose strings is what pages and cards say
]

KOREAN_INSTEAD = {
    "(?<!서브)그[래레라](?:이)?디언트|경사도": "변화도",
    "여변화도|코텐젠트|쌍대": "코탄젠트",
    "(?<!하이퍼)파라미터|모수": "매개변수",
    "[콘컨]볼루션": "합성곱",
    "에포크": "에폭",
    "미니 배치": "미니배치",
    "꺾인 [점곳]": "꺾이는 점",
    "야코비 행렬": "야코비안",
    "자동미분|수치미분": "자동 미분, 수치 미분",
    "튜플": "tuple",
}


@pytest.mark.parametrize("words", KOREAN_INSTEAD)
def test_the_korean_terms_are_those_of_the_korean_glossary(words: str) -> None:
    pattern = re.compile(words)
    found = [str(page.relative_to(ROOT)) for page in KOREAN_PAGES if pattern.search(page.read_text(encoding="utf-8"))]
    assert not found, f"write {KOREAN_INSTEAD[words]!r}"
