"""The smallest edit of a program that gives the numbers that somebody has."""

from __future__ import annotations

import heapq
import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinygrad_cnn.check.deadline import Effort
from tinygrad_cnn.check.diagnose.edits import kinds
from tinygrad_cnn.check.diagnose.edits.edit import EDITS, Context, Edit, Kind
from tinygrad_cnn.check.diagnose.edits.kinds.scales import added, multiple, scaled, scaled_together, sentence_of
from tinygrad_cnn.check.diagnose.edits.restriction import restricted
from tinygrad_cnn.check.diagnose.edits.terms import Term, in_iterations, replaced

Array = Any
Confirmed = Callable[[Mapping[Term, Term]], bool]
NEAR = 1e-3  # more than any rounding that is looked at
PROBES = 6  # elements at which pairs of edits are compared first
DEAREST = 2.5  # that a pair may be
MOST = 300  # edits that are tried two by two
CHEAP, FIRST, NESTED = 1.4, 60, 3000  # of pairs of which one is within the other
AS_CHEAP = 0.011  # edits that cost no more than this more are as likely
VERY_LONG, PLAIN = 100, 1.25  # terms of a program in which only edits that cost so much are tried
LIKELY, LONG = 1.3, 60  # edits, and terms of a program, of which each use is tried alone
LIMIT, AT_LEAST = 4e5, 1e4  # operations of a search, and those that each has, however many others took
FOR_SINGLE, FOR_PAIRS = 0.6, 0.8  # shares of them, for edits alone, and for these and pairs that add or multiply
PLAIN_WORDS = (  # that say what the numbers are, not how they came about
    "nothing", "sign", "scale", "scale_length", "sum_for_mean", "mean_for_sum", "transposed", "transposed_shape",
    "reshaped",
)  # fmt: skip
ALL_ALIKE = 0.3  # what it costs more to edit one iteration of a loop alone, not all

__all__ = ["Found", "kinds", "smallest"]


@dataclass(frozen=True)
class Found:
    """Edits that together give the numbers, and others that cost the same and do so too."""

    edits: Sequence[Edit]
    cost: float
    others: Sequence[Sequence[Edit]] = ()

    def exchanged(self) -> dict[Term, Term]:
        """All that they exchange."""
        return _together(self.edits)

    def kind(self) -> str:
        """The names of the edits."""
        return " and ".join(edit.sentence for edit in self.edits)

    def applied(self, root: Term) -> Term:
        """The program with the edits in it."""
        return replaced(root, self.exchanged())


def smallest(c: Context, confirmed: Confirmed, effort: Effort) -> Found | None:
    """The cheapest edit, else pair of edits, that gives the target. It is looked for on a part of large arrays first.

    confirmed   whether edits give what somebody has at another point too
    """
    if effort.deadline.is_over():
        return None
    mine, part = effort.part(LIMIT, AT_LEAST), restricted(c)
    if part is not None:

        def holds(exchanged: Mapping[Term, Term]) -> bool:
            value = c.program.edited(exchanged)
            return value is not None and c.accounts(value) and confirmed(exchanged)

        found = _smallest(part, holds, mine.part(LIMIT / 2))
        if found is not None:
            return found
    return _smallest(c, confirmed, mine)


