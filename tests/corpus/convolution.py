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


# Two-dimensional, with a stride of 2, in loops over the positions of the window.
PICTURE = {"x": normal(30, 2, 6, 6), "W": normal(31, 3, 2, 2, 2), "b": 0.3 * normal(32, 3)}
PICTURE_GOAL = normal(33, 3, 3, 3)
STRIDE, SIZE = 2, 2


def strided_convolution(p: Parameters) -> Any:
    windows = [p["x"][:, i * 2 : i * 2 + 2, j * 2 : j * 2 + 2] for i in range(3) for j in range(3)]
    Z = np.stack([np.stack([np.sum(p["W"][c] * window) + p["b"][c] for window in windows]) for c in range(3)])
    return 0.5 * np.sum((Z - PICTURE_GOAL.reshape(3, 9)) ** 2)


def strided_outputs(p: Parameters) -> Any:
    """Of `strided_convolution`."""
    Z = np.zeros((3, 3, 3))
    for c in range(3):
        for i in range(3):
            for j in range(3):
                Z[c, i, j] = np.sum(p["W"][c] * p["x"][:, i * 2 : i * 2 + 2, j * 2 : j * 2 + 2]) + p["b"][c]
    return Z


@mistake(
    strided_convolution,
    PICTURE,
    source="https://github.com/Kulbear/deep-learning-coursera/pull/34 (and enggen/Deep-Learning-Coursera/issues/7)",
    step="dx dW",
    cause="The corners of the windows are not multiplied by the stride.",
    fix={"vert_start = i\n": "vert_start = i * STRIDE\n", "horiz_start = j\n": "horiz_start = j * STRIDE\n"},
    says=r"stride|2 \*|\* 2",
)
def kulbear_stride_missing(p: Parameters) -> dict[str, Any]:
    dZ = strided_outputs(p) - PICTURE_GOAL
    dx, dW, db = np.zeros_like(p["x"]), np.zeros_like(p["W"]), np.zeros_like(p["b"])
    for i in range(3):
        for j in range(3):
            for c in range(3):
                vert_start = i
                horiz_start = j
                window = p["x"][:, vert_start : vert_start + SIZE, horiz_start : horiz_start + SIZE]
                dx[:, vert_start : vert_start + SIZE, horiz_start : horiz_start + SIZE] += p["W"][c] * dZ[c, i, j]
                dW[c] += window * dZ[c, i, j]
                db[c] += dZ[c, i, j]
    return {"dx": dx, "dW": dW, "db": db}


@mistake(
    strided_convolution,
    PICTURE,
    source="https://github.com/enggen/Deep-Learning-Coursera/issues/7 (in the slice of the weights alone)",
    step="dW",
    cause="The window of the input is not moved by the stride.",
    fix={'p["x"][:, i : i + SIZE, j : j + SIZE]': 'p["x"][:, i * 2 : i * 2 + SIZE, j * 2 : j * 2 + SIZE]'},
    says=r"stride|2 \*|\* 2",
)
def coursera_stride_not_multiplied(p: Parameters) -> dict[str, Any]:
    dZ = strided_outputs(p) - PICTURE_GOAL
    dx, dW, db = np.zeros_like(p["x"]), np.zeros_like(p["W"]), np.zeros_like(p["b"])
    for c in range(3):
        for i in range(3):
            for j in range(3):
                dx[:, i * 2 : i * 2 + SIZE, j * 2 : j * 2 + SIZE] += p["W"][c] * dZ[c, i, j]
                dW[c] += p["x"][:, i : i + SIZE, j : j + SIZE] * dZ[c, i, j]
                db[c] += dZ[c, i, j]
    return {"dx": dx, "dW": dW, "db": db}


LINE = {"x": normal(34, 8), "w": normal(35, 3)}
LINE_GOAL = normal(36, 6)


def convolution_of_a_line(p: Parameters) -> Any:
    y = np.stack([np.sum(p["x"][i : i + 3] * p["w"]) for i in range(6)])
    return 0.5 * np.sum((y - LINE_GOAL) ** 2)


