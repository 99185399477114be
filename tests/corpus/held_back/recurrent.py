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
    source="https://github.com/qixianbiao/RNN/issues/2",
    step="dh[2]",
    cause="The cotangent of a hidden state gets nothing from the next time step.",
    fix={".T @ dy[t]": ".T @ dy[t] + dhnext"},
    says=r"contribution|dhnext|Whh|dz",
)
def rnn_without_next_state(p: Parameters) -> dict[str, Any]:
    hs = states(p)
    dWxh, dWhh, dWhy = (np.zeros_like(p[name]) for name in ("Wxh", "Whh", "Why"))
    dy, dh, dz = [None] * STEPS, [None] * STEPS, [None] * STEPS
    dhnext = np.zeros(4)
    for t in reversed(range(STEPS)):
        dy[t] = p["Why"] @ hs[t + 1] - TARGETS[t]
        dWhy = dWhy + np.outer(dy[t], hs[t + 1])
        dh[t] = p["Why"].T @ dy[t]
        dz[t] = (1 - hs[t + 1] ** 2) * dh[t]
        dWxh = dWxh + np.outer(dz[t], INPUTS[t])
        dWhh = dWhh + np.outer(dz[t], hs[t])
        dhnext = p["Whh"].T @ dz[t]
    assert dhnext.shape == (4,)
    return {"dy": dy, "dh": dh, "dz": dz, "dWxh": dWxh, "dWhh": dWhh, "dWhy": dWhy, "dbh": np.sum(dz, axis=0)}


SEQUENCE = {"x": normal(7, STEPS, 3), "U": normal(8, 4, 3), "W": 0.5 * normal(9, 4, 4), "V": normal(10, 3, 4)}
GOAL = normal(11, STEPS, 3)


def sequence(p: Parameters) -> Any:
    state = START
    loss = 0.0
    for t in range(STEPS):
        z = p["U"] @ p["x"][t] + p["W"] @ state
        state = np.tanh(z)
        out = p["V"] @ state
        loss = loss + 0.5 * np.sum((out - GOAL[t]) ** 2)
    return loss


@mistake(
    sequence,
    SEQUENCE,
    source="eriklindernoren/ML-From-Scratch, mlfromscratch/deep_learning/layers.py (RNN.backward_pass)",
    step="dx",
    cause="An input gets its gradient from the output of its own step alone, not from those that follow.",
    fix={"dx[t] = dstate": "_ = dstate", "dU = dU": "dx[s] += dstate @ p['U']\n            dU = dU"},
    says=r"the term .* is missing,? in all|contribution|later|assign|only|sum|\+",
)
def mlfromscratch_rnn_input(p: Parameters) -> dict[str, Any]:
    states = [START] * (STEPS + 1)
    for t in range(STEPS):
        states[t] = np.tanh(p["U"] @ p["x"][t] + p["W"] @ states[t - 1])
    dx, dU, dW, dV = (np.zeros_like(p[name]) for name in ("x", "U", "W", "V"))
    dout = [p["V"] @ states[t] - GOAL[t] for t in range(STEPS)]
    for t in reversed(range(STEPS)):
        dV = dV + np.outer(dout[t], states[t])
        dstate = (dout[t] @ p["V"]) * (1 - states[t] ** 2)
        dx[t] = dstate @ p["U"]
        for s in reversed(range(t + 1)):
            dU = dU + np.outer(dstate, p["x"][s])
            dW = dW + np.outer(dstate, states[s - 1])
            dstate = (dstate @ p["W"]) * (1 - states[s - 1] ** 2)
    return {"dout": dout, "dx": dx, "dU": dU, "dW": dW, "dV": dV}


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
    source="https://github.com/nicklashansen/rnn_lstm_from_scratch/issues/1",
    step="dC[1]",
    cause="tanh is applied once more before its derivative is taken: 1 - tanh(tanh(C))^2.",
    fix={"1 - np.tanh(np.tanh(C)) ** 2": "1 - np.tanh(C) ** 2"},
    says=r"tanh",
)
def lstm_tanh_twice(p: Parameters) -> dict[str, Any]:
    d = {name: np.zeros_like(x) for name, x in p.items()}
    dhnext, dCnext = np.zeros(N), np.zeros(N)
    dao, dag, dai, daf, dC = ([None] * 2 for _ in range(5))
    for t in reversed(range(2)):
        x, f, i, g, o, C_prev, C = lstm_forward(p)[t]
        dh = READ[t] + dhnext
        dao[t] = dh * np.tanh(C) * o * (1 - o)
        dC[t] = dCnext + dh * o * (1 - np.tanh(np.tanh(C)) ** 2)
        dag[t] = dC[t] * i * (1 - g**2)
        dai[t] = dC[t] * g * i * (1 - i)
        daf[t] = dC[t] * C_prev * f * (1 - f)
        for k, da in zip("ogif", (dao[t], dag[t], dai[t], daf[t]), strict=True):
            d["W" + k] = d["W" + k] + np.outer(da, x)
            d["b" + k] = d["b" + k] + da
        dx = p["Wf"].T @ daf[t] + p["Wi"].T @ dai[t] + p["Wg"].T @ dag[t] + p["Wo"].T @ dao[t]
        dhnext, dCnext = dx[:N], f * dC[t]
    return {"dC": dC, "dao": dao, "dag": dag, "dai": dai, "daf": daf, **{"d" + name: x for name, x in d.items()}}


