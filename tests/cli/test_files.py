"""Files and folders are written whole or not at all, follow no planted link, and leave nothing behind."""

from __future__ import annotations

import os
import re
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tinygrad_cnn import files
from tinygrad_cnn.escaping import printable

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="links and modes are otherwise there")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_file_has_the_mode_that_the_umask_leaves(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        files.write(tmp_path / "a", b"new")
        with files.new_folder(tmp_path / "folder"):
            pass
    finally:
        os.umask(before)
    assert (mode(tmp_path / "a"), mode(tmp_path / "folder")) == (0o640, 0o750)


@pytest.mark.parametrize("was", [0o600, 0o664, 0o755])
def test_what_is_replaced_keeps_its_mode(tmp_path: Path, was: int) -> None:
    file, folder = tmp_path / "a", tmp_path / "folder"
    file.write_bytes(b"old")
    file.chmod(was)
    folder.mkdir()
    folder.chmod(was | 0o700)
    files.write(file, b"new")
    with files.new_folder(folder) as aside:
        (aside / "content").touch()
    assert (file.read_bytes(), mode(file)) == (b"new", was)
    assert (list(folder.iterdir()), mode(folder)) == ([folder / "content"], was | 0o700)


def test_links_lead_to_what_is_written_and_hard_links_stay_one_file(tmp_path: Path) -> None:
    real, soft, hard = (tmp_path / name for name in ("real", "soft", "hard"))
    real.write_bytes(b"old, and longer")
    soft.symlink_to("real")
    files.write(soft, b"by the link")
    assert soft.is_symlink()
    assert real.read_bytes() == b"by the link"
    hard.hardlink_to(real)
    files.write(hard, b"short")
    assert real.read_bytes() == b"short"
    assert real.samefile(hard)
    (tmp_path / "dangling").symlink_to("created")
    files.write(tmp_path / "dangling", b"there")
    assert (tmp_path / "created").read_bytes() == b"there"


def test_a_pipe_and_a_device_are_written_into(tmp_path: Path) -> None:
    pipe, got = tmp_path / "pipe", []
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: got.append(pipe.read_bytes()))
    reader.start()
    files.write(pipe, b"through")
    reader.join()
    files.write(Path(os.devnull), b"away")
    assert got == [b"through"]
    assert pipe.is_fifo()
    assert Path(os.devnull).is_char_device()


def test_the_name_aside_cannot_be_foretold_and_is_created_exclusively(tmp_path: Path, monkeypatch) -> None:
    names = set()
    for _ in range(3):
        with files.new_file(tmp_path / "a") as put:
            put(b"new")
            names.update(p.name for p in tmp_path.iterdir() if p.name != "a")
    assert len(names) == 3
    monkeypatch.setattr(files.secrets, "token_hex", lambda size: "0" * 2 * size)
    (tmp_path / "treasure").write_bytes(b"mine")
    (tmp_path / f".tinygrad_cnn.{'0' * 16}.partial").symlink_to("treasure")
    with pytest.raises(FileExistsError, match="File exists"):
        files.write(tmp_path / "a", b"new")
    assert (tmp_path / "treasure").read_bytes() == b"mine"


@pytest.mark.parametrize(
    ("name", "error"),
    [("folder", IsADirectoryError), ("none/a", FileNotFoundError), ("file/a", NotADirectoryError), ("loop", OSError)],
)
def test_what_cannot_be_written_to_is_known_before_the_work_begins(tmp_path: Path, name: str, error: type) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(error, match=re.escape(str(tmp_path / name))), files.new_file(tmp_path / name):
        pytest.fail("the work began")


def test_threads_that_write_one_file_do_not_collide(tmp_path: Path) -> None:
    contents = [bytes([65 + i]) * 100_000 for i in range(8)]
    failed = []

    def work(content: bytes) -> None:
        try:
            for _ in range(20):
                files.write(tmp_path / "a", content)
        except OSError as error:
            failed.append(error)

    threads = [threading.Thread(target=work, args=[content]) for content in contents]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        if (tmp_path / "a").exists():
            assert (tmp_path / "a").read_bytes() in contents
    assert failed == []
    assert list(tmp_path.iterdir()) == [tmp_path / "a"]


def test_an_error_leaves_the_old_file_and_no_folder(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"old")

    def fail_in_the_middle(path: Path, content: bytes) -> None:
        path.write_bytes(content)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), files.new_file(tmp_path / "a"):
        fail_in_the_middle(next(tmp_path.glob("*.partial")), b"half")
    with pytest.raises(ZeroDivisionError), files.new_folder(tmp_path / "new" / "folder") as aside:
        fail_in_the_middle(aside / "half", b"half")
    assert list(tmp_path.iterdir()) == [tmp_path / "a"]
    assert (tmp_path / "a").read_bytes() == b"old"


def test_a_folder_that_somebody_else_filled_meanwhile_stays_and_the_results_are_kept(tmp_path: Path) -> None:
    def fill(folder: Path) -> None:
        with files.new_folder(folder) as aside:
            (aside / "mine").touch()
            folder.mkdir()
            (folder / "theirs").touch()

    with pytest.raises(FileExistsError, match=r"the results are in .*run-2"):
        fill(tmp_path / "run")
    assert sorted(p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*")) == [
        "run", "run-2", "run-2/mine", "run/theirs",
    ]  # fmt: skip


def test_the_current_folder_is_not_replaced(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileExistsError, match=r"in use .* such as run"), files.new_folder(Path()):
        pytest.fail("the work began")


KILLED = """
import os, signal, sys, pathlib
from tinygrad_cnn import files
with files.new_folder(pathlib.Path("run")) as aside, files.new_file(pathlib.Path("a")) as put:
    (aside / "half").touch()
    put(b"half")
    print("there", flush=True)
    sys.stdin.read()
"""


def test_what_a_killed_process_left_is_removed_and_what_a_living_one_writes_is_not(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED], cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "there\n"
    files.write(tmp_path / "b", b"beside")
    assert len([p for p in tmp_path.iterdir() if p.name.endswith(".partial")]) == 2
    process.kill()
    process.communicate()
    foreign = tmp_path / ".tinygrad_cnn.mine.partial"  # not as this module names them
    foreign.touch()
    files.write(tmp_path / "b", b"again")
    assert sorted(tmp_path.iterdir()) == [foreign, tmp_path / "b"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\nb\x1b[1m", r"a\nb\x1b[1m"),
        ("원 circle", "원 circle"),
        ("\u202egnp.exe", r"\u202egnp.exe"),
        ("\udc80", r"\udc80"),
        (Path("a\r"), r"a\r"),
    ],
)
def test_what_comes_from_outside_is_printed_in_one_line_that_does_nothing(text: object, shown: str) -> None:
    assert printable(text) == shown
