"""Elements so small that the rounding of the largest would hide what is wrong with them.

Rounding is estimated for an array as a whole. An element that is far smaller than the largest may be wrong by much of
itself and still differ by less. It is called wrong if autodiff and the hand-derived gradient are as far apart in long
double too, so that it is not the rounding of either, and if the terms that it is the sum of are too small for it.
"""

from __future__ import annotations

import numpy as np

from tinygrad_cnn.check import sentences
from tinygrad_cnn.check.diagnose.comparisons import Slopes
from tinygrad_cnn.check.diagnose.evidence import Evidence
from tinygrad_cnn.check.diagnose.explanations.case import SAFETY
from tinygrad_cnn.check.results import Comparison
from tinygrad_cnn.check.witnesses.backward_walk import walk_back
from tinygrad_cnn.engine.graph import Array, Node

MUCH = 1e-4  # of an element: what differs by less may be a sum of terms that cancel
WALKS = 4
OFF = 1e-8  # relative: how far off each cotangent on the way is made, to see how large the terms of an element are


def beside_larger(
    evidence: Evidence, node: Node, found: Comparison, hand: Array, by_autodiff: Array, slopes: Slopes
) -> Comparison:
    """A comparison that agrees, but for an element that is wrong and small beside the largest."""
    auto, derived = evidence.autodiff, evidence.hand_derived
    exactly = auto.in_long_double.get(node)
    by_hand = None if derived is None else derived.in_long_double.get(node)
    if found.verdict != "agree" or exactly is None or by_hand is None or hand.shape != by_autodiff.shape:
        return found
    with np.errstate(all="ignore"):
        difference = np.abs(np.asarray(hand - by_autodiff, float))
        off = np.array((difference > MUCH * np.abs(by_autodiff)) & (np.abs(by_hand - exactly) > difference / 2))
    for index, slope in slopes.items():
        off[index] &= slope.kind != "kink"
    if not off.any():
        return found
    error = SAFETY**2 * float(np.finfo(by_autodiff.dtype).eps) * _size_of_terms(evidence, node)
    ratio = np.where(off, difference / np.maximum(error, np.finfo(float).tiny), 0.0)
    index = tuple(int(i) for i in np.unravel_index(int(np.argmax(ratio)), ratio.shape))
    if not ratio[index] > 1:
        return found
    return Comparison(
        "differ", float(difference[index]), float(error[index]), float(ratio[index]), index,
        (float(hand[index]), float(by_autodiff[index])), sentences.SMALL_ELEMENT,
    )  # fmt: skip


def _size_of_terms(evidence: Evidence, node: Node) -> Array:
    """How large the terms are that each element of a cotangent is a sum of; about.

    Each cotangent on the way is made off by a share of itself at random, so that terms that cancel show.
    """
    auto = evidence.autodiff
    rng, right = np.random.default_rng(0), np.asarray(auto.cotangents[node])
    found = np.abs(right)
    for _ in range(WALKS):
        walked = walk_back(auto.run, perturb=lambda x: x * (1 + OFF * rng.standard_normal(np.shape(x))))
        found = np.maximum(found, np.abs(np.asarray(walked[node]) - right) / OFF)
    return found
