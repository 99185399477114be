"""The list of ways in which a number leaves the graph, `docs/leaving_the_graph.md`: each does what it says there."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from paths import ROOT

import tinygrad_cnn as tg
from tinygrad_cnn import builtin_functions

PAGE = (ROOT / "docs" / "leaving_the_graph.md").read_text()


def without_record(x: Any) -> Any:
    with tg.no_grad():
        return np.float64(float(x))


def assigned_without_record(x: Any) -> Any:
    y = np.stack([x, x])
    with tg.no_grad():
        y[0] = 0.0
    return y[1]


def by_a_suspended_generator(x: Any) -> Any:
    def suspended() -> Iterator[None]:
        with tg.no_grad():
            yield

    running = suspended()
    next(running)
    result = 2.0 * x
    list(running)
    return result


def saved(x: Any) -> Any:
    file = io.BytesIO()
    np.save(file, x)
    file.seek(0)
    return np.load(file)


# What each makes of a Tensor x that holds 2.5; as a constant c, so that the gradient of x * c is c and no more.
WAYS: dict[str, tuple[Callable[[Any], Any], float]] = {
    "t.value": (lambda x: x.value, 2.5),
    "tg.stop_gradient(t)": (tg.stop_gradient, 2.5),
    "with tg.no_grad():": (without_record, 2.5),
    "a Tensor that is assigned to within becomes a constant": (assigned_without_record, 2.5),
    "t.item()": (lambda x: x.item(), 2.5),
    "t.tolist()": (lambda x: x.tolist(), 2.5),
    "str(t)": (lambda x: float(str(x)), 2.5),
    'f"{t:.3f}"': (lambda x: float(f"{x:.3f}"), 2.5),
    "np.array2string(t)": (lambda x: float(np.array2string(x)), 2.5),
    "`float(c)`, `np.asarray(c)`": (lambda x: float(np.array([2.5], like=x)[0]), 2.5),
    "in an adopted module, `int(t)`": (lambda x: float(builtin_functions.int(x)), 2.0),
    "`round(t)`": (lambda x: float(builtin_functions.round(x)), 2.0),
    "a cache whose keys are made of `t.tobytes()`": (lambda x: {np.float64(2.5).tobytes(): 2.5}[x.tobytes()], 2.5),
    "t.tobytes()": (lambda x: np.frombuffer(x.tobytes())[0], 2.5),
    "np.save(file, t)": (saved, 2.5),
    "t > 0": (lambda x: 3.0 if x > 2 else 1.0, 3.0),
    "bool(t)": (lambda x: 3.0 if bool(x) else 1.0, 3.0),
    "np.floor(t)": (np.floor, 2.0),
    "np.sign(t)": (np.sign, 1.0),
    "t.astype(int)": (lambda x: x.astype(int), 2.0),
    "a generator that is suspended within": (by_a_suspended_generator, 5.0),
}


@pytest.mark.filterwarnings("ignore::tinygrad_cnn.GradientLostWarning")
@pytest.mark.parametrize(("words", "way", "constant"), [(words, *row) for words, row in WAYS.items()], ids=WAYS)
def test_a_way_of_the_list_gives_a_constant(words: str, way: Callable[[Any], Any], constant: float) -> None:
    assert words in PAGE
    assert tg.grad(lambda x: x * way(x))(2.5) == constant


def test_shuffling_rows_in_place_is_what_numpy_warns_of() -> None:
    assert "rng.permutation(len(t))" in PAGE
    t = tg.Tensor(np.arange(6.0).reshape(3, 2))
    with pytest.warns(UserWarning, match="not a subclass of 'Sequence'"):
        np.random.default_rng(0).shuffle(t)
    rng = np.random.default_rng(0)
    shuffled = tg.Tensor(np.arange(6.0).reshape(3, 2))[rng.permutation(3)]
    assert sorted(shuffled[:, 0].value) == [0, 2, 4]


def test_every_row_of_the_list_is_run() -> None:
    rows = re.findall(r"^\| (?!way out|---)(.+?) \|", PAGE, re.MULTILINE)
    run = [*WAYS, "np.random.default_rng().shuffle(t)"]
    assert len(rows) == 13
    for row in rows:
        assert any(words in row for words in run), row
