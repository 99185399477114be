"""The command: what it writes, what it prints, and what it says of what it cannot use."""

from __future__ import annotations

import base64
import html
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy
from commands import command_in
from paths import ROOT

from tinygrad_cnn.circle_square import images

pytestmark = [pytest.mark.cli, pytest.mark.slow]

BUNDLED = ROOT / "data" / "circle_square"


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd):
    """Run the command in an empty folder; gives (exit code, standard output, standard error)."""
    with command_in(tmp_path, monkeypatch, capfd) as run:
        yield run


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A short run."""
    folder = tmp_path_factory.mktemp("trained") / "run"
    done = subprocess.run(
        [sys.executable, "-m", "tinygrad_cnn", "train", "--epochs", "60", "--quiet", "--out", str(folder)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    return folder


def test_the_report_has_a_verdict_in_every_cell_and_a_dark_picture_of_each_figure(trained: Path) -> None:
    page = (trained / "report.html").read_text(encoding="utf-8")
    cells = re.findall(r'<td class="(right|wrong)">(.)', page)
    assert set(cells) == {("right", "✓"), ("wrong", "✗")}
    assert page.count('<source media="(prefers-color-scheme: dark)"') == page.count("<picture>") == 7
    assert all(f'<a href="#{name}"' in page and f'id="{name}"' in page for name in ("maps_after", "weights", "graph"))


def test_training_writes_a_film_and_a_card(command, tmp_path: Path) -> None:
    assert command("train", "--epochs", "2", "-q", "--film", "film.svg", "--card", "card.png", "--dark") == (0, "", "")
    assert (tmp_path / "card.png").read_bytes()[16:24] == (1200).to_bytes(4, "big") + (630).to_bytes(4, "big")
    assert {"epoch 0", "epoch 2", "trained"} <= set(re.findall(">([^<]*)<", (tmp_path / "film.svg").read_text()))


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ("--film none/film.svg", "none/film.svg: cannot be written: No such file or directory"),
        ("--film film.jpg", "film.jpg: --film writes .svg, .gif, .png. Choose a name that ends in one of these"),
        ("--card none/card.png", "none/card.png: cannot be written: No such file or directory"),
        ("--card card.svg", "card.svg: --card writes .png. Choose a name that ends in it"),
        ("--card a.png --film a.png", "a.png: --film and --card are the same file. Choose another name for one"),
        ("--dark", "--dark has no effect without --card. Leave it out, or pass --card"),
    ],
)
def test_what_cannot_be_drawn_is_refused_before_training(command, tmp_path, arguments: str, error: str) -> None:
    assert command("train", "-q", *arguments.split()) == (2, "", f"tinygrad-cnn: {error}\n")
    assert list(tmp_path.iterdir()) == []


def test_training_writes_metrics_weights_pictures_and_a_report(trained: Path) -> None:
    pictures = {"training_images", "test_images", "shuffled_images", "maps_before", "maps_after", "weights", "loss"}
    expected = {f"{name}.png" for name in pictures} | {"metrics.json", "weights.safetensors", "report.html"}
    assert {path.name for path in trained.iterdir()} == expected
    metrics = json.loads((trained / "metrics.json").read_text())
    assert len(metrics["losses"]) == len(metrics["accuracies"]) == metrics["epochs_run"] == 61
    assert metrics["losses"][-1] < metrics["losses"][0]
    assert metrics["train_accuracy"] == 1
    assert metrics["seed"] == 230129
    assert metrics["other_recipe"]["recipe"] == "robust"
    assert set(metrics["versions"]) >= {"tinygrad_cnn", "numpy", "python"}
    assert [p["name"] for p in metrics["predictions"]["test"]] == [f"drawing({n}).png" for n in (1, 2, 3, 4)]
    shifted = metrics["gradient_comparison"][0]
    assert shifted["loss"] == "shifted"
    assert all(shifted[name]["auto_hand"]["relative"] < 1e-10 for name in ("Wc", "Bc", "Wf", "Bf"))
    weights = safetensors.numpy.load_file(trained / "weights.safetensors")
    assert {name: array.shape for name, array in weights.items()} == {
        "Wc": (3, 3), "Bc": (1, 1), "Wf": (1, 196), "Bf": (1, 1),
    }  # fmt: skip


def test_the_report_has_every_picture_in_it_and_loads_nothing(trained: Path) -> None:
    page = (trained / "report.html").read_text(encoding="utf-8")
    assert page.count('src="data:image/png;base64,') == 7
    assert not re.search(r"""(src|href)\s*=\s*["'](?!data:|#)""", page)
    assert "://" not in page
    assert "default-src 'none'" in page
    assert "24 of 24" in page


