"""Random programs: each statement is run on NumPy as it is written, and is kept if NumPy accepts it.

A statement is written by one of the functions in `STATEMENTS`; what it may use is `Writer`'s: the variables there are,
with their values, so that an axis, an index or a second operand can be chosen that fits.
"""

from __future__ import annotations

import random
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

import tinygrad_cnn as tg

from . import vocabulary
from .program import Input, Program

LARGEST = 50.0  # a value beyond is not kept: differences lose digits
MOST_ELEMENTS = 120


class UnfitError(Exception):
    """There is nothing that this statement could use."""


class Writer:
    """Writes one program."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.rng = random.Random(seed)
        self.env: dict[str, Any] = {}
        self.space: dict[str, Any] = {"np": np, "tg": tg}
        self.active: list[str] = []
        self.plain: list[str] = []  # variables that are indices, masks, plain arrays
        self.arguments: list[Input] = []
        self.constants: list[Input] = []
        self.lines: list[str] = []
        self.count = 0

    # Choices.

    def chance(self, p: float) -> bool:
        return self.rng.random() < p

    def pick(self, options: Any) -> Any:
        return self.rng.choice(options)

    def number(self) -> str:
        return self.pick(["0.5", "2.0", "1.5", "-0.7", "2", "3", "1", "np.float64(1.3)", "np.float32(0.75)", "-1"])

    def new(self) -> str:
        self.count += 1
        return f"v{self.count}"

    def any(self, least: int = 0, most: int = 9, kind: str = "f", size: int = 0) -> str:
        """A variable of floats, of `least` to `most` axes; what was made last is likelier."""
        names = [
            name for name in self.active
            if least <= np.ndim(self.env[name]) <= most and np.size(self.env[name]) >= size
            and self.env[name].dtype.kind in kind
        ]  # fmt: skip
        if not names:
            raise UnfitError
        return names[-1 - min(int(self.rng.expovariate(0.5)), len(names) - 1)]

    def array(self, least: int = 0, **more: Any) -> str:
        """A variable that can be assigned to."""
        names = [
            name for name in self.active
            if _writable(self.env[name])
            and self.env[name].ndim >= least and self.env[name].dtype.kind in more.get("kind", "f")
        ]  # fmt: skip
        if not names:
            raise UnfitError
        return names[-1 - min(int(self.rng.expovariate(0.5)), len(names) - 1)]

    def shape(self, name: str) -> tuple[int, ...]:
        return np.shape(self.env[name])

    def axis(self, name: str) -> int:
        n = np.ndim(self.env[name])
        if not n:
            raise UnfitError
        return self.rng.randrange(-n, n)

    def axes(self, name: str) -> str:
        """An axis, several, or None, as source."""
        n = np.ndim(self.env[name])
        if not n or self.chance(0.25):
            return "None"
        if self.chance(0.25):
            chosen = self.rng.sample(range(n), self.rng.randint(0 if self.chance(0.1) else 1, n))
            return repr(tuple(a - n if self.chance(0.3) else a for a in chosen))
        return str(self.axis(name))

    def constant(self, shape: tuple[int, ...], dtype: str = "float64") -> str:
        """A new constant of that shape, which is an input of the program too."""
        made = an_input(self, f"c{len(self.constants)}", shape, dtype)
        self.constants.append(made)
        self.env[made.name] = self.space[made.name] = made.view(made.buffer())
        return made.name

    def mask(self, shape: tuple[int, ...]) -> str:
        """Booleans, as source."""
        same = [name for name in self.active if self.shape(name) == shape and self.env[name].dtype.kind == "f"]
        if same and self.chance(0.4):
            return f"({self.pick(same)} > {self.pick(['0', '0.3', '-0.4'])})"
        if shape and self.chance(0.3):
            shape = shape[self.rng.randint(0, len(shape)) :]
        values = np.array([self.chance(0.6) for _ in range(int(np.prod(shape)))], bool).reshape(shape)
        return literal(values)

    def broadcast(self, shape: tuple[int, ...], onto: bool = False) -> str:
        """Source of something that broadcasts with `shape` (`onto`: to that shape)."""
        roll = self.rng.random()
        if roll < 0.2:
            return self.number()
        if roll < 0.65:
            fitting = []
            for name in self.active:
                if self.env[name].dtype.kind == "f":
                    try:
                        found = np.broadcast_shapes(self.shape(name), shape)
                    except ValueError:
                        continue
                    if found == shape or (not onto and int(np.prod(found)) <= MOST_ELEMENTS):
                        fitting.append(name)
            if fitting:
                return self.pick(fitting)
        if roll < 0.75 and shape:
            part = self.any()
            return f"np.{self.pick(['sum', 'mean', 'max'])}({part})" if np.size(self.env[part]) else self.number()
        kept = shape[self.rng.randint(0, len(shape)) :] if self.chance(0.4) else shape
        return self.constant(
            tuple(1 if self.chance(0.2) else n for n in kept), "float32" if self.chance(0.08) else "float64"
        )

    def index(self, shape: tuple[int, ...], basic: bool = False) -> str:
        """An index of an array of that shape, as source."""
        if not basic and self.chance(0.12) and shape:
            return self.mask(shape)
        parts: list[str] = []
        used = self.rng.randint(0, len(shape)) if self.chance(0.4) else len(shape)
        advanced = not basic and self.chance(0.35)
        same = self.rng.randint(1, 3)
        for k in range(used):
            n = shape[k]
            roll = self.rng.random()
            if advanced and roll < 0.5 and n:
                values = [self.rng.randrange(-n, n) for _ in range(same)]
                if self.chance(0.15):
                    parts.append(literal(np.array([self.chance(0.6) for _ in range(n)])))
                elif self.chance(0.2):
                    parts.append(f"np.array({[values]})")
                else:
                    parts.append(str(values) if self.chance(0.5) else f"np.array({values})")
            elif roll < 0.25 and n:
                parts.append(str(self.rng.randrange(-n, n)))
            else:
                parts.append(self.a_slice(n))
            if self.chance(0.06):
                parts.append("None")
        if self.chance(0.15):
            parts.insert(self.rng.randint(0, len(parts)) if used == len(shape) else len(parts), "...")
        if not parts:
            return "..."
        return ", ".join(parts)

    def a_slice(self, n: int) -> str:
        start, stop = self.rng.randint(0, n), self.rng.randint(0, n)
        return self.pick([*vocabulary.SLICES, f"{start}:{stop}:-1", f"{start}:"])

    # Statements.

    def accept(self, statement: str) -> bool:
        """Run a statement; whether NumPy takes it, and what it makes is small and finite."""
        targets = self.targets
        try:
            exec(compile(statement, "<statement>", "exec"), self.space)
        except Exception:
            return False
        for target in targets:
            value = self.space.get(target)
            if isinstance(value, np.ndarray | np.generic):
                if value.size > MOST_ELEMENTS:
                    return False
                if value.dtype.kind in "fc" and value.size and not np.max(np.abs(value)) <= LARGEST:
                    return False
        for target in targets:
            value = self.space.get(target)
            if isinstance(value, np.ndarray | np.generic):
                self.env[target] = value
                known = self.active if value.dtype.kind in "fc" else self.plain
                if target not in known:
                    known.append(target)
            elif isinstance(value, list | tuple):
                self.plain.append(target)
        self.lines.append(statement)
        return True

    targets: list[str]

    def write(self, length: int) -> Program | None:
        """A program of about that many statements; None if NumPy does not take it as a whole."""
        self.begin()
        tries = 0
        while len(self.lines) < length and tries < 4 * length:
            tries += 1
            self.count_before, self.targets = self.count, []
            constants = len(self.constants)
            try:
                statement = self.pick(STATEMENTS)(self)
            except (UnfitError, ValueError, IndexError):
                statement = None
            if statement is not None:
                if not isinstance(statement, str):
                    target, statement = statement
                    self.targets = [target]
                if not self.targets:
                    self.targets = [f"v{k}" for k in range(self.count_before + 1, self.count + 1)]
            if statement is None or not self.accept(statement):
                while len(self.constants) > constants:
                    del self.env[self.constants.pop().name]
        results = self.results()
        if not self.lines or not results:
            return None
        # Constants that are used in no statement are left out.
        text = "\n".join(self.lines)
        self.constants = [c for c in self.constants if c.name in text]
        form = self.pick(["argnums", "argnums", "tuple", "list", "dict"])
        return Program(tuple(self.arguments), tuple(self.constants), tuple(self.lines), results, form, self.seed)

    def begin(self) -> None:
        shapes: list[tuple[int, ...]] = []
        for name in "xyz"[: self.pick([1, 1, 2, 2, 3])]:
            if shapes and self.chance(0.6):
                shape = self.pick(shapes)
                if shape and self.chance(0.4):
                    shape = shape[self.rng.randint(0, len(shape) - 1) :]
            else:
                shape = a_shape(self)
            shapes.append(shape)
            dtype = "float32" if self.chance(0.12) else "float64"
            made = an_input(self, name, shape, dtype)
            self.arguments.append(made)
            self.env[name] = self.space[name] = made.view(made.buffer())
            self.active.append(name)

    def results(self) -> tuple[str, ...]:
        """Some of the variables: the last one, and others, so that what they share is seen."""
        names = [name for name in self.active if name in self.space and np.size(self.env[name])] or self.active
        names = [n for n in names if n in self.space]
        made = [name for name in names if name.startswith("v")] or names
        if not made:
            return ()
        chosen = {made[-1]}
        for _ in range(self.rng.randint(0, 3)):
            chosen.add(self.pick(names))
        if self.plain and self.chance(0.3):
            integers = [n for n in self.plain if isinstance(self.space.get(n), np.ndarray | np.generic)]
            if integers:
                chosen.add(self.pick(integers))
        return tuple(sorted(chosen))


def _writable(x: Any) -> bool:
    try:
        return isinstance(x, np.ndarray) and bool(x.flags.writeable)
    except FutureWarning:  # of np.broadcast_arrays
        return False


def a_shape(w: Writer) -> tuple[int, ...]:
    ndim = w.pick([0, 1, 1, 2, 2, 2, 2, 3, 3, 4])
    sizes = [1, 2, 2, 3, 3, 4, 4, 5] if ndim < 3 else [1, 2, 2, 3]
    shape = tuple(w.pick(sizes) for _ in range(ndim))
    if ndim == 2 and w.chance(0.3):
        shape = (shape[0],) * 2
    if shape and w.chance(0.03):
        shape = (0, *shape[1:]) if w.chance(0.5) else (*shape[:-1], 0)
    return shape


def an_input(w: Writer, name: str, shape: tuple[int, ...], dtype: str) -> Input:
    """An input of that shape, in a random memory layout."""
    lies, stored = "buffer", shape
    if shape:
        axes = w.rng.sample(range(len(shape)), len(shape))
        options = [
            (10, "buffer", shape),
            (3, "buffer.T", shape[::-1]),
            (2, "buffer[..., ::2]", (*shape[:-1], 2 * shape[-1])),
            (2, "buffer[::-1]", shape),
            (1, "buffer[..., ::-1]", shape),
            (1, "buffer[1:]", (shape[0] + 1, *shape[1:])),
            (1, f"buffer.transpose({axes})", tuple(shape[axes.index(k)] for k in range(len(shape)))),
        ]
        if name.startswith("c"):  # of an argument the elements are copied, and then have memory of their own each
            options.append((1, f"np.broadcast_to(buffer, {shape})", tuple(1 if w.chance(0.5) else n for n in shape)))
        ((_, lies, stored),) = w.rng.choices(options, [weight for weight, *_ in options])
    elif w.chance(0.5):
        lies = "buffer[()]"
    drawn = f"np.random.default_rng({w.rng.randrange(1000)})"
    roll = w.rng.random()
    size = ", ".join(map(str, stored)) + ("," if len(stored) == 1 else "")
    if roll < 0.05:
        drawn += f".integers(-2, 3, ({size})).astype(np.float64)"
    elif roll < 0.4:
        drawn += f".uniform(0.3, 1.6, ({size}))"
    else:
        drawn += f".uniform(-1.5, 1.5, ({size}))"
    if dtype != "float64":
        drawn = f"{drawn}.astype(np.{dtype})" if stored else f"np.{dtype}({drawn})"
    return Input(name, drawn, lies)


def literal(array: np.ndarray) -> str:
    return f"np.array({array.tolist()})"


Statement = Callable[[Writer], Any]
STATEMENTS: list[Statement] = []


def statement(weight: int) -> Callable[[Statement], Statement]:
    """A function that writes a statement, or an expression's right-hand side; chosen in proportion to the weight."""

    def register(function: Statement) -> Statement:
        STATEMENTS.extend([function] * weight)
        return function

    return register


