"""`tinygrad-cnn export`: what it writes runs elsewhere, and gives what the run's own model gives."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from commands import command_in
from lowering.onnx_graph.in_onnxruntime import session

import tinygrad_cnn as tg
from tinygrad_cnn import nn
from tinygrad_cnn.circle_square import data, gradient_program, model, weights
from tinygrad_cnn.circle_square.tasks import TASKS
from tinygrad_cnn.lowering.targets import TARGETS
from tinygrad_cnn.recipes import cnn

pytestmark = [pytest.mark.cli, pytest.mark.slow]
ROOT = Path(__file__).parents[2]


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd):
    """Run the command in an empty folder; gives (exit code, standard output, standard error)."""
    monkeypatch.setenv("COLUMNS", "200")
    with command_in(tmp_path, monkeypatch, capfd) as run:
        yield run


@pytest.fixture(scope="module")
def a_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of the article's recipe."""
    folder = tmp_path_factory.mktemp("trained") / "run"
    command = [sys.executable, "-m", "tinygrad_cnn", "train", "--epochs", "2", "--quiet", "--out", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    return folder


@pytest.fixture
def trained(a_run: Path, tmp_path: Path) -> Path:
    """A copy of it in the folder in which the command is run."""
    return Path(shutil.copytree(a_run, tmp_path / "run"))


@pytest.fixture
def recipe_run(tmp_path: Path) -> tuple[Path, nn.Sequential]:
    """The weights of a run of the recipe cnn, which has not been trained."""
    made = tg.tree.map(lambda x: x.astype(np.float32), cnn.network(3))
    about = {
        "model": "tinygrad_cnn recipes",
        "recipe": "cnn",
        "classes": ["a", "b", "c"],
        "trained_on": np.zeros(0, int),
    }
    (tmp_path / "other").mkdir()
    tg.save(tmp_path / "other" / "weights.safetensors", about | {"network": made})
    return tmp_path / "other", made


def needs_onnx() -> None:
    pytest.importorskip("onnx", reason="the extra onnx is not installed")
    pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")


def drawings() -> tuple[np.ndarray, np.ndarray]:
    test = data.bundled(TASKS["circle-square"]).test
    return data.Scaling()(test.grey), test.y


def test_the_graph_of_the_articles_model_predicts_and_differentiates(command, trained: Path, tmp_path: Path) -> None:
    needs_onnx()
    x, y = drawings()
    p = weights.read_weights(trained).parameters
    assert command("export", "run", "--out", "model.onnx") == (0, "Wrote model.onnx\n", "")
    graph = session((tmp_path / "model.onnx").read_bytes())
    assert [(i.name, i.shape) for i in graph.get_inputs()] == [("x", ["batch", 28, 28])]
    assert "circle, square" in graph.get_modelmeta().description
    (found,) = graph.run(None, {"x": x})
    np.testing.assert_allclose(found[:, 1], model.forward(x, p).sigma[0], rtol=1e-10)
    np.testing.assert_allclose(found.sum(axis=1), 1)

    assert command("export", "run", "--gradient", "--out", "step.onnx") == (0, "Wrote step.onnx\n", "")
    step = session((tmp_path / "step.onnx").read_bytes())
    assert [i.name for i in step.get_overridable_initializers()] == ["p.Wc", "p.Bc", "p.Wf", "p.Bf"]
    value, *gradients = step.run(["loss", "dL_dWc", "dL_dBc", "dL_dWf", "dL_dBf"], {"x": x, "y": y})
    expected, gradient = tg.value_and_grad(gradient_program.loss)(p, x, y)
    np.testing.assert_allclose(value, expected, rtol=1e-10)
    for a, b in zip(gradients, tg.tree.flatten(gradient).leaves, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-8, atol=1e-10 * np.max(np.abs(b)))


def test_a_network_of_a_recipe_is_exported(command, recipe_run, tmp_path: Path) -> None:
    needs_onnx()
    folder, network = recipe_run
    x = np.random.default_rng(0).random((2, 1, 28, 28)).astype(np.float32)
    assert command("export", folder, "--out", "model.onnx")[0] == 0
    assert command("export", folder, "--gradient", "--batch", 2, "--out", "step.onnx")[0] == 0
    (found,) = session((tmp_path / "model.onnx").read_bytes()).run(None, {"x": x})
    np.testing.assert_allclose(found, nn.softmax(network(x)), rtol=2e-5)
    step = session((tmp_path / "step.onnx").read_bytes())
    assert [i.shape[0] for i in step.get_inputs()] == [2, 2]


def test_a_module_of_numpy_is_exported(command, trained: Path, tmp_path: Path) -> None:
    x, y = drawings()
    p = weights.read_weights(trained).parameters
    assert command("export", "run", "--batch", len(x), "--out", "predict.py") == (0, "Wrote predict.py\n", "")
    space: dict = {}
    exec((tmp_path / "predict.py").read_text(), space)
    np.testing.assert_allclose(space["predict"](x)[:, 1], model.forward(x, p).sigma[0], rtol=1e-12)
    assert command("export", "run", "--gradient", "--batch", len(x), "--out", "step.txt", "--to", "numpy")[0] == 0
    exec((tmp_path / "step.txt").read_text(), space)
    value, _ = space["step"](p, x, y)
    np.testing.assert_allclose(value, gradient_program.loss(p, x, y), rtol=1e-12)


@pytest.mark.parametrize("target", [name for name in TARGETS if name != "onnx"])
def test_every_target_can_be_asked_for(command, trained: Path, tmp_path: Path, target: str) -> None:
    code, out, err = command("export", "run", "--to", target, "--dtype", "float32", "--out", "written")
    assert (code, out, err) == (0, "Wrote written\n", "")
    assert (tmp_path / "written").stat().st_size > 1000


def test_a_page_is_exported_and_is_that_of_the_command_live(command, trained: Path, tmp_path: Path) -> None:
    assert command("export", "run", "--to", "page", "--out", "exported.html") == (0, "Wrote exported.html\n", "")
    assert command("live", "run", "--out", "live.html")[0] == 0
    assert (tmp_path / "exported.html").read_text() == (tmp_path / "live.html").read_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("none", "--out", "m.onnx"), r"none: no such file; expected the folder of a run"),
        (("run", "--out", "m.txt"), r"cannot tell from 'm\.txt' what to write; expected --to, or one of \.py"),
        (("run", "--out", "m.onnx", "--to", "fortran"), r"'fortran' is not one of 'numpy'"),
        (("run", "--out", "no/such/folder/m.py"), r"no/such/folder/m\.py: cannot be written"),
        (("run", "--out", "m.py", "--batch", "0"), r"--batch"),
        (("run", "--out", "m.html", "--to", "page", "--batch", "2"), r"--batch has no effect with --to page"),
        (("run",), r"Missing option '--out'"),
    ],
)
def test_what_cannot_be_exported_is_one_line(command, trained: Path, tmp_path: Path, arguments, message: str) -> None:
    before = sorted(tmp_path.iterdir())
    code, out, err = command("export", *arguments)
    assert (code, out) == (2, "")
    assert re.fullmatch(rf"tinygrad-cnn: .*{message}.*\n", err)
    assert sorted(tmp_path.iterdir()) == before


