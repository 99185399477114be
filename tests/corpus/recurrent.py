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


def lstm_with_gates(p: Parameters) -> Any:
    h, C = np.zeros(N), CELL
    loss = 0.0
    for t in range(3):
        z = np.concatenate([h, SENTENCE[t]])
        f = 1 / (1 + np.exp(-(p["Wf"] @ z + p["bf"])))
        i = 1 / (1 + np.exp(-(p["Wi"] @ z + p["bi"])))
        g = np.tanh(p["Wg"] @ z + p["bg"])
        o = 1 / (1 + np.exp(-(p["Wo"] @ z + p["bo"])))
        C = f * C + i * g
        h = o * np.tanh(C)
        loss = loss + 0.5 * np.sum((h - SAID[t]) ** 2)
    return loss


SENTENCE, SAID = normal(70, 3, 2), normal(71, 3, N)


def remembered(p: Parameters) -> tuple[list[Any], ...]:
    """z, f, i, g, o, C and h of all steps of `lstm_with_gates`, C and h from the one before the first."""
    z, f, i, g, o, C, h = [], [], [], [], [], [CELL], [np.zeros(N)]
    for t in range(3):
        z.append(np.concatenate([h[-1], SENTENCE[t]]))
        f.append(sigmoid(p["Wf"] @ z[t] + p["bf"]))
        i.append(sigmoid(p["Wi"] @ z[t] + p["bi"]))
        g.append(np.tanh(p["Wg"] @ z[t] + p["bg"]))
        o.append(sigmoid(p["Wo"] @ z[t] + p["bo"]))
        C.append(f[t] * C[-1] + i[t] * g[t])
        h.append(o[t] * np.tanh(C[-1]))
    return z, f, i, g, o, C, h


@mistake(
    lstm_with_gates,
    LSTM,
    source="https://github.com/CaptainE/RNN-LSTM-in-numpy/issues/1 (issue 1: derivative=True missing)",
    step="dWf dbf",
    cause="The forget gate's cotangent is multiplied by a sigmoid instead of by its derivative.",
    fix={"df = sigmoid(f[t]) * df": "df = f[t] * (1 - f[t]) * df"},
    says=r"sigmoid|derivative|1 - f",
)
def captaine_forget_gate(p: Parameters) -> dict[str, Any]:
    z, f, i, g, o, C, h = remembered(p)
    d = {name: np.zeros_like(x) for name, x in p.items()}
    dh_next, dC_next = np.zeros(N), np.zeros(N)
    dh = [None] * 3
    for t in reversed(range(3)):
        dh[t] = h[t + 1] - SAID[t] + dh_next
        do = dh[t] * np.tanh(C[t + 1]) * o[t] * (1 - o[t])
        dC = dC_next + dh[t] * o[t] * (1 - np.tanh(C[t + 1]) ** 2)
        dg = dC * i[t] * (1 - g[t] ** 2)
        di = dC * g[t] * i[t] * (1 - i[t])
        df = dC * C[t]
        df = sigmoid(f[t]) * df
        for k, dgate in (("f", df), ("i", di), ("g", dg), ("o", do)):
            d["W" + k] += np.outer(dgate, z[t])
            d["b" + k] += dgate
        dz = p["Wf"].T @ df + p["Wi"].T @ di + p["Wg"].T @ dg + p["Wo"].T @ do
        dh_next, dC_next = dz[:N], f[t] * dC
    return {"d" + name: x for name, x in d.items()}