GRU = {name: normal(30 + k, 3, 3) for k, name in enumerate(("Wz", "Wr", "Wh", "Uz", "Ur", "Uh"))}
GRU_H, GRU_X, GRU_GOAL = normal(36, 3), normal(37, 3), normal(38, 3)


def gru(p: Parameters) -> Any:
    az = p["Wz"] @ GRU_X + p["Uz"] @ GRU_H
    z = 1 / (1 + np.exp(-az))
    ar = p["Wr"] @ GRU_X + p["Ur"] @ GRU_H
    r = 1 / (1 + np.exp(-ar))
    rh = r * GRU_H
    ac = p["Wh"] @ GRU_X + p["Uh"] @ rh
    c = np.tanh(ac)
    h = (1 - z) * GRU_H + z * c
    return 0.5 * np.sum((h - GRU_GOAL) ** 2)


@mistake(
    gru,
    GRU,
    source="https://github.com/ooples/AiDotNet/pull/722 (the candidate of a single cell)",
    step="dh",
    cause="The forward pass multiplies by the reset gate of the row, outside the product, instead of inside it.",
    fix={"r * (p": "(p", "@ GRU_H))": "@ (r * GRU_H)))"},
    says=r"forward|reset|\br\b",
)
def aidotnet_reset_gate(p: Parameters) -> dict[str, Any]:
    z = sigmoid(p["Wz"] @ GRU_X + p["Uz"] @ GRU_H)
    r = sigmoid(p["Wr"] @ GRU_X + p["Ur"] @ GRU_H)
    c = np.tanh(p["Wh"] @ GRU_X + r * (p["Uh"] @ GRU_H))
    dh = (1 - z) * GRU_H + z * c - GRU_GOAL
    dac = dh * z * (1 - c**2)
    daz = dh * (c - GRU_H) * z * (1 - z)
    drh = p["Uh"].T @ dac
    dar = drh * GRU_H * r * (1 - r)
    return {
        "dh": dh,
        "dac": dac,
        "daz": daz,
        "drh": drh,
        "dar": dar,
        "dWz": np.outer(daz, GRU_X),
        "dUz": np.outer(daz, GRU_H),
        "dWr": np.outer(dar, GRU_X),
        "dUr": np.outer(dar, GRU_H),
        "dWh": np.outer(dac, GRU_X),
        "dUh": np.outer(dac, r * GRU_H),
    }


