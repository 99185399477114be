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
    source="Deep Learning from Scratch 2 (O'Reilly Japan), chapter 4, Embedding.backward as it is first shown",
    step="dE",
    cause="The rows are assigned: of a word that comes several times the last one counts.",
    fix={"dE[word] = dv[i]": "dE[word] += dv[i]"},
    says=r"overwrit|assign|last|\+=",
)
def dlfs2_embedding_assigned(p: Parameters) -> dict[str, Any]:
    dv = p["E"][WORDS] - GOAL
    dE = np.zeros_like(p["E"])
    for i, word in enumerate(WORDS):
        dE[word] = dv[i]
    return {"dv": dv, "dE": dE}


CONTEXTS = np.array([[0, 1, 1], [2, 1, 2], [4, 4, 4], [3, 0, 1]])
CONTEXT_GOAL = normal(3, 4, 3, 3)


def contexts(p: Parameters) -> Any:
    emb = p["C"][CONTEXTS]
    h = np.tanh(emb)
    return np.sum(CONTEXT_GOAL * h)


@mistake(
    contexts,
    {"C": normal(4, 5, 3)},
    source="https://github.com/karpathy/nn-zero-to-hero/issues/57",
    step="dC",
    cause="The context is added a row at a time, and a character that comes twice in it is added once.",
    fix={"dC[CONTEXTS[k]] += demb[k]": "np.add.at(dC, CONTEXTS[k], demb[k])"},
    says=r"overwrit|add\.at|assign|index|duplicate|repeated",
)
def makemore_context_rows(p: Parameters) -> dict[str, Any]:
    demb = CONTEXT_GOAL * (1 - np.tanh(p["C"][CONTEXTS]) ** 2)
    dC = np.zeros_like(p["C"])
    for k in range(len(CONTEXTS)):
        dC[CONTEXTS[k]] += demb[k]
    return {"demb": demb, "dC": dC}


SAMPLES = np.array([2, 4, 2, 2])
SKIP_GRAM = {"v": normal(7, 3), "U": normal(8, 5, 3)}


def negative_sampling(p: Parameters) -> Any:
    s = p["U"] @ p["v"]
    z = 1 / (1 + np.exp(-s))
    return -np.log(z[1]) - np.sum(np.log(1 - z[SAMPLES]))


@mistake(
    negative_sampling,
    SKIP_GRAM,
    source="https://github.com/yasiemir/cs224n/issues/1",
    step="dv dU",
    cause="The target is among the negative samples, so it is counted once more as one of them.",
    fix={"indices = [1, *SAMPLES]": "indices = [*SAMPLES]"},
    says=r"target|twice|U\[1\]|\[1\]|z\[1\]",
)
def cs224n_target_among_samples(p: Parameters) -> dict[str, Any]:
    z = sigmoid(p["U"] @ p["v"])
    indices = [1, *SAMPLES]
    dU = np.zeros_like(p["U"])
    dU[1] += (z[1] - 1) * p["v"]
    np.add.at(dU, indices, np.outer(z[indices], p["v"]))
    dv = (z[1] - 1) * p["U"][1] + z[indices] @ p["U"][indices]
    return {"dU": dU, "dv": dv}


PADDING = {"E": normal(30, 5, 3)}
SENTENCES = np.array([[0, 2, 2, 4], [3, 1, 0, 0]])
PADDING_GOAL = normal(31, 2, 3)


def padded_embedding(p: Parameters) -> Any:
    mask = (SENTENCES != 0).astype(float)
    v = p["E"][SENTENCES] * mask.reshape(2, 4, 1)
    u = np.sum(v, axis=1)
    return np.sum(PADDING_GOAL * np.tanh(u))


@mistake(
    padded_embedding,
    PADDING,
    source="https://github.com/pytorch/pytorch/issues/3506 (Embedding with sparse=True)",
    step="dE",
    cause="The index of padding is ignored in the backward pass: its row gets a gradient.",
    fix={"np.add.at(dE, SENTENCES, dv)": "np.add.at(dE, SENTENCES[SENTENCES != 0], dv[SENTENCES != 0])"},
    says=r"mask|SENTENCES != 0|padding",
)
def pytorch_sparse_padding(p: Parameters) -> dict[str, Any]:
    u = np.sum(p["E"][SENTENCES] * (SENTENCES != 0)[..., None], axis=1)
    du = PADDING_GOAL * (1 - np.tanh(u) ** 2)
    dv = np.repeat(du[:, None], 4, axis=1)
    dE = np.zeros_like(p["E"])
    np.add.at(dE, SENTENCES, dv)
    return {"du": du, "dE": dE}


GATHERED = {"table": normal(60, 5, 3)}
ROWS_TAKEN = np.array([3, 1, 3, 0])
GATHERED_GOAL = normal(61, 4, 3)


def gathered_rows(p: Parameters) -> Any:
    v = p["table"][ROWS_TAKEN]
    return np.sum((v - GATHERED_GOAL) ** 2)


@mistake(
    gathered_rows,
    GATHERED,
    source="https://github.com/ooples/AiDotNet.Tensors/pull/894",
    step="dtable",
    cause="The cotangent is gathered once more by the indices instead of scattered, and added, to them.",
    fix={
        "for s in range(5):": "for s in range(4):",
        "dtable[s] = dv[ROWS_TAKEN[s % 4]]": "dtable[ROWS_TAKEN[s]] += dv[s]",
    },
    says=r"scatter|add\.at|added|accumulat|index|\+=",
)
def aidotnet_gather_of_gather(p: Parameters) -> dict[str, Any]:
    dv = 2 * (p["table"][ROWS_TAKEN] - GATHERED_GOAL)
    dtable = np.zeros_like(p["table"])
    for s in range(5):
        dtable[s] = dv[ROWS_TAKEN[s % 4]]
    return {"dv": dv, "dtable": dtable}


SCATTERED = {"x": normal(62, 5, 3), "updates": normal(63, 2, 3)}
REPLACED = np.array([[0.0], [1.0], [0.0], [0.0], [1.0]])
PLACED = np.array([[0.0, 0], [1, 0], [0, 0], [0, 0], [0, 1]])
SCATTERED_GOAL = normal(64, 5, 3)


def scattered_rows(p: Parameters) -> Any:
    y = np.where(REPLACED == 1, PLACED @ p["updates"], p["x"])
    return np.sum((y - SCATTERED_GOAL) ** 2)


@mistake(
    scattered_rows,
    SCATTERED,
    source="https://github.com/PaddlePaddle/Paddle/pull/30604",
    step="dx",
    cause="The rows that were replaced get their cotangent all the same.",
    fix={"dx = dy.copy()": "dx = dy * (REPLACED == 0)"},
    says=r"REPLACED|mask|zero|\b0\b|where|row",
)
def paddle_scatter_replaced_gradient(p: Parameters) -> dict[str, Any]:
    dy = 2 * (np.where(REPLACED == 1, PLACED @ p["updates"], p["x"]) - SCATTERED_GOAL)
    dx = dy.copy()
    dupdates = PLACED.T @ dy
    return {"dy": dy, "dx": dx, "dupdates": dupdates}
