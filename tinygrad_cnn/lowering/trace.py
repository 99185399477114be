"""Tracing: a function is run on Traced in place of its arguments, twice, and what it did has to be the same.

Twice, because a program answers for every later call: random numbers that the function draws, a list that it appends
to, and other state that the arguments do not show, differ from run to run and are found so.
"""

from __future__ import annotations

import contextlib
import dataclasses
import inspect
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from tinygrad_cnn import tree
from tinygrad_cnn.engine.graph import Array, Handle, Mode, Node, differentiating, now, recording
from tinygrad_cnn.lowering.draws import DrawnFrom
from tinygrad_cnn.lowering.instructions import Argument, Draw, Instruction, Listing, Origin, same
from tinygrad_cnn.lowering.masking import Masks
from tinygrad_cnn.lowering.naming import Names, names_of
from tinygrad_cnn.lowering.recorder import Recorder, TracingError, current, equal
from tinygrad_cnn.lowering.traced import Traced
from tinygrad_cnn.recordings import closed_over
from tinygrad_cnn.sources import is_engine, line_of
from tinygrad_cnn.stand_in import tracing

Function = Callable[..., Any]
NUMBERS = (bool, int, float, complex, np.generic)


class Tracing(Mode):
    """Makes the engine's operands Traced, and notes the nodes and cotangents that instructions belong to."""

    def __init__(self, recorder: Recorder) -> None:
        self.recorder = recorder
        self.nodes: list[tuple[Node, Instruction]] = []
        self.contributions: dict[Node, list[Instruction]] = {}
        self.cotangents: dict[Node, Instruction] = {}

    def before(self, primitive: Any, operands: Any, sources: Any, static_args: dict[str, Any]) -> None:
        """Arrays that the function closes over become Traced, for the rules are given copies of them."""
        for position, x in enumerate(operands):
            if isinstance(x, np.ndarray):
                operands[position] = self.recorder.of(x)

    def made(self, node: Node) -> None:
        """The value of a node that was named, or has a scope."""
        if type(node.like) is Traced and isinstance(node.like.instruction, Instruction):
            self.nodes.append((node, node.like.instruction))

    def passed(self, node: Node, position: int, g: Array, cotangent: Array) -> None:
        """`g` is the whole cotangent of `node`; that of its operand may be summed up still."""
        self._is_of(node, g)
        x = dict(node.sources)[position]
        if type(cotangent) is not Traced:
            return
        before = self.contributions.setdefault(x, [])
        before.append(cotangent.instruction)
        last = self.recorder.instructions[-1]
        summed = len(before) > 1 and last.operation == "add" and last.operands[-1] is cotangent.instruction
        self.cotangents[x] = last if summed else cotangent.instruction

    def _is_of(self, node: Node, g: Any) -> None:
        g = g.node.value if isinstance(g, Handle) else g
        if type(g) is Traced:
            self.cotangents[node] = g.instruction

    def lines(self) -> dict[Instruction, Origin]:
        """Origins that say only where each instruction is from."""
        return {x: Origin(line=line_of(place)) for x, place in self.recorder.lines.items()}

    def origins(self) -> dict[Instruction, Origin]:
        """Where each instruction is from."""
        names = names_of(self.recorder, self.nodes, self.cotangents)
        scopes = {instruction: node.scope.path() for node, instruction in self.nodes if node.scope is not None}
        found = {}
        for x in self.recorder.instructions:
            known = names.get(x, Names(None, None, None, None))
            half = "cotangent" if x in self.recorder.of_rules else "value"
            place = self.recorder.lines.get(x)
            found[x] = Origin(*known, half, scopes.get(x, ()), line_of(place) if place else "")
        results: set[str | None] = set()  # the names of what tg.vmap returned: each belongs to the last that has it
        for x, carried in reversed(self.recorder.carried.items()):
            name = carried.name if found[x].name in results else found[x].name or carried.name
            results.add(found[x].name)
            found[x] = dataclasses.replace(carried, name=name, key=found[x].key, of=None)
        return found