def test_training_shows_its_way(command) -> None:
    code, out, err = command("train", "--epochs", "100", "-v")
    assert (code, err) == (0, "")
    assert re.search(r"epoch +50 +loss +-16\.\d+ +24 of 24 right", out)
    assert re.search(r"predicted( \d\.\d\d){24}\n  target   (    \d){24}", out)
    assert "24 of 24 training images right" in out
    assert "the shifted loss, where nothing is tied" in out
    assert Path("runs/circle-square-published/report.html").is_file()
    command("train", "--epochs", "1", "-q")
    assert Path("runs/circle-square-published-2/report.html").is_file()


def test_json_is_all_that_json_prints(command) -> None:
    code, out, err = command("train", "--task", "circle-triangle", "--epochs", "3", "--json", "--out", "run")
    assert (code, err) == (0, "")
    assert out == Path("run/metrics.json").read_text()
    assert json.loads(out)["classes"] == ["circle", "triangle"]


def test_hand_and_auto_go_the_same_way(command) -> None:
    losses = [
        json.loads(command("train", "--gradient", g, "--epochs", "40", "--json", "--out", g)[1])["losses"]
        for g in ("hand", "auto")
    ]
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-9)


def test_training_says_how_its_gradient_is_computed(command) -> None:
    assert re.search(r"4 epochs in \d+\.\d\d s, with the\s+gradient compiled to", command("train", "--epochs", 3)[1])
    assert "recorded anew at each step" in " ".join(command("train", "--epochs", 3, "--eager")[1].split())
    compiled = json.loads(command("train", "--epochs", 3, "--json")[1])
    eager = json.loads(command("train", "--epochs", 3, "--json", "--eager")[1])
    assert (compiled["compiled"] in ("c", "numpy"), eager["compiled"]) == (True, None)
    np.testing.assert_allclose(compiled["losses"], eager["losses"], rtol=1e-9)


def test_the_robust_recipe_and_other_scalings(command) -> None:
    found = command(
        "train", "--recipe", "robust", "--epochs", "5", "--no-invert", "--scale", "1", "--seed", "3", "--json"
    )
    metrics = json.loads(found[1])
    assert (metrics["recipe"], metrics["epochs"], metrics["seed"]) == ("robust", 5, 3)
    assert metrics["scaling"] == {"invert": False, "top": 1.0}
    assert metrics["other_recipe"]["recipe"] == "published"


def test_training_that_dies_says_so_and_what_to_try(command) -> None:
    code, out, err = command("train", "--seed", "11", "--out", "run")
    assert code == 1
    assert re.match(r"tinygrad-cnn: training stopped at epoch \d+: every ReLU output is zero", err)
    assert "--learning-rate" in err
    assert "--recipe robust" in err
    assert json.loads(Path("run/metrics.json").read_text())["stopped"].startswith("epoch ")
    assert "Training stopped at epoch" in Path("run/report.html").read_text()
    assert "0.4999" not in out


def test_training_on_real_drawings_follows_the_listing(command, shared: Path) -> None:
    published = json.loads((shared / "data" / "listing_runs.json").read_text())["circle_square"]
    _, out, _ = command(
        "train", "--data", shared / "data" / "basicshapes", "--split", "12+2", "--split-seed", "592", "--json"
    )  # fmt: skip
    metrics = json.loads(out)
    np.testing.assert_allclose(metrics["losses"], published["losses"], rtol=1e-7)
    assert [p["probability"] for p in metrics["predictions"]["test"]] == pytest.approx(
        published["test_predictions"], abs=1e-8
    )


def test_predict_says_what_an_image_shows(command, trained: Path) -> None:
    metrics = json.loads((trained / "metrics.json").read_text())
    names = [p["name"] for p in metrics["predictions"]["train"]]
    code, out, err = command("predict", trained, *[BUNDLED / "train" / name for name in names])
    assert (code, err) == (0, "")
    said = [re.split(r" {3,}", line)[1].split(",")[0] for line in out.splitlines()]
    assert said == ["circle"] * 12 + ["square"] * 12
    probability = metrics["predictions"]["train"][0]["probability"]
    _, out, _ = command("predict", trained / "weights.safetensors", BUNDLED / "train" / "drawing(1).png", "--json")
    assert json.loads(out)[0]["class"] == "circle"
    assert json.loads(out)[0]["probability"] == pytest.approx(1 - probability)


