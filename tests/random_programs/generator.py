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

from .program import Input, Program

LARGEST = 50.0  # a value beyond is not kept: differences lose digits
MOST_ELEMENTS = 120


class Unfit(Exception):
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
            if least <= np.ndim(self.env[name]) <= most and self.env[name].dtype.kind in kind and np.size(self.env[name]) >= size
        ]  # fmt: skip
        if not names:
            raise Unfit
        return names[-1 - min(int(self.rng.expovariate(0.5)), len(names) - 1)]

    def array(self, least: int = 0, **more: Any) -> str:
        """A variable that can be assigned to."""
        names = [
            name for name in self.active
            if _writable(self.env[name])
            and self.env[name].ndim >= least and self.env[name].dtype.kind in more.get("kind", "f")
        ]  # fmt: skip
        if not names:
            raise Unfit
        return names[-1 - min(int(self.rng.expovariate(0.5)), len(names) - 1)]

    def shape(self, name: str) -> tuple[int, ...]:
        return np.shape(self.env[name])

    def axis(self, name: str) -> int:
        n = np.ndim(self.env[name])
        if not n:
            raise Unfit
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
        return self.constant(tuple(1 if self.chance(0.2) else n for n in kept), "float32" if self.chance(0.08) else "float64")

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
        return self.pick(
            [":", ":", "::-1", "::2", "1:", ":-1", "::-2", "-2:", f"{self.rng.randint(0, n)}:{self.rng.randint(0, n)}:-1",
             f"{self.rng.randint(0, n)}:", "0:1"]
        )  # fmt: skip

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
            except (Unfit, ValueError, IndexError):
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
        roll = w.rng.random()
        if roll < 0.5:
            pass
        elif roll < 0.65:
            lies, stored = "buffer.T", shape[::-1]
        elif roll < 0.75:
            lies, stored = "buffer[..., ::2]", (*shape[:-1], 2 * shape[-1])
        elif roll < 0.82:
            lies = "buffer[::-1]"
        elif roll < 0.87:
            lies = "buffer[..., ::-1]"
        elif roll < 0.92:
            lies, stored = "buffer[1:]", (shape[0] + 1, *shape[1:])
        elif roll < 0.97:
            axes = w.rng.sample(range(len(shape)), len(shape))
            lies, stored = f"buffer.transpose({axes})", tuple(np.array(shape)[np.argsort(np.argsort(axes))][np.argsort(axes)])
            stored = tuple(shape[axes.index(k)] for k in range(len(shape)))
        else:
            lies, stored = f"np.broadcast_to(buffer, {shape})", tuple(1 if w.chance(0.5) else n for n in shape)
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

UNARY = (
    "exp log sqrt sin cos tan tanh sinh cosh arcsin arccos arctan arcsinh arccosh arctanh expm1 log1p log2 log10 exp2 "
    "square reciprocal cbrt abs absolute fabs negative positive conjugate deg2rad rad2deg degrees radians sinc i0 "
    "nan_to_num real imag angle floor ceil trunc rint sign real_if_close acos asin atan sinh"
).split()
BINARY = (
    "add subtract multiply divide true_divide power maximum minimum fmax fmin hypot arctan2 logaddexp logaddexp2 "
    "copysign fmod remainder mod float_power heaviside nextafter floor_divide pow"
).split()


@statement(8)
def unary(w: Writer) -> str:
    a = w.any()
    return made(w, f"np.{w.pick(UNARY)}({a})")


@statement(3)
def unary_of_any_sign(w: Writer) -> str:
    a = w.any()
    form = w.pick(["np.log(np.abs({a}) + 0.5)", "np.sqrt({a} ** 2 + 1)", "np.tanh({a})", "abs({a})", "-{a}", "+{a}",
                   "tg.relu({a})", "tg.sigmoid({a})", "np.exp(-{a} ** 2)", "1 / (1 + {a} ** 2)", "{a} ** 3", "{a} ** 2",
                   "np.power({a}, 2)", "2.0 ** {a}", "np.arcsin(np.tanh({a}))", "{a}.conj()", "{a}.round(2)", "{a} % 1.1",
                   "np.modf({a})[0]", "np.frexp({a})[0]", "np.ldexp({a}, 2)", "divmod({a}, 0.7)[1]", "{a} // 0.5",
                   "np.clip({a}, -0.5, 0.8)", "{a}.clip(-0.5)", "{a}.clip(max=0.4)", "np.clip({a}, None, 0.6)",
                   "np.clip({a}, None, None)", "np.clip({a}, min=0.1)", "{a} ** 0.5", "{a} ** -1", "{a} ** 0", "{a} ** 1"])  # fmt: skip
    return made(w, form.format(a=a))


@statement(10)
def binary(w: Writer) -> str:
    a = w.any()
    b = w.broadcast(w.shape(a))
    if w.chance(0.4):
        a, b = b, a
    if w.chance(0.5):
        return made(w, f"{a} {w.pick(['+', '-', '*', '/', '+', '-', '*', '**', '%'])} {b}")
    return made(w, f"np.{w.pick(BINARY)}({a}, {b})")


