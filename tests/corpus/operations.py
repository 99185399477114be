"""Single operations, as libraries for automatic differentiation and textbooks have them."""

from __future__ import annotations

from typing import Any

import numpy as np

from corpus.case import Parameters, mistake, normal

PAIR = {"a": normal(1, 3, 4), "b": 2 + 0.3 * normal(2, 3, 4)}
GOAL = normal(3, 3, 4)


def difference(p: Parameters) -> Any:
    y = p["a"] - p["b"]
    return 0.5 * np.sum((y - GOAL) ** 2)


@mistake(
    difference,
    PAIR,
    source="https://github.com/KhawajaAbaid/micrograd_c/issues/1",
    step="db",
    cause="The second operand of a difference has the sign of the first.",
    fix={"db = dy": "db = -dy"},
    says=r"sign",
)
def micrograd_c_subtraction(p: Parameters) -> dict[str, Any]:
    dy = p["a"] - p["b"] - GOAL
    da = dy
    db = dy
    return {"dy": dy, "da": da, "db": db}


def centred(p: Parameters) -> Any:
    y = p["x"] - np.mean(p["x"])
    return np.sum(GOAL[0] * y)


@mistake(
    centred,
    {"x": np.array([1.0, 2.0, 3.0, 4.0])},
    source="https://github.com/pytorch/pytorch/issues/107007 (a gradient that was expected)",
    step="dx",
    cause="1 - 1/n is the derivative of one element by itself: what it does to the mean of the others is left out.",
    fix={"dx = dy * (1 - 1 / 4)": "dx = dy - np.mean(dy)"},
    says=r"mean|contribution",
)
def pytorch_minus_mean(p: Parameters) -> dict[str, Any]:
    dy = GOAL[0] + 0 * p["x"]
    dx = dy * (1 - 1 / 4)
    return {"dy": dy, "dx": dx}


def mml_example(p: Parameters) -> Any:
    a = p["x"] ** 2
    b = np.exp(a)
    c = a + b
    d = np.sqrt(c)
    e = np.cos(c)
    return np.sum(d + e)


POINTS = {"x": np.array([0.3, -0.7, 1.1, 0.9])}


@mistake(
    mml_example,
    POINTS,
    source="https://github.com/mml-book/mml-book.github.io/issues/37 (equation 5.142)",
    step="dc",
    cause="The derivative of d comes twice, where the second is meant to be that of e.",
    fix={"de / (2 * np.sqrt(c))": "-de * np.sin(c)"},
    says=r"sin|cos|contribution|sqrt",
)
def mml_book_other_branch(p: Parameters) -> dict[str, Any]:
    x = p["x"]
    a = x**2
    c = a + np.exp(a)
    dd, de = np.ones(4), np.ones(4)
    dc = dd / (2 * np.sqrt(c)) + (de / (2 * np.sqrt(c)))
    db = dc
    da = dc + db * np.exp(a)
    dx = da * 2 * x
    return {"dc": dc, "db": db, "da": da, "dx": dx}


TOKENS = normal(8, 4, 3)
HEADS = {"Q": normal(9, 3, 4), "K": normal(10, 3, 4), "V": normal(11, 3, 2)}
MIXED = normal(12, 4, 2)


def attention(p: Parameters) -> Any:
    q, k, v = TOKENS @ p["Q"], TOKENS @ p["K"], TOKENS @ p["V"]
    s = q @ k.T / np.sqrt(4)
    e = np.exp(s - np.max(s, axis=1, keepdims=True))
    w = e / np.sum(e, axis=1, keepdims=True)
    out = w @ v
    return np.sum(MIXED * out)


@mistake(
    attention,
    HEADS,
    source="https://github.com/delzac/cntkx/issues/10",
    step="dw dv",
    cause="The forward pass divides the scores by d instead of by its root.",
    fix={"k.T / 4.0": "k.T / np.sqrt(4.0)", "* 0.25": "/ np.sqrt(4.0)"},
    says=r"forward|scale|root|sqrt|s\b",
)
def cntkx_scale_without_root(p: Parameters) -> dict[str, Any]:
    q, k, v = TOKENS @ p["Q"], TOKENS @ p["K"], TOKENS @ p["V"]
    s = q @ k.T / 4.0
    e = np.exp(s - s.max(axis=1, keepdims=True))
    w = e / e.sum(axis=1, keepdims=True)
    dw = MIXED @ v.T
    dv = w.T @ MIXED
    ds = w * (dw - np.sum(dw * w, axis=1, keepdims=True)) * 0.25
    return {"dw": dw, "dv": dv, "dQ": TOKENS.T @ (ds @ k), "dK": TOKENS.T @ (ds.T @ q), "dV": TOKENS.T @ dv}