@mistake(
    convolution_of_a_line,
    LINE,
    source="https://end-to-end-machine-learning.teachable.com/courses/322-convolutional-neural-networks-in-two-dimensions"
    " (a correction of its code: arguments of the correlation in the wrong order)",
    step="dw",
    cause="The operands of the correlation are exchanged, which reverses the gradient of the kernel.",
    fix={'np.correlate(dy, p["x"], "valid")': 'np.correlate(p["x"], dy, "valid")'},
    says=r"revers|flip|exchang|correlate",
)
def cottonwood_weight_reversed(p: Parameters) -> dict[str, Any]:
    y = np.correlate(p["x"], p["w"], "valid")
    dy = y - LINE_GOAL
    dw = np.correlate(dy, p["x"], "valid")
    dx = np.convolve(dy, p["w"], "full")
    return {"dy": dy, "dw": dw, "dx": dx}


PADDED = {"x": normal(37, 2, 4), "w": normal(38, 2, 3)}
PADDED_GOAL = normal(39, 2, 4)


def padded_convolution(p: Parameters) -> Any:
    zero = np.zeros((2, 1))
    padded = np.concatenate([zero, p["x"], zero], axis=1)
    y = p["w"][:, 0:1] * padded[:, 0:4] + p["w"][:, 1:2] * padded[:, 1:5] + p["w"][:, 2:3] * padded[:, 2:6]
    return 0.5 * np.sum((y - PADDED_GOAL) ** 2)


@mistake(
    padded_convolution,
    PADDED,
    source="https://github.com/torch/nn/pull/344",
    step="dx",
    cause="The backward pass of the padding returns the input instead of the gradient.",
    fix={'dx = p["x"]': "dx = dpadded[:, 1:5]"},
    says=r"x stands|x instead|p\['x'\]|dpadded",
)
def torch_padding_returns_input(p: Parameters) -> dict[str, Any]:
    padded = np.pad(p["x"], ((0, 0), (1, 1)))
    y = sum(p["w"][:, k : k + 1] * padded[:, k : k + 4] for k in range(3))
    dy = y - PADDED_GOAL
    dw, dpadded = np.zeros_like(p["w"]), np.zeros_like(padded)
    for k in range(3):
        dw[:, k] = np.sum(dy * padded[:, k : k + 4], axis=1)
        dpadded[:, k : k + 4] += p["w"][:, k : k + 1] * dy
    dx = p["x"]
    return {"dy": dy, "dw": dw, "dpadded": dpadded, "dx": dx}


@mistake(
    padded_convolution,
    PADDED,
    source="https://github.com/torch/nn/pull/344 (the padding, not cropped on the right side)",
    step="dx",
    cause="The padding is cropped on one side only: everything is off by one.",
    fix={"dx = dpadded[:, :4]": "dx = dpadded[:, 1:5]"},
    says=r"crop|index|off by one|1:5|padd",
)
def nn_padding_input(p: Parameters) -> dict[str, Any]:
    padded = np.pad(p["x"], ((0, 0), (1, 1)))
    y = sum(p["w"][:, k : k + 1] * padded[:, k : k + 4] for k in range(3))
    dy = y - PADDED_GOAL
    dw, dpadded = np.zeros_like(p["w"]), np.zeros_like(padded)
    for k in range(3):
        dw[:, k] = np.sum(dy * padded[:, k : k + 4], axis=1)
        dpadded[:, k : k + 4] += p["w"][:, k : k + 1] * dy
    dx = dpadded[:, :4]
    return {"dy": dy, "dw": dw, "dpadded": dpadded, "dx": dx}


EXPANDED = {"x": normal(40, 3), "w": normal(41, 2)}
EXPANDED_GOAL = normal(42, 6)


def transposed_convolution(p: Parameters) -> Any:
    y = np.concatenate([p["x"][0] * p["w"], p["x"][1] * p["w"], p["x"][2] * p["w"]])
    return 0.5 * np.sum((y - EXPANDED_GOAL) ** 2)


@mistake(
    transposed_convolution,
    EXPANDED,
    source="https://github.com/pytorch/pytorch/issues/63314",
    step="dx",
    cause="The cotangent of the output is taken at the next place instead of one stride further.",
    fix={"dy[i : i + 2]": "dy[2 * i : 2 * i + 2]"},
    says=r"stride|2 \* i",
)
def torch_transposed_stride(p: Parameters) -> dict[str, Any]:
    y = np.concatenate([x * p["w"] for x in p["x"]])
    dy = y - EXPANDED_GOAL
    dx, dw = np.zeros(3), np.zeros(2)
    for i in range(3):
        dx[i] = np.sum(dy[i : i + 2] * p["w"])
        dw += dy[2 * i : 2 * i + 2] * p["x"][i]
    return {"dy": dy, "dx": dx, "dw": dw}


