"""How good predictions are, and how sure one can be of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_cnn import nn

UNSURE = 0.7  # a lower probability of the likeliest class is no answer
_Z = 1.959963984540054  # 95 % of a normal distribution are within so many standard deviations


def wilson(right: int, of: int) -> tuple[float, float]:
    """The 95 % interval of a share of which `right` of `of` were seen.

    Source: E. B. Wilson, "Probable inference, the law of succession, and statistical inference", 1927.

    >>> tuple(round(end, 3) for end in wilson(4, 4))
    (0.51, 1.0)
    """
    share, z = right / of, _Z
    middle = (share + z**2 / (2 * of)) / (1 + z**2 / of)
    half = z / (1 + z**2 / of) * math.sqrt(share * (1 - share) / of + z**2 / (4 * of**2))
    return max(middle - half, 0.0), min(middle + half, 1.0)


def mean_interval(values: Sequence[float]) -> tuple[float, float]:
    """The 95 % interval of the mean of independent draws, by the normal approximation.

    >>> tuple(round(end, 2) for end in mean_interval([0.9, 1.0, 0.95, 0.95]))
    (0.91, 0.99)
    """
    half = _Z * float(np.std(values, ddof=1)) / math.sqrt(len(values)) if len(values) > 1 else math.nan
    return float(np.mean(values)) - half, float(np.mean(values)) + half


@dataclass(frozen=True)
class Evaluation:
    """Predictions beside what is true.

    probabilities  (batch, classes); labels (batch,); names of the drawings; classes: their names
    """

    probabilities: NDArray[np.float64]
    labels: NDArray[np.intp]
    names: list[str]
    classes: tuple[str, ...]

    @property
    def said(self) -> NDArray[np.intp]:
        """The likeliest class of each drawing."""
        return np.asarray(np.argmax(self.probabilities, axis=1), np.intp)

    @property
    def sure(self) -> NDArray[np.float64]:
        """Its probability."""
        return np.asarray(np.max(self.probabilities, axis=1), float)

    @property
    def right(self) -> int:
        """How many are right."""
        return int((self.said == self.labels).sum())

    @property
    def wrong(self) -> NDArray[np.intp]:
        """The indices of those that are wrong, the surest first."""
        wrong = np.flatnonzero(self.said != self.labels)
        return wrong[np.argsort(-self.sure[wrong], kind="stable")]

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of the accuracy."""
        return wilson(self.right, len(self.labels))

    @property
    def confusion(self) -> NDArray[np.int64]:
        """How many of each class (rows) were taken for which (columns)."""
        return np.asarray(nn.confusion_matrix(self.said, self.labels, classes=len(self.classes)), np.int64)

    @property
    def unsure(self) -> int:
        """How many drawings have no class of a probability of at least `UNSURE`."""
        return int((self.sure < UNSURE).sum())

    def calibration(self, bins: int = 5) -> list[dict[str, float]]:
        """Of the drawings whose likeliest class has a probability in each of `bins` ranges: how many are right."""
        edges = np.linspace(1 / len(self.classes), 1, bins + 1)
        at = np.clip(np.searchsorted(edges, self.sure, side="right") - 1, 0, bins - 1)
        rows = []
        for k in range(bins):
            within = at == k
            if within.any():
                rows.append(
                    {
                        "from": float(edges[k]),
                        "to": float(edges[k + 1]),
                        "drawings": int(within.sum()),
                        "mean_probability": float(self.sure[within].mean()),
                        "accuracy": float((self.said == self.labels)[within].mean()),
                    }
                )
        return rows

    @property
    def calibration_error(self) -> float:
        """The expected calibration error: the mean distance of probability and accuracy over all drawings."""
        rows = self.calibration()
        return sum(row["drawings"] * abs(row["mean_probability"] - row["accuracy"]) for row in rows) / len(self.labels)

    def sentence(self) -> str:
        """The accuracy in words."""
        low, high = self.interval
        return (
            f"{self.right} of {len(self.labels)} right, {self.right / len(self.labels):.1%} "
            f"(95 % interval {low:.1%} to {high:.1%})"
        )

    def as_data(self) -> dict[str, Any]:
        """All of it for JSON."""
        return {
            "drawings": len(self.labels),
            "right": self.right,
            "accuracy": self.right / len(self.labels),
            "interval": list(self.interval),
            "classes": list(self.classes),
            "confusion": self.confusion.tolist(),
            "unsure_below": UNSURE,
            "unsure": self.unsure,
            "calibration_error": self.calibration_error,
            "calibration": self.calibration(),
            "wrong": [
                {
                    "name": self.names[i],
                    "class": self.classes[self.labels[i]],
                    "predicted": self.classes[self.said[i]],
                    "probability": float(self.sure[i]),
                }
                for i in self.wrong
            ],
        }


def joined(parts: list[Evaluation]) -> Evaluation:
    """Evaluations of several sets of drawings as one."""
    return Evaluation(
        np.concatenate([part.probabilities for part in parts]),
        np.concatenate([part.labels for part in parts]),
        [name for part in parts for name in part.names],
        parts[0].classes,
    )


def folds_of(labels: Any, count: int, seed: int = 0) -> list[tuple[Any, Any]]:
    """`count` divisions of drawings to train on, and to test with, each drawing tested once, classes in proportion."""
    rng = np.random.default_rng(seed)
    fold = np.empty(len(labels), int)
    for k in np.unique(labels):
        of_class = rng.permutation(np.flatnonzero(labels == k))
        fold[of_class] = np.arange(len(of_class)) % count
    return [(np.flatnonzero(fold != k), np.flatnonzero(fold == k)) for k in range(count)]
