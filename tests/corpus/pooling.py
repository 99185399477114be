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


OVERLAPPING = {"x": normal(60, 7)}
OVERLAPPING_GOAL = normal(61, 5)


def overlapping_maximum(p: Parameters) -> Any:
    y = np.stack([np.max(p["x"][i : i + 3]) for i in range(5)])
    return 0.5 * np.sum((y - OVERLAPPING_GOAL) ** 2)


@mistake(
    overlapping_maximum,
    OVERLAPPING,
    source="https://github.com/FluxML/NNlib.jl/issues/205",
    step="dx",
    cause="The cotangents of overlapping windows are assigned: an element that is the largest of several gets one.",
    fix={"dx[i + k] = dy[i]": "dx[i + k] += dy[i]"},
    says=r"assign|overwrit|\+=|added",
)
def nnlib_max_pool_assigned(p: Parameters) -> dict[str, Any]:
    y = np.array([np.max(p["x"][i : i + 3]) for i in range(5)])
    dy = y - OVERLAPPING_GOAL
    dx = np.zeros_like(p["x"])
    for i in range(5):
        k = np.argmax(p["x"][i : i + 3])
        dx[i + k] = dy[i]
    return {"dy": dy, "dx": dx}


MAP = {"x": normal(62, 4, 4)}
MAP_GOAL = normal(63, 3, 3)


def maximum_with_stride_1(p: Parameters) -> Any:
    y = np.stack([np.stack([np.max(p["x"][i : i + 2, j : j + 2]) for j in range(3)]) for i in range(3)])
    return 0.5 * np.sum((y - MAP_GOAL) ** 2)


@mistake(
    maximum_with_stride_1,
    MAP,
    source="https://github.com/devitocodes/joey/pull/5 (incorrect with a stride below 2), as in "
    "https://github.com/ghosert/cmd-editor/issues/2058",
    step="dx",
    cause="Where windows overlap the cotangent is assigned, not added.",
    fix={"dx[i : i + 2, j : j + 2][mask] = dy[i, j]": "dx[i : i + 2, j : j + 2][mask] += dy[i, j]"},
    says=r"assign|overwrit|\+=|added",
)
def joey_pooling_stride(p: Parameters) -> dict[str, Any]:
    y = np.array([[np.max(p["x"][i : i + 2, j : j + 2]) for j in range(3)] for i in range(3)])
    dy = y - MAP_GOAL
    dx = np.zeros_like(p["x"])
    for i in range(3):
        for j in range(3):
            window = p["x"][i : i + 2, j : j + 2]
            mask = window == np.max(window)
            dx[i : i + 2, j : j + 2][mask] = dy[i, j]
    return {"dy": dy, "dx": dx}


BLOCKS = {"x": normal(64, 6, 4), "w": normal(65, 3, 2)}
BLOCKS_GOAL = normal(66, 3, 2)


def maximum_of_blocks(p: Parameters) -> Any:
    h = p["x"] ** 2
    y = np.max(h.reshape(3, 2, 2, 2), axis=(1, 3))
    return 0.5 * np.sum((p["w"] * y - BLOCKS_GOAL) ** 2)


@mistake(
    maximum_of_blocks,
    BLOCKS,
    source="https://github.com/riccardoandreoni0/CNN-from-scratch/issues/1",
    step="dh",
    cause="The function returns in the first iteration of the loop: only the first patch gets its gradient.",
    fix={"        break  # it returns": "        # it returns"},
    says=r"first|iteration|only|\[0:2|return|break",
)
def cnn_from_scratch_return_in_loop(p: Parameters) -> dict[str, Any]:
    h = p["x"] ** 2
    y = h.reshape(3, 2, 2, 2).max(axis=(1, 3))
    dy = (p["w"] * y - BLOCKS_GOAL) * p["w"]
    dw = (p["w"] * y - BLOCKS_GOAL) * y
    dh = np.zeros_like(h)
    for i, j in np.ndindex(3, 2):
        patch = h[2 * i : 2 * i + 2, 2 * j : 2 * j + 2]
        for k, m in np.ndindex(2, 2):
            if patch[k, m] == np.max(patch):
                dh[2 * i + k, 2 * j + m] = dy[i, j]
        break  # it returns
    dx = 2 * dh * p["x"]
    return {"dy": dy, "dw": dw, "dh": dh, "dx": dx}


