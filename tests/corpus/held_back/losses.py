"""Losses of regression, of classification, of pairs, and of distributions."""

from __future__ import annotations

from typing import Any

import numpy as np

from corpus.case import Parameters, mistake, normal

X = normal(1, 6, 3)
LINEAR = {"w": 2 * normal(3, 3)}
SIGNS = np.array([1.0, -1.0, 1.0, 1.0, -1.0, -1.0])


def modified_huber(p: Parameters) -> Any:
    f = X @ p["w"]
    d = SIGNS * f
    return np.sum(np.where(d < -1, -4 * d, np.maximum(0, 1 - d) ** 2))


@mistake(
    modified_huber,
    {"w": 0.4 * LINEAR["w"]},
    source="https://github.com/stdlib-js/stdlib/issues/13111",
    step="dd",
    cause="The quadratic branch lacks its factor 2.",
    fix={"-np.maximum(0, 1 - d)": "-2 * np.maximum(0, 1 - d)"},
    says=r"1/2|2 \*|factor 2|half",
)
def stdlib_modified_huber(p: Parameters) -> dict[str, Any]:
    f = X @ p["w"]
    d = SIGNS * f
    dd = np.where(d < -1, -4.0, -np.maximum(0, 1 - d))
    df = dd * SIGNS
    dw = X.T @ df
    return {"dd": dd, "df": df, "dw": dw}


COUPLES = {"a": normal(4, 4, 3), "b": normal(5, 4, 3)}
SIMILAR = np.array([1.0, 0.0, 0.0, 1.0])


def squared_distance(p: Parameters) -> Any:
    diff = p["a"] - p["b"]
    return np.sum(SIMILAR[:, None] * diff**2)


@mistake(
    squared_distance,
    COUPLES,
    source="https://github.com/BVLC/caffe/issues/2312 (a gradient that was expected)",
    step="da",
    cause="a - 2 b is given as the gradient of |a - b|^2; it is 2 (a - b).",
    fix={"a - 2 * b": "2 * (a - b)"},
    says=r"2 \* \(|2 \* a|2 times|contribution|diff",
)
def caffe_squared_distance(p: Parameters) -> dict[str, Any]:
    a, b = p["a"], p["b"]
    da = SIMILAR[:, None] * (a - 2 * b)
    db = -2 * SIMILAR[:, None] * (a - b)
    return {"da": da, "db": db}
