"""Two editions of the site from one tree of pages: English, and Korean with `-D language=ko`.

`docs/ko/NAME.md` is the text of `docs/NAME.md` in the Korean edition, which has every page: one that is not translated
yet has its English text there, below a note. The link from one text to the other, which is for a forge, becomes the
switch in the header.
"""

from __future__ import annotations

import os
import re
from html import escape
from pathlib import Path
from typing import Any

from myst_parser.mdit_to_docutils.base import default_slugify

DOCS = Path(__file__).parent.parent
KOREAN = DOCS / "ko"
SWITCH = re.compile(r" *\(\[(?:한국어|English)\]\([^)\s]*\)\)")
TOCTREE = re.compile(r"^```\{toctree\}\n.*?^```\n?", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"^( *)(`{3,}|:{3,}).*?^\1\2 *$", re.MULTILINE | re.DOTALL)
NAMES = {"en": "English", "ko": "한국어"}
THEME = {
    "search_bar_text": "문서 검색",
    "header_dropdown_text": "더 보기",
}  # which are options
UNTRANSLATED = "이 페이지는 아직 번역되지 않아 영어로 보여 드립니다."


def translation(page: Path) -> Path | None:
    """The Korean text of a page, if there is one."""
    korean = KOREAN / os.path.relpath(page, DOCS)
    return korean if korean.exists() else None


def page_of(file: Path) -> Path:
    """The page that a file is the text of: that of a Korean text has the English name."""
    return DOCS / file.relative_to(KOREAN) if file.is_relative_to(KOREAN) else file


def with_contents_of(text: str, english: str) -> str:
    """A Korean text with the table of contents of the English one."""
    return "\n".join([TOCTREE.sub("", text), *TOCTREE.findall(english)])


def anchors(page: Path) -> list[str]:
    """The anchors of a page's headings, in order."""
    text = CODE.sub("", page.read_text(encoding="utf-8"))
    titles = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return [default_slugify(re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", title)) for title in titles]


def translated_anchor(page: Path, anchor: str) -> str:
    """The anchor of the Korean heading that stands where the English one of `anchor` does."""
    korean = translation(page)
    if korean is None or anchor not in (english := anchors(page)):
        return anchor
    return anchors(korean)[english.index(anchor)]


def say_it_in_korean(app: Any, config: Any) -> None:
    """The theme's words that are options."""
    if config.language == "ko":
        config.html_theme_options |= THEME


def add_languages(app: Any, name: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """The language of a page, the way to the other edition, and a note above what is not translated."""
    language = context["language"] = app.config.language
    other = "en" if language == "ko" else "ko"
    to_root = context["pathto"](app.config.root_doc).rpartition("/")[0] or "."
    root = f"{to_root}/.." if language == "ko" else f"{to_root}/ko"
    url = f"{root}/{app.builder.get_target_uri(name)}"
    context["other_edition"] = {"language": other, "name": NAMES[other], "url": url}
    link = f'<link rel="alternate" hreflang="{other}" href="{escape(url)}">'
    context["metatags"] = context.get("metatags", "") + link  # a page of the builder's has none
    if language == "ko" and doctree is not None and translation(Path(app.env.doc2path(name))) is None:
        note = f'<div class="admonition note"><p class="untranslated">{UNTRANSLATED}</p></div>'
        context["body"] = f'{note}<div lang="en">{context["body"]}</div>'


def setup(app: Any) -> dict[str, bool]:
    """Connect them."""
    app.connect("config-inited", say_it_in_korean)
    app.connect("html-page-context", add_languages)
    return {"parallel_read_safe": True}
