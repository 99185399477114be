"""A run's folder: metrics.json, weights.safetensors, figures and report.html."""

from __future__ import annotations

import json
import platform
from pathlib import Path
from typing import Any

import numpy as np

import tinygrad_cnn as tg
from tinygrad_cnn.circle_square import figures, report
from tinygrad_cnn.circle_square.data import Drawings
from tinygrad_cnn.circle_square.experiment import Result
from tinygrad_cnn.circle_square.gradient_check import largest, relative
from tinygrad_cnn.circle_square.pictures import compact_svg
from tinygrad_cnn.circle_square.weights import write_weights
from tinygrad_cnn.extras import extra

with extra("cnn", "a run"):
    import cv2


@np.errstate(all="ignore")  # parameters that diverged are drawn too
def write(folder: Path, result: Result, other: Result | None) -> None:
    """Write everything that is known of `result` into `folder`; `other` is the other recipe's, for the report."""
    (folder / "metrics.json").write_text(json.dumps(metrics(result, other), indent=1, allow_nan=False) + "\n")
    write_weights(folder / "weights.safetensors", result)
    pictures = {name: figures.png(draw(result, "light")) for name, draw in figures.FIGURES.items()}
    dark = {name: figures.png(draw(result, "dark")) for name, draw in figures.FIGURES.items()}
    for name, picture in pictures.items():
        (folder / f"{name}.png").write_bytes(picture)
    x, y = result.settings.scaling(result.data.train.grey), result.data.train.y
    graph = compact_svg(x, y, result.final, result.settings.recipe)
    page = report.page(result, other, pictures, dark, graph, versions())
    (folder / "report.html").write_bytes(page.encode(errors="backslashreplace"))  # names of files may be in any code


def metrics(result: Result, other: Result | None) -> dict[str, Any]:
    """What metrics.json holds; plain numbers, lists and words."""
    settings = result.settings
    return {
        "task": settings.task.name,
        "classes": list(result.data.classes),
        "recipe": settings.recipe,
        "gradient": settings.gradient if settings.recipe == "published" else "auto",
        "compiled": result.backend,
        **settings.resolved(),
        "scaling": {"invert": settings.scaling.invert, "top": settings.scaling.top},
        "data": {"source": result.data.source, "train": len(result.data.train), "test": len(result.data.test)},
        "epochs_run": len(result.losses),
        "stopped": result.stopped,
        "interrupted": result.interrupted,
        "seconds": round(result.seconds, 3),
        "train_accuracy": result.train_accuracy,
        "test_accuracy": result.test_accuracy,
        "losses": [_number(loss) for loss in result.losses],
        "accuracies": result.accuracies,
        "predictions": {
            "train": _predictions(result.data.train, result.after.sigma),
            "test": _predictions(result.data.test, result.test.sigma),
        },
        "gradient_comparison": [
            {
                "loss": checked.name,
                "tied_windows": checked.tied_windows,
                **{parameter.name: _gradients(parameter) for parameter in checked.report.parameters},
            }
            for checked in result.checked_losses
        ],
        "other_recipe": None if other is None else _summary(other),
        "versions": versions(),
    }


def _gradients(parameter: tg.check.Parameter) -> dict[str, Any]:
    """The three gradients of a parameter, two by two."""
    pairs = {
        "auto_hand": parameter.hand_derived_vs_autodiff,
        "auto_numeric": parameter.autodiff_vs_differences,
        "hand_numeric": parameter.hand_derived_vs_differences,
    }
    found: dict[str, Any] = {"largest": _number(largest(parameter)), "measured": parameter.measured}
    for name, comparison in pairs.items():
        if comparison is not None:
            found[name] = {
                "verdict": comparison.verdict,
                "absolute": _number(comparison.difference) if comparison.verdict != "inconclusive" else None,
                "relative": _number(relative(comparison, parameter)),
            }
    return found


def _summary(result: Result) -> dict[str, Any]:
    return {
        "recipe": result.settings.recipe,
        **result.settings.resolved(),
        "train_accuracy": result.train_accuracy,
        "test_accuracy": result.test_accuracy,
        "stopped": result.stopped,
    }


def _predictions(drawings: Drawings, sigma: Any) -> list[dict[str, Any]]:
    return [
        {"name": name, "target": int(target), "probability": _number(probability)}
        for name, target, probability in zip(drawings.names, drawings.y[:, 0], sigma[0], strict=True)
    ]


def _number(x: Any) -> float | None:
    """`x` for JSON, which knows no NaN and no infinity."""
    return float(x) if np.isfinite(x) else None


def versions() -> dict[str, str]:
    """What the run was made with."""
    return {
        "tinygrad_cnn": tg.__version__,
        "numpy": np.__version__,
        "opencv": cv2.__version__,
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}",
    }
