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


RISING = {"x": np.array([0.3, -0.2, 0.9, 0.1, 0.4, 1.3, 0.8, 1.1])}
RISING_GOAL = normal(100, 8)


def cumulative_maximum(p: Parameters) -> Any:
    y = np.stack([np.max(p["x"][: i + 1]) for i in range(8)])
    return np.sum((y - RISING_GOAL) ** 2)


@mistake(
    cumulative_maximum,
    RISING,
    source="https://github.com/pytorch/pytorch/pull/26637 (cummax, as a reviewer found it)",
    step="dx",
    cause="An element that stays the largest for several places gets the cotangent of one of them.",
    fix={"dx[indices] = dy": "np.add.at(dx, indices, dy)"},
    says=r"assign|overwrit|added|add\.at|accumulat|several times|\+=",
)
def the_pytorch_cummax_scattered(p: Parameters) -> dict[str, Any]:
    indices = np.array([np.argmax(p["x"][: i + 1]) for i in range(8)])
    dy = 2 * (p["x"][indices] - RISING_GOAL)
    dx = np.zeros(8)
    dx[indices] = dy
    return {"dy": dy, "dx": dx}


PLANE = {"y": normal(102, 6), "x": normal(103, 6)}
PLANE_WEIGHT = normal(104, 6)


def angle(p: Parameters) -> Any:
    a = np.arctan2(p["y"], p["x"])
    return np.sum(PLANE_WEIGHT * a)


@mistake(
    angle,
    PLANE,
    source="https://github.com/getkeops/keops/pull/155",
    step="dy dx",
    cause="The derivatives with respect to the two operands of atan2 are exchanged.",
    fix={"dy = -da * y / r2": "dy = da * x / r2", "dx = da * x / r2": "dx = -da * y / r2"},
    says=r"exchange|swap|stands where|\by\b.*\bx\b",
)
def keops_atan2_exchanged_rule(p: Parameters) -> dict[str, Any]:
    y, x = p["y"], p["x"]
    r2 = x**2 + y**2
    da = PLANE_WEIGHT
    dy = -da * y / r2
    dx = da * x / r2
    return {"da": da, "dy": dy, "dx": dx}


LARGEST = {"x": normal(105, 4, 5)}
LARGEST_GOAL = normal(106, 4)


def infinity_norm(p: Parameters) -> Any:
    n = np.max(np.abs(p["x"]), axis=1)
    return np.sum((n - LARGEST_GOAL) ** 2)


@mistake(
    infinity_norm,
    LARGEST,
    source="https://github.com/tenstorrent/tt-metal/issues/56248",
    step="dx",
    cause="The rule for a finite p is used for p = inf, and gives zero everywhere.",
    fix={"np.zeros_like(x)": "np.sign(x) * dn[:, None] * (np.abs(x) == n[:, None])"},
    says=r"\b0\b|zero|missing|nothing",
)
def ttmetal_infinity_norm_backward(p: Parameters) -> dict[str, Any]:
    x = p["x"]
    n = np.abs(x).max(axis=1)
    dn = 2 * (n - LARGEST_GOAL)
    dx = np.zeros_like(x)
    return {"dn": dn, "dx": dx}


def quotient(p: Parameters) -> Any:
    y = p["a"] / p["b"]
    return 0.5 * np.sum((y - GOAL) ** 2)


@mistake(
    quotient,
    PAIR,
    source="https://github.com/MikeInnes/diff-zoo/issues/16",
    step="da",
    cause="The cotangent is multiplied by the denominator instead of divided by it.",
    fix={'da = dy * p["b"]': 'da = dy / p["b"]'},
    says=r"divi|multipl|/",
)
def diff_zoo_division_gradient(p: Parameters) -> dict[str, Any]:
    y = p["a"] / p["b"]
    dy = y - GOAL
    da = dy * p["b"]
    db = -dy * y / p["b"]
    return {"dy": dy, "da": da, "db": db}


def weighed_product(p: Parameters) -> Any:
    y = p["a"] * p["b"]
    return 0.5 * np.sum((y - GOAL) ** 2)


@mistake(
    weighed_product,
    PAIR,
    source="https://github.com/su2code/su2code.github.io/pull/87",
    step="da db",
    cause="Each operand is given its own value instead of the other's as the derivative.",
    fix={'da = dy * p["a"]': 'da = dy * p["b"]', 'db = dy * p["b"]': 'db = dy * p["a"]'},
    says=r"exchange|swap|stands where|\ba\b.*\bb\b",
)
def su2_product_exchanged_rule(p: Parameters) -> dict[str, Any]:
    dy = p["a"] * p["b"] - GOAL
    da = dy * p["a"]
    db = dy * p["b"]
    return {"dy": dy, "da": da, "db": db}


BROADCAST = {"a": normal(107, 6, 4), "b": normal(108, 4)}
BROADCAST_GOAL = normal(109, 6, 4)


def broadcast_sum(p: Parameters) -> Any:
    y = p["a"] + p["b"]
    return 0.5 * np.sum((y - BROADCAST_GOAL) ** 2)


@mistake(
    broadcast_sum,
    BROADCAST,
    source="https://github.com/tensorflow/tfjs-core/pull/398",
    step="db",
    cause="Over the axis that was broadcast the cotangents are averaged instead of summed.",
    fix={"np.mean(dy, axis=0)": "np.sum(dy, axis=0)"},
    says=r"mean|sum|1/6|6 times|0\.1666",
)
def tfjs_broadcast_average(p: Parameters) -> dict[str, Any]:
    dy = p["a"] + p["b"] - BROADCAST_GOAL
    da = dy
    db = np.mean(dy, axis=0)
    return {"dy": dy, "da": da, "db": db}


SPECTRUM = {"re": normal(110, 3, 4), "im": normal(111, 3, 4)}
SPECTRUM_GOAL = normal(112, 5, 4)
PHASES = 2 * np.pi * np.outer(np.arange(5), np.arange(3)) / 5
TWICE = np.array([[1.0], [2.0], [2.0]])  # of the frequencies of five samples, all but the first stand for two


def inverse_real_fourier(p: Parameters) -> Any:
    x = (np.cos(PHASES) @ (TWICE * p["re"]) - np.sin(PHASES) @ (TWICE * p["im"])) / 5
    return np.sum((x - SPECTRUM_GOAL) ** 2)


@mistake(
    inverse_real_fourier,
    SPECTRUM,
    source="https://github.com/ooples/AiDotNet.Tensors/pull/911 (the adjoint of an inverse transform of odd length)",
    step="dre dim",
    cause="The last frequency is taken for the Nyquist frequency, which there is for an even length alone.",
    fix={"c[0] = c[-1] = 1": "c[0] = 1", "    dim[-1] = 0\n": ""},
    says=r"last|Nyquist|\[2\]|\[-1\]|half|index|row|one of",
)
def aidotnet_odd_length_gradient(p: Parameters) -> dict[str, Any]:
    x = (np.cos(PHASES) @ (TWICE * p["re"]) - np.sin(PHASES) @ (TWICE * p["im"])) / 5
    dx = 2 * (x - SPECTRUM_GOAL)
    c = np.full((3, 1), 2.0)
    c[0] = c[-1] = 1
    dre = c / 5 * (np.cos(PHASES).T @ dx)
    dim = -c / 5 * (np.sin(PHASES).T @ dx)
    dim[-1] = 0
    return {"dx": dx, "dre": dre, "dim": dim}