DECONVOLVED = {"x": normal(40, 3, 4), "w": normal(41, 3), "b": np.array(0.2)}
DECONVOLVED_GOAL = normal(42, 3, 6)


def deconvolution(p: Parameters) -> Any:
    y = p["b"] + sum(p["w"][k] * np.pad(p["x"], ((0, 0), (k, 2 - k))) for k in range(3))
    return np.sum((y - DECONVOLVED_GOAL) ** 2)


@mistake(
    deconvolution,
    DECONVOLVED,
    source="https://github.com/BVLC/caffe/pull/3095 (the offset of an example is left out)",
    step="dw",
    cause="The cotangent of the first example is used for all of them: the offset n times its size is missing.",
    fix={"dw[k] += np.sum(dy[0, k : k + 4]": "dw[k] += np.sum(dy[n, k : k + 4]"},
    says=r"dy\[0|dy\[n|index|first|same|iteration|example",
)
def caffe_deconvolution_first_example(p: Parameters) -> dict[str, Any]:
    x, w = p["x"], p["w"]
    y = p["b"] + sum(w[k] * np.pad(x, ((0, 0), (k, 2 - k))) for k in range(3))
    dy = 2 * (y - DECONVOLVED_GOAL)
    dx, dw = np.zeros_like(x), np.zeros_like(w)
    for n in range(3):
        for k in range(3):
            dw[k] += np.sum(dy[0, k : k + 4] * x[n])
            dx[n] += dy[n, k : k + 4] * w[k]
    return {"dy": dy, "dx": dx, "dw": dw, "db": np.sum(dy)}


DEPTHWISE = {"x": normal(43, 2, 5, 5), "w": normal(44, 2, 3, 3)}
DEPTHWISE_GOAL = normal(45, 2, 3, 3)


def depthwise_convolution(p: Parameters) -> Any:
    y = sum(p["x"][:, a : a + 3, b : b + 3] * p["w"][:, a, b].reshape(2, 1, 1) for a in range(3) for b in range(3))
    return np.sum((y - DEPTHWISE_GOAL) ** 2)


@mistake(
    depthwise_convolution,
    DEPTHWISE,
    source="https://github.com/torch/cunn/pull/470 (height and width mixed up in a depth-wise convolution)",
    step="dw",
    cause="Height and width of the kernel are mixed up, so the gradient of each channel's kernel is transposed.",
    fix={"x[:, b : b + 3, a : a + 3]": "x[:, a : a + 3, b : b + 3]"},
    says=r"transpos|height|width|axes|exchanged|permuted",
)
def cunn_height_and_width(p: Parameters) -> dict[str, Any]:
    x, w = p["x"], p["w"]
    y = np.zeros((2, 3, 3))
    for a in range(3):
        for b in range(3):
            y += x[:, a : a + 3, b : b + 3] * w[:, a, b][:, None, None]
    dy = 2 * (y - DEPTHWISE_GOAL)
    dx, dw = np.zeros_like(x), np.zeros_like(w)
    for a in range(3):
        for b in range(3):
            dw[:, a, b] = np.sum(dy * x[:, b : b + 3, a : a + 3], axis=(1, 2))
            dx[:, a : a + 3, b : b + 3] += dy * w[:, a, b][:, None, None]
    return {"dy": dy, "dx": dx, "dw": dw}


SEQUENCE = {"x": normal(46, 2, 8), "w": normal(47, 3, 2, 3), "b": normal(48, 3)}
SEQUENCE_GOAL = normal(49, 3, 6)


def channels_convolution(p: Parameters) -> Any:
    y = sum(p["w"][:, :, k] @ p["x"][:, k : k + 6] for k in range(3)) + p["b"].reshape(3, 1)
    return np.sum((y - SEQUENCE_GOAL) ** 2)


