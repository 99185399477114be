"""Cotangents through an infinite slope: where nothing depends on a result, its operands have the cotangent 0.

In `np.where(x > 0, np.sqrt(x), 0)` nothing depends on the root of 0. Its cotangent is 0 and its slope infinite; their
product is NaN in floating-point arithmetic, and 0 by the chain rule. The reverse sweep ignores this at first. Only if
an operation turned out to be invalid, or a leaf got a NaN, it begins again, and has `Masking` run the rules of
elementwise primitives. So finite slopes cost nothing.

Two kinds of NaN stay. One comes from the data: a NaN in a leaf or a constant. The other is a product 0 * inf that has
a limit: in `np.sqrt(x) ** 2` the cotangent of the root is 0 at x = 0, but the result does depend on it. There only the
slope of the square is 0, at this one value.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tinygrad_cnn.stand_in import tracing

Array = Any
Node = Any  # one of `engine/graph.py`, which is a layer above
Rule = Callable[..., Array]
Apply = Callable[[Rule, Node, Array, Array, Sequence[Array]], Array]  # gives what a rule does, of its arguments
Cotangents = dict[Node, Array]

_inner, _least = np.vdot, np.minimum.reduce
_ARRAYS = (np.ndarray, np.generic)
_NUMERIC = (float, complex, *_ARRAYS)


def masked(g: Array, cotangent: Array, operands: Sequence[Array]) -> Array:
    """`cotangent`, which the rule of an elementwise primitive made of `g`, but 0 where a `g` of 0 made a NaN of it.

    It is plain NumPy, as a rule is, so that it can be traced and differentiated.
    """
    undefined = np.isnan(cotangent) & np.equal(g, 0)
    for x in operands:
        undefined = undefined & ~np.isnan(x)
    return np.where(undefined, 0, cotangent)


class Masking:
    """Runs rules so that an infinite slope passes on 0 where nothing depends on the result.

    live   for each node an array that is 0 for the elements on which the results of the sweep do not depend. Without
           it, these are taken to be the elements whose cotangent is 0
    """

    def __init__(self, live: Cotangents | None = None) -> None:
        self.live = live
        self._has_masked = self._slope_was_zero = False
        self._nan_from_data: dict[Node, Array] = {}

    @property
    def in_doubt(self) -> bool:
        """Whether a cotangent was masked that may have been 0 because a slope was."""
        return self.live is None and self._has_masked and self._slope_was_zero

    def __call__(self, rule: Rule, node: Node, g: Array, out: Array, operands: Sequence[Array]) -> Array:
        """What `rule` gives, masked. NumPy warns of what happens at the other elements alone, or raises."""
        flagged: set[str] = set()
        with np.errstate(divide="call", over="call", invalid="call", call=lambda kind, _: flagged.add(kind)):
            cotangent = rule(g, out, *operands, **node.static_args)
        quiet: dict[str, Any] = {}
        if has_nan(cotangent) and np.any(undefined := self._undefined(node, g, cotangent)):
            self._has_masked = True
            cotangent = np.where(undefined, 0, cotangent)
            quiet = {} if has_nan(cotangent) else {"invalid": "ignore"}
            quiet |= {} if np.any(np.isinf(cotangent)) else {"divide": "ignore", "over": "ignore"}
        if flagged and len(quiet) < 3:
            with np.errstate(**quiet):
                rule(g, out, *operands, **node.static_args)
        if self.live is None and not self._slope_was_zero and _varies(node):
            self._slope_was_zero = self._slope_is_zero(rule, node, g, out, cotangent)
        return cotangent

    def _slope_is_zero(self, rule: Rule, node: Node, g: Array, out: Array, cotangent: Array) -> bool:
        """Whether a cotangent has a 0 that is not of `g`."""
        if not node.primitive.elementwise or np.shape(cotangent) != np.shape(g):
            # Which element of `g` a 0 comes from is not known, so the rule is run on one without a 0.
            g = generic(out, np.random.default_rng(0))
            with np.errstate(all="ignore"):
                cotangent = rule(g, node.value, *node.operands, **node.static_args)
        return _zeros(cotangent) > _zeros(g)

    def _undefined(self, node: Node, g: Array, cotangent: Array) -> Array:
        """Where a cotangent is NaN because 0 was multiplied by an infinite slope.

        What is not computed elementwise has no slope for each element: there all of `g` has to be 0.
        """
        is_zero = np.equal(g, 0)
        if self.live is not None:
            is_zero = is_zero & np.equal(self.live.get(node, 0), 0)
        if not node.primitive.elementwise or np.shape(cotangent) != np.shape(g):
            is_zero = np.all(is_zero)
        return np.isnan(cotangent) & is_zero & ~self._operand_is_nan(node)

    def _operand_is_nan(self, node: Node) -> Array:
        """Where an operand is a NaN that comes from the data; of what is not elementwise, whether any element is."""
        found: Array = np.False_
        sources = dict(node.sources)
        for position, x in enumerate(node.operands):
            mask = self._from_data(sources[position]) if position in sources else _is_nan(x)
            found = found | (mask if node.primitive.elementwise else np.any(mask))
        return found

    def _from_data(self, node: Node) -> Array:
        """Where `node` is a NaN that comes from the data, and was not made of numbers, as np.log(-1) is."""
        known, waiting = self._nan_from_data, [node]
        while waiting:  # no recursion, for a graph may be deep
            x = waiting[-1]
            if x not in known:
                mask = _is_nan(x.value)
                if x.sources and np.any(mask):
                    missing = [source for _, source in x.sources if source not in known]
                    if missing:
                        waiting += missing
                        continue
                    mask = mask & self._operand_is_nan(x)
                known[x] = mask
            waiting.pop()
        return known[node]


def masked_sweep(
    sweep: Callable[[Apply | None], Cotangents],
    dependence: Callable[[], Cotangents],
    at_once: bool = False,
    leaves_alone: bool = False,
) -> Cotangents:
    """The cotangents that `sweep` gives, with infinite slopes masked.

    sweep         a reverse sweep, which has its argument run the rules, or simply calls them if that is None
    dependence    gives for each node an array that is 0 for the elements on which the results do not depend
    at_once       sweep only with `Masking`, because something looks on
    leaves_alone  there are cotangents of all nodes, and it is enough to look for NaN in those of leaves
    """
    traced = tracing.get()
    if traced is not None:  # of what is NaN, nothing is known
        return sweep(traced)
    if not at_once:
        try:
            with np.errstate(divide="raise", over="raise", invalid="raise"):
                found = sweep(None)
            for node, g in found.items():
                if not (leaves_alone and node.sources) and has_nan(g):
                    break
            else:
                return found
        except FloatingPointError:
            pass
    masking = Masking()
    found = sweep(masking)
    return sweep(Masking(dependence())) if masking.in_doubt else found


class Dependence:
    """Runs rules on numbers that are 0 only where no result depends on an element, so that a sweep shows where.

    That a slope is 0 at one value says nothing. So the values of the leaves are replaced by others, and those of the
    nodes of `path`, oldest first, by what follows; only 0 stays 0. What chooses among its operands chooses as before.
    """

    def __init__(self, path: Sequence[Node]) -> None:
        self._rng = np.random.default_rng(0)
        self._values: dict[Node, Array] = {}
        for node in path:
            self._values[node] = self._replaced(node)

    def __call__(self, rule: Rule, node: Node, g: Array, out: Array, operands: Sequence[Array]) -> Array:
        """Numbers that are 0 for the elements of an operand that count for nothing where `g` is not 0."""
        if _runs_elsewhere(node):
            out, operands = self._values[node], self._operands(node)
        return self.not_zero(rule(g, out, *operands, **node.static_args))

    def not_zero(self, x: Array) -> Array:
        """Numbers that are 0 where `x` is."""
        x = x if isinstance(x, _ARRAYS) else x.node.value
        return np.where(np.equal(x, 0), 0, generic(x, self._rng))[()]

    def _operands(self, node: Node) -> list[Array]:
        operands = list(node.operands)
        for position, x in node.sources:
            operands[position] = self._values[x] if x in self._values else generic(x.like, self._rng)
        return operands

    def _replaced(self, node: Node) -> Array:
        if not node.sources:
            return generic(node.like, self._rng)
        if _is_step(node):
            return node.value
        at_others = _runs_elsewhere(node)
        return self.not_zero(
            node.primitive.forward(*self._operands(node), **node.static_args) if at_others else node.value
        )


def generic(like: Array, rng: np.random.Generator) -> Array:
    """Numbers of the shape and dtype of `like` between 1 and 2, whose sums and differences are not 0."""
    return rng.uniform(1, 2, like.shape).astype(like.dtype)[()]


def simply(rule: Rule, node: Node, g: Array, out: Array, operands: Sequence[Array]) -> Array:
    """What `rule` gives."""
    return rule(g, out, *operands, **node.static_args)


def _zeros(x: Array) -> int:
    x = x if isinstance(x, _ARRAYS) else x.node.value
    return int(x.size - np.count_nonzero(x))


def has_nan(x: Array) -> bool:
    """Whether there is a NaN in an array, a number or a Tensor."""
    if isinstance(x, np.ndarray):
        # Both are NaN if any element is, and make no copy. Beyond, BLAS takes several threads, which may wait for long.
        x = _inner(x, x) if x.size < 10_000 else _least(x, None)
    elif not isinstance(x, np.generic):
        return has_nan(x.node.value)
    return x != x  # type: ignore[no-any-return]


def _is_nan(x: Array) -> Array:
    return (
        np.isnan(x)
        if isinstance(x, float | complex | np.ndarray | np.generic) and np.result_type(x).kind in "fc"
        else False
    )


def _varies(node: Node) -> bool:
    """Whether a slope of `node` may be 0 at one value and not near by: not if it is chosen, or a constant factor."""
    primitive = node.primitive
    if primitive.moves or primitive.kink is not None:
        return False
    return not primitive.bilinear or sum(not _is_step(x) for _, x in node.sources) > 1


def _runs_elsewhere(node: Node) -> bool:
    """Whether the primitive of `node` may be run at other values than it was, because it does not choose by them."""
    primitive = node.primitive
    chooses = primitive.kink is not None and primitive.kink.mask is None
    return (primitive.pure or primitive.elementwise) and not chooses


def _is_step(node: Node) -> bool:
    """Whether `node` is constant but for jumps, as np.heaviside is."""
    return bool(node.sources) and all(node.primitive.rules[position] is None for position, _ in node.sources)