@statement(1)
def into_out(w: Writer) -> Any:
    t = w.array()
    a, b = w.broadcast(w.shape(t), onto=True), w.broadcast(w.shape(t), onto=True)
    where = f", where={w.mask(w.shape(t))}" if w.chance(0.4) else ""
    if w.chance(0.4):
        return t, f"np.{w.pick(UNARY[:20])}({t}, out={t}{where})"
    return t, f"np.{w.pick(BINARY)}({a}, {b}, out={t}{where})"


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
    form = w.pick(["np.where({m}, {a}, {b})", "np.where({m}, {b}, {a})", "np.select([{m}, {a} > 0.5], [{a}, {b}], 0.1)",
                   "np.select([{m}], [{a} * 2], {b})", "np.clip({a}, {b}, {b} + 0.5)", "np.clip({b}, {a}, 1.5)",
                   "np.choose({a} > 0, [{a}, {b}])", "np.piecewise({a}, [{a} > 0], [lambda t: t ** 2, lambda t: -t])",
                   "np.nan_to_num(np.where({m}, {a}, np.nan))", "np.maximum({a}, 0)", "np.minimum({a}, {b})",
                   "{a} * {m}", "np.copysign({a}, {b})", "np.compress([True, False], {a}, axis=0)", "np.extract({m}, {a})"])  # fmt: skip
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
    form = w.pick(["np.cumsum({a}, axis={axis})", "np.cumprod({a}, axis={axis})", "{a}.cumsum({axis})", "{a}.cumprod({axis})",
                   "np.cumulative_sum({a}, axis={axis})", "np.cumulative_sum({a}, axis={axis}, include_initial=True)",
                   "np.cumulative_prod({a}, axis={axis})", "np.nancumsum({a}, axis={axis})", "np.nancumprod({a}, axis={axis})"])  # fmt: skip
    return made(w, form.format(a=a, axis=axis))


@statement(2)
def without_nan(w: Writer) -> str:
    a = w.any(size=1)
    name = w.pick(["nansum", "nanmean", "nanprod", "nanmax", "nanmin", "nanstd", "nanvar", "nanmedian"])
    keep = ", keepdims=True" if w.chance(0.3) else ""
    axes = w.axes(a)
    if w.chance(0.4):
        return made(w, f"np.{w.pick(['nanquantile', 'nanpercentile'])}({a}, {w.pick(['0.3', '[0.2, 0.9]', '[[0.1], [0.7]]'])}, axis={axes}{keep})")
    return made(w, f"np.{name}(np.where({w.mask(w.shape(a))}, {a}, np.nan), axis={axes}{keep})")


@statement(4)
def statistics(w: Writer) -> str:
    a = w.any(size=1)
    axis = w.axis(a) if np.ndim(w.env[a]) and w.chance(0.7) else None
    axes, q = w.axes(a), w.pick(["0.3", "0.5", "[0.1, 0.6]", "np.array([0.25, 0.75])", "[[0.2], [0.8]]", "1", "0.0"])
    keep = ", keepdims=True" if w.chance(0.3) else ""
    b = w.broadcast(w.shape(a), onto=True)
    method = w.pick(["linear", "lower", "higher", "midpoint", "hazen", "weibull", "median_unbiased"])
    form = w.pick(["np.median({a}, axis={axes}{keep})", "np.quantile({a}, {q}, axis={axes}{keep})", "np.quantile({a}, {q}, axis={axis}, method='{method}')",
                   "np.percentile({a}, 30, axis={axes}{keep})", "np.average({a}, axis={axis})",
                   "np.average({a}, axis={axis}, weights=np.exp({a}))", "np.cov({a})", "np.cov({a}, rowvar=False)", "np.corrcoef({a})",
                   "np.cov({a}, bias=True)", "np.average({a}, weights=np.abs({b}) + 0.1 + 0 * {a})", "np.std({a}, axis={axis}, ddof=1)",
                   "np.histogram({a}, bins=3)[1]", "np.var({a}, axis={axes}, mean=np.mean({a}, axis={axes}, keepdims=True))"])  # fmt: skip
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
    form = w.pick(["{a}[np.argsort({a}, axis=0)[0]]", "{a}[{a} > 0]", "np.take_along_axis({a}, np.argsort({a}, axis={axis}), axis={axis})",
                   "np.take({a}, [0, -1, 0], axis={axis})", "{a}.take([0, -1])", "np.take({a}, np.argmax({a}))",
                   "np.take({a}, [[0], [1]], axis={axis}, mode='clip')", "np.take({a}, [5, -7], axis={axis}, mode='wrap')",
                   "{a}[np.ix_([0, -1])]", "{a}[np.nonzero({a} > 0.1)]", "{a}[np.where({a} < 0)]", "{a}[tuple(np.argwhere({a} == np.max({a}))[0])]",
                   "{a}[int(np.argmax({a}[..., 0])) % len({a})]"])  # fmt: skip
    return made(w, form.format(a=a, axis=axis))


