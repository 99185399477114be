"""Trees in files: `save` writes one, `load` reads it back.

A file is in the safetensors format, which other libraries read too: each array is a tensor of its name ("layers[0].W").
What the format lacks stands in its metadata as JSON: the containers, numbers, strings and generators, and the dtypes
that it does not know, in the order of `tree.structure`; and a checksum of everything.
"""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Callable
from pathlib import Path
from types import NoneType
from typing import Any, NamedTuple

import numpy as np

from tinygrad_cnn import files, tree
from tinygrad_cnn.engine.tensor import Tensor
from tinygrad_cnn.extras import extra
from tinygrad_cnn.train.descriptions import static_fields

_KEY = "tinygrad_cnn"
_NAMES = {
    "BOOL": "?", "U8": "u1", "I8": "i1", "U16": "<u2", "I16": "<i2", "U32": "<u4", "I32": "<i4", "U64": "<u8",
    "I64": "<i8", "F16": "<f2", "F32": "<f4", "F64": "<f8",
}  # fmt: skip
_CARRIERS = {"M": "<i8", "m": "<i8", "U": "<u4", "S": "u1"}  # as what arrays of other kinds are stored
_BIT_GENERATORS = ("PCG64", "PCG64DXSM", "MT19937", "Philox", "SFC64")


_OF_BAD_CONTENT = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError)


class DamagedFileError(ValueError):
    """The content of a file is not what `save` wrote."""


def save(path: str | os.PathLike[str], tree: Any) -> None:
    """Write a tree to a safetensors file, whole or not at all.

    Leaves may be arrays (bool, integer, float, complex, string and datetime, of any byte order), Tensors, which are
    saved as their values, numbers, strings and NumPy's generators. Raises TypeError for anything else, and names the
    leaf; MissingExtraError if safetensors is not installed.

    >>> import tempfile, numpy as np, tinygrad_cnn as tg
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     tg.save(f"{folder}/model.safetensors", {"W": np.ones(2), "rest": [None, 3]})
    ...     tg.load(f"{folder}/model.safetensors")
    {'W': array([1., 1.]), 'rest': [None, 3]}
    """
    files.write(Path(path), dumped(tree))


def load(path: str | os.PathLike[str], like: Any = None) -> Any:
    """Read a tree from a safetensors file.

    like: a tree of the structure that is expected, such as a model before its training. The result has its types of
    containers. Without it, tuples come back as lists, and dataclasses and namedtuples as dicts. Raises ValueError,
    which names the leaf, if the file has another structure, static field, shape or dtype; DamagedFileError if its
    content is not what was written.

    >>> import tempfile, numpy as np, tinygrad_cnn as tg
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     tg.save(f"{folder}/model.safetensors", (1.0, np.zeros(2)))
    ...     tg.load(f"{folder}/model.safetensors", like=(0.0, np.ones(2)))
    (1.0, array([0., 0.]))
    """
    loaded = loads(Path(path).read_bytes(), str(path))
    return loaded.tree if like is None else loaded.like(like)


def dumped(tree_: Any) -> bytes:
    """The content of the file of a tree."""
    with extra("train", "save"):
        import safetensors.numpy
    leaves, names, _ = tree.flatten(tree_)
    tensors: dict[str, np.ndarray[Any, Any]] = {}
    described = iter([_leaf(leaf, name, tensors) for leaf, name in zip(leaves, names, strict=True)])
    nodes = [next(described) if token is None else _container(token) for token in tree.structure(tree_)]
    static = static_fields(tree_)
    checksum = _checksum(json.dumps([nodes, static]), [x.tobytes() for x in tensors.values()])
    about = json.dumps({"tree": nodes, "static": static, "checksum": checksum})
    return safetensors.numpy.save(tensors, metadata={_KEY: about})


