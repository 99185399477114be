"""Determinants, solutions and factors of matrices."""

from __future__ import annotations

from typing import Any

import numpy as np

from corpus.case import Parameters, mistake, normal

UPPER = {"A": np.triu(0.5 * normal(1, 3, 3), 1) + 3 * np.eye(3) + np.tril(normal(2, 3, 3), -1)}
UPPER_WEIGHT = np.tril(normal(3, 3, 3))


def cholesky_of_upper(p: Parameters) -> Any:
    S = np.triu(p["A"]) + np.triu(p["A"], 1).T
    L = np.linalg.cholesky(S)
    return np.sum(UPPER_WEIGHT * L)


@mistake(
    cholesky_of_upper,
    UPPER,
    source="https://github.com/jax-ml/jax/issues/40421",
    step="dA",
    cause="The elements below the diagonal are not read, but get the half of the gradient that belongs to those above.",
    fix={"dA = dS": "dA = np.triu(dS) + np.tril(dS, -1).T"},
    says=r"tri[ul]|triangle|below|above|lower|upper",
)
def jax_cholesky_ghost_rule(p: Parameters) -> dict[str, Any]:
    S = np.triu(p["A"]) + np.triu(p["A"], 1).T
    L = np.linalg.cholesky(S)
    dL = UPPER_WEIGHT
    P = np.tril(L.T @ dL)
    P = P - 0.5 * np.diag(np.diag(P))
    back = np.linalg.inv(L)
    dS = back.T @ P @ back
    dS = 0.5 * (dS + dS.T)
    dA = dS
    return {"dL": dL, "dA": dA}


SYSTEM = {"A": normal(4, 3, 3) + 3 * np.eye(3), "b": normal(5, 3)}
PROBE, PROBE_WEIGHT, SYSTEM_GOAL = normal(6, 3), normal(7, 3), normal(8, 3)


def solution_and_product(p: Parameters) -> Any:
    y = np.linalg.solve(p["A"], p["b"])
    r = np.tanh(p["A"] @ PROBE)
    return np.sum((y - SYSTEM_GOAL) ** 2) + np.sum(PROBE_WEIGHT * r)


@mistake(
    solution_and_product,
    SYSTEM,
    source="https://github.com/tensor4all/tenferro-rs/issues/772",
    step="dA",
    cause="The rule of solve gives the gradient of the right-hand side alone: what the matrix gets from it is dropped.",
    fix={"dA = np.outer(dz, PROBE)": "dA = np.outer(dz, PROBE) - np.outer(db, y)"},
    says=r"missing|contribution|term|\by\b",
)
def tenferro_solve_matrix_gradient(p: Parameters) -> dict[str, Any]:
    y = np.linalg.solve(p["A"], p["b"])
    dy = 2 * (y - SYSTEM_GOAL)
    db = np.linalg.solve(p["A"].T, dy)
    dr = PROBE_WEIGHT
    dz = dr * (1 - np.tanh(p["A"] @ PROBE) ** 2)
    dA = np.outer(dz, PROBE)
    return {"dy": dy, "db": db, "dr": dr, "dA": dA}


VOLUME = {"x": normal(9, 3, 3) + 2 * np.eye(3)}


def determinant(p: Parameters) -> Any:
    z = np.linalg.det(p["x"])
    return 0.5 * (z - 1.5) ** 2


@mistake(
    determinant,
    VOLUME,
    source="google/tangent, tangent/grads.py (adet)",
    step="dx",
    cause="The cotangent of the determinant is not multiplied in.",
    fix={"dx = adjugate.T": "dx = dz * adjugate.T"},
    says=r"\bdz\b|cotangent|z - 1\.5|factor",
)
def tangent_determinant_cotangent_gradient(p: Parameters) -> dict[str, Any]:
    z = np.linalg.det(p["x"])
    dz = z - 1.5
    adjugate = np.linalg.det(p["x"]) * np.linalg.pinv(p["x"])
    dx = adjugate.T
    return {"dz": dz, "dx": dx}
