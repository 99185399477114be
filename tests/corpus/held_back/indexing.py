"""Embeddings and other look-ups, where an index may come more than once."""

from __future__ import annotations

from typing import Any

import numpy as np

from corpus.case import Parameters, mistake, normal, sigmoid

TABLE = {"E": normal(1, 5, 3)}
WORDS = np.array([1, 3, 1, 0, 3, 1])
GOAL = normal(2, 6, 3)


def embedding(p: Parameters) -> Any:
    v = p["E"][WORDS]
    return 0.5 * np.sum((v - GOAL) ** 2)


@mistake(
    embedding,
    TABLE,
    source="https://github.com/HIPS/autograd/issues/39",
    step="dE",
    cause="+= on an indexed array adds once for an index that comes several times.",
    fix={"dE[WORDS] += dv": "np.add.at(dE, WORDS, dv)"},
    says=r"overwrit|add\.at|assign|index|duplicate|repeated",
)
def autograd_duplicate_indices(p: Parameters) -> dict[str, Any]:
    dv = p["E"][WORDS] - GOAL
    dE = np.zeros_like(p["E"])
    dE[WORDS] += dv
    return {"dv": dv, "dE": dE}


PLACES = (np.array([1, 1, 0, 2]), np.array([1, 1, 0, 1]))
PICKED = normal(5, 4)


def gather(p: Parameters) -> Any:
    picked = p["data"][PLACES]
    return np.sum(PICKED * picked**2)


@mistake(
    gather,
    {"data": normal(6, 3, 2)},
    source="https://github.com/apache/mxnet/issues/9172",
    step="ddata",
    cause="The backward pass of gather scatters, and of equal indices the last one stays.",
    fix={"ddata[PLACES] = dpicked": "np.add.at(ddata, PLACES, dpicked)"},
    says=r"overwrit|add\.at|assign|last",
)
def mxnet_gather_scattered(p: Parameters) -> dict[str, Any]:
    dpicked = 2 * PICKED * p["data"][PLACES]
    ddata = np.zeros_like(p["data"])
    ddata[PLACES] = dpicked
    return {"dpicked": dpicked, "ddata": ddata}


SAMPLES = np.array([2, 4, 2, 2])
SKIP_GRAM = {"v": normal(7, 3), "U": normal(8, 5, 3)}


def negative_sampling(p: Parameters) -> Any:
    s = p["U"] @ p["v"]
    z = 1 / (1 + np.exp(-s))
    return -np.log(z[1]) - np.sum(np.log(1 - z[SAMPLES]))


@mistake(
    negative_sampling,
    SKIP_GRAM,
    source="https://github.com/ZacBi/CS224n-2019-solutions/issues/5",
    step="dU",
    cause="A word that is sampled several times has to be counted as often; += on an indexed array counts it once.",
    fix={'dU[SAMPLES] += np.outer(z[SAMPLES], p["v"])': "np.add.at(dU, SAMPLES, np.outer(z[SAMPLES], p['v']))"},
    says=r"overwrit|add\.at|assign|index|duplicate|repeated",
)
def cs224n_samples_counted_once(p: Parameters) -> dict[str, Any]:
    z = sigmoid(p["U"] @ p["v"])
    dU = np.zeros_like(p["U"])
    dU[1] += (z[1] - 1) * p["v"]
    dU[SAMPLES] += np.outer(z[SAMPLES], p["v"])
    dv = (z[1] - 1) * p["U"][1] + z[SAMPLES] @ p["U"][SAMPLES]
    return {"dU": dU, "dv": dv}


BAGS = {"W": normal(30, 6, 3)}
SENTENCES = np.array([[1, 2, 2], [0, 5, 1]])
BAGS_GOAL = normal(31, 2, 3)


def summed_embedding(p: Parameters) -> Any:
    u = np.sum(p["W"][SENTENCES], axis=1)
    return np.sum(BAGS_GOAL * np.tanh(u))


