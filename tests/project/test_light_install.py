"""With NumPy alone: what works, and what is said of what does not. Slow: in a virtual environment with NumPy alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
import venv
from collections.abc import Callable
from pathlib import Path

import pytest
from paths import ROOT

pytestmark = pytest.mark.slow

EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
BEYOND_NUMPY = (
    "PIL", "click", "cv2", "graphviz", "jinja2", "matplotlib", "pygraphviz", "rich", "safetensors", "scipy", "textual",
    "watchfiles",
)  # fmt: skip

Python = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def without_the_rest(tmp_path_factory: pytest.TempPathFactory) -> Python:
    """This Python, to which all packages beyond NumPy are as if they were not installed."""
    folder = tmp_path_factory.mktemp("without")
    (folder / "sitecustomize.py").write_text(f"import sys; sys.modules.update(dict.fromkeys({BEYOND_NUMPY}))\n")
    return lambda *args, cwd=None: python_of(sys.executable, *args, cwd=cwd, path=[folder, ROOT])


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Python:
    """The Python of a virtual environment in which `pip install` has put this package, and what it depends on."""
    folder = tmp_path_factory.mktemp("alone")
    venv.create(folder, with_pip=True)
    python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    subprocess.run([python, "-m", "pip", "install", "-q", str(ROOT)], check=True, cwd=folder)
    return lambda *args, cwd=folder: python_of(python, *args, cwd=cwd)


def python_of(
    program: object, *args: str, cwd: Path | None = None, path: list[Path] | None = None
) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, path or [])), "PATH": "/usr/bin:/bin"}
    return subprocess.run([str(program), *args], capture_output=True, text=True, check=False, cwd=cwd, env=env)


@pytest.fixture(params=["without_the_rest", "alone"])
def python(request: pytest.FixtureRequest) -> Python:
    """A Python with NumPy alone."""
    return request.getfixturevalue(request.param)


MODEL = """
import numpy as np
import tinygrad_cnn as tg

def loss(p, x):
    h = tg.max_pool2d(tg.relu(tg.conv2d(x, p["Wc"], padding=1)), 2)
    return np.sum(np.tanh(h.reshape(len(x), -1) @ p["Wf"]))

p, x = {"Wc": np.eye(3), "Wf": np.ones(4)}, np.arange(32.0).reshape(2, 4, 4) / 32
t = loss({name: tg.Tensor(w, name) for name, w in p.items()}, x)
"""

WORKS = """
gradient = tg.grad(loss)(p, x)
step = 1e-6 * np.eye(3)[0]
slope = (loss({**p, "Wc": p["Wc"] + step}, x) - loss({**p, "Wc": p["Wc"] - step}, x)) / 2e-6
assert abs(slope - np.sum(gradient["Wc"][:, 0])) < 1e-7
assert tg.Adam(0.1).step(p, gradient)["Wf"].shape == (4,)
tg.check.gradients(lambda p: loss(p, x), p).raise_if_wrong()
fitted = tg.train.fit(p, lambda p, x, y: loss(p, x), (x, x), tg.Adam(0.1), epochs=2, compiled=False)
assert len(fitted.history["loss"]) == 2
for ending in ("dot", "json", "mmd", "txt"):
    tg.render(t, "graph." + ending, backward=True, values="thumbnails")