@mistake(
    lstm_with_gates,
    LSTM,
    source="https://github.com/CaptainE/RNN-LSTM-in-numpy/issues/1 (issue 2: dC_next is not updated)",
    step="dC[1]",
    cause="The cell's cotangent is not handed on to the iteration before.",
    fix={"dh_next, _dC_prev = dz[:N], f[t] * dC[t]": "dh_next, dC_next = dz[:N], f[t] * dC[t]"},
    says=r"f\[.*dC|dC.*f\[|term|next",
)
def captaine_cell_not_handed_on(p: Parameters) -> dict[str, Any]:
    z, f, i, g, o, C, h = remembered(p)
    d = {name: np.zeros_like(x) for name, x in p.items()}
    dh_next, dC_next = np.zeros(N), np.zeros(N)
    dC, dh = [None] * 3, [None] * 3
    for t in reversed(range(3)):
        dh[t] = h[t + 1] - SAID[t] + dh_next
        do = dh[t] * np.tanh(C[t + 1]) * o[t] * (1 - o[t])
        dC[t] = dC_next + dh[t] * o[t] * (1 - np.tanh(C[t + 1]) ** 2)
        dg = dC[t] * i[t] * (1 - g[t] ** 2)
        di = dC[t] * g[t] * i[t] * (1 - i[t])
        df = dC[t] * C[t] * f[t] * (1 - f[t])
        for k, dgate in (("f", df), ("i", di), ("g", dg), ("o", do)):
            d["W" + k] += np.outer(dgate, z[t])
            d["b" + k] += dgate
        dz = p["Wf"].T @ df + p["Wi"].T @ di + p["Wg"].T @ dg + p["Wo"].T @ do
        dh_next, _dC_prev = dz[:N], f[t] * dC[t]
    return {"dh": dh, "dC": dC, **{"d" + name: x for name, x in d.items()}}


@mistake(
    lstm_with_gates,
    LSTM,
    source="https://github.com/lhnguyen102/cuTAGI/issues/77 (three gates take the wrong delta)",
    step="dC[2]",
    cause="The cell's cotangent begins with that of the state, without the output gate's value.",
    fix={"dC[t] = dC_next + dh[t] * (1 -": "dC[t] = dC_next + dh[t] * o[t] * (1 -"},
    says=r"\bo\b|o\[",
)
def cutagi_delta_without_output(p: Parameters) -> dict[str, Any]:
    z, f, i, g, o, C, h = remembered(p)
    d = {name: np.zeros_like(x) for name, x in p.items()}
    dh_next, dC_next = np.zeros(N), np.zeros(N)
    dC, dh = [None] * 3, [None] * 3
    for t in reversed(range(3)):
        dh[t] = h[t + 1] - SAID[t] + dh_next
        do = dh[t] * np.tanh(C[t + 1]) * o[t] * (1 - o[t])
        dC[t] = dC_next + dh[t] * (1 - np.tanh(C[t + 1]) ** 2)
        dg = dC[t] * i[t] * (1 - g[t] ** 2)
        di = dC[t] * g[t] * i[t] * (1 - i[t])
        df = dC[t] * C[t] * f[t] * (1 - f[t])
        for k, dgate in (("f", df), ("i", di), ("g", dg), ("o", do)):
            d["W" + k] += np.outer(dgate, z[t])
            d["b" + k] += dgate
        dz = p["Wf"].T @ df + p["Wi"].T @ di + p["Wg"].T @ dg + p["Wo"].T @ do
        dh_next, dC_next = dz[:N], f[t] * dC[t]
    return {"dh": dh, "dC": dC, **{"d" + name: x for name, x in d.items()}}


@mistake(
    lstm_with_gates,
    LSTM,
    source="https://github.com/nicodjimenez/lstm/issues/47 (the state is not squashed, so neither is its cotangent)",
    step="dC[2]",
    cause="The derivative of the tanh of the cell is missing.",
    fix={"dC[t] = dC_next + dh[t] * o[t]\n": "dC[t] = dC_next + dh[t] * o[t] * (1 - np.tanh(C[t + 1]) ** 2)\n"},
    says=r"tanh|1 - ",
)
def nicodjimenez_no_tanh(p: Parameters) -> dict[str, Any]:
    z, f, i, g, o, C, h = remembered(p)
    d = {name: np.zeros_like(x) for name, x in p.items()}
    dh_next, dC_next = np.zeros(N), np.zeros(N)
    dC, dh = [None] * 3, [None] * 3
    for t in reversed(range(3)):
        dh[t] = h[t + 1] - SAID[t] + dh_next
        do = dh[t] * np.tanh(C[t + 1]) * o[t] * (1 - o[t])
        dC[t] = dC_next + dh[t] * o[t]
        dg = dC[t] * i[t] * (1 - g[t] ** 2)
        di = dC[t] * g[t] * i[t] * (1 - i[t])
        df = dC[t] * C[t] * f[t] * (1 - f[t])
        for k, dgate in (("f", df), ("i", di), ("g", dg), ("o", do)):
            d["W" + k] += np.outer(dgate, z[t])
            d["b" + k] += dgate
        dz = p["Wf"].T @ df + p["Wi"].T @ di + p["Wg"].T @ dg + p["Wo"].T @ do
        dh_next, dC_next = dz[:N], f[t] * dC[t]
    return {"dh": dh, "dC": dC, **{"d" + name: x for name, x in d.items()}}