@mistake(
    summed_embedding,
    BAGS,
    source="ddbourgin/numpy-ml 0.1.2, numpy_ml/neural_nets/layers/layers.py (Embedding._bwd with a pooling function)",
    step="dW",
    cause="A word that comes twice in a sentence is added once.",
    fix={"dW[words] += du[n]": "np.add.at(dW, words, du[n])"},
    says=r"once|several times|twice|add",
)
def the_numpyml_embedding_sum(p: Parameters) -> dict[str, Any]:
    u = np.sum(p["W"][SENTENCES], axis=1)
    du = BAGS_GOAL * (1 - np.tanh(u) ** 2)
    dW = np.zeros_like(p["W"])
    for n, words in enumerate(SENTENCES):
        dW[words] += du[n]
    return {"du": du, "dW": dW}


ALONG = {"x": normal(60, 3, 4)}
WHICH = np.array([[0, 0, 2], [1, 3, 1], [2, 2, 2]])
ALONG_GOAL = normal(61, 3, 3)


def gathered_along_an_axis(p: Parameters) -> Any:
    y = p["x"][np.arange(3)[:, None], WHICH]
    return np.sum((y - ALONG_GOAL) ** 2)


@mistake(
    gathered_along_an_axis,
    ALONG,
    source="https://github.com/pytorch/pytorch/issues/1631",
    step="dx",
    cause="Where an index comes several times the cotangents are written over each other instead of added.",
    fix={"np.put_along_axis(dx, WHICH, dy, axis=1)": "np.add.at(dx, (np.arange(3)[:, None], WHICH), dy)"},
    says=r"assign|overwrit|added|add\.at|accumulat|several times|\+=",
)
def pytorch_gather_repeated(p: Parameters) -> dict[str, Any]:
    dy = 2 * (np.take_along_axis(p["x"], WHICH, axis=1) - ALONG_GOAL)
    dx = np.zeros((3, 4))
    np.put_along_axis(dx, WHICH, dy, axis=1)
    return {"dy": dy, "dx": dx}


TOP = {"x": np.array([[1.0, 2.0, 6.0, 4.0, 5.0], [9.0, 5.0, 6.0, 7.0, 8.0]]) / 3}
TOP_GOAL = normal(62, 2, 2)


def largest_two(p: Parameters) -> Any:
    y = np.sort(p["x"], axis=1)[:, 3:]
    return np.sum((y - TOP_GOAL) ** 2)


@mistake(
    largest_two,
    TOP,
    source="https://github.com/ml-explore/mlx/issues/1428",
    step="dx",
    cause="The cotangent is permuted by the order of the elements instead of by its inverse.",
    fix={"np.take_along_axis(full, order, axis=1)": "np.take_along_axis(full, np.argsort(order, axis=1), axis=1)"},
    says=r"argsort|order|permut|inverse|index",
)
def mlx_topk_permutation(p: Parameters) -> dict[str, Any]:
    order = np.argsort(p["x"], axis=1)
    dy = 2 * (np.take_along_axis(p["x"], order, axis=1)[:, 3:] - TOP_GOAL)
    full = np.concatenate([np.zeros((2, 3)), dy], axis=1)
    dx = np.take_along_axis(full, order, axis=1)
    return {"dy": dy, "dx": dx}


BAGGED = {"E": normal(63, 5, 4)}
BAG_ROWS = np.array([[0, 1, 2], [3, 4, 0]])
BAGGED_GOAL = normal(64, 2, 4)


def largest_of_each_bag(p: Parameters) -> Any:
    y = np.max(p["E"][BAG_ROWS], axis=1)
    return np.sum((y - BAGGED_GOAL) ** 2)


@mistake(
    largest_of_each_bag,
    BAGGED,
    source="https://github.com/flagos-ai/FlagGems/issues/5220",
    step="dE",
    cause="The gradient is that of the mean of a bag, where its maximum was taken.",
    fix={"dE[row] += dy[bag] / 3": "dE[row] += dy[bag] * (p['E'][row] == y[bag])"},
    says=r"max|mean|largest|divi|1/3",
)
def flaggems_bag_of_maxima(p: Parameters) -> dict[str, Any]:
    y = p["E"][BAG_ROWS].max(axis=1)
    dy = 2 * (y - BAGGED_GOAL)
    dE = np.zeros((5, 4))
    for bag, rows in enumerate(BAG_ROWS):
        for row in rows:
            dE[row] += dy[bag] / 3
    return {"dy": dy, "dE": dE}
