"""Passes for print alone: each writes something as a person would, and may round otherwise in the last place.

What runs a program (the interpreter, planned NumPy, C) does without them: it has kernels for what the engine records.
The words of each pass say what it may change: the last place, the sign of a zero, or nothing.
"""

from __future__ import annotations

from collections.abc import Callable

from tinygrad_cnn.lowering.instructions import Listing
from tinygrad_cnn.lowering.passes.common_subexpressions import without_repetition
from tinygrad_cnn.lowering.passes.dead_code import without_dead_code
from tinygrad_cnn.lowering.passes.reading.accumulation import from_zeros
from tinygrad_cnn.lowering.passes.reading.assignments import with_joined_assignments
from tinygrad_cnn.lowering.passes.reading.convolutions import with_convolutions
from tinygrad_cnn.lowering.passes.reading.factors import with_few_factors
from tinygrad_cnn.lowering.passes.reading.probabilities import with_probabilities
from tinygrad_cnn.lowering.passes.reading.shapes import with_plain_shapes
from tinygrad_cnn.lowering.passes.simplification import simplified

# In the order in which they are run. What one leaves may be of use to another, so some come twice.
READING: tuple[Callable[[Listing], Listing], ...] = (
    with_convolutions, with_probabilities, with_joined_assignments, simplified, with_plain_shapes, without_repetition,
    with_few_factors, with_few_factors, with_plain_shapes, simplified, with_few_factors, without_repetition,
    without_dead_code, from_zeros,
)  # fmt: skip


def readable(listing: Listing) -> Listing:
    """The listing as it is printed."""
    for run in READING:
        listing = run(listing)
    return listing
