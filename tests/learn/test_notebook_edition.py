"""The exercises as notebooks: of the format, of the same data, and judged in a kernel as in the watch mode."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tinygrad_cnn.learn import folder as folders
from tinygrad_cnn.learn import magics, notebooks
from tinygrad_cnn.learn.blanks import filled, without_marks
from tinygrad_cnn.learn.course import LANGUAGES, Language, course
from tinygrad_cnn.learn.lesson import quoted
from tinygrad_cnn.learn.words import FRAME, sentence

FIRST = course()[0]
GRADIENT = next(e for e in course() if not e.calls)


def written(path: Path, language: Language) -> dict[str, Any]:
    return {file.stem: json.loads(file.read_text(encoding="utf-8")) for file in notebooks.write(path, language)}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_exercise_is_in_the_notebook_of_its_section(language: Language, tmp_path: Path) -> None:
    nbformat = pytest.importorskip("nbformat", reason="pip install '.[test]' has nbformat")
    books = written(tmp_path / "books", language)
    heads = []
    for section, book in books.items():
        nbformat.validate(book)
        code = ["".join(cell["source"]) for cell in book["cells"] if cell["cell_type"] == "code"]
        assert code[0].endswith(f'magics.load("{language}")')
        heads += [(section, source.splitlines()[0]) for source in code[1:]]
    assert heads == [(e.folder.parent.name, f"%%exercise {e.number}") for e in course()]


def test_what_is_there_stays_as_it_is(tmp_path: Path) -> None:
    learner = folders.start(tmp_path / "backprop", "ko")
    (first, *_) = notebooks.write(learner.path)
    assert 'magics.load("ko")' in json.dumps(json.loads(first.read_text(encoding="utf-8"))).replace('\\"', '"')
    first.write_text("mine")
    with pytest.raises(folders.FolderError, match="is there already, and stays as it is"):
        notebooks.write(learner.path)
    assert first.read_text() == "mine"
    (tmp_path / "others").mkdir()
    (tmp_path / "others" / "file").touch()
    with pytest.raises(folders.FolderError, match="is there already, and not empty"):
        notebooks.write(tmp_path / "others")


def test_elsewhere_than_in_a_notebook_it_is_an_error() -> None:
    with pytest.raises(RuntimeError, match=r"magics.load: this is no notebook"):
        magics.load()


def test_cells_are_judged_in_a_kernel(tmp_path: Path) -> None:
    nbclient = pytest.importorskip("nbclient", reason="pip install '.[test]' has nbclient")
    nbformat = pytest.importorskip("nbformat")
    pytest.importorskip("ipykernel", reason="pip install '.[test]' has ipykernel")
    wrong = GRADIENT.wrong[0].blanks
    places = {(b.within, b.name): wrong[b.name] for b in GRADIENT.blanks if b.name in wrong}
    cells = [
        'from tinygrad_cnn.learn import magics\nmagics.load("ko")',
        f"%%exercise {FIRST.number}\n{without_marks(FIRST.solution)}",
        FIRST.calls[0],  # what is right is defined in the notebook
        f"%solution {GRADIENT.number}",  # before an attempt
        f"%%exercise {GRADIENT.number}\n{filled(without_marks(GRADIENT.solution), places)}",
        "%hint",  # of the exercise that was judged last
        "%solution",
        "%hint 99.9",
    ]
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    client = nbclient.NotebookClient(book, timeout=120, allow_errors=True, resources={"metadata": {"path": tmp_path}})
    done = client.execute()
    shown = [_shown(cell) for cell in done.cells]
    assert shown[0] == ""
    assert shown[1] == sentence(FRAME, "solved", "ko")
    assert float(shown[2]) == eval(FIRST.calls[0], _defined(FIRST.solution))
    assert shown[3] == sentence(FRAME, "try_first", "ko")
    (name,) = wrong
    assert shown[4].startswith(sentence(FRAME, "wrong", "ko", name=quoted(name)))
    (line,) = re.findall(rf"(\d+)번째 줄:  {name} = ", shown[4])
    assert f"{name} = " in cells[4].splitlines()[int(line) - 1], "lines are counted as the notebook shows them"
    assert shown[5] == f"{sentence(FRAME, 'hint', 'ko', n=1, all=3)}\n\n{GRADIENT.hints['ko'][0]}"
    assert shown[6] == without_marks(GRADIENT.solution).strip()
    assert "there is no exercise '99.9'" in shown[7]

    progress = folders.opened(tmp_path)
    assert progress.of(FIRST).solved
    assert (progress.of(GRADIENT).attempts, progress.of(GRADIENT).hints, progress.of(GRADIENT).seen) == (1, 1, True)


def _shown(cell: Any) -> str:
    found = []
    for output in cell.outputs:
        if output.output_type == "stream":
            found.append(output.text)
        elif output.output_type == "error":
            found.append(output.evalue)
        else:
            found.append(output.data["text/plain"])
    return "".join(found).strip()


def _defined(source: str) -> dict[str, Any]:
    names: dict[str, Any] = {}
    exec(source, names)
    return names
