"""Loops: statements that repeat are written once, in a loop, as the user wrote them.

A program is a straight line: a recurrent network of twenty steps is twenty times the same statements, but for the names
of variables and for numbers such as the step. Three or more repetitions, one behind the other, become a loop where each
variable in them is one of these:

    it comes from before the loop, the same in every iteration
    it was assigned in the same iteration
    it was assigned in the iteration before; in the first one, something from before the loop stands in its place
    it was assigned in an iteration of an earlier loop, the next one or the one before each time: then that loop keeps
    its values in a list

and each number is the same in every iteration, or changes by the same amount.
"""

from __future__ import annotations

import ast
import itertools
import keyword
import re
from collections.abc import Callable, Container, Iterable, Sequence
from dataclasses import dataclass, field, replace

LEAST = 3  # repetitions
LONGEST = 80  # statements in an iteration
TOKEN = re.compile(
    r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'"  # strings
    r"|\.?[A-Za-z_]\w*"  # names and attributes
    r"|\d+(?:\.\d*)?(?:[eE][+-]?\d+)?[jJ]?"  # numbers
    r"|.",
    re.DOTALL,
)


@dataclass
class Statement:
    """target = text  # comment; `section` is a comment that stands before it.

    in_place: it may be written as +=, where the target has the name of the first operand
    """

    target: str
    text: str
    comment: str = ""
    section: str = ""
    in_place: bool = False
    tokens: list[str] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        self.tokens = TOKEN.findall(self.text)

    def with_variable(self, name: str, text: str) -> Statement:
        """The statement with a variable for an expression that is an argument, or in parentheses."""
        pattern = rf"(?<=[(,]) ?{re.escape(text)}(?=[,)])"
        changed = re.sub(pattern, lambda found: " " * found[0].startswith(" ") + name, self.text)
        return self if changed == self.text else replace(self, text=changed)


@dataclass
class Number:
    """A number that is `first` in the first iteration, and more by `step` in each."""

    first: int
    step: int


@dataclass
class Loop:
    """`count` repetitions of the `length` statements from `start` on.

    slots    for each statement and each of its tokens that is a variable or a number: what is written there
    initial  for a position in the iteration, the variable that stands for its result before the first iteration
    names    the variable of each position
    kept     the list in which the results of a position are kept, if they are needed later
    first    the loop variable in the first iteration
    step     1, or -1 if it runs backwards
    """

    start: int
    length: int
    count: int
    slots: list[dict[int, object]]
    initial: dict[int, str] = field(default_factory=dict)
    names: dict[int, str] = field(default_factory=dict)
    kept: dict[int, str] = field(default_factory=dict)
    first: int = 0
    step: int = 1

    @property
    def stop(self) -> int:
        """The statement behind the loop."""
        return self.start + self.length * self.count


@dataclass
class Same:
    """The variable of a position in the same iteration, or in the one before."""

    position: int


@dataclass
class Kept:
    """The result of a position of a loop, in an iteration that depends on this one's."""

    loop: Loop
    position: int
    iteration: Number


