"""Files and folders that are written aside and moved into place whole.

What is being written has a random name beside its target, is created exclusively, follows no link, and is locked while
its process lives. So it cannot be made a link to another file, two writers of one target do not collide, and what a
killed process left behind is recognised, because nobody locks it, and is removed by the next writer in that folder.

Where there is no `fcntl` (Windows), nothing is locked, and what a killed process left behind stays.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import secrets
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

try:
    import fcntl
except ImportError:
    fcntl = None  # type: ignore[assignment]

_NAME = re.compile(r"\.tinygrad_cnn\.[0-9a-f]{16}\.partial")
_NO_LINKS = getattr(os, "O_NOFOLLOW", 0)

_unfinished: list[_Aside] = []  # what this process writes at present
_written: list[Path] = []  # what it has written, under the names that the caller gave


def write(path: Path, data: bytes) -> None:
    """Write a file whole or not at all; see `new_file`."""
    with new_file(path) as put:
        put(data)


@contextlib.contextmanager
def new_file(path: Path) -> Iterator[Callable[[bytes], None]]:
    """A function that takes the whole content of `path`, which moves into place at the end of the `with` statement.

    A link is followed, and a file that is replaced keeps its mode. A device or a pipe is written into, and so is a
    file with several hard links, in place: it would lose them otherwise. Raises OSError at the beginning if `path`
    cannot be written to, so that this is known before the work on its content is done.
    """
    with _named(path):
        target = _resolved(path)
        there = target.stat() if target.exists() else None
        if there is not None and stat.S_ISDIR(there.st_mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if there is not None and not os.access(target, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        if there is not None and (not stat.S_ISREG(there.st_mode) or there.st_nlink > 1):
            aside = None
        else:
            aside = _Aside(path, target)
    if aside is None:
        yield lambda data: _write_through(path, target, data)
        return
    with aside:
        aside.create(folder=False, mode=0o666)
        yield aside.write
        aside.move(there)


@contextlib.contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """A folder to fill, which becomes `path`, with its missing parents, at the end of the `with` statement.

    If that ends in an exception, nothing is left. Raises FileExistsError if there is something at `path` already,
    other than an empty folder, which is replaced; OSError if it cannot be created there.
    """
    with _named(path):
        target = _resolved(path)
        there = target.stat() if target.exists() else None
        if there is not None:
            _remove_leftovers(target.parent)
            if not stat.S_ISDIR(there.st_mode) or any(target.iterdir()):
                raise FileExistsError(
                    errno.EEXIST, "it exists already, and nothing is overwritten. Choose another folder"
                )
            if os.path.ismount(target) or target == Path.cwd():
                raise FileExistsError(
                    errno.EEXIST,
                    "this folder is in use (a mount point, or the current folder) and cannot be replaced in one step. "
                    f"Choose a new folder in it, such as {path / 'run'}",
                )
        aside = _Aside(path, target)
        aside.parents = [parent for parent in target.parents if not parent.exists()]
        if not next(parent for parent in target.parents if parent.exists()).is_dir():
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
    with aside:
        with _named(path):
            target.parent.mkdir(parents=True, exist_ok=True)
        aside.create(folder=True, mode=0o777)
        yield aside.path
        aside.move(there)


@contextlib.contextmanager
def temporary_folder() -> Iterator[Path]:
    """A folder for a while, that nobody else can read."""
    aside = _Aside(None, Path(tempfile.gettempdir()).resolve() / "nothing")
    with aside:
        aside.create(folder=True, mode=0o700)
        yield aside.path


def give_up() -> list[Path]:
    """Remove what is being written, for the process is about to end; the names of what it has written."""
    for aside in list(_unfinished):
        aside.give_up()
    return list(dict.fromkeys(_written))


class _Aside:
    """What becomes `target`, under a random name beside it until then.

    Its state is such that a signal handler may ask at any moment whether it has been moved: it is listed before it
    is created, and unlisted after it was moved and that was written down.
    """

    def __init__(self, name: Path | None, target: Path) -> None:
        self.name, self.target = name, target
        self.path = target.parent / f".tinygrad_cnn.{secrets.token_hex(8)}.partial"
        self.created = False
        self.file: int | None = None  # its descriptor, which holds the lock
        self.parents: list[Path] = []  # that had to be created, innermost first

    def __enter__(self) -> _Aside:
        _unfinished.append(self)
        return self

    def create(self, folder: bool, mode: int) -> None:
        """Create it and lock it, anew if somebody who removes leftovers comes in between."""
        with _named(self.name):
            _remove_leftovers(self.path.parent)
            while not self.created:
                if folder:
                    self.path.mkdir(mode)
                    try:
                        self.file = os.open(self.path, os.O_RDONLY | _NO_LINKS) if fcntl is not None else None
                    except FileNotFoundError:  # it was taken for a leftover before it could be locked
                        continue
                else:
                    self.file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NO_LINKS, mode)
                self._lock()
                self.created = self.path.exists()

    def write(self, data: bytes) -> None:
        assert self.file is not None
        with open(os.dup(self.file), "wb") as stream:
            stream.write(data)

    def move(self, there: os.stat_result | None) -> None:
        """Move it to its target, which is, or was, `there`."""
        with _named(self.name):
            if there is not None:
                self._become_like(there)
            if fcntl is None:
                self._close()  # Windows moves nothing that is open
            try:
                self.path.replace(self.target)
            except OSError as error:
                if error.errno not in (errno.ENOTEMPTY, errno.EEXIST) or self.name is None:
                    raise
                instead = free_name(self.target)  # somebody else was faster
                self.path.replace(instead)
                self.target = self.name = instead
                raise FileExistsError(
                    errno.EEXIST, f"it was created in the meantime; the results are in {instead}"
                ) from None
            finally:
                if self.moved and self.name is not None:
                    _written.append(self.name)

    @property
    def moved(self) -> bool:
        return self.created and not os.path.lexists(self.path)

    def give_up(self) -> None:
        if self.moved:
            if self.name is not None:
                _written.append(self.name)
            return
        _remove(self.path)
        for parent in self.parents:
            with contextlib.suppress(OSError):
                parent.rmdir()

    def __exit__(self, *_: object) -> None:
        if not self.moved:
            self.give_up()
        if self in _unfinished:
            _unfinished.remove(self)
        self._close()

    def _become_like(self, there: os.stat_result) -> None:
        with contextlib.suppress(OSError, AttributeError):  # root may give it to its owner, nobody else
            os.chown(self.path, there.st_uid, there.st_gid)
        self.path.chmod(stat.S_IMODE(there.st_mode))

    def _lock(self) -> None:
        if fcntl is not None and self.file is not None:
            with contextlib.suppress(OSError):  # a file system without locks: what is left behind there stays
                fcntl.flock(self.file, fcntl.LOCK_EX)

    def _close(self) -> None:
        file, self.file = self.file, None
        if file is not None:
            os.close(file)


def free_name(path: Path) -> Path:
    """`path`, or path-2, path-3, ... if that is taken."""
    number, free = 1, path
    while os.path.lexists(free):
        number += 1
        free = path.with_name(f"{path.name}-{number}")
    return free


def _write_through(name: Path, target: Path, data: bytes) -> None:
    with _named(name):
        file = os.open(target, os.O_WRONLY | os.O_TRUNC)
        _written.append(name)
        with open(file, "wb") as stream:
            stream.write(data)


def _remove_leftovers(folder: Path) -> None:
    """Remove what processes that do not live any more, of this user, were writing in `folder`."""
    if fcntl is None:
        return
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for path in [entry.path for entry in entries if _NAME.fullmatch(entry.name)]:
            with contextlib.suppress(OSError):
                file = os.open(path, os.O_RDONLY | os.O_NONBLOCK | _NO_LINKS)
                try:
                    if os.fstat(file).st_uid == os.geteuid():
                        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                        _remove(Path(path))
                finally:
                    os.close(file)


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink()


def _resolved(path: Path) -> Path:
    try:
        return path.resolve()
    except RuntimeError:  # links that lead to each other
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP)) from None


@contextlib.contextmanager
def _named(name: Path | None) -> Iterator[None]:
    """Let an OSError name the file that was meant, and not the one aside."""
    try:
        yield
    except OSError as error:
        if error.errno is None:
            raise
        raise type(error)(error.errno, error.strerror, str(name or tempfile.gettempdir())) from None
