"""Printed programs: what they look like, that they stand alone, and that they are what they were made of."""

from __future__ import annotations

import ast
import html
import importlib.util
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from lowering.comparing import assert_same, leaves, printed
from paths import ROOT

import tinygrad_cnn as tg
from tinygrad_cnn.circle_square.hand_derived import hand_derived
from tinygrad_cnn.lowering.numpy_source.expressions import NotPrintableError
from tinygrad_cnn.lowering.numpy_source.statements import write

RNG = np.random.default_rng(0)


def documented() -> ModuleType:
    """docs/programs.py, which has the models of the page."""
    spec = importlib.util.spec_from_file_location("programs", ROOT / "docs" / "programs.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


DOCS = documented()
MODELS, program_of = DOCS.MODELS, DOCS.program_of


# More models, which are not in the documentation.


def lstm(p, xs):
    h, c = np.zeros((8, 5)), np.zeros((8, 5))
    for t in range(len(xs)):
        z = np.concatenate([xs[t], h], axis=1) @ p["W"] + p["b"]
        i, f, o, g = np.split(z, 4, axis=1)
        c = tg.sigmoid(f) * c + tg.sigmoid(i) * np.tanh(g)
        h = tg.sigmoid(o) * np.tanh(c)
    return np.mean(h**2)


def attention(p, x, y):
    q, k, v = x @ p["Wq"], x @ p["Wk"], x @ p["Wv"]
    scores = q @ np.swapaxes(k, -1, -2) / np.sqrt(q.shape[-1])
    weights = np.exp(scores - np.logaddexp.reduce(scores, axis=-1, keepdims=True))
    logits = np.mean(weights @ v, axis=1) @ p["Wo"]
    return np.mean(np.logaddexp.reduce(logits, axis=1) - np.sum(logits * y, axis=1))


def gaussian_process(p, x, y):
    d = x[:, None] - x[None, :]
    K = np.exp(p["scale"][0] - 0.5 * d**2 / np.exp(p["scale"][1])) + np.exp(p["scale"][2]) * np.eye(len(x))
    L = np.linalg.cholesky(K)
    return 0.5 * np.sum(np.linalg.solve(L, y) ** 2) + np.sum(np.log(np.diag(L)))


def runge_kutta(p, y):
    def f(y):
        return np.stack([y[1], -p["k"][0] * np.sin(y[0]) - p["k"][1] * y[1]])

    for _ in range(10):
        k1 = f(y)
        k2 = f(y + 0.05 * k1)
        k3 = f(y + 0.05 * k2)
        k4 = f(y + 0.1 * k3)
        y = y + 0.1 / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    return np.sum(y**2)


def embedding(p, i, y):
    h = np.mean(np.maximum(p["E"][i], 0), axis=1)
    return np.mean((np.sum(h * p["w"], axis=1) - y) ** 2)


def _model(loss, names, shapes, data, lines):
    return DOCS.Model(loss.__name__, loss, DOCS.named(names, *shapes), data(), data(), lines)


MORE = {
    "lstm": _model(lstm, "W b", ((9, 20), 20), lambda: (RNG.normal(size=(6, 8, 4)),), 70),
    "attention": _model(
        attention, "Wq Wk Wv Wo", ((4, 3), (4, 3), (4, 3), (3, 2)),
        lambda: (RNG.normal(size=(8, 5, 4)), np.eye(2)[RNG.integers(0, 2, 8)]), 60,
    ),
    "gaussian process": _model(
        gaussian_process, "scale", (3,), lambda: (RNG.normal(size=7), RNG.normal(size=7)), 60
    ),
    "runge-kutta": _model(runge_kutta, "k", (2,), lambda: (RNG.normal(size=2),), 100),
    "embedding": _model(
        embedding, "E w", ((6, 3), 3), lambda: (RNG.integers(0, 6, (5, 2)), RNG.normal(size=5)), 40
    ),
}  # fmt: skip
ALL = MODELS | MORE
each_model = pytest.mark.parametrize("model", ALL.values(), ids=list(ALL))


def test_the_page_has_these_programs() -> None:
    assert DOCS.PAGE.read_text(encoding="utf-8") == DOCS.page()
    assert DOCS.KOREAN.read_text(encoding="utf-8") == DOCS.korean_page()


@each_model
def test_it_computes_what_the_program_and_the_engine_compute(model) -> None:
    """Without the passes for print, what the program computes to the last bit; else, and the engine's, to rounding."""
    program, arguments = program_of(model), (model.parameters, *model.other)
    expected = leaves(program(*arguments))
    as_it_is: dict[str, Any] = {}
    exec(write(program.listing, "step"), as_it_is)
    for a, b in zip(leaves(as_it_is["step"](*arguments)), expected, strict=True):
        np.testing.assert_array_equal(a, b, strict=isinstance(b, np.ndarray))
    assert_same(leaves(printed(program.listing)(*arguments)), expected, "printed")
    assert_same(expected, leaves(tg.value_and_grad(model.loss)(*arguments)), "the engine")


@each_model
def test_it_is_short(model) -> None:
    lines = str(program_of(model)).strip().splitlines()
    assert len(lines) <= model.lines
    assert all(len(line) < 100 for line in lines)


@each_model
def test_it_passes_ruff(model, tmp_path) -> None:
    pytest.importorskip("ruff")
    program_of(model).save(tmp_path / "step.py")
    command = [sys.executable, "-m", "ruff", "check", "--isolated", "--line-length=99", "--select=E,F,W,I", "step.py"]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout


@each_model
def test_the_hand_derived_gradient_that_it_is_agrees_in_the_cross_check(model) -> None:
    step = printed(program_of(model).listing)
    report = tg.check.gradients(
        lambda p: model.loss(p, *model.data),
        model.parameters,
        lambda p: step(p, *model.data)[1],
        evaluations=200,
    )
    assert report.ok, report


def test_a_saved_program_runs_where_there_is_only_numpy(tmp_path) -> None:
    """Also each of its results is what the engine's was; the process would notice another import."""
    for name, model in ALL.items():
        folder = tmp_path / name
        folder.mkdir()
        program_of(model).save(folder / "step.py")
        inputs = tg.tree.flatten((model.parameters, *model.other)).leaves
        np.savez(folder / "inputs.npz", *inputs)
        names = model.parameters if isinstance(model.parameters, dict) else vars(model.parameters)
        (folder / "names").write_text(" ".join(names), encoding="utf-8")
        flat = leaves(tg.value_and_grad(model.loss)(model.parameters, *model.other))
        np.savez(folder / "expected.npz", *flat)
    script = """
import builtins, pathlib, sys, types
import numpy as np
before = set(sys.modules)
for folder in sorted(p for p in pathlib.Path(".").iterdir() if p.is_dir()):
    sys.path.insert(0, str(folder))
    sys.modules.pop("step", None)
    import step
    inputs = list(np.load(folder / "inputs.npz").values())
    names = (folder / "names").read_text(encoding="utf-8").split()
    p = dict(zip(names, inputs))
    if folder.name == "article":
        p = types.SimpleNamespace(**p)
    value, gradient = step.step(p, *inputs[len(names):])
    found = [value, *(gradient if isinstance(gradient, dict) else vars(gradient)).values()]
    for a, b in zip(found, np.load(folder / "expected.npz").values()):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-13)
    sys.path.pop(0)
assert not any(name.startswith("tinygrad") for name in sys.modules), sys.modules
"""
    result = subprocess.run(
        [sys.executable, "-I", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr


def test_the_articles_program_has_the_steps_of_the_hand_derived_gradient() -> None:
    """Each cotangent that the article derives has a line of its own, under its name."""
    model = MODELS["article"]
    source = str(program_of(model))
    for name in ("dL_dfc", "dL_dWf", "dL_dBf", "dL_dflatten", "dL_drelu", "dL_dconv", "dL_dWc", "dL_dBc"):
        assert len(re.findall(rf"^    {name} = ", source, re.MULTILINE)) == 1
    _, gradient = printed(program_of(model).listing)(model.parameters, *model.data)
    expected = hand_derived(*model.data, model.parameters)
    for name in ("Wc", "Bc", "Wf", "Bf"):
        np.testing.assert_allclose(getattr(gradient, name), getattr(expected, f"dL_d{name}"), rtol=1e-9)


def test_cotangents_are_called_after_the_variable_that_the_value_has() -> None:
    def loss(h, x):
        h = np.tanh(h * x)
        h = np.sin(h) * x
        return np.sum(h * h)

    source = tg.program(tg.grad(loss))(np.ones(3), np.ones(3)).source()
    names = re.findall(r"^    (\w+) = ", source, re.MULTILINE)
    assert names == ["h_2", "h_3", "dL_dh_3", "dL_dh_2", "dL_dh"]


def test_each_line_says_where_it_is_from() -> None:
    source = program_of(MODELS["article"]).source(lines=True)
    (line,) = [line for line in source.splitlines() if line.startswith("    fc = ")]
    assert re.search(r"# \(1, 24\) model\.py:\d+$", line)


def test_only_the_helpers_that_are_used_are_there_each_with_a_docstring() -> None:
    tree = ast.parse(str(program_of(MODELS["cnn"])))
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    called = {node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
    assert all(ast.get_docstring(function) for function in functions)
    assert {function.name for function in functions} - {"step"} <= called


@each_model
def test_a_notebook_shows_every_character_of_it(model) -> None:
    program = program_of(model)
    shown = re.sub(r"</?(?:pre|span)[^>]*>", "", program._repr_html_())
    assert html.unescape(shown).rstrip("\n") == program.source().rstrip("\n")
    assert '<span style="color:#8250df">return</span>' in program._repr_html_()


# A user's primitive, whose forward function cannot be traced.

SLOPE = 3


@tg.primitive(elementwise=True, opaque=True)
def soft_step(x, /, width: float = 1.0):
    return 1 / (1 + np.exp(-SLOPE * np.asarray(x) / width))


soft_step.defvjp(lambda g, out, x, width=1.0: g * SLOPE / width * out * (1 - out))


def test_an_opaque_primitive_is_printed_as_it_is_written() -> None:
    program = tg.program(tg.value_and_grad(lambda x: np.sum(soft_step(x) * soft_step(x, width=2.0))))(np.ones(3))
    source = program.source()
    assert "def soft_step(x, width=1.0):" in source
    assert "SLOPE" not in source
    other = np.array([0.5, -1.0, 2.0])
    expected = tg.value_and_grad(lambda x: np.sum(soft_step(x) * soft_step(x, width=2.0)))(other)
    assert_same(leaves(printed(program.listing)(other)), leaves(expected), "opaque")


def test_an_opaque_primitive_that_uses_more_than_numpy_cannot_be_printed_but_run() -> None:
    opaque = tg.program(lambda x: opaque_of_another_module(x) + 1)(np.ones(2))
    np.testing.assert_array_equal(opaque(np.zeros(2)), [1, 1])
    with pytest.raises(NotPrintableError, match=r"opaque_of_another_module cannot be printed.*Call the program"):
        opaque.source()


@tg.primitive(opaque=True)
def opaque_of_another_module(x, /):
    return documented and np.asarray(x) * 1


opaque_of_another_module.defvjp(lambda g, out, x: g)


# Names from outside.


@dataclass
class Layer:
    W: Any
    b: Any


def test_arguments_keep_their_structure() -> None:
    def loss(layers, rest):
        return sum(np.sum(np.sin(layer.W) * layer.b) for layer in layers) + rest["a b"][0] * rest["c"]

    layers, rest = [Layer(np.ones(2), 2.0), Layer(np.ones(3), 1.0)], {"a b": (3.0,), "c": 2.0}
    program = tg.program(tg.grad(loss))(layers, rest)
    source = program.source()
    assert "dL_dlayers_1_W = layers[1].b * np.cos(layers[1].W)  # (3,)" in source
    assert "type(layers[0])(W=dL_dlayers_0_W, b=dL_dlayers_0_b)" in source
    value = tg.program(loss)(layers, rest).source()
    assert 'rest["a b"][0] * rest["c"]' in value
    found = printed(tg.program(tg.grad(lambda p: np.sum(p["W"][0] * p["b"])))({"W": [np.ones(2)], "b": 1.0}).listing)
    assert_same(leaves(found({"W": [np.full(2, 3.0)], "b": 2.0})), [np.full(2, 2.0), np.float64(6.0)], "structure")


HOSTILE = [
    'a"]; import os; os.system("touch hacked") #',
    "a\nimport os\n",
    "\x1b[31m",
    '"""',
    "\\",
    "'",
    "{x}",
    "class",
    "np",
    "",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_in_a_tree_or_of_a_value_stays_a_name(name, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)

    def loss(p):
        inner = tg.named(np.sin(p[name]), name)
        return np.sum(inner * inner)

    x = np.array([0.5, 1.0])
    program = tg.program(tg.value_and_grad(loss))({name: x})
    tree = ast.parse(program.source(lines=True))
    assert {type(node) for node in tree.body} <= {ast.Import, ast.FunctionDef}
    assert [alias.name for node in tree.body if isinstance(node, ast.Import) for alias in node.names] == ["numpy"]
    _, gradient = printed(program.listing)({name: 2 * x})
    np.testing.assert_allclose(gradient[name], 2 * np.sin(2 * x) * np.cos(2 * x))
    assert list(Path(tmp_path).iterdir()) == []


def test_names_of_numpys_of_pythons_and_of_helpers_are_not_reused() -> None:
    def loss(np_, len_, sigmoid):
        len = tg.sigmoid(sigmoid * np_)
        type = len * len_
        return np.sum(type * type)

    arguments = (np.ones(2), np.ones(2), np.ones(2))
    other = (np.full(2, 0.3), np.full(2, -1.0), np.full(2, 2.0))
    step = printed(tg.program(tg.value_and_grad(loss))(*arguments).listing)
    assert_same(leaves(step(*other)), leaves(tg.value_and_grad(loss)(*other)), "names")


def test_a_constant_of_any_dtype_is_printed_to_the_last_bit() -> None:
    constants = [
        RNG.normal(size=(3, 50)),
        np.array([np.nan, np.inf, -0.0]),
        np.arange(5),
        np.array([True, False]),
        RNG.normal(size=3).astype(np.float32),
        RNG.normal(size=2) + 1j,
        np.float32(0.1),
        np.zeros((0, 2)),
    ]
    for constant in constants:
        step = printed(tg.program(lambda x, c=constant: (x * 1.0, x[0] + c))(np.ones(2)).listing)
        np.testing.assert_array_equal(step(np.ones(2))[1], np.float64(1.0) + constant, strict=True)


A, B = np.ones(2), np.ones(3)


def test_a_program_takes_keywords_and_what_is_no_array() -> None:
    program = tg.program(lambda x, mode, *, scale: np.pad(x, 1, mode=mode) * scale)(np.ones(2), "edge", scale=2.0)
    np.testing.assert_array_equal(program(np.array([3.0, 4.0]), mode="edge", scale=5.0), [15, 15, 20, 20])


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (([A, A], 1.0, "edge"), r"argument p\[0\] is float64 of shape \(2,\); expected float64 of shape \(3,\)"),
        (([B, A], 1.0, "edge"), r"argument p\[1\] is float64 of shape \(2,\); expected float64 of shape \(\)"),
        (([B.astype(int), 1.0], 1.0, "edge"), "is int64 of shape"),
        (([B, 1.0], 1, "edge"), "argument s is int64"),
        (([B, 1.0], 1.0, "wrap"), "argument mode is 'wrap'; expected 'edge'"),
        (((B, 1.0), 1.0, "edge"), "expected the tree structure of its arguments"),
        (([B], 1.0, "edge"), r"has the leaves \['p\[0\]', 's', 'mode'\]"),
    ],
)
def test_a_program_refuses_arguments_that_it_is_not_for(given, message) -> None:
    program = tg.program(lambda p, s, mode: np.pad(p[0] * p[1] * s, 1, mode=mode))([B, 2.0], 3.0, "edge")
    with pytest.raises(ValueError, match=f"program: .*{message}"):
        program(*given)


@pytest.mark.parametrize(
    ("function", "imports"),
    [(lambda x: x * 2, False), (lambda x: np.sin(x), True), (lambda x: tg.relu(x), True), (lambda x: x, True)],
)
def test_numpy_is_imported_where_it_is_used(function, imports) -> None:
    program = tg.program(function)(B)
    assert ("import numpy as np" in program.source()) == imports
    space: dict = {}
    exec(program.source(), space)
    np.testing.assert_array_equal(space["step"](B), function(B))