@pytest.mark.parametrize("classes", [("네모", "원"), ("[red]a$b$<i>", "z$x")])
def test_classes_are_called_as_their_folders_are(command, tmp_path: Path, classes: tuple[str, str]) -> None:
    for part, each in (("train", 2), ("test", 1)):
        for k, name in enumerate(classes):
            (tmp_path / part / name).mkdir(parents=True)
            for n in range(1, each + 1):
                source = BUNDLED / part / f"drawing({n + k * (12 if part == 'train' else 2)}).png"
                shutil.copy(source, tmp_path / part / name)
    code, out, err = command("train", "--data", ".", "--recipe", "robust", "--epochs", 5, "--out", "run")
    assert (code, err) == (0, "")
    assert classes[0] in out
    title = f"<title>{html.escape(classes[0])} or {html.escape(classes[1])}?"
    assert title.lower() in (tmp_path / "run/report.html").read_text().lower()
    assert json.loads((tmp_path / "run/metrics.json").read_text())["classes"] == list(classes)
    code, out, _ = command("predict", "run", f"train/{classes[0]}/drawing(1).png")
    assert re.search(rf"(?:{'|'.join(map(re.escape, classes))}), \d", out)


def test_draw_writes_a_set_in_the_articles_layout_that_can_be_trained_on(command) -> None:
    code, out, _ = command("draw", "mine", "--seed", "5", "--train", "3", "--test", "1")
    assert code == 0
    assert out == "Drew 6 drawings into mine/train and 2 into mine/test\n"
    assert sorted(p.name for p in Path("mine/train").iterdir()) == [f"drawing({n}).png" for n in range(1, 7)]
    assert command("train", "--data", "mine", "--recipe", "robust", "--epochs", "2", "-q")[0] == 0


def refused(found: tuple[int, str, str], message: str) -> None:
    code, out, err = found
    assert code == 2, err
    assert re.search(message, err), err
    assert err.startswith("tinygrad-cnn: ")
    assert err.count("\n") == 1
    assert out == ""
    assert "Traceback" not in err
    left = [p for p in Path.cwd().rglob("*") if "partial" in p.name]
    assert left == []


def test_settings_that_make_no_sense_are_named(command) -> None:
    refused(command("train", "--epochs", "-1"), r"'--epochs': -1 is not in the range x>=0")
    refused(command("train", "--epochs", "many"), "'--epochs': 'many' is not a valid int")
    refused(command("train", "--learning-rate", "0"), "'--learning-rate': 0.0 is not a finite number greater than 0")
    refused(command("train", "--learning-rate", "inf"), "'--learning-rate': inf is not a finite number greater than 0")
    refused(command("train", "--scale", "ten"), "'--scale': 'ten' is not a valid float")
    refused(command("train", "--task", "hexagon"), "'--task': 'hexagon' is not one of")
    refused(command("train", "--recipe", "mine"), "'--recipe': 'mine' is not one of")
    refused(command("train", "--seed", "-3"), "'--seed'")
    refused(command("train", "--nonsense"), "No such option.*--nonsense")
    refused(command("train", "--split", "12+2"), "--split needs a folder of drawings")
    refused(command("train", "--split-seed", "1"), "--split-seed needs a random split")
    refused(command("train", "--recipe", "robust", "--gradient", "hand"), "--gradient hand needs --recipe published")
    refused(command("nonsense"), "No such command 'nonsense'")
    refused(command("predict", "run"), r"Missing argument 'IMAGE\.\.\.'")
    assert not Path("runs").exists()


def test_folders_and_files_that_cannot_be_used_are_named(command, trained: Path, tmp_path: Path) -> None:
    refused(command("train", "--data", "none"), "none: there is no such folder")
    Path("empty").mkdir()
    refused(command("train", "--data", "empty"), "empty: expected folders train and test")
    refused(command("predict", "none", "a.png"), "no such file; expected the folder of a run")
    refused(command("predict", "n" * 300, "a.png"), "no such file; expected the folder of a run")
    refused(command("predict", trained, "n" * 300), "n: File name too long")
    refused(command("train", "--data", "n" * 300), "n: File name too long")
    refused(command("train", "--out", "n" * 300), "n: cannot be written: File name too long")
    refused(command("predict", trained, "a.png"), "a.png: No such file")
    Path("bad.png").write_bytes(b"nothing")
    refused(command("predict", trained, "bad.png"), "bad.png: not an image")
    assert not Path("runs").exists()


def test_a_place_that_cannot_be_written_to_is_named(command) -> None:
    Path("file").write_text("mine")
    refused(command("train", "--out", "file"), "file: it exists already")
    refused(command("train", "--out", "file/run"), "file/run: cannot be written: Not a directory")
    refused(command("draw", "file/set"), "file/set: cannot be written")
    Path("full").mkdir()
    Path("full/mine.txt").write_text("mine")
    refused(command("train", "--out", "full"), "full: it exists already, and nothing is overwritten")
    refused(command("draw", "full"), "full: it exists already")
    assert Path("full/mine.txt").read_text() == "mine"
    assert Path("file").read_text() == "mine"
    Path("empty").mkdir()
    assert command("train", "--epochs", "0", "-q", "--out", "empty")[0] == 0


