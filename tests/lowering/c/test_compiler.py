"""tg.compile as C: where the library is kept, what happens without a compiler, threads and interrupts."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from lowering.c.in_c import needs_a_compiler

import tinygrad_cnn as tg
from tinygrad_cnn.lowering import compiled
from tinygrad_cnn.lowering.c import compiler

needs_a_compiler()

W, X = np.linspace(-1, 1, 3), np.linspace(0, 2, 15).reshape(5, 3)


def loss(w, x):
    return np.sum(np.tanh(x @ w) ** 2)


def expect_right(step) -> None:
    value, gradient = step(W, X)
    expected, wanted = tg.value_and_grad(loss)(W, X)
    np.testing.assert_allclose(value, expected, rtol=1e-13)
    np.testing.assert_allclose(gradient, wanted, rtol=1e-12)


@pytest.fixture(autouse=True)
def nothing_was_said(monkeypatch):
    monkeypatch.setattr(compiled, "_warned", set())


@pytest.fixture
def cache(tmp_path, monkeypatch) -> Path:
    """The folder of compiled programs, empty."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "tinygrad_cnn" / "compiled"


@pytest.fixture
def compilations(monkeypatch) -> list[list[str]]:
    """The commands that compile."""
    commands: list[list[str]] = []
    run = compiler._run

    def noting(command):
        if "-o" in command:
            commands.append(command)
        return run(command)

    monkeypatch.setattr(compiler, "_run", noting)
    return commands


def step(backend="c"):
    return tg.compile(tg.value_and_grad(loss), backend=backend)


def test_a_program_is_compiled_once_and_kept_in_a_private_folder(cache, compilations) -> None:
    expect_right(step())
    expect_right(step())
    assert len(compilations) == 1
    assert [path.suffix for path in cache.iterdir()] == [".so"]  # nothing is left beside it
    assert stat.S_IMODE(cache.stat().st_mode) == 0o700


def test_other_flags_another_compiler_and_another_source_are_compiled_anew(cache, compilations, monkeypatch) -> None:
    expect_right(step())
    tg.compile(lambda x: x * 2 + 1, backend="c")(X)
    assert len(compilations) == 2
    with monkeypatch.context() as changed:
        changed.setattr(compiler, "FLAGS", (*compiler.FLAGS, "-g"))
        expect_right(step())
    assert len(compilations) == 3
    with monkeypatch.context() as changed:
        changed.setattr(compiler, "compiler", lambda known=compiler.compiler(): known._replace(identity="another"))
        expect_right(step())
    assert len(compilations) == 4
    assert len(list(cache.iterdir())) == 4


def test_a_bounded_number_of_libraries_is_kept(cache, monkeypatch) -> None:
    monkeypatch.setattr(compiler, "KEPT", 2)
    steps = [tg.compile(lambda x, n=n: x * n + 1, backend="c") for n in range(4)]
    for n, each in enumerate(steps):
        np.testing.assert_array_equal(each(X), X * n + 1)
    assert len(list(cache.iterdir())) == 2
    for n, each in enumerate(steps):  # one whose library was removed still runs
        np.testing.assert_array_equal(each(X), X * n + 1)


def test_a_damaged_library_is_made_anew(cache, compilations, tmp_path, monkeypatch) -> None:
    expect_right(step())
    (library,) = cache.iterdir()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "other"))
    damaged = tmp_path / "other" / "tinygrad_cnn" / "compiled" / library.name
    damaged.parent.mkdir(parents=True, mode=0o700)
    damaged.write_bytes(library.read_bytes()[:1000])
    expect_right(step())
    assert len(compilations) == 2
    assert damaged.stat().st_size == library.stat().st_size


def test_a_folder_that_others_can_write_to_is_not_used(cache) -> None:
    cache.mkdir(parents=True)
    cache.chmod(0o777)
    with pytest.raises(RuntimeError, match=r"open to others.*chmod 700"):
        step()(W, X)
    with pytest.warns(RuntimeWarning, match="open to others"):
        expect_right(step(None))


def test_a_link_in_place_of_the_folder_is_not_followed(cache, tmp_path) -> None:
    cache.parent.mkdir(parents=True)
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    cache.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(RuntimeError, match="not a folder of this user"):
        step()(W, X)
    assert not list((tmp_path / "elsewhere").iterdir())


