"""The commands around recipes: what they write and print, and what they say of what they cannot use."""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

import tinygrad_cnn as tg
from tinygrad_cnn.circle_square.varied import draw_scribble
from tinygrad_cnn.recipes import CATALOGUE, runs

pytestmark = [pytest.mark.cli, pytest.mark.slow, pytest.mark.usefixtures("small")]
THREE = ("--recipe", "cnn", "--epochs", 1, "--quiet")


def test_three_classes_are_trained_reported_predicted_and_evaluated(command, drawings: Path) -> None:
    code, out, err = command(
        "train", "--recipe", "cnn", "--epochs", 2, "--classes", "circles,squares,triangles", "--data", drawings,
        "--split", "12+2",
    )  # fmt: skip
    assert (code, err) == (0, "")
    run = Path("runs/circles-squares-triangles-cnn")
    assert re.search(r"epoch  2 of 2 +loss 1\.\d+ +drawings right: +\d+\.\d% +test", out)
    assert re.search(r"Test: \d of 6 right, .* \(95 % interval", out)
    assert not Path("runs/circles-squares-triangles-cnn.checkpoints").exists()
    metrics = json.loads((run / "metrics.json").read_text())
    assert (metrics["classes"], metrics["epochs_run"]) == (["circles", "squares", "triangles"], 2)
    assert metrics["data"] == {"source": f"{drawings} (split 12+2, seed 0)", "train": 36, "test": 6}
    assert np.sum(metrics["test"]["confusion"]) == 6
    page = (run / "report.html").read_text()
    names = sorted(path.stem for path in run.glob("*.png"))
    assert len(names) == 12
    assert page.count("data:image/png;base64,") == len(names)
    assert not re.search(r"(src|href)=\"(?!data:)", page)
    assert "6 drawings are no test" in page

    code, out, err = command("predict", run, drawings / "circles" / "drawing(1).png", "--json")
    (answer,) = json.loads(out)
    assert answer["class"] in metrics["classes"]
    assert 1 / 3 <= answer["probability"] <= 1

    code, out, err = command("evaluate", run, "--data", drawings, "--json")
    assert (code, err) == (0, "")
    found = json.loads(out)
    assert found["drawings"] == 6  # the others it was trained on
    assert found["right"] == metrics["test"]["right"]
    assert {path.name for path in (run / "evaluation").iterdir()} >= {"evaluation.json", "confusion.png"}
    code, out, err = command("evaluate", run, "--data", drawings, "--average", "--folds", 2)
    assert code == 0
    assert np.sum([int(n) for n in re.findall(r"fold +\d of 2 +(\d+) of", out)]) == int(
        re.search(r"(\d+) of 42 right", out)[1]
    )


def test_synthetic_is_trained_on_no_drawing_and_tested_with_all(command, drawings: Path) -> None:
    code, out, _ = command(
        "train", "--recipe", "synthetic", "--epochs", 1, "--data", drawings, "--json", "--out", "run"
    )
    metrics = json.loads(out)
    assert (code, metrics["data"]["test"], metrics["recipe"]) == (0, 42, "synthetic")
    assert runs.read(Path("run")).classes == ("circles", "squares", "triangles")


def test_without_a_folder_the_bundled_drawings_are_used_and_without_a_split_all_are_trained_on(
    command, drawings: Path
) -> None:
    assert command("train", *THREE, "--out", "a")[::2] == (0, "")
    assert json.loads(Path("a/metrics.json").read_text())["data"]["test"] == 4
    code, out, err = command(
        "train", "--recipe", "cnn", "--epochs", 1, "--data", drawings, "--out", "b", "--classes", "square,circle"
    )
    assert (code, err) == (0, "")
    assert "No drawing was kept for a test" in out
    assert "nothing is known of how good it is" in Path("b/report.html").read_text()
    code, _, err = command("evaluate", "b", "--data", drawings)
    assert (code, err.count("\n")) == (2, 1)
    assert "the model was trained on all of these drawings; expected others" in err


def test_the_articles_runs_are_evaluated_too(command, drawings: Path) -> None:
    command("train", "--recipe", "robust", "--epochs", 5, "--quiet", "--out", "run")
    code, out, err = command("evaluate", "run", "--data", drawings, "--json")
    assert (code, err, json.loads(out)["classes"]) == (0, "", ["circle", "square"])
    code, _, err = command("evaluate", "run", "--data", drawings, "--average")
    assert (code, err) == (
        2,
        "tinygrad-cnn: run: --average needs a run of the recipe cnn or synthetic, which are trained on variants\n",
    )


def test_a_drawing_of_none_of_the_classes_is_marked_as_unsure(command, tmp_path: Path) -> None:
    command("train", *THREE, "--out", "run")
    scribble = tmp_path / "scribble.png"
    cv2.imwrite(str(scribble), draw_scribble(np.random.default_rng(0)))
    _, out, _ = command("predict", "run", scribble, "--json")
    (answer,) = json.loads(out)
    assert (answer["unsure"] is not None) == (answer["probability"] < 0.7)
    _, out, _ = command("predict", "run", scribble)
    assert ("unsure: no class has 70%" in out) == (answer["probability"] < 0.7)


def test_an_experiment_prints_a_table_and_writes_a_plot_and_its_trials(command) -> None:
    code, out, err = command("experiment", "recipes", "--draws", 2)
    assert (code, err) == (0, "")
    assert re.search(r"robust +\d+\.\d%", out)
    found = json.loads(Path("runs/experiment-recipes/experiment.json").read_text())
    assert len(found["trials"]) == 4
    assert Path("runs/experiment-recipes/recipes.png").stat().st_size > 1000