def lstm_of_the_last_cell(p: Parameters) -> Any:
    h, C = np.zeros(N), CELL
    for t in range(2):
        x = np.concatenate([h, WORDS[t]])
        f = 1 / (1 + np.exp(-(p["Wf"] @ x + p["bf"])))
        i = 1 / (1 + np.exp(-(p["Wi"] @ x + p["bi"])))
        g = np.tanh(p["Wg"] @ x + p["bg"])
        o = 1 / (1 + np.exp(-(p["Wo"] @ x + p["bo"])))
        C = f * C + i * g
        h = o * np.tanh(C)
    return np.sum(READ[0] * h) + np.sum(READ[1] * C)


@mistake(
    lstm_of_the_last_cell,
    LSTM,
    source="https://github.com/deeplearning4j/deeplearning4j/issues/8838",
    step="dC[1]",
    cause="What the last cell itself contributes to the loss is not added.",
    fix={"dh_next, dC_next = READ[0], np.zeros(N)": "dh_next, dC_next = READ[0], READ[1]"},
    says=r"READ|term|zeros",
)
def dl4j_last_cell(p: Parameters) -> dict[str, Any]:
    d = {name: np.zeros_like(x) for name, x in p.items()}
    dh_next, dC_next = READ[0], np.zeros(N)
    dC = [None] * 2
    for t in reversed(range(2)):
        x, f, i, g, o, C_prev, C = lstm_forward(p)[t]
        do = dh_next * np.tanh(C) * o * (1 - o)
        dC[t] = dC_next + dh_next * o * (1 - np.tanh(C) ** 2)
        dg = dC[t] * i * (1 - g**2)
        di = dC[t] * g * i * (1 - i)
        df = dC[t] * C_prev * f * (1 - f)
        for k, dgate in (("f", df), ("i", di), ("g", dg), ("o", do)):
            d["W" + k] += np.outer(dgate, x)
            d["b" + k] += dgate
        dx = p["Wf"].T @ df + p["Wi"].T @ di + p["Wg"].T @ dg + p["Wo"].T @ do
        dh_next, dC_next = dx[:N], f * dC[t]
    return {"dC": dC, **{"d" + name: x for name, x in d.items()}}


BIASED = {"U": normal(72, 4, 3), "W": 0.5 * normal(73, 4, 4), "V": normal(74, 2, 4), "b": normal(75, 4),
          "c": normal(76, 2)}  # fmt: skip


def biased_rnn(p: Parameters) -> Any:
    h = np.zeros(4)
    loss = 0.0
    for t in range(STEPS):
        h = np.tanh(p["U"] @ INPUTS[t] + p["W"] @ h + p["b"])
        o = p["V"] @ h + p["c"]
        loss = loss + 0.5 * np.sum((o - TARGETS[t]) ** 2)
    return loss