@mistake(
    lstm,
    LSTM,
    source="marcpinet/neuralnetlib 5.0.0, neuralnetlib/layers.py (LSTMCell.backward)",
    step="dao[1] dag[1] dai[1] daf[1]",
    cause="A small constant, 1e-7, is added to the derivatives of the gates and of tanh.",
    fix={"EPSILON = 1e-7": "EPSILON = 0.0"},
    says=r"epsilon|1e-0?7|EPSILON",
)
def neuralnetlib_lstm_epsilon(p: Parameters) -> dict[str, Any]:
    EPSILON = 1e-7
    d = {name: np.zeros_like(x) for name, x in p.items()}
    dhnext, dCnext = np.zeros(N), np.zeros(N)
    dao, dag, dai, daf = ([None] * 2 for _ in range(4))
    for t in reversed(range(2)):
        x, f, i, g, o, C_prev, C = lstm_forward(p)[t]
        dh = READ[t] + dhnext
        dC = dCnext + dh * o * (1 - np.tanh(C) ** 2 + EPSILON)
        dao[t] = dh * np.tanh(C) * o * (1 - o + EPSILON)
        dag[t] = dC * i * (1 - g**2 + EPSILON)
        dai[t] = dC * g * i * (1 - i + EPSILON)
        daf[t] = dC * C_prev * f * (1 - f + EPSILON)
        for k, da in zip("ogif", (dao[t], dag[t], dai[t], daf[t]), strict=True):
            d["W" + k] = d["W" + k] + np.outer(da, x)
            d["b" + k] = d["b" + k] + da
        dx = p["Wf"].T @ daf[t] + p["Wi"].T @ dai[t] + p["Wg"].T @ dag[t] + p["Wo"].T @ dao[t]
        dhnext, dCnext = dx[:N], f * dC
    return {"dao": dao, "dag": dag, "dai": dai, "daf": daf, **{"d" + name: x for name, x in d.items()}}


@mistake(
    lstm,
    LSTM,
    source="nano-keras 1.2.1, nano_keras/layers/LSTM.py (LSTM.backpropagate, the output gate)",
    step="dao[1]",
    cause="The derivative of the output gate's sigmoid, o (1 - o), is missing.",
    fix={"dao[t] = dh * np.tanh(C)": "dao[t] = dh * np.tanh(C) * o * (1 - o)"},
    says=r"derivative|\bo\b|\bao\b",
)
def the_nanokeras_output_gate(p: Parameters) -> dict[str, Any]:
    d = {name: np.zeros_like(x) for name, x in p.items()}
    dhnext, dCnext = np.zeros(N), np.zeros(N)
    dao, dag, dai, daf = ([None] * 2 for _ in range(4))
    for t in reversed(range(2)):
        x, f, i, g, o, C_prev, C = lstm_forward(p)[t]
        dh = READ[t] + dhnext
        dC = dCnext + dh * o * (1 - np.tanh(C) ** 2)
        dao[t] = dh * np.tanh(C)
        dag[t] = dC * i * (1 - g**2)
        dai[t] = dC * g * i * (1 - i)
        daf[t] = dC * C_prev * f * (1 - f)
        for k, da in zip("ogif", (dao[t], dag[t], dai[t], daf[t]), strict=True):
            d["W" + k] = d["W" + k] + np.outer(da, x)
            d["b" + k] = d["b" + k] + da
        dx = p["Wf"].T @ daf[t] + p["Wi"].T @ dai[t] + p["Wg"].T @ dag[t] + p["Wo"].T @ dao[t]
        dhnext, dCnext = dx[:N], f * dC
    return {"dao": dao, "dag": dag, "dai": dai, "daf": daf, **{"d" + name: x for name, x in d.items()}}


PEEPHOLE = {name: 0.6 * normal(60 + k, 3, 2) for k, name in enumerate(("Wi", "Wf", "Wg", "Wo"))} | {
    name: 0.8 * normal(65 + k, 3) for k, name in enumerate(("wi", "wf", "wo"))
}
PEEPED, PEEPED_WEIGHT, PEEPED_START = normal(68, 3, 2), normal(69, 3, 3), normal(70, 3)


