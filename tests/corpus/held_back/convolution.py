"""Convolutions."""

from __future__ import annotations

from typing import Any

import numpy as np

from corpus.case import Parameters, mistake, normal

VOLUME = {"x": normal(7, 5, 4), "w": normal(8, 2, 4, 3)}
VOLUME_GOAL = normal(9, 4, 3)


def convolution_of_depths(p: Parameters) -> Any:
    slices = [sum(p["w"][k].T @ p["x"][m + k] for k in range(2)) for m in range(4)]
    y = np.stack(slices)
    return 0.5 * np.sum((y - VOLUME_GOAL) ** 2)


@mistake(
    convolution_of_depths,
    VOLUME,
    source="https://github.com/NervanaSystems/neon/issues/111",
    step="dx",
    cause="The depth of the output is used as an index of the input's gradient, instead of the depth of the input.",
    fix={"dx[m] +=": "dx[m + k] +="},
    says=r"index|m \+ k|off by one|depth",
)
def neon_depth_index(p: Parameters) -> dict[str, Any]:
    y = np.stack([sum(p["w"][k].T @ p["x"][m + k] for k in range(2)) for m in range(4)])
    dy = y - VOLUME_GOAL
    dw, dx = np.zeros_like(p["w"]), np.zeros_like(p["x"])
    for m in range(4):
        for k in range(2):
            dw[k] += np.outer(p["x"][m + k], dy[m])
            dx[m] += p["w"][k] @ dy[m]
    return {"dy": dy, "dw": dw, "dx": dx}


STRIDED = {"x": normal(10, 9), "w": normal(11, 3)}
STRIDED_GOAL = normal(12, 4)


def strided_convolution(p: Parameters) -> Any:
    windows = np.stack([p["x"][2 * i : 2 * i + 3] for i in range(4)])
    y = windows @ p["w"]
    return 0.5 * np.sum((y - STRIDED_GOAL) ** 2)


@mistake(
    strided_convolution,
    STRIDED,
    source="https://github.com/enggen/Deep-Learning-Coursera/issues/7",
    step="dx",
    cause="The cotangents are put side by side instead of two apart: the stride is left out.",
    fix={"dx[i : i + 3]": "dx[2 * i : 2 * i + 3]"},
    says=r"stride|2 \*|window|index",
)
def stride_left_out(p: Parameters) -> dict[str, Any]:
    windows = np.stack([p["x"][2 * i : 2 * i + 3] for i in range(4)])
    dy = windows @ p["w"] - STRIDED_GOAL
    dw = windows.T @ dy
    dx = np.zeros(9)
    for i in range(4):
        dx[i : i + 3] += dy[i] * p["w"]
    return {"dy": dy, "dw": dw, "dx": dx}