VIEWS = [
    "{a}.T", "{a}.ravel()", "{a}.reshape(-1)", "np.ravel({a})", "np.reshape({a}, (-1,))", "np.transpose({a})",
    "{a}.swapaxes(0, -1)", "np.swapaxes({a}, 0, 1)", "np.moveaxis({a}, 0, -1)", "np.rollaxis({a}, -1)", "{a}[...]", "{a}[None]",
    "np.expand_dims({a}, {axis})", "np.squeeze({a})", "{a}.squeeze()", "np.diagonal({a})", "{a}.diagonal(1)", "np.flip({a})",
    "np.flip({a}, {axis})", "np.rot90({a})", "np.fliplr({a})", "np.flipud({a})", "{a}.mT", "np.matrix_transpose({a})",
    "np.atleast_1d({a})", "np.atleast_2d({a})", "np.atleast_3d({a})", "np.split({a}, [1], axis={axis})[1]", "np.real({a})",
    "{a}.real", "{a}.reshape({a}.shape[::-1])", "np.array_split({a}, 2, axis={axis})[0]", "np.permute_dims({a}, {perm})",
    "{a}.transpose({perm})", "np.transpose({a}, {perm})", "{a}.ravel('F')", "{a}.reshape(-1, order='F')", "{a}.ravel('K')",
    "{a}.ravel('A')", "np.reshape({a}, (-1,), order='A')", "np.reshape({a}, -1, copy=True)", "np.broadcast_to({a}, (2, *{a}.shape))",
    "np.broadcast_arrays({a}, {a}[..., :1])[1] * 1.0", "np.asarray({a}, like={a})", "np.asanyarray({a}, like={a})",
    "np.ascontiguousarray({a}, like={a})", "np.asfortranarray({a}, like={a})",
    "{a}.astype(float, copy=False)", "np.unstack({a}, axis={axis})[0]", "np.asarray({a}, order='F', like={a})", "{a}.astype(np.float32)",
    "{a}.astype(np.float64)", "np.linalg.diagonal({a})", "np.diag({a})", "np.vsplit({a}, 1)[0]",
    "np.dsplit({a}, [1])[0]", "np.hsplit({a}, [1])[0]", "np.nan_to_num({a}, copy=False)", "{a}[{a}.shape[0] // 2]",
    "np.reshape({a}, {a}.shape)", "{a}.T.reshape(-1)", "{a}.reshape(1, -1)", "{a}.reshape(*{a}.shape, 1)", "np.squeeze({a}[None], 0)",
    "np.array({a}, copy=False, like={a})", "np.array({a}, copy=None, ndmin=3, like={a})", "np.resize({a}, (2, 3))", "next(iter({a}))",
    "np.lib.stride_tricks.sliding_window_view({a}, 1, axis={axis})",
]  # fmt: skip


def a_view(w: Writer, a: str) -> str:
    n = np.ndim(w.env[a])
    perm = tuple(w.rng.sample(range(n), n)) if n else ()
    axis = w.axis(a) if n else 0
    return w.pick(VIEWS).format(a=a, axis=axis, perm=perm)


@statement(11)
def view(w: Writer) -> str:
    return made(w, a_view(w, w.any(kind="fffc")))


COPIES = [
    "{a}.copy()", "np.copy({a})", "{a}.copy('F')", "{a}.copy('K')", "{a}.copy('A')", "np.copy({a}, order='C')", "{a}.flatten()", "{a}.flatten('F')",
    "np.array({a}, like={a})", "{a} * 1.0", "1 * {a}", "+{a}", "np.zeros_like({a})", "np.ones_like({a})", "np.full_like({a}, 0.3)",
    "np.empty_like({a}) * 0 + 1", "np.zeros((2, 3), like={a})", "np.ones({a}.shape, like={a})", "np.full((2,), {a}.reshape(-1)[0], like={a})",
    "np.zeros_like({a}, shape=(3, 2))", "np.zeros_like({a}, order='F')", "np.positive({a})", "{a}.astype({a}.dtype)", "np.astype({a}, float)",
    "np.astype({a}, np.float32)", "np.full_like({a}, {a}.reshape(-1)[-1])", "np.zeros_like({a}, dtype=np.float64)",
    "np.array({a}, order='F', like={a})", "np.eye(3, like={a})", "np.zeros({a}.shape, order='F', like={a})",
]  # fmt: skip


