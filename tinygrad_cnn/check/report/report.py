"""The report of a cross-check: its results, and how they are shown."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tinygrad_cnn import files
from tinygrad_cnn.check.report.as_data import as_dict
from tinygrad_cnn.check.report.summary import outcome
from tinygrad_cnn.check.results import Results


class GradientsDifferError(AssertionError):
    """Two witnesses contradict each other; the message is the report."""


class Report(Results):
    """What a cross-check found.

    `print(report)`, `report.ok`, `report.to_html(path)`, `report.to_dict()`, `report.raise_if_wrong()`.
    """

    def raise_if_wrong(self) -> None:
        """Raise GradientsDifferError, an AssertionError, with the report if `ok` is False."""
        if not self.ok:
            raise GradientsDifferError(f"\n{self}")

    def __repr__(self) -> str:
        return f"<Report: {outcome(self)}>"

    def __str__(self) -> str:
        from tinygrad_cnn.check.report.terminal import text, width_of_terminal  # only here, for it needs an extra

        return text(self, width_of_terminal())

    def to_html(self, path: str | Path | None = None) -> str:
        """The report as one self-contained page, with heat maps; written to `path` if that is given."""
        from tinygrad_cnn.check.report.page import page

        made = page(self)
        if path is not None:
            files.write(Path(path), made.encode(errors="backslashreplace"))
        return made

    def to_dict(self) -> dict[str, Any]:
        """Everything but the arrays, as JSON takes it."""
        return as_dict(self)

    def _repr_html_(self) -> str:
        from tinygrad_cnn.check.report.page import head

        return head(self)
