"""Pooling."""

from __future__ import annotations

from typing import Any

import numpy as np

from corpus.case import Parameters, mistake, normal

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


BORDERED = {"x": normal(60, 7)}
BORDERED_GOAL = normal(61, 7)


def padded_average(p: Parameters) -> Any:
    x_pad = np.pad(p["x"], 1)
    y = (x_pad[:-2] + x_pad[1:-1] + x_pad[2:]) / 3
    return np.sum((y - BORDERED_GOAL) ** 2)


@mistake(
    padded_average,
    BORDERED,
    source="https://github.com/pytorch/pytorch/pull/15997 (count_include_pad, which the gradient did not know)",
    step="dx",
    cause="The gradient divides by the number of elements within the image, where the forward pass counts padding too.",
    fix={"/ (end - start)": "/ 3"},
    says=r"divid|divisor|count|number|kernel|length|size",
)
def caffe2_count_include_pad_gradient(p: Parameters) -> dict[str, Any]:
    x_pad = np.pad(p["x"], 1)
    dy = 2 * ((x_pad[:-2] + x_pad[1:-1] + x_pad[2:]) / 3 - BORDERED_GOAL)
    dx = np.zeros(7)
    for i in range(7):
        start, end = max(i - 1, 0), min(i + 2, 7)
        dx[start:end] += dy[i] / (end - start)
    return {"dy": dy, "dx": dx}


MAP = {"x": normal(62, 3, 4)}
MAP_GOAL = normal(63, 2, 2)


def mean_pooling(p: Parameters) -> Any:
    y = np.stack([np.stack([np.mean(p["x"][i : i + 2, 2 * j : 2 * j + 2]) for j in range(2)]) for i in range(2)])
    return np.sum((y - MAP_GOAL) ** 2)


@mistake(
    mean_pooling,
    MAP,
    source="https://github.com/mlpack/mlpack/pull/2865 (MeanPooling.Backward)",
    step="dx",
    cause="The backward pass computes the kernel's shape anew, as input size over output size: it is a row too low.",
    fix={"rows, columns = x.shape[0] // 2, x.shape[1] // 2": "rows, columns = 2, 2"},
    says=r"kernel|window|rows|shape|size",
)
def mlpack_mean_pooling_kernel_gradient(p: Parameters) -> dict[str, Any]:
    x = p["x"]
    y = np.array([[x[i : i + 2, 2 * j : 2 * j + 2].mean() for j in range(2)] for i in range(2)])
    dy = 2 * (y - MAP_GOAL)
    rows, columns = x.shape[0] // 2, x.shape[1] // 2
    dx = np.zeros_like(x)
    for i in range(2):
        for j in range(2):
            dx[i : i + rows, 2 * j : 2 * j + columns] += dy[i, j] / (rows * columns)
    return {"dy": dy, "dx": dx}


HANGING = {"x": normal(64, 2, 6)}
HANGING_GOAL = normal(65, 2, 3)


def ceil_mode_average(p: Parameters) -> Any:
    y = np.stack([np.mean(p["x"][:, 2 * i : min(2 * i + 3, 6)], axis=1) for i in range(3)], axis=1)
    return np.sum((y - HANGING_GOAL) ** 2)


@mistake(
    ceil_mode_average,
    HANGING,
    source="https://github.com/pytorch/pytorch/issues/198119",
    step="dx",
    cause="The last window hangs over the end; its cotangent is divided by the kernel's size, not by what is left.",
    fix={"dy[:, i, None] / 3": "dy[:, i, None] / (end - 2 * i)"},
    says=r"divid|divisor|size|count|length|hang|last|times what|3/2 times that, in only one",
)
def inductor_overhanging_window_backward(p: Parameters) -> dict[str, Any]:
    y = np.stack([p["x"][:, 2 * i : 2 * i + 3].mean(axis=1) for i in range(3)], axis=1)
    dy = 2 * (y - HANGING_GOAL)
    dx = np.zeros((2, 6))
    for i in range(3):
        end = min(2 * i + 3, 6)
        dx[:, 2 * i : end] += dy[:, i, None] / 3
    return {"dy": dy, "dx": dx}


OBLONG = {"x": normal(70, 4, 6)}
OBLONG_GOAL = normal(71, 2, 3)


def average_of_an_oblong(p: Parameters) -> Any:
    y = np.mean(p["x"].reshape(2, 2, 3, 2), axis=(1, 3))
    return np.sum((y - OBLONG_GOAL) ** 2)


@mistake(
    average_of_an_oblong,
    OBLONG,
    source="wiseodd/hipsternet, hipsternet/layer.py (_pool_backward: n, d, w, h = X.shape)",
    step="dx",
    cause="Height and width are unpacked in the wrong order, so the windows are put into an image of the other shape.",
    fix={'w, h = p["x"].shape': 'h, w = p["x"].shape'},
    says=r"height|width|transpos|shape|axes|order|exchanged|permuted|swap",
)
def hipsternet_width_and_height_backward(p: Parameters) -> dict[str, Any]:
    w, h = p["x"].shape
    dy = 2 * (p["x"].reshape(2, 2, 3, 2).mean(axis=(1, 3)) - OBLONG_GOAL)
    columns, image = w // 2, np.zeros((h, w))
    for n, g in enumerate(dy.ravel()):
        i, j = divmod(n, columns)
        image[2 * i : 2 * i + 2, 2 * j : 2 * j + 2] += g / 4
    dx = image.reshape(4, 6)
    return {"dy": dy, "dx": dx}
