"""Attention, and what belongs to it."""

from __future__ import annotations

from typing import Any

import numpy as np

from corpus.case import Parameters, mistake, normal, softmax

HEAD = {
    "q": normal(1, 4, 3),
    "k": normal(2, 4, 3),
    "v": normal(3, 4, 3),
    "Wq": normal(4, 3, 3),
    "Wk": normal(5, 3, 3),
    "Wv": normal(6, 3, 3),
}
HEAD_GOAL = normal(7, 4, 3)


def attention(p: Parameters) -> Any:
    Q, K, V = p["q"] @ p["Wq"], p["k"] @ p["Wk"], p["v"] @ p["Wv"]
    s = Q @ K.T / np.sqrt(3)
    e = np.exp(s)
    a = e / np.sum(e, axis=1, keepdims=True)
    out = a @ V
    return np.sum(HEAD_GOAL * out)


@mistake(
    attention,
    HEAD,
    source="Vexives/caspian 1.1.0, caspian/layers/Attention.py (Attention.backward)",
    step="da",
    cause="The input of the value's projection stands where the projected values should.",
    fix={'HEAD_GOAL @ p["v"].T': "HEAD_GOAL @ V.T"},
    says=r"\bv\b.*\bV\b|Wv",
)
def the_caspian_attention_projection(p: Parameters) -> dict[str, Any]:
    Q, K, V = p["q"] @ p["Wq"], p["k"] @ p["Wk"], p["v"] @ p["Wv"]
    a = softmax(Q @ K.T / np.sqrt(3))
    out = a @ V
    dV = a.T @ HEAD_GOAL
    da = HEAD_GOAL @ p["v"].T
    ds = a * (da - np.sum(da * a, axis=1, keepdims=True))
    dQ, dK = ds @ K / np.sqrt(3), ds.T @ Q / np.sqrt(3)
    assert out.shape == HEAD_GOAL.shape
    return {
        "dV": dV, "da": da, "ds": ds, "dQ": dQ, "dK": dK, "dq": dQ @ p["Wq"].T, "dk": dK @ p["Wk"].T,
        "dv": dV @ p["Wv"].T, "dWq": p["q"].T @ dQ, "dWk": p["k"].T @ dK, "dWv": p["v"].T @ dV,
    }  # fmt: skip


ROTATED = {"x": normal(8, 3, 4)}
ANGLE = normal(9, 3, 4)
COS, SIN = np.cos(ANGLE), np.sin(ANGLE)  # of each element its own, as in the test that showed the mistake
ROTATED_GOAL = normal(10, 3, 4)


def half_rotated(x: Any) -> Any:
    """(-x2, x1) of (x1, x2)."""
    return np.concatenate([-x[:, 2:], x[:, :2]], axis=1)


def rotary_embedding(p: Parameters) -> Any:
    r = half_rotated(p["x"])
    y = p["x"] * COS + r * SIN
    return np.sum(ROTATED_GOAL * y**2)


@mistake(
    rotary_embedding,
    ROTATED,
    source="https://github.com/PaddlePaddle/Paddle/pull/74716",
    step="dx",
    cause="The cotangent is rotated before it is multiplied by the sine, instead of after it.",
    fix={"half_rotated(dy) * SIN": "half_rotated(dy * SIN)"},
    says=r"SIN|sine|order|rotat|half|shift|exchanged",
)
def paddle_rotary_order_backward(p: Parameters) -> dict[str, Any]:
    y = p["x"] * COS + half_rotated(p["x"]) * SIN
    dy = 2 * ROTATED_GOAL * y
    dx = dy * COS - half_rotated(dy) * SIN
    return {"dy": dy, "dx": dx}


KERNEL = {"q": np.abs(normal(11, 4, 3)) + 0.1, "k": np.abs(normal(12, 4, 3)) + 0.1, "v": normal(13, 4, 2)}
KERNEL_GOAL = normal(14, 4, 2)
BEFORE = np.tril(np.ones((4, 4)))


def normalised_linear_attention(p: Parameters) -> Any:
    s = p["q"] @ p["k"].T * BEFORE
    num = s @ p["v"]
    k_cum = BEFORE @ p["k"]
    denom = np.sum(p["q"] * k_cum, axis=1, keepdims=True)
    return np.sum(KERNEL_GOAL * (num / denom))