def _smallest(c: Context, confirmed: Confirmed, effort: Effort) -> Found | None:
    tried: list[tuple[Edit, Any]] = []
    accepted: list[Sequence[Edit]] = []
    best = math.inf
    probes = _probes(c)
    wanted, size = _at(c.target, probes), float(np.max(np.abs(c.target), initial=0.0))
    for edit in by_cost(c, effort):
        if edit.cost > best + AS_CHEAP or effort.is_over(FOR_SINGLE):
            break
        if _cancels(edit, c):
            continue
        value = c.program.edited(edit.exchanged)
        effort.spend(c.program.taken())
        if np.shape(value) != c.target.shape or np.asarray(value).dtype.kind not in "fiub":
            continue
        here = _at(value, probes)
        if _is_near(here, wanted, size) and c.accounts(value):
            if _is_believed([edit], c) and confirmed(edit.exchanged):
                accepted.append([edit])
                best = min(best, edit.cost)
        else:
            tried.append((edit, here))
    for pairs, share in ((_pairs, FOR_PAIRS), (_nested, 1.0)) if not accepted else ():
        for pair in () if accepted or effort.is_over(share) else pairs(c, tried, probes):
            cost = sum(e.cost for e in pair)
            if accepted or cost > DEAREST or effort.is_over(share):
                break
            exchanged = _together(pair)
            value = c.program.edited(exchanged)
            effort.spend(c.program.taken())
            if np.shape(value) != c.target.shape or not _is_near(_at(value, probes), wanted, size):
                continue
            if c.accounts(value) and _is_believed(pair, c) and confirmed(exchanged):
                accepted.append(pair)
                best = cost
    if not accepted:
        return None
    first, *others = _distinct(accepted, c)
    return Found(first, best, others)


def _cancels(edit: Edit, c: Context) -> bool:
    """Whether an edit subtracts a value from itself, or divides it by itself, which nobody writes."""
    for x, y in edit.exchanged.items():
        if y.op in ("-", "/") and str(y.args[0]) == str(y.args[1]):
            return True
        for user in c.program.users.get(x, ()):
            if user.op in ("-", "/") and len({str(y if z is x else z) for z in user.args}) == 1:
                return True
    return False


def _together(edits: Sequence[Edit]) -> dict[Term, Term]:
    """Edits as one: the second is made within what the first makes of the same term."""
    found: dict[Term, Term] = {}
    for edit in edits:
        for x, y in edit.exchanged.items():
            found[x] = replaced(y, {x: found[x]}) if x in found else y
    return found


def by_cost(c: Context, effort: Effort) -> Iterator[Edit]:
    """The edits of all kinds, the cheapest first; a kind is asked for its edits when it is its turn.

    effort: that of the kinds that compute what an edit has to be counts, too.
    """
    groups = in_iterations(c.program.order)
    waiting: list[tuple[float, int, int, Edit]] = []  # of those that cost the same, the outermost first
    number = itertools.count()
    dearest = math.inf if len(c.program.order) <= VERY_LONG else PLAIN
    of_kinds = sorted([k for k in EDITS if k[0] <= dearest], key=lambda k: k[0])
    for least, kinds_here in itertools.groupby(of_kinds, key=lambda k: k[0]):
        while waiting and waiting[0][0] < least:
            yield heapq.heappop(waiting)[-1]
        for _, kind in kinds_here:
            if effort.ended:
                return
            for edit in _of_kind(kind, groups, c, effort):
                depth = -max(c.program.place.get(x, 0) for x in edit.exchanged)
                heapq.heappush(waiting, (edit.cost, depth, next(number), edit))
    while waiting:
        yield heapq.heappop(waiting)[-1]


def _of_kind(kind: Kind, groups: Sequence[Sequence[Term]], c: Context, effort: Effort) -> Iterator[Edit]:
    """The edits of a kind, those that are alike in all iterations of a loop as one."""
    for members in groups:
        effort.spend(c.program.taken())
        if effort.is_over(FOR_SINGLE):
            return
        if len(members) == 1:
            for edit in kind(members[0], c):
                yield edit
                yield from _in_one_use(edit, c)
            continue
        if kind is scaled:
            yield from scaled_together(members, c)
        if kind in (scaled, added):  # which fit a number to one iteration
            for x in (members[0], members[-1]):
                yield from [_dearer(edit, ALL_ALIKE) for edit in kind(x, c)]
            continue
        alike: dict[Any, list[Edit]] = {}
        for x in members:
            for edit in kind(x, c):
                alike.setdefault(edit.key, []).append(edit)
        for edits in alike.values():
            if len(edits) > 1:
                yield _as_one(edits)
            for edit in (edits[0], edits[-1]) if len(edits) > 1 else edits:
                yield _dearer(edit, ALL_ALIKE if len(edits) > 1 else 0.2)


