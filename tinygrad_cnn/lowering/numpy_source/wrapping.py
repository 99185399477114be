"""Lines that are too long: without their comment, or as several."""

from __future__ import annotations

from tinygrad_cnn.lowering.numpy_source.loops import TOKEN

INDENT = "    "
LONG = 20  # of an item that has a line of its own


def wrapped(line: str, width: int) -> list[str]:
    """A line of at most `width` characters, or several that say the same."""
    if len(line) <= width:
        return [line]
    code = line.split("  # ")[0] if '"' not in line.rsplit("  # ", 1)[-1] else line
    if len(code) <= width:
        return [code]
    indent = line[: len(line) - len(line.lstrip())]
    begin, _, rest = code.strip().partition(" " if code.strip().startswith("return ") else " = ")
    begin = f"{begin} " if begin == "return" else f"{begin} = "
    return [f"{indent}{part}" for part in _split(begin, rest, width - len(indent))]


def _split(begin: str, text: str, width: int) -> list[str]:
    """`begin` and an expression: its items, or the terms of a sum, each on a line of its own."""
    if len(begin) + len(text) <= width:
        return [begin + text]
    if (items := _at_top_level(text, ",")) and len(items) > 1:
        return [f"{begin}(", *_lines(items, width), ")"]
    opening, closing = 0 if text[0] in "{[" else text.find("("), text[-1:]
    if not _closes(text, opening):
        opening = -1
    if opening >= 0 and (items := _at_top_level(text[opening + 1 : -1], ",")) and len(items) > 1:
        return [f"{begin}{text[: opening + 1]}", *_lines(items, width), closing]
    inner = text[opening + 1 : -1] if opening >= 0 else ""
    rows = _at_top_level(inner[1:-1], ",") if inner.startswith("[") and _closes(inner, 0) else []
    if len(rows) > 1:
        return [f"{begin}{text[: opening + 2]}", *_lines(rows, width), "]" + closing]
    terms = _terms(text, width - len(INDENT))
    if len(terms) > 1:
        return [f"{begin}(", *[INDENT + term for term in terms], ")"]
    return [f"{begin}(", INDENT + text, ")"] if begin and len(INDENT + text) <= width else [begin + text]


def _terms(text: str, width: int) -> list[str]:
    """The terms of a sum; of one that is too long, or where there is no sum, the factors."""
    found: list[str] = []
    for term in _at_top_level(text, "+-"):
        found += [term] if len(term) <= width else _at_top_level(term, "*/@")
    return found


def _lines(items: list[str], width: int) -> list[str]:
    lines: list[str] = []
    if max(map(len, items)) <= LONG:  # as many on a line as there is space for
        for item in items:
            if lines and len(lines[-1]) + len(item) + 2 <= width:
                lines[-1] += f" {item},"
            else:
                lines.append(f"{INDENT}{item},")
        return lines
    for item in items:
        key, colon, value = item.partition(": ") if item.startswith('"') else ("", "", item)
        *before, last = _split(key + colon, value, width - len(INDENT) - 1)
        lines += [INDENT + part for part in before] + [f"{INDENT}{last},"]
    return lines


def _at_top_level(text: str, separators: str) -> list[str]:
    """The parts of an expression between separators outside of all brackets; signs stay with what is behind them."""
    parts, depth, part = [], 0, ""
    for token in TOKEN.findall(text):
        depth += (token in "([{") - (token in ")]}")
        is_operator = token == "," or (part.endswith(" ") and part.strip() != "")
        if depth == 0 and len(token) == 1 and token in separators and is_operator:
            parts.append(part.strip())
            part = "" if token == "," else token
        else:
            part += token
    return [*parts, part.strip()] if part.strip() else parts


def _closes(text: str, opening: int) -> bool:
    """Whether the bracket at `opening` is closed by the last character."""
    depth, place = 0, 0
    for token in TOKEN.findall(text):
        depth += (token in "([{") - (token in ")]}")
        if depth == 0 and place > opening >= 0:
            return place == len(text) - 1
        place += len(token)
    return False
