"""The documentation as a site: each page is reachable and in both languages where it says so, and its code runs.

The links of a site that was built, as docs/conf.py says, are checked too, in both editions.
"""

from __future__ import annotations

import contextlib
import html
import importlib
import importlib.util
import io
import re
import tomllib
from pathlib import Path
from urllib.parse import unquote

import pytest
from paths import ROOT

import tinygrad_cnn as tg

DOCS, SITE = ROOT / "docs", ROOT / "build" / "site"
PAGES = sorted(DOCS.rglob("*.md"))
TEXTS = {page: page.read_text(encoding="utf-8") for page in PAGES}
built = pytest.mark.skipif(not (SITE / "ko").is_dir(), reason="there is no site: docs/conf.py has the two commands")
LABELS = ["Search", "Section Navigation", "On this page", "Color mode", "next page", "Skip to main content"]
NEW = [page for name in ("tutorials", "how_to", "explanation") for page in sorted((DOCS / name).glob("*.md"))]
KOREAN = sorted((DOCS / "ko").rglob("*.md"))
NEW_IN_KOREAN = [page for page in KOREAN if DOCS / page.relative_to(DOCS / "ko") in NEW]
TOCTREE = re.compile(r"^```\{toctree\}\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMENT = re.compile(r" *# .*")
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def name_of(page: Path) -> str:
    return str(page.relative_to(DOCS))


def test_every_page_is_in_a_table_of_contents() -> None:
    numbered = (DOCS / "decisions").glob("[0-9]*.md")  # which the site adds to the README of that folder
    listed = {DOCS / "index.md", *numbered}
    english = {page: text for page, text in TEXTS.items() if page not in KOREAN}  # which has the contents of both
    for page, text in english.items():
        for entry in "\n".join(TOCTREE.findall(text)).split("\n"):
            if entry and not entry.startswith(":"):
                target = re.sub(r".*<(.*)>", r"\1", entry)
                listed.add((page.parent / f"{target}.md").resolve())
    assert english.keys() == listed


@pytest.mark.parametrize("page", [p for p in [*NEW, *NEW_IN_KOREAN] if "```python" in TEXTS[p]], ids=name_of)
def test_the_code_of_a_page_runs_and_prints_what_is_below_it(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "118")  # a terminal as wide as the page supposes
    text = TEXTS[page]
    if "tg.data_parallel" in text:
        pytest.importorskip("jax")
    named = re.search(r"`(\w+\.py)`", text)  # the file in which a reader puts the first block
    space: dict = {"__name__": "page"}
    fences = FENCE.findall(text)
    for i, ((language, code), (after, expected)) in enumerate(zip(fences, [*fences[1:], ("", "")], strict=True)):
        if language == "python":
            file = tmp_path / (named[1] if named and not i else f"block_{i}.py")  # the check reads lines of functions
            file.write_text(code, encoding="utf-8")
            with contextlib.redirect_stdout(io.StringIO()) as printed:
                exec(compile(code, str(file), "exec"), space)
            if after == "text":
                assert printed.getvalue() == expected


def test_the_code_of_the_front_page_runs() -> None:
    pages = [ROOT / "README.md", ROOT / "README.ko.md", DOCS / "index.md", DOCS / "ko" / "index.md"]
    fronts = [page.read_text(encoding="utf-8") for page in pages]
    codes = [re.search(r"(?:^    .*\n|^\n)+", front[front.index("    import") :], re.MULTILINE)[0] for front in fronts]
    assert len(set(codes)) == 1
    space: dict = {}
    exec(re.sub(r"^    ", "", codes[0], flags=re.MULTILINE), space)
    assert space["gradient"].shape == (3, 2)


@pytest.mark.parametrize(("language", "page"), [("en", "tutorials/lessons.md"), ("ko", "ko/tutorials/lessons.md")])
def test_the_path_of_the_lessons_is_that_of_the_course(language: str, page: str) -> None:
    course = tomllib.loads((ROOT / "tinygrad_cnn/learn/exercises/course.toml").read_text(encoding="utf-8"))
    titles = [section["title"][language] for section in course["section"]]
    assert re.findall(r"^\d+\. (.*)$", TEXTS[DOCS / page], re.MULTILINE) == titles


def counterpart(page: Path) -> Path:
    """The page in the other language, which need not exist; a file outside of docs/ is its own."""
    if DOCS not in page.parents:
        return page
    korean = DOCS / "ko"
    return DOCS / page.relative_to(korean) if korean in page.parents else korean / page.relative_to(DOCS)


def links_of(page: Path) -> dict[Path, str]:
    """The files that a page links to, and where in them."""
    links = re.findall(r"\]\(([^)#\s]+)(#[^)\s]*)?\)", TEXTS[page])
    return {(page.parent / path).resolve(): anchor for path, anchor in links if not re.match(r"[a-z]+:", path)}


FENCED = r"^```.*\n(?:.*\n)*?```$"
INDENTED = r"(?<=\n\n)(?:    .*\n|\n(?=    ))+"
IN_ITS_LANGUAGE = re.compile(r" *# .*| --lang ko")  # what of a block of code is translated


@pytest.mark.parametrize("page", KOREAN, ids=name_of)
def test_a_korean_page_is_that_of_the_english_one(page: Path) -> None:
    """They link to each other, and have the same code, output, headings, rows of tables and pictures."""
    english = counterpart(page)
    assert page in links_of(english)
    assert english in links_of(page)
    texts = [TOCTREE.sub("", TEXTS[english]), TOCTREE.sub("", TEXTS[page])]
    picture = r"(?:!\[[^\]]*\]\(|src=\")(?:\.\./)*([^)\"]*)[)\"]"
    for pattern in (FENCED, INDENTED, r"^#+ ", r"^\|(?= )", picture):
        ours, theirs = (
            [IN_ITS_LANGUAGE.sub("", part).replace('"ko"', '"en"') for part in re.findall(pattern, text, re.MULTILINE)]
            for text in texts
        )
        assert theirs == ours


@pytest.mark.parametrize("page", KOREAN, ids=name_of)
def test_a_korean_page_has_the_numbers_names_and_links_of_the_english_one(page: Path) -> None:
    """So that one that falls behind is found."""
    english = counterpart(page)
    texts = [re.sub(r"```.*?```", "", TEXTS[p], flags=re.DOTALL) for p in (english, page)]
    for pattern in (r"`[^`]+`", r"\d+(?:[.,]\d+)*"):
        ours, theirs = ({" ".join(part.split()) for part in re.findall(pattern, text)} for text in texts)
        assert ours - theirs == set()
    ours, theirs = ({counterpart(t) if t in KOREAN else t for t in links_of(p)} for p in (english, page))
    assert theirs == ours


@pytest.mark.parametrize("page", KOREAN, ids=name_of)
def test_a_korean_page_leads_to_korean_ones(page: Path) -> None:
    assert not [target for target in set(links_of(page)) - {counterpart(page)} if counterpart(target) in KOREAN]


def test_the_reference_has_every_public_name_once() -> None:
    found: list[str] = []
    for page in (DOCS / "reference").glob("*.md"):
        for module, names in re.findall(r"^```\{api\} (\S+)\n(.*?)^```", TEXTS[page], re.M | re.S):
            found += [f"{module}.{name}" for name in names.split()]
    assert len(found) == len(set(found))
    public = {f"tinygrad_cnn.{name}" for name in set(tg.__all__) - {"check", "nn", "train", "tree"}}
    for module in ("nn", "train", "check"):
        names = set(importlib.import_module(f"tinygrad_cnn.{module}").__all__)
        public |= {f"tinygrad_cnn.{module}.{name}" for name in names - set(tg.__all__) - {"EXPLANATIONS"}}
    assert {name for name in found if ".tree." not in name} == public


def as_rst(docstring: str) -> str:
    spec = importlib.util.spec_from_file_location("docstrings", DOCS / "site" / "docstrings.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.as_rst(docstring)


@pytest.mark.parametrize(
    ("docstring", "expected"),
    [
        ("Apply `f`s to *args.", "Apply ``f``\\ s to \\*args."),
        ("What.\n\n    a   one\n        more\n    b   two", "What.\n\n``a``\n    one more\n``b``\n    two"),
        ("What.\n\n    x: goes\n        on", "What.\n\n``x``\n    goes on"),
        ("What.\n\n    x: one. y, z: two: a,\n    b", "What.\n\n``x``\n    one.\n``y, z``\n    two: a, b"),
        ("What.\n\n    >>> f(*a)\n    1", "What.\n\n>>> f(*a)\n1"),
        ("What.\n\n    So:\n\n        f(*a)", "What.\n\nSo:\n\n::\n\n    f(*a)"),
        ("Names such as dL_ and |x|.", "Names such as dL\\_ and \\|x\\|."),
    ],
)
def test_a_docstring_as_it_is_written_here_becomes_restructured_text(docstring: str, expected: str) -> None:
    assert as_rst(docstring) == expected


@built
def test_the_links_of_the_site_lead_to_pages_and_places_that_exist() -> None:
    pages = [page for page in SITE.rglob("*.html") if "_static" not in page.parts]
    texts = {page: page.read_text(encoding="utf-8") for page in pages}
    ids = {page: set(re.findall(r'\bid="([^"]+)"', text)) for page, text in texts.items()}
    broken = []
    for page, text in texts.items():
        for link in set(re.findall(r'<(?:a|link|img|script)\b[^>]*?\b(?:href|src)="([^"]*)"', text)):
            path, _, anchor = unquote(html.unescape(link)).partition("#")
            if re.match(r"[a-z]+:", path):
                continue
            target = (page.parent / path.partition("?")[0]).resolve() if path else page
            if not target.exists() or (anchor and target in ids and html.escape(anchor) not in ids[target]):
                broken.append(f"{page.relative_to(SITE)}: {link}")
    assert not broken


@built
def test_no_link_of_the_site_is_within_another() -> None:
    for page in SITE.rglob("*.html"):
        links = re.findall(r'<a class="reference[^>]*>(.*?)</a>', page.read_text(encoding="utf-8"), re.DOTALL)
        assert not [link for link in links if "<a " in link], page  # of which a browser makes an empty one


@built
def test_the_site_needs_no_net() -> None:
    outside = re.compile(r'<(?:link|img|script|iframe)\b[^>]*?\b(?:href|src)="(?:https?:)?//[^"]*"')
    for page in SITE.rglob("*.html"):
        assert not outside.findall(page.read_text(encoding="utf-8")), page


@built
def test_each_page_of_an_edition_is_in_the_other_and_leads_there() -> None:
    editions = {"en": SITE, "ko": SITE / "ko"}
    pages = {language: {page.relative_to(root) for page in root.rglob("*.html")} for language, root in editions.items()}
    english = {page for page in pages["en"] if page.parts[0] != "ko"}
    assert english == pages["ko"]
    for language, other in (("en", "ko"), ("ko", "en")):
        for page in (page for page in english if "_static" not in page.parts):
            text = (editions[language] / page).read_text(encoding="utf-8")
            assert f'<html lang="{language}"' in text
            (link,) = set(re.findall(r'<a class="[^"]*language-switcher" href="([^"]*)"', text))
            assert (editions[language] / page.parent / link).resolve() == editions[other] / page


@built
def test_the_korean_edition_is_korean_where_there_is_a_translation() -> None:
    for page in (page for page in PAGES if page not in KOREAN):
        name = page.relative_to(DOCS)
        html_name = name.with_name("index.html") if name.name == "index.md" else name.with_suffix(".html")
        text = (SITE / "ko" / html_name).read_text(encoding="utf-8")
        assert ('<p class="untranslated">' in text) != (DOCS / "ko" / name in KOREAN), name
        for label in (
            "Search",
            "Section Navigation",
            "On this page",
            "Color mode",
            "next page",
            "Skip to main content",
        ):
            assert not re.search(rf">\s*{label}\s*<|(?:title|aria-label|placeholder)=\"{label}\"", text), (name, label)