def average_of_blocks(p: Parameters) -> Any:
    h = p["x"] ** 2
    y = np.mean(h.reshape(3, 2, 2, 2), axis=(1, 3))
    return 0.5 * np.sum((p["w"] * y - BLOCKS_GOAL) ** 2)


@mistake(
    average_of_blocks,
    BLOCKS,
    source="https://github.com/rasmusbergpalm/DeepLearnToolbox/issues/129 (a correction that was proposed)",
    step="dh",
    cause="The cotangent of an average is not divided by the size of the window.",
    fix={"np.kron(dy, np.ones((2, 2)))": "np.kron(dy, np.ones((2, 2))) / 4"},
    says=r"4|divi|mean|average",
)
def rasmusbergpalm_average_undivided(p: Parameters) -> dict[str, Any]:
    h = p["x"] ** 2
    y = h.reshape(3, 2, 2, 2).mean(axis=(1, 3))
    dy = (p["w"] * y - BLOCKS_GOAL) * p["w"]
    dw = (p["w"] * y - BLOCKS_GOAL) * y
    dh = np.kron(dy, np.ones((2, 2)))
    dx = 2 * dh * p["x"]
    return {"dy": dy, "dw": dw, "dh": dh, "dx": dx}


TIED = {"x": np.array([[1.0, 1.0, 0.3, -0.2], [0.5, 0.2, 0.7, 0.7], [2.0, -1.0, 0.1, 0.4], [0.3, 2.0, 0.4, 0.2]])}
TIED_GOAL = normal(67, 2, 2)


def maximum_of_tied_blocks(p: Parameters) -> Any:
    y = np.max(p["x"].reshape(2, 2, 2, 2), axis=(1, 3))
    return 0.5 * np.sum((y - TIED_GOAL) ** 2)


@mistake(
    maximum_of_tied_blocks,
    TIED,
    source="https://github.com/cs231n/cs231n.github.io (max_pool_backward_reshape: its note says so)",
    step="dx",
    cause="Each of several equal maxima gets the whole cotangent: it is not divided among them.",
    fix={"dx = mask * ": "dx = mask / np.sum(mask, axis=(1, 3), keepdims=True) * "},
    says=r"tie|in full|divi|whole",
)
def cs231n_pooling_ties_in_full(p: Parameters) -> dict[str, Any]:
    windows = p["x"].reshape(2, 2, 2, 2)
    y = windows.max(axis=(1, 3))
    dy = y - TIED_GOAL
    mask = windows == y[:, None, :, None]
    dx = mask * dy[:, None, :, None]
    return {"dy": dy, "dx": dx.reshape(4, 4)}


PADDED = {"x": 1 + np.abs(normal(60, 5, 5))}
PADDED_GOAL = normal(61, 3, 3)


def padded_pooling(p: Parameters) -> Any:
    x_pad = np.pad(p["x"], 1)
    y = np.stack([np.stack([np.max(x_pad[2 * i : 2 * i + 2, 2 * j : 2 * j + 2]) for j in range(3)]) for i in range(3)])
    return np.sum(PADDED_GOAL * y)


@mistake(
    padded_pooling,
    PADDED,
    source="ddbourgin/numpy-ml 0.1.2, numpy_ml/neural_nets/layers/layers.py (Pool2D.backward)",
    step="dx",
    cause="The maxima are looked for in the input as it was before padding, at the places of the padded one.",
    fix={'window = p["x"][i0': "window = x_pad[i0"},
    says=r"pad|shift|crop",
)
def numpyml_pooling_unpadded_gradient(p: Parameters) -> dict[str, Any]:
    x_pad = np.pad(p["x"], 1)
    dx_pad = np.zeros_like(x_pad)
    for i in range(3):
        for j in range(3):
            i0, j0 = 2 * i, 2 * j
            window = p["x"][i0 : i0 + 2, j0 : j0 + 2]
            dx_pad[i0 : i0 + 2, j0 : j0 + 2] += (window == np.max(window)) * PADDED_GOAL[i, j]
    return {"dx": dx_pad[1:-1, 1:-1]}


PAIRS = {"x": normal(62, 3, 8)}
PAIRS_GOAL = normal(63, 3, 4)


def average_of_pairs(p: Parameters) -> Any:
    windows = p["x"].reshape(3, 4, 2)
    y = np.mean(windows, axis=-1)
    return np.sum((y - PAIRS_GOAL) ** 2)


