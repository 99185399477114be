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


STEPS = {"x": normal(43, 2, 9), "w": normal(44, 2, 3)}
STEPS_GOAL = normal(45, 4)


def stepping_convolution(p: Parameters) -> Any:
    y = sum(np.sum(p["w"][:, k].reshape(2, 1) * p["x"][:, k : k + 8 : 2], axis=0) for k in range(3))
    return np.sum((y - STEPS_GOAL) ** 2)


@mistake(
    stepping_convolution,
    STEPS,
    source="https://github.com/iree-org/iree-turbine/pull/1223 (also https://github.com/huggingface/candle/pull/2337)",
    step="dw",
    cause="Stride and dilation are exchanged in the gradient of the weight.",
    fix={"x[:, 2 * k : 2 * k + 4]": "x[:, k : k + 8 : 2]"},
    says=r"strid|dilat|step|slice|window|index",
)
def iree_stride_and_dilation(p: Parameters) -> dict[str, Any]:
    x, w = p["x"], p["w"]
    y = np.zeros(4)
    for k in range(3):
        y += w[:, k] @ x[:, k : k + 8 : 2]
    dy = 2 * (y - STEPS_GOAL)
    dx, dw = np.zeros_like(x), np.zeros_like(w)
    for k in range(3):
        dw[:, k] = x[:, 2 * k : 2 * k + 4] @ dy
        dx[:, k : k + 8 : 2] += np.outer(w[:, k], dy)
    return {"dy": dy, "dx": dx, "dw": dw}


MAPPED = {"x": normal(80, 4, 4), "w": normal(81, 2, 2)}
MAPPED_GOAL = normal(82, 3, 3)


def correlation(p: Parameters) -> Any:
    y = np.stack([np.stack([np.sum(p["w"] * p["x"][i : i + 2, j : j + 2]) for j in range(3)]) for i in range(3)])
    return np.sum((y - MAPPED_GOAL) ** 2)


@mistake(
    correlation,
    MAPPED,
    source="https://github.com/ddbourgin/numpy-ml/issues/27 (a correction that was asked for)",
    step="dx",
    cause="The weights are rotated where each window gets its own back, as they are it would be right.",
    fix={"dy[i, j] * w[::-1, ::-1]": "dy[i, j] * w"},
    says=r"flip|rotat|revers|::-1",
)
def numpyml_rotated_windows_rule(p: Parameters) -> dict[str, Any]:
    x, w = p["x"], p["w"]
    dx, dw, dy = np.zeros((4, 4)), np.zeros((2, 2)), np.zeros((3, 3))
    for i in range(3):
        for j in range(3):
            dy[i, j] = 2 * (np.sum(w * x[i : i + 2, j : j + 2]) - MAPPED_GOAL[i, j])
            dx[i : i + 2, j : j + 2] += dy[i, j] * w[::-1, ::-1]
            dw += dy[i, j] * x[i : i + 2, j : j + 2]
    return {"dy": dy, "dx": dx, "dw": dw}
