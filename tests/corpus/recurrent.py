"""Recurrent networks."""

from __future__ import annotations

from typing import Any

import numpy as np

from corpus.case import Parameters, mistake, normal, sigmoid

STEPS = 4
INPUTS = normal(1, STEPS, 3)
TARGETS = normal(2, STEPS, 2)
START = 0.5 * normal(50, 4)
RNN = {"Wxh": normal(3, 4, 3), "Whh": 0.5 * normal(4, 4, 4), "Why": normal(5, 2, 4), "bh": 0.1 * normal(6, 4)}


def rnn(p: Parameters) -> Any:
    h = START
    loss = 0.0
    for t in range(STEPS):
        z = p["Wxh"] @ INPUTS[t] + p["Whh"] @ h + p["bh"]
        h = np.tanh(z)
        y = p["Why"] @ h
        loss = loss + 0.5 * np.sum((y - TARGETS[t]) ** 2)
    return loss


def states(p: Parameters) -> list[Any]:
    """All hidden states, from the one before the first step on."""
    hs = [START]
    for t in range(STEPS):
        hs.append(np.tanh(p["Wxh"] @ INPUTS[t] + p["Whh"] @ hs[-1] + p["bh"]))
    return hs


@mistake(
    rnn,
    RNN,
    source="https://github.com/VikParuchuri/zero_to_gpt/issues/9",
    step="dWhh",
    cause="The state of the same step is used where the one before it is meant: an index is off by one.",
    fix={"np.outer(dz[t], hs[t + 1])": "np.outer(dz[t], hs[t])"},
    says=r"index|off by one|h\[|hs\[|iteration",
)
def zero_to_gpt_state_index(p: Parameters) -> dict[str, Any]:
    hs = states(p)
    dWxh, dWhh, dWhy = (np.zeros_like(p[name]) for name in ("Wxh", "Whh", "Why"))
    dy, dh, dz = [None] * STEPS, [None] * STEPS, [None] * STEPS
    dhnext = np.zeros(4)
    for t in reversed(range(STEPS)):
        dy[t] = p["Why"] @ hs[t + 1] - TARGETS[t]
        dWhy = dWhy + np.outer(dy[t], hs[t + 1])
        dh[t] = p["Why"].T @ dy[t] + dhnext
        dz[t] = (1 - hs[t + 1] ** 2) * dh[t]
        dWxh = dWxh + np.outer(dz[t], INPUTS[t])
        dWhh = dWhh + np.outer(dz[t], hs[t + 1])
        dhnext = p["Whh"].T @ dz[t]
    return {"dy": dy, "dh": dh, "dz": dz, "dWxh": dWxh, "dWhh": dWhh, "dWhy": dWhy, "dbh": np.sum(dz, axis=0)}


@mistake(
    rnn,
    RNN,
    source="https://github.com/oreilly-japan/deep-learning-from-scratch-2/issues/26 (a correction that was proposed)",
    step="dz[3]",
    cause="The cotangent is divided by 1 - h^2 instead of multiplied.",
    fix={"dh[t] / (1 - hs[t + 1] ** 2)": "dh[t] * (1 - hs[t + 1] ** 2)"},
    says=r"divi|\*|multipl|factor|derivative",
)
def dlfs2_rnn_divided(p: Parameters) -> dict[str, Any]:
    hs = states(p)
    dWxh, dWhh, dWhy = (np.zeros_like(p[name]) for name in ("Wxh", "Whh", "Why"))
    dy, dh, dz = [None] * STEPS, [None] * STEPS, [None] * STEPS
    dhnext = np.zeros(4)
    for t in reversed(range(STEPS)):
        dy[t] = p["Why"] @ hs[t + 1] - TARGETS[t]
        dWhy = dWhy + np.outer(dy[t], hs[t + 1])
        dh[t] = p["Why"].T @ dy[t] + dhnext
        dz[t] = dh[t] / (1 - hs[t + 1] ** 2)
        dWxh = dWxh + np.outer(dz[t], INPUTS[t])
        dWhh = dWhh + np.outer(dz[t], hs[t])
        dhnext = p["Whh"].T @ dz[t]
    return {"dy": dy, "dh": dh, "dz": dz, "dWxh": dWxh, "dWhh": dWhh, "dWhy": dWhy, "dbh": np.sum(dz, axis=0)}


@mistake(
    rnn,
    RNN,
    source="https://github.com/SciML/SciMLBook/issues/164 (equation 47 of the notes)",
    step="dh[2]",
    cause="The cotangent of the state is handed on without the derivative of the activation.",
    fix={"@ dh[t]\n": "@ dz[t]\n"},
    says=r"derivative|dz|dh|1 - h",
)
def sciml_book_state(p: Parameters) -> dict[str, Any]:
    hs = states(p)
    dWxh, dWhh, dWhy = (np.zeros_like(p[name]) for name in ("Wxh", "Whh", "Why"))
    dy, dh, dz = [None] * STEPS, [None] * STEPS, [None] * STEPS
    dhnext = np.zeros(4)
    for t in reversed(range(STEPS)):
        dy[t] = p["Why"] @ hs[t + 1] - TARGETS[t]
        dWhy = dWhy + np.outer(dy[t], hs[t + 1])
        dh[t] = p["Why"].T @ dy[t] + dhnext
        dz[t] = (1 - hs[t + 1] ** 2) * dh[t]
        dWxh = dWxh + np.outer(dz[t], INPUTS[t])
        dWhh = dWhh + np.outer(dz[t], hs[t])
        dhnext = p["Whh"].T @ dh[t]
    return {"dy": dy, "dh": dh, "dz": dz, "dWxh": dWxh, "dWhh": dWhh, "dWhy": dWhy, "dbh": np.sum(dz, axis=0)}