def _dearer(edit: Edit, by: float) -> Edit:
    return Edit(edit.exchanged, edit.cost + by, edit.sentence, edit.words, edit.key, edit.fits)


def _in_one_use(edit: Edit, c: Context) -> Iterator[Edit]:
    """Of what is used in several places, the edit in one of them."""
    if len(edit.exchanged) > 1 or edit.cost > LIKELY or len(c.program.order) > LONG:
        return
    ((x, y),) = edit.exchanged.items()
    users = dict.fromkeys(c.program.users.get(x, ()))
    for k, user in enumerate(users if len(users) > 1 else ()):
        made = user.with_args([y if z is x else z for z in user.args])
        words = {"x": user, "y": made} if edit.sentence == "other" else edit.words
        yield Edit({user: made}, edit.cost + 0.01, edit.sentence, words, (edit.key, k), edit.fits)


def _as_one(edits: Sequence[Edit]) -> Edit:
    exchanged = {x: y for edit in edits for x, y in edit.exchanged.items()}
    first = edits[0]
    return Edit(exchanged, first.cost, first.sentence, {**first.words, "iterations": len(edits)}, first.key, first.fits)


def _is_believed(edits: Sequence[Edit], c: Context) -> bool:
    """Whether there is evidence enough: three elements for a number that was fitted, and for what has no other point.

    Elements that are 0 or as large as another are none: in flags and the like formulas coincide.
    """
    if not np.any(c.target):
        return all(edit.sentence == "nothing" for edit in edits)
    fitted = any(edit.fits for edit in edits)
    if not fitted and (c.points or all(edit.sentence in PLAIN_WORDS for edit in edits)):
        return True
    with np.errstate(invalid="ignore"):
        elements = [len(np.unique(np.round(np.abs(x[x != 0]), 12))) for x in (c.target, c.now)]
    return elements[0] >= 3 if fitted else max(elements) >= (2 if sum(edit.cost for edit in edits) <= 1 else 3)


# Two edits.


