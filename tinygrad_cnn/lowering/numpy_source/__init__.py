"""Printing: a listing as a module of plain NumPy that a person can read."""

from tinygrad_cnn.lowering.instructions import Listing
from tinygrad_cnn.lowering.numpy_source.statements import write
from tinygrad_cnn.lowering.passes.reading import readable


def source(listing: Listing, name: str, lines: bool = False) -> str:
    """The module: as short as the passes for reading make it, with the source line of each line if `lines`."""
    return write(readable(listing), name, lines)
