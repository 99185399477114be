"""A compiled function never answers with the program of what it closed over, or was given, before."""

from __future__ import annotations

import collections
import functools
import types
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinygrad_cnn as tg

X = np.array([1.0, 2.0])
settings: dict[str, float] = {"rate": 2.0}
other_module = types.ModuleType("other_module")
other_module.rate = 2.0  # type: ignore[attr-defined]


class Config:
    rate = 2.0


class Slotted:
    __slots__ = ("rate",)


class Layer:
    scale = 2.0

    def __init__(self) -> None:
        self.W = np.array([3.0, 4.0])
        self.layers = [2.0]

    def __call__(self, x):
        return x * self.W * sum(self.layers) * self.scale * settings["rate"]

    @property
    def factor(self):
        return settings["rate"]


def of_a_list():
    held = [1.0, 2.0]
    return lambda x: x * sum(held), lambda: held.append(3.0)


def of_a_shorter_list():
    held = [1.0, 2.0]
    return lambda x: x * sum(held), held.pop


def of_a_set():
    held = {1.0, 2.0}
    return lambda x: x * sum(held), lambda: held.add(3.0)


def of_a_deque():
    held = collections.deque([1.0, 2.0])
    return lambda x: x * sum(held), lambda: held.append(3.0)


def of_a_dict():
    held = {"a": 1.0}
    return lambda x: x * sum(held.values()), lambda: held.update(b=3.0)


def of_the_order_of_a_dict():
    held = {"a": 1.0, "b": 2.0}
    return lambda x: x * next(iter(held.values())), lambda: held.update(a=held.pop("a"))


def of_a_global():
    return lambda x: x * settings["rate"], lambda: globals().update(settings={"rate": settings["rate"] + 1})


def of_none():
    bias = None

    def add(x):
        return x if bias is None else x + bias

    def change():
        nonlocal bias
        bias = np.ones(2)

    return add, change


def of_a_module():
    return lambda x: x * other_module.rate, lambda: setattr(other_module, "rate", other_module.rate + 1)


def of_a_class():
    return lambda x: x * Config.rate, lambda: setattr(Config, "rate", Config.rate + 1)


def of_a_slot():
    item = Slotted()
    item.rate = 2.0
    return lambda x: x * item.rate, lambda: setattr(item, "rate", 3.0)


def of_a_slot_without_a_value():
    item = Slotted()
    return lambda x: x * getattr(item, "rate", 2.0), lambda: setattr(item, "rate", 3.0)


def of_an_objects_class():
    return Layer(), lambda: setattr(Layer, "scale", Layer.scale + 1)


def of_what_a_method_reads():
    return Layer(), of_a_global()[1]


def of_what_a_property_reads():
    layer = Layer()
    return lambda x: x * layer.factor, of_a_global()[1]


def of_an_objects_list():
    layer = Layer()
    return layer, lambda: layer.layers.append(1.0)


def of_a_new_attribute():
    layer = Layer()
    return layer, lambda: setattr(layer, "scale", 5.0)


def of_a_bound_method():
    layer = Layer()
    return layer.__call__, lambda: setattr(layer, "W", X)


def of_a_partial():
    held = {"rate": 2.0}
    return functools.partial(lambda held, x: x * held["rate"], held), lambda: held.update(rate=3.0)


def of_a_default():
    def scaled(x, by=[2.0]):
        return x * sum(by)

    return scaled, lambda: scaled.__defaults__[0].append(1.0)


def of_a_functions_attribute():
    def scaled(x):
        return x * scaled.rate

    scaled.rate = 2.0
    return scaled, lambda: setattr(scaled, "rate", 3.0)


def of_an_array_that_could_not_be_written_to():
    held = np.ones(2)
    held.flags.writeable = False

    def change():
        held.flags.writeable = True
        held[:] = 5

    return lambda x: x * np.exp(held), change


def of_a_compiled_function():
    held = [2.0]
    inner = tg.compile(lambda x: x * sum(held))
    return lambda x: inner(x) + 1, lambda: held.append(1.0)


CASES = [value for name, value in list(globals().items()) if name.startswith("of_")]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_what_changed_outside_is_a_new_program(case: Callable[[], tuple[Any, Callable[[], Any]]]) -> None:
    function, change = case()
    step = tg.compile(function, backend="numpy")
    before = function(X)
    np.testing.assert_array_equal(step(X), before)
    change()
    assert not np.array_equal(function(X), before)
    np.testing.assert_array_equal(step(X), function(X))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_what_did_not_change_is_no_new_program(case: Callable[[], tuple[Any, Callable[[], Any]]]) -> None:
    function, _ = case()
    step = tg.compile(function, backend="numpy")
    step(X)
    programs = next(
        cell.cell_contents for cell in step.__closure__ if isinstance(cell.cell_contents, collections.OrderedDict)
    )
    made = list(programs.values())
    step(X)
    assert list(programs.values()) == made


def test_an_object_that_is_an_argument_is_looked_into() -> None:
    step = tg.compile(lambda layer, x: layer(x), backend="numpy")
    one, two = Layer(), Layer()
    two.W = np.array([5.0, 6.0])
    for layer in (one, two, one):
        np.testing.assert_array_equal(step(layer, X), layer(X))
    one.W = np.array([7.0, 8.0])
    one.layers.append(4.0)
    for layer in (one, two):
        np.testing.assert_array_equal(step(layer, X), layer(X))


def test_a_function_that_is_an_argument_is_looked_into() -> None:
    rates = [2.0]
    step = tg.compile(lambda function, x: function(x), backend="numpy")

    def scaled(x):
        return x * sum(rates)

    np.testing.assert_array_equal(step(scaled, X), X * 2)
    rates.append(1.0)
    np.testing.assert_array_equal(step(scaled, X), X * 3)
    np.testing.assert_array_equal(step(np.sin, X), np.sin(X))


def test_an_attribute_is_no_global_of_that_name() -> None:
    runs = []
    space: dict[str, Any] = {"runs": (), "ran": lambda: runs.append(1), "T": 1.0}
    exec("def f(x):\n    ran()\n    return x.T", space)
    step = tg.compile(space["f"], backend="numpy")
    step(X)
    known = len(runs)
    space["T"] = 2.0
    step(X)
    assert len(runs) == known
