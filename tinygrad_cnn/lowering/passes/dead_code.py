"""Dead code: what no output depends on is left out. The inputs stay, for they are the arguments."""

from __future__ import annotations

from tinygrad_cnn.lowering.instructions import Instruction, Listing


def without_dead_code(listing: Listing) -> Listing:
    """The listing without the instructions that no output needs."""
    needed: set[Instruction] = set(listing.outputs)
    for x in reversed(listing.instructions):
        if x in needed:
            needed.update(x.operands)
    kept = [x for x in listing.instructions if x in needed or x.operation == "input"]
    return listing.with_(instructions=tuple(kept))
