"""The table of sentences: each is in use, can be filled in, and is plain English."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from tinygrad_cnn.check import sentences
from tinygrad_cnn.check.diagnose.edits import source_edits
from tinygrad_cnn.check.diagnose.edits.wording import MENDS

TEXTS = {name: value for name, value in vars(sentences).items() if name.isupper() and isinstance(value, str)}
TABLES = {name: value for name, value in vars(sentences).items() if name.isupper() and isinstance(value, Mapping)}
EVERY = [*TEXTS.items(), *((f"{t}[{key!r}]", text) for t, table in TABLES.items() for key, text in table.items())]
CODE = "".join(
    file.read_text(encoding="utf-8")
    for file in Path(sentences.__file__).parent.rglob("*.py")
    if file != Path(sentences.__file__)
)


def test_every_sentence_can_be_produced() -> None:
    assert len(EVERY) > 150
    assert [name for name in [*TEXTS, *TABLES] if not re.search(rf"\bsentences\.{name}\b", CODE)] == []
    unused = {key for table in TABLES.values() for key in table if f'"{key}"' not in CODE}
    assert unused == {"scale_of_length"}
    assert '("scale" if root else "scale_of") + ("_length" if' in CODE  # these


def test_the_edits_of_lines_that_have_a_sentence_are_those_that_are_made() -> None:
    code = "\n".join(x.read_text(encoding="utf-8") for x in Path(source_edits.__file__).parent.glob("*.py"))
    assert [key for key in sentences.EDITS_OF_LINES if f'"{key}"' not in code] == []


def test_a_mistake_that_an_edit_mends_has_a_sentence() -> None:
    assert MENDS.keys() <= sentences.EDITS_OF_LINES.keys()
    assert {*MENDS.values()} <= sentences.EDITS.keys()


@pytest.mark.parametrize(("name", "text"), EVERY, ids=[name for name, _ in EVERY])
def test_a_sentence_is_plain_english(name: str, text: str) -> None:
    private = r"\b(the hand(?!-)|by hand|witness numbers|turns?|told|said|seen to|held against|room|apart|run away)\b"
    assert not re.search(private, text)
    assert "  " not in text.strip() or name == "YOU_AND_RIGHT"
    assert not re.search(r"\boperand \d", text)
    if name.isupper() and text[0].isupper() and " " in text and name not in {"IT", "ELEMENT", "ALONG_RANDOM_DIRECTION"}:
        assert text.endswith((".", "{sentence}")), "a sentence ends with a full stop"


def test_two_numbers_are_written_so_that_they_differ() -> None:
    assert sentences.distinct(1.0, 1.0 + 1e-8) == ("1", "1.00000001")
    assert sentences.distinct(-0.25, -0.0) == ("-0.25", "0")
    assert sentences.distinct(2.0, 2.0) == ("2", "2")


def test_names_are_listed_as_in_a_sentence() -> None:
    assert sentences.listed(["W"]) == "W"
    assert sentences.listed(["W", "b"]) == "W and b"
    assert sentences.listed(["W", "b", "c"]) == "W, b and c"
    assert sentences.listed([f"w{k}" for k in range(20)]).endswith("w7 and 12 more")
