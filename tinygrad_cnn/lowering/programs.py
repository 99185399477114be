"""Program: a traced function, to print, to save and to run."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from tinygrad_cnn import files, tree
from tinygrad_cnn.advice.arguments import other_structure
from tinygrad_cnn.highlighting import highlighted
from tinygrad_cnn.lowering.derivation import Format, derivation
from tinygrad_cnn.lowering.draws import inputs_of
from tinygrad_cnn.lowering.instructions import Listing, Result
from tinygrad_cnn.lowering.interpreter import interpret
from tinygrad_cnn.lowering.naming import identifier
from tinygrad_cnn.lowering.passes import optimised
from tinygrad_cnn.lowering.passes.reading import readable
from tinygrad_cnn.lowering.targets import TARGETS, named, target_of
from tinygrad_cnn.lowering.trace import NUMBERS, by_name, kind_of, traced


class Program:
    """What a function does, as straight-line NumPy. `print` shows it, and `save` writes it to a file.

    It is for arguments of the shapes and dtypes that it was traced with. Call it as the function.

    >>> import numpy as np, tinygrad_cnn as tg
    >>> double = tg.program(lambda x: x + x)(np.ones(2))
    >>> double
    <Program of 2 instructions>
    >>> double(np.array([1.0, 3.0]))
    array([2., 6.])
    """

    def __init__(self, function: Callable[..., Any], listing: Listing) -> None:
        self.function = function
        self.listing = listing

    def source(self, name: str = "step", lines: bool = False, *, to: str = "numpy") -> str:
        """A module that defines the function `name`; that of NumPy imports NumPy only.

        lines: each line says which line of the function it is from; of NumPy's alone.
        to: one of the targets that are text; see `save`. Raises ValueError for another.
        """
        written = named(to).written(self.listing, name, **({"lines": True} if lines else {}))
        if isinstance(written, bytes):
            raise ValueError(f"program: to={to!r} is not text; expected another target, or program.save(path)")
        return written

    def save(self, path: str | os.PathLike[str], to: str | None = None, *, batch: str | None = None) -> None:
        """Write the program to a file; the function that it defines has the name of the file.

        The suffix says what is written: .py a module of NumPy, .c a C source that needs no more, .js a module of
        JavaScript, .onnx a graph for inference runtimes, gradients included. `to` says it where the suffix does not.
        Raises ValueError for neither, and NotImplementedError for what a target lacks; then nothing is written.

        batch: of a graph, what the length of the batch is called, which may then be any; the function is traced with
        other batches to find what depends on it. Raises NotImplementedError if that is more than lengths.
        """
        target = target_of(path, to)
        if batch is not None and target is not TARGETS["onnx"]:
            raise ValueError(
                f"program: batch={batch!r} is for ONNX; expected a path that ends with .onnx, or to='onnx'"
            )
        name = identifier(os.path.splitext(os.path.basename(path))[0])
        written = target.written(self.listing, name, **({} if batch is None else self._at_other_sizes(batch)))
        files.write(Path(path), written if isinstance(written, bytes) else written.encode())

    def _at_other_sizes(self, batch: str) -> dict[str, Any]:
        """What the writer of a graph needs to find out what depends on the batch."""
        from tinygrad_cnn.lowering.onnx_graph.lengths import at_sizes

        listings, sizes = at_sizes(self.function, self.listing)
        return {"batch": batch, "others": listings[1:], "sizes": sizes}

    def derivation(self, format: Format = "markdown") -> str:
        """The same as mathematics: each step as an equation, with its shape. format: "markdown" or "latex"."""
        return derivation(readable(self.listing), format)

    def __call__(self, *args: Any, **keywords: Any) -> Any:
        """The result for other arguments, of the shapes and dtypes of those that it was traced with."""
        given = by_name(self.function, args, keywords)
        flat = tree.flatten(given)
        self._check(given, flat)
        results = interpret(self.listing, inputs_of(self.listing, flat.leaves))
        return tree.flatten(self.listing.structure).rebuild(results)

    def _check(self, given: dict[str, Any], flat: tree.Flat) -> None:
        """Raise ValueError for arguments that the program is not for."""
        expected = tree.flatten(self.listing.signature)
        if tree.structure(given) != tree.structure(self.listing.signature):
            raise ValueError(other_structure("program: the call", flat.names, "its arguments", expected.names))
        for name, leaf, example in zip(flat.names, flat.leaves, expected.leaves, strict=True):
            if type(example) is int:  # the number of an argument
                example = self.listing.arguments[example].instruction.result
                leaf = Result.of(leaf) if isinstance(leaf, (np.ndarray, *NUMBERS)) else leaf
                if not isinstance(leaf, Result) or leaf.key != example.key:
                    raise ValueError(_another(name, leaf, example))
            elif kind_of(leaf) != kind_of(example):
                raise ValueError(_another(name, leaf, example))

    def __str__(self) -> str:
        return self.source()

    def _repr_html_(self) -> str:
        """The module, for a notebook."""
        return highlighted(self.source())

    def __repr__(self) -> str:
        return f"<Program of {len(self.listing.instructions)} instructions>"


def _another(name: str, given: Any, expected: Any) -> str:
    given, expected = [f"{x.dtype} of shape {x.shape}" if isinstance(x, Result) else repr(x) for x in (given, expected)]
    return (
        f"program: argument {name} is {given}; expected {expected}, with which the program was traced. Make a program "
        "for it, or call a function that tg.compile has made, which does so"
    )


def program(function: Callable[..., Any]) -> Callable[..., Program]:
    """Trace `function`: called with arguments, the result is its `Program` for arguments of their shapes and dtypes.

    The function may take gradients, assign to arrays, and use anything that NumPy and this package have, as long as
    what it does is the same for all values of its arguments: a branch on one raises TypeError. It is run twice; what
    differs from one run to the other, such as random numbers, raises too.

    >>> import numpy as np, tinygrad_cnn as tg
    >>> def loss(w, x):
    ...     h = np.tanh(x @ w)
    ...     return np.sum(h * h)
    >>> lines = tg.program(tg.grad(loss))(np.ones(3), np.ones((5, 3))).source().splitlines()
    >>> for line in lines[5:]:
    ...     print(line)
        h = np.tanh(x @ w)  # (5,)
    <BLANKLINE>
        # The gradient.
        dL_dh = 2 * h  # (5,)
        dL_dw = x.T @ (dL_dh * ((1 - h) * (1 + h)))  # (3,)
        return dL_dw
    """

    def of(*args: Any, **keywords: Any) -> Program:
        return Program(function, optimised(traced(function, args, keywords)))

    return of