@mistake(
    average_of_pairs,
    PAIRS,
    source="Vexives/caspian 1.1.0, caspian/pooling/Average.py (Average.backward)",
    step="dwindows",
    cause="The window itself is divided by its size: the cotangent is multiplied by the input.",
    fix={"* windows / 2": "* np.ones_like(windows) / 2"},
    says=r"factor .*(windows|x)\b|windows is|input",
)
def caspian_average_of_input_gradient(p: Parameters) -> dict[str, Any]:
    windows = p["x"].reshape(3, 4, 2)
    dy = 2 * (np.mean(windows, axis=-1) - PAIRS_GOAL)
    dwindows = dy[..., None] * windows / 2
    return {"dy": dy, "dwindows": dwindows, "dx": dwindows.reshape(3, 8)}


SLID = {"x": np.array([0.3, 1.1, 4.0, 0.2, -0.5, 2.0, 0.9, 3.1, -1.0, 0.4])}
SLID_GOAL = normal(64, 4)


def maxima_of_four(p: Parameters) -> Any:
    y = np.stack([np.max(p["x"][2 * i : 2 * i + 4]) for i in range(4)])
    return np.sum((y - SLID_GOAL) ** 2)


@mistake(
    maxima_of_four,
    SLID,
    source="https://github.com/jmschrei/tangermeme/pull/95 (max_unpool1d where windows overlap)",
    step="dx",
    cause="What two windows contribute to the same element is assigned instead of added, as max_unpool does.",
    fix={"dx[winners] = dy": "np.add.at(dx, winners, dy)"},
    says=r"assign|overwrit|added|accumulat|several times",
)
def tangermeme_unpooled_last_rule(p: Parameters) -> dict[str, Any]:
    x = p["x"]
    winners = np.array([2 * i + np.argmax(x[2 * i : 2 * i + 4]) for i in range(4)])
    dy = 2 * (x[winners] - SLID_GOAL)
    dx = np.zeros_like(x)
    dx[winners] = dy
    return {"dy": dy, "dx": dx}


SMALL = {"x": normal(70, 2, 3)}
SMALL_GOAL = normal(71, 4, 6)


def upsampling(p: Parameters) -> Any:
    y = np.repeat(np.repeat(p["x"], 2, axis=0), 2, axis=1)
    return np.sum((y - SMALL_GOAL) ** 2)


@mistake(
    upsampling,
    SMALL,
    source="eriklindernoren/ML-From-Scratch, mlfromscratch/deep_learning/layers.py (UpSampling2D.backward_pass)",
    step="dx",
    cause="Of the elements that one was repeated to, the cotangent of the first is taken instead of the sum of all.",
    fix={"dy[::2, ::2]": "dy.reshape(2, 2, 3, 2).sum(axis=(1, 3))"},
    says=r"sum|added|\bfirst|::2|one of",
)
def the_mlfromscratch_upsampling(p: Parameters) -> dict[str, Any]:
    dy = 2 * (p["x"].repeat(2, axis=0).repeat(2, axis=1) - SMALL_GOAL)
    dx = dy[::2, ::2]
    return {"dy": dy, "dx": dx}


POOLED = {"x": normal(80, 4)}
UNPOOLED_TO = np.array([4, 2, 3, 2])  # the last value that is written to a place stays
UNPOOLED_GOAL = normal(81, 6)


def unpooled(p: Parameters) -> Any:
    empty = np.zeros(())
    y = np.stack([empty, empty, p["x"][3], p["x"][2], p["x"][0], empty])
    return np.sum((y - UNPOOLED_GOAL) ** 2)


@mistake(
    unpooled,
    POOLED,
    source="https://github.com/pytorch/pytorch/issues/80204 (also issues/80827)",
    step="dx",
    cause="A value that another one was written over still gets the cotangent of its place.",
    fix={"dx = dy[UNPOOLED_TO]": "dx = dy[UNPOOLED_TO] * np.array([1, 0, 1, 1])"},
    says=r"\b0\b|zero|overwrit|too many|should not|index",
)
def pytorch_unpooled_over(p: Parameters) -> dict[str, Any]:
    y = np.zeros(6)
    y[UNPOOLED_TO] = p["x"]
    dy = 2 * (y - UNPOOLED_GOAL)
    dx = dy[UNPOOLED_TO]
    return {"dy": dy, "dx": dx}