def made(w: Writer, expression: str) -> str:
    return f"{w.new()} = {expression}"


# What goes element by element.


@statement(8)
def unary(w: Writer) -> str:
    a = w.any()
    return made(w, f"np.{w.pick(vocabulary.UNARY)}({a})")


@statement(3)
def unary_of_any_sign(w: Writer) -> str:
    a = w.any()
    form = w.pick(vocabulary.ELEMENTWISE)
    return made(w, form.format(a=a))


@statement(10)
def binary(w: Writer) -> str:
    a = w.any()
    b = w.broadcast(w.shape(a))
    if w.chance(0.4):
        a, b = b, a
    if w.chance(0.5):
        return made(w, f"{a} {w.pick(['+', '-', '*', '/', '+', '-', '*', '**', '%'])} {b}")
    return made(w, f"np.{w.pick(vocabulary.BINARY)}({a}, {b})")


@statement(1)
def into_out(w: Writer) -> Any:
    t = w.array()
    a, b = w.broadcast(w.shape(t), onto=True), w.broadcast(w.shape(t), onto=True)
    where = f", where={w.mask(w.shape(t))}" if w.chance(0.4) else ""
    if w.chance(0.4):
        return t, f"np.{w.pick(vocabulary.UNARY[:20])}({t}, out={t}{where})"
    return t, f"np.{w.pick(vocabulary.BINARY)}({a}, {b}, out={t}{where})"


