"""Pooling."""

from __future__ import annotations

from typing import Any

import numpy as np

from corpus.case import Parameters, mistake, normal

IMAGE = {"x": normal(1, 5, 5)}
GOAL = normal(2, 4, 4)


def overlapping_pooling(p: Parameters) -> Any:
    y = np.stack([np.stack([np.max(p["x"][i : i + 2, j : j + 2]) for j in range(4)]) for i in range(4)])
    return np.sum(GOAL * y)


@mistake(
    overlapping_pooling,
    IMAGE,
    source="https://github.com/devitocodes/joey/pull/5",
    step="dx",
    cause="Windows overlap, and what they contribute to one element is assigned instead of added.",
    fix={"dx[i + a, j + b] = GOAL": "dx[i + a, j + b] += GOAL"},
    says=r"assign|overwrit|\+=",
)
def joey_pooling_assigned(p: Parameters) -> dict[str, Any]:
    dx = np.zeros((5, 5))
    for i in range(4):
        for j in range(4):
            a, b = np.unravel_index(np.argmax(p["x"][i : i + 2, j : j + 2]), (2, 2))
            dx[i + a, j + b] = GOAL[i, j]
    return {"dx": dx}


SLIDE = {"x": np.array([5.0, 3.0, 1.0, 2.0, 5.5, 4.0])}
SLIDE_GOAL = normal(3, 5)


def sliding_maximum(p: Parameters) -> Any:
    y = np.maximum(p["x"][:-1], p["x"][1:])
    return np.sum(SLIDE_GOAL * y)


@mistake(
    sliding_maximum,
    SLIDE,
    source="https://github.com/ahrefs/ocannl/issues/512",
    step="dx",
    cause="Which window an element won is kept once per element, and the last write wins where windows overlap.",
    fix={
        "gate[i] = x[i] >= x[i + 1]": "dx[i] += SLIDE_GOAL[i] * (x[i] >= x[i + 1])",
        "gate[i + 1] = x[i + 1] > x[i]": "dx[i + 1] += SLIDE_GOAL[i] * (x[i + 1] > x[i])",
    },
    says=r"assign|overwrit|window|mask|passed|tie",
)
def ocannl_last_write_wins(p: Parameters) -> dict[str, Any]:
    x = p["x"]
    gate, dx = np.zeros(6, bool), np.zeros(6)
    for i in range(5):
        gate[i] = x[i] >= x[i + 1]
        gate[i + 1] = x[i + 1] > x[i]
    dx[:-1] += gate[:-1] * SLIDE_GOAL
    dx[1:] += gate[1:] * SLIDE_GOAL
    return {"dx": dx}


BLOCKS = {"x": normal(4, 6, 6)}
BLOCK_GOAL = normal(5, 3, 3)


def max_pooling(p: Parameters) -> Any:
    y = np.max(p["x"].reshape(3, 2, 3, 2), axis=(1, 3))
    return np.sum(BLOCK_GOAL * y)


@mistake(
    max_pooling,
    BLOCKS,
    source="https://github.com/riccardoandreoni0/CNN-from-scratch/issues/1",
    step="dx",
    cause="The loop over the patches returns after the first one: all others get a gradient of 0.",
    fix={"break": "continue"},
    says=r"\b0\b|zero|only|first|missing|\[",
)
def cnn_from_scratch_first_patch(p: Parameters) -> dict[str, Any]:
    dx = np.zeros((6, 6))
    for block in range(9):
        i, j = divmod(block, 3)
        patch = p["x"][2 * i : 2 * i + 2, 2 * j : 2 * j + 2]
        dx[2 * i : 2 * i + 2, 2 * j : 2 * j + 2] = (patch == patch.max()) * BLOCK_GOAL[i, j]
        break
    return {"dx": dx}


PLATEAU = {"x": 0.1 * np.round(BLOCKS["x"]) + 0.001 * np.arange(36).reshape(6, 6)}


@mistake(
    max_pooling,
    PLATEAU,
    source="https://github.com/mni-ml/framework/pull/22",
    step="dx",
    cause="The mask compares to within 0.01, so elements that are nearly the largest get the cotangent too.",
    fix={"np.abs(x - largest) < 1e-2": "x == largest"},
    says=r"==|tolerance|mask|largest|tie",
)
def mni_ml_mask_is_close(p: Parameters) -> dict[str, Any]:
    x = p["x"]
    largest = x.reshape(3, 2, 3, 2).max(axis=(1, 3)).repeat(2, 0).repeat(2, 1)
    mask = np.abs(x - largest) < 1e-2
    dx = mask * BLOCK_GOAL.repeat(2, 0).repeat(2, 1)
    return {"dx": dx}
