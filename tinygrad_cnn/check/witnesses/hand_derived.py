"""What a hand-derived gradient returned: which of it is for which parameter, and which for which other value."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tinygrad_cnn import tree
from tinygrad_cnn.check.witnesses.trace import Trace, as_array
from tinygrad_cnn.engine.graph import Array, Node

# How people call the derivative of a loss with respect to x: dL_dx, dL_x, dLdx, dloss_dx, grad_x, d_x, dx, x_grad, ...
_PREFIX = re.compile(r"^(d(?:L|l|J|E|C|loss|cost)_?_?d_?|d(?:L|l|J|E|C|loss|cost)_|d_|grad_|g_|d)(?=.)")
_SUFFIX = re.compile(r"(?<=.)(_grad|_bar|_gradient)$")


@dataclass(frozen=True)
class HandDerived:
    """Hand-derived cotangents.

    of        by the node that each is for, with the name that it has in what was returned
    unknown   names that no value of the graph has
    changed   parameters that the function changed in place, by name
    """

    of: dict[Node, tuple[str, Array]]
    unknown: list[str]
    changed: list[str] = field(default_factory=list)

    def arrays(self) -> dict[Node, Array]:
        """The cotangents alone."""
        return {node: array for node, (_, array) in self.of.items()}


def matched(returned: Any, form: tree.Flat, run: Trace, names: Mapping[str, str]) -> HandDerived:
    """Sort out what a hand-derived gradient returned.

    returned: the gradients with the tree structure of the parameters; or a dict, namedtuple or dataclass with a
    gradient for each parameter and cotangents of intermediate values, by names such as dL_dfc, dfc or fc; or a pair of
    both. names: what the graph calls a value that has another name in what was returned. Raises ValueError if a
    parameter has no gradient.
    """
    if type(returned) is tuple and len(returned) == 2 and not hasattr(returned, "_fields") and len(form.leaves) != 2:
        gradients, rest = returned
        both = matched(gradients, form, run, names), _by_name(rest, run, names)
        if both[1].of.keys() >= set(run.parameters):
            raise ValueError(
                "by_hand returned a pair with the gradients in the second place: return them alone, without the "
                "loss, or (gradients, cotangents of intermediate values)"
            )
        return HandDerived({**both[1].of, **both[0].of}, [*both[0].unknown, *both[1].unknown])
    flat = tree.flatten(returned)
    if flat.names == form.names or (not any(flat.names) and len(flat.leaves) == len(form.leaves)):
        arrays = [_real(x, name or "the gradient") for x, name in zip(flat.leaves, form.names, strict=True)]
        pairs = zip(run.parameters, form.names, arrays, strict=True)
        return HandDerived({node: (name or "x", array) for node, name, array in pairs}, [])
    found = _by_name(returned, run, names)
    missing = [node.name for node in run.parameters if node not in found.of]
    if missing:
        if any(name.startswith(f"{missing[0]}[") for name in flat.names):
            raise ValueError(f"by_hand returned a list for {missing[0]}; expected an array: np.array(...) makes one")
        actual = "None" if returned is None else ", ".join(filter(None, flat.names)) or "nothing with a name"
        raise ValueError(
            f"by_hand returned {actual}, but no gradient of {', '.join(map(str, missing))}; return them with the "
            f"tree structure of the parameters, or by name: dL_d{missing[0]}"
        )
    return found


def _real(leaf: Any, name: str) -> Array:
    """A hand-derived gradient as an array of floats; TypeError if it is not of real numbers."""
    x = as_array(leaf)
    if x.dtype.kind not in "fiub":
        raise TypeError(f"by_hand returned {name} with dtype {x.dtype}; expected real numbers")
    return x if x.dtype.kind == "f" else x.astype(float)


def _by_name(returned: Any, run: Trace, names: Mapping[str, str]) -> HandDerived:
    flat = tree.flatten(returned)
    known = by_name(run)
    of: dict[Node, tuple[str, Array]] = {}
    unknown = []
    for name, leaf in zip(flat.names, flat.leaves, strict=True):
        node = next((known[form] for form in _forms(name, names) if form in known), None)
        if node is None:
            unknown.append(name)
        else:
            of[node] = (name, _real(leaf, name))
    return HandDerived(of, unknown)


def by_name(run: Trace) -> dict[str, Node]:
    """The values of a graph by name; where several have the same, they are name[0], name[1], ... in order.

    A name that a parameter has too is the parameter's: after `L = np.tril(p["L"])` it is L, and the other is L[1].
    """
    nodes: dict[str, list[Node]] = {}
    for node, name in run.names().items():
        nodes.setdefault(name, []).append(node)
    found: dict[str, Node] = {}
    for name, alike in nodes.items():
        if len(alike) == 1:
            found[name] = alike[0]
        else:
            found.update({f"{name}[{k}]": node for k, node in enumerate(sorted(alike, key=lambda x: x.order))})
    found.update({node.name: node for node in run.parameters if node.name is not None})
    return found


def listed(names: Iterable[str]) -> str:
    """Names in a row, those that are numbered as one: "fc, h[0] to h[4]"."""
    numbered: dict[str, list[int]] = {}
    for name in names:
        plain, _, number = name.partition("[")
        numbered.setdefault(plain, []).append(int(number[:-1]) if number[:-1].isdigit() else -1)
    found = []
    for plain, numbers in sorted(numbered.items()):
        low, high = min(numbers), max(numbers)
        found.append(plain if high < 0 else f"{plain}[{low}]" if low == high else f"{plain}[{low}] to {plain}[{high}]")
    return ", ".join(found)


def _forms(name: str, names: Mapping[str, str]) -> list[str]:
    """What the graph may call the value that a cotangent of this name is for."""
    plain = _SUFFIX.sub("", name)
    forms = [name, plain, _PREFIX.sub("", plain)]
    return [names[form] for form in forms if form in names] + forms
