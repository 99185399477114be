"""vmap: a function of one example, as a function of many. README.md of `lowering/` says in which order to read this."""

from tinygrad_cnn.lowering.batching.transform import vmap

__all__ = ["vmap"]