@statement(7)
def copy(w: Writer) -> str:
    return made(w, w.pick(COPIES).format(a=w.any(kind="fffc")))


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
        raise Unfit from None
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
        raise Unfit
    places = [w.rng.randrange(-n, n) for _ in range(w.rng.randint(1, 3))]
    axis = w.axis(a) if np.ndim(w.env[a]) else None
    m = w.mask(w.shape(a))
    form = w.pick(["np.copyto({a}, {b})", "np.copyto({a}, {b}, where={m})", "np.put({a}, {places}, {v})", "{a}.put({places}, {v})",
                   "np.put({a}, {places}, {a}.reshape(-1)[:1] * 2)", "np.put({a}, [0, 99], {v}, mode='clip')",
                   "np.fill_diagonal({a}, {v})", "np.fill_diagonal({a}, {v}, wrap=True)", "np.putmask({a}, {m}, {b})",
                   "np.place({a}, {m}, [0.3, 0.4])", "{a}.sort()", "{a}.sort({axis})", "{a}.sort(axis=0)", "{a}.fill({v})",
                   "{a}.partition({k}, axis={axis})", "np.put_along_axis({a}, np.argmax({a}, axis={axis}, keepdims=True), {v}, axis={axis})",
                   "np.add.at({a}, {i}, {v})", "np.subtract.at({a}, {i}, {v})", "np.add.at({a}, ([0, 0, -1],), {v})",
                   "{a}.T.sort()", "{a}[::-1].sort(0)", "{a}.ravel().sort()", "{a}[...] = np.sort({a}, axis={axis})",
                   "np.multiply.at({a}, {i}, {v})", "{a}.fill(np.sum({a}))", "{a}.T.fill({v})", "{a}[:] = {a}[::-1]",
                   "{a}[1:] = {a}[:-1]", "{a}[1:] += {a}[:-1]", "{a}[::-1] *= {a}", "{a}.T[...] = {a}", "{a} += {a}.T", "{a}.ravel()[0] = {v}",
                   "{a}[0], {a}[-1] = {a}[-1], {a}[0]", "{a}[0] = {a}[-1]", "{a} -= np.mean({a}, axis={axis}, keepdims=True)",
                   "{a}[{m}] = {v}", "{a}[{m}] *= 0.5", "{a}[{m}] += {a}[{m}]", "{a}.real[...] = {b}", "{a}.reshape(-1)[{places}] = {v}"])  # fmt: skip
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
    form = w.pick(["np.concatenate([{a}, {b}], axis={axis})", "np.concatenate(({a}, {b}, {c}))", "np.concatenate([{a}, {b}], axis=None)",
                   "np.stack([{a}, {b}], axis={axis})", "np.stack([{a}, {b}, {c}])", "np.vstack([{a}, {b}])", "np.hstack([{a}, {b}])",
                   "np.dstack([{a}, {b}])", "np.column_stack([{a}, {b}])", "np.block([{a}, {b}])", "np.block([[{a}, {b}], [{c}, {a}]])",
                   "np.block({a})", "np.append({a}, {b})", "np.append({a}, {b}, axis={axis})", "np.concat([{a}, {b}])", "np.stack([{a}], -1)",
                   "np.array([{a}, {b}], like={a})", "np.concatenate([{a}[:1], {b}])", "np.stack([row * 2 for row in {a}])",
                   "np.concatenate([{a}, np.ones_like({b})], axis={axis})", "np.r_[{a}, {b}]", "np.c_[{a}, {b}]", "np.vstack({a})",
                   "np.hstack({a})", "np.stack({a})", "np.concatenate({a})"])  # fmt: skip
    return made(w, form.format(a=a, b=b, c=c, axis=axis))


@statement(2)
def split(w: Writer) -> str:
    a = w.any(1)
    axis = w.axis(a)
    first, second = w.new(), w.new()
    form = w.pick(["np.split({a}, [1], axis={axis})", "np.split({a}, 2, axis={axis})", "np.array_split({a}, 2, axis={axis})",
                   "np.hsplit({a}, [1])", "np.vsplit({a}, [1])", "[t * 1 for t in np.broadcast_arrays({a}, {a}[:1])]", "np.meshgrid({a}, {a})",
                   "np.meshgrid({a}, {a}, indexing='ij', copy=False)", "np.meshgrid({a}, {a}, sparse=True)", "np.unstack({a}, axis={axis})", "{a}",
                   "np.divmod({a}, 0.9)", "np.modf({a})"])  # fmt: skip
    return f"{first}, {second} = {form.format(a=a, axis=axis)}"


