"""The pages of the documentation: their links lead somewhere, and the names in the glossary exist."""

from __future__ import annotations

import re
from functools import reduce
from pathlib import Path

import pytest
from paths import ROOT

import tinygrad_cnn as tg

PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])


def anchors(page: Path) -> set[str]:
    """The names that GitHub gives to the headings of a page."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_link_within_the_repository_leads_to_a_page_and_a_heading_that_exist(page: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def test_the_names_in_the_glossary_are_public() -> None:
    names = re.findall(r"`tg\.([A-Za-z_.0-9]+)", (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8"))
    assert names
    for name in names:
        assert name.split(".")[0] in tg.__all__, name
        reduce(getattr, name.split("."), tg)


def test_a_decision_has_a_context_consequences_and_a_line_in_the_index() -> None:
    folder = ROOT / "docs" / "decisions"
    index = (folder / "README.md").read_text(encoding="utf-8")
    pages = sorted(set(folder.glob("*.md")) - {folder / "README.md"})
    assert pages
    for number, page in enumerate(pages, 1):
        text = page.read_text(encoding="utf-8")
        title = re.match(r"# (\d+)\. (.*)\n", text)
        assert title is not None
        assert (int(title[1]), page.name[:2]) == (number, f"{number:02}")
        assert re.findall(r"^## (.*)$", text, re.MULTILINE) == ["Context", "Decision", "Consequences"]
        assert f"| {number} | [{title[2]}]({page.name}) |" in index
