"""Code as people write it for NumPy alone: each function does one thing that Tensors refuse. See `test_messages.py`."""

import array
import copy
import functools
import json
import math
import pickle
import struct
from decimal import Decimal
from math import exp

import numpy as np
from numpy import asarray

half = np.vectorize(lambda x: 0.5 * math.fabs(x))
twice = np.frompyfunc(lambda x: 2 * x, 1, 1)
memory = np.zeros(3)
rng = np.random.default_rng(0)


def as_array(x):
    x = np.asarray(x, dtype=float)
    return x.sum()


def as_array_by_name(x):
    return asarray(x).sum()


def as_array_of_a_list(x):
    state = [x[0], 2.0 * x[1]]
    return np.array(state).sum()


def list_written_out(x):
    return np.array([[x[0], 0.0], [0.0, x[1]]]).sum()


def list_in_a_function(x):
    return np.linalg.norm([x[0], x[1]])


def rows(x):
    return np.r_[x, 1.0].sum()


def over_several_lines(x):
    return np.concatenate(
        np.asarray(
            x
        )
    ).sum()  # fmt: skip


def element(x):
    y = np.zeros(3)
    y[0] = x[0] ** 2
    return y.sum()


def elements(x):
    y = np.zeros(3)
    y[:] = x
    return y.sum()


def element_in_place(x):
    y = np.ones(3)
    y[0] *= x[0]
    return y.sum()


def in_place(x):
    total = np.zeros(3)
    total += x
    return total.sum()


def out(x):
    y = np.empty(3)
    np.multiply(x, 2.0, out=y)
    return y.sum()


def filled(x):
    y = np.empty(3)
    y.fill(x[0])
    return y.sum()


def diagonal(x):
    y = np.zeros((3, 3))
    np.fill_diagonal(y, x)
    return y.sum()


def in_memory(x):
    memory[0] = x[0]
    return memory.sum()


def exponential(x):
    return math.exp(x[0])


def exponential_by_name(x):
    return exp(x[0])


def gamma(x):
    return math.gamma(x[0])


def number(x):
    return float(x[0])


def number_of_numpy(x):
    return np.float64(x[0])


def integer(x):
    return int(x[0]) * x[1]


def rounded(x):
    return round(x[0], 2)


def repeated(x):
    return sum([x[1] for _ in range(x[0])])


def shape(x):
    return np.ones((2, x[0])).sum()


def index(x):
    return [1.0, 2.0, 3.0][x[0]]


def sliced(x):
    return memory[: x[0]].sum()


def percent(x):
    return len("%.1f" % x[0]) * x[0]  # noqa: UP031


def draw(x):
    return np.random.normal(x[0])


def draw_of_a_generator(x):
    return rng.gamma(x[0], size=3).sum()


def by_vectorize(x):
    return half(x).sum()


def by_frompyfunc(x):
    return twice(x).sum()


def method(x):
    return np.eye(3).dot(x).sum()


def left_shift(x):
    return abs(np.left_shift(x, 1)[0])


def polynomial(x):
    return np.polynomial.Polynomial(x)(1.0)


def packed(x):
    return struct.unpack("d", struct.pack("d", x[0]))[0]


def in_array(x):
    return sum(array.array("d", [x[0]]))


def pickled(x):
    return pickle.loads(pickle.dumps(x)).sum()


def written(x):
    return len(json.dumps({"x": x})) * x[0]


def decimal(x):
    return float(Decimal(x[0]))


def in_set(x):
    return len({x[0], x[1]}) * x[0]


def key(x):
    return {x[0]: 1.0}[x[0]]


@functools.lru_cache
def cached(x):
    return 2 * x


def by_cache(x):
    return cached(x[0])


def in_list(x):
    return x in [copy.copy(x), 1.0]


def flags(x):
    return x.sum() if x.flags.writeable else 0.0


def checked(x):
    if not isinstance(x, np.ndarray):
        raise TypeError(f"expected an array, got {type(x).__name__}")
    return x.sum()


def by_argument(x, convert=[np.asarray]):
    return convert[0](x).sum()


def each(x):
    a, b, c = map(np.asarray, x)
    return a + b + c


def matrix_times_list(x):
    return (memory @ [x[0], x[1], 1.0]).sum()


def of_a_type(x):
    if not isinstance(x, float | np.ndarray):
        raise ValueError("x is of an invalid type")
    return x.sum()