def lstm_with_peepholes(p: Parameters) -> Any:
    C = PEEPED_START
    loss = 0.0
    for t in range(3):
        i = sigmoid(p["Wi"] @ PEEPED[t] + p["wi"] * C)
        f = sigmoid(p["Wf"] @ PEEPED[t] + p["wf"] * C)
        g = np.tanh(p["Wg"] @ PEEPED[t])
        C = f * C + i * g
        o = sigmoid(p["Wo"] @ PEEPED[t] + p["wo"] * C)
        h = o * np.tanh(C)
        loss = loss + np.sum(PEEPED_WEIGHT[t] * h)
    return loss


@mistake(
    lstm_with_peepholes,
    PEEPHOLE,
    source="https://github.com/automan000/Convolutional_LSTM_PyTorch/issues/20 (the rule of the paper)",
    step="dC[2]",
    cause="Nothing is handed back to the cell through the peepholes.",
    fix={
        "dC[t] = dCnext + dh * o * (1 - tC**2)": "dC[t] = dCnext + dh * o * (1 - tC**2) + p['wo'] * dao",
        "dCnext = dC[t] * f": "dCnext = dC[t] * f + p['wi'] * dai + p['wf'] * daf",
    },
    says=r"w[ifo]\b|dao|missing|term",
)
def lstm_peephole_not_handed_back(p: Parameters) -> dict[str, Any]:
    C, cache = PEEPED_START, []
    for t in range(3):
        i = sigmoid(p["Wi"] @ PEEPED[t] + p["wi"] * C)
        f = sigmoid(p["Wf"] @ PEEPED[t] + p["wf"] * C)
        g = np.tanh(p["Wg"] @ PEEPED[t])
        before, C = C, f * C + i * g
        cache.append((before, C, i, f, g, sigmoid(p["Wo"] @ PEEPED[t] + p["wo"] * C)))
    found = {"d" + name: np.zeros_like(x) for name, x in p.items()}
    dC = [None] * 3
    dCnext = np.zeros(3)
    for t in reversed(range(3)):
        before, C, i, f, g, o = cache[t]
        tC, dh = np.tanh(C), PEEPED_WEIGHT[t]
        dao = dh * tC * o * (1 - o)
        dC[t] = dCnext + dh * o * (1 - tC**2)
        dai = dC[t] * g * i * (1 - i)
        daf = dC[t] * before * f * (1 - f)
        dag = dC[t] * i * (1 - g**2)
        for name, da in (("i", dai), ("f", daf), ("g", dag), ("o", dao)):
            found["dW" + name] += np.outer(da, PEEPED[t])
        found["dwi"] += dai * before
        found["dwf"] += daf * before
        found["dwo"] += dao * C
        dCnext = dC[t] * f
    return {"dC": dC, **found}


UNROLLED = {"W": 0.7 * normal(71, 3, 3), "b": 0.3 * normal(72, 3)}
UNROLLED_INPUT, UNROLLED_START, UNROLLED_GOAL = normal(73, 4, 3), normal(74, 3), normal(75, 3)


def unrolled(p: Parameters) -> Any:
    h = UNROLLED_START
    for t in range(4):
        h = np.tanh(p["W"] @ h + UNROLLED_INPUT[t] + p["b"])
    return np.sum((h - UNROLLED_GOAL) ** 2)


@mistake(
    unrolled,
    UNROLLED,
    source="https://github.com/elixir-nx/axon/pull/646",
    step="dW db",
    cause="The steps are gone through forwards: their derivatives are multiplied in the wrong order.",
    fix={"for t in range(4):  # the steps once more": "for t in reversed(range(4)):"},
    says=r"order|revers|forward|index",
)
def axon_steps_forwards(p: Parameters) -> dict[str, Any]:
    hs = [UNROLLED_START]
    for x in UNROLLED_INPUT:
        hs.append(np.tanh(p["W"] @ hs[-1] + x + p["b"]))
    dW, db = np.zeros((3, 3)), np.zeros(3)
    dh = 2 * (hs[-1] - UNROLLED_GOAL)
    for t in range(4):  # the steps once more
        dz = dh * (1 - hs[t + 1] ** 2)
        dW += np.outer(dz, hs[t])
        db += dz
        dh = p["W"].T @ dz
    return {"dW": dW, "db": db}