def test_weights_that_are_damaged_or_anothers_are_named(command, trained: Path) -> None:
    image = BUNDLED / "test" / "drawing(1).png"
    good = (trained / "weights.safetensors").read_bytes()
    Path("cut.safetensors").write_bytes(good[:500])
    refused(command("predict", "cut.safetensors", image), "cut.safetensors: the weights cannot be read")
    Path("empty.safetensors").write_bytes(b"")
    refused(command("predict", "empty.safetensors", image), "empty.safetensors: the weights cannot be read")
    safetensors.numpy.save_file({"W": np.ones(3)}, "other.safetensors")
    refused(command("predict", "other.safetensors", image), r"weights of another model: W \(3,\); expected Bc \(1, 1\)")
    arrays = safetensors.numpy.load(good)
    model = {"model": "tinygrad_cnn circle_square", "classes": '["a", "b"]'}
    for about, why in (
        (None, "their metadata do not name 'tinygrad_cnn circle_square'"),
        (model | {"classes": "[" * 100_000}, "the weights are damaged: their metadata lack"),
        (
            model | {"scaling": f'{{"invert": true, "top": 1{"0" * 400}}}'},
            "the weights are damaged: their metadata lack",
        ),
    ):
        safetensors.numpy.save_file(arrays, "about.safetensors", about)
        refused(command("predict", "about.safetensors", image), f"about.safetensors: .*{why}")


def test_without_arguments_it_says_what_it_can_do(command) -> None:
    code, out, _ = command()
    assert code == 2
    for word in ("train", "predict", "draw"):
        assert word in out
    assert command("--version")[1] == "tinygrad-cnn, version 0.2.0\n"


@pytest.mark.skipif(sys.platform == "win32", reason="signals are otherwise there")
@pytest.mark.parametrize("closed", ["stdout", "stderr"])
def test_it_works_where_standard_output_or_error_is_closed(trained: Path, tmp_path: Path, closed: str) -> None:
    """As by `>&-` in a shell: what would be written there is dropped, and there is no traceback in the other."""
    code = f"import os, sys; os.close({1 if closed == 'stdout' else 2}); os.execv(sys.executable, sys.argv[1:])"
    drawn = BUNDLED / "test" / "drawing(1).png"
    (tmp_path / "empty.png").touch()
    for image, exit_code in ((drawn, 0), (tmp_path / "empty.png", 2)):
        call = [sys.executable, "-m", "tinygrad_cnn", "predict", str(trained), str(image)]
        done = subprocess.run([sys.executable, "-c", code, *call], cwd=ROOT, capture_output=True, check=False)
        assert done.returncode == exit_code
        assert b"Traceback" not in done.stdout + done.stderr


def test_an_error_is_one_line_whatever_a_file_is_called(command, trained: Path, tmp_path: Path) -> None:
    (tmp_path / "a\nb\x1b[1m.png").touch()
    code, _, err = command("predict", trained, "a\nb\x1b[1m.png")
    assert (code, err) == (2, "tinygrad-cnn: a\\nb\\x1b[1m.png: the file is empty (0 bytes)\n")


def test_numbers_that_run_away_are_said_to_once(command) -> None:
    # --eager: in another order of summation, which compiled C has, numbers of this size need not overflow.
    code, out, err = command("train", "--epochs", 1, "--scale", 1e308, "--quiet", "--eager")
    assert (code, out) == (1, "")
    assert err.startswith("tinygrad-cnn: training stopped at epoch 0: the training has diverged")
    assert err.count("\n") == 1


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="there is no file without an end")
def test_a_file_without_an_end_is_not_read_to_the_end(command, trained: Path) -> None:
    code, _, err = command("predict", trained, "/dev/zero")
    assert (code, err) == (2, "tinygrad-cnn: /dev/zero: this is a device; expected a file\n")


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such pipes there")
def test_a_pipe_is_refused_without_waiting_for_it(command, trained: Path) -> None:
    os.mkfifo("pipe.png")
    refused(command("predict", trained, "pipe.png"), "pipe.png: this is a pipe; expected a file")
    refused(command("predict", "pipe.png", "pipe.png"), "pipe.png: this is a pipe; expected a file")
    (Path("data") / "circles").mkdir(parents=True)
    (Path("data") / "squares").mkdir()
    for shape in ("circles", "squares"):
        shutil.copy(BUNDLED / "test" / "drawing(1).png", Path("data") / shape / "drawing(1).png")
    os.mkfifo("split.json")
    refused(command("train", "--data", "data", "--split", "split.json"), "--split split.json: this is a pipe")