def test_a_missing_extra_names_itself_and_writes_nothing(command, trained: Path, tmp_path: Path, monkeypatch) -> None:
    import sys

    for name in [n for n in sys.modules if n.startswith("tinygrad_cnn.lowering.onnx_graph")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "onnx", None)
    code, out, err = command("export", "run", "--out", "m.onnx")
    assert (code, out) == (2, "")
    assert "a program as ONNX needs onnx, which is not installed. Run pip install 'tinygrad-cnn[onnx]'" in err
    assert not (tmp_path / "m.onnx").exists()


def test_a_page_to_draw_on_is_exported_and_is_that_of_the_command_live(
    command, trained: Path, recipe_run, tmp_path: Path
) -> None:
    assert command("export", "run", "--to", "page", "--out", "page.html") == (0, "Wrote page.html\n", "")
    assert command("live", "run") == (0, "Wrote live.html\n", "")
    pages = [(tmp_path / name).read_text(encoding="utf-8") for name in ("page.html", "live.html")]
    assert pages[0] == pages[1]
    folder, _ = recipe_run
    assert command("export", folder, "--to", "page", "--out", "network")[0] == 0
    assert "const learn_one = " in (tmp_path / "network").read_text(encoding="utf-8")
    code, _, said = command("export", "run", "--to", "page", "--batch", "2", "--out", "page.html")
    assert (code, said) == (2, "tinygrad-cnn: --batch has no effect with --to page. Leave it out\n")
    code, _, said = command("live", "run", "--recipe", "robust")
    assert (code, said) == (
        2, "tinygrad-cnn: --recipe cannot be combined with a run, which sets it. Leave one of them out\n",
    )  # fmt: skip