@mistake(
    biased_rnn,
    BIASED,
    source="https://github.com/javaidnabi31/RNN-from-scratch/issues/2",
    step="dc",
    cause="The bias' gradient is added to itself: the cotangent of the output is meant.",
    fix={"dc += dc": "dc += dy"},
    says=r"dc|dy|do|0 in every|nothing",
)
def javaidnabi_dc_added_to_itself(p: Parameters) -> dict[str, Any]:
    hs = [np.zeros(4)]
    for t in range(STEPS):
        hs.append(np.tanh(p["U"] @ INPUTS[t] + p["W"] @ hs[-1] + p["b"]))
    dU, dW, dV, db, dc = (np.zeros_like(x) for x in p.values())
    dh_next = np.zeros(4)
    for t in reversed(range(STEPS)):
        dy = p["V"] @ hs[t + 1] + p["c"] - TARGETS[t]
        dV += np.outer(dy, hs[t + 1])
        dc += dc
        dh = p["V"].T @ dy + dh_next
        da = (1 - hs[t + 1] ** 2) * dh
        db += da
        dU += np.outer(da, INPUTS[t])
        dW += np.outer(da, hs[t])
        dh_next = p["W"].T @ da
    return {"dU": dU, "dW": dW, "dV": dV, "db": db, "dc": dc}


@mistake(
    biased_rnn,
    BIASED,
    source="https://github.com/d2l-ai/d2l-en/issues/2616 (the reading that it corrects: the direct terms alone)",
    step="dU dW db",
    cause="A state's cotangent is that of its own output alone: what comes through the later states is missing.",
    fix={'dh = p["V"].T @ dy\n': 'dh = p["V"].T @ dy + dh_next\n'},
    says=r"dh_next|term",
)
def d2l_rnn_direct_term_alone(p: Parameters) -> dict[str, Any]:
    hs = [np.zeros(4)]
    for t in range(STEPS):
        hs.append(np.tanh(p["U"] @ INPUTS[t] + p["W"] @ hs[-1] + p["b"]))
    dU, dW, dV, db, dc = (np.zeros_like(x) for x in p.values())
    dh_next = np.zeros(4)
    for t in reversed(range(STEPS)):
        dy = p["V"] @ hs[t + 1] + p["c"] - TARGETS[t]
        dV += np.outer(dy, hs[t + 1])
        dc += dy
        dh = p["V"].T @ dy
        da = (1 - hs[t + 1] ** 2) * dh
        db += da
        dU += np.outer(da, INPUTS[t])
        dW += np.outer(da, hs[t])
        dh_next = p["W"].T @ da
    assert dh_next.shape == (4,)
    return {"dU": dU, "dW": dW, "dV": dV, "db": db, "dc": dc}


BATCH = {"Wx": normal(80, 3, 4), "Wh": 0.5 * normal(81, 4, 4), "b": 0.2 * normal(82, 4)}
SERIES, STATES = normal(83, 5, 3, 3), normal(84, 5, 3, 4)  # (batch, steps, features)


def rnn_of_a_batch(p: Parameters) -> Any:
    h = np.zeros((5, 4))
    loss = 0.0
    for t in range(3):
        h = np.tanh(SERIES[:, t] @ p["Wx"] + h @ p["Wh"] + p["b"])
        loss = loss + 0.5 * np.sum((h - STATES[:, t]) ** 2)
    return loss


@mistake(
    rnn_of_a_batch,
    BATCH,
    source="https://github.com/cthorey/CS231/issues/1 (a correction that was proposed: = for +=)",
    step="dWx dWh db",
    cause="What comes from the next state is overwritten by what comes from the loss.",
    fix={"dh[:, t] = h[:, t + 1] - STATES[:, t]": "dh[:, t] += h[:, t + 1] - STATES[:, t]"},
    says=r"assign|added|\+=|overwrit|term",
)
def cthorey_lstm_next_c(p: Parameters) -> dict[str, Any]:
    h = np.zeros((5, 4, 4))
    for t in range(3):
        h[:, t + 1] = np.tanh(SERIES[:, t] @ p["Wx"] + h[:, t] @ p["Wh"] + p["b"])
    dWx, dWh, db = (np.zeros_like(x) for x in p.values())
    dh = np.zeros((5, 3, 4))
    for t in reversed(range(3)):
        dh[:, t] = h[:, t + 1] - STATES[:, t]
        dz = dh[:, t] * (1 - h[:, t + 1] ** 2)
        dWx += SERIES[:, t].T @ dz
        dWh += h[:, t].T @ dz
        db += dz.sum(axis=0)
        if t:
            dh[:, t - 1] = dz @ p["Wh"].T
    return {"dWx": dWx, "dWh": dWh, "db": db}


