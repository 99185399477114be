"""Pooling."""

from __future__ import annotations

from typing import Any

import numpy as np

from corpus.case import Parameters, mistake, normal

LINE = {"x": normal(7, 5)}
LINE_GOAL = normal(8, 3)


def average_pooling_to_the_end(p: Parameters) -> Any:
    y = np.stack([np.mean(p["x"][2 * i : 2 * i + 2]) for i in range(3)])
    return np.sum(LINE_GOAL * y)


@mistake(
    average_pooling_to_the_end,
    LINE,
    source="https://github.com/tracel-ai/burn/issues/5604",
    step="dx",
    cause="The last window, which reaches over the end, is divided by the kernel's size and not by its own.",
    fix={"LINE_GOAL[i] / 2": "LINE_GOAL[i] / len(p['x'][2 * i : 2 * i + 2])"},
    says=r"1/2|divided by 2|half|0\.5|size|length|len",
)
def burn_average_pooling_divisor(p: Parameters) -> dict[str, Any]:
    dx = np.zeros_like(p["x"])
    for i in range(3):
        dx[2 * i : 2 * i + 2] = LINE_GOAL[i] / 2
    return {"dx": dx}
