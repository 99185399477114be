"""Printing: a listing as a module of functional jax.numpy, as readable as the one of NumPy."""

from tinygrad_cnn.lowering.instructions import Listing
from tinygrad_cnn.lowering.jax_source.promotion import with_casts
from tinygrad_cnn.lowering.jax_source.statements import JaxWriter
from tinygrad_cnn.lowering.passes.reading import readable


def source(listing: Listing, name: str, lines: bool = False) -> str:
    """The module, as `numpy_source.source` has it, with the casts that NumPy makes and JAX does not."""
    return JaxWriter(with_casts(readable(listing)), name, lines).module()
