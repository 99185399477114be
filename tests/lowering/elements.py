"""Elementwise functions, and elements that they are to be right for."""

from __future__ import annotations

import numpy as np

import tinygrad_cnn as tg

SPECIAL = np.array([0.0, -0.0, np.nan, np.inf, -np.inf, 1.0, -1.5, 1e300, 5e-324, -3.5])
OF_ONE = {
    "abs": np.abs, "sqrt": np.sqrt, "exp": np.exp, "log1p": np.log1p, "tanh": np.tanh, "sign": np.sign,
    "floor": np.floor, "rint": np.rint, "isnan": np.isnan, "isfinite": np.isfinite, "negative": np.negative,
    "signbit": np.signbit, "reciprocal": np.reciprocal, "relu": tg.relu, "sigmoid": tg.sigmoid, "not": np.logical_not,
    "times zero": lambda x: x * 0, "minus zero": lambda x: (x - 0.0) * 1.5, "plus zero": lambda x: x + 0.0,
    "a sum": np.sum, "a sum along an axis": lambda x: np.sum(x[None], axis=0), "the largest": np.max,
    "the smallest": np.min, "any": np.any, "all": np.all, "a mean": np.mean, "where": lambda x: np.where(x, x, -x),
}  # fmt: skip
OF_TWO = {
    "add": np.add, "subtract": np.subtract, "multiply": np.multiply, "divide": np.divide, "maximum": np.maximum,
    "minimum": np.minimum, "less": np.less, "equal": np.equal, "not_equal": np.not_equal, "power": np.power,
    "arctan2": np.arctan2, "hypot": np.hypot, "copysign": np.copysign, "and": np.logical_and, "xor": np.logical_xor,
}  # fmt: skip
