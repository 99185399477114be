"""What pages of the documentation hold."""

from __future__ import annotations

import re

from paths import ROOT


def blocks(name: str) -> list[str]:
    """The indented blocks of Python in a page."""
    text = (ROOT / name).read_text(encoding="utf-8")
    found = re.findall(r"(?:^    .*\n|^\n(?=    ))+", text, re.MULTILINE)
    return [re.sub(r"^    ", "", block, flags=re.MULTILINE) for block in found]
