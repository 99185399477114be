"""Checkpoints: a training as far as it has come, in a file that is whole or is not there."""

from __future__ import annotations

import json
import os
import re
import warnings
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from tinygrad_cnn import files
from tinygrad_cnn.extras import extra
from tinygrad_cnn.train import saving
from tinygrad_cnn.train.data import DataLoader
from tinygrad_cnn.train.descriptions import described
from tinygrad_cnn.train.run import Best, Run

KEPT = 2
_NAME = re.compile(r"checkpoint-(\d{6,})-(\d{6,})\.safetensors")
_SCALARS = ("epoch", "batch", "losses", "examples", "seconds", "stopped", "ways")


class Checkpoints:
    """The checkpoints of one training, in a folder.

    about: what a training that goes on from them has to have in common with the one that wrote them, by name.
    """

    def __init__(self, folder: str | os.PathLike[str], about: dict[str, Any]) -> None:
        with extra("train", "a checkpoint"):
            import safetensors  # noqa: F401 (which is to be known before an epoch has run)
        self.folder, self.about = Path(folder), about
        self.written: tuple[int, int] | None = None  # the position of the last one

    def paths(self) -> list[Path]:
        """Those that are there, the newest last: a name has the numbers of complete epochs and of batches then done."""
        if not self.folder.exists():
            return []
        names = filter(None, [_NAME.fullmatch(path.name) for path in self.folder.iterdir()])
        return [self.folder / name[0] for name in sorted(names, key=lambda name: (int(name[1]), int(name[2])))]

    def begin(self, start: Run) -> Run:
        """`start`. Raises FileExistsError if there are checkpoints."""
        if paths := self.paths():
            raise FileExistsError(
                f"fit: {self.folder} has checkpoints of an earlier training, such as {paths[-1].name}; pass "
                "resume=True to continue it, or another folder"
            )
        return start

    def write(self, run: Run) -> None:
        """Write one, unless it is written, and remove all but the last two.

        Raises OSError, which names the last good one, if it fails.
        """
        if self.written == (run.epoch, run.batch):
            return
        best = None if run.best.model is run.model else (run.best.model, run.best.state)
        path = self.folder / f"checkpoint-{run.epoch:06}-{run.batch:06}.safetensors"
        content = saving.dumped(
            {
                "about": json.dumps(self.about),
                "model": run.model,
                "state": run.state,
                "memory": run.memory,
                "best": {"epoch": run.best.epoch, "model": best and best[0], "state": best and best[1]},
                "history": json.dumps(run.history),
                **{name: getattr(run, name) for name in _SCALARS},
            }
        )
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            files.write(path, content)
        except OSError as error:
            good = self.paths()
            last = f"the last good checkpoint is {good[-1].name}" if good else "there is no checkpoint yet"
            raise type(error)(error.errno, f"{error.strerror}; {last}", str(path)) from None
        self.written = run.epoch, run.batch
        for old in self.paths()[:-KEPT]:
            old.unlink(missing_ok=True)

    def resume(self, start: Run) -> Run:
        """The newest training that can be read, or `start` if there is none.

        A damaged checkpoint is put aside with a warning. Raises DamagedFileError if all are; ValueError if they are of
        another training than `start`.
        """
        paths = self.paths()
        for path in reversed(paths):
            try:
                loaded = saving.loads(path.read_bytes(), str(path))
            except saving.DamagedFileError as error:
                path.replace(path.with_suffix(".damaged"))
                warnings.warn(f"fit: {error}. It is renamed, and the one before it used", RuntimeWarning, stacklevel=3)
            else:
                return self._restored(loaded, start)
        if paths:
            raise saving.DamagedFileError(f"fit: no checkpoint in {self.folder} can be read; expected one of {KEPT}")
        return start

    def _restored(self, loaded: saving.Loaded, start: Run) -> Run:
        loaded, found = loaded._replace(caller="fit"), loaded.tree
        if not isinstance(found, dict) or "about" not in found:
            raise ValueError(f"fit: {loaded.path} is no checkpoint; expected those of a training, and no other file")
        about = json.loads(found["about"])
        for name, given in json.loads(json.dumps(self.about)).items():
            if given != about.get(name):
                raise ValueError(
                    f"fit: {name} is {given}; the checkpoint {loaded.path} is of a training with {about.get(name)}. "
                    "Resume it with that, or train anew with another folder"
                )
        parts = {part: loaded.like(getattr(start, part), part) for part in ("model", "state", "memory")}
        best = Best(found["best"]["epoch"], parts["model"], parts["state"])
        if found["best"]["model"] is not None:
            kept = loaded._replace(tree=found["best"], static={})
            best = Best(best.epoch, kept.like(start.model, "model"), kept.like(start.state, "state"))
        scalars = {name: found[name] for name in _SCALARS}
        return Run(**parts, best=best, history=json.loads(found["history"]), resumed=True, **scalars)


def described_data(loader: DataLoader) -> dict[str, Any]:
    """What a loader's batches follow from: its examples by a checksum of the first, the last and the targets.

    What is to be read may lie elsewhere now, and its place is not in it.
    """
    x = loader.x
    ends = b"" if loader.read else b"".join(np.asarray(x[k]).tobytes() for k in (0, -1))
    return {
        "the number of examples": len(x),
        "batch_size": loader.batch_size,
        "the shape of the examples": None if loader.read else [list(x.shape[1:]), str(x.dtype)],
        "the checksum of the data": zlib.crc32(np.ascontiguousarray(loader.y).tobytes(), zlib.crc32(ends)),
        "the seed of the order": loader.seed,
        "shuffle": loader.shuffle,
        "drop_last": loader.drop_last,
        "transform": described(loader.transform),
    }