class Rolling:
    """Finds the loops in statements, and writes them."""

    def __init__(
        self,
        statements: Sequence[Statement],
        fresh: Callable[[str], str],
        reserved: Container[str],
        parameters: Iterable[str] = (),
    ) -> None:
        self.statements, self.fresh, self.reserved = list(statements), fresh, reserved
        self.parameters = frozenset(parameters)
        self._number_statements()
        self.loops: list[Loop] = []
        self.names: dict[str, str] = {}  # what variables outside of loops are called
        self.overwritten: dict[str, tuple[Loop, int]] = {}  # what a loop began with and assigns to: by its name
        self.of: dict[int, tuple[Loop, int, int]] = {}  # by statement: its loop, the iteration and the position
        self._find()

    def _number_statements(self) -> None:
        """Where each variable is assigned: of a parameter, before all statements."""
        self.defined = dict.fromkeys(self.parameters, -1)
        self.defined.update({statement.target: k for k, statement in enumerate(self.statements) if statement.target})
        self.keys = [self._key(statement) for statement in self.statements]

    def _key(self, statement: Statement) -> tuple[str, ...]:
        """What is the same in all repetitions of a statement."""
        return (
            *[_kind(token, self.defined) for token in statement.tokens],
            statement.comment,
            statement.target and "=",
        )

    def _places(self) -> dict[tuple[str, ...], list[int]]:
        """The statements with each key."""
        places: dict[tuple[str, ...], list[int]] = {}
        for k, key in enumerate(self.keys):
            places.setdefault(key, []).append(k)
        return places

    def _find(self) -> None:
        places = self._places()
        at = 0
        while at < len(self.statements):
            loop = self._loop_at(at, places)
            if loop is None:
                at += 1
                continue
            self.loops.append(loop)
            if self._complete_last(loop):
                places = self._places()
            for k in range(loop.start, loop.stop):
                self.of[k] = (loop, *divmod(k - loop.start, loop.length))
            at = loop.stop

    def _loop_at(self, start: int, places: dict[tuple[str, ...], list[int]]) -> Loop | None:
        """The loop with the shortest iteration that begins at a statement."""
        keys = self.keys
        for again in places[keys[start]]:
            length = again - start
            if length < 1:
                continue
            if length > LONGEST:
                return None
            block, count = keys[start:again], 1
            while keys[start + count * length : start + (count + 1) * length] == block:
                count += 1
            while count >= LEAST:
                loop = self._classified(start, length, count)
                if loop is not None:
                    return loop
                count -= 1
                if count * length > 400:  # trying to leave out the last ones would take long
                    break
        return None

    def _classified(self, start: int, length: int, count: int) -> Loop | None:
        loop = Loop(start, length, count, [{} for _ in range(length)])
        for position in range(length):
            rows = [self.statements[start + k * length + position].tokens for k in range(count)]
            for place, tokens in enumerate(zip(*rows, strict=True)):
                kind = _kind(tokens[0], self.defined)
                if kind not in ("variable", "number") or (
                    len(set(tokens)) == 1 and not self._is_within(tokens[0], loop)
                ):
                    continue
                slot = (
                    _progression(list(map(int, tokens))) if kind == "number" else self._variable(tokens, position, loop)
                )
                if slot is None:
                    return None
                loop.slots[position][place] = slot
        self._choose_range(loop)
        return loop

    def _is_within(self, variable: str, loop: Loop) -> bool:
        return variable in self.defined and loop.start <= self.defined[variable] < loop.stop

    def _variable(self, names: Sequence[str], position: int, loop: Loop) -> object | None:
        """What a variable with these names in the iterations is."""
        at = [self.defined[name] - loop.start for name in names]
        back = {k * loop.length - place for k, place in enumerate(at)}
        if len(back) == 1 and 0 <= (place := -back.pop()) < loop.length:
            return Same(place) if place < position else None
        later = {(k - 1) * loop.length - place for k, place in enumerate(at) if k}
        if len(later) == 1 and at[0] < 0 and 0 <= (place := -later.pop()) < loop.length:
            known = loop.initial.setdefault(place, names[0])
            return Same(place) if known == names[0] and place >= position else None
        return self._of_earlier_loop(names)

    def _of_earlier_loop(self, names: Sequence[str]) -> object | None:
        found = [self.of.get(self.defined[name]) for name in names]
        known = next((x for x in found if x is not None), None)
        if known is None:
            return None
        loop, _, position = known
        iterations = []
        for name, x in zip(names, found, strict=True):
            if x is None and loop.initial.get(position) == name:
                iterations.append(-1)
            elif x is not None and x[0] is loop and x[2] == position:
                iterations.append(x[1])
            else:
                return None
        progression = _progression(iterations)
        return Kept(loop, position, progression) if progression is not None and abs(progression.step) == 1 else None

    def _choose_range(self, loop: Loop) -> None:
        """A loop variable that is what a number is, or what that of the loop is whose values are used."""
        for slots in loop.slots:
            for slot in slots.values():
                if isinstance(slot, Number) and abs(slot.step) == 1:
                    loop.first, loop.step = slot.first, slot.step
                    return
        for slots in loop.slots:
            for slot in slots.values():
                if isinstance(slot, Kept):
                    other = slot.loop
                    loop.first = other.first + other.step * slot.iteration.first
                    loop.step = other.step * slot.iteration.step
                    return

    def _complete_last(self, loop: Loop) -> bool:
        """Add an iteration of which some statements are there, for others have results that nothing needs."""
        at, found = loop.stop, 0
        made: list[Statement] = []
        absent: dict[str, str] = {}
        for position in range(loop.length):
            tokens = self._expected(loop, position, [statement.target for statement in made])
            if tokens is None:
                return False
            before = self.statements[loop.stop - loop.length + position]
            there = self.statements[at] if at < len(self.statements) else None
            if there is not None and there.target and not there.section and _is_written(there, tokens, absent):
                made.append(Statement(there.target, "".join(tokens), there.comment, "", there.in_place))
                at, found = at + 1, found + 1
            else:
                made.append(Statement(self.fresh(_stem(before.target)), "".join(tokens), before.comment))
                absent[made[-1].target] = made[-1].text
        if found * 2 < loop.length:
            return False
        behind = self.statements[at : at + loop.length]
        for target, text in absent.items():
            behind = [statement.with_variable(target, text) for statement in behind]
        self.statements[at : at + loop.length] = behind
        self.statements[loop.stop : at] = made
        loop.count += 1
        self._number_statements()
        return True

    def _expected(self, loop: Loop, position: int, targets: Sequence[str]) -> list[str] | None:
        """A statement of the iteration behind the last one, in which `targets` are assigned so far."""
        tokens = list(self.statements[loop.start + position].tokens)
        for place, slot in loop.slots[position].items():
            if isinstance(slot, Same):
                last = self.statements[loop.stop - loop.length + slot.position].target
                tokens[place] = targets[slot.position] if slot.position < position else last
            elif isinstance(slot, Number):
                tokens[place] = str(slot.first + slot.step * loop.count)
            elif isinstance(slot, Kept):
                iteration = slot.iteration.first + slot.iteration.step * loop.count
                if iteration == -1 and slot.position in slot.loop.initial:
                    tokens[place] = slot.loop.initial[slot.position]
                elif 0 <= iteration < slot.loop.count:
                    at = slot.loop.start + iteration * slot.loop.length + slot.position
                    tokens[place] = self.statements[at].target
                else:
                    return None
        return None if any(token.startswith("-") and token[1:].isdigit() for token in tokens) else tokens

    # Writing.

    def lines(self, indent: str) -> list[str]:
        """The statements, with loops written as such."""
        if self.loops:
            self._name()
        written: list[str] = []
        at = 0
        while at < len(self.statements):
            loop = self.of[at][0] if at in self.of else None
            stop = at + 1 if loop is None else loop.stop
            sections = [statement.section for statement in self.statements[at:stop] if statement.section]
            if sections and written:
                written += ["", indent + sections[0]]
            lines = [self._line(at, None)] if loop is None else self._written(loop)
            written += [indent + line for line in lines]
            at = stop
        return written

    def _written(self, loop: Loop) -> list[str]:
        lines = []
        for position, name in loop.names.items():
            initial = loop.initial.get(position)
            if initial is not None and (value := self._read(initial, loop.start)) != name:
                lines.append(f"{name} = {value}")
            if position in loop.kept:
                lines.append(f"{loop.kept[position]} = [{name if initial is not None else ''}]")
        last = loop.first + loop.step * (loop.count - 1)
        low, high = min(loop.first, last), max(loop.first, last) + 1
        counted = f"range({low}, {high})" if low else f"range({high})"
        inner = []
        for position in range(loop.length):
            inner.append(f"    {self._line(loop.start + position, loop)}")
            if position in loop.kept:
                inner.append(f"    {loop.kept[position]}.append({loop.names[position]})")
        is_read = any(self.variable in TOKEN.findall(line) for line in inner)
        if not is_read:
            counted = f"range({loop.count})"
        elif loop.step < 0:
            counted = f"reversed({counted})"
        return [*lines, f"for {self.variable if is_read else '_'} in {counted}:", *inner]

    def _line(self, at: int, loop: Loop | None) -> str:
        """A statement: as it is, or as it stands in a loop."""
        statement = self.statements[at]
        slots = {} if loop is None else loop.slots[at - loop.start]
        tokens = statement.tokens
        texts = [self._token(token, slots.get(k), loop, at) for k, token in enumerate(tokens)]
        for k, slot in slots.items():
            if isinstance(slot, Number) and " " in texts[k] and not _stands_alone(tokens, k):
                texts[k] = f"({texts[k]})"
        text = "".join(texts)
        name = self.names.get(statement.target, statement.target) if loop is None else loop.names[at - loop.start]
        if statement.in_place and text.startswith(f"{name} + "):
            return f"{name} += {text[len(name) + 3 :]}{statement.comment}"
        return f"{name} = {text}{statement.comment}" if name else text

    def _token(self, token: str, slot: object | None, loop: Loop | None, at: int) -> str:
        if slot is None or loop is None:
            return self._read(token, at) if token in self.defined else token
        if isinstance(slot, Same):
            return loop.names[slot.position]
        if isinstance(slot, Number):
            return self._number(slot, loop)
        assert isinstance(slot, Kept)
        shift = 1 if slot.position in slot.loop.initial else 0
        index = Number(slot.iteration.first + shift, slot.iteration.step)
        return f"{slot.loop.kept[slot.position]}[{self._number(index, loop)}]"

    def _number(self, number: Number, loop: Loop) -> str:
        """A number that changes from iteration to iteration, by the loop variable."""
        factor, variable = number.step * loop.step, self.variable
        offset = number.first - factor * loop.first
        if factor < 0:
            return f"{offset} - {variable if factor == -1 else f'{-factor} * {variable}'}"
        scaled = variable if factor == 1 else f"{factor} * {variable}"
        return scaled + (f" + {offset}" if offset > 0 else f" - {-offset}" if offset else "")

    def _read(self, name: str, at: int) -> str:
        """What is written for a variable that is read by the statement `at`, outside of the loop that assigns it."""
        place = self.of.get(self.defined[name])
        if place is None:
            loop, position = self.overwritten.get(name, (None, 0))
            if loop is not None and at >= loop.stop:
                return f"{loop.kept[position]}[0]"
            return self.names.get(name, name)
        loop, iteration, position = place
        if iteration == loop.count - 1:
            return loop.names[position]
        return f"{loop.kept[position]}[{iteration + (position in loop.initial)}]"

    # Names: of what is assigned in loops, of the lists, and of what goes into a loop or comes out of it.

    def _name(self) -> None:
        self.variable = self.fresh("t")
        self.last_read: dict[str, int] = {}
        for k, statement in enumerate(self.statements):
            for token in statement.tokens:
                if token in self.defined:
                    self.last_read[token] = k
        lives = self._lives()
        given: dict[str, list[tuple[int, int]]] = {}
        stems = {_stem(self.statements[loop.start + k].target) for loop in self.loops for k in range(loop.length)}
        for first, last, variable, of in sorted(lives, key=lambda life: (life[0], life[1])):
            stem = _stem(variable)
            wanted = [variable]
            if stem in stems:
                others = itertools.takewhile(self.defined.__contains__, (f"{stem}_{k}" for k in itertools.count(2)))
                wanted = [*([stem] if stem not in self.reserved else []), *others, variable]
            free = [x for x in wanted if all(last <= a or first >= b for a, b in given.get(x, []))]
            name = free[0] if free else self.fresh(stem)
            given.setdefault(name, []).append((first, last))
            if of is None:
                self.names[variable] = name
            else:
                of[0].names[of[1]] = name
        for loop in self.loops:
            loop.names = dict(sorted(loop.names.items()))
            for position, initial in loop.initial.items():
                is_overwritten = self.names.get(initial, initial) == loop.names[position]
                if is_overwritten and self._is_read_behind(initial, loop):
                    self.overwritten[initial] = (loop, position)
                    self._keep(loop, position)
        self._keep_what_is_needed()

    def _lives(self) -> list[tuple[int, int, str, tuple[Loop, int] | None]]:
        """From which statement to which each variable is needed; with the loop and the position that assign it."""
        lives: list[tuple[int, int, str, tuple[Loop, int] | None]] = []
        for variable, k in self.defined.items():
            if variable in self.parameters:
                continue
            last = self.last_read.get(variable, k)
            if k not in self.of:
                loop = self._loop_of_initial(variable)
                if loop is not None:
                    last = loop.start  # behind it, it is the first of a list
                lives.append((k, last, variable, None))
        for loop in self.loops:
            for position in range(loop.length):
                final = self.statements[loop.stop - loop.length + position].target
                last = max(self.last_read.get(final, 0), loop.stop - 1)
                lives.append((loop.start, last, self.statements[loop.start + position].target, (loop, position)))
        return lives

    def _loop_of_initial(self, variable: str) -> Loop | None:
        """The loop that goes on with a variable under its name, if that loop does not read it otherwise."""
        for loop in self.loops:
            for position, initial in loop.initial.items():
                same = _stem(self.statements[loop.start + position].target) == _stem(variable)
                if initial == variable and same and not self._is_read_within(variable, loop):
                    return loop
        return None

    def _is_read_within(self, variable: str, loop: Loop) -> bool:
        """Whether the loop reads a variable in all iterations."""
        return any(
            token == variable and place not in loop.slots[position]
            for position in range(loop.length)
            for place, token in enumerate(self.statements[loop.start + position].tokens)
        )

    def _is_read_behind(self, variable: str, loop: Loop) -> bool:
        return any(
            token == variable and not (k in self.of and place in self.of[k][0].slots[self.of[k][2]])
            for k in range(loop.stop, len(self.statements))
            for place, token in enumerate(self.statements[k].tokens)
        )

    def _keep_what_is_needed(self) -> None:
        """Have loops keep in lists what is read of iterations before the last one."""
        for k, statement in enumerate(self.statements):
            loop = self.of[k][0] if k in self.of else None
            slots = loop.slots[self.of[k][2]] if loop is not None else {}
            for slot in slots.values():
                if isinstance(slot, Kept):
                    self._keep(slot.loop, slot.position)
            for place, token in enumerate(statement.tokens):
                if place in slots or token not in self.defined or self.defined[token] not in self.of:
                    continue
                other, iteration, position = self.of[self.defined[token]]
                if other is not loop and iteration < other.count - 1:
                    self._keep(other, position)

    def _keep(self, loop: Loop, position: int) -> None:
        if position not in loop.kept:
            name = loop.names[position]
            stem = _stem(name)
            plural = f"{stem}_values" if keyword.iskeyword(f"{stem}s") or stem.endswith("s") else f"{stem}s"
            loop.kept[position] = self.fresh(plural + name[len(stem) :])