def test_numbers_of_thousands_of_digits_are_refused_in_one_line(command) -> None:
    for shape in ("circles", "squares"):
        (Path("data") / shape).mkdir(parents=True)
        shutil.copy(BUNDLED / "test" / "drawing(1).png", Path("data") / shape / "drawing(1).png")
    refused(command("train", "--data", "data", "--split", f"{'9' * 5000}+2"), "--split 9{30}.* expected TRAIN.TEST")
    Path("split.json").write_text(f'{{"train": [[{"9" * 5000}]]}}')
    refused(command("train", "--data", "data", "--split", "split.json"), "--split split.json: not valid JSON")
    refused(command("train", "--epochs", "9" * 5000), "'--epochs'")


def test_weights_of_eight_bits_are_refused_in_one_line(command) -> None:
    header = json.dumps(
        {"__metadata__": {"model": "tinygrad_cnn circle_square"}}
        | {
            name: {"dtype": "F8_E4M3", "shape": shape, "data_offsets": [start, start + size]}
            for name, shape, start, size in (
                ("Wc", [3, 3], 0, 9), ("Bc", [1, 1], 9, 1), ("Wf", [1, 196], 10, 196), ("Bf", [1, 1], 206, 1)
            )
        }
    ).encode()  # fmt: skip
    Path("w.safetensors").write_bytes(len(header).to_bytes(8, "little") + header + bytes(207))
    refused(
        command("predict", "w.safetensors", BUNDLED / "test" / "drawing(1).png"), "is not an array of finite float64"
    )


def test_one_bad_image_does_not_stop_the_others(command, trained: Path) -> None:
    Path("bad\x1b.png").write_bytes(b"nothing")
    good = [BUNDLED / "test" / f"drawing({n}).png" for n in (1, 2)]
    code, out, err = command("predict", trained, good[0], "bad\x1b.png", good[1])
    assert code == 2
    assert err == "tinygrad-cnn: bad\\x1b.png: not an image in a supported format, or a damaged one\n"
    assert [line.split("  ")[0] for line in out.splitlines()] == [str(path) for path in good]
    code, out, err = command("predict", trained, good[0], "bad\x1b.png", "--json")
    assert code == 2
    assert [sorted(answer) for answer in json.loads(out)] == [
        ["changes", "class", "image", "probability", "unsure"],
        ["error", "image"],
    ]


def test_an_answer_on_a_drawing_unlike_any_other_is_marked_as_unsure(command, trained: Path) -> None:
    small, faint = np.full((2, 28, 28), 255, np.uint8)
    small[10:15, 10:15] = 0
    faint[5:20, 5:20] = 200
    images.write_image(Path("small.png"), small)
    images.write_image(Path("faint.png"), faint)
    code, out, err = command("predict", trained, "small.png", "faint.png", BUNDLED / "test" / "drawing(1).png")
    assert (code, err) == (0, "")
    first, second, usual = out.splitlines()
    assert "(unsure: it is smaller than any drawing" in first
    assert "(unsure: its lines are fainter than" in second
    assert "unsure" not in usual


def test_a_run_of_another_task_is_refused(command, trained: Path) -> None:
    command("train", "--task", "circle-triangle", "--epochs", 0, "-q", "--out", "triangles")
    expected = "triangles: it was trained on the classes circle and triangle, but .* circle and square. Pass --task"
    refused(command("check", "--run", "triangles"), expected)
    refused(command("graph", "--run", "triangles", "--task", "circle-square"), expected)
    assert command("graph", "--run", "triangles")[0] == 0  # whose drawings are those of the run


def test_a_page_that_cannot_be_written_is_refused_before_the_work(command, monkeypatch) -> None:
    from tinygrad_cnn.circle_square import findings

    monkeypatch.setattr(findings, "investigate", lambda *_: pytest.fail("the work began"))
    refused(command("check", "--html", "none/check.html"), "none/check.html: cannot be written: No such file")


def test_names_of_files_and_classes_move_no_cursor_on_standard_output(command, trained: Path) -> None:
    evil = "x\x1b[2J\ny"
    code, out, err = command("draw", evil)
    assert (code, err) == (0, "")
    assert out.startswith("Drew 24 drawings into x\\x1b[2J\\ny/train")
    for part in ("train", "test"):
        (Path("data") / part / evil).mkdir(parents=True)
        (Path("data") / part / "z").mkdir()
        for shape in (evil, "z"):
            shutil.copy(BUNDLED / "test" / "drawing(1).png", Path("data") / part / shape / f"{evil}.png")
    code, out, err = command("train", "--data", "data", "--epochs", 0, "--out", f"run{evil}")
    assert "Traceback" not in err
    assert "\x1b" not in out + err
    assert r"runx\x1b[2J\ny" in out
    code, out, err = command("predict", f"run{evil}", Path("data") / "test" / evil / f"{evil}.png")
    assert (code, err, out.count("\n"), "\x1b" in out) == (0, "", 1, False)
    code, out, err = command("graph", "--run", f"run{evil}", "--image", BUNDLED / "test" / "drawing(1).png", "--out",
                             f"{evil}.svg")  # fmt: skip
    assert (code, err, out) == (0, "", "Drew x\\x1b[2J\\ny.svg\n")


