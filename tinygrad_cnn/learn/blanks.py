"""Blanks: lines of a solution that a learner writes, and how they are taken out, filled in and found again.

A statement whose line ends in `# blank` is one: an assignment, an augmented assignment or a return. The learner has
`...` in place of its right-hand side. A line may also end in `# given: dz = y - h`: then the learner is given that
statement, which is wrong, and has to mend it.
"""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

_MARK = re.compile(r"\s*# (?:blank|given: (?P<given>.+))$")
Statement = ast.Assign | ast.AugAssign | ast.AnnAssign | ast.Return


@dataclass(frozen=True)
class Blank:
    """A statement that is filled in.

    name     what it assigns to, as it is written, or "return"; of several that assign to the same "dx (2)"
    line     its first line
    within   the function that it stands in, "" outside of functions
    value    its right-hand side, as it is written
    text     all of it, as it is written
    """

    name: str
    line: int
    within: str
    value: str
    text: str = ""

    @property
    def empty(self) -> bool:
        """Whether nothing is filled in."""
        return self.value == "..."


def blanks_of(solution: str) -> list[Blank]:
    """Those of a solution, in order."""
    lines = solution.splitlines()
    return [
        blank
        for blank, statement in _statements(solution)
        if _MARK.search(lines[(statement.end_lineno or statement.lineno) - 1])
    ]


def starter(solution: str) -> str:
    """The solution with its blanks taken out."""
    lines = solution.splitlines()
    for _, statement in reversed(_statements(solution)):
        last = (statement.end_lineno or statement.lineno) - 1
        mark = _MARK.search(lines[last])
        if mark is None:
            continue
        first, indent = statement.lineno - 1, " " * statement.col_offset
        written = mark["given"] or f"{_before_value(solution, statement)}..."
        lines[first : last + 1] = [indent + written]
    return "\n".join(lines) + "\n"


def as_given(solution: str) -> dict[str, str]:
    """The wrong statements that the learner is given, by the name of the blank."""
    lines = solution.splitlines()
    marks = {b.name: _MARK.search(lines[(s.end_lineno or s.lineno) - 1]) for b, s in _statements(solution)}
    return {name: mark["given"] for name, mark in marks.items() if mark is not None and mark["given"]}


def same_code(one: str, other: str, any_number: bool = False) -> bool:
    """Whether two statements are alike but for spaces and line breaks, and for the numbers in them if `any_number`."""
    trees = [ast.parse(one), ast.parse(other)]
    for node in (node for tree in trees if any_number for node in ast.walk(tree)):
        if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
            node.value = 0
    return ast.dump(trees[0]) == ast.dump(trees[1])


def without_marks(solution: str) -> str:
    """The solution as it is shown."""
    return "\n".join(_MARK.sub("", line) for line in solution.splitlines()) + "\n"


def answers(source: str, blanks: list[Blank]) -> dict[str, Blank | None]:
    """What a learner's source has in place of each blank of the solution; None where the statement is gone.

    Raises SyntaxError.
    """
    written = {(blank.within, blank.name): blank for blank, _ in _statements(source)}
    return {blank.name: written.get((blank.within, blank.name)) for blank in blanks}


def filled(source: str, values: Mapping[tuple[str, str], str]) -> str:
    """`source` with other right-hand sides, by function and name, each on the lines that the old one had."""
    for blank, statement in reversed(_statements(source)):
        value = values.get((blank.within, blank.name))
        if value is not None and statement.value is not None:
            source = _replaced(source, statement.value, value)
    return source


def assigned_as_in(solution: str, source: str) -> tuple[str, list[Blank]]:
    """`source` with = or += wherever the solution has the one at a blank and the source the other; and these blanks."""
    names = {(blank.within, blank.name) for blank in blanks_of(solution)}
    types = {(blank.within, blank.name): type(statement) for blank, statement in _statements(solution)}
    changed = []
    for blank, statement in reversed(_statements(source)):
        at = (blank.within, blank.name)
        if at not in names or {types[at], type(statement)} != {ast.Assign, ast.AugAssign}:
            continue
        assert isinstance(statement, ast.Assign | ast.AugAssign)
        target = statement.targets[0] if isinstance(statement, ast.Assign) else statement.target
        end, start = _span(source, target)[1], _span(source, statement.value)[0]
        operator = "+=" if types[at] is ast.AugAssign else "="
        source = source[:end] + re.sub(r"\S?=", operator, source[end:start], count=1) + source[start:]
        changed.append(blank)
    return source, changed


@functools.lru_cache(maxsize=64)  # to judge an answer takes many looks at the same sources
def _statements(source: str) -> tuple[tuple[Blank, Statement], ...]:
    """The statements that could be blanks, as such, in order."""
    found: list[tuple[Blank, Statement]] = []
    seen: dict[tuple[str, str], int] = {}
    for within, statement in _walk(ast.parse(source), ""):
        if statement.value is None:
            continue
        name = _name(source, statement)
        n = seen[within, name] = seen.get((within, name), 0) + 1
        value, text = _text(source, statement.value), _text(source, statement)
        blank = Blank(name if n == 1 else f"{name} ({n})", statement.lineno, within, value, text)
        found.append((blank, statement))
    return tuple(found)


def _walk(node: ast.AST, within: str) -> Iterator[tuple[str, Statement]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, Statement):
            yield within, child
        elif isinstance(child, ast.FunctionDef | ast.ClassDef):
            yield from _walk(child, f"{within}.{child.name}".lstrip("."))
        else:
            yield from _walk(child, within)


def _name(source: str, statement: Statement) -> str:
    if isinstance(statement, ast.Return):
        return "return"
    target = statement.targets[0] if isinstance(statement, ast.Assign) else statement.target
    return _text(source, target)


def _before_value(source: str, statement: Statement) -> str:
    """What stands before the right-hand side: "dz = "."""
    assert statement.value is not None
    whole, start = _span(source, statement)[0], _span(source, statement.value)[0]
    return source[whole:start].rstrip("( ") + " "


def _replaced(source: str, node: ast.expr, value: str) -> str:
    start, end = _span(source, node)
    missing = source.count("\n", start, end)  # the lines below keep their numbers
    one_line = " ".join(value.split())
    return source[:start] + (f"({one_line}{chr(10) * missing})" if missing else one_line) + source[end:]


def _text(source: str, node: ast.stmt | ast.expr) -> str:
    start, end = _span(source, node)
    return source[start:end]


@functools.lru_cache(maxsize=64)
def _lines(source: str) -> list[str]:
    """The lines as `ast` counts them, with their ends."""
    return re.split(r"(?<=\n)|(?<=\r)(?!\n)", source)


def _span(source: str, node: ast.stmt | ast.expr) -> tuple[int, int]:
    """Where a node stands in the source, in characters; `ast` counts bytes."""
    lines = _lines(source)

    def at(line: int, column: int) -> int:
        before = lines[line - 1].encode()[:column].decode()
        return sum(map(len, lines[: line - 1])) + len(before)

    return at(node.lineno, node.col_offset), at(node.end_lineno or node.lineno, node.end_col_offset or 0)
