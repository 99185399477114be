"""Windows over an array, as loops write them: without their stride, off by one; and another variable that counts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tinygrad_cnn.check.diagnose.edits.edit import Context, Edit, kind
from tinygrad_cnn.check.diagnose.edits.terms import Term, constant
from tinygrad_cnn.check.diagnose.edits.textbook import number

STRIDES = (2, 3, 4)


@kind(1.0)
def stride(x: Term, c: Context) -> Iterator[Edit]:
    """The position of a window, or an index, not multiplied by a stride, or multiplied though it should not be."""
    if x.op == "slice":
        parts: list[tuple[Term, ...]] = [(x,)]
    elif x.op == "tuple":
        parts = [(y,) for y in x.args if _is_position(y, c)]
        moving = tuple([y for y in x.args if _is_position(y, c) or _is_window(y, c)])
        parts += [moving] if len(moving) > 1 else []
    elif x.op == "index" and _is_position(x.args[1], c):
        parts = [(x.args[1],)]
    else:
        return
    for together in parts:
        for factor in STRIDES:
            for by in (factor, 1 / factor):
                other = {y: made for y in together if (made := _moved(y, by, c)) is not None}
                if len(other) == len(together):
                    edited = other[x] if x in other else x.with_args([other.get(y, y) for y in x.args])
                    sentence = "stride" if by > 1 else "no_stride"
                    words = {"x": together[0] if len(together) == 1 else x, "factor": factor}
                    yield Edit({x: edited}, 1.0, sentence, words, ("stride", by, len(together), x.op))


def _is_position(x: Term, c: Context) -> bool:
    """Whether it is an index that changes."""
    return x.op not in ("constant", "-x", "slice") and type(c.value(x)) is int


def _is_window(x: Term, c: Context) -> bool:
    bounded = x.op == "slice" and x.data[:2] == (True, True) and all(type(c.value(y)) is int for y in x.args[:2])
    return bounded and x.args[0].op != "constant"


def _moved(x: Term, by: float, c: Context) -> Term | None:
    """A window or an index at a multiple of its position; None if there is none."""
    if x.op != "slice":
        return _multiplied(x, by)
    if not _is_window(x, c):
        return None
    low, high, *step = x.args
    position = _multiplied(low, by)
    if position is None:
        return None
    if high.op == "+" and _same(high.args[0], low):
        end = Term("+", [position, high.args[1]], None, high.group)
    else:
        end = Term("+", [position, constant(c.value(high) - c.value(low))])
    return x.with_args([position, end, *step])


def _multiplied(x: Term, by: float) -> Term | None:
    if by > 1:
        return Term("*", [constant(int(by)), x])
    if x.op == "*":
        for factor, rest in (x.args, x.args[::-1]):
            if number(factor) is not None and abs(number(factor) * by - 1) < 1e-12:
                return rest
    return None


def _same(x: Term, y: Term) -> bool:
    return x is y or str(x) == str(y)


@kind(1.05)
def window_moved(x: Term, c: Context) -> Iterator[Edit]:
    """A window that is off by one."""
    if x.op != "slice" or not x.data[1]:
        return
    low, high = (x.args[0] if x.data[0] else None), x.args[1 if x.data[0] else 0]
    rest = x.args[2:] if x.data[0] else x.args[1:]
    end: Any = c.value(high)
    if type(end) is not int or end <= 0 or (low is not None and type(c.value(low)) is not int):
        return
    for by in (1, -1):
        start = 0 if low is None else c.value(low)
        if start + by < 0 or (low is not None and start < 0):
            continue
        begin = constant(by) if low is None else _plus(low, by)
        made = Term("slice", [begin, _plus(high, by), *rest], (True, True, x.data[2]), x.group)
        yield Edit({x: made}, 1.05, "window", {"x": x, "y": made}, ("window", by))


def _plus(x: Term, by: int) -> Term:
    if number(x) is not None:
        return constant(int(number(x) + by))
    if x.op in ("+", "-") and number(x.args[1]) is not None:
        sum_ = number(x.args[1]) * (1 if x.op == "+" else -1) + by
        return x.args[0] if not sum_ else Term("+" if sum_ > 0 else "-", [x.args[0], constant(abs(sum_))])
    return Term("+" if by > 0 else "-", [x, constant(abs(by))])


@kind(1.1)
def other_operand_in_a_loop(x: Term, c: Context) -> Iterator[Edit]:
    """Another value from scope in place of one that the iterations before made: dc += dy for dc += dc."""
    if x.op not in ("+", "-", "*") or x.group is None or x not in c.operands or x.args[0] is not x.args[1]:
        return
    for k in (1, 0):
        for other in c.by_shape.get(c.shape(x.args[k]), ()):
            if other is not x.args[k]:
                made = x.with_args([other if j == k else y for j, y in enumerate(x.args)])
                yield Edit({x: made}, 1.1, "other", {"x": x, "y": made}, ("operand", k, other.data))