def test_a_learning_rate_out_of_all_proportion_is_warned_of(command) -> None:
    _, _, err = command("train", "--learning-rate", 1e9, "--epochs", 1)
    assert err.startswith("tinygrad-cnn: warning: --learning-rate 1e+09 is 1e+11 times that of the recipe, 0.01: ")
    assert "RuntimeWarning" not in err
    _, _, err = command("train", "--learning-rate", 0.02, "--epochs", 1)
    assert err == ""


@pytest.mark.parametrize("name", ["", "train", "check", "graph", "program", "predict", "draw"])
def test_help_cuts_no_line_and_explains_every_option(command, name: str, monkeypatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    code, out, _ = command(*([name] if name else []), "--help")
    assert code == 0
    assert "..." not in out.replace("IMAGE...", "").replace("[ARGS]...", "")
    assert max(map(len, out.splitlines())) <= 80
    for option in re.findall(r"^  (?:-\w, )?(--[\w-]+)", out, re.MULTILINE):
        after = out[out.index(f"{option} ") :]
        assert re.match(r".*?\s{2,}[A-Z]\w+ ", after, re.DOTALL), option


def test_interruption_keeps_what_was_trained(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "tinygrad_cnn", "train", "--epochs", "1000000", "--out", str(tmp_path / "run")],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    for line in process.stdout:
        if line.startswith("epoch  100"):
            break
    time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in err
    assert "Interrupted: what was trained until then is kept." in out
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert metrics["interrupted"]
    assert metrics["epochs_run"] > 100
    assert [p.name for p in tmp_path.iterdir()] == ["run"]


def test_check_says_what_there_is_to_be_found(command) -> None:
    code, out, err = command("check", "--html", "check.html")
    assert (code, err) == (1, "")  # it is wrong for the loss that the article prints
    assert out.count("(found)") == 6
    tour = (ROOT / "docs" / "tour.md").read_text(encoding="utf-8")
    quoted = re.search(r"^    The hand-derived gradient is not .*\n(    .*\n)+", tour, re.MULTILINE)[0]
    for part in " ".join(quoted.split()).split(" ... "):
        assert part in " ".join(out.split())
    page = Path("check.html").read_text(encoding="utf-8")
    assert page.count("(<span class=") == 6
    assert "sigma = 0.999900" in page


def test_check_at_other_parameters_and_on_other_drawings(command, trained: Path) -> None:
    found = {}
    for name, options in {
        "initial": (), "trained": ("--at", "trained"), "run": ("--run", trained),
        "triangles": ("--task", "circle-triangle"),
    }.items():  # fmt: skip
        code, out, err = command("check", *options, "--json")
        assert (code, err) == (1, "")
        found[name] = json.loads(out)
        assert found[name]["another_loss"] == "the shifted one"
        assert all(row["autodiff_vs_differences"]["verdict"] == "agree" for row in found[name]["parameters"].values())
    assert len({json.dumps(f["findings"]) for f in found.values()}) == 4


def test_check_is_content_where_the_gradient_is_right(command, tmp_path: Path) -> None:
    """Of the shifted loss, on drawings whose background no filter lets through as a tie."""
    rng = np.random.default_rng(0)
    for part, each in (("train", 2), ("test", 1)):
        for shape in ("circles", "squares"):
            (tmp_path / "noise" / part / shape).mkdir(parents=True)
            for n in range(each):
                image = rng.integers(128, 256, (28, 28)).astype(np.uint8)
                images.write_image(tmp_path / "noise" / part / shape / f"drawing({n + 1}).png", image)
    code, out, err = command("check", "--data", "noise", "--loss", "shifted", "--json")
    found = json.loads(out)
    assert (code, err, found["ok"]) == (0, "", True)
    assert found["parameters"]["Wc"]["hand_derived_vs_autodiff"]["verdict"] == "agree"


MODEL = """
import numpy as np
x = np.linspace(0, 1, 6).reshape(3, 2)
parameters = {"w": np.array([0.3, 0.7])}

def loss(p):
    print("while it is computed")
    h = np.tanh(x @ p["w"])
    return np.sum(h**2)

def by_hand(p):
    h = np.tanh(x @ p["w"])
    dh = 2 * h
    dz = dh * (1 - h**POWER)
    return {"dh": dh, "dw": x.T @ dz}
"""


@pytest.mark.parametrize(("power", "code", "verdict"), [(2, 0, "agree"), (1, 1, "contradict each other")])
def test_check_takes_a_file(command, power: int, code: int, verdict: str) -> None:
    Path("model.py").write_text(MODEL.replace("POWER", str(power)))
    exit_code, out, err = command("check", "model.py", "--html", "check.html")
    assert (exit_code, err) == (code, "")
    assert out.count(f"The gradients {verdict}{':' if code else '.'}") == 1
    assert ("The first wrong step is dw" in out) == (power == 1)
    assert verdict in Path("check.html").read_text(encoding="utf-8")
    exit_code, out, err = command("check", "model.py", "--json", "--seconds", "20")
    found = json.loads(out)
    assert (exit_code, found["ok"], found["first_wrong"]) == (code, power == 2, "dw" if power == 1 else None)
    assert set(err.splitlines()) == {"while it is computed"}


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("loss = 3", "model.py: defines no 'parameters'. Expected arrays, and by_hand, the hand-derived gradient"),
        ("parameters = 3.0", "model.py: defines no 'loss'. Expected a function of the parameters"),
        ("loss = parameters = 3.0", "model.py: loss is of type float. Expected a function of the parameters"),
        ("x = = 3", "model.py: is no valid Python: invalid syntax (line 1)"),
        ("import no_such_module", "No module named 'no_such_module'"),
        ("raise SystemExit('enough')", "SystemExit: enough"),
        ("x = 1\nx.y", "AttributeError: 'int' object has no attribute 'y'"),
        ("loss = abs\nparameters = 3", "TypeError: params has dtype int64; expected floats: write 1.0 for 1"),
        ("def loss(p):\n    return p['v']\nparameters = {'w': 1.0}", "model.py:2, `p['v']`: KeyError: 'v'"),
        (MODEL.replace("POWER", "q"), "NameError: name 'q' is not defined"),
    ],
)
def test_check_names_what_is_wrong_with_a_file(command, source: str, message: str) -> None:
    Path("model.py").write_text(source)
    code, out, err = command("check", "model.py")
    assert code == 2
    assert "Traceback" not in out + err
    assert message in err
    assert len(err.splitlines()) == 1 + err.count("while it")


