"""Code in which NumPy is tinygrad_cnn.numpy, but not all that it computes with. See `test_messages.py`."""

import math

import numpy

import tinygrad_cnn.numpy as np

memory = np.zeros(3)


def exponential(x):
    return math.exp(x[0])


def of_memory(x):
    memory[0] = x[0]
    return memory.sum()


def of_integers(x):
    counts = np.zeros(3, dtype=int)
    counts[1:] = x[0]
    return counts.sum()


def number(x):
    return float(x[0])


def number_of_numpy(x):
    return np.float64(x[0])


def by_argument(x, convert=numpy.asarray):
    return convert(x).sum()


def index(x):
    return memory[x[0]]