print(tg.graph(t))
"""


def test_it_differentiates_and_writes_a_graph(python: Python, tmp_path: Path) -> None:
    done = python("-W", "error", "-c", MODEL + WORKS, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "max_pool2d(" in done.stdout
    assert "of 2 parameters" in (tmp_path / "graph.txt").read_text()
    assert (tmp_path / "graph.dot").read_text().startswith("digraph")
    assert (tmp_path / "graph.mmd").read_text().startswith("flowchart")
    assert json.loads((tmp_path / "graph.json").read_text())["format"] == "tinygrad_cnn graph"


@pytest.mark.parametrize(
    ("code", "extra"),
    [
        ("tg.render(t, 'graph.svg')", "render"),
        ("tg.render(t, 'graph.png')", "render"),
        ("tg.render(t, 'graph.html')", "render"),
        ("print(tg.check.gradients(lambda p: loss(p, x), p))", "check"),
        ("tg.check.gradients(lambda p: loss(p, x), p).to_html('check.html')", "check"),
        ("tg.check.gradients(lambda p: loss(p, x), p, progress=True)", "check"),
        ("tg.save('p.safetensors', p)", "train"),
        ("tg.train.fit(p, lambda p, x, y: loss(p, x), (x, x), tg.SGD(0.1), epochs=1, progress=True)", "train"),
        ("tg.train.fit(p, lambda p, x, y: 1 / 0, (x, x), tg.SGD(0.1), epochs=1, checkpoints='run')", "train"),
        ("import tinygrad_cnn.circle_square.data", "cnn"),
        ("import tinygrad_cnn.circle_square.figures", "cnn"),
        ("import tinygrad_cnn.circle_square.runs", "cnn"),
        ("import tinygrad_cnn.circle_square.report", "cnn"),
    ],
)
def test_what_is_missing_is_named_with_the_extra_that_has_it(
    without_the_rest: Python, code: str, extra: str, tmp_path: Path
) -> None:
    done = without_the_rest("-c", f"{MODEL}\n{code}", cwd=tmp_path)
    assert done.returncode == 1
    assert f"pip install 'tinygrad-cnn[{extra}]'" in done.stderr.splitlines()[-1]


@pytest.mark.parametrize("args", [[], ["train"], ["--version"]])
def test_the_command_says_in_one_line_what_it_needs(python: Python, args: list[str]) -> None:
    done = python("-m", "tinygrad_cnn", *args)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "tinygrad-cnn: the command needs click, which is not installed. Run pip install 'tinygrad-cnn[cnn]'\n"
    )


def test_an_install_brings_numpy_and_nothing_else(alone: Python) -> None:
    found = json.loads(alone("-m", "pip", "list", "--format=json", "--disable-pip-version-check").stdout)
    assert {package["name"].replace("_", "-") for package in found} - {"pip", "setuptools"} == {"numpy", "tinygrad-cnn"}


def test_the_command_runs_as_a_module() -> None:
    done = python_of(sys.executable, "-m", "tinygrad_cnn", "--help", path=[ROOT])
    assert done.returncode == 0
    assert "train" in done.stdout


def test_each_extra_has_all_that_is_imported() -> None:
    packages = {
        "PIL": "pillow", "click": "click", "cv2": "opencv-python-headless", "graphviz": "graphviz", "jinja2": "jinja2",
        "matplotlib": "matplotlib", "pygraphviz": "pygraphviz", "rich": "rich", "safetensors": "safetensors",
        "scipy": "scipy", "textual": "textual", "watchfiles": "watchfiles",
    }  # fmt: skip
    have = {name: {word.split(">=")[0].strip() for word in words} for name, words in EXTRAS.items()}
    everything = have["render"] | have["check"] | have["train"] | have["cnn"] | have["learn"] | have["scipy"]
    extras = {"tinygrad-cnn[render,check,train]", "tinygrad-cnn[check]"}
    assert {packages[name] for name in BEYOND_NUMPY} == everything - extras
    assert have["all"] == {"tinygrad-cnn[render,check,train,cnn,learn,scipy]"}


def test_the_plugin_of_pytest_imports_nothing_until_it_is_used(tmp_path: Path) -> None:
    (tmp_path / "test_one.py").write_text(
        "import sys\n"
        "def test_none():\n    assert not {'numpy', 'tinygrad_cnn'} & set(sys.modules)\n"
        "def test_used(check_gradients):\n"
        "    assert 'tinygrad_cnn.check' in sys.modules\n"
        "    assert check_gradients(lambda x: x * x, 3.0).ok\n"
    )
    args = ("-m", "pytest", "-q", "-p", "pytest_tinygrad_cnn", "-c", os.devnull, "--rootdir", str(tmp_path))
    env = {**os.environ, "PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = subprocess.run(
        [sys.executable, *args, str(tmp_path)], capture_output=True, text=True, check=False, env=env, cwd=tmp_path
    )
    assert "2 passed" in done.stdout, done.stdout


def test_a_command_of_an_extra_that_is_not_installed_says_so_and_the_others_are_listed(
    without_the_rest: Python,
) -> None:
    code = "import sys, click; sys.argv = ['tinygrad-cnn', *{args!r}]\nfrom tinygrad_cnn.cli import main\nmain()\n"
    done = without_the_rest(
        "-c", "import sys; del sys.modules['click'], sys.modules['rich']\n" + code.format(args=["train"])
    )
    assert done.returncode == 2
    assert done.stderr.startswith("tinygrad-cnn: a drawing needs ")
    assert done.stderr.count("\n") == 1
    listed = without_the_rest(
        "-c", "import sys; del sys.modules['click'], sys.modules['rich']\n" + code.format(args=["--help"])
    )
    assert listed.returncode == 0
    assert "Needs pip install 'tinygrad-cnn[cnn]'." in " ".join(listed.stdout.split())
