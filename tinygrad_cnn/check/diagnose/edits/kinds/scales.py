"""A factor: the wrong sign, 2 or 1/2, a sum for a mean, another constant; and a constant that is added."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from tinygrad_cnn.check import sentences
from tinygrad_cnn.check.diagnose.edits.edit import Context, Edit, kind
from tinygrad_cnn.check.diagnose.edits.numbers import Named, is_round
from tinygrad_cnn.check.diagnose.edits.terms import Term, call, constant

STEPS = 8  # of the secant method
LARGE = 0.5  # a constant that is no epsilon
UNLIKE = 5.0  # how far, as a logarithm, the constants that elements call for may be apart


@kind(0.8)
def scaled(x: Term, c: Context) -> Iterator[Edit]:
    """A multiple of a term, by a factor that least squares find where the result is linear in it."""
    root = x is c.program.root
    if x not in c.operands or not c.is_float(x) or c.target.shape != c.now.shape:
        return
    none = c.program.edited({x: Term("*", [constant(0), x])})
    if none is None or np.shape(none) != c.target.shape or not np.all(np.isfinite(none)):
        yield from _tried(x, c)
        return
    part = c.now - none
    size = float(np.sum(part * part))
    if size == 0 or not math.isfinite(size):
        return
    factor = float(np.sum(part * (c.target - none))) / size
    if not c.accounts(none + factor * part):
        yield from _tried(x, c)
        return
    if abs(factor) < 1e-13:
        cost = 0.95 if root or _is_summand(x, c) else 1.4
        yield Edit({x: Term("*", [constant(0), x])}, cost, "nothing" if root else "zero", {"x": x}, "zero")
        return
    if math.isclose(factor, -1, rel_tol=1e-8):
        yield Edit({x: Term("-x", [x])}, 0.8 if root else 0.9, "sign" if root else "sign_of", {"x": x}, "sign")
        return
    if math.isclose(factor, 1, rel_tol=1e-8):
        return
    yield _by(x, factor, c, root)


def _is_summand(x: Term, c: Context) -> bool:
    """Whether it is added to something that is no number."""
    sums = [y for y in c.program.order if y.op in ("+", "-") and x in y.args]
    return any(all(y.op != "constant" for y in total.args) for total in sums)


def _by(x: Term, factor: float, c: Context, root: bool) -> Edit:
    """The edit that multiplies a term."""
    named = c.numbers.name(abs(factor))
    sign = "minus " if factor < 0 else ""
    if named is None:
        words = {"x": x, "factor": f"{factor:.6g}", "length": ""}
        sentence = "scale_everywhere" if root else "scale_of"
        return Edit({x: multiple(factor, x)}, 2.0 if root else 2.4, sentence, words, "scaled", True)
    words = {"x": x, "factor": sign + named.digits, "length": named.meaning, "number": named.number}
    cost = (0.9 if root else 1.0) + 0.1 * bool(sign) + 0.05 * bool(named.meaning)
    return Edit({x: multiple(factor, x)}, cost, sentence_of(root, named), words, "scaled")


def sentence_of(root: bool, named: Named | None) -> str:
    """Which sentence says that it is a multiple."""
    if root and named is not None and named.digits.isdigit() and named.meaning:
        return "sum_for_mean"
    if root and named is not None and named.digits.startswith("1/") and named.digits[2:].isdigit() and named.meaning:
        return "mean_for_sum"
    return ("scale" if root else "scale_of") + ("_length" if named is not None and named.meaning else "")


def multiple(factor: float, x: Term) -> Term:
    """A multiple of a term, as people write it: 2 * x, x / 7."""
    if 0 < abs(factor) < 1 and abs(round(1 / factor) * factor - 1) < 1e-8:
        return Term("/", [x, constant(round(1 / factor))])
    plain = round(factor) if abs(factor - round(factor)) < 1e-8 * abs(factor) else factor
    return Term("*", [constant(plain), x])


def _tried(x: Term, c: Context) -> Iterator[Edit]:
    """Likely multiples of what the result is not linear in, such as a variance with N - 1 for N."""
    if x.op == "constant":
        return
    for factor, digits in c.numbers.plausible():
        yield Edit({x: multiple(factor, x)}, 1.2, "scale_of", {"x": x, "factor": digits}, ("scaled", digits))
    yield Edit({x: Term("-x", [x])}, 1.1, "sign_of", {"x": x}, "sign")


@kind(1.3)
def added(x: Term, c: Context) -> Iterator[Edit]:
    """A small constant that is added, such as an epsilon in a denominator, found by the secant method."""
    if x not in c.operands or not c.is_float(x) or c.target.shape != c.now.shape or not c.target.size:
        return
    size = float(np.max(np.abs(np.asarray(c.value(x), float)), initial=0.0))
    if not 0 < size < math.inf:
        return
    moved = c.program.edited({x: Term("+", [x, constant(1e-4 * size)])})
    if moved is None or np.shape(moved) != c.target.shape:
        return
    with np.errstate(all="ignore"):
        change = np.abs(moved - c.now)
        wanted = np.abs(c.target - c.now)
    if not np.all(np.isfinite(change)) or np.any((change == 0) & (wanted > 1e-6 * np.max(wanted, initial=0.0))):
        return
    known = (change > 0) & (wanted > 0)
    if not np.any(known) or np.ptp(np.log(wanted[known] / change[known])) > UNLIKE:
        return
    place = np.unravel_index(int(np.argmax(change * (wanted > 0))), c.target.shape)

    def off(epsilon: float) -> float:
        value = c.program.edited({x: Term("+", [x, constant(epsilon)])})
        return math.nan if value is None else float(np.asarray(value)[place] - c.target[place])

    before, here = 0.0, 1e-4 * size
    off_before, off_here = float(c.now[place] - c.target[place]), off(1e-4 * size)
    for _ in range(STEPS):
        if off_here == off_before or not math.isfinite(off_here):
            break
        before, here, off_before = here, here - off_here * (here - before) / (off_here - off_before), off_here
        off_here = off(here)
    rounded = is_round(here)
    if rounded is None or abs(rounded) > 1:
        return
    whole = constant(int(rounded) if rounded == int(rounded) else rounded)
    if abs(rounded) >= LARGE:
        yield Edit({x: Term("+", [x, whole])}, 1.25, "term_more", {"x": whole}, "added")
        return
    edited = Term("+" if rounded > 0 else "-", [x, constant(abs(rounded))])
    how = sentences.ADDED_TO if rounded > 0 else sentences.SUBTRACTED_FROM
    yield Edit({x: edited}, 1.3, "epsilon", {"x": x, "epsilon": f"{abs(rounded):.4g}", "added": how}, "added")


@kind(1.15)
def other_constant(x: Term, c: Context) -> Iterator[Edit]:
    """Another number: an exponent, a coefficient, a threshold."""
    value = x.data if x.op == "constant" else None
    if not isinstance(value, float | int) or isinstance(value, bool) or x not in c.constants:
        return
    for other in (value + 1, value - 1, value + 0.5, value - 0.5, value / 2, 2 * value, 1 / value if value else 1):
        if other not in (value, 0):
            yield Edit({x: constant(other)}, 1.15, "other", {"x": x, "y": constant(other)}, ("number", other))


@kind(1.3)
def clipped(x: Term, c: Context) -> Iterator[Edit]:
    """A value that is clipped at a constant."""
    if x not in c.operands or not c.is_float(x) or c.target.shape != c.now.shape:
        return
    with np.errstate(all="ignore"):
        differs = ~(np.abs(c.target - c.now) <= 1e-9 * np.max(np.abs(c.target), initial=0.0))
    if x is c.program.root and 0 < np.count_nonzero(differs) < differs.size:
        bounds = np.unique(np.abs(c.target[differs]))
        if len(bounds) == 1 and (at := is_round(float(bounds[0]))) is not None:
            made = call("clip", x, constant(-at), constant(at))
            yield Edit({x: made}, 1.3, "clipped", {"x": x, "at": f"{at:.4g}"}, "clipped")
    for at in (1e-15, 1e-12, 1e-10, 1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2):
        made = call("maximum", x, constant(at))
        yield Edit({x: made}, 1.6, "clipped", {"x": x, "at": f"{at:.4g}"}, ("clipped", at))


_ = np


def scaled_together(members: Sequence[Term], c: Context) -> Iterator[Edit]:
    """A multiple of a term in all iterations of a loop."""
    members = [x for x in members if x in c.operands and c.is_float(x)]
    if len(members) < 2 or c.target.shape != c.now.shape:
        return
    none = c.program.edited({x: Term("*", [constant(0), x]) for x in members})
    if none is None or np.shape(none) != c.target.shape:
        return
    part = c.now - none
    size = float(np.sum(part * part))
    if not 0 < size < math.inf:
        return
    factor = float(np.sum(part * (c.target - none))) / size
    if factor == 1 or not c.accounts(none + factor * part):
        return
    if abs(factor) < 1e-13:
        zeros = {x: Term("*", [constant(0), x]) for x in members}
        cost = 0.95 if _is_summand(members[0], c) else 1.4
        yield Edit(zeros, cost, "zero", {"x": members[0], "iterations": len(members)}, "zero")
        return
    one = Edit({x: Term("-x", [x]) for x in members}, 0.9, "sign_of", {"x": members[0]}, "sign")
    if not math.isclose(factor, -1, rel_tol=1e-8):
        one = _by(members[0], factor, c, False)
        exchanged = {x: multiple(factor, x) for x in members}
        one = Edit(exchanged, one.cost, one.sentence, one.words, one.key, one.fits)
    yield Edit(one.exchanged, one.cost, one.sentence, {**one.words, "iterations": len(members)}, one.key, one.fits)