@mistake(
    rnn,
    RNN,
    source="https://github.com/mratsim/Arraymancer/pull/237 (gradients of shared weights replaced at each step)",
    step="dWhh",
    cause="In the loop over time the gradient of the shared weight is assigned, not added: only one step's counts.",
    fix={"dWhh = np.outer(": "dWhh = dWhh + np.outer("},
    says=r"the term .* is missing in all|assign|overwrit|only|\+=",
)
def arraymancer_assigned_over_time(p: Parameters) -> dict[str, Any]:
    hs = states(p)
    dWxh, dWhh, dWhy = (np.zeros_like(p[name]) for name in ("Wxh", "Whh", "Why"))
    dy, dh, dz = [None] * STEPS, [None] * STEPS, [None] * STEPS
    dhnext = np.zeros(4)
    for t in reversed(range(STEPS)):
        dy[t] = p["Why"] @ hs[t + 1] - TARGETS[t]
        dWhy = dWhy + np.outer(dy[t], hs[t + 1])
        dh[t] = p["Why"].T @ dy[t] + dhnext
        dz[t] = (1 - hs[t + 1] ** 2) * dh[t]
        dWxh = dWxh + np.outer(dz[t], INPUTS[t])
        dWhh = np.outer(dz[t], hs[t])
        dhnext = p["Whh"].T @ dz[t]
    return {"dy": dy, "dh": dh, "dz": dz, "dWxh": dWxh, "dWhh": dWhh, "dWhy": dWhy, "dbh": np.sum(dz, axis=0)}


N = 3
LSTM = {
    "Wf": normal(12, N, 5),
    "Wi": normal(13, N, 5),
    "Wg": normal(14, N, 5),
    "Wo": normal(15, N, 5),
    "bf": 0.1 * normal(16, N),
    "bi": 0.1 * normal(17, N),
    "bg": 0.1 * normal(18, N),
    "bo": 0.2 * normal(19, N),
}
CELL = normal(51, N)
WORDS, READ = normal(20, 3, 2), normal(21, 3, N)


def lstm(p: Parameters) -> Any:
    h, C = np.zeros(N), CELL
    loss = 0.0
    for t in range(2):
        x = np.concatenate([h, WORDS[t]])
        af = p["Wf"] @ x + p["bf"]
        f = 1 / (1 + np.exp(-af))
        ai = p["Wi"] @ x + p["bi"]
        i = 1 / (1 + np.exp(-ai))
        ag = p["Wg"] @ x + p["bg"]
        g = np.tanh(ag)
        ao = p["Wo"] @ x + p["bo"]
        o = 1 / (1 + np.exp(-ao))
        C = f * C + i * g
        tC = np.tanh(C)
        h = o * tC
        loss = loss + np.sum(READ[t] * h)
    return loss


def lstm_forward(p: Parameters) -> list[tuple[Any, ...]]:
    """Of each step: the input, the gates, the cell before it and after it."""
    h, C, steps = np.zeros(N), CELL, []
    for t in range(2):
        x = np.concatenate([h, WORDS[t]])
        f, i, o = (sigmoid(p["W" + k] @ x + p["b" + k]) for k in "fio")
        g = np.tanh(p["Wg"] @ x + p["bg"])
        steps.append((x, f, i, g, o, C, f * C + i * g))
        C = f * C + i * g
        h = o * np.tanh(C)
    return steps


@mistake(
    lstm,
    LSTM,
    source="https://github.com/apache/mxnet/issues/4057",
    step="dC[0]",
    cause="The cell's cotangent is assigned from the output, and what comes from the next step is lost.",
    fix={"dC[t] = dh * o": "dC[t] = dCnext + dh * o"},
    says=r"contribution|dCnext|assign|dC\[",
)
def mxnet_lstm_cell_assigned(p: Parameters) -> dict[str, Any]:
    d = {name: np.zeros_like(x) for name, x in p.items()}
    dhnext, dCnext = np.zeros(N), np.zeros(N)
    dao, dag, dai, daf, dC = ([None] * 2 for _ in range(5))
    for t in reversed(range(2)):
        x, f, i, g, o, C_prev, C = lstm_forward(p)[t]
        dh = READ[t] + dhnext
        dao[t] = dh * np.tanh(C) * o * (1 - o)
        dC[t] = dh * o * (1 - np.tanh(C) ** 2)
        dag[t] = dC[t] * i * (1 - g**2)
        dai[t] = dC[t] * g * i * (1 - i)
        daf[t] = dC[t] * C_prev * f * (1 - f)
        for k, da in zip("ogif", (dao[t], dag[t], dai[t], daf[t]), strict=True):
            d["W" + k] = d["W" + k] + np.outer(da, x)
            d["b" + k] = d["b" + k] + da
        dx = p["Wf"].T @ daf[t] + p["Wi"].T @ dai[t] + p["Wg"].T @ dag[t] + p["Wo"].T @ dao[t]
        dhnext, dCnext = dx[:N], f * dC[t]
    assert dCnext.shape == (N,)
    return {"dC": dC, "dao": dao, "dag": dag, "dai": dai, "daf": daf, **{"d" + name: x for name, x in d.items()}}


