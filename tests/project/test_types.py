"""What a type checker says of a user's file: of the tour's model, of what Tensors give, and of mistakes."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from pages import blocks

pytestmark = pytest.mark.slow

TOUR = next(block for block in blocks("docs/tour.md") if "def model" in block)

# The model with the types of its parameters, as `--strict` asks for.
TYPED = {
    "def model(x, p):": "def model(x: Any, p: dict[str, Any]) -> Any:",
    "def loss(p, x, y):": "def loss(p: dict[str, Any], x: Any, y: Any) -> Any:",
}
MODEL = "from typing import Any\n\n" + "\n".join(
    TYPED.get(line.split("#")[0].rstrip(), line) for line in TOUR.splitlines()
)

RIGHT = """
from collections.abc import Callable
from typing import Any, assert_type

import numpy as np
from numpy.typing import NDArray

import tinygrad_cnn as tg

a = np.ones((2, 3))
t = tg.Tensor(a, "t")
for made in (t + 1, 1 - t, a.T @ t.T, -t, t**2, abs(t), 2.0 / t):
    print(made.shape)
assert_type(t + a, tg.Tensor)
assert_type(2 * t, tg.Tensor)
assert_type(t @ a.T, tg.Tensor)
assert_type(t[0, 1:], tg.Tensor)
assert_type(t.sum(axis=0, keepdims=True), tg.Tensor)
assert_type(t.reshape(3, -1).T.ravel(), tg.Tensor)
assert_type([row for row in t], list[tg.Tensor])
assert_type(t < 0, NDArray[np.bool_])
assert_type(t.shape, tuple[int, ...])
assert_type(t.item(), float)
assert_type(t.value, NDArray[Any])
assert_type(t.grad, NDArray[Any] | None)
t[0] = 3.0
t += a
np.sum(np.maximum(0, t) * np.exp(t)).backward()
tg.relu(tg.linear(t, a)).mean().backward()
tg.max_pool2d(tg.conv2d(t, np.ones((1, 2)), padding=(0, 1)), window=2, stride=(1, 1), ties="all")

value, gradient = tg.value_and_grad(np.linalg.norm)(a)
(value, more), (dx, dy) = tg.value_and_grad(lambda x, y: (x * y, x), argnums=(0, 1), has_aux=True)(1.0, 2.0)
second = tg.grad(tg.grad(np.tanh))(0.5)
value, pullback = tg.vjp(np.multiply, a, 2.0)
assert_type(pullback, Callable[[Any], tuple[Any, ...]])
value, tangent = tg.jvp(np.square, [a], [a])
tg.hessian(lambda p: np.sum(p["a"] ** 2), argnums=0)({"a": a})
tg.hvp(lambda x, y: np.sum(x * y), a, a, a, argnums=1)
parameters: dict[str, NDArray[np.float64]] = {"W": a, "b": a}
assert_type(tg.Adam(learning_rate=0.1).step(parameters, parameters), dict[str, NDArray[np.float64]])
with tg.no_grad(), tg.scope("head"):
    print(tg.graph(t).json(), tg.render(t, "graph.svg", backward=True).dot)


@tg.primitive
def softplus(x: Any, /) -> Any:
    return np.logaddexp(0, x)


softplus.defvjp(lambda g, out, x: g * tg.sigmoid(x))
"""

# Each line is a mistake.
WRONG = """\
tg.Tensor([1.0], nam="x")
tg.Tensor([1.0]).requires_grad
tg.Tensor([1.0]).exp()
tg.Tensor([1.0]).grad = None
tg.Tensor([1.0]).value = np.ones(1)
tg.conv2d(np.ones((1, 4, 4)))
tg.max_pool2d(np.ones((4, 4)), windw=2)
tg.grad(np.sin, argnum=0)
tg.grad(np.sin, argnums="x")
tg.grad(3.0)
tg.SGD()
tg.SGD(0.1).step({"W": 1.0})
tg.render(tg.Tensor([1.0]), thme="dark")
tg.gradient(np.sin)
"""


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("types")
    assert MODEL.count("-> Any:") == 2
    (folder / "model.py").write_text(MODEL)
    (folder / "right.py").write_text(RIGHT)
    (folder / "wrong.py").write_text(f"import numpy as np\nimport tinygrad_cnn as tg\n{WRONG}")
    return folder


def complaints(checked: str) -> dict[str, set[int]]:
    """The lines of each file that there is an error in, by the file's name."""
    found: dict[str, set[int]] = {"model.py": set(), "right.py": set(), "wrong.py": set()}
    for name, line in re.findall(r"(\w+\.py):(\d+)(?::\d+)?:? .*error", checked):
        found[name].add(int(line))
    return found


def all_is_as_it_should_be(checked: str) -> None:
    found = complaints(checked)
    assert (found["model.py"], found["right.py"]) == (set(), set()), checked
    assert found["wrong.py"] == set(range(3, 3 + len(WRONG.splitlines()))), checked


def test_mypy_passes_what_is_right_and_finds_what_is_wrong(files: Path) -> None:
    pytest.importorskip("mypy", reason="pip install '.[test]' has mypy")
    command = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(files / "cache"), "--config-file", ""]
    command += [str(path) for path in sorted(files.glob("*.py"))]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=files)
    all_is_as_it_should_be(done.stdout + done.stderr)


def test_pyright_passes_what_is_right_and_finds_what_is_wrong(files: Path) -> None:
    program = Path(sys.executable).with_name("basedpyright")
    if not program.exists():
        program = Path(shutil.which("pyright") or pytest.skip("pip install '.[test]' has basedpyright"))
    (files / "pyrightconfig.json").write_text('{"typeCheckingMode": "standard"}')
    command = [str(program), "--pythonpath", sys.executable, "--level", "error", "-p", str(files)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=files)
    all_is_as_it_should_be(done.stdout + done.stderr)
