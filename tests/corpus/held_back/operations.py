"""Single operations, as libraries for automatic differentiation and textbooks have them."""

from __future__ import annotations

from typing import Any

import numpy as np

from corpus.case import Parameters, mistake, normal

PAIR = {"a": normal(1, 3, 4), "b": 2 + 0.3 * normal(2, 3, 4)}
GOAL = normal(3, 3, 4)


def quotient(p: Parameters) -> Any:
    y = p["a"] / p["b"]
    return 0.5 * np.sum((y - GOAL) ** 2)


@mistake(
    quotient,
    PAIR,
    source="https://github.com/apache/singa/pull/484",
    step="da db",
    cause="The cotangent is divided by the numerator instead of by the denominator, and multiplied for b.",
    fix={"da = dy / a": "da = dy / b", "db = dy * b": "db = -dy * a / b**2"},
    says=r"a instead of b|/ b|/ a|\ba\b",
)
def singa_division(p: Parameters) -> dict[str, Any]:
    a, b = p["a"], p["b"]
    dy = a / b - GOAL
    da = dy / a
    db = dy * b
    return {"dy": dy, "da": da, "db": db}


def difference(p: Parameters) -> Any:
    y = p["a"] - p["b"]
    return 0.5 * np.sum((y - GOAL) ** 2)


@mistake(
    difference,
    PAIR,
    source="https://github.com/wvabrinskas/Neuron/pull/121 (subtractAlong)",
    step="da",
    cause="The first operand of a difference has a factor of -1.",
    fix={"da = dy * -1": "da = dy"},
    says=r"sign|-1",
)
def neuron_subtraction(p: Parameters) -> dict[str, Any]:
    dy = p["a"] - p["b"] - GOAL
    da = dy * -1
    db = -dy
    return {"dy": dy, "da": da, "db": db}


def product(p: Parameters) -> Any:
    y = np.prod(p["s"])
    out = -y
    return 2 * out


@mistake(
    product,
    {"s": np.array([2.0, 3.0, -1.5])},
    source="https://github.com/pytorch/pytorch/issues/995",
    step="ds",
    cause="The derivative of a product is not multiplied by the cotangent of its output.",
    fix={"ds = y / s": "ds = dy * y / s"},
    says=r"dy|-1/2|-2|minus|sign",
)
def pytorch_product_cotangent(p: Parameters) -> dict[str, Any]:
    s = p["s"]
    y = np.prod(s)
    dy = -2.0
    ds = y / s
    return {"dy": dy, "ds": ds}


BROADCAST = {"a": normal(4, 3, 4), "b": normal(5, 1, 4)}


def broadcast_sum(p: Parameters) -> Any:
    y = p["a"] + p["b"]
    return 0.5 * np.sum((y - GOAL) ** 2)


@mistake(
    broadcast_sum,
    BROADCAST,
    source="https://github.com/deeplearning4j/nd4j/issues/2424",
    step="db",
    cause="The gradient of a row that was broadcast is not summed over the rows.",
    fix={"db = dy": "db = dy.sum(axis=0, keepdims=True)"},
    says=r"sum",
)
def nd4j_broadcast(p: Parameters) -> dict[str, Any]:
    dy = p["a"] + p["b"] - GOAL
    da = dy
    db = dy
    return {"dy": dy, "da": da, "db": db}


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
    source="https://github.com/mml-book/mml-book.github.io/issues/37 (equations 5.117, 5.139, 5.146)",
    step="dc",
    cause="The derivative of the square root has the wrong sign.",
    fix={"-dd / (2 * np.sqrt(c))": "dd / (2 * np.sqrt(c))"},
    says=r"sign|sqrt",
)
def mml_book_square_root(p: Parameters) -> dict[str, Any]:
    x = p["x"]
    a = x**2
    c = a + np.exp(a)
    dd, de = np.ones(4), np.ones(4)
    dc = -dd / (2 * np.sqrt(c)) - de * np.sin(c)
    db = dc
    da = dc + db * np.exp(a)
    dx = da * 2 * x
    return {"dc": dc, "db": db, "da": da, "dx": dx}


MATRIX = {"A": np.eye(3) + 0.4 * normal(6, 3, 3)}
WEIGHT = normal(7, 3, 3)


def inverse(p: Parameters) -> Any:
    R = np.linalg.inv(p["A"])
    return np.sum(WEIGHT * R)


@mistake(
    inverse,
    MATRIX,
    source="https://github.com/pytorch/pytorch.github.io/issues/2135",
    step="dA",
    cause="transpose(-2, -1) does not transpose in NumPy: the inverses on both sides are as they were.",
    fix={"-(R.transpose(-2, -1) @ (dR @ R.transpose(-2, -1)))": "-(R.T @ (dR @ R.T))"},
    says=r"transpos|\.T",
)
def inverse_not_transposed(p: Parameters) -> dict[str, Any]:
    R = np.linalg.inv(p["A"])
    dR = WEIGHT
    dA = -(R.transpose(-2, -1) @ (dR @ R.transpose(-2, -1)))
    return {"dR": dR, "dA": dA}


