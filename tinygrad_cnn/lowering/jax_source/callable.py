"""tg.to_jax: the program of a function as a pure function of JAX arrays."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import linecache
from collections.abc import Callable
from typing import Any

import numpy as np

from tinygrad_cnn import extras, tree
from tinygrad_cnn.advice.arguments import other_structure
from tinygrad_cnn.lowering.instructions import Listing, Result
from tinygrad_cnn.lowering.jax_source.statements import ENABLE
from tinygrad_cnn.lowering.naming import identifier
from tinygrad_cnn.lowering.programs import program
from tinygrad_cnn.lowering.trace import by_name, kind_of

Function = Callable[..., Any]


def to_jax(function: Function) -> Function:
    """Trace `function`: called with example arguments, the result is the same function on JAX arrays.

    The examples are NumPy's or JAX's arrays, and the function may be all that `tg.program` takes, a gradient included.
    What comes of it is pure, and takes and returns the same trees: it works under `jax.jit`, `jax.vmap`, `jax.grad` and
    the other transformations, for arguments of the shapes and dtypes of the examples. Arrays that the function closes
    over are constants. Dataclasses among the arguments are registered with JAX.

    In the place of a `numpy.random.Generator`, it takes a tuple of what is drawn; the attribute `drawn` makes the
    arguments so, and draws from the generators among them. The attribute `source` is the printed module.

    Raises RuntimeError if the program computes in float64 and JAX's x64 is off, NotImplementedError for what JAX lacks,
    and ImportError if JAX is not installed.

    >>> import numpy as np, pytest, tinygrad_cnn as tg
    >>> jax = pytest.importorskip("jax")
    >>> x = np.arange(3, dtype=np.float32)
    >>> step = tg.to_jax(tg.grad(lambda x: np.sum(x * x)))(x)
    >>> jax.jit(step)(x)
    Array([0., 2., 4.], dtype=float32)
    """

    def of(*args: Any, **keywords: Any) -> Function:
        with extras.extra("jax", "tg.to_jax"):
            import jax
        args, keywords = tree.map(lambda x: np.asarray(x) if isinstance(x, jax.Array) else x, (args, keywords))
        return _callable(function, program(function)(*args, **keywords).listing)

    return of


def _callable(function: Function, listing: Listing) -> Function:
    """The function that a listing amounts to, on JAX arrays."""
    import jax
    import jax.numpy as jnp

    from tinygrad_cnn.lowering.jax_source import source

    name = identifier(listing.title or "step")
    text = source(listing, "step")
    is_double = ENABLE in text
    _require_x64(is_double, name)
    step = _defined(text, name)
    signature = _with_draws(listing)
    _register([*_dataclasses(signature), *_dataclasses(listing.structure)])
    expected = tree.flatten(signature)

    def drawn(*args: Any, **keywords: Any) -> tuple[Any, ...]:
        """The arguments, with what is drawn in place of the generators."""
        return tuple(_draw(listing, by_name(function, args, keywords)).values())

    def called(*args: Any, **keywords: Any) -> Any:
        _require_x64(is_double, name)
        given = by_name(function, args, keywords)
        if any(isinstance(leaf, np.random.Generator) for leaf in tree.flatten(given).leaves):
            if any(isinstance(leaf, jax.core.Tracer) for leaf in tree.flatten(given).leaves):
                raise TypeError(
                    f"to_jax: {name} is given a generator under a transformation of JAX's; expected what is drawn from "
                    "it, as an argument. Call jax.jit(f)(*f.drawn(...))"
                )
            given = _draw(listing, given)
        given = _in_order(given, signature)
        flat = tree.flatten(given)
        if tree.structure(given) != tree.structure(signature):
            raise ValueError(
                other_structure(f"to_jax: the call of {name}", flat.names, "its arguments", expected.names)
            )
        leaves = []
        for path, leaf, example in zip(flat.names, flat.leaves, expected.leaves, strict=True):
            if type(example) is int:
                _check(f"to_jax: argument {path} of {name}", leaf, listing.arguments[example].instruction.result)
                leaf = jnp.asarray(leaf) if isinstance(leaf, np.ndarray | np.generic) else leaf
            elif kind_of(leaf) != kind_of(example):
                raise ValueError(
                    f"to_jax: argument {path} of {name} is {leaf!r}; expected {example!r}, as in the example"
                )
            leaves.append(leaf)
        return step(**flat.rebuild(leaves))

    functools.update_wrapper(called, function)
    called.__name__ = name
    called.source, called.drawn = text, drawn  # type: ignore[attr-defined]
    return called


def _require_x64(is_double: bool, name: str) -> None:
    import jax

    config: Any = jax.config
    if is_double and not config.jax_enable_x64:
        raise RuntimeError(
            f"to_jax: {name} computes in double precision, and JAX's x64 is off; expected it on. Call {ENABLE} first, "
            "or give float32 arrays"
        )


def _check(what: str, given: Any, expected: Result) -> None:
    """Raise ValueError for another shape or dtype than that of the example."""
    import jax

    is_number = type(given) in (bool, int, float, complex)
    if expected.kind == "number":
        if is_number or (hasattr(given, "dtype") and given.shape == ()):  # under jit, a number is an array
            return
    elif not is_number and hasattr(given, "dtype") and given.shape == expected.shape:
        dtype = expected.dtype if isinstance(given, np.ndarray | np.generic) else _in_jax(expected.dtype)
        if given.dtype == dtype or (isinstance(given, jax.Array) and given.dtype == _in_jax(dtype)):
            return
    shown = repr(given) if is_number or not hasattr(given, "dtype") else f"{given.dtype} of shape {given.shape}"
    wanted = "a number" if expected.kind == "number" else f"{_in_jax(expected.dtype)} of shape {expected.shape}"
    raise ValueError(f"{what} is {shown}; expected {wanted}, as in the example. Call tg.to_jax with such an example")


def _in_jax(dtype: Any) -> Any:
    """What JAX has of a dtype, x64 off or on."""
    import jax

    return jax.dtypes.canonicalize_dtype(dtype)


def _defined(text: str, name: str) -> Function:
    """The function that a module defines; tracebacks show its lines."""
    file = f"<program {name} for JAX, {id(text)}>"
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    space: dict[str, Any] = {"__name__": f"{name}_jax"}
    exec(compile(text, file, "exec"), space)
    found: Function = space["step"]
    return found


def _with_draws(listing: Listing) -> Any:
    """The signature, with the numbers of what is drawn, as a tuple, in the place of each generator."""
    flat = tree.flatten(listing.signature)
    drawn = range(listing.given, len(listing.arguments))
    by_leaf = {
        k: tuple([n for n, draw in zip(drawn, listing.draws, strict=True) if flat.leaves[draw.leaf] is leaf])
        for k, leaf in enumerate(flat.leaves)
        if isinstance(leaf, np.random.Generator)
    }
    return flat.rebuild([by_leaf.get(k, leaf) for k, leaf in enumerate(flat.leaves)])


def _draw(listing: Listing, given: dict[str, Any]) -> dict[str, Any]:
    """The arguments of a call, with what the generators among them draw, in order."""
    flat = tree.flatten(given)
    examples = tree.flatten(listing.signature).leaves
    if len(examples) != len(flat.leaves):
        return given  # another structure, for which there is an error
    drawn: dict[int, list[Any]] = {id(x): [] for x in examples if isinstance(x, np.random.Generator)}
    for draw in listing.draws:
        generator = flat.leaves[draw.leaf]
        if isinstance(generator, np.random.Generator):
            drawn[id(examples[draw.leaf])].append(getattr(generator, draw.method)(*draw.args, **draw.keywords))
    leaves = [
        tuple(drawn[id(example)]) if isinstance(leaf, np.random.Generator) and id(example) in drawn else leaf
        for leaf, example in zip(flat.leaves, examples, strict=True)
    ]
    made: dict[str, Any] = flat.rebuild(leaves)
    return made


def _in_order(given: Any, like: Any) -> Any:
    """A tree with its dicts in the order of those of another: JAX has sorted them."""
    if type(given) is type(like) is dict and given.keys() == like.keys():
        return {key: _in_order(given[key], item) for key, item in like.items()}
    mine, its = tree.parts_of(given, ""), tree.parts_of(like, "")
    if mine is None or its is None or len(mine[0]) != len(its[0]):
        return given
    return mine[2]([_in_order(a, b) for a, b in zip(mine[0], its[0], strict=True)])


def _dataclasses(item: Any) -> list[type]:
    """The dataclasses within a tree."""
    found: list[type] = []
    waiting = [item]
    while waiting:
        item = waiting.pop()
        if dataclasses.is_dataclass(item) and not isinstance(item, type):
            found.append(type(item))
        parts = tree.parts_of(item, "")
        waiting += parts[0] if parts is not None else []
    return list(dict.fromkeys(found))


_registered: set[type] = set()


def _register(kinds: list[type]) -> None:
    """Make dataclasses trees of JAX's: fields are children, and static fields are compared."""
    import jax

    for kind in kinds:
        if kind in _registered:
            continue
        _registered.add(kind)
        dynamic, static = tree.fields(kind)
        with contextlib.suppress(ValueError):  # whoever has defined the class may have registered it
            jax.tree_util.register_pytree_with_keys(kind, *_flattening(kind, dynamic, static))


def _flattening(kind: type, dynamic: tuple[str, ...], static: tuple[str, ...]) -> tuple[Any, Any]:
    import jax

    def flattened(item: Any) -> Any:
        children = [(jax.tree_util.GetAttrKey(name), getattr(item, name)) for name in dynamic]
        return children, tuple([getattr(item, name) for name in static])

    def rebuilt(others: Any, children: Any) -> Any:
        new: Any = object.__new__(kind)  # without its constructor, which may check what JAX puts there
        for name, value in [*zip(dynamic, children, strict=True), *zip(static, others, strict=True)]:
            object.__setattr__(new, name, value)
        return new

    return flattened, rebuilt
