"""ONNX: a listing as a graph of the operators that inference runtimes have, gradients included."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from tinygrad_cnn.lowering.instructions import Listing
from tinygrad_cnn.lowering.onnx_graph.emitters import EMITTERS
from tinygrad_cnn.lowering.onnx_graph.expansion import expanded
from tinygrad_cnn.lowering.onnx_graph.lengths import merged
from tinygrad_cnn.lowering.onnx_graph.patterns import with_operators
from tinygrad_cnn.lowering.onnx_graph.writer import Writer
from tinygrad_cnn.lowering.passes.common_subexpressions import without_repetition
from tinygrad_cnn.lowering.passes.dead_code import without_dead_code
from tinygrad_cnn.lowering.passes.reading import readable


def source(
    listing: Listing, name: str, *, batch: str = "", others: Sequence[Listing] = (), sizes: Sequence[int] = (),
    values: Mapping[str, Any] = MappingProxyType({}), fixed: bool = False,
) -> bytes:  # fmt: skip
    """The file of a graph of that name.

    batch   what the length of the batch is called, if the graph is for any
    others  the listings of other batches, with `sizes` of all, that of the first listing too
    values  arrays that arguments have unless others are given, by the names of the arguments
    fixed   whether no others can be given, as of the weights of a model
    """
    listings = [prepared(x) for x in (listing, *others)]
    made = merged(listings, sizes) if batch else listings[0]
    return Writer(made, EMITTERS, batch, values, fixed).write(name, listing.doc)


def prepared(listing: Listing) -> Listing:
    """The listing as it is written: as it is printed, and of operators alone."""
    return without_dead_code(without_repetition(expanded(with_operators(readable(listing)))))
