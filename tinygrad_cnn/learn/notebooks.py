"""The exercises as Jupyter notebooks, one for each section, made of the same data; magics has what judges a cell."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tinygrad_cnn.learn.blanks import starter
from tinygrad_cnn.learn.course import Exercise, Language, course, sections
from tinygrad_cnn.learn.folder import PROGRESS, Folder, FolderError, opened, write_new

INTRODUCTION: Mapping[Language, str] = {
    "en": """
        # {title}

        Fill in each `...` and run the cell: it is judged below, whenever you run it. Its code runs in a process of its
        own; once it is right, what it defines is defined in the notebook too.

        In a cell of its own, `%hint` gives the next of three hints for the exercise that was judged last, and
        `%solution` the solution, after an attempt; `%hint {first}` is for another one. If the next cell fails, run
        `%pip install 'tinygrad-cnn[learn]'` first.
    """,
    "ko": """
        # {title}

        `...`을 채우고 셀을 실행하세요. 실행할 때마다 아래에서 채점됩니다. 셀의 코드는 별도의 프로세스에서
        실행되고, 맞으면 정의한 것을 노트북에서도 쓸 수 있습니다.

        다른 셀에서 `%hint`는 마지막으로 채점한 문제의 힌트 셋을 차례로 보여 주고, `%solution`은 시도한 뒤에 풀이를
        보여 줍니다. 다른 문제는 `%hint {first}`처럼 씁니다. 다음 셀이 실패하면 먼저
        `%pip install 'tinygrad-cnn[learn]'`을 실행하세요.
    """,
}


def write(path: Path, language: Language | None = None) -> list[Path]:
    """Write the notebooks into a new folder, or into a learner's, whose language they have. Raises FolderError."""
    learners = (path / PROGRESS).exists()
    if path.exists() and not learners and (not path.is_dir() or any(path.iterdir())):
        raise FolderError(f"{path}: is there already, and not empty; name another folder")
    folder = opened(path) if learners else Folder(path, language or "en", course()[0].number)
    made = {path / f"{group[0].folder.parent.name}.ipynb": notebook(group, folder.language) for group in sections()}
    there = [file for file in made if file.exists()]
    if there:
        raise FolderError(f"{there[0]}: is there already, and stays as it is; name another folder")
    try:
        path.mkdir(parents=True, exist_ok=True)
        for file, data in made.items():
            write_new(file, json.dumps(data, indent=1, ensure_ascii=False) + "\n")
    except OSError as error:
        raise FolderError(f"{path}: cannot be written: {error.strerror or error}") from None
    if not learners:
        folder.save()
    return list(made)


def notebook(exercises: Sequence[Exercise], language: Language) -> dict[str, Any]:
    """Some exercises as a notebook, of format 4.5."""
    first = exercises[0]
    introduction = "\n".join(line.strip() for line in INTRODUCTION[language].strip().splitlines())
    introduction = introduction.format(title=first.section[language], first=first.number)
    setup = f'from tinygrad_cnn.learn import magics\n\nmagics.load("{language}")'
    cells = [_cell("markdown", "introduction", introduction), _cell("code", "setup", setup)]
    for exercise in exercises:
        name = f"exercise-{exercise.number.replace('.', '-')}"
        title = f"## {exercise.number} {markdown(exercise.title[language])}"
        cells.append(_cell("markdown", f"{name}-text", f"{title}\n\n{markdown(exercise.text(language))}"))
        cells.append(_cell("code", name, f"%%exercise {exercise.number}\n{starter(exercise.solution).rstrip()}"))
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return {
        "cells": cells,
        "metadata": {"kernelspec": kernel, "language_info": {"name": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def markdown(text: str) -> str:
    r"""Plain text as Markdown: indented lines are code, and in the others nothing is markup.

    >>> print(markdown("The slope of x * y:\n    dx = y"))
    The slope of x \* y:
    <BLANKLINE>
        dx = y
    """
    return "\n".join(_markdown(text.splitlines()))


def _markdown(lines: list[str]) -> Iterator[str]:
    before = ""
    for line in lines:
        code = line.startswith("    ")
        if code and before and not before.startswith("    "):
            yield ""
        yield line if code else re.sub(r"([\\`*_<>$\[\]#|~])", r"\\\1", line)
        before = line


def _cell(kind: str, name: str, source: str) -> dict[str, Any]:
    cell: dict[str, Any] = {"cell_type": kind, "id": name, "metadata": {}, "source": source.splitlines(keepends=True)}
    return cell | ({"execution_count": None, "outputs": []} if kind == "code" else {})
