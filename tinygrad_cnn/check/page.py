"""TODO."""

from tinygrad_cnn.check.report import Report


def page(report: Report) -> str:
    """TODO."""
    return ""
