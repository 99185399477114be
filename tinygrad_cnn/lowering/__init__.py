"""Programs: a function, gradient included, as straight-line code. README.md says in which order to read this."""

from tinygrad_cnn.lowering.batching import vmap
from tinygrad_cnn.lowering.compiled import compile  # noqa: A004 (always tg.compile)
from tinygrad_cnn.lowering.jax_source.callable import to_jax
from tinygrad_cnn.lowering.jax_source.parallel import data_parallel
from tinygrad_cnn.lowering.programs import Program, program
from tinygrad_cnn.lowering.recorder import TracingError

__all__ = ["Program", "TracingError", "compile", "data_parallel", "program", "to_jax", "vmap"]