def _probes(c: Context) -> Array:
    """Places, in the flattened array, of a few elements by which most edits can be told to be wrong."""
    places = np.random.default_rng(0).permutation(c.target.size)[:PROBES]
    if c.now.shape == c.target.shape:
        with np.errstate(invalid="ignore"):
            off = np.nan_to_num(np.abs(c.target - c.now)).ravel()
        places = np.unique(np.concatenate([places, np.argsort(-off, kind="stable")[: PROBES // 2]]))
    return places


def _is_near(here: Array, wanted: Array, size: float) -> bool:
    """Whether a few elements allow that an edit accounts for all."""
    return all(abs(a - b) <= NEAR * size for a, b in zip(here.tolist(), wanted.tolist(), strict=True))


def _at(x: Any, probes: Array) -> Array:
    return np.asarray(x, float).ravel()[probes]


@np.errstate(all="ignore")
def _pairs(c: Context, tried: list[tuple[Edit, Any]], probes: Array) -> list[Sequence[Edit]]:
    """Pairs of edits whose effects add up, or multiply, to what is wrong; and edits with a factor. Cheap ones first."""
    if not tried or c.now.shape != c.target.shape:
        return _with_a_factor(c, tried, probes)
    tried = tried[:MOST]
    edits, values = [e for e, _ in tried], np.array([v for _, v in tried], float)
    expected, target = _at(c.now, probes), _at(c.target, probes)
    size = np.max(np.abs(target), initial=0.0) + np.max(np.abs(expected), initial=0.0)
    changes = values - expected
    moves = np.max(np.abs(changes), axis=1) > 1e-9 * size
    left, right = np.triu_indices(len(tried), 1)
    adding = np.all(np.abs(changes[left] + changes[right] - (target - expected)) <= 1e-8 * size, axis=1)
    scale = np.abs(target * expected) + 1e-300
    product = values[left] * values[right] - target * expected
    multiplying = np.all(np.abs(product) <= 1e-8 * scale, axis=1) & np.any(target * expected != 0)
    hits = np.nonzero((adding | multiplying) & moves[left] & moves[right])[0][: 50 * PROBES]
    pairs: list[Sequence[Edit]] = [(edits[left[k]], edits[right[k]]) for k in hits]
    pairs += _with_a_factor(c, tried, probes)
    place = c.program.place

    def dear(pair: Sequence[Edit]) -> tuple[float, int]:
        """By cost, and of those that cost the same the outermost first."""
        return round(sum(e.cost for e in pair), 9), -sum(max(place.get(x, 0) for x in e.exchanged) for e in pair)

    return sorted(pairs, key=dear)


def _with_a_factor(c: Context, tried: list[tuple[Edit, Any]], probes: Array) -> list[Sequence[Edit]]:
    """Edits after which only a factor is wrong, with the factor."""
    found: list[Sequence[Edit]] = []
    target = _at(c.target, probes)
    for edit, value in tried:
        size = float(value @ value) if value.ndim == 1 else 0.0
        if not size or not math.isfinite(size):
            continue
        factor = float(value @ target) / size
        if factor and np.max(np.abs(factor * value - target)) <= 1e-8 * np.max(np.abs(target)):
            root = c.program.root
            named = c.numbers.name(abs(factor))
            if math.isclose(factor, -1, rel_tol=1e-8):
                found.append([edit, Edit({root: Term("-x", [root])}, 0.9, "sign", {"x": root})])
            elif named is not None:
                sign = "minus " if factor < 0 else ""
                words = {"x": root, "factor": sign + named.digits, "length": named.meaning, "number": named.number}
                scale = Edit({root: multiple(factor, root)}, 1.0 + 0.1 * (factor < 0), sentence_of(True, named), words)
                found.append([edit, scale])
    return found


def _nested(c: Context, tried: list[tuple[Edit, Any]], probes: Array) -> list[Sequence[Edit]]:
    """Pairs of cheap edits of which one is within what the other changes: their effects neither add nor multiply."""
    if len(c.program.order) > VERY_LONG:
        return []
    single = [e for e, _ in tried if len(e.exchanged) == 1 and e.cost <= CHEAP]
    found: list[Sequence[Edit]] = []
    for first in single[:FIRST]:
        (x,) = first.exchanged
        above = set(c.program.above(x))
        for second in single:
            (y,) = second.exchanged
            if y is not x and (y in above or x in c.program.above(y)):
                found.append((second, first) if y in above else (first, second))
    return sorted(found, key=lambda pair: sum(e.cost for e in pair))[:NESTED]


# Which are the same.


def _distinct(accepted: list[Sequence[Edit]], c: Context) -> list[Sequence[Edit]]:
    """Of edits that give the same here those that would differ at other values of the leaves."""
    if len(accepted) == 1:
        return accepted
    rng = np.random.default_rng(1)
    elsewhere = {}
    for x, value in c.program.leaves.items():
        if isinstance(value, np.ndarray | float) and np.asarray(value).dtype.kind == "f":
            elsewhere[x] = value * (1 + 0.3 * rng.standard_normal(np.shape(value)))
    try:
        with np.errstate(all="ignore"):
            program = c.program.with_leaves(elsewhere)
    except (ArithmeticError, TypeError, ValueError):
        return accepted[:1]
    kept: list[tuple[Sequence[Edit], Any]] = []
    for edits in accepted:
        value = program.edited(_together(edits))
        if value is not None and not any(_same(value, other) for _, other in kept):
            kept.append((edits, value))
    return [edits for edits, _ in kept] or accepted[:1]


def _same(a: Any, b: Any) -> bool:
    return np.shape(a) == np.shape(b) and bool(np.allclose(a, b, rtol=1e-9, atol=0, equal_nan=True))
