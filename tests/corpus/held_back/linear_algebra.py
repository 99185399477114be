"""Determinants, solutions and factors of matrices."""

from __future__ import annotations

from typing import Any

import numpy as np

from corpus.case import Parameters, mistake, normal

ROOT = {"B": normal(1, 3, 3)}
ROOT_WEIGHT = np.tril(normal(2, 3, 3))


def cholesky_of_product(p: Parameters) -> Any:
    A = p["B"] @ p["B"].T + np.eye(3)
    L = np.linalg.cholesky(A)
    return np.sum(ROOT_WEIGHT * L)


@mistake(
    cholesky_of_product,
    ROOT,
    source="https://github.com/pytorch/pytorch/issues/137284 (a gradient that was expected, with pull/137286)",
    step="dB",
    cause="The elements beside the diagonal are doubled, as if a symmetric matrix had half of them.",
    fix={"dA = S + S.T - np.diag(np.diag(S))": "dA = 0.5 * (S + S.T)"},
    says=r"half|0\.5|diag|2 times|twice|symmetr|1/2",
)
def pytorch_cholesky_doubled(p: Parameters) -> dict[str, Any]:
    A = p["B"] @ p["B"].T + np.eye(3)
    L = np.linalg.cholesky(A)
    dL = ROOT_WEIGHT
    P = np.tril(L.T @ dL)
    P = P - 0.5 * np.diag(np.diag(P))
    back = np.linalg.inv(L)
    S = back.T @ P @ back
    dA = S + S.T - np.diag(np.diag(S))
    dB = (dA + dA.T) @ p["B"]
    return {"dL": dL, "dB": dB}


PENALTIES = np.stack([m @ m.T for m in normal(3, 3, 4, 4)])
CURVATURE = 2 * np.eye(4)


def log_determinant(p: Parameters) -> Any:
    lam = np.exp(p["rho"])
    H = CURVATURE + lam[0] * PENALTIES[0] + lam[1] * PENALTIES[1] + lam[2] * PENALTIES[2]
    return 0.5 * np.linalg.slogdet(H)[1]


@mistake(
    log_determinant,
    {"rho": 0.5 * normal(4, 3)},
    source="https://github.com/SauersML/gam/issues/1416",
    step="drho",
    cause="Of the trace of a product the diagonals alone are multiplied: what is beside them is left out.",
    fix={"np.sum(np.diag(inverse) * np.diag(scaled))": "np.sum(inverse * scaled)"},
    says=r"diag|trace|sum|beside",
)
def gam_trace_of_diagonals(p: Parameters) -> dict[str, Any]:
    lam = np.exp(p["rho"])
    H = CURVATURE + lam[0] * PENALTIES[0] + lam[1] * PENALTIES[1] + lam[2] * PENALTIES[2]
    inverse = np.linalg.inv(H)
    drho = np.zeros(3)
    for k in range(3):
        scaled = lam[k] * PENALTIES[k]
        drho[k] = 0.5 * np.sum(np.diag(inverse) * np.diag(scaled))
    return {"drho": drho}