def test_the_number_of_processes_does_not_change_an_experiment(command) -> None:
    found = [json.loads(command("experiment", "recipes", "--draws", 2, "--jobs", jobs, "--json")[1]) for jobs in (1, 2)]
    assert found[0]["trials"] == found[1]["trials"]


def test_many_starts_are_trained_at_once_whatever_the_processes(command) -> None:
    code, out, err = command("experiment", "starts", "--seeds", 3)
    assert (code, err) == (0, "")
    assert re.search(r"published +\d+\.\d% .* 3 +\d +\d", out)
    both = [json.loads(command("experiment", "starts", "--seeds", 2, "--jobs", jobs, "--json")[1]) for jobs in (1, 2)]
    assert both[0]["trials"] == both[1]["trials"]
    assert sorted(trial["seed"] for trial in both[0]["trials"]) == [0, 1]


def test_an_experiment_without_random_starts_says_which_have_them(command) -> None:
    code, _, err = command("experiment", "filters", "--seeds", 3)
    assert code == 2
    assert "--seeds is for the experiments of the article's model: inversion, scaling, recipes, starts" in err


def test_the_recipes_are_listed_with_what_they_reach_and_how_to_measure_it(command) -> None:
    code, out, _ = command("recipes")
    assert code == 0
    for recipe in CATALOGUE:
        assert recipe.what in out
    assert [recipe["name"] for recipe in json.loads(command("recipes", "--json")[1])] == [r.name for r in CATALOGUE]


def test_evaluations_that_make_no_sense_are_refused_in_one_line(command, drawings: Path) -> None:
    command("train", *THREE, "--out", "run")
    command("train", "--recipe", "synthetic", "--epochs", 1, "--quiet", "--out", "drawn")
    for arguments, message in (
        (["run", "--data", "nowhere"], "nowhere: there is no such folder"),
        (["run", "--data", drawings, "--classes", "a,b,c"], "has 3 names; run was trained on 2 classes: circle, sq"),
        (["nowhere", "--data", drawings], "nowhere: no such file; expected the folder of a run"),
        (["run", "--data", drawings, "--folds", "20"], "--folds 20: there are 14 drawings of circle; expected at lea"),
        (["drawn", "--data", drawings, "--folds", "2"], "--folds needs a run of the recipe cnn"),
    ):
        code, out, err = command("evaluate", *arguments)
        assert (code, out, err.count("\n")) == (2, "", 1)
        assert message in err
        assert not Path("run/evaluation").exists()


def test_what_a_training_would_need_to_go_on_is_checked(command, drawings: Path, tmp_path: Path) -> None:
    command("train", *THREE, "--out", "run", "--data", drawings)
    store = Path("other.checkpoints")
    store.mkdir()
    code, _, err = command("train", "--resume", "other")
    assert (code, err.count("\n")) == (2, 1)
    assert "plan.json: No such file or directory; there is no training to resume" in err
    (store / "plan.json").write_text("{}")
    assert "not the plan of a training" in command("train", "--resume", "other")[2]
    code, _, err = command("train", *THREE, "--out", "other")
    assert (code, err.count("\n")) == (2, 1)
    assert "here are checkpoints of a training that was interrupted. Continue it with --resume other" in err


def test_weights_that_are_damaged_are_named(command, drawings: Path) -> None:
    command("train", *THREE, "--out", "run")
    path = Path("run/weights.safetensors")
    whole = path.read_bytes()
    for spoilt in (whole[: len(whole) // 2], whole[:-40] + bytes(40), b""):
        path.write_bytes(spoilt)
        code, out, err = command("predict", "run", drawings / "circles" / "drawing(1).png")
        assert (code, out, err.count("\n")) == (2, "", 1)
        assert "weights" in err


def started(folder: Path, drawings: Path, *more: str) -> subprocess.Popen[str]:
    """A training in a process of its own, until it has a checkpoint."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tinygrad_cnn", "train", "--recipe", "cnn", "--data", str(drawings), "--out", "run",
         *more],
        cwd=folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    while process.poll() is None and not list(folder.glob("run.checkpoints/epochs/*.safetensors")):
        time.sleep(0.05)
    return process


@pytest.fixture(scope="module")
def whole(drawn: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The weights of a training that was not stopped."""
    folder = tmp_path_factory.mktemp("whole")
    process = started(folder, drawn, "--epochs", "2", "--quiet")
    assert process.communicate(timeout=300) == ("", "")
    assert process.returncode == 0
    return runs.read(folder / "run").model


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_training_that_was_stopped_is_resumed_to_the_same_weights(
    drawings: Path, whole: Any, tmp_path: Path, number: int
) -> None:
    process = started(tmp_path, drawings, "--epochs", "2")
    process.send_signal(number)
    _, err = process.communicate(timeout=300)
    assert process.returncode == (130 if number == signal.SIGINT else -number)
    if number == signal.SIGINT:
        assert "train --resume run continues" in err
    assert not (tmp_path / "run").exists()
    moved = shutil.move(drawings / "circles" / "drawing(1).png", tmp_path / "a.png")
    go_on = [sys.executable, "-m", "tinygrad_cnn", "train", "--resume", "run", "--quiet"]
    done = subprocess.run(go_on, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "have changed since it began" in done.stderr
    shutil.move(moved, drawings / "circles" / "drawing(1).png")
    done = subprocess.run(go_on, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    models = [tg.tree.flatten(model).leaves for model in (runs.read(tmp_path / "run").model, whole)]
    for a, b in zip(*models, strict=True):
        np.testing.assert_array_equal(a, b)