LINE = {"x": normal(100, 7)}
LINE_GOAL = normal(101, 7)


def running_sum(p: Parameters) -> Any:
    y = np.cumsum(p["x"])
    return np.sum((y - LINE_GOAL) ** 2)


@mistake(
    running_sum,
    LINE,
    source="https://github.com/pytorch/pytorch/pull/1122 (the reverse that a first version lacked)",
    step="dx",
    cause="The sums from the end are not brought back into the original order.",
    fix={"dx = np.cumsum(dy[::-1])": "dx = np.cumsum(dy[::-1])[::-1]"},
    says=r"revers|order|flip|::-1|exchanged",
)
def the_pytorch_cumsum_order(p: Parameters) -> dict[str, Any]:
    dy = 2 * (np.cumsum(p["x"]) - LINE_GOAL)
    dx = np.cumsum(dy[::-1])
    return {"dy": dy, "dx": dx}


POSITIVE = {"x": np.abs(normal(102, 3, 3)) + 0.3}
POSITIVE_GOAL = normal(103, 3)


def sum_of_logarithms(p: Parameters) -> Any:
    y = np.sum(np.log(p["x"]), axis=0)
    return np.sum((y - POSITIVE_GOAL) ** 2)


@mistake(
    sum_of_logarithms,
    POSITIVE,
    source="https://github.com/JuliaDiff/ChainRules.jl/issues/530",
    step="dx",
    cause="The cotangent of a sum is spread along the other axis.",
    fix={"dy[:, None]": "dy[None, :]"},
    says=r"axis|axes|transpos|column|row|broadcast",
)
def chain_rules_sum_of_adjoint_gradient(p: Parameters) -> dict[str, Any]:
    dy = 2 * (np.log(p["x"]).sum(axis=0) - POSITIVE_GOAL)
    dx = dy[:, None] / p["x"]
    return {"dy": dy, "dx": dx}


PLANE = {"y": normal(104, 6), "x": normal(105, 6)}
PLANE_WEIGHT = normal(106, 6)


def angle(p: Parameters) -> Any:
    a = np.arctan2(p["y"], p["x"])
    return np.sum(PLANE_WEIGHT * a)


@mistake(
    angle,
    PLANE,
    source="https://github.com/EnzymeAD/Enzyme-JAX/pull/2066",
    step="dy dx",
    cause="The signs of the derivatives with respect to both operands are wrong.",
    fix={"dy = -da * x / r2": "dy = da * x / r2", "dx = da * y / r2": "dx = -da * y / r2"},
    says=r"sign|minus",
)
def enzyme_atan2_sign_gradient(p: Parameters) -> dict[str, Any]:
    y, x = p["y"], p["x"]
    r2 = x**2 + y**2
    da = PLANE_WEIGHT
    dy = -da * x / r2
    dx = da * y / r2
    return {"da": da, "dy": dy, "dx": dx}


EXPONENTS = {"x": np.abs(normal(107, 5)) + 0.2}
EXPONENTS_GOAL = normal(108, 5)


def power_of_three(p: Parameters) -> Any:
    y = 3.0 ** p["x"]
    return np.sum((y - EXPONENTS_GOAL) ** 2)


@mistake(
    power_of_three,
    EXPONENTS,
    source="https://github.com/tenstorrent/tt-metal/pull/52144",
    step="dx",
    cause="It is the derivative of x**3, where the function is 3**x.",
    fix={"dx = dy * 3.0 * x ** (3.0 - 1)": "dx = dy * 3.0**x * np.log(3.0)"},
    says=r"log|exponent|power|instead|3\*\*|3\.0 ?\*\*",
)
def ttmetal_base_and_exponent_gradient(p: Parameters) -> dict[str, Any]:
    x = p["x"]
    dy = 2 * (3.0**x - EXPONENTS_GOAL)
    dx = dy * 3.0 * x ** (3.0 - 1)
    return {"dy": dy, "dx": dx}


AVERAGED = {"x": normal(109, 5, 3)}
AVERAGED_GOAL = normal(110, 3)


def averages(p: Parameters) -> Any:
    m = np.mean(np.tanh(p["x"]), axis=0)
    return np.sum((m - AVERAGED_GOAL) ** 2)


@mistake(
    averages,
    AVERAGED,
    source="https://github.com/pytorch/pytorch/issues/28993 (mean over a list of dimensions that is empty)",
    step="dx",
    cause="The cotangent of a mean is not divided by the number of elements.",
    fix={"dm * np.ones((5, 1))": "dm * np.ones((5, 1)) / 5"},
    says=r"\b5\b|divi|mean",
)
def pytorch_mean_undivided(p: Parameters) -> dict[str, Any]:
    t = np.tanh(p["x"])
    dm = 2 * (t.mean(axis=0) - AVERAGED_GOAL)
    dt = dm * np.ones((5, 1))
    dx = dt * (1 - t**2)
    return {"dm": dm, "dx": dx}