@statement(2)
def power_of_positive(w: Writer) -> str:
    a = w.any()
    b = w.broadcast(w.shape(a))
    return made(w, f"(0.3 + np.abs({a})) ** {b}" if w.chance(0.7) else f"np.logaddexp({a}, {b})")


@statement(3)
def choice_of_elements(w: Writer) -> str:
    a = w.any()
    b = w.broadcast(w.shape(a))
    m = w.mask(w.shape(a))
    form = w.pick(vocabulary.CHOICES)
    return made(w, form.format(a=a, b=b, m=m))


# Reductions.


@statement(9)
def reduction(w: Writer) -> str:
    a = w.any()
    name = w.pick(["sum", "sum", "mean", "prod", "max", "min", "std", "var", "ptp", "amax", "amin"])
    more = ""
    axes = w.axes(a)
    if axes != "None" or w.chance(0.3):
        more += f", axis={axes}"
    if w.chance(0.25):
        more += f", keepdims={w.chance(0.8)}"
    if name in ("sum", "mean", "prod", "std", "var", "max", "min") and w.chance(0.12):
        more += f", where={w.mask(w.shape(a))}"
        if name in ("max", "min"):
            more += ", initial=-0.2"
    if name in ("sum", "prod", "max", "min") and "initial" not in more and w.chance(0.08):
        more += f", initial={w.pick(['0.5', '2', '-1.0', '0'])}"
    if name in ("sum", "prod", "mean") and w.chance(0.04):
        more += f", dtype=np.{w.pick(['float64', 'float32'])}"
    if name in ("std", "var") and w.chance(0.3):
        more += f", {w.pick(['ddof', 'correction'])}=1"
    if w.chance(0.3) and name in ("sum", "mean", "prod", "max", "min", "std", "var"):
        return made(w, f"{a}.{name}({more[2:]})")
    return made(w, f"np.{name}({a}{more})")


