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