@mistake(
    lstm,
    LSTM,
    source="https://github.com/hanbt/learn_dl/issues/53",
    step="dbi dbo",
    cause="The biases of input and output gate get the cotangent of the forget gate.",
    fix={"dbi + daf[t]": "dbi + dai[t]", "dbo + daf[t]": "dbo + dao[t]"},
    says=r"af|ai|ao",
)
def learn_dl_gate_biases(p: Parameters) -> dict[str, Any]:
    dWf, dWi, dWg, dWo, dbf, dbi, dbg, dbo = (np.zeros_like(x) for x in p.values())
    dhnext, dCnext = np.zeros(N), np.zeros(N)
    dao, dag, dai, daf = ([None] * 2 for _ in range(4))
    for t in reversed(range(2)):
        x, f, i, g, o, C_prev, C = lstm_forward(p)[t]
        dh = READ[t] + dhnext
        dC = dCnext + dh * o * (1 - np.tanh(C) ** 2)
        dao[t] = dh * np.tanh(C) * o * (1 - o)
        dag[t] = dC * i * (1 - g**2)
        dai[t] = dC * g * i * (1 - i)
        daf[t] = dC * C_prev * f * (1 - f)
        dWf, dbf = dWf + np.outer(daf[t], x), dbf + daf[t]
        dWi, dbi = dWi + np.outer(dai[t], x), dbi + daf[t]
        dWg, dbg = dWg + np.outer(dag[t], x), dbg + dag[t]
        dWo, dbo = dWo + np.outer(dao[t], x), dbo + daf[t]
        dx = p["Wf"].T @ daf[t] + p["Wi"].T @ dai[t] + p["Wg"].T @ dag[t] + p["Wo"].T @ dao[t]
        dhnext, dCnext = dx[:N], f * dC
    return {
        "dao": dao,
        "dag": dag,
        "dai": dai,
        "daf": daf,
        "dWf": dWf,
        "dWi": dWi,
        "dWg": dWg,
        "dWo": dWo,
        "dbf": dbf,
        "dbi": dbi,
        "dbg": dbg,
        "dbo": dbo,
    }


@mistake(
    lstm,
    LSTM,
    source="https://github.com/ddbourgin/numpy-ml/issues/42",
    step="dao[1] dag[1] dai[1] daf[1]",
    cause="The forward pass adds the output gate's bias in the forget gate and in the input gate.",
    fix={"bias_f, bias_i = ": "bias_f, bias_i = p['bf'], p['bi'] #"},
    says=r"forward|bo",
)
def numpyml_lstm_biases(p: Parameters) -> dict[str, Any]:
    bias_f, bias_i = p["bo"], p["bo"]
    d = {name: np.zeros_like(x) for name, x in p.items()}
    h, C, steps = np.zeros(N), CELL, []
    for t in range(2):
        x = np.concatenate([h, WORDS[t]])
        f = sigmoid(p["Wf"] @ x + bias_f)
        i = sigmoid(p["Wi"] @ x + bias_i)
        g, o = np.tanh(p["Wg"] @ x + p["bg"]), sigmoid(p["Wo"] @ x + p["bo"])
        steps.append((x, f, i, g, o, C, f * C + i * g))
        C = f * C + i * g
        h = o * np.tanh(C)
    dhnext, dCnext = np.zeros(N), np.zeros(N)
    dao, dag, dai, daf = ([None] * 2 for _ in range(4))
    for t in reversed(range(2)):
        x, f, i, g, o, C_prev, C = steps[t]
        dh = READ[t] + dhnext
        dC = dCnext + dh * o * (1 - np.tanh(C) ** 2)
        dao[t] = dh * np.tanh(C) * o * (1 - o)
        dag[t] = dC * i * (1 - g**2)
        dai[t] = dC * g * i * (1 - i)
        daf[t] = dC * C_prev * f * (1 - f)
        for k, da in zip("ogif", (dao[t], dag[t], dai[t], daf[t]), strict=True):
            d["W" + k] = d["W" + k] + np.outer(da, x)
            d["b" + k] = d["b" + k] + da
        dx = p["Wf"].T @ daf[t] + p["Wi"].T @ dai[t] + p["Wg"].T @ dag[t] + p["Wo"].T @ dao[t]
        dhnext, dCnext = dx[:N], f * dC
    return {"dao": dao, "dag": dag, "dai": dai, "daf": daf, **{"d" + name: x for name, x in d.items()}}
