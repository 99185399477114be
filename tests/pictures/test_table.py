"""The graph as a table in a terminal: within its columns, of which a Korean letter takes two."""

from __future__ import annotations

import dataclasses
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from fcntl import ioctl

import numpy as np
import pytest
from paths import ROOT
from rich.cells import cell_len

import tinygrad_cnn as tg
from tinygrad_cnn import columns, nn


def drawn() -> tg.pictures.Picture:
    weights, bias = tg.Tensor(np.ones((3, 4)), "가중치"), tg.Tensor(np.ones(4), "편향")
    with tg.scope("첫째 층"):
        hidden = tg.named(np.tanh(np.ones((2, 3)) @ weights + bias), "은닉 상태의 값")
    return tg.render(np.sum(tg.max_pool2d(hidden, (2, 2), (1, 1))), depth="all", values="thumbnails")


@pytest.mark.parametrize("within", [60, 80, 120])
def test_no_line_is_wider_than_the_terminal(within: int) -> None:
    lines = drawn().text(within).splitlines()
    assert max(map(cell_len, lines)) <= within
    assert "가중치" in drawn().text(within)


def test_columns_stand_below_each_other_where_letters_are_wide() -> None:
    lines = drawn().text().splitlines()
    head = next(k for k, line in enumerate(lines) if "how" in line)
    at = lines[head].index("value")
    assert {cell_len(line[: line.index("float64")]) for line in lines[head + 1 :]} == {at}


def test_what_a_line_leaves_out_is_marked() -> None:
    whole, narrow = drawn().text(), drawn().text(80)
    assert "…" not in whole.replace(" … ", "")
    assert "max_pool2d(은닉 상태의 값, window=(2, 2), stride=(1, 1))   0.9993" in whole
    assert re.search(r"max_pool2d\(은닉 .*…   0\.9993", narrow)


def test_what_is_wrong_is_left_out_last() -> None:
    x = tg.Tensor(-np.ones((30, 40)), "x")
    with np.errstate(all="ignore"):
        wrong = tg.named(np.log(np.transpose(x[:, :, np.newaxis, np.newaxis], (3, 1, 0, 2)) * 1e9), "wrong")
    assert "! NaN" in tg.render(wrong, depth="all", values="thumbnails").text(60)


@pytest.mark.parametrize(
    "text", ["", "plain", "가중치 W", "e\u0301te\u0301", "ＷＩＤＥ", "∂L/∂x", "日本語テキスト", "\u200bx"]
)
def test_the_width_of_text_is_that_of_another_implementation(text: str) -> None:
    assert columns.width(text) == cell_len(text)
    for to in range(1, 12):
        short = columns.shortened(text, to)
        assert cell_len(short) <= to
        assert short == text or short.endswith("…")
        assert cell_len(columns.padded(short, to)) == to


def test_a_table_of_layers_is_straight_with_korean_names() -> None:
    @dataclasses.dataclass
    class Model(nn.Layer):
        합성곱: nn.Linear
        b: nn.Linear

    lines = str(Model(nn.Linear(3, 4), nn.Linear(4, 2))).splitlines()
    assert [cell_len(line[: line.index("Linear")]) for line in lines if "Linear" in line] == [
        len("  합성곱") + 3 + 2
    ] * 2


@pytest.mark.cli
@pytest.mark.slow
def test_the_command_prints_within_the_terminal() -> None:
    ours, theirs = pty.openpty()
    ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    environment = {key: value for key, value in os.environ.items() if key != "COLUMNS"}
    command = [sys.executable, "-m", "tinygrad_cnn", "graph", "--values", "--depth", "all"]
    process = subprocess.Popen(command, stdout=theirs, stdin=theirs, cwd=ROOT, env=environment)
    os.close(theirs)
    found = b""
    try:
        while some := os.read(ours, 65536):
            found += some
    except OSError:  # the terminal is closed at the end
        pass
    os.close(ours)
    assert process.wait() == 0
    assert 70 < max(map(cell_len, found.decode().splitlines())) <= 80
