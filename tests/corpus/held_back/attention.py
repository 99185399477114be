"""Attention, and what belongs to it."""

from __future__ import annotations

from typing import Any

import numpy as np

from corpus.case import Parameters, mistake, normal, softmax

SCORED = {"Q": normal(1, 4, 3), "K": normal(2, 4, 3), "V": normal(3, 4, 3)}
SCORED_GOAL = normal(4, 4, 3)
MASK = (np.random.default_rng(5).random((4, 4)) > 0.3) / 0.7


def attention_with_dropout(p: Parameters) -> Any:
    s = p["Q"] @ p["K"].T / np.sqrt(3)
    e = np.exp(s)
    a = e / np.sum(e, axis=1, keepdims=True)
    d = a * MASK
    return np.sum(SCORED_GOAL * (d @ p["V"]))


@mistake(
    attention_with_dropout,
    SCORED,
    source="ddbourgin/numpy-ml 0.1.2, numpy_ml/neural_nets/layers/layers.py (DotProductAttention.backward)",
    step="da",
    cause="The mask of the dropout is not applied in the backward pass.",
    fix={"da = dd": "da = dd * MASK"},
    says=r"MASK|mask",
)
def numpyml_attention_dropout(p: Parameters) -> dict[str, Any]:
    Q, K, V = p["Q"], p["K"], p["V"]
    a = softmax(Q @ K.T / np.sqrt(3))
    dV = (a * MASK).T @ SCORED_GOAL
    dd = SCORED_GOAL @ V.T
    da = dd
    ds = a * (da - np.sum(da * a, axis=1, keepdims=True))
    return {"dd": dd, "da": da, "ds": ds, "dQ": ds @ K / np.sqrt(3), "dK": ds.T @ Q / np.sqrt(3), "dV": dV}


HEADS = {"q": normal(6, 3, 3, 2), "k": normal(7, 3, 3, 2), "v": normal(8, 3, 3, 2)}
HEADS_GOAL = normal(9, 3, 3, 2)


def heads_attention(p: Parameters) -> Any:
    """Of three heads and three places; the inputs are of places, heads, and features."""
    Q, K, V = (np.transpose(p[name], (1, 0, 2)) for name in "qkv")
    s = Q @ np.transpose(K, (0, 2, 1)) / np.sqrt(2)
    e = np.exp(s)
    a = e / np.sum(e, axis=-1, keepdims=True)
    out = np.transpose(a @ V, (1, 0, 2))
    return np.sum(HEADS_GOAL * out)


@mistake(
    heads_attention,
    HEADS,
    source="https://github.com/huggingface/diffusers/pull/14341",
    step="da",
    cause="Keys and values, which were saved after they were transposed, are transposed once more.",
    fix={"K, V = K.transpose(1, 0, 2), V.transpose(1, 0, 2)": "pass"},
    says=r"transpos|permuted|axes|exchanged",
)
def diffusers_keys_transposed(p: Parameters) -> dict[str, Any]:
    Q, K, V = (p[name].transpose(1, 0, 2) for name in "qkv")
    a = softmax(Q @ K.transpose(0, 2, 1) / np.sqrt(2))
    dh = HEADS_GOAL.transpose(1, 0, 2)
    dV = a.transpose(0, 2, 1) @ dh
    K, V = K.transpose(1, 0, 2), V.transpose(1, 0, 2)
    da = dh @ V.transpose(0, 2, 1)
    ds = a * (da - np.sum(da * a, axis=-1, keepdims=True)) / np.sqrt(2)
    dQ, dK = ds @ K, ds.transpose(0, 2, 1) @ Q
    return {
        "da": da, "dV": dV, "dQ": dQ, "dK": dK, "dq": dQ.transpose(1, 0, 2), "dk": dK.transpose(1, 0, 2),
        "dv": dV.transpose(1, 0, 2),
    }  # fmt: skip


def dot_product_attention(p: Parameters) -> Any:
    s = p["Q"] @ p["K"].T / np.sqrt(3)
    e = np.exp(s)
    a = e / np.sum(e, axis=1, keepdims=True)
    out = a @ p["V"]
    return np.sum(SCORED_GOAL * out)


@mistake(
    dot_product_attention,
    SCORED,
    source="https://github.com/ooples/AiDotNet.Tensors/issues/49 (swapped gradients)",
    step="dQ dK",
    cause="The gradients of queries and keys are swapped.",
    fix={'"dQ": dK, "dK": dQ': '"dQ": dQ, "dK": dK'},
    says=r"swap|exchang|\bQ\b.*\bK\b|\bK\b.*\bQ\b|dQ|dK",
)
def aidotnet_scores_exchanged(p: Parameters) -> dict[str, Any]:
    Q, K, V = p["Q"], p["K"], p["V"]
    a = softmax(Q @ K.T / np.sqrt(3))
    dV = a.T @ SCORED_GOAL
    da = SCORED_GOAL @ V.T
    ds = a * (da - np.sum(da * a, axis=1, keepdims=True))
    dQ, dK = ds @ K / np.sqrt(3), ds.T @ Q / np.sqrt(3)
    return {"da": da, "ds": ds, "dQ": dK, "dK": dQ, "dV": dV}


CROSSED = {"q": normal(20, 2, 3), "k": normal(21, 4, 3), "v": normal(22, 4, 3)}
CROSSED_GOAL = normal(23, 2, 3)
AHEAD = 2  # so many keys are before the first query


def causal_cross_attention(p: Parameters) -> Any:
    s = p["q"] @ p["k"].T / np.sqrt(3)
    e = np.where(np.arange(2)[:, None] + AHEAD >= np.arange(4), np.exp(s), 0)
    w = e / np.sum(e, axis=1, keepdims=True)
    out = w @ p["v"]
    return np.sum((out - CROSSED_GOAL) ** 2)


@mistake(
    causal_cross_attention,
    CROSSED,
    source="https://github.com/xlite-dev/ffpa-attn/pull/300",
    step="dv dw ds dq dk",
    cause="The causal mask of the backward pass is aligned at the first key instead of the last.",
    fix={"rows >= columns, np.exp(s - lse)": "rows + AHEAD >= columns, np.exp(s - lse)"},
    says=r"mask|AHEAD|shift|offset|diagonal|tri[lu]|where|>=",
)
def ffpa_causal_alignment(p: Parameters) -> dict[str, Any]:
    q, k, v = p["q"], p["k"], p["v"]
    rows, columns = np.arange(2)[:, None], np.arange(4)
    s = q @ k.T / np.sqrt(3)
    e = np.where(rows + AHEAD >= columns, np.exp(s), 0)
    lse = np.log(e.sum(axis=1, keepdims=True))
    out = e @ v / np.exp(lse)
    dout = 2 * (out - CROSSED_GOAL)
    w = np.where(rows >= columns, np.exp(s - lse), 0)
    dv = w.T @ dout
    dw = dout @ v.T
    ds = w * (dw - np.sum(dout * out, axis=1, keepdims=True))
    dq, dk = ds @ k / np.sqrt(3), ds.T @ q / np.sqrt(3)
    return {"dout": dout, "dv": dv, "dw": dw, "ds": ds, "dq": dq, "dk": dk}