REARRANGED = [
    "np.roll({a}, 1, axis={axis})", "np.roll({a}, 2)", "np.roll({a}, (1, -1), axis=(0, 1))", "np.tile({a}, 2)", "np.tile({a}, (2, 1))",
    "np.repeat({a}, 2, axis={axis})", "np.repeat({a}, 2)", "{a}.repeat(2, {axis})", "np.delete({a}, 0, axis={axis})", "np.delete({a}, [0, -1])",
    "np.insert({a}, 1, 0.5, axis={axis})", "np.insert({a}, [0, 1], 0.5)", "np.tril({a})", "np.triu({a}, 1)", "np.diag({a})", "np.diag({a}, 1)",
    "np.diagflat({a})", "np.diff({a}, axis={axis})", "np.diff({a}, n=2, axis={axis})", "np.diff({a}, prepend=0.0, axis={axis})",
    "np.ediff1d({a})", "np.ediff1d({a}, to_begin=0.5)", "np.gradient({a}, axis={axis})", "np.gradient({a}, 0.5, axis={axis})",
    "np.gradient({a}, axis={axis}, edge_order=2)", "np.trapezoid({a}, axis={axis})", "np.trapezoid({a}, dx=0.5)", "np.unwrap({a}, axis={axis})",
    "np.resize({a}, (3, 2))", "np.trim_zeros({a})", "np.sort({a}, axis={axis})", "np.sort({a}, axis=None)", "np.sort({a})",
    "np.partition({a}, 1, axis={axis})", "np.unique({a})", "np.union1d({a}, {a} + 1)", "np.vander({a}, 3)", "np.vander({a}, 3, increasing=True)",
    "np.poly({a})", "np.polyval({a}, 0.7)", "np.polymul({a}, {a})", "np.polyadd({a}, [1.0, 2.0])", "np.polyder({a})", "np.polyint({a})",
    "np.convolve({a}, [0.5, 1.0])", "np.convolve({a}, {a}, 'same')", "np.correlate({a}, {a}, 'full')", "np.trace({a})", "{a}.trace(1)",
    "np.apply_along_axis(lambda r: r * r[0], {axis}, {a})", "np.apply_over_axes(np.sum, {a}, [{axis}])", "np.fft.fftshift({a})",
    "np.fft.ifftshift({a}, axes={axis})", "np.bincount([0, 1, 1], weights={a}.reshape(-1)[:3])", "np.linspace(0.0, {a}, 3)",
    "np.linspace({a}, 1.0, 4, axis={axis})", "np.geomspace(np.abs({a}) + 0.1, 2.0, 3)", "np.logspace({a}, 1.0, 3, base=2.0)", "np.choose([0, 1], {a})",
    "np.intersect1d({a}, {a}[..., :1])", "np.setdiff1d({a}, [0.0])", "np.sort_complex({a}).real", "np.flip({a}, axis={axis})",
]  # fmt: skip


@statement(9)
def rearranged(w: Writer) -> str:
    a = w.any(1)
    return made(w, w.pick(REARRANGED).format(a=a, axis=w.axis(a)))


@statement(2)
def interpolated(w: Writer) -> str:
    a, b = w.any(), w.any()
    form = w.pick(["np.interp({a}, [-1.0, 0.0, 1.0], [0.5, 2.0, -1.0])", "np.interp({a}, np.array([-2.0, 0.1, 2.0]), np.array([0.0, 1.0, 0.5]) * np.mean({b}))",
                   "np.interp([0.2, 0.7], np.sort({a}.reshape(-1)), {a}.reshape(-1))", "np.interp(0.3, [0.0, 1.0], [np.sum({a}), np.sum({b})])",
                   "np.interp({a}, [-1.0, 1.0], [0.0, 1.0], left=-0.5, right=0.1)", "np.interp({a}, [0.0, 0.5], [0.0, 1.0], period=1.0)"])  # fmt: skip
    return made(w, form.format(a=a, b=b))


@statement(3)
def padded(w: Writer) -> str:
    a = w.any(1)
    width = w.pick(["1", "(1, 0)", "((0, 1),)", "2", "1", f"{[(w.rng.randint(0, 2), w.rng.randint(0, 2)) for _ in w.shape(a)]}"])
    mode = w.pick(["constant", "edge", "reflect", "symmetric", "wrap", "mean", "maximum", "minimum", "linear_ramp", "median", "empty"])
    more = {"constant": w.pick(["", ", constant_values=0.5", ", constant_values=(1, 2)"]), "linear_ramp": w.pick(["", ", end_values=1.0"]),
            "mean": w.pick(["", ", stat_length=1"]), "reflect": w.pick(["", ", reflect_type='odd'"])}.get(mode, "")  # fmt: skip
    if mode == "empty":
        return made(w, f"np.pad({a}, {width})")
    return made(w, f"np.pad({a}, {width}, mode='{mode}'{more})")


# Products and linear algebra.