@mistake(
    normalised_linear_attention,
    KERNEL,
    source="https://github.com/fla-org/flash-linear-attention/pull/875",
    step="dk",
    cause="The sums of the keys, in the denominator, are held constant: the contribution through them is missing.",
    fix={"dk = ds.T @ q": "dk = ds.T @ q + BEFORE.T @ (ddenom * q)"},
    says=r"term|contribution|held constant|denom|k_cum|missing",
)
def fla_normaliser_constant(p: Parameters) -> dict[str, Any]:
    q, k, v = p["q"], p["k"], p["v"]
    s = q @ k.T * BEFORE
    k_cum = BEFORE @ k
    num, denom = s @ v, np.sum(q * k_cum, axis=1, keepdims=True)
    dnum = KERNEL_GOAL / denom
    ddenom = -np.sum(KERNEL_GOAL * num, axis=1, keepdims=True) / denom**2
    dv = s.T @ dnum
    ds = dnum @ v.T * BEFORE
    dq = ds @ k + ddenom * k_cum
    dk = ds.T @ q
    return {"dnum": dnum, "ddenom": ddenom, "dq": dq, "dk": dk, "dv": dv}


BLOCK = {"x": normal(20, 4, 3), "Wa": 0.5 * normal(21, 3, 3), "W1": normal(22, 3, 5), "W2": 0.5 * normal(23, 5, 3)}
BLOCK_GOAL = normal(24, 4, 3)
MIXING = softmax(normal(25, 4, 4))


def transformer_block(p: Parameters) -> Any:
    residual = p["x"] + MIXING @ p["x"] @ p["Wa"]
    h = np.tanh(residual @ p["W1"])
    out = residual + h @ p["W2"]
    return np.sum((out - BLOCK_GOAL) ** 2)


@mistake(
    transformer_block,
    BLOCK,
    source="https://github.com/paiml/entrenar/issues/313",
    step="dresidual",
    cause="The gradient of the second skip connection is not added: that through the dense layers is all.",
    fix={'dresidual = dpre @ p["W1"].T': 'dresidual = dpre @ p["W1"].T + dout'},
    says=r"\bdout\b|residual|skip|term|missing",
)
def entrenar_second_skip(p: Parameters) -> dict[str, Any]:
    residual = p["x"] + MIXING @ p["x"] @ p["Wa"]
    h = np.tanh(residual @ p["W1"])
    dout = 2 * (residual + h @ p["W2"] - BLOCK_GOAL)
    dW2 = h.T @ dout
    dh = dout @ p["W2"].T
    dpre = dh * (1 - h**2)
    dW1 = residual.T @ dpre
    dresidual = dpre @ p["W1"].T
    dWa = (MIXING @ p["x"]).T @ dresidual
    dx = dresidual + MIXING.T @ dresidual @ p["Wa"].T
    return {"dout": dout, "dW2": dW2, "dh": dh, "dW1": dW1, "dresidual": dresidual, "dWa": dWa, "dx": dx}


CAUSAL = {"q": normal(26, 4, 3), "k": normal(27, 4, 3), "v": normal(28, 4, 3)}
CAUSAL_GOAL = normal(29, 4, 3)
ALLOWED = np.tril(np.ones((4, 4))) == 1


def causal_attention(p: Parameters) -> Any:
    s = p["q"] @ p["k"].T / np.sqrt(3)
    e = np.where(ALLOWED, np.exp(s), 0)
    w = e / np.sum(e, axis=1, keepdims=True)
    out = w @ p["v"]
    return np.sum((out - CAUSAL_GOAL) ** 2)


@mistake(
    causal_attention,
    CAUSAL,
    source="https://github.com/triton-lang/triton/issues/7216 (as a comment explains it)",
    step="dv dw ds dq dk",
    cause="The weights are computed anew without the causal mask of the forward pass.",
    fix={"w = np.exp(s - lse)": "w = np.where(ALLOWED, np.exp(s - lse), 0)"},
    says=r"mask|tri[lu]|causal|ALLOWED is (?:missing|not)|factor ALLOWED",
)
def triton_causal_mask(p: Parameters) -> dict[str, Any]:
    q, k, v = p["q"], p["k"], p["v"]
    s = q @ k.T / np.sqrt(3)
    e = np.where(ALLOWED, np.exp(s), 0)
    lse = np.log(e.sum(axis=1, keepdims=True))
    out = np.exp(-lse) * e @ v
    dout = 2 * (out - CAUSAL_GOAL)
    w = np.exp(s - lse)
    dv = w.T @ dout
    dw = dout @ v.T
    ds = w * (dw - np.sum(dout * out, axis=1, keepdims=True))
    dq, dk = ds @ k / np.sqrt(3), ds.T @ q / np.sqrt(3)
    return {"dout": dout, "dv": dv, "dw": dw, "ds": ds, "dq": dq, "dk": dk}
