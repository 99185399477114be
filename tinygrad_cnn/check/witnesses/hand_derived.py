"""What a hand-derived gradient returned: which of it is for which parameter, and which for which other value."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from tinygrad_cnn import tree
from tinygrad_cnn.check import sentences
from tinygrad_cnn.check.witnesses.magnitude import largest
from tinygrad_cnn.check.witnesses.returned import Named, Returned, is_array, sorted_out
from tinygrad_cnn.check.witnesses.trace import Trace, as_array
from tinygrad_cnn.engine.graph import Array, Node

# How people call the derivative of a loss with respect to x: dL_dx, dL_x, dLdx, dloss_dx, grad_x, d_x, dx, x_grad, ...
_PREFIX = re.compile(r"^(d(?:L|l|J|E|C|loss|cost)_?_?d_?|d(?:L|l|J|E|C|loss|cost)_|d_|grad_|g_|d)(?=.)")
_SUFFIX = re.compile(r"(?<=.)(_grad|_bar|_gradient)$")
_NUMBERED = re.compile(r"^(.*)\[(\d+)\]$")
LOSS = ("loss", "cost", "L", "J")  # what the loss itself is called
ALIKE = 1e-6  # two arrays that are as near as this, relative to the larger, are of the same value


@dataclass(frozen=True)
class HandDerived:
    """Hand-derived cotangents.

    of        by the node that each is for, with the name that it has in what was returned
    unknown   names that no value of the graph has
    changed   parameters that the function changed in place, by name
    forward   values of the forward pass that were returned too, by node, with their names
    loss      the loss, if it was returned too
    notes     how names and shapes were understood, and what is not compared, with the reason
    in_long_double   the cotangents, computed in long double, where they can be
    """

    of: dict[Node, tuple[str, Array]]
    unknown: list[str]
    changed: list[str] = field(default_factory=list)
    forward: dict[Node, tuple[str, Array]] = field(default_factory=dict)
    loss: Array | None = None
    notes: list[str] = field(default_factory=list)
    in_long_double: dict[Node, Array] = field(default_factory=dict)

    def arrays(self) -> dict[Node, Array]:
        """The cotangents alone."""
        return {node: array for node, (_, array) in self.of.items()}


def matched(returned: Any, form: tree.Flat, run: Trace, names: Mapping[str, str]) -> HandDerived:
    """Find out which parameter, or which other value of the graph, each part of a hand-derived gradient is for.

    returned: see `returned.sorted_out`. names: what the graph calls a value that has another name in what was returned.
    Raises ValueError if a parameter has no gradient, or if there is nothing of a name that `names` maps to.
    """
    parts = sorted_out(returned, form, [np.shape(node.like) for node in run.parameters])
    found = HandDerived({}, [], loss=None if parts.loss is None else _real(parts.loss, "the loss"))
    found.notes.extend(sentences.WITHOUT_NAME.format(item=item) for item in parts.rest)
    if parts.gradients is not None:
        for node, name, x in zip(run.parameters, form.names, parts.gradients, strict=True):
            found.of[node] = (name or "x", _fitted(_real(x, name or "the gradient"), node, name or "it", found.notes))
    if parts.named:
        matching = _Matching(run, names, found)
        matching.all(parts.named)
        found = replace(found, loss=matching.loss)
    missing = [str(node.name) for node in run.parameters if node not in found.of]
    if missing:
        raise ValueError(_missing(returned, parts, missing, run))
    return found


def _missing(returned: Any, parts: Returned, missing: Sequence[str], run: Trace) -> str:
    """What to say if parameters have no gradient."""
    flat = [name for name, _ in parts.named] or tree.flatten(returned).names
    if any(name.startswith(f"{missing[0]}[") for name in flat):
        return f"by_hand returned a list for {missing[0]}; expected an array: np.array(...) makes one"
    if not parts.named and isinstance(returned, tuple | list):
        names, n = ", ".join(str(node.name) for node in run.parameters), len(run.parameters)
        return (
            f"by_hand returned a {type(returned).__name__} of {len(returned)}; expected {n}, one gradient for each of "
            f"{names}, in this order, or gradients by name: dL_d{missing[0]}"
        )
    actual = "None" if returned is None else ", ".join(filter(None, flat)) or "nothing with a name"
    return (
        f"by_hand returned {actual}, but no gradient of {', '.join(missing)}; return them with the tree structure of "
        f"the parameters, in their order, or by name: dL_d{missing[0]}"
    )


def _real(leaf: Any, name: str) -> Array:
    """A hand-derived gradient as an array of floats; TypeError if it is not of real numbers."""
    x = as_array(leaf)
    if x.dtype.kind not in "fiub":
        raise TypeError(f"by_hand returned {name} with dtype {x.dtype}; expected real numbers")
    return x if x.dtype.kind == "f" else x.astype(float)


def _fitted(x: Array, node: Node, name: str, notes: list[str]) -> Array:
    """`x` in the shape of its node, if that is the same but for axes of length 1 that one of them has not."""
    shape = np.shape(node.like)
    without = [tuple(n for n in s if n != 1) for s in (x.shape, shape)]
    if x.shape == shape or x.ndim == len(shape) or without[0] != without[1]:
        return x
    notes.append(sentences.AXES_OF_LENGTH_1.format(name=name, actual=x.shape, expected=shape))
    return x.reshape(shape)


def refuse_unknown(names: Mapping[str, str], run: Trace) -> None:
    """Raise ValueError if `names` maps a name to one that no value of the graph has."""
    for name, value in names.items():
        if value not in values_by_name(run) and value not in by_primitive(run) and run.result is not None:
            raise ValueError(
                f"names: {name!r} is mapped to {value!r}, which is no value of the graph; expected one of "
                f"{listed(by_name(run)) or 'none, for it has no names'}"
            )


class _Matching:
    """Puts what has a name where it belongs: into `found.of` and `found.forward`, or on the list of unknown names."""

    def __init__(self, run: Trace, names: Mapping[str, str], found: HandDerived) -> None:
        self.run, self.names, self.found, self.loss = run, names, found, found.loss
        self.known = values_by_name(run)
        primitives = by_primitive(run)
        self.known |= {
            value: primitives[value] for value in set(names.values()) - set(self.known) if value in primitives
        }

    @functools.cached_property
    def cotangents(self) -> dict[Node, Array]:
        """By autodiff: where a name is that of several values, they show which is meant."""
        return self.run.cotangents()

    def all(self, named: Named) -> None:
        """Sort out all that has a name."""
        pairs: list[tuple[str, str, Array, Node]] = []  # the name, that in the graph, what was returned, and for what
        for name, x, form, nodes in self._with_nodes(named):
            pairs += [(part, form, y, node) for part, y, node in self._chosen(name, x, nodes)]
        as_derivatives = any(self._is_derivative(name, form) for name, form, _, _ in pairs)
        for name, form, x, node in sorted(pairs, key=lambda pair: not self._is_derivative(*pair[:2])):
            x = _fitted(x, node, name, self.found.notes)
            if (
                node in self.run.parameters
                or self._is_derivative(name, form)
                or not self._is_value(x, node, as_derivatives)
            ):
                self.found.of[node] = (name, x)
            else:
                self.found.forward.setdefault(node, (name, x))

    def _is_value(self, x: Array, node: Node, as_derivatives: bool) -> bool:
        """Whether what has the name of a value is that value, and not its cotangent.

        as_derivatives: whether the cotangents have names of their own; then it is, if it is neither.
        """
        if _alike(x, np.asarray(node.value)):
            return True
        return as_derivatives and not (node in self.cotangents and _alike(x, self.cotangents[node]))

    def _is_derivative(self, name: str, form: str) -> bool:
        """Whether a name is that of a derivative: it has a prefix or a suffix, or `names` maps it to a value."""
        return name in self.names or _last(name) not in (form, _last(form))

    def _with_nodes(self, named: Named) -> Iterator[tuple[str, Array, str, list[Node]]]:
        """Each name with its array, the name that it has in the graph, and the nodes that it may be for."""
        shifts = self._shifts(named)
        for name, leaf in named:
            name_here = shifts.get(name, name)
            form = next((form for form in _forms(name_here, self.names) if form in self.known), None)
            if form is None:
                if name in LOSS and is_array(leaf) and as_array(leaf).size == 1:
                    self.loss = _real(leaf, name)
                else:
                    self.found.unknown.append(name)
                continue
            nodes = self.known[form]
            if set(nodes) & set(self.run.parameters):
                yield name, _real(leaf, name), form, nodes
                continue
            x = as_array(leaf) if is_array(leaf) else np.asarray(None)
            if x.dtype.kind in "fiub":
                yield name, x if x.dtype.kind == "f" else x.astype(float), form, nodes
            else:
                self.found.notes.append(sentences.NOT_NUMBERS.format(name=name))

    def _shifts(self, named: Named) -> dict[str, str]:
        """The shifted names of lists that begin with a state, and so have one element more than values have their name.

        Only where so shifted more of them are what autodiff gives.
        """
        lists: dict[str, list[Any]] = {}
        for name, leaf in named:
            if (numbered := _NUMBERED.match(name)) is not None and is_array(leaf):
                lists.setdefault(numbered[1], []).append(leaf)
        found: dict[str, str] = {}
        for plain, elements in lists.items():
            form = next((form for form in _forms(plain, self.names) if form in self.known), None)
            nodes = [] if form is None else self.known[form]
            if len(elements) != len(nodes) + 1:
                continue
            in_place, shifted = [
                sum(self._agrees(as_array(x), node) for x, node in zip(part, nodes, strict=True))
                for part in (elements[:-1], elements[1:])
            ]
            if shifted > in_place:
                found |= {f"{plain}[{k}]": f"{plain}[{k - 1}]" for k in range(len(elements))}
        return found

    def _agrees(self, x: Array, node: Node) -> bool:
        """Whether `x` is the cotangent of a node, or its value."""
        values = [self.cotangents.get(node), node.value]
        return any(y is not None and _alike(x, np.asarray(y)) for y in values)

    def _chosen(self, name: str, x: Array, nodes: list[Node]) -> Iterator[tuple[str, Array, Node]]:
        """Which of several values of one name an array is for: by its shape, and then by what it agrees with.

        If it agrees with none, it is for the last. An array with an axis for all of them is for all.
        """
        fitting = [node for node in nodes if np.shape(node.like) == x.shape]
        axis = next((k for k, n in enumerate(x.shape) if n == len(nodes) and _without(x.shape, k, nodes)), None)
        if len(nodes) > 1 and not fitting and axis is not None:
            for k, node in enumerate(nodes):
                yield f"{name}[{k}]", np.take(x, k, axis), node
            return
        agreeing = [node for node in fitting if len(fitting) > 1 and self._agrees(x, node)]
        node = (agreeing or fitting or nodes)[-1]
        if len(fitting) > 1:
            which = next(known for known, of in by_name(self.run).items() if of is node)
            self.found.notes.append(sentences.ONE_OF_SEVERAL.format(name=name, value=which, n=len(nodes)))
        yield name, x, node


def _without(shape: tuple[int, ...], axis: int, nodes: Sequence[Node]) -> bool:
    """Whether a shape without this axis is that of all nodes."""
    return all(shape[:axis] + shape[axis + 1 :] == np.shape(node.like) for node in nodes)


def _alike(x: Array, y: Array) -> bool:
    """Whether two arrays are the same but for little."""
    if x.shape != y.shape:
        return False
    with np.errstate(invalid="ignore"):
        return bool(largest(x - y) <= ALIKE * largest(y))


def _last(name: str) -> str:
    """The last part of a path: "h" of "cache.h"."""
    return name.rpartition(".")[2]


def values_by_name(run: Trace) -> dict[str, list[Node]]:
    """All names of the values of a graph: those of `by_name`, those that several share, and of other variables."""
    names, within = by_name(run), set(run.nodes)
    found: dict[str, list[Node]] = {}
    for name, nodes in run.also.items():
        of_it = sorted((node for node in nodes if node in within), key=lambda node: node.order)
        if of_it:
            found |= {name: of_it, **{f"{name}[{k}]": [node] for k, node in enumerate(of_it)}}
    several: dict[str, list[Node]] = {}
    for name, node in names.items():
        numbered = _NUMBERED.match(name)
        if numbered is not None and node.primitive is not None:
            several.setdefault(numbered[1], []).append(node)
    return found | several | {name: [node] for name, node in names.items()}


def by_primitive(run: Trace) -> dict[str, list[Node]]:
    """The computed values of a graph by what the picture of it shows where they have no name: "tanh", "tanh[1]"."""
    found: dict[str, list[Node]] = {}
    for node in run.computed():
        found.setdefault(node.primitive.__name__, []).append(node)
    return found | {f"{name}[{k}]": [node] for name, nodes in found.items() for k, node in enumerate(nodes)}


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
    forms = []
    for path in dict.fromkeys((name, _last(name))):  # of grads.dW, dW too
        plain = _SUFFIX.sub("", path)
        forms += [path, plain, _PREFIX.sub("", plain)]
    return [names[form] for form in forms if form in names] + forms