@mistake(
    channels_convolution,
    SEQUENCE,
    source="https://github.com/Oneflow-Inc/oneflow/pull/255 (meant to be independent of the image's size)",
    step="dw db",
    cause="The gradients of weight and bias are divided by the number of steps that the kernel slides over.",
    fix={"dw[:, :, k] = dy @ x[:, k : k + 6].T / 6": "dw[:, :, k] = dy @ x[:, k : k + 6].T", "axis=1) / 6": "axis=1)"},
    says=r"1/6|6 times|divided|mean",
)
def oneflow_sliding_steps(p: Parameters) -> dict[str, Any]:
    x, w = p["x"], p["w"]
    y = sum(w[:, :, k] @ x[:, k : k + 6] for k in range(3)) + p["b"][:, None]
    dy = 2 * (y - SEQUENCE_GOAL)
    dx, dw = np.zeros_like(x), np.zeros_like(w)
    for k in range(3):
        dw[:, :, k] = dy @ x[:, k : k + 6].T / 6
        dx[:, k : k + 6] += w[:, :, k].T @ dy
    db = np.sum(dy, axis=1) / 6
    return {"dy": dy, "dx": dx, "dw": dw, "db": db}


GROUPED = {"x": normal(50, 6, 7), "w": normal(51, 4, 3, 3)}
GROUPED_GOAL = normal(52, 4, 5)


def grouped_convolution(p: Parameters) -> Any:
    y = np.concatenate(
        [
            sum(p["w"][2 * g : 2 * g + 2, :, k] @ p["x"][3 * g : 3 * g + 3, k : k + 5] for k in range(3))
            for g in range(2)
        ]
    )
    return np.sum((y - GROUPED_GOAL) ** 2)


