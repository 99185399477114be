"""`learn start` and `learn check`: what they print, their exit codes, and what a learner may do to a file."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from commands import Run, command_in

from tinygrad_cnn.learn.course import course

FIRST = course()[0]
pytestmark = pytest.mark.cli


def learn(*args: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tinygrad_cnn", "learn", *map(str, args)]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, timeout=60, check=False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("learner") / "backprop"
    done = learn("start", path)
    assert (done.returncode, done.stderr) == (0, "")
    return path


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Iterator[Run]:
    with command_in(tmp_path, monkeypatch, capfd) as run:
        yield run


def answer(folder: Path, text: str) -> Path:
    path = folder / FIRST.name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_korean_folder_begins_in_korean(tmp_path: Path) -> None:
    done = learn("start", tmp_path / "ko", "--lang", "ko")
    assert done.returncode == 0
    assert "폴더를 만들었습니다" in done.stdout
    assert "Wrote" not in done.stdout


def test_a_folder_is_written_once(folder: Path) -> None:
    assert {str(p.relative_to(folder)) for p in folder.rglob("*.py")} == {e.name for e in course()}
    mine = answer(folder, "# mine\n")
    again = learn("start", folder)
    assert again.returncode == 2
    assert "are there already" in again.stderr
    assert mine.read_text() == "# mine\n"


SOLVED = FIRST.starter("en").replace("...", "2 * x")


@pytest.mark.parametrize(
    ("text", "code", "says"),
    [
        (FIRST.starter("en"), 1, "is still to be filled in"),
        (SOLVED, 0, "Right."),
        (SOLVED.replace("2 * x", "x * -2"), 1, "The sign is wrong."),
        (SOLVED.replace("2 * x", "2 * * x"), 1, "Python cannot read this line"),
        (SOLVED.replace("2 * x", "2 * y"), 1, "A name is used that is not defined: name 'y'"),
        (SOLVED.replace("2 * x", "[x][1]"), 1, "An index is outside of the array"),
        (SOLVED.replace("def f", "import nowhere_to_be_found\n\ndef f"), 1, "It imports what is not installed"),
        (SOLVED.replace("def f", "raise SystemExit(0)\n\ndef f"), 1, "It ends the program"),
        (SOLVED.replace("def f", "import os; os._exit(7)\n\ndef f"), 1, "ended by itself: exit code 7"),
        (SOLVED.replace("def slope(x):\n", "def other(x):\n"), 1, "is not there any more"),
        (SOLVED.replace("2 * x", "'\x1b[31m'"), 1, "It is of type str, where float is expected."),
        ("\x00", 1, "Python cannot read"),
    ],
    ids=["blank", "right", "wrong", "syntax", "name", "index", "import", "exit", "_exit", "gone", "type", "binary"],
)  # fmt: skip
def test_one_file_is_judged(command: Run, folder: Path, text: str, code: int, says: str) -> None:
    returned, out, err = command("learn", "check", answer(folder, text))
    assert (returned, err) == (code, "")
    assert says in out
    assert "Traceback" not in out
    assert "\x1b" not in out
    assert "2 * x" not in out or code == 0


def test_what_is_printed_is_cut_off(command: Run, folder: Path) -> None:
    code, out, _ = command("learn", "check", answer(folder, SOLVED + "for i in range(100_000):\n    print(i)\n"))
    assert code == 0
    assert out.rstrip().endswith("\n18\n19\n...")


def test_an_endless_loop_is_stopped(folder: Path) -> None:
    from tinygrad_cnn.learn.running import judged

    outcome = judged(FIRST, answer(folder, SOLVED + "while True:\n    pass\n"), seconds=0.5)
    assert outcome.kind == "too_slow"
    assert outcome.facts["seconds"] in ("0.5", "3")  # of the processor, or, on a busy machine, by the clock


@pytest.mark.skipif(not hasattr(signal, "SIGXCPU"), reason="Windows has only the clock")
def test_an_answer_is_not_called_endless_because_the_machine_is_busy(folder: Path) -> None:
    from tinygrad_cnn.learn.running import judged

    assert judged(FIRST, answer(folder, SOLVED + "import time\ntime.sleep(1)\n"), seconds=1.0).solved


@pytest.mark.skipif(not hasattr(signal, "SIGXCPU"), reason="Windows has no signals that end a process")
@pytest.mark.parametrize(
    ("endless", "seconds", "by"), [("while True: pass", 1.0, "SIGXCPU"), ("time.sleep(60)", 0.1, "SIGALRM")]
)
def test_what_is_endless_ends_even_if_the_caller_was_killed(
    folder: Path, tmp_path: Path, endless: str, seconds: float, by: str
) -> None:
    file = answer(folder, f"{SOLVED}import time\n{endless}\n")
    judge = [
        sys.executable,
        "-m",
        "tinygrad_cnn.learn.judge",
        FIRST.number,
        str(file),
        str(tmp_path / "out.json"),
        str(seconds),
    ]
    assert subprocess.run(judge, timeout=60, check=False).returncode == -signal.Signals[by]


def test_what_was_done_survives_and_is_reported(folder: Path) -> None:
    answer(folder, SOLVED)
    assert learn("check", folder / FIRST.name).returncode == 0
    progress = json.loads((folder / ".progress.json").read_text())
    assert progress["done"][FIRST.number]["solved"]
    done = learn("report", "--html", folder / "done.html", folder)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"1 of {len(course())} solved" in (folder / "done.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("check", "nothing.py"), "is no file of an exercise"),
        (("check", f"elsewhere/{FIRST.name}"), "is not there"),
        (("elsewhere",), "has no exercises; begin with: tinygrad-cnn learn start elsewhere"),
        (("start", "--lang", "fr"), "'fr' is not one of 'en', 'ko'"),
    ],
)
def test_bad_input_is_one_line(args: tuple[str, ...], says: str, tmp_path: Path) -> None:
    done = learn(*args, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert says in done.stderr
    assert done.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_judged_where_what_was_done_cannot_be_written(tmp_path: Path) -> None:
    learn("start", tmp_path / "a")
    replaced = "import os\nos.remove('../.progress.json')\nos.mkdir('../.progress.json')\n"  # by a folder
    done = learn("check", answer(tmp_path / "a", SOLVED + replaced))
    assert done.returncode == 2
    assert "Right." in done.stdout
    assert done.stderr == f"tinygrad-cnn: {tmp_path / 'a' / '.progress.json'}: cannot be written: Is a directory\n"


def test_damaged_progress_is_kept(tmp_path: Path) -> None:
    learn("start", tmp_path / "a")
    (tmp_path / "a" / ".progress.json").write_text("{")
    done = learn(tmp_path / "a")
    assert done.returncode == 2
    assert "is damaged" in done.stderr
    assert (tmp_path / "a" / ".progress.json").read_text() == "{"
