"""The examples of docs/adoption.md give what the page says."""

from __future__ import annotations

import doctest

from paths import ROOT


def test_the_examples_give_what_the_page_says() -> None:
    failed, tried = doctest.testfile(str(ROOT / "docs" / "adoption.md"), module_relative=False, encoding="utf-8")
    assert tried > 5
    assert not failed
