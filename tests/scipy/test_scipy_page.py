"""docs/scipy.md is what its command writes, and every function of it is tested."""

from __future__ import annotations

import importlib.util

import pytest
from paths import ROOT

pytest.importorskip("scipy", reason="SciPy is not installed")

specification = importlib.util.spec_from_file_location("scipy_coverage", ROOT / "docs" / "scipy_coverage.py")
coverage = importlib.util.module_from_spec(specification)
specification.loader.exec_module(coverage)


@pytest.mark.parametrize("name", coverage.MODULES)
def test_each_function_is_differentiated_by_a_test(name: str) -> None:
    assert sorted(coverage.recorded(name)) == coverage.functions_of(name)


def test_the_page_is_what_its_command_writes() -> None:
    assert coverage.PAGE.read_text(encoding="utf-8") == coverage.page()