def _is_written(statement: Statement, tokens: Sequence[str], absent: dict[str, str]) -> bool:
    """Whether a statement has these tokens, or what is absent is written within it."""
    if statement.tokens == tokens:
        return True
    if not absent.keys() & set(tokens):
        return False
    whole = "".join(tokens)
    for _ in absent:
        whole = "".join([f"({absent[token]})" if token in absent else token for token in TOKEN.findall(whole)])
    return ast.dump(ast.parse(whole)) == ast.dump(ast.parse(statement.text))


def _stem(name: str) -> str:
    """The name without its number: h of h_12."""
    return re.sub(r"_\d+$", "", name)


def _stands_alone(tokens: Sequence[str], k: int) -> bool:
    """Whether a token is a whole index or a whole argument, and no operand of an operator."""
    before = "".join(tokens[:k]).rstrip()[-1:]
    behind = "".join(tokens[k + 1 :]).lstrip()[:1]
    return before in "[(,:=" and behind in "]),:"


def _kind(token: str, defined: dict[str, int]) -> str:
    if token in defined:
        return "variable"
    return "number" if token.isdigit() else token


def _progression(numbers: list[int]) -> Number | None:
    """Numbers that change by the same amount each time."""
    step = numbers[1] - numbers[0]
    if any(b - a != step for a, b in itertools.pairwise(numbers)):
        return None
    return Number(numbers[0], step)