@statement(8)
def product(w: Writer) -> str:
    a = w.any(1, kind="fffc")
    shape = w.shape(a)
    same = [n for n in w.active if w.shape(n) == shape]
    b = w.pick(same)
    c = w.constant((shape[-1], w.rng.randint(1, 3)), "float64")
    v = w.constant((shape[-1],), "float32" if w.chance(0.1) else "float64")
    form = w.pick(["{a} @ {c}", "np.matmul({a}, {c})", "np.dot({a}, {c})", "{a}.dot({v})", "{a} @ {v}", "np.inner({a}, {b})",
                   "np.outer({a}, {b})", "np.kron({a}, {b})", "np.vdot({a}, {b})", "np.tensordot({a}, {c}, 1)", "np.tensordot({a}, {b}, {n})",
                   "np.tensordot({a}, {b}, axes=([0], [0]))", "{a} @ {b}.swapaxes(-1, -2)", "{a}.T @ {b}", "np.vecdot({a}, {b})", "np.matvec({a}, {v})",
                   "np.vecmat({v}, np.swapaxes({a}, -1, -2))", "np.einsum('...i,...i->...', {a}, {b})", "np.einsum('...i,ij->...j', {a}, {c})",
                   "np.einsum('i...,i...', {a}, {b})", "np.einsum('ij,kj->ik', {a}, {b})", "np.einsum('ij->ji', {a})", "np.einsum('ii', {a})",
                   "np.einsum('ii->i', {a})", "np.einsum('ij,jk,k->i', {a}, {c}, {c}[0])", "np.einsum('...j,j->...', {a}, {v})", "np.einsum({a}, [0, 1], [1])",
                   "np.einsum('...j,...jk->...k', {a}, {c})", "np.einsum('i,j->ij', {v}, {a}.reshape(-1))", "np.cross({a}, {b})", "np.cross({a}[..., :2], {b}[..., :2])",
                   "np.linalg.multi_dot([{a}, {c}, {c}.T])", "np.linalg.outer({v}, {v})", "np.linalg.matrix_power({a}, 2)", "np.linalg.matrix_power({a}, 3)",
                   "np.cross({a}[..., :3], {b}[..., :3])", "np.trace({a} @ {b}.T)", "np.linalg.vecdot({a}, {b})", "np.einsum('ij...->j...i', {a})",
                   "np.einsum('ij,ij->j', {a}, {b}, optimize=True)", "{c}.T @ {a}.T", "np.convolve({v}, {a}[..., 0].reshape(-1)[:2])"])  # fmt: skip
    return made(w, form.format(a=a, b=b, c=c, v=v, n=len(shape)))


SQUARE = [
    "np.linalg.inv({m})", "np.linalg.solve({m}, {b})", "np.linalg.solve({m}, {m}.T[..., :1])", "np.linalg.det({m})", "np.linalg.slogdet({m})[1]",
    "np.linalg.cholesky({s})", "np.linalg.cholesky({s}, upper=True)", "np.linalg.eigh({s})[0]", "np.linalg.eigvalsh({s})", "np.abs(np.linalg.eigh({s})[1])",
    "np.linalg.eigh({s}, UPLO='U').eigenvalues", "np.linalg.svd({m}, compute_uv=False)", "np.linalg.svdvals({m})", "np.linalg.qr({m})[1]",
    "np.linalg.qr({m})[0]", "np.linalg.pinv({m})", "np.linalg.norm({m}, 2)", "np.linalg.norm({m}, 'nuc')", "np.linalg.cond({m})",
    "np.linalg.tensorinv({m}, 1)", "np.linalg.tensorsolve({m}, {b})", "np.linalg.eigvalsh({m})", "np.linalg.cholesky({m} + 2 * np.eye({m}.shape[0]))",
    "np.linalg.matrix_power({m}, -1)", "np.abs(np.linalg.svd({m})[0])", "np.abs(np.linalg.svd({m})[2])", "np.linalg.qr({m}, mode='r')",
    "np.linalg.lstsq({m}, {b})[0]",
]  # fmt: skip
RECTANGULAR = [
    "np.linalg.norm({a})", "np.linalg.norm({a}, axis={axis})", "np.linalg.norm({a}, 1, axis={axis})", "np.linalg.norm({a}, np.inf, axis={axis})",
    "np.linalg.norm({a}, 3, axis={axis})", "np.linalg.norm({a}, axis=(0, 1))", "np.linalg.norm({a}, 'fro', axis=(-1, 0), keepdims=True)",
    "np.linalg.norm({a}, 2, axis=(0, -1))", "np.linalg.norm({a}, 1)", "np.linalg.norm({a}, -2, axis={axis})", "np.linalg.vector_norm({a})", "np.linalg.matrix_norm({a})",
    "np.linalg.norm({a}, 'nuc', axis=(-2, -1))", "np.linalg.norm({a}, -1, axis=(0, 1))", "np.linalg.svd({a}, full_matrices=False)[1]", "np.linalg.svd({a})[1]",
    "np.linalg.qr({a})[1]", "np.linalg.pinv({a})", "np.linalg.matrix_norm({a}, ord=2)", "np.linalg.lstsq({a}, np.ones(len({a})))[0]",
    "(lambda u, s, vt: u * s @ vt)(*np.linalg.svd({a}, full_matrices=False))", "np.linalg.svdvals({a})", "np.linalg.norm({a}, 0, axis={axis})",
    "np.linalg.vector_norm({a}, axis={axis}, keepdims=True, ord=4)", "np.linalg.lstsq({a}, {a})[1]", "np.abs(np.linalg.svd({a}, full_matrices=False)[2])",
]  # fmt: skip


