"""What the command says of trainings that make no sense, before anything is trained."""

from __future__ import annotations

from pathlib import Path

import pytest

pytestmark = pytest.mark.cli


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--recipe", "cnn", "--data", "D", "--classes", "circles,stars"],
         "D: there is no folder for the class 'stars'; it has circles, squares, triangles. Pass --classes"),
        (["--recipe", "cnn", "--data", "D", "--classes", "circles"], "expected at least two names"),
        (["--recipe", "cnn", "--data", "D", "--classes", "circles,circles"], "a class is named twice"),
        (["--recipe", "cnn", "--classes", "circles,squares"], "--classes needs a folder of drawings"),
        (["--recipe", "cnn", "--split", "12+2"], "--split needs a folder of drawings"),
        (["--recipe", "cnn", "--data", "D", "--split-seed", "3"], "--split-seed needs a random split"),
        (["--recipe", "robust", "--classes", "a,b"], "--classes needs --recipe cnn or synthetic"),
        (["--recipe", "cnn", "--gradient", "hand"], "--gradient has no effect with --recipe cnn. Leave it out"),
        (["--recipe", "cnn", "--no-invert"], "--invert has no effect with --recipe cnn. Leave it out"),
        (["--recipe", "cnn", "--epochs", "0"], "--epochs 0 trains nothing"),
        (["--recipe", "synthetic", "--data", "D", "--split", "3+2"], "--split has no effect with --recipe synthetic"),
        (["--recipe", "synthetic", "--data", "D", "--classes", "circles,stars"], "cannot draw the class 'stars'"),
        (["--resume", "nowhere"], "nowhere: there is no such run; expected a run with its checkpoints"),
        (["--resume", "D"], "D: it is finished; expected a run with its checkpoints"),
        (["--resume", "nowhere", "--recipe", "cnn"], "--recipe cannot be combined with --resume. Leave it out"),
    ],
)  # fmt: skip
def test_trainings_that_make_no_sense_are_refused_in_one_line(command, drawings, arguments, message) -> None:
    code, out, err = command("train", *[drawings if word == "D" else word for word in arguments])
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert message.replace("D:", f"{drawings}:") in err
    assert not Path("runs").exists()
