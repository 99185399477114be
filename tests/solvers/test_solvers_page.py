"""The examples of docs/solvers.md give what the page says."""

from __future__ import annotations

import doctest

import pytest
from paths import ROOT

pytest.importorskip("scipy", reason="SciPy is not installed")


def test_the_examples_run() -> None:
    failed, tried = doctest.testfile(str(ROOT / "docs" / "solvers.md"), module_relative=False, encoding="utf-8")
    assert tried > 10
    assert not failed