@statement(4)
def linear_algebra(w: Writer) -> str:
    squares = [n for n in w.active if np.ndim(w.env[n]) >= 2 and w.shape(n)[-1] == w.shape(n)[-2] and w.env[n].dtype.kind == "f"]
    if squares and w.chance(0.6):
        a = w.pick(squares)
        n = w.shape(a)[-1]
        m = f"({a} + 2 * np.eye({n}))" if w.chance(0.7) else a
        s = f"({a} @ {a}.swapaxes(-1, -2) + np.eye({n}))" if w.chance(0.6) else f"({a} + {a}.swapaxes(-1, -2) + {n + 2} * np.diag(np.arange(1.0, {n + 1})))"
        b = w.constant((n,) if w.chance(0.5) else (n, 2))
        return made(w, w.pick(SQUARE).format(m=m, s=s, b=b))
    a = w.any(1)
    return made(w, w.pick(RECTANGULAR).format(a=a, axis=w.axis(a)))


@statement(3)
def fourier(w: Writer) -> str:
    a = w.any(1, size=1)
    axis = w.axis(a)
    norm = w.pick(["", ", norm='ortho'", ", norm='forward'"])
    n = w.pick(["", f", n={w.rng.randint(1, 5)}"])
    form = w.pick(["np.fft.fft({a}{n}, axis={axis}{norm})", "np.fft.rfft({a}{n}, axis={axis}{norm})", "np.fft.ifft({a}{n}, axis={axis}{norm})",
                   "np.fft.irfft({a}{n}, axis={axis}{norm})", "np.fft.fft2({a})", "np.fft.rfft2({a})", "np.fft.fftn({a}{norm})", "np.fft.rfftn({a})",
                   "np.fft.irfft(np.fft.rfft({a}, axis={axis}) * 2, axis={axis})", "np.abs(np.fft.rfft({a}, axis={axis}))", "np.fft.hfft({a}, axis={axis})", "np.fft.ihfft({a}, axis={axis})",
                   "np.real(np.fft.ifft(np.fft.fft({a}, axis={axis}) ** 2, axis={axis}))", "np.fft.ifft2(np.fft.fft2({a}) * {a}).real", "np.fft.irfftn(np.fft.rfftn({a}) + 1)"])  # fmt: skip
    return made(w, form.format(a=a, n=n, axis=axis, norm=norm))


@statement(2)
def complex_numbers(w: Writer) -> str:
    try:
        z = w.any(kind="c")
    except Unfit:
        a = w.any()
        z = f"({a} * {w.pick(['1j', '(1 + 0.5j)', '(0.3 - 2j)'])} + {w.broadcast(w.shape(a))})"
        if w.chance(0.3):
            return made(w, f"{a}.astype(complex)" if w.chance(0.3) else z)
    form = w.pick(["np.abs({z})", "np.real({z})", "np.imag({z})", "{z}.imag", "{z}.real", "np.conj({z})", "{z} * {z}.conj()", "np.exp({z})", "{z} ** 2",
                   "np.real({z} * np.conj({z}))", "np.angle({z})", "np.sum({z})", "{z} / (2 + 1j)", "np.abs({z}) ** 2", "np.sin({z})", "{z} @ {z}.T",
                   "np.fft.ifft({z})", "np.fft.ifft({z}).real", "np.prod({z})", "np.log({z} + 3)", "np.sqrt({z} + 4)", "np.mean({z}, axis=0)", "np.var({z})",
                   "np.linalg.norm({z})", "1 / ({z} + 3)", "np.cumsum({z})", "np.vdot({z}, {z})", "np.dot({z}, {z})", "np.where(np.abs({z}) > 1, {z}, 0)",
                   "np.einsum('...i,...i', {z}, {z})", "{z} - 1j", "np.concatenate([{z}, {z}])", "np.tanh({z})", "np.square({z})", "np.cumprod({z})"])  # fmt: skip
    return made(w, form.format(z=z))


@statement(1)
def complex_assignment(w: Writer) -> Any:
    z = w.array(1, kind="c")
    a = w.broadcast(w.shape(z), onto=True)
    form = w.pick(["{z}[0] = 1 + 2j", "{z} *= 1j", "{z}[...] = {a}", "{z} += {a}", "{z}[1:] *= {z}[:-1]", "{z} /= 2 + 1j", "{z}[0] *= np.conj({z}[-1])"])
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
    form = w.pick(["tg.conv2d({x}, {w}, stride={s}, padding={p})", "tg.conv2d({x}, {w}, stride=({s}, 1))", "tg.max_pool2d({x}, {k}, {s})", "tg.max_pool2d({x}, ({k}, 1))",
                   "tg.avg_pool2d({x}, {k}, {s})", "tg.im2col({x}, {k}, {s})", "tg.conv2d({x}, {a}.reshape(-1)[:2].reshape(1, 1, 2, 1))", "tg.avg_pool2d({x}, (1, {k}))",
                   "np.lib.stride_tricks.sliding_window_view({a}, 2, axis=-1)"])  # fmt: skip
    return made(w, form.format(a=a, x=image, w=weight, s=stride, p=w.rng.randint(0, 1), k=k))


