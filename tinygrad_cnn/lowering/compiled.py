"""compile: a function that is run as a program."""

from __future__ import annotations

import functools
import threading
import warnings
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Literal

import numpy as np

from tinygrad_cnn import tree
from tinygrad_cnn.collection import seldom_collected
from tinygrad_cnn.engine.graph import Handle, recording
from tinygrad_cnn.lowering.c.compiler import CompilerError
from tinygrad_cnn.lowering.c.plan import CPlan
from tinygrad_cnn.lowering.closures import Outside
from tinygrad_cnn.lowering.draws import copied_generators, inputs_of
from tinygrad_cnn.lowering.instructions import Listing
from tinygrad_cnn.lowering.passes import optimised
from tinygrad_cnn.lowering.planned.plan import Plan
from tinygrad_cnn.lowering.trace import NUMBERS, argument_names, by_name, kind_of, traced
from tinygrad_cnn.stand_in import StandIn

Backend = Literal["c", "numpy"]
MOST_PROGRAMS = 16  # for so many combinations of shapes and dtypes; those used last are kept


def compile(function: Callable[..., Any], verify: bool = False, backend: Backend | None = None) -> Callable[..., Any]:
    """`function`, run as a program: what it does is recorded at the first call, planned, and then only repeated.

    The program is for arguments of the shapes, dtypes and tree structure of that call; others get a program of their
    own. What `tg.program` says of functions holds here too: a branch on the value of an argument raises TypeError.
    Results are arrays of their own, and several threads may call it at the same time.

    verify: compare the results of each call with those of `function`; raises RuntimeError if they differ.
    backend: "numpy" runs the program as calls of NumPy, "c" as compiled C and raises RuntimeError if that cannot be
    done. By default, C where there is a compiler (`cc`, or that of the package ziglang), otherwise NumPy, with a
    warning. C gives no warnings of divisions by zero and the like. Raises ValueError for another backend. The
    attribute `backend` of the result says how the program that was made last is run, None before the first call.

    >>> import numpy as np, tinygrad_cnn as tg
    >>> step = tg.compile(tg.value_and_grad(lambda w, x: np.sum(np.tanh(x @ w) ** 2)))
    >>> value, gradient = step(np.zeros(3), np.ones((5, 3)))
    >>> step.backend in ("c", "numpy")
    True
    """
    if backend not in ("c", "numpy", None):
        raise ValueError(f"compile: backend is {backend!r}; expected 'c', 'numpy' or None")
    programs: OrderedDict[Any, _Compiled] = OrderedDict()
    names: dict[int, list[str]] = {}  # of the parameters, by how many arguments are given
    lock = threading.Lock()

    @functools.wraps(function)
    def compiled(*args: Any, **keywords: Any) -> Any:
        if len(args) not in names:
            names[len(args)] = argument_names(function, len(args))
        given = by_name(function, args, keywords, names[len(args)])
        leaves, structure = tree.leaves_and_structure(given)
        if any(isinstance(leaf, Handle | StandIn) for leaf in leaves):
            return function(*args, **keywords)  # within a gradient or a program: a part of that
        key = (structure, *map(kind_of, leaves))
        made = programs.get(key)
        if made is None or made.outside.has_changed():
            with lock:
                made = programs[key] = _Compiled(function, args, keywords, backend)
                compiled.backend = "c" if isinstance(made.plan, CPlan) else "numpy"  # type: ignore[attr-defined]
                if len(programs) > MOST_PROGRAMS:
                    programs.popitem(last=False)
        elif len(programs) > 1:
            with lock:
                if key in programs:  # another thread may have dropped it
                    programs.move_to_end(key)
        again = copied_generators((args, keywords)) if verify else None
        result = made(leaves)
        if again is not None:
            _compare(result, function(*again[0], **again[1]))
        return result

    compiled.backend = None  # type: ignore[attr-defined]
    return compiled


class _Compiled:
    """A program, as it is called."""

    def __init__(self, function: Callable[..., Any], args: Any, keywords: Any, backend: Backend | None) -> None:
        with seldom_collected():
            token = recording.set(True)
            try:
                listing: Listing = traced(function, args, keywords, named=backend != "numpy")
            finally:
                recording.reset(token)
            given = by_name(function, args, keywords)
            others = [x for x in tree.flatten(given).leaves if not isinstance(x, (*_LEAVES, np.random.Generator))]
            self.outside = Outside(function, *others, *_objects(tree.structure(given)))
            self.plan = _plan(optimised(listing), backend)
        self.listing = listing
        self.rebuild = tree.flatten(listing.structure).rebuild

    def __call__(self, leaves: list[Any]) -> Any:
        return self.rebuild(self.plan(inputs_of(self.listing, leaves)))


def _objects(structure: Any) -> list[Any]:
    """The classes, functions and other objects in the structure of arguments, such as a layer's activation."""
    found: dict[int, Any] = {}
    waiting = [structure]
    while waiting:
        item = waiting.pop()
        if isinstance(item, tuple):
            waiting.extend(item)
        elif item is not None and not isinstance(item, (*NUMBERS, str, bytes)):
            found[id(item)] = item
    return list(found.values())


def _plan(listing: Listing, backend: Backend | None) -> Plan | CPlan:
    """How a listing is run."""
    if backend == "numpy":
        return Plan(listing)
    try:
        return CPlan(listing)
    except CompilerError as error:
        if backend == "c":
            raise RuntimeError(f"compile: backend='c': {error}") from None
        _warn(f"compile: {error}. The program runs as NumPy; backend='numpy' does so without this warning")
        return Plan(listing)


_warned: set[str] = set()


def _warn(text: str) -> None:
    """Warn, once in a process."""
    if text not in _warned:
        _warned.add(text)
        warnings.warn(text, RuntimeWarning, stacklevel=5)


_LEAVES = (np.ndarray, *NUMBERS)


def _compare(result: Any, expected: Any) -> None:
    """Raise RuntimeError if a program's result is not that of the function, but for rounding."""
    mine, its = tree.flatten(result), tree.flatten(expected)
    for a, b, name in zip(mine.leaves, its.leaves, its.names, strict=True):
        b = b.node.value if isinstance(b, Handle) else b
        tolerance = 1e-4 if np.result_type(b).itemsize <= 4 else 1e-9
        if np.shape(a) != np.shape(b) or not np.allclose(a, b, rtol=tolerance, atol=tolerance, equal_nan=True):
            raise RuntimeError(
                f"compile: the program's result{f' {name}' if name else ''} differs from the function's; expected the "
                "same. The function depends on something that is no argument, or this is a bug: please report it"
            )
