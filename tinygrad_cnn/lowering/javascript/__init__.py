"""A listing as JavaScript: a module on typed arrays, with sizes as constants, which stands alone.

`program.save("step.js")` writes it, `program.source(to="js")` returns it. It exports two names:

    step(given, into)   given: the arguments by name, trees as they are in Python, {p: {Wc, Bc}, x}: a dict, a
                        namedtuple or a dataclass is an object, a list or a tuple an array. An array is a typed array
                        of its elements row by row, or nested arrays; a number is a number. What is drawn from a
                        generator is an argument too, under the name that `shapes` shows.
                        Returns the result, as a tree of typed arrays and numbers.
                        into: where results are written, a tree like the result, parts of which may be missing. Its
                        arrays may be the arguments' own: `step({p, x, y}, [undefined, p])` updates p in place. What
                        has no array there gets a new one, which is the caller's.
    shapes              {given, result}: the same trees, with the shape of each array

A call takes memory for the results alone, and none if `into` has all of them. Arrays that the function closes over are
constants of the module. float64 is Float64Array, float32
Float32Array, bool Uint8Array of 0 and 1, int32 Int32Array, and so on. int64 is Float64Array of integers: beyond 2^53
a RangeError is thrown, never a rounded number. What JavaScript lacks raises NotImplementedError, with the operation and
the user's line.

To look at any value within, make it an output: `source(listing.with_(outputs=..., structure=...), name)`. To have
several programs in one script, `source(listing, name, exported=False)` is `const name = (() => {...})();`.
"""

from __future__ import annotations

from tinygrad_cnn.lowering.instructions import Listing
from tinygrad_cnn.lowering.javascript.module import Module


def source(listing: Listing, name: str, exported: bool = True) -> str:
    """A listing as a module that exports the function `name`, or as a definition of the function alone."""
    return Module(listing, name).text(exported)
