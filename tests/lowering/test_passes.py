"""What each pass does; that it changes no result is stated for all cases in test_cases.py."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

import tinygrad_cnn as tg
from tinygrad_cnn.lowering.instructions import Instruction, Listing
from tinygrad_cnn.lowering.passes import optimised
from tinygrad_cnn.lowering.passes.canonical import canonical
from tinygrad_cnn.lowering.passes.common_subexpressions import without_repetition
from tinygrad_cnn.lowering.passes.dead_code import without_dead_code
from tinygrad_cnn.lowering.passes.folding import folded
from tinygrad_cnn.lowering.passes.idioms import with_idioms
from tinygrad_cnn.lowering.passes.simplification import simplified
from tinygrad_cnn.lowering.trace import traced

X = np.arange(6.0).reshape(2, 3) + 0.5


def operations(listing: Listing) -> Counter[str]:
    """How often each operation is in a listing, inputs and constants left out."""
    return Counter(x.operation for x in listing.instructions if x.operation not in ("input", "constant", "full"))


def the_one(listing: Listing) -> Instruction:
    (found,) = [x for x in listing.instructions if x.operation not in ("input", "constant", "full")]
    return found


# Several ways to write the same thing.
SAME = {
    "a sum": (lambda x: np.sum(x, axis=0), lambda x: x.sum(0), lambda x: np.add.reduce(x)),
    "a transposition": (lambda x: x.T, lambda x: np.transpose(x), lambda x: x.swapaxes(0, 1)),
    "moved axes": (lambda x: np.moveaxis(x, 0, 1), lambda x: np.rollaxis(x, 1), lambda x: x.transpose((1, 0))),
    "a reshape": (lambda x: x.reshape(3, 2), lambda x: np.reshape(x, (3, -1)), lambda x: x.reshape((3, 2))),
    "another axis": (lambda x: x[:, None], lambda x: x[(slice(None), None)]),
    "a product": (lambda x: x * 2.0, lambda x: np.multiply(x, 2.0)),
    "a maximum": (lambda x: np.max(x, axis=1), lambda x: np.amax(x, 1), lambda x: np.maximum.reduce(x, 1)),
    "a concatenation": (lambda x: np.concatenate([x, x], axis=1), lambda x: np.concatenate((x, x), -1)),
}  # fmt: skip


@pytest.mark.parametrize("name", SAME)
def test_what_can_be_written_in_several_ways_has_one_canonical_form(name) -> None:
    forms = [the_one(without_dead_code(canonical(traced(function, (X,), {})))) for function in SAME[name]]
    first = forms[0]
    for form in forms[1:]:
        assert (form.operation, form.parameters, form.result.shape) == (
            first.operation,
            first.parameters,
            first.result.shape,
        )


def test_copies_are_left_out() -> None:
    listing = canonical(traced(lambda x: np.copy(x.copy()) + 1, (X,), {}))
    assert operations(listing) == {"add": 1}


def test_what_is_constant_is_computed_once() -> None:
    weights = np.arange(3.0)

    def function(x):
        return x * np.sin(np.ones_like(x) * weights)

    def folded_listing():
        return without_dead_code(folded(canonical(traced(function, (X,), {}))))

    assert operations(folded_listing())["sin"] == 1  # an array that may change is no constant
    weights.flags.writeable = False
    assert operations(folded_listing()) == {"multiply": 1}


NOTHING = {
    "times one": lambda x: x * 1.0,
    "one times": lambda x: np.ones_like(x) * x,
    "divided by one": lambda x: x / 1,
    "minus zero": lambda x: x - 0.0,
    "transposed twice": lambda x: x.T.T,
    "reshaped back": lambda x: x.reshape(-1).reshape(x.shape),
    "negated twice": lambda x: -(-x),
    "cast to its dtype": lambda x: x.astype(np.float64),
    "broadcast to its shape": lambda x: np.broadcast_to(x, (2, 3)),
}


@pytest.mark.parametrize("name", NOTHING)
def test_what_changes_nothing_is_left_out(name) -> None:
    listing = without_dead_code(simplified(folded(canonical(traced(NOTHING[name], (X,), {})))))
    assert not operations(listing)


SOMETHING = {
    "plus zero, which makes 0 of -0": lambda x: x + 0.0,
    "zero minus": lambda x: 0.0 - x,
    "minus a negative zero": lambda x: x - (-0.0),
    "times one of a wider dtype": lambda x: x.astype(np.float32) * np.float64(1.0),
    "times zero, which keeps NaN": lambda x: x * 0,
    "one that broadcasts": lambda x: x[0] * np.ones((2, 3)),
}


@pytest.mark.parametrize("name", SOMETHING)
def test_what_changes_a_bit_or_a_shape_stays(name) -> None:
    listing = without_dead_code(simplified(folded(canonical(traced(SOMETHING[name], (X,), {})))))
    assert operations(listing)


def test_what_is_computed_twice_is_computed_once() -> None:
    listing = without_repetition(traced(lambda x: np.sin(x) * np.sin(x) + np.sin(x + 0.0), (X,), {}))
    assert operations(listing) == {"sin": 2, "multiply": 1, "add": 2}
    assert operations(without_repetition(traced(lambda x: (x * 0.0, x * -0.0), (X,), {}))) == {"multiply": 2}


def test_what_no_result_needs_is_left_out() -> None:
    def wasteful(x):
        np.sin(x)
        return np.cos(x)

    assert operations(without_dead_code(traced(wasteful, (X,), {}))) == {"cos": 1}


@pytest.mark.parametrize(("ties", "idiom"), [("all", "max_unpool"), ("share", "max_unpool_shared")])
def test_the_gradient_of_max_pooling_is_one_instruction(ties, idiom) -> None:
    listing = optimised(
        traced(tg.grad(lambda x: np.sum(tg.max_pool2d(x, 2, ties=ties) ** 2)), (np.ones((3, 4, 4)),), {})
    )
    assert operations(listing)[idiom] == 1
    assert operations(listing)["equal"] == 0


def test_an_unpooling_by_other_masks_is_no_idiom() -> None:
    listing = with_idioms(
        canonical(traced(tg.grad(lambda x: np.sum(tg.avg_pool2d(x, 2) ** 2)), (np.ones((4, 4)),), {}))
    )
    assert operations(listing)["max_unpool"] == 0