@statement(2)
def cumulative(w: Writer) -> str:
    a = w.any()
    axis = w.axis(a) if np.ndim(w.env[a]) and w.chance(0.8) else None
    form = w.pick(vocabulary.CUMULATIVE)
    return made(w, form.format(a=a, axis=axis))


@statement(2)
def without_nan(w: Writer) -> str:
    a = w.any(size=1)
    name = w.pick(["nansum", "nanmean", "nanprod", "nanmax", "nanmin", "nanstd", "nanvar", "nanmedian"])
    keep = ", keepdims=True" if w.chance(0.3) else ""
    axes = w.axes(a)
    if w.chance(0.4):
        name, q = w.pick(["nanquantile", "nanpercentile"]), w.pick(["0.3", "[0.2, 0.9]", "[[0.1], [0.7]]"])
        return made(w, f"np.{name}({a}, {q}, axis={axes}{keep})")
    return made(w, f"np.{name}(np.where({w.mask(w.shape(a))}, {a}, np.nan), axis={axes}{keep})")


@statement(4)
def statistics(w: Writer) -> str:
    a = w.any(size=1)
    axis = w.axis(a) if np.ndim(w.env[a]) and w.chance(0.7) else None
    axes, q = w.axes(a), w.pick(["0.3", "0.5", "[0.1, 0.6]", "np.array([0.25, 0.75])", "[[0.2], [0.8]]", "1", "0.0"])
    keep = ", keepdims=True" if w.chance(0.3) else ""
    b = w.broadcast(w.shape(a), onto=True)
    method = w.pick(["linear", "lower", "higher", "midpoint", "hazen", "weibull", "median_unbiased"])
    form = w.pick(vocabulary.STATISTICS)
    return made(w, form.format(a=a, b=b, axis=axis, axes=axes, q=q, keep=keep, method=method))