def test_check_of_a_file_that_concludes_nothing_has_a_code_of_its_own(command) -> None:
    Path("model.py").write_text("import numpy as np\nparameters = np.array([-1.0])\nloss = lambda w: np.sum(np.log(w))")
    code, out, err = command("check", "model.py")
    assert (code, err) == (2, "")
    assert "The check is inconclusive." in out


def test_check_names_what_it_cannot_use(command, trained: Path) -> None:
    refused(command("check", "--run", "none"), "none: no such file")
    refused(command("check", "none.py"), "none.py: cannot be read: No such file or directory")
    refused(command("check", "model.txt"), "model.txt: is not a file of Python. Expected a name that ends in .py")
    refused(command("check", "none.py", "--at", "trained"), "--at is for the article's gradient, and not for a FILE")
    refused(command("check", "--seconds", "3"), "--seconds is for the gradient of a FILE. Pass one")
    refused(command("check", "--data", "none"), "none: there is no such folder")
    refused(command("check", "--at", "noon"), "'--at': 'noon' is not one of")
    refused(command("check", "--run", trained, "--at", "trained"), "--at cannot be combined with --run")
    refused(command("check", "--run", trained, "--no-invert"), "--invert cannot be combined with --run")
    Path("file").write_text("mine")
    code, out, err = command("check", "--html", "file/check.html", "--json")
    assert (code, out) == (2, "")
    assert "file/check.html: cannot be written: Not a directory" in err
    Path("folder").mkdir()
    refused(command("check", "--html", "folder", "--json"), "folder: cannot be written: Is a directory")
    refused(command("check", "--html", ".", "--json"), r"\.: cannot be written: Is a directory")


# The program.


def test_program_prints_what_runs_by_itself(command, tmp_path: Path) -> None:
    code, out, err = command("program")
    assert (code, err) == (0, "")
    assert "    dL_dconv = dL_drelu * (conv >= 0)  # (24, 28, 28)\n" in out
    assert command("program", "--out", tmp_path / "step.py")[1] == f"Wrote {tmp_path / 'step.py'}\n"
    assert (tmp_path / "step.py").read_text().rstrip() == out.rstrip()
    assert subprocess.run([sys.executable, "-I", tmp_path / "step.py"], check=True, capture_output=True).stdout == b""
    assert re.search(r"fc = .*# \(1, 24\) model\.py:\d+\n", command("program", "--lines")[1])


def test_program_prints_each_cotangent_beside_the_articles(command) -> None:
    steps = command("program", "--beside")[1].split("\n\n")
    for name in ("dL_dsig", "dL_dfc", "dL_dWf", "dL_dBf", "dL_dflatten", "dL_dmax", "dL_drelu", "dL_dconv", "dL_dWc"):
        (step,) = [step for step in steps if f"\nhand-derived  {name} = " in step]
        assert step.startswith(f"program       {name}")
    assert "program       dL_dWf = dL_dfc @ flatten\nhand-derived  dL_dWf = dL_dfc @ flatten" in steps


