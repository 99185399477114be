"""The plugin of pytest. For a test suite: a fixture that checks gradients, a marker for the tests that do, and a seed.

    def test_my_gradient(check_gradients):
        check_gradients(loss, params, by_hand=my_gradient)

It fails with the report if two witnesses contradict each other. `pytest -m gradients` runs the tests that use it, and
`--gradcheck-seed` chooses other elements of large parameters, and other directions.

pytest imports this module at the start of every run, so it stands outside the package, and imports it, and NumPy, only
when a test asks for the fixture.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--gradcheck-seed`."""
    group = parser.getgroup("gradients", "checking gradients (tinygrad_cnn)")
    group.addoption(
        "--gradcheck-seed",
        type=int,
        default=0,
        metavar="N",
        help="which elements of large parameters, and which directions, are measured (default: 0)",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Add the marker `gradients`."""
    config.addinivalue_line("markers", "gradients: checks gradients; so marked is every test that uses check_gradients")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that use the fixture."""
    for item in items:
        if "check_gradients" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.gradients)


@pytest.fixture
def check_gradients(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """`tinygrad_cnn.check.gradients`, which fails the test with its report if it finds a contradiction."""
    from tinygrad_cnn.check import gradients

    chosen = request.config.getoption("--gradcheck-seed")

    def check(loss: Any, params: Any, by_hand: Any = None, **how: Any) -> Any:
        __tracebackhide__ = True
        report = gradients(loss, params, by_hand, **{"seed": chosen, "progress": False, **how})
        if not report.ok:  # the first line is all that pytest's summary shows
            first = report.conclusions[0] if report.conclusions else report.verdict
            pytest.fail(f"{first}\n\n{report}\n(--gradcheck-seed={how.get('seed', chosen)})")
        return report

    return check
