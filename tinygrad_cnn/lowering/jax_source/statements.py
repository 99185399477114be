"""A listing as a function of jax.numpy: what its module says around the lines, and what differs in them."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from tinygrad_cnn.lowering.instructions import Draw, Instruction, Listing
from tinygrad_cnn.lowering.jax_source.expressions import JaxExpressions
from tinygrad_cnn.lowering.jax_source.helpers import HELPERS, source_of
from tinygrad_cnn.lowering.numpy_source.helpers import with_what_they_call
from tinygrad_cnn.lowering.numpy_source.statements import STANDARD, Writer

DOUBLE = (np.float64, np.complex128, np.uint64)
ENABLE = 'jax.config.update("jax_enable_x64", True)'


def needs_x64(listing: Listing) -> bool:
    """Whether something in it is in double precision, which JAX has only if it is asked to.

    So is what computes with large integers. Other integers of 64 bits are indices and counts, which JAX has in 32.
    """
    return any(_is_double(x) for x in listing.instructions)


def _is_double(x: Instruction) -> bool:
    if x.result.kind == "number" or x.result.dtype is None:
        return False
    if x.result.dtype == np.int64 and x.operation in ("constant", "closed_over"):
        value = np.asarray(x.parameters["value"])
        return bool(value.size) and bool(np.abs(value).max() > np.iinfo(np.int32).max)
    if x.result.dtype == np.int64 and x.operation in ("multiply", "power", "power_operator", "left_shift", "square"):
        return True
    return x.result.dtype in DOUBLE


class JaxWriter(Writer):
    """Writes one listing for JAX."""

    expressions_type = JaxExpressions
    modules = frozenset({"jax", "jnp", "math", *HELPERS})

    def __init__(self, listing: Listing, name: str, source: bool) -> None:
        super().__init__(listing, name, source)
        self.is_double = needs_x64(listing)

    def head(self, code: str) -> list[str]:
        """What it needs, the imports, and in double precision a check that JAX has it."""
        self.is_double = self.is_double or "float64" in code  # such as a primitive's own source has
        if self.is_double:
            needs = f"It computes in double precision, for which JAX needs {ENABLE}."
        else:
            needs = "It needs no double precision; with JAX's x64 off, its integers have 32 bits."
        standard = sorted(self.expressions.imports.keys() & STANDARD)
        if re.search(r"\bmath\.", code) and "import math" not in standard:
            standard = sorted([*standard, "import math"])
        modules = ["import jax"] if self.is_double or re.search(r"(?<![\w.])jax\.", code) else []
        modules += ["import jax.scipy.special"] if "jax.scipy.special." in code else []
        modules += ["import jax.numpy as jnp"] if re.search(r"(?<![\w.])jnp\.", code) else []
        imports = "\n".join([*standard, *([""] if standard and modules else []), *sorted(modules)])
        message = f"{self.name} computes in double precision: call {ENABLE} before it is imported"
        check = f"if not jax.config.jax_enable_x64:\n    raise RuntimeError(\n        {message!r}\n    )"
        about = f'"""{self.name}, in jax.numpy: a pure function of arrays.\n\n{needs}\n"""'
        return [about, *([imports] if imports else []), *([check] if self.is_double else [])]

    def helpers(self) -> list[str]:
        """The helpers that are used, and those that they call."""
        return [source_of(name) for name in with_what_they_call(self.expressions.helpers, HELPERS)]

    def drawn(self, generator: str, number: int, draw: Draw) -> str:
        """What is drawn is an argument: arrays, in the order of the draws, in the place of their generator."""
        return f"{generator}[{number}]"

    def docstring(self) -> str:
        """The arguments with their shapes, and what is drawn."""
        text = super().docstring()
        draws = []
        for argument, draw in zip(self.listing.arguments[self.listing.given :], self.listing.draws, strict=True):
            call = super().drawn("rng", 0, draw).removeprefix("rng.")
            draws.append(f"{self.accesses[argument.instruction]} is as a NumPy generator's {call}")
        if not draws:
            return text
        body = text.removeprefix('"""').removesuffix('"""').rstrip()
        return f'"""{body}\n\n' + "\n".join(draws) + '\n"""'

    def copied(self, text: str) -> str:
        """Arrays do not change: none needs a copy."""
        return text

    def constant(self, value: Any, name: str | None = None) -> str:
        """A constant array. One without axes has its dtype, or it would take that of what it meets."""
        if value.ndim == 0:
            return self.expressions.number(value[()], None).text
        return super().constant(value, name)