# Indexing and views.


@statement(8)
def picked(w: Writer) -> str:
    a = w.any(1, kind="fc")
    return made(w, f"{a}[{w.index(w.shape(a))}]")


@statement(3)
def picked_by_values(w: Writer) -> str:
    a = w.any(1, size=1)
    axis = w.axis(a)
    form = w.pick(vocabulary.PICKED_BY_VALUES)
    return made(w, form.format(a=a, axis=axis))


def a_view(w: Writer, a: str) -> str:
    n = np.ndim(w.env[a])
    perm = tuple(w.rng.sample(range(n), n)) if n else ()
    axis = w.axis(a) if n else 0
    return w.pick(vocabulary.VIEWS).format(a=a, axis=axis, perm=perm)


@statement(11)
def view(w: Writer) -> str:
    return made(w, a_view(w, w.any(kind="fffc")))


@statement(7)
def copy(w: Writer) -> str:
    return made(w, w.pick(vocabulary.COPIES).format(a=w.any(kind="fffc")))


# Assignment.


def a_target(w: Writer, a: str) -> tuple[str, tuple[int, ...]]:
    """An expression that can be assigned to, of the array `a`, and its shape."""
    if w.chance(0.25):
        place = f"{a_view(w, a)}"
        place += f"[{w.pick(['...', ':', '0', '::-1', '1:', '::2', '-1', '..., 0'])}]"
    else:
        place = f"{a}[{w.index(w.shape(a))}]"
    try:
        shape = np.shape(eval(place, w.space))
    except Exception:
        raise UnfitError from None
    return place, shape


@statement(10)
def assignment(w: Writer) -> Any:
    a = w.array()
    place, shape = a_target(w, a)
    value = w.broadcast(shape, onto=True)
    if w.chance(0.2):
        value = f"{value} * {w.number()}"
    return a, f"{place} = {value}"