class Loaded(NamedTuple):
    """The content of the file `path`: a tree of dicts and lists, and static fields of dataclasses, by their names.

    caller: of whom an error speaks.
    """

    tree: Any
    static: dict[str, str]
    path: str
    caller: str = "load"

    def like(self, like: Any, part: str = "") -> Any:
        """The tree, or a `part` of it, with the containers of `like`. Raises ValueError if the leaves differ."""
        found = tree.flatten(self.tree[part] if part else self.tree, part)
        wanted = tree.flatten(like, part)
        by_name = dict(zip(found.names, found.leaves, strict=True))
        for names, others, verb in ((wanted.names, found.names, "lacks"), (found.names, wanted.names, "also has")):
            only = [name or "a single leaf" for name in names if name not in set(others)]
            if only:
                more = f" and {len(only) - 1} more" if len(only) > 1 else ""
                raise ValueError(
                    f"{self.caller}: {self.path} {verb} {only[0]}{more}; expected the leaves {_listed(wanted.names)}"
                )
        for name, value in static_fields(like, part).items():
            if self.static.get(name, value) != value:
                raise ValueError(f"{self.caller}: {name} in {self.path} is {self.static[name]}; expected {value}")
        leaves = []
        for name, leaf in zip(wanted.names, wanted.leaves, strict=True):
            given, expected = by_name[name], leaf.value if isinstance(leaf, Tensor) else leaf
            if not _matches(given, expected):
                place = f"{name} in {self.path}" if name else self.path
                raise ValueError(f"{self.caller}: {place} is {_kind(given)}; expected {_kind(expected)}")
            leaves.append(Tensor(given, leaf.name) if isinstance(leaf, Tensor) else given)
        return wanted.rebuild(leaves)


def loads(content: bytes, path: str) -> Loaded:
    """What is in the content of a file; `path` is for messages."""
    with extra("train", "load"):
        import safetensors
    try:
        tensors = dict(safetensors.deserialize(content))  # type: ignore[no-untyped-call]
        metadata = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")]).get("__metadata__", {})
        if _KEY not in metadata and "checksum" not in str(metadata):  # another program's
            return Loaded({name: _foreign(tensor, name, path) for name, tensor in tensors.items()}, {}, path)
        about = json.loads(metadata[_KEY])
        nodes, static = about["tree"], about["static"]
        stored = [tensors[node[1]]["data"] for node in nodes if node[0] == "array"]
        if about["checksum"] != _checksum(json.dumps([nodes, static]), stored):
            raise ValueError("its checksum is not that of its content")
        return Loaded(_built(nodes, tensors), static, path)
    except (safetensors.SafetensorError, *_OF_BAD_CONTENT) as error:
        if isinstance(error, UnsupportedTensorError):
            raise
        raise DamagedFileError(
            f"load: {path} is damaged, or no safetensors file: {error}; expected what save wrote"
        ) from None


def _matches(given: Any, expected: Any) -> bool:
    """Whether a leaf can take the place of another. A number may be one of Python or of NumPy."""
    numbers = [x for x in (given, expected) if not hasattr(x, "dtype")]
    if len(numbers) == 2:
        return type(given) is type(expected)
    if not numbers:
        return bool(given.shape == expected.shape and given.dtype == expected.dtype)
    array = given if hasattr(given, "dtype") else expected
    kinds = {bool: "b", int: "iu", float: "f", complex: "c"}.get(type(numbers[0]), "")
    return not array.shape and array.dtype.kind in kinds


def _kind(x: Any) -> str:
    if isinstance(x, np.ndarray | np.generic):
        return f"{x.dtype} of shape {x.shape}"
    return f"{type(x).__name__} {x!r}" if isinstance(x, bool | int | float | complex | str) else type(x).__name__


def _listed(names: list[str]) -> str:
    return ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")


# Writing.


def _container(token: Any) -> list[Any]:
    """A container, from its token in `tree.structure`."""
    kind, *rest = token if isinstance(token, tuple) else (token,)
    if kind is NoneType:
        return ["none"]
    if issubclass(kind, dict):
        for key in rest:
            if not isinstance(key, str | int | float | NoneType) or isinstance(key, np.generic):
                raise TypeError(f"save: a dict has the key {key!r}; expected a string or a number of Python")
        return ["dict", rest]
    if issubclass(kind, tuple) and hasattr(kind, "_fields"):
        return ["dict", list(kind._fields)]
    if issubclass(kind, list | tuple):
        return ["list", rest[0]]
    return ["dict", list(tree.fields(kind)[0])]


def _leaf(x: Any, name: str, tensors: dict[str, np.ndarray[Any, Any]]) -> list[Any]:
    """A leaf; an array is put into `tensors`."""
    if isinstance(x, Tensor):
        x = x.value
    if isinstance(x, np.ndarray | np.generic):
        key = name or "value"
        if key == "__metadata__":  # which the format has a use for
            key = "['__metadata__']"
        tensors[key] = _stored(np.asarray(x), name)
        return ["array", key, x.dtype.str, list(x.shape), isinstance(x, np.generic)]
    if isinstance(x, np.random.Generator):
        return ["generator", _plain(x.bit_generator.state)]
    for kind, written in _WRITTEN.items():
        if type(x) is kind:
            return [kind.__name__, written(x)]
    raise TypeError(
        f"save: {name or 'the tree'} is of type {type(x).__name__}; expected a tree of arrays, numbers, strings and "
        "generators"
    )


