"""The C compiler: which one, what it makes of a source, and the private folder where that is kept."""

from __future__ import annotations

import contextlib
import ctypes
import functools
import hashlib
import importlib.util
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

from tinygrad_cnn import files

# IEEE arithmetic: nothing is reordered, and only matrix products and convolutions contract x * y + z (which BLAS does
# too; they say so themselves). What is left out, errno and traps of the processor, changes no result.
FLAGS = (
    "-std=gnu11", "-O3", "-march=native", "-ffp-contract=off", "-fno-math-errno", "-fno-trapping-math", "-fwrapv",
    "-fPIC", "-shared", "-pthread",
)  # fmt: skip
PATIENCE = 300  # seconds
KEPT = 1000  # libraries in the folder, those loaded last


class CompilerError(RuntimeError):
    """There is no C compiler, it does not work, or its results cannot be kept."""


class Compiler(NamedTuple):
    """A compiler for this machine.

    command   how it is called
    identity  its version and what it knows of the processor: all that it predefines
    vector    how many bytes a vector register has
    """

    command: tuple[str, ...]
    identity: str
    vector: int


def compiler() -> Compiler:
    """The compiler `cc`, or that of the ziglang wheel. Raises CompilerError if there is neither."""
    if found := shutil.which("cc"):
        return _examined((found,))
    if importlib.util.find_spec("ziglang") is not None:
        return _examined((sys.executable, "-m", "ziglang", "cc"))
    raise CompilerError("no C compiler: expected cc on the PATH. Install one, or pip install 'tinygrad-cnn[compile]'")


@functools.lru_cache(maxsize=8)
def _examined(command: tuple[str, ...]) -> Compiler:
    defined = _run([*command, *FLAGS, "-dM", "-E", "-x", "c", os.devnull]).decode(errors="replace")
    vector = 64 if "__AVX512F__" in defined else 32 if "__AVX__" in defined else 16
    return Compiler(command, hashlib.sha256(defined.encode()).hexdigest(), vector)


def _run(command: list[str]) -> bytes:
    group = None if os.name == "nt" else 0  # of its own: Ctrl-C is for Python alone to handle
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE, check=False, process_group=group
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise CompilerError(f"the C compiler {command[0]} cannot be run: {error}") from None
    if done.returncode:
        lines = (done.stderr or done.stdout).decode(errors="replace").strip().splitlines() or ["no message"]
        said = next((line for line in lines if "error" in line.lower()), lines[-1])
        raise CompilerError(f"the C compiler {command[0]} failed with status {done.returncode}: {said}")
    return done.stdout


def library(source: str) -> Any:
    """The compiled source, loaded. It is compiled only if the folder has no library of this source, made by this
    compiler for this processor.
    """
    made_by = compiler()
    key = "\0".join([source, *made_by.command, *FLAGS, made_by.identity])
    path = _folder() / f"{hashlib.sha256(key.encode()).hexdigest()}.so"
    if _is_intact(path):
        with contextlib.suppress(OSError):  # what cannot be loaded is made anew
            os.utime(path)
            return ctypes.CDLL(str(path))
    try:
        with files.temporary_folder() as folder:
            (folder / "program.c").write_text(source, encoding="utf-8")
            _run([*made_by.command, *FLAGS, str(folder / "program.c"), "-o", str(folder / "program.so"), "-lm"])
            made = (folder / "program.so").read_bytes()
        files.write(path, made + hashlib.sha256(made).digest())  # what follows a library, nobody reads
        _remove_oldest(path.parent)
        return ctypes.CDLL(str(path))
    except OSError as error:
        raise CompilerError(f"what the C compiler made cannot be kept or loaded: {error}") from None


def _remove_oldest(folder: Path) -> None:
    """Remove the libraries that have not been loaded for longest. A program that runs one keeps it."""
    libraries = list(folder.glob("*.so"))
    if len(libraries) > KEPT:
        with contextlib.suppress(OSError):  # another process removes them too
            for path in sorted(libraries, key=lambda path: path.stat().st_mtime)[:-KEPT]:
                path.unlink()


def _is_intact(path: Path) -> bool:
    """Whether a library is there and is what was written: loading a part of one ends the process."""
    try:
        kept = path.read_bytes()
    except OSError:
        return False
    return hashlib.sha256(kept[:-32]).digest() == kept[-32:]


def _folder() -> Path:
    """The folder of compiled programs, which nobody else can write to: code in it is run."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    folder = (Path(base) if os.path.isabs(base) else Path.home() / ".cache") / "tinygrad_cnn" / "compiled"
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError):
            folder.mkdir(mode=0o700)
        there = folder.lstat()
    except OSError as error:
        raise CompilerError(f"the folder of compiled programs cannot be made: {error}") from None
    if not stat.S_ISDIR(there.st_mode) or (hasattr(os, "geteuid") and there.st_uid != os.geteuid()):
        raise CompilerError(f"{folder} is not a folder of this user: compiled programs are not kept there. Remove it")
    if os.name == "posix" and stat.S_IMODE(there.st_mode) & 0o077:
        raise CompilerError(f"{folder} is open to others: expected mode 700. Run chmod 700 on it")
    return folder