@statement(10)
def in_place(w: Writer) -> Any:
    a = w.array(kind="fffc")
    if w.chance(0.5):
        place, shape = a, w.shape(a)
    else:
        place, shape = a_target(w, a)
    value = w.broadcast(shape, onto=True)
    operator = w.pick(["+=", "-=", "*=", "+=", "-=", "*=", "/=", "**=", "%=", "//="])
    if operator == "/=":
        value = f"(1 + {value} ** 2)"
    if operator == "**=":
        value = w.pick(["2", "2.0", "3", "1", f"(1 + 0 * {value})"])
    return a, f"{place} {operator} {value}"


@statement(4)
def assigning_function(w: Writer) -> Any:
    a = w.array()
    n = int(np.size(w.env[a]))
    b = w.broadcast(w.shape(a), onto=True)
    if not n:
        raise UnfitError
    places = [w.rng.randrange(-n, n) for _ in range(w.rng.randint(1, 3))]
    axis = w.axis(a) if np.ndim(w.env[a]) else None
    m = w.mask(w.shape(a))
    form = w.pick(vocabulary.ASSIGNMENTS)
    scalar = w.pick([n for n in w.active if np.ndim(w.env[n]) == 0 and w.env[n].dtype.kind == "f"] or ["0.7"])
    v = w.pick([scalar, "0.7", "1", f"np.mean({w.any(size=1)})"])
    k = w.rng.randrange(w.shape(a)[axis]) if axis is not None and w.shape(a)[axis] else 0
    return a, form.format(a=a, b=b, places=places, v=v, axis=axis, m=m, i=w.index(w.shape(a)) and repr(places[:1]), k=k)


# Joins, splits, rearrangement.


@statement(5)
def join(w: Writer) -> str:
    a = w.any(kind="fffc")
    same = [n for n in w.active if w.shape(n) == w.shape(a)]
    b, c = w.pick(same), w.pick(same)
    axis = w.axis(a) if np.ndim(w.env[a]) else 0
    form = w.pick(vocabulary.JOINS)
    return made(w, form.format(a=a, b=b, c=c, axis=axis))


@statement(2)
def split(w: Writer) -> str:
    a = w.any(1)
    axis = w.axis(a)
    first, second = w.new(), w.new()
    form = w.pick(vocabulary.SPLITS)
    return f"{first}, {second} = {form.format(a=a, axis=axis)}"


@statement(9)
def rearranged(w: Writer) -> str:
    a = w.any(1)
    return made(w, w.pick(vocabulary.REARRANGED).format(a=a, axis=w.axis(a)))


@statement(2)
def interpolated(w: Writer) -> str:
    a, b = w.any(), w.any()
    form = w.pick(vocabulary.INTERPOLATIONS)
    return made(w, form.format(a=a, b=b))


@statement(3)
def padded(w: Writer) -> str:
    a = w.any(1)
    each = [(w.rng.randint(0, 2), w.rng.randint(0, 2)) for _ in w.shape(a)]
    width = w.pick(["1", "(1, 0)", "((0, 1),)", "2", "1", repr(each)])
    return made(w, f"np.pad({a}, {width}{w.pick(vocabulary.PADDINGS)})")


# Products and linear algebra.


@statement(8)
def product(w: Writer) -> str:
    a = w.any(1, kind="fffc")
    shape = w.shape(a)
    same = [n for n in w.active if w.shape(n) == shape]
    b = w.pick(same)
    c = w.constant((shape[-1], w.rng.randint(1, 3)), "float64")
    v = w.constant((shape[-1],), "float32" if w.chance(0.1) else "float64")
    form = w.pick(vocabulary.PRODUCTS)
    return made(w, form.format(a=a, b=b, c=c, v=v, n=len(shape)))