SCAN = {"gates": 0.5 + 0.1 * normal(90, 4, 2), "tokens": normal(91, 4, 2)}
SCAN_GOAL = normal(92, 4, 2)


def gated_scan(p: Parameters) -> Any:
    s = np.zeros(2)
    loss = 0.0
    for t in range(4):
        s = p["gates"][t] * s + p["tokens"][t]
        loss = loss + np.sum((s - SCAN_GOAL[t]) ** 2)
    return loss


@mistake(
    gated_scan,
    SCAN,
    source="https://github.com/proger/accelerated-scan/pull/15 (the carry between blocks of the backward scan)",
    step="ds[2]",
    cause="The scan of the block is multiplied by the gate and the carry added; the carry should be multiplied.",
    fix={"local * gate + carry": "local + carry * gate"},
    says=r"gate|carry|factor|order|exchanged|stands where",
)
def accelerated_scan_carry(p: Parameters) -> dict[str, Any]:
    gates, states = p["gates"], [np.zeros(2)]
    for t in range(4):
        states.append(gates[t] * states[-1] + p["tokens"][t])
    dgates, ds = np.zeros((4, 2)), [None] * 4
    carry = np.zeros(2)
    for t in reversed(range(4)):
        gate = gates[t + 1] if t < 3 else np.ones(2)
        local = 2 * (states[t + 1] - SCAN_GOAL[t])
        ds[t] = local * gate + carry
        carry = ds[t]
        dgates[t] = ds[t] * states[t]
    return {"ds": ds, "dgates": dgates, "dtokens": np.array(ds)}


@mistake(
    lstm,
    LSTM,
    source="nano-keras 1.2.1, nano_keras/layers/LSTM.py (LSTM.backpropagate, the candidate)",
    step="dag[1]",
    cause="The candidate itself, with tanh applied once more, is multiplied in beside its derivative.",
    fix={"dag[t] = dC * i * np.tanh(g) * (1 - g**2)": "dag[t] = dC * i * (1 - g**2)"},
    says=r"tanh|factor",
)
def the_nanokeras_candidate_twice(p: Parameters) -> dict[str, Any]:
    d = {name: np.zeros_like(x) for name, x in p.items()}
    dhnext, dCnext = np.zeros(N), np.zeros(N)
    dao, dag, dai, daf = ([None] * 2 for _ in range(4))
    for t in reversed(range(2)):
        x, f, i, g, o, C_prev, C = lstm_forward(p)[t]
        dh = READ[t] + dhnext
        dC = dCnext + dh * o * (1 - np.tanh(C) ** 2)
        dao[t] = dh * np.tanh(C) * o * (1 - o)
        dag[t] = dC * i * np.tanh(g) * (1 - g**2)
        dai[t] = dC * g * i * (1 - i)
        daf[t] = dC * C_prev * f * (1 - f)
        for k, da in zip("ogif", (dao[t], dag[t], dai[t], daf[t]), strict=True):
            d["W" + k] = d["W" + k] + np.outer(da, x)
            d["b" + k] = d["b" + k] + da
        dx = p["Wf"].T @ daf[t] + p["Wi"].T @ dai[t] + p["Wg"].T @ dag[t] + p["Wo"].T @ dao[t]
        dhnext, dCnext = dx[:N], f * dC
    return {"dao": dao, "dag": dag, "dai": dai, "daf": daf, **{"d" + name: x for name, x in d.items()}}


GATED = {"Wz": normal(93, 3, 3), "Wn": normal(94, 3, 3), "Uz": normal(95, 2, 3), "Un": normal(96, 2, 3)}
GATED_INPUT, GATED_GOAL = normal(97, 3, 2), normal(98, 3)