_WRITTEN: dict[type, Callable[[Any], Any]] = {
    bool: bool,
    int: hex,
    float: float.hex,
    complex: lambda z: [z.real.hex(), z.imag.hex()],
    str: str,
}
_READ: dict[str, Callable[[Any], Any]] = {
    "bool": bool,
    "int": lambda text: int(text, 16),
    "float": float.fromhex,
    "complex": lambda both: complex(float.fromhex(both[0]), float.fromhex(both[1])),
    "str": str,
    "generator": lambda state: _generator(state),
}


def _stored(x: np.ndarray[Any, Any], name: str) -> np.ndarray[Any, Any]:
    """An array as the format can hold it: little-endian, and of the kinds that it knows."""
    kind, size = x.dtype.kind, x.dtype.itemsize
    x = np.ascontiguousarray(x, x.dtype.newbyteorder("<")).reshape(x.shape)
    if kind in "biuf" and size <= 8:
        return x
    carrier = np.dtype(f"<f{size // 2}" if kind == "c" and size <= 16 else _CARRIERS.get(kind, "V"))
    if carrier.kind == "V" or not size:
        raise TypeError(
            f"save: {name or 'the array'} has dtype {x.dtype}; expected bool, integer, float up to 64 bits, complex up "
            "to 128 bits, datetime or string"
        )
    return x.reshape(-1).view(carrier).reshape(*x.shape, size // carrier.itemsize)


def _checksum(text: str, stored: list[bytes]) -> int:
    found = zlib.crc32(text.encode())
    for data in stored:
        found = zlib.crc32(data, found)
    return found


# Reading.


class UnsupportedTensorError(TypeError):
    """A tensor of another program has a dtype that NumPy lacks."""


def _foreign(tensor: dict[str, Any], name: str, path: str) -> Any:
    if tensor["dtype"] not in _NAMES:
        raise UnsupportedTensorError(f"load: {name} in {path} is {tensor['dtype']}; expected a dtype that NumPy has")
    return _array(tensor["data"], _NAMES[tensor["dtype"]], tensor["shape"])


def _array(data: bytes, dtype: str, shape: list[int]) -> Any:
    if np.dtype(dtype).kind not in "biufcmMUS":
        raise ValueError(f"there are no arrays of dtype {dtype}")
    return np.ndarray(shape, np.dtype(dtype).newbyteorder("<"), bytes(data)).astype(dtype)


def _built(nodes: list[list[Any]], tensors: dict[str, Any]) -> Any:
    """The tree of nodes, each before its children: the last come first, so that children are there before."""
    built: list[Any] = []
    for kind, *rest in reversed(nodes):
        if kind == "dict":
            built.append({key: built.pop() for key in rest[0]})
        elif kind == "list":
            built.append([built.pop() for _ in range(rest[0])])
        elif kind == "none":
            built.append(None)
        elif kind == "array":
            key, dtype, shape, scalar = rest
            x = _array(tensors[key]["data"], dtype, shape)
            built.append(x[()] if scalar else x)
        else:
            built.append(_READ[kind](rest[0]))
    (tree_,) = built
    return tree_


def _plain(state: Any) -> Any:
    """The state of a generator for JSON."""
    if isinstance(state, dict):
        return {key: _plain(x) for key, x in state.items()}
    return {"array": state.tolist(), "dtype": state.dtype.str} if isinstance(state, np.ndarray) else state


def _restored(state: Any) -> Any:
    if not isinstance(state, dict):
        return state
    if set(state) == {"array", "dtype"}:
        return np.array(state["array"], state["dtype"])
    return {key: _restored(x) for key, x in state.items()}


def _generator(state: dict[str, Any]) -> np.random.Generator:
    if state["bit_generator"] not in _BIT_GENERATORS:
        raise ValueError(f"there is no bit generator {state['bit_generator']!r}")
    bits = getattr(np.random, state["bit_generator"])()
    bits.state = _restored(state)
    return np.random.Generator(bits)
