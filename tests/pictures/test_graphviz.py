"""Laying out: with the engine in pygraphviz's wheel, with the system's, without fonts, and with neither."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from render_graphs import small

import tinygrad_cnn as tg
from tinygrad_cnn.pictures.write import graphviz

DOT = 'digraph { a [label="A long enough word"]; a -> b }'


def run(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Python code in a process of its own, with these variables."""
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, env=os.environ | environment
    )


@pytest.fixture
def without_system_dot(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")


@pytest.mark.usefixtures("without_system_dot")
@pytest.mark.parametrize(("format", "begins"), [("svg", b"<?xml"), ("png", b"\x89PNG"), ("pdf", b"%PDF")])
def test_the_engine_in_the_wheel_is_enough(format: str, begins: bytes) -> None:
    assert graphviz.laid_out(DOT, format).startswith(begins)


def test_a_dot_of_the_system_is_preferred(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "dot"
    program.write_text(
        f"#!{sys.executable}\nimport sys\nprint('<svg from the system>', sys.argv[1:], len(sys.stdin.read()))\n"
    )
    program.chmod(program.stat().st_mode | stat.S_IEXEC)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    assert graphviz.laid_out(DOT, "svg").decode().strip() == f"<svg from the system> ['-Kdot', '-Tsvg'] {len(DOT)}"


def test_a_dot_that_fails_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "dot"
    program.write_text(f"#!{sys.executable}\nimport sys\nsys.exit('no such format')\n")
    program.chmod(program.stat().st_mode | stat.S_IEXEC)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    assert graphviz.laid_out(DOT, "png").startswith(b"\x89PNG")


def test_on_a_machine_without_fonts_there_is_writing_all_the_same(tmp_path: Path) -> None:
    """In the DejaVu fonts that matplotlib carries; without any, letters would be empty boxes, or nothing."""
    none = tmp_path / "fonts.conf"
    none.write_text('<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig></fontconfig>')
    code = (
        "import os, pathlib; from tinygrad_cnn.pictures.write import graphviz\n"
        "DOT = 'digraph { node [shape=plain fontsize=40]; a [label=\"%s\"] }'\n"
        "for i, word in enumerate(['iiii', 'HHHH']):\n"
        f"    pathlib.Path(r'{tmp_path}', f'{{i}}.png').write_bytes(graphviz.laid_out(DOT % word, 'png'))\n"
        f"pathlib.Path(r'{tmp_path}', 'p.pdf').write_bytes(graphviz.laid_out(DOT % 'word', 'pdf'))\n"
        "print(os.environ['FONTCONFIG_FILE'])"
    )
    done = run(code, FONTCONFIG_FILE=str(none), PATH="")
    assert (done.returncode, done.stdout.strip()) == (0, str(none)), done.stderr
    thin, wide = (cv2.imread(str(tmp_path / f"{i}.png"), cv2.IMREAD_GRAYSCALE) for i in (0, 1))
    ink = [int(np.sum(image < 128)) for image in (thin, wide)]
    assert ink[0] > 100
    assert ink[1] > 2 * ink[0]  # H has more ink than i, as empty boxes would not
    assert wide.shape[1] > 1.8 * thin.shape[1]  # and is wider
    assert b"DejaVu" in (tmp_path / "p.pdf").read_bytes()


def test_without_an_engine_there_is_the_dot_text_and_a_word_of_what_to_install(tmp_path: Path) -> None:
    code = (
        "import sys; sys.modules['pygraphviz'] = None\n"
        "import numpy as np, tinygrad_cnn as tg\n"
        "picture = tg.render(np.exp(tg.Tensor(1.0, 'x')))\n"
        "assert picture._repr_svg_() is None\n"
        "assert 'digraph' in picture._repr_html_() and 'pip install' in picture._repr_html_()\n"
        "assert picture.dot.startswith('digraph')\n"
        f"tg.render(np.exp(tg.Tensor(1.0, 'x')), r'{tmp_path / 'g.svg'}')\n"
    )
    done = run(code, PATH="")
    last = done.stderr.strip().splitlines()[-1]
    assert "install Graphviz (apt-get install graphviz" in last
    assert last.endswith(f"The picture is in {tmp_path / 'g.dot'}, as DOT")
    assert [path.name for path in tmp_path.iterdir()] == ["g.dot"]
    assert (tmp_path / "g.dot").read_text().startswith("digraph")


def test_the_engine_says_nothing_on_the_terminal() -> None:
    code = "import tinygrad_cnn as tg, numpy as np; tg.render(np.exp(tg.Tensor([1.0], 'x')), values='thumbnails').png"
    done = run(code, PATH="")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_environment_is_left_as_it_was() -> None:
    before = dict(os.environ)
    assert "<svg" in tg.render(small()[1]).svg
    assert dict(os.environ) == before
