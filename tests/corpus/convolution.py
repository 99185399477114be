"""Convolutions."""

from __future__ import annotations

from typing import Any

import numpy as np

from corpus.case import Parameters, mistake, normal

ROW = {"x": normal(1, 2, 7), "w": normal(2, 3, 2, 3)}
ROW_GOAL = normal(3, 3, 5)


def convolution_of_rows(p: Parameters) -> Any:
    y = p["w"][:, :, 0] @ p["x"][:, :5] + p["w"][:, :, 1] @ p["x"][:, 1:6] + p["w"][:, :, 2] @ p["x"][:, 2:]
    return 0.5 * np.sum((y - ROW_GOAL) ** 2)


@mistake(
    convolution_of_rows,
    ROW,
    source="https://github.com/nntrainer/nntrainer/issues/705 (rotated weights)",
    step="dx",
    cause="The full convolution of the backward pass uses the kernel as it is, not reversed.",
    fix={'p["w"][:, :, k].T @ padded': 'p["w"][:, :, 2 - k].T @ padded'},
    says=r"revers|flip|rotat|2 - k|::-1",
)
def nntrainer_kernel_not_rotated(p: Parameters) -> dict[str, Any]:
    y = sum(p["w"][:, :, k] @ p["x"][:, k : k + 5] for k in range(3))
    dy = y - ROW_GOAL
    dw = np.stack([dy @ p["x"][:, k : k + 5].T for k in range(3)], axis=2)
    padded = np.pad(dy, ((0, 0), (2, 2)))
    dx = sum((p["w"][:, :, k].T @ padded[:, k : k + 7]) for k in range(3))
    return {"dy": dy, "dw": dw, "dx": dx}


SQUARE = {"x": normal(4, 2, 6), "w": normal(5, 2, 2, 3)}
SQUARE_GOAL = normal(6, 2, 4)


def convolution_of_channels(p: Parameters) -> Any:
    y = p["w"][:, :, 0] @ p["x"][:, :4] + p["w"][:, :, 1] @ p["x"][:, 1:5] + p["w"][:, :, 2] @ p["x"][:, 2:]
    return 0.5 * np.sum((y - SQUARE_GOAL) ** 2)


@mistake(
    convolution_of_channels,
    SQUARE,
    source="https://github.com/nntrainer/nntrainer/issues/705 (the order of the weight's axes)",
    step="dw",
    cause="The axes of the weight's gradient, output and input channels, are in the wrong order.",
    fix={'p["x"][:, k : k + 4] @ dy.T': 'dy @ p["x"][:, k : k + 4].T'},
    says=r"transpos|permut",
)
def nntrainer_weight_axes(p: Parameters) -> dict[str, Any]:
    y = sum(p["w"][:, :, k] @ p["x"][:, k : k + 4] for k in range(3))
    dy = y - SQUARE_GOAL
    dw = np.stack([p["x"][:, k : k + 4] @ dy.T for k in range(3)], axis=2)
    dx = np.zeros_like(p["x"])
    for k in range(3):
        dx[:, k : k + 4] += p["w"][:, :, k].T @ dy
    return {"dy": dy, "dw": dw, "dx": dx}


@mistake(
    convolution_of_channels,
    SQUARE,
    source="https://github.com/sebgao/cTensor/issues/3",
    step="dw",
    cause="The weight's gradient is divided by the number of places and channels that it was summed over.",
    fix={'dy @ p["x"][:, k : k + 4].T / dy.size': 'dy @ p["x"][:, k : k + 4].T'},
    says=r"1/8|8|mean",
)
def ctensor_weight_averaged(p: Parameters) -> dict[str, Any]:
    y = sum(p["w"][:, :, k] @ p["x"][:, k : k + 4] for k in range(3))
    dy = y - SQUARE_GOAL
    dw = np.stack([dy @ p["x"][:, k : k + 4].T / dy.size for k in range(3)], axis=2)
    dx = np.zeros_like(p["x"])
    for k in range(3):
        dx[:, k : k + 4] += p["w"][:, :, k].T @ dy
    return {"dy": dy, "dw": dw, "dx": dx}
