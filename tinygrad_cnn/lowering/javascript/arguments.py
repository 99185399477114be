"""The trees of a program's arguments and of its result, in JavaScript."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from tinygrad_cnn.lowering.instructions import Instruction, Listing
from tinygrad_cnn.lowering.numpy_source.statements import children_of


def arguments(listing: Listing) -> tuple[str, dict[Instruction, str]]:
    """The arguments as an object to be shown, and how each input is reached from it: ".p.Wc"."""
    found: dict[Instruction, str] = {}

    def walk(item: Any, access: str, name: str) -> str | None:
        if isinstance(item, int) and not isinstance(item, bool):
            found[listing.arguments[item].instruction] = access
            return name
        parts = [(key, walk(child, _within(access, key), _last(key))) for key, child in children_of(item)]
        return _container(item, parts)

    shown = [(name, walk(item, _access(name), name)) for name, item in listing.signature.items()]
    for argument in listing.arguments[listing.given :]:
        found[argument.instruction] = _access(argument.name)
        shown.append((argument.name, argument.name))
    return _object(shown), found


def returned(listing: Listing, values: list[tuple[str, bool, bool]]) -> str:
    """The result, from the names of arrays, whether they are numbers, and whether they are booleans."""

    def walk(item: Any, access: str) -> str:
        if item is None:
            return "null"
        if isinstance(item, int) and not isinstance(item, bool):
            name, is_number, is_bool = values[item]
            if is_number:
                return f"{name}[0] !== 0" if is_bool else f"{name}[0]"
            shown = access.replace("?.[", "[").replace("?.", ".")
            return f"result({name}, into{access}, {json.dumps(shown)})"
        parts = [(key, walk(child, _within(access, key))) for key, child in children_of(item)]
        return _container(item, parts) or "null"

    return walk(listing.structure, "")


def shapes(listing: Listing, names: bool = False) -> str:
    """The shapes of the arguments and of the result, as trees; or the result's alone, with names in their place."""

    def walk(item: Any, name: str, leaf: Any) -> str | None:
        if isinstance(item, int) and not isinstance(item, bool):
            return str(leaf(item, name))
        if item is None:
            return "null"
        return _container(item, [(key, walk(child, _last(key), leaf)) for key, child in children_of(item)])

    if names:
        kinds = ["array" if x.result.shape else "number" for x in listing.outputs]
        return walk(listing.structure, "", lambda k, name: kinds[k] if name in ("", "item") else name) or "null"
    given = [
        (name, walk(item, name, lambda k, _: list(listing.arguments[k].instruction.result.shape)))
        for name, item in listing.signature.items()
    ]
    given += [(a.name, str(list(a.instruction.result.shape))) for a in listing.arguments[listing.given :]]
    made = walk(listing.structure, "", lambda k, _: list(listing.outputs[k].result.shape))
    return f"{{ given: {_object(given)}, result: {made or 'null'} }}"


def _container(item: Any, parts: Sequence[tuple[Any, str | None]]) -> str | None:
    """A list, a tuple, or what has names; None of what holds no arrays."""
    if isinstance(item, list) or type(item) is tuple:
        return f"[{', '.join([text or 'null' for _, text in parts])}]"
    return _object([(str(key), text) for key, text in parts]) if parts or isinstance(item, dict) else None


def _object(parts: Sequence[tuple[str, str | None]]) -> str:
    found = [(key, text) for key, text in parts if text is not None]
    if not found:
        return "{}"
    return "{ " + ", ".join([_key(key) if text == key else f"{_key(key)}: {text}" for key, text in found]) + " }"


def _key(key: str) -> str:
    return key if _is_name(key) else json.dumps(key)


def _is_name(key: Any) -> bool:
    return isinstance(key, str) and re.fullmatch(r"[A-Za-z_$][\w$]*", key, re.ASCII) is not None and key != "__proto__"


def _last(key: Any) -> str:
    return key if _is_name(key) else "item" if isinstance(key, int) else json.dumps(str(key))


def _access(key: Any) -> str:
    return f".{key}" if _is_name(key) else f"[{key if isinstance(key, int) else json.dumps(str(key))}]"


def _within(access: str, key: Any) -> str:
    """How a part of what may be missing is reached: undefined where it is."""
    return f"{access}?.{_access(key).removeprefix('.')}"