@mistake(
    grouped_convolution,
    GROUPED,
    source="https://github.com/pytorch/pytorch/issues/51430 (nn.grad.conv1d_weight with groups > 1)",
    step="dw",
    cause="The input channels of the groups are interleaved: channel j of group g is read at 2 j + g, not at 3 g + j.",
    fix={"channel = 2 * j + g": "channel = 3 * g + j"},
    says=r"group|channel|index|interleav",
)
def pytorch_grouped_weight_gradient(p: Parameters) -> dict[str, Any]:
    x, w = p["x"], p["w"]
    y = np.zeros((4, 5))
    for o in range(4):
        for j in range(3):
            y[o] += sum(w[o, j, k] * x[3 * (o // 2) + j, k : k + 5] for k in range(3))
    dy = 2 * (y - GROUPED_GOAL)
    dx, dw = np.zeros_like(x), np.zeros_like(w)
    for o in range(4):
        g = o // 2
        for j in range(3):
            channel = 2 * j + g
            for k in range(3):
                dw[o, j, k] = dy[o] @ x[channel, k : k + 5]
                dx[3 * g + j, k : k + 5] += dy[o] * w[o, j, k]
    return {"dy": dy, "dx": dx, "dw": dw}


COLUMNS = {"x": normal(70, 4, 4), "w": normal(71, 2, 2)}
COLUMNS_GOAL = normal(72, 3, 3)


def convolution_by_columns(p: Parameters) -> Any:
    y = sum(p["w"][a, b] * p["x"][a : a + 3, b : b + 3] for a in range(2) for b in range(2))
    return np.sum((y - COLUMNS_GOAL) ** 2)


@mistake(
    convolution_by_columns,
    COLUMNS,
    source="https://github.com/oreilly-japan/deep-learning-from-scratch/issues/27 (a correction that was proposed)",
    step="dx",
    cause="In col2im what several windows contribute to an element is assigned instead of added.",
    fix={"dx[a : a + 3, b : b + 3] = dcol": "dx[a : a + 3, b : b + 3] += dcol"},
    says=r"assign|overwrit|added|accumulat|\+=",
)
def dlfs_col2im_assigned(p: Parameters) -> dict[str, Any]:
    x, w = p["x"], p["w"]
    col = np.array([[x[a : a + 3, b : b + 3] for b in range(2)] for a in range(2)])
    y = np.tensordot(w, col, 2)
    dy = 2 * (y - COLUMNS_GOAL)
    dw = np.tensordot(col, dy, 2)
    dcol = w[:, :, None, None] * dy
    dx = np.zeros_like(x)
    for a in range(2):
        for b in range(2):
            dx[a : a + 3, b : b + 3] = dcol[a, b]
    return {"dy": dy, "dw": dw, "dx": dx}


SAMPLES = {"w": normal(73, 3), "b": np.array(0.1)}
SAMPLES_INPUT, SAMPLES_GOAL = normal(74, 4, 7), normal(75, 4, 5)


def convolution_of_samples(p: Parameters) -> Any:
    y = p["b"] + sum(p["w"][k] * SAMPLES_INPUT[:, k : k + 5] for k in range(3))
    return np.sum((y - SAMPLES_GOAL) ** 2)


@mistake(
    convolution_of_samples,
    SAMPLES,
    source="https://github.com/LBANN/lbann/pull/1022 (the buffer is scaled for each sample, not once)",
    step="dw",
    cause="Each sample's gradient takes the place of those before it instead of being added: only the last one counts.",
    fix={"dw = 0 * dw +": "dw = dw +"},
    says=r"assign|overwrit|added|accumulat|iteration|last|0 \*",
)
def lbann_last_sample(p: Parameters) -> dict[str, Any]:
    y = p["b"] + sum(p["w"][k] * SAMPLES_INPUT[:, k : k + 5] for k in range(3))
    dy = 2 * (y - SAMPLES_GOAL)
    dw = np.zeros(3)
    for n in range(4):
        dw = 0 * dw + np.array([SAMPLES_INPUT[n, k : k + 5] @ dy[n] for k in range(3)])
    return {"dy": dy, "dw": dw, "db": np.sum(dy)}


FLAT = {"x": normal(80, 4, 7), "w": normal(81, 1, 3)}
FLAT_GOAL = normal(82, 4, 5)


def convolution_of_rows(p: Parameters) -> Any:
    y = p["w"][0, 0] * p["x"][:, 0:5] + p["w"][0, 1] * p["x"][:, 1:6] + p["w"][0, 2] * p["x"][:, 2:7]
    return np.sum((y - FLAT_GOAL) ** 2)


@mistake(
    convolution_of_rows,
    FLAT,
    source="https://github.com/llvm/torch-mlir/pull/4437",
    step="dx",
    cause="The filter is not flipped where one of its axes alone is longer than 1.",
    fix={"* flipped[0]": "* flipped[0, ::-1]"},
    says=r"flip|revers|::-1|rotat",
)
def torch_mlir_unflipped_gradient(p: Parameters) -> dict[str, Any]:
    x, w = p["x"], p["w"]
    dy = 2 * (w[0, 0] * x[:, 0:5] + w[0, 1] * x[:, 1:6] + w[0, 2] * x[:, 2:7] - FLAT_GOAL)
    padded = np.pad(dy, ((0, 0), (2, 2)))
    flipped = w
    dx = np.zeros_like(x)
    for j in range(7):
        dx[:, j] = np.sum(padded[:, j : j + 3] * flipped[0], axis=1)
    dw = np.array([[np.sum(dy * x[:, k : k + 5]) for k in range(3)]])
    return {"dy": dy, "dw": dw, "dx": dx}


STRIDED = {"x": normal(83, 3, 9), "w": normal(84, 3)}
STRIDED_GOAL = normal(85, 3, 4)


def strided_convolution(p: Parameters) -> Any:
    y = np.stack([np.sum(p["w"] * p["x"][:, 2 * i : 2 * i + 3], axis=1) for i in range(4)], axis=1)
    return np.sum((y - STRIDED_GOAL) ** 2)


@mistake(
    strided_convolution,
    STRIDED,
    source="https://github.com/ROCm/rocm-libraries/pull/7732",
    step="dx",
    cause="Of the products that a stride divides the input's gradient into, the first alone is computed.",
    fix={"for remainder in range(1):": "for remainder in range(2):"},
    says=r"range|first|only|missing|zero|\b0\b|iteration|index",
)
def rocm_first_product_gradient(p: Parameters) -> dict[str, Any]:
    x, w = p["x"], p["w"]
    y = np.stack([np.sum(w * x[:, 2 * i : 2 * i + 3], axis=1) for i in range(4)], axis=1)
    dy = 2 * (y - STRIDED_GOAL)
    dw = np.array([np.sum(dy * x[:, k : k + 7 : 2]) for k in range(3)])
    dx = np.zeros_like(x)
    for remainder in range(1):
        for k in range(remainder, 3, 2):
            dx[:, k : k + 7 : 2] += dy * w[k]
    return {"dy": dy, "dw": dw, "dx": dx}