@statement(4)
def linear_algebra(w: Writer) -> str:
    squares = [n for n in w.active if len(w.shape(n)) >= 2 and w.shape(n)[-1] == w.shape(n)[-2]]
    squares = [n for n in squares if w.env[n].dtype.kind == "f"]
    if squares and w.chance(0.6):
        a = w.pick(squares)
        n = w.shape(a)[-1]
        m = f"({a} + 2 * np.eye({n}))" if w.chance(0.7) else a
        positive = f"({a} @ {a}.swapaxes(-1, -2) + np.eye({n}))"
        dominant = f"({a} + {a}.swapaxes(-1, -2) + {n + 2} * np.diag(np.arange(1.0, {n + 1})))"
        s = positive if w.chance(0.6) else dominant
        b = w.constant((n,) if w.chance(0.5) else (n, 2))
        return made(w, w.pick(vocabulary.SQUARE).format(m=m, s=s, b=b))
    a = w.any(1)
    return made(w, w.pick(vocabulary.RECTANGULAR).format(a=a, axis=w.axis(a)))


@statement(3)
def fourier(w: Writer) -> str:
    a = w.any(1, size=1)
    axis = w.axis(a)
    norm = w.pick(["", ", norm='ortho'", ", norm='forward'"])
    n = w.pick(["", f", n={w.rng.randint(1, 5)}"])
    form = w.pick(vocabulary.FOURIER)
    return made(w, form.format(a=a, n=n, axis=axis, norm=norm))


@statement(2)
def complex_numbers(w: Writer) -> str:
    try:
        z = w.any(kind="c")
    except UnfitError:
        a = w.any()
        z = f"({a} * {w.pick(['1j', '(1 + 0.5j)', '(0.3 - 2j)'])} + {w.broadcast(w.shape(a))})"
        if w.chance(0.3):
            return made(w, f"{a}.astype(complex)" if w.chance(0.3) else z)
    form = w.pick(vocabulary.COMPLEX)
    return made(w, form.format(z=z))


@statement(1)
def complex_assignment(w: Writer) -> Any:
    z = w.array(1, kind="c")
    a = w.broadcast(w.shape(z), onto=True)
    form = w.pick(vocabulary.COMPLEX_ASSIGNMENTS)
    return z, form.format(z=z, a=a)


@statement(3)
def window(w: Writer) -> str:
    a = w.any(1, size=4)
    size = int(np.size(w.env[a]))
    rows = w.pick([2, 3, 4])
    columns = max(size // rows, 1)
    image = f"{a}.reshape(-1)[:{rows * columns}].reshape(1, 1, {rows}, {columns})"
    layout = w.pick(["", "", ".swapaxes(2, 3)", "[..., ::-1]"])
    image = f"({image}){layout}"
    k, stride = w.rng.randint(1, 2), w.rng.randint(1, 3)
    weight = w.constant((w.rng.randint(1, 2), 1, k, w.rng.randint(1, 2)))
    form = w.pick(vocabulary.WINDOWS)
    return made(w, form.format(a=a, x=image, w=weight, s=stride, p=w.rng.randint(0, 1), k=k))


# Methods of ufuncs.


@statement(4)
def ufunc_method(w: Writer) -> str:
    a = w.any(1)
    axis = w.axis(a)
    name = w.pick(vocabulary.REDUCING)
    keep = ", keepdims=True" if w.chance(0.3) else ""
    b = w.any(most=2)
    form = w.pick(vocabulary.UFUNC_METHODS)
    return made(w, form.format(f=name, a=a, b=b, axis=axis, axes=w.axes(a), keep=keep, m=w.mask(w.shape(a))))


# What is around the statements: scopes, control flow, transforms within.


@statement(4)
def control_flow(w: Writer) -> str:
    a = w.any(size=1)
    b = w.any(1, size=1) if w.chance(0.9) else a
    v = w.new()
    axis = w.axis(b) if np.ndim(w.env[b]) else 0
    form = w.pick(vocabulary.CONTROL_FLOW)
    return form.format(a=a, b=b, v=v, axis=axis, shape=w.shape(a))


def write(seed: int, length: int | None = None) -> Program | None:
    """The program of that seed, or None where NumPy does not take what was written."""
    writer = Writer(seed)
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for old in (DeprecationWarning, FutureWarning):  # what NumPy is about to refuse is no measure
            warnings.simplefilter("error", old)
        return writer.write(writer.rng.randint(2, 9) if length is None else length)
