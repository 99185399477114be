"""Accumulation: the sum of the cotangents of a parameter that a loop uses begins with zeros, as one would write it.

    dL_db = a, dL_db = dL_db + b, ...     dL_db = zeros, dL_db = dL_db + a, dL_db = dL_db + b, ...

So the first iteration is as all others, and the loop is printed as one. The sign of a zero may change.
"""

from __future__ import annotations

from tinygrad_cnn.lowering.instructions import Instruction, Listing, same

LEAST = 4  # terms


def from_zeros(listing: Listing) -> Listing:
    """The listing with zeros before the first term of each long sum of cotangents."""
    terms: dict[Instruction, list[Instruction]] = {}  # the sums that begin with each term
    zeros: dict[int, list[Instruction]] = {}  # by what they stand before
    begun: dict[Instruction, Instruction] = {}  # by the sum: zeros, and then zeros and the first term
    for *_, first in chains(listing):
        term = first.operands[0]
        if term.result.shape and term.operation != "full" and term.origin.half == "cotangent":
            terms.setdefault(term, []).append(first)
            begun[first] = _zeros(first)
            zeros.setdefault(_start_of_gradient(listing, term), []).append(begun[first])
    new: dict[Instruction, Instruction] = {}
    made: list[Instruction] = []
    for k, x in enumerate(listing.instructions):
        made += zeros.get(k, [])
        operands = [new[operand] for operand in x.operands]
        if x in begun:
            operands[0] = begun[x]
        new[x] = same(x, operands)
        made.append(new[x])
        for first in terms.get(x, []):
            begun[first] = first.with_(operands=(begun[first], new[x]))
            made.append(begun[first])
    return listing.with_(instructions=tuple(made), outputs=tuple([new[x] for x in listing.outputs]))


def _zeros(x: Instruction) -> Instruction:
    parameters = {"shape": x.result.shape, "value": 0.0, "dtype": x.result.dtype, "order": "C"}
    return Instruction("full", (), parameters, x.result, x.origin)


def _start_of_gradient(listing: Listing, x: Instruction) -> int:
    """The place of the first of the cotangents among which `x` is."""
    place = listing.instructions.index(x)
    start = place
    while place:
        place -= 1
        before = listing.instructions[place]
        if before.origin.half == "cotangent":
            start = place
        elif before.operands:
            break
    return start


def chains(listing: Listing) -> list[list[Instruction]]:
    """Sums of many cotangents, added up one after the other: the partial sums, from the whole down to the first."""
    found: list[list[Instruction]] = []
    seen: set[Instruction] = set()
    for x in reversed(listing.instructions):
        if x.operation != "add" or x.origin.half != "cotangent" or x.origin.name is None or x in seen:
            continue
        chain = [x]
        while chain[-1].operands[0].operation == "add" and chain[-1].operands[0].origin.half == "cotangent":
            chain.append(chain[-1].operands[0])
        seen.update(chain)
        if len(chain) >= LEAST:
            found.append(chain)
    return found