def minimal_gated_unit(p: Parameters) -> Any:
    h = 0.5 * np.ones(3)
    for t in range(3):
        z = 1 / (1 + np.exp(-(GATED_INPUT[t] @ p["Uz"] + h @ p["Wz"])))
        n = np.tanh(GATED_INPUT[t] @ p["Un"] + h @ p["Wn"])
        h = z * h + (1 - z) * n
    return np.sum((h - GATED_GOAL) ** 2)


@mistake(
    minimal_gated_unit,
    GATED,
    source="nano-keras 1.2.1, nano_keras/layers/GRU.py (GRU.backpropagate, the update gate)",
    step="dz[2]",
    cause="The candidate minus the state stands where the state minus the candidate should: the sign is wrong.",
    fix={"dz[t] = dh * (n - h)": "dz[t] = dh * (h - n)"},
    says=r"sign|minus|exchanged|order",
)
def nanokeras_update_gate_sign_gradient(p: Parameters) -> dict[str, Any]:
    states, gates = [0.5 * np.ones(3)], []
    for t in range(3):
        z = sigmoid(GATED_INPUT[t] @ p["Uz"] + states[-1] @ p["Wz"])
        n = np.tanh(GATED_INPUT[t] @ p["Un"] + states[-1] @ p["Wn"])
        gates.append((z, n))
        states.append(z * states[-1] + (1 - z) * n)
    dWz, dWn, dUz, dUn = (np.zeros_like(x) for x in p.values())
    dz, dn = [None] * 3, [None] * 3
    dh = 2 * (states[3] - GATED_GOAL)
    for t in reversed(range(3)):
        (z, n), h = gates[t], states[t]
        dz[t] = dh * (n - h)
        dn[t] = dh * (1 - z)
        daz, dan = dz[t] * z * (1 - z), dn[t] * (1 - n**2)
        dWz, dWn = dWz + np.outer(h, daz), dWn + np.outer(h, dan)
        dUz, dUn = dUz + np.outer(GATED_INPUT[t], daz), dUn + np.outer(GATED_INPUT[t], dan)
        dh = dh * z + p["Wz"] @ daz + p["Wn"] @ dan
    return {"dz": dz, "dn": dn, "dWz": dWz, "dWn": dWn, "dUz": dUz, "dUn": dUn}


BOTH = {"Wx": normal(99, 2, 3), "Wh": normal(100, 3, 3)}
BOTH_INPUT, BOTH_GOAL = normal(101, 3, 2), normal(102, 3)


def bidirectional(p: Parameters) -> Any:
    h, r = np.zeros(3), np.zeros(3)
    for t in range(3):
        h = np.tanh(BOTH_INPUT[t] @ p["Wx"] + h @ p["Wh"])
        r = np.tanh(BOTH_INPUT[2 - t] @ p["Wx"] + r @ p["Wh"])
    y = h + r
    return np.sum((y - BOTH_GOAL) ** 2)


@mistake(
    bidirectional,
    BOTH,
    source="https://github.com/mlpack/mlpack/pull/1742",
    step="dWx dWh",
    cause="The gradient of the backward direction is not added to the total.",
    fix={"for order in ([0, 1, 2],):": "for order in ([0, 1, 2], [2, 1, 0]):"},
    says=r"term|contribution|missing|added",
)
def mlpack_bidirectional_total(p: Parameters) -> dict[str, Any]:
    states = {}
    for order in ([0, 1, 2], [2, 1, 0]):
        states[order[0]] = [np.zeros(3)]
        for t in order:
            states[order[0]].append(np.tanh(BOTH_INPUT[t] @ p["Wx"] + states[order[0]][-1] @ p["Wh"]))
    dy = 2 * (states[0][3] + states[2][3] - BOTH_GOAL)
    dWx, dWh = np.zeros_like(p["Wx"]), np.zeros_like(p["Wh"])
    for order in ([0, 1, 2],):
        dh = dy
        for k in reversed(range(3)):
            dz = dh * (1 - states[order[0]][k + 1] ** 2)
            dWx += np.outer(BOTH_INPUT[order[k]], dz)
            dWh += np.outer(states[order[0]][k], dz)
            dh = p["Wh"] @ dz
    return {"dy": dy, "dWx": dWx, "dWh": dWh}