# Methods of ufuncs.


@statement(4)
def ufunc_method(w: Writer) -> str:
    a = w.any(1)
    axis = w.axis(a)
    name = w.pick(["add", "multiply", "subtract", "divide", "maximum", "minimum", "fmax", "fmin", "logaddexp", "hypot", "logaddexp2", "power", "arctan2", "remainder", "copysign"])
    keep = ", keepdims=True" if w.chance(0.3) else ""
    b = w.any(most=2)
    form = w.pick(["np.{f}.reduce({a}, axis={axis}{keep})", "np.{f}.accumulate({a}, axis={axis})", "np.{f}.outer({a}, {b})", "np.{f}.reduceat({a}, [0, 1], axis={axis})",
                   "np.{f}.reduce({a}, axis={axes}{keep})", "np.{f}.reduce({a})", "np.{f}.accumulate({a})", "np.{f}.reduce({a}, axis={axis}, initial=0.5)",
                   "np.{f}.reduce({a}, axis={axis}, where={m}, initial=1.0)"])  # fmt: skip
    return made(w, form.format(f=name, a=a, b=b, axis=axis, axes=w.axes(a), keep=keep, m=w.mask(w.shape(a))))


# What is around the statements: scopes, control flow, transforms within.


@statement(4)
def control_flow(w: Writer) -> str:
    a = w.any(size=1)
    b = w.any(1, size=1) if w.chance(0.9) else a
    v = w.new()
    axis = w.axis(b) if np.ndim(w.env[b]) else 0
    form = w.pick([
        "if np.sum({a}) > 0:\n    {v} = np.sin({a})\nelse:\n    {v} = {a} * 0.5",
        "{v} = np.sum({a}) * 0.1\nfor row in {b}:\n    {v} = {v} + np.sum(row ** 2)",
        "{v} = {b} * 1.0\nfor k in range(len({b}) - 1):\n    {v}[k + 1] += 0.5 * {v}[k]",
        "{v} = {a} * 1.0\nwhile np.max(np.abs({v})) > 0.5:\n    {v} = {v} * 0.6",
        "{v} = np.zeros_like({b})\nfor k, row in enumerate({b}):\n    {v}[-1 - k] = row",
        "{v} = {b} * 1.0\nfor row in {v}:\n    row *= 0.5" if np.ndim(w.env[b]) > 1 else "{v} = {b} * 0.5",
        "with tg.scope('part'):\n    {v} = np.tanh({a}) * {a}",
        "{v} = tg.checkpoint(lambda t: np.tanh(t) * t)({a})",
        "{v} = tg.checkpoint(lambda t: t[::-1] * {b})({b})",
        "{v} = tg.checkpoint(lambda t: np.sum(t * {a}, axis=-1))({a})",
        "with tg.no_grad():\n    k = int(np.argmax({b})) % len({b})\n{v} = {b}[k] * 2",
        "with tg.no_grad():\n    k = bool(np.mean({a}) > 0)\n{v} = {a} * (2.0 if k else 3.0)",
        "{v} = tg.grad(lambda t: np.sum(np.sin(t) * t))({a})",
        "{v} = tg.grad(lambda t: np.sum(t ** 2 * {a}))({a})",
        "{v} = tg.jvp(lambda t: np.exp(t) * {a}, [{a}], [{a}])[1]",
        "{v} = sum([{a}, {a} * 2, {a} ** 2])",
        "{v} = {a} * 1.0\n{v}k = {v}\n{v} += 1.0\n{v} = {v} * {v}k",
        "mask = {b} > 0\n{v} = np.where(mask, {b}, 0.1)\nmask[...] = False",
        "i = np.argsort({b}, axis={axis})\n{v} = np.take_along_axis({b}, i, {axis})\ni[...] = 0",
        "d = {{'p': {a}, 'q': [{a} * 2]}}\n{v} = d['p'] + d['q'][0]",
        "buffer = np.ones({shape})\n{v} = {a} * buffer\nbuffer[...] = 5.0",
        "{v} = max({b}.reshape(-1), key=lambda t: t) * 2",
        "{v} = {b}.reshape(-1)[0] if {b}.reshape(-1)[0] > 0 else {b}.reshape(-1)[-1]",
        "{v} = np.where(np.isclose({a}, 0), 1.0, {a})",
        "{v} = [t * 2 for t in {b}][-1]",
    ])  # fmt: skip
    return form.format(a=a, b=b, v=v, axis=axis, shape=w.shape(a))


def write(seed: int, length: int | None = None) -> Program | None:
    """The program of that seed, or None where NumPy does not take what was written."""
    writer = Writer(seed)
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for old in (DeprecationWarning, FutureWarning):  # what NumPy is about to refuse is no measure
            warnings.simplefilter("error", old)
        return writer.write(writer.rng.randint(2, 9) if length is None else length)