# The graph.


def test_graph_prints_the_model_as_a_table(command) -> None:
    code, out, err = command("graph")
    assert (code, err) == (0, "")
    assert out.startswith("loss: 15 steps of 4 parameters")
    assert re.search(r"max_pool +float64\[24×14×14\] +max_pool2d\(relu, ", out)
    assert "im2col" not in out
    assert "im2col" in command("graph", "--depth", "all")[1]
    assert "scope fc, closed: 3 steps" in command("graph", "--collapse", "fc,pool")[1]


@pytest.mark.parametrize("format", ["svg", "png", "pdf", "html", "dot", "mermaid", "txt", "json"])
def test_graph_writes_every_format(command, tmp_path: Path, format: str) -> None:
    code, out, err = command("graph", "--backward", "--values", "--format", format, "--out", "picture")
    assert (code, out, err) == (0, "Drew picture\n", "")
    begins = {
        "svg": b"<svg ", "png": b"\x89PNG", "pdf": b"%PDF", "html": b"<!doctype html>", "dot": b"digraph", "json": b"{",
        "mermaid": b"flowchart", "txt": b"loss: ",
    }  # fmt: skip
    assert (tmp_path / "picture").read_bytes().startswith(begins[format])


def test_graph_draws_a_run_on_an_image_and_beside_what_it_was_before(command, trained: Path) -> None:
    image = BUNDLED / "test" / "drawing(1).png"
    code, out, _ = command("graph", "--run", trained, "--image", image, "--values", "--backward")
    assert code == 0
    assert re.search(r"sigma +float64\[1×1\] ", out)
    assert "∂sigma/∂Wc" in out
    code, out, _ = command("graph", "--run", trained, "--before", "--values", "--format", "dot")
    assert code == 0
    assert "before → now" in out
    loss = next(line for line in out.splitlines() if line.startswith('"n19" ['))
    start, end = re.search(r"(\S+)  →  (\S+?)<", loss).groups()
    assert float(start.replace("−", "-").rsplit(">")[-1]) > float(end.replace("−", "-"))


def test_graph_measures(command) -> None:
    assert re.search(r"[\d.]+ (ns|µs|ms) forward, ", command("graph", "--measure")[1])


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--out", "graph.jpg"], "unknown format 'jpg'; expected one of svg, png"),
        (["--out", "graph"], "'graph' has no ending that names a format"),
        (["--depth", "-1"], "depth is -1; expected 'layers', 'all', 'rules', or a number from 1 on"),
        (["--format", "png"], "is not text. Pass a file with --out"),
        (["--out", "no/such/folder.svg"], "no/such/folder.svg: cannot be written: No such file or directory"),
        (["--collapse", "cnv"], "no scope is named 'cnv'; this graph has conv, conv/conv2d, fc, loss, pool"),
        (["--before"], "--before needs a run"),
        (["--run", "nowhere"], "nowhere: no such file"),
        (["--image", "nowhere.png"], "nowhere.png: No such file"),
        (["--theme", "blue"], "'blue' is not one of"),
    ],
)
def test_graph_says_in_one_line_what_it_cannot_use(command, tmp_path: Path, arguments: list[str], says: str) -> None:
    code, out, err = command("graph", *arguments)
    assert (code, out) == (2, "")
    assert says in err
    assert len(err.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_graph_of_a_run_that_does_not_say_how_it_began(command, trained: Path, tmp_path: Path) -> None:
    weights = tmp_path / "weights.safetensors"
    weights.write_bytes((trained / "weights.safetensors").read_bytes())
    assert command("graph", "--run", weights)[0] == 0
    code, _, err = command("graph", "--run", weights, "--before")
    assert code == 2
    assert "metrics.json: No such file or directory; it is needed for the initial parameters of the run" in err
    (tmp_path / "metrics.json").write_text('{"recipe": "secret", "seed": 0}')
    code, _, err = command("graph", "--run", tmp_path)
    assert (code, len(err.splitlines())) == (2, 1)
    assert "it lacks the recipe or the seed" in err
    for seed in (-1, 2**32):  # of which NumPy's old generator knows nothing
        (tmp_path / "metrics.json").write_text(f'{{"recipe": "published", "seed": {seed}}}')
        refused(
            command("graph", "--run", tmp_path),
            r"it lacks the recipe or the seed of the run \(ValueError: Seed must be",
        )


def test_the_report_shows_the_graph(trained: Path) -> None:
    page = (trained / "report.html").read_text(encoding="utf-8")
    (data,) = re.findall(r'src="data:image/svg\+xml;base64,([^"]+)"', page)
    svg = base64.b64decode(data).decode()
    assert "∂L/∂Wc" in svg
    assert str(ROOT) not in svg
