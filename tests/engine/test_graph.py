"""Depth, memory, order, scopes and threads."""

from __future__ import annotations

import asyncio
import gc
import sys
import threading
import weakref
from pathlib import Path

import numpy as np
import pytest

import tinygrad_cnn as tg
from tinygrad_cnn.engine.graph import ancestors, source_line
from tinygrad_cnn.sources import is_engine


def chain(x, length: int):
    for _ in range(length):
        x = x * 1.00001
    return x


def test_an_expression_of_100_000_nodes_is_differentiated() -> None:
    assert 10 * sys.getrecursionlimit() < 100_000
    assert tg.grad(chain)(1.0, 100_000) == pytest.approx(1.00001**100_000)


def test_the_second_derivative_of_a_deep_expression() -> None:
    def f(x):
        y = x
        for _ in range(5_000):
            y = y + 1e-3 * x * x
        return y

    assert tg.grad(tg.grad(f))(0.5) == pytest.approx(10.0)


def test_a_value_used_over_and_over_costs_one_visit() -> None:
    """Walking every path would take 2^200 steps."""

    def f(x):
        for _ in range(200):
            x = (x + x) / 2
        return x

    assert tg.grad(f)(1.0) == 1.0


class Watched(np.ndarray):
    """An array that can be seen to be given back."""


def test_memory_of_a_graph_is_given_back_without_the_garbage_collector() -> None:
    seen = []

    @tg.primitive
    def watched(x, /):
        out = x.view(Watched)
        seen.append(weakref.ref(out))
        return out

    watched.defvjp(lambda g, out, x: g * 1.0)
    gc.disable()
    try:
        loss = np.sum(watched(tg.Tensor(np.ones(3))) ** 2)
        loss.backward()
        assert seen[0]() is not None
        del loss
        assert seen[0]() is None
        tg.value_and_grad(lambda x: np.sum(watched(x) ** 2))(np.ones(3))
        tg.grad(lambda x: np.sum(tg.grad(lambda x: np.sum(watched(x) ** 3))(x)))(np.ones(3))
        assert [ref() for ref in seen] == [None, None, None]
    finally:
        gc.enable()


def test_a_deep_graph_is_given_back_without_recursion() -> None:
    deep = chain(tg.Tensor(1.0), 300_000)
    del deep


def test_ancestors_stand_in_the_order_of_their_making() -> None:
    x = tg.Tensor(1.0)
    y = np.exp(x) * x
    nodes, outside = ancestors([y.node])
    assert [node.primitive and node.primitive.__name__ for node in nodes] == [None, "exp", "multiply"]
    assert not outside


def test_a_node_knows_its_scope_and_the_line_that_asked_for_it() -> None:
    with tg.scope("outer"), tg.scope("inner"):
        y = np.tanh(tg.Tensor(0.5))
    assert y.node.scope.path() == ("outer", "inner")
    where = source_line(y.node)
    assert f"{__file__}:" in where
    assert where.endswith("in test_a_node_knows_its_scope_and_the_line_that_asked_for_it")


def test_a_node_of_a_composite_is_traced_to_the_line_of_its_user() -> None:
    y = tg.conv2d(np.ones((1, 4, 4)), tg.Tensor(np.ones((3, 3))))
    nodes, _ = ancestors([y.node])
    assert {source_line(node).split(":")[0] for node in nodes} == {__file__}
    assert {node.scope.name for node in nodes if node.primitive} == {"conv2d"}


def test_a_node_is_never_traced_to_a_line_of_the_package() -> None:
    w = tg.Tensor([1.0, 2.0], "w")
    made = {
        "a function of NumPy over a tree": tg.tree.map(np.exp, {"w": w})["w"],
        "a step of an optimiser": tg.Momentum(0.1).step([w], [w * 2])[0],
        "a function of each leaf": tg.checkpoint(np.tanh)(w),
        "a derivative": tg.vjp(lambda x: x * w, np.ones(2))[0],
    }
    for what, y in made.items():
        assert source_line(y.node).split(":")[0] == __file__, what


def test_every_module_is_the_engines_own_but_those_that_use_it_as_anybody_might() -> None:
    package = Path(tg.__file__).parent
    modules = [path.relative_to(package) for path in package.rglob("*.py")]
    assert Path("engine/sweep.py") in modules
    users = {path.parts[0] for path in modules if not is_engine[str(package / path)]}
    assert users == {"circle_square", "cli", "__main__.py"}
    assert not is_engine[__file__]
    assert not is_engine[str(package) + "_of_a_user.py"]


def test_two_calls_of_a_scoped_function_are_two_scopes() -> None:
    x = tg.Tensor(np.ones((2, 3)))
    a, b = tg.linear(x, np.ones((1, 3))), tg.linear(x, np.ones((1, 3)))
    assert a.node.scope is not b.node.scope


def test_without_recording_results_are_plain_arrays() -> None:
    x = tg.Tensor([1.0, 2.0])
    with tg.no_grad():
        assert type(np.exp(x) + x) is np.ndarray
    assert isinstance(np.exp(x) + x, tg.Tensor)


def test_without_recording_a_tensor_turns_into_an_array_for_there_is_no_gradient_to_lose() -> None:
    t, array, like = tg.Tensor([1.0, 2.0]), np.zeros(2), tg.Tensor([0.0, 0.0])
    with tg.no_grad():
        seen = np.asarray(t)
        array[:] = t
        np.copyto(like, t)
        np.put(array, [0], t[:1] * 5.0)
        np.add.at(array, [1, 1], t)
        assert np.ones(2).dot(t) == 3.0
    np.testing.assert_array_equal(array, [5, 5])
    np.testing.assert_array_equal(like.value, [1, 2])
    with pytest.raises(ValueError, match="read-only"):
        seen[0] = 9.0


def test_recording_is_switched_off_for_one_thread_alone() -> None:
    x, kinds = tg.Tensor(1.0), []
    with tg.no_grad():
        thread = threading.Thread(target=lambda: kinds.append(type(x * 2.0)))
        thread.start()
        thread.join()
    assert kinds == [tg.Tensor]


def test_recording_is_switched_off_for_one_task_alone() -> None:
    x, kinds = tg.Tensor(1.0), []

    async def off() -> None:
        with tg.no_grad():
            await asyncio.sleep(0.01)
            kinds.append(type(x * 2.0))

    async def on() -> None:
        await asyncio.sleep(0.005)
        kinds.append(type(x * 2.0))

    async def both() -> None:
        await asyncio.gather(off(), on())

    asyncio.run(both())
    assert kinds == [tg.Tensor, np.float64]


def test_gradients_are_right_when_threads_take_them_at_once() -> None:
    found = {}

    def work(k: int) -> None:
        found[k] = [float(tg.grad(lambda x: x ** float(k))(2.0)) for _ in range(50)]

    threads = [threading.Thread(target=work, args=(k,)) for k in range(2, 8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {k: [k * 2.0 ** (k - 1)] * 50 for k in range(2, 8)}