def argument_names(function: Function, count: int) -> list[str]:
    """The names of the first `count` positional parameters of a function, or of what a transform was made of."""
    try:
        parameters = list(inspect.signature(inspect.unwrap(function)).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    names = []
    for p in parameters:
        if p.kind is p.VAR_POSITIONAL:
            break
        if p.kind is not p.KEYWORD_ONLY:
            names.append(p.name)
    return (names + [f"argument_{k}" for k in range(len(names), count)])[:count]


def by_name(
    function: Function, args: tuple[Any, ...], keywords: dict[str, Any], names: list[str] | None = None
) -> dict[str, Any]:
    """The arguments of a call, by the names of the parameters, which are looked up unless they are given."""
    names = argument_names(function, len(args)) if names is None else names
    if keywords and (twice := [name for name in names if name in keywords]):
        raise TypeError(f"{_title(function) or 'program'}() got multiple values for argument {twice[0]!r}")
    return {**dict(zip(names, args, strict=True)), **keywords}


def leaves_of(function: Function, args: tuple[Any, ...], keywords: dict[str, Any]) -> tree.Flat:
    """The leaves of the arguments of a call."""
    return tree.flatten(by_name(function, args, keywords))


def kind_of(leaf: Any) -> Any:
    """What of a leaf a program is made for.

    It is for arrays and numbers of a shape and dtype, for a string as it is, and for one object of any other type.
    """
    if type(leaf) is np.ndarray:
        return leaf.shape, leaf.dtype
    if isinstance(leaf, np.ndarray):
        return type(leaf), leaf.shape, leaf.dtype
    if isinstance(leaf, NUMBERS):
        return (int, leaf.bit_length() < 64) if type(leaf) is int else type(leaf)
    if isinstance(leaf, str | bytes | range | np.dtype):
        return type(leaf), leaf
    if isinstance(leaf, slice):
        return slice, repr(leaf)
    if isinstance(leaf, np.random.Generator):
        return np.random.Generator  # any one: what is drawn from it is an input
    return "the same", id(leaf)


def traced(function: Function, args: tuple[Any, ...], keywords: dict[str, Any], named: bool = True) -> Listing:
    """The listing of `function`, traced with these arguments. named: whether what it computes gets names."""
    first = traced_once(function, args, keywords, named)
    return same_twice(first, traced_once(function, args, keywords, named=False))


def traced_once(function: Function, args: tuple[Any, ...], keywords: dict[str, Any], named: bool) -> Listing:
    """A listing in which it is open what the arrays are that the function closes over: operations "outside"."""
    recorder = Recorder(Traced, named)
    flat = leaves_of(function, args, keywords)
    arguments: list[Argument] = []
    stand_ins: list[Any] = []
    numbers: list[Any] = []
    draws: list[tuple[Argument, Draw]] = []
    for leaf, name in zip(flat.leaves, flat.names, strict=True):
        if isinstance(leaf, (np.ndarray, *NUMBERS)):
            _check(name, leaf)
            argument, stand_in = recorder.input(name, leaf)
            numbers.append(len(arguments))
            arguments.append(argument)
            stand_ins.append(stand_in)
        elif isinstance(leaf, np.random.Generator):
            stand_ins.append(DrawnFrom(leaf, len(stand_ins), name, recorder, draws))
            numbers.append(leaf)
        elif isinstance(leaf, Handle):
            raise TypeError(f"program: argument {name} is a Tensor; expected arrays and numbers. Pass its .value")
        else:
            numbers.append(leaf)
            stand_ins.append(leaf)  # of it the program is made, as of the function
    given = flat.rebuild(stand_ins)
    mode, born = Tracing(recorder), now()
    with recording_to(mode):
        result = function(*list(given.values())[: len(args)], **{name: given[name] for name in keywords})
    outputs = tree.flatten(result)
    if differentiating.get() and (outer := closed_over(outputs.leaves, [], born)):
        raise TracingError(
            f"program: the function closes over a Tensor of shape {outer[0].like.shape} whose gradient is asked for "
            f"outside of it ({line_of(outer[0].source)}); expected it to be an argument. Pass it as one"
        )
    found = []
    for leaf, name in zip(outputs.leaves, outputs.names, strict=True):
        value = leaf.node.value if isinstance(leaf, Handle) else leaf
        if not isinstance(value, (Traced, np.ndarray, *NUMBERS)):
            raise TypeError(
                f"program: the function returns {name or 'its result'} = {value!r}, of type {type(value).__name__}; "
                "expected arrays and numbers, in any nesting of dict, list, tuple, namedtuple and dataclass. Return "
                "the arrays that it is made of"
            )
        found.append(recorder.of(value).instruction)
    settled = settled_instructions(mode, named)
    return Listing(
        tuple(settled.values()),
        tuple([Argument(a.name, settled[a.instruction]) for a in (*arguments, *[a for a, _ in draws])]),
        tuple([settled[x] for x in found]),
        outputs.rebuild(list(range(len(found)))),
        flat.rebuild(numbers),
        _title(function),
        tuple([draw for _, draw in draws]),
        inspect.getdoc(inspect.unwrap(function)) or "" if named else "",
    )


@contextlib.contextmanager
def recording_to(mode: Tracing) -> Iterator[None]:
    """A context in which a function is called on Traced: its errors are about the function."""
    recorder = mode.recorder
    caller = "vmap" if recorder.nested else "program"
    tokens = recording.set(mode), tracing.set(Masks(recorder)), current.set(recorder)
    try:
        yield
    except TracingError as error:
        error.args = (str(error).replace("program:", f"{caller}:", 1),)
        raise
    except TypeError as error:
        if "Traced" in str(error):  # as NumPy says of a shape, Python of a key
            raise TracingError(
                f"{caller}: {error}; expected code that is the same for all elements. Close over the number "
                f"({_place(error)})"
            ) from None
        raise
    except ValueError as error:
        if isinstance(error.__cause__, TracingError):  # `array[i] = x`, which NumPy says is a sequence
            raise error.__cause__ from None
        raise
    finally:
        for variable, token in zip((recording, tracing, current), tokens, strict=True):
            variable.reset(token)


def settled_instructions(mode: Tracing, named: bool) -> dict[Instruction, Instruction]:
    """Each instruction that was recorded, with where it is from."""
    origins = mode.origins() if named else mode.lines()
    settled: dict[Instruction, Instruction] = {}
    for x in mode.recorder.instructions:
        settled[x] = x.with_(operands=tuple([settled[y] for y in x.operands]), origin=origins.get(x, Origin()))
    return settled


def _check(name: str, leaf: Any) -> None:
    """Raise TypeError for an array that is not one of numbers, or whose operations are not those of an array."""
    if isinstance(leaf, np.ndarray) and type(leaf) not in (np.ndarray, np.memmap):
        kind = f"{type(leaf).__module__.split('.')[0]}.{type(leaf).__name__}"
        raise TypeError(
            f"program: argument {name} is a {kind}; expected a numpy.ndarray. Pass np.asarray({name}), or call the "
            "function itself"
        )
    dtype = np.asarray(leaf).dtype
    if dtype.kind in "OmM" or (type(leaf) is int and dtype != np.dtype(int)):  # an int may be too large for NumPy
        raise TypeError(
            f"program: argument {name} has dtype {dtype}; expected numbers of at most 64 bits. Pass it as floats, or "
            "call the function itself"
        )


def _place(error: BaseException) -> str:
    """The line of the user's code that an error is from."""
    found, at = "", error.__traceback__
    while at is not None:
        code = at.tb_frame.f_code
        if not is_engine[code.co_filename]:
            found = f"{code.co_filename}:{at.tb_lineno} in {code.co_qualname}"
        at = at.tb_next
    return found


def _title(function: Function) -> str:
    """The name of the function, or of what a transform was made of."""
    name = getattr(inspect.unwrap(function), "__name__", "")
    return name if name.isidentifier() else ""


def same_twice(first: Listing, again: Listing) -> Listing:
    """`first`, if `again` is the same: what is from outside of both is a constant, or the array that it is."""
    number = {x: k for k, x in enumerate(first.instructions)}
    number_again = {x: k for k, x in enumerate(again.instructions)}
    replaced: dict[Instruction, Instruction] = {}
    for k, x in enumerate(first.instructions):
        y = again.instructions[k] if k < len(again.instructions) else None
        if y is None or not _same(x, y, number, number_again):
            raise TracingError(_differs(x, y))
        if x.operation == "outside":
            a, b = x.parameters["value"], y.parameters["value"]
            before, other = x.parameters["snapshot"], y.parameters["snapshot"]
            if not equal(before, other):
                raise TracingError(_differs(x, y))
            if not (a is b or _same_memory(a, b)):
                before.setflags(write=False)
                replaced[x] = x.with_(operation="constant", parameters={"value": before})
            elif not equal(a, before):
                raise TracingError(
                    f"program: an array of shape {a.shape} that the function closes over is changed by it; expected a "
                    "function without side effects. Pass it as an argument, and return what it becomes"
                )
            else:
                constant = not a.flags.writeable and a.base is None
                operation = "constant" if constant else "closed_over"
                replaced[x] = x.with_(operation=operation, parameters={"value": a})
    for a, b in zip(first.draws, again.draws, strict=False):  # as many, for each is an instruction
        if a != b:
            raise TracingError(_another_time(f"a draw of {a.method} with {a.args} and then with {b.args}"))
    if len(again.instructions) > len(first.instructions):
        raise TracingError(_differs(None, again.instructions[len(first.instructions)]))
    return first.rewritten(lambda x, operands: replaced.get(x) or same(x, operands))


def _same_memory(a: Any, b: Any) -> bool:
    """Whether two arrays are the same view of one array."""
    if a.base is None or a.base is not b.base:
        return False
    mine, other = a.__array_interface__["data"], b.__array_interface__["data"]
    return bool(mine == other and (a.shape, a.strides, a.dtype) == (b.shape, b.strides, b.dtype))


def _same(x: Instruction, y: Instruction, number: dict[Instruction, int], number_again: dict[Instruction, int]) -> bool:
    return (
        x.operation == y.operation
        and x.function == y.function
        and x.result == y.result
        and [number[a] for a in x.operands] == [number_again[a] for a in y.operands]
        and (x.operation == "outside" or _equal(x.parameters, y.parameters))
    )


def _equal(a: Any, b: Any) -> bool:
    """Whether parameters are equal, NaN to NaN."""
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        return bool(a.keys() == b.keys()) and all(_equal(a[name], b[name]) for name in a)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(_equal, a, b))
    if isinstance(a, slice):
        return _equal([a.start, a.stop, a.step], [b.start, b.stop, b.step])
    if isinstance(a, float | np.generic):
        return bool(np.asarray(a).tobytes() == np.asarray(b).tobytes())
    if callable(a):
        return bool(getattr(a, "__qualname__", a) == getattr(b, "__qualname__", b))
    return bool(a == b)


def _differs(x: Instruction | None, y: Instruction | None) -> str:
    return _another_time(" and then ".join([_described(i) for i in (x, y) if i is not None]))


def _another_time(shown: str) -> str:
    return (
        "program: the function did something else when it was traced a second time with the same arguments: "
        f"{shown}; expected the same operations and the same constants. It draws random numbers, or has "
        "state that its arguments do not show: draw from a Generator that is an argument, or compute that first, and "
        "pass it"
    )


def _described(x: Instruction) -> str:
    if x.operation == "constant":
        return f"the number {x.parameters['value']!r}"
    if x.operation == "outside":
        return f"an array of shape {x.result.shape} that it made"
    return f"{x.operation} of shape {x.result.shape} ({x.origin.line})"