FACTOR = {"F": np.tril(normal(40, 3, 3)) + 3 * np.eye(3)}
FACTOR_WEIGHT = normal(41, 3, 3)


def inverse_from_factor(p: Parameters) -> Any:
    A = p["F"] @ p["F"].T
    X = np.linalg.inv(A)
    return np.sum(FACTOR_WEIGHT * X)


@mistake(
    inverse_from_factor,
    FACTOR,
    source="https://github.com/pytorch/pytorch/pull/197010 (the order of a product in cholesky_inverse)",
    step="dF",
    cause="The inverse stands on the other side of the factor, and matrices do not commute.",
    fix={'dF = -X @ S @ p["F"] @ X': 'dF = -X @ S @ X @ p["F"]'},
    says=r"order|exchanged|F @ X|X @ .*F|side|operand|commut",
)
def cholesky_inverse_order_gradient(p: Parameters) -> dict[str, Any]:
    X = np.linalg.inv(p["F"] @ p["F"].T)
    S = FACTOR_WEIGHT + FACTOR_WEIGHT.T
    dF = -X @ S @ p["F"] @ X
    return {"dX": FACTOR_WEIGHT, "dF": dF}


FORM = {"a": normal(42, 5, 3), "b": normal(43, 5, 4), "W": normal(44, 2, 3, 4)}
FORM_GOAL = normal(45, 5, 2)


def bilinear(p: Parameters) -> Any:
    y = np.einsum("ni,oij,nj->no", p["a"], p["W"], p["b"])
    return np.sum((y - FORM_GOAL) ** 2)


@mistake(
    bilinear,
    FORM,
    source="Vexives/caspian 1.1.0, caspian/layers/Bilinear.py (Bilinear.backward)",
    step="da db",
    cause="The other input is missing from the gradient of each: the weights are summed over its axis alone.",
    fix={
        'np.einsum("no,oij->ni", dy, p["W"])': 'np.einsum("no,oij,nj->ni", dy, p["W"], p["b"])',
        'np.einsum("no,oij->nj", dy, p["W"])': 'np.einsum("no,oij,ni->nj", dy, p["W"], p["a"])',
    },
    says=r"(\ba\b|\bb\b).*missing|missing.*(\ba\b|\bb\b)|factor [ab]|other input",
)
def the_caspian_bilinear_other_input(p: Parameters) -> dict[str, Any]:
    dy = 2 * (np.einsum("ni,oij,nj->no", p["a"], p["W"], p["b"]) - FORM_GOAL)
    dW = np.einsum("no,ni,nj->oij", dy, p["a"], p["b"])
    da = np.einsum("no,oij->ni", dy, p["W"])
    db = np.einsum("no,oij->nj", dy, p["W"])
    return {"dy": dy, "da": da, "db": db, "dW": dW}


ANGLES = {"a": normal(46, 4, 3), "b": normal(47, 4, 3)}
ANGLES_WEIGHT = normal(48, 4)


def cosine_similarity(p: Parameters) -> Any:
    na = np.sqrt(np.sum(p["a"] ** 2, axis=1, keepdims=True))
    nb = np.sqrt(np.sum(p["b"] ** 2, axis=1, keepdims=True))
    c = np.sum(p["a"] * p["b"] / (na * nb), axis=1)
    return np.sum(ANGLES_WEIGHT * c)


@mistake(
    cosine_similarity,
    ANGLES,
    source="Vexives/caspian 1.1.0, caspian/layers/CosineSimilarity.py (CosineSimilarity.backward)",
    step="da db",
    cause="Each vector is divided by the square of the other's norm instead of by its own.",
    fix={"c * a / nb**2": "c * a / na**2", "c * b / na**2": "c * b / nb**2"},
    says=r"\bn[ab]\b|norm",
)
def caspian_cosine_other_norm(p: Parameters) -> dict[str, Any]:
    a, b = p["a"], p["b"]
    na = np.linalg.norm(a, axis=1, keepdims=True)
    nb = np.linalg.norm(b, axis=1, keepdims=True)
    c = np.sum(a * b, axis=1, keepdims=True) / (na * nb)
    dc = ANGLES_WEIGHT[:, None]
    da = dc * (b / (na * nb) - c * a / nb**2)
    db = dc * (a / (na * nb) - c * b / na**2)
    return {"da": da, "db": db}