def test_a_folder_that_cannot_be_made(tmp_path, monkeypatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(RuntimeError, match="compile: backend='c': the folder of compiled programs cannot be made"):
        step()(W, X)
    with pytest.warns(RuntimeWarning, match="cannot be made"):
        expect_right(step(None))


def without_compilers(monkeypatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(compiler.importlib.util, "find_spec", lambda name: None)


def test_without_a_compiler_numpy_runs_the_program_and_this_is_said_once(monkeypatch) -> None:
    without_compilers(monkeypatch)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        for _ in range(2):
            expect_right(step(None))
    assert len(said) == 1
    assert "no C compiler: expected cc on the PATH" in str(said[0].message)
    assert said[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        expect_right(step("numpy"))


def test_without_a_compiler_c_that_was_asked_for_is_an_error(monkeypatch) -> None:
    without_compilers(monkeypatch)
    with pytest.raises(RuntimeError, match=r"no C compiler: expected cc on the PATH.*pip install"):
        step()(W, X)


BROKEN = {
    "fails": ("#!/bin/sh\necho 'cc: error: no space' >&2\nexit 1\n", "failed with status 1: cc: error: no space"),
    "makes nothing": ("#!/bin/sh\nexit 0\n", "cannot be"),
    "cannot be run": ("no program", "cannot be run"),
}


@pytest.mark.skipif(os.name != "posix", reason="the broken compilers are shell scripts")
@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_compiler(name, tmp_path, cache, monkeypatch) -> None:
    text, message = BROKEN[name]
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "cc").write_text(text)
    (tmp_path / "bin" / "cc").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    with pytest.raises(RuntimeError, match=message):
        step()(W, X)
    with pytest.warns(RuntimeWarning, match=message):
        expect_right(step(None))


INTERRUPTED = """
import numpy as np, signal, tinygrad_cnn as tg
noted = []
signal.signal(signal.SIGINT, lambda number, frame: noted.append(number))
step = tg.compile(lambda x: np.tanh(x) ** 2, backend="c")
print(step(np.zeros(3)), noted == [signal.SIGINT])
"""
INTERRUPTING = """#!/bin/sh
case "$*" in *' -o '*) kill -INT -$GROUP; sleep 0.2;; esac
exec CC "$@"
"""


@pytest.mark.skipif(os.name != "posix", reason="the compiler is a shell script")
def test_ctrl_c_does_not_reach_a_compiler_that_runs(tmp_path, cache) -> None:
    """A terminal sends it to all processes of a group. Python's own handler decides what it ends, as in train.fit."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "cc").write_text(INTERRUPTING.replace("CC", str(shutil.which("cc"))))
    (tmp_path / "bin" / "cc").chmod(0o755)
    env = {**os.environ, "PATH": f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}"}
    code = f"import os; os.environ['GROUP'] = str(os.getpgrp())\n{INTERRUPTED}"
    done = subprocess.run(
        [sys.executable, "-c", code], env=env, capture_output=True, text=True, check=False, start_new_session=True
    )
    assert (done.stdout, done.stderr) == ("[0. 0. 0.] True\n", "")


def test_another_backend_is_an_error() -> None:
    with pytest.raises(ValueError, match="compile: backend is 'fortran'; expected 'c', 'numpy' or None"):
        tg.compile(loss, backend="fortran")


def test_threads_call_one_step() -> None:
    compiled_step = step()
    inputs = [X * (1 + k / 10) for k in range(8)]
    expected = [tg.value_and_grad(loss)(W, x) for x in inputs]
    with ThreadPoolExecutor(4) as pool:
        for _ in range(50):
            found = list(pool.map(lambda x: compiled_step(W, x), inputs))
            for (value, gradient), (wanted, slope) in zip(found, expected, strict=True):
                np.testing.assert_allclose(value, wanted, rtol=1e-13)
                np.testing.assert_allclose(gradient, slope, rtol=1e-12)


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="there is no timer that interrupts")
def test_an_interrupt_leaves_the_step_usable() -> None:
    compiled_step = step()
    expect_right(compiled_step)

    class InterruptedError(Exception):
        pass

    def interrupt(*_):
        raise InterruptedError

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        for k in range(40):
            try:
                signal.setitimer(signal.ITIMER_REAL, 2e-6 * (k + 1))
                for _ in range(1000):
                    compiled_step(W, X)
            except InterruptedError:
                pass
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0)
            expect_right(compiled_step)
    finally:
        signal.signal(signal.SIGALRM, before)
