"""The passes: each makes an equivalent listing of a listing. The interpreter is what they are tested with."""

from __future__ import annotations

from collections.abc import Callable

from tinygrad_cnn.lowering.instructions import Listing
from tinygrad_cnn.lowering.passes.canonical import canonical
from tinygrad_cnn.lowering.passes.common_subexpressions import without_repetition
from tinygrad_cnn.lowering.passes.dead_code import without_dead_code
from tinygrad_cnn.lowering.passes.folding import folded
from tinygrad_cnn.lowering.passes.idioms import with_idioms
from tinygrad_cnn.lowering.passes.simplification import simplified

Pass = Callable[[Listing], Listing]

# In the order in which they are run. What a simplification leaves may be simplified again, so these come twice.
PASSES: tuple[Pass, ...] = (
    canonical, without_dead_code, folded, simplified, without_repetition, simplified, with_idioms, without_repetition,
    without_dead_code,
)  # fmt: skip


def optimised(listing: Listing) -> Listing:
    """The listing after all passes."""
    for run in PASSES:
        listing = run(listing)
    return listing
