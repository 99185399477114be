"""What a program is written as: by suffix, or by the name of a target."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import tinygrad_cnn as tg

PROGRAM = tg.program(lambda x: 2 * np.sin(x))(np.ones(3))


@pytest.mark.parametrize(("suffix", "to"), [(".py", "numpy"), (".c", "c"), (".js", "js")])
def test_the_suffix_says_what_is_written_and_so_does_to(suffix: str, to: str, tmp_path: Path) -> None:
    PROGRAM.save(tmp_path / f"step{suffix}")
    PROGRAM.save(tmp_path / "step.txt", to=to)
    assert (tmp_path / f"step{suffix}").read_text() == (tmp_path / "step.txt").read_text() == PROGRAM.source(to=to)


@pytest.mark.parametrize(
    ("name", "to", "message"),
    [
        ("step.txt", None, r"cannot tell from '.*step\.txt' what to write; expected to=, or one of \.py, \.c"),
        ("step", None, r"cannot tell from '.*step' what to write"),
        ("step.py", "fortran", r"to='fortran' is no target; expected one of numpy, c"),
    ],
)
def test_what_is_no_target_is_refused_before_anything_is_written(
    name: str, to: str | None, message: str, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=message):
        PROGRAM.save(tmp_path / name, to=to)
    assert not list(tmp_path.iterdir())
