"""What a program has to give: NumPy's values, dtypes, layout and aliasing, and the derivatives of differences."""

from __future__ import annotations

import contextlib
import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

import tinygrad_cnn as tg

from .program import Input, Program

# Refusals: the program is NumPy's, and the engine says that it does not take it.
REFUSALS = (NotImplementedError, TypeError, np.linalg.LinAlgError)
REFUSING = (
    "a checkpointed function computed something else",
    "and is no square along",  # which NumPy takes for one if an axis has 0 elements
)


def _refuses(error: BaseException) -> bool:
    """Whether the engine says by this error that it does not take the program."""
    return isinstance(error, REFUSALS) or any(words in str(error) for words in REFUSING)


# What is not silently wrong.
# "not a number": a NaN says itself that there is no derivative: that of arctan2(u, v) at u = v = 0, say, though u and v
#     may not depend on the arguments there, so that differences give 0.
# "doubted": rounding of the arguments changes the derivative, or debug mode warns of it.
# "at a kink": of one that differences do not see, for it is hidden by another, as in abs(t * t) at t = 0; beside this
#     point the derivatives are right.
# "undetermined": rounding of the arguments changes the value.
HARMLESS = ("right", "refused", "not run", "not a number", "doubted", "at a kink", "undetermined")


@dataclass(frozen=True)
class Verdict:
    """What came of one program.

    kind     "right", "refused", or what is wrong: "value", "dtype", "layout", "aliasing", "gradient", ...
    detail   a sentence
    judged   which derivatives were compared: a subset of {"first", "second"}
    refused  messages of refusals, in the order in which they came
    """

    kind: str
    detail: str = ""
    judged: frozenset[str] = frozenset()

    @property
    def wrong(self) -> bool:
        return self.kind not in HARMLESS


class WrongError(Exception):
    """A fault: its kind and a sentence."""

    def __init__(self, kind: str, detail: str) -> None:
        super().__init__(kind, detail)
        self.kind, self.detail = kind, detail


# Differences. The function is sampled at these multiples of a step along a random line; central stencils of two widths
# and the one-sided ones have to agree, or nothing is judged: there is a kink, a jump, or too much rounding.

STEP = 2e-3
PLACES = np.array([-3, -2, -1.5, -1, -0.5, 0, 0.5, 1, 1.5, 2, 3])


def _stencil(which: list[float], order: int) -> np.ndarray:
    """Weights for the samples at PLACES, of which only `which` have one, that give the derivative of that order."""
    points = np.array(which)
    powers = np.vander(points, increasing=True).T
    target = np.zeros(len(points))
    target[order] = [1, 1, 2][order]
    weights = np.zeros(len(PLACES))
    weights[np.searchsorted(PLACES, points)] = np.linalg.solve(powers, target) / STEP**order
    return weights


_SETS = {
    "wide": [-3, -2, -1, 0, 1, 2, 3],
    "narrow": [-1.5, -1, -0.5, 0, 0.5, 1, 1.5],
    "right": [0, 0.5, 1, 1.5, 2, 3],
    "left": [-3, -2, -1.5, -1, -0.5, 0],
}
_WEIGHTS = {order: np.array([_stencil(which, order) for which in _SETS.values()]) for order in (1, 2)}


def difference(samples: np.ndarray, order: int) -> tuple[float, float] | None:
    """The derivative that samples at PLACES give, and how far it is to be trusted; None if it is not."""
    wide, narrow, right, left = _WEIGHTS[order] @ samples
    noise = 1e-15 * np.max(np.abs(samples)) / (STEP / 2) ** order
    scale = max(abs(wide), abs(narrow), noise)
    spread = abs(wide - narrow)
    one_sided = max(abs(right - narrow), abs(left - narrow))
    if not np.isfinite([wide, narrow, right, left]).all():
        return None
    if spread > 1e-6 * scale + 20 * noise or one_sided > (1e-4 if order == 1 else 1e-2) * scale + 2000 * noise:
        return None
    return float(narrow), float(10 * spread + 20 * noise)


class Judge:
    """One program with its function, its inputs and the random directions in which it is looked at."""

    def __init__(self, program: Program, thorough: bool) -> None:
        self.program = program
        self.thorough = thorough  # the costlier comparisons too
        self.function = program.function()
        self.buffers = [x.buffer() for x in program.arguments]
        self.constants = [x.buffer() for x in program.constants]
        rng = np.random.default_rng(program.seed)
        self.rng = rng
        self.along = [rng.standard_normal(b.shape).astype(b.dtype) for b in self.buffers]
        self.cotangents: dict[str, Any] = {}
        self.nudged = False  # at a point beside that of the program

    # Running.

    def arguments(self, t: float | None = None) -> list[Any]:
        """Fresh arguments, at the distance `t` along the line."""
        moved = [b.copy() for b in self.buffers] if t is None else [
            np.asarray(b + t * v) for b, v in zip(self.buffers, self.along, strict=True)
        ]  # fmt: skip
        return _laid(self.program.arguments, moved)

    def directions(self) -> list[Any]:
        return _laid(self.program.arguments, [v.copy() for v in self.along])

    def fresh_constants(self) -> tuple[list[Any], list[Any]]:
        buffers = [c.copy() for c in self.constants]
        return buffers, _laid(self.program.constants, buffers)

    def run(self, arguments: list[Any]) -> dict[str, Any]:
        return self.function(*arguments, *self.fresh_constants()[1])

    def loss(self, variables: dict[str, Any]) -> Any:
        """A random linear function of the results."""
        total: Any = np.float64(0.0)
        for name in self.program.results:
            result = variables[name]
            if (kind := getattr(getattr(result, "dtype", None), "kind", "")) not in ("f", "c"):
                continue
            if name not in self.cotangents:
                self.cotangents[name] = self.rng.standard_normal((2, *result.shape))
            c, d = self.cotangents[name]
            if kind == "c":
                total = total + np.sum(c * np.real(result)) + np.sum(d * np.imag(result))
            else:
                total = total + np.sum(c * result)
        return total

    # Arguments as the engine is handed them.

    def tree(self, leaves: list[Any]) -> Any:
        names = [x.name for x in self.program.arguments]
        form = self.program.form
        return (
            dict(zip(names, leaves, strict=True))
            if form == "dict"
            else list(leaves)
            if form == "list"
            else tuple(leaves)
        )

    def leaves(self, tree: Any) -> list[Any]:
        return list(tree.values()) if isinstance(tree, dict) else list(tree)

    def of_tree(self, keep: list[Any] | None = None, constants: list[Any] | None = None) -> Callable[[Any], Any]:
        """The loss as a function of the arguments as a tree; the program's variables go to `keep`."""

        def loss(tree: Any) -> Any:
            given = self.fresh_constants()[1] if constants is None else constants
            variables = self.function(*self.leaves(tree), *given)
            if keep is not None:
                keep.append(variables)
            return self.loss(variables)

        return loss

    # Judging.

    def judge(self) -> Verdict:
        try:
            with np.errstate(all="ignore"), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return self._judge()
        except WrongError as wrong:
            return Verdict(wrong.kind, wrong.detail)

    def _judge(self) -> Verdict:
        try:
            expected = self.run(self.arguments())
            self.loss(expected)
        except Exception as error:
            return Verdict("not run", f"{type(error).__name__}: {error}")
        seen: list[Any] = []
        try:
            gradient = self.gradient(self.of_tree(seen))
        except Exception as error:
            if _refuses(error):
                return Verdict("refused", message(error))
            raise WrongError("error", f"grad: {type(error).__name__}: {message(error)}") from error
        try:
            self.compare_results(expected, seen[0])
        except WrongError as wrong:
            if wrong.kind == "value" and self.undetermined(expected, seen[0]):
                return Verdict("undetermined", wrong.detail)
            raise
        for x, g in zip(self.arguments(), gradient, strict=True):
            if np.shape(g) != np.shape(x) or getattr(g, "dtype", None) != x.dtype:
                raise WrongError("gradient's dtype", f"{_kind(g)} for {_kind(x)}")
        self.compare_overwritten(gradient)
        if self.program.uses_single_precision():
            double = Judge(self.program.in_double_precision(), self.thorough)
            verdict = double.judge_derivatives()
            double_gradient = double.last_gradient
            if not all(np.isfinite(g).all() for g in gradient):
                return verdict if verdict.wrong else Verdict("not a number", "gradient in float32")
            self.compare_precision(expected, gradient, double, double_gradient)
            return verdict
        return self.judge_derivatives(gradient)

    def gradient(self, loss: Callable[[Any], Any], at: list[Any] | None = None) -> list[Any]:
        at = self.arguments() if at is None else at
        if self.program.form == "argnums":
            return list(tg.grad(lambda *a: loss(a), tuple(range(len(at))))(*at))
        return self.leaves(tg.grad(loss)(self.tree(at)))

    def undetermined(self, expected: dict[str, Any], found: dict[str, Any]) -> bool:
        """Whether NumPy's own value is another where rounding is, or where what is assigned is copied first.

        At a jump the last digit decides, or the sign of a zero: argmax of what is equal but for rounding, arctan2. And
        NumPy, since it takes x[::2] = x[:3] from the left to the right, reads elements there that it has written to.
        """
        copying = [re.sub(r"^(.*\]) = (\w+)$", r"\1 = np.copy(\2)", line) for line in self.program.lines]
        other = Judge(replace(self.program, lines=tuple(copying)), thorough=False)
        values = {name: x.node.value if isinstance(x, tg.Tensor) else x for name, x in found.items()}
        copied = other.run(other.arguments())
        if all(_close(values[name], copied[name], 1e-10) for name in self.program.results):
            return True
        draw = self.rng.standard_normal
        for _ in range(3):
            other = Judge(self.program, thorough=False)
            other.buffers = [np.asarray(b * (1 + 1e-14 * draw(b.shape)) + 1e-200 * draw(b.shape)) for b in self.buffers]
            rounded = other.run(other.arguments())
            if not all(_close(rounded[name], expected[name], 1e-10) for name in self.program.results):
                return True
        return False

    def compare_results(self, expected: dict[str, Any], found: dict[str, Any]) -> None:
        """Raise WrongError where values, dtypes, memory layout or aliasing of the results are not NumPy's."""
        single = self.program.uses_single_precision()
        pairs = [(name, expected[name], found[name]) for name in self.program.results]
        for name, array, tensor in pairs:
            like = tensor.node.like if isinstance(tensor, tg.Tensor) else tensor
            value = tensor.node.value if isinstance(tensor, tg.Tensor) else tensor
            if np.shape(like) != np.shape(array):
                raise WrongError("shape", f"{name} has shape {np.shape(like)}, but NumPy's {np.shape(array)}")
            if isinstance(array, np.ndarray | np.generic) and getattr(like, "dtype", None) != array.dtype:
                raise WrongError("dtype", f"{name} is {_kind(like)}, but NumPy's {_kind(array)}")
            if isinstance(array, np.ndarray) != isinstance(like, np.ndarray):
                raise WrongError(
                    "number or array", f"{name} is {type(like).__name__}, but NumPy's {type(array).__name__}"
                )
            if not _close(value, array, 1e-4 if single else 1e-10, 0.1 if single else 1e-3):
                raise WrongError("value", f"{name} is {_shown(value)}, but NumPy's {_shown(array)}")
        if "tg.grad(" in "".join(self.program.lines):
            return
        for name, array, tensor in pairs:
            if isinstance(array, np.ndarray) and (mine := _layout(tensor)) != (numpys := _layout(array)):
                raise WrongError("layout", f"{name} of shape {array.shape} has strides {mine}, but NumPy's {numpys}")
        arrays = [pair for pair in pairs if isinstance(pair[1], np.ndarray) and pair[1].size]
        for i, (a, x, t) in enumerate(arrays):
            for b, y, u in arrays[:i]:
                mine, numpys = t is u or np.shares_memory(t, u), x is y or np.shares_memory(x, y)
                if mine != numpys:
                    raise WrongError("aliasing", f"{a} and {b} share memory: {mine}, but NumPy's: {numpys}")

    def compare_overwritten(self, gradient: list[Any]) -> None:
        """Raise WrongError if what is written to inputs, constants and results after recording changes the gradient."""
        at, (buffers, constants), kept = self.arguments(), self.fresh_constants(), []
        try:
            value, pull = tg.vjp(self.of_tree(kept, constants), self.tree(at))
            for array in [*at, *buffers, *constants, *kept[0].values(), value]:
                overwrite(array)
            (found,) = pull(1.0)
        except Exception as error:
            if "a checkpointed function computed something else" in str(error):
                return  # it reads what it is not given, and that was overwritten: it says so
            raise WrongError("error", f"vjp: {type(error).__name__}: {message(error)}") from error
        for mine, before in zip(self.leaves(found), gradient, strict=True):
            if not _close(mine, before, 1e-12):
                raise WrongError(
                    "overwritten", f"gradient {_shown(mine)} after inputs were overwritten, not {_shown(before)}"
                )

    def compare_precision(self, expected: Any, gradient: list[Any], double: Judge, other: list[Any] | None) -> None:
        """Raise WrongError if the gradient in float32 is far from that in float64, where the values are near."""
        if other is None:
            return
        in_double = double.run(double.arguments())
        for name in self.program.results:
            if np.shape(in_double[name]) != np.shape(expected[name]) or not _close(
                expected[name], in_double[name], 1e-4
            ):
                return
        for mine, exact in zip(gradient, other, strict=True):
            if not _close(mine, exact, 2e-2) and not self.rounded_away(gradient):
                raise WrongError("gradient in float32", f"{_shown(mine)}, but in float64 {_shown(exact)}")

    def rounded_away(self, gradient: list[Any]) -> bool:
        """Whether the gradient in float32 changes where rounding in float32 is."""
        for _ in range(3):
            rounded = Judge(self.program, thorough=False)
            noise = [1 + 2e-7 * self.rng.standard_normal(b.shape) for b in self.buffers]
            rounded.buffers = [np.asarray(b * n, b.dtype) for b, n in zip(self.buffers, noise, strict=True)]
            found = self.gradient(self.of_tree(), rounded.arguments())
            if not all(_close(a, b, 2e-2) for a, b in zip(found, gradient, strict=True)):
                return True
        return False

    last_gradient: list[Any] | None = None

    def judge_derivatives(self, gradient: list[Any] | None = None) -> Verdict:
        judged = set()
        loss = self.of_tree()
        try:
            samples = np.array([float(self.loss(self.run(self.arguments(t * STEP)))) for t in PLACES])
        except Exception as error:
            return Verdict("right", f"not judged: {error}")
        if gradient is None:
            try:
                gradient = self.gradient(loss)
            except Exception as error:
                if _refuses(error):
                    return Verdict("refused", message(error))
                raise WrongError("error", f"grad: {type(error).__name__}: {message(error)}") from error
        self.last_gradient = gradient
        directions = self.directions()
        slope, size = _product(gradient, directions)
        first = difference(samples, 1)
        if first is not None and not np.isfinite(slope):
            return Verdict("not a number", f"slope {slope!r}, but differences give {first[0]!r}")
        if first is not None:
            expected, trust = first
            within = trust + 1e-6 * (abs(expected) + min(size, 1e3 * abs(expected) + 1)) + 1e-12
            if not abs(slope - expected) <= within:
                if self.doubted(loss, "first", slope):
                    return Verdict("doubted", f"slope {slope!r}, but differences give {expected!r}")
                if self.right_nearby("first"):
                    return Verdict("at a kink", f"slope {slope!r}, but differences give {expected!r}")
                raise WrongError("gradient", f"slope {slope!r}, but differences give {expected!r}")
            judged.add("first")
        second = difference(samples, 2) if first else None
        tree, tangent = self.tree(self.arguments()), self.tree(directions)
        forward: Any = None
        try:
            _, forward = tg.jvp(loss, [tree], [tangent])
            # Undefined where the function has a kink: there vjp and jvp still follow the same rules.
            if first is not None and abs(float(forward) - slope) > 1e-7 * size + 1e-9:
                raise WrongError("jvp", f"jvp {float(forward)!r}, but vjp {slope!r}")
            product = self.leaves(tg.hvp(loss, self.tree(self.arguments()), tangent))
            curvature, size = _product(product, directions)
            if second is not None and not np.isfinite([float(forward), curvature]).all():
                return Verdict("not a number", f"second derivative {curvature!r}, but differences give {second[0]!r}")
            if second is not None:
                expected, trust = second
                within = trust + 1e-5 * (abs(expected) + min(size, 1e3 * abs(expected) + 1)) + 1e-12
                if not abs(curvature - expected) <= within:
                    if self.doubted(loss, "second", curvature):
                        return Verdict("doubted", f"{curvature!r}, but differences give {expected!r}")
                    if self.right_nearby("second"):
                        return Verdict("at a kink", f"{curvature!r}, but differences give {expected!r}")
                    raise WrongError("second derivative", f"{curvature!r}, but differences give {expected!r}")
                judged.add("second")
                if self.thorough:
                    self.compare_ways(loss, gradient)
                    self.compare_hessian(loss, product, directions)
                    self.compare_gradients(loss, product)
        except WrongError:
            raise
        except Exception as error:
            if _refuses(error):
                return Verdict("refused", "second derivative: " + message(error), frozenset(judged))
            raise WrongError("error", f"second derivative: {type(error).__name__}: {message(error)}") from error
        return Verdict("right", judged=frozenset(judged))

    def doubted(self, loss: Callable[[Any], Any], which: str, found: float) -> bool:
        """Whether the derivative is not to be trusted: it changes where rounding is, or debug mode warns of it.

        So it is where singular values or eigenvalues are equal but for rounding: their vectors are any.
        """
        for _ in range(3):
            rounded = Judge(self.program, thorough=False)
            rounded.buffers = [np.asarray(b * (1 + 1e-14 * self.rng.standard_normal(b.shape))) for b in self.buffers]
            rounded.cotangents = self.cotangents
            if which == "first":
                derivative = self.gradient(loss, rounded.arguments())
            else:
                derivative = self.leaves(tg.hvp(loss, self.tree(rounded.arguments()), self.tree(self.directions())))
            if not abs(_product(derivative, self.directions())[0] - found) <= 1e-5 * (abs(found) + 1e-3):
                return True
        with warnings.catch_warnings(record=True) as warned, contextlib.suppress(FloatingPointError), tg.debug():
            warnings.simplefilter("always")
            self.gradient(loss)
        return any("right digits" in str(w.message) for w in warned)

    def right_nearby(self, which: str) -> bool:
        """Whether the first or second derivative is right at points beside this one, which then is at a kink."""
        if self.nudged:
            return False
        right = 0
        for _ in range(5):
            beside = Judge(self.program, thorough=False)
            beside.nudged = True
            beside.buffers = [np.asarray(b + 0.05 * self.rng.standard_normal(b.shape)) for b in self.buffers]
            try:
                right += which in beside.judge_derivatives().judged
            except WrongError:
                return False
        return right > 0

    def compare_ways(self, loss: Callable[[Any], Any], gradient: list[Any]) -> None:
        """Raise WrongError if `backward`, or a checkpoint around the whole, gives another gradient."""
        ways = {}
        if all(
            x.lies == "buffer" and np.ndim(a) for x, a in zip(self.program.arguments, self.arguments(), strict=True)
        ):
            leaves = [tg.Tensor(x) for x in self.arguments()]
            nodes = [leaf.node for leaf in leaves]  # for a program may assign to its arguments
            if isinstance(value := loss(self.tree(leaves)), tg.Tensor):
                value.backward()
                found = [np.zeros(node.value.shape) if node.cotangent is None else node.cotangent for node in nodes]
                ways["backward"] = found
        with contextlib.suppress(NotImplementedError):  # it assigns to its arguments
            ways["checkpoint"] = self.gradient(tg.checkpoint(loss))
        for way, found in ways.items():
            for mine, before in zip(found, gradient, strict=True):
                if not _close(mine, before, 1e-9):
                    raise WrongError(way, f"{_shown(mine)}, but grad gives {_shown(before)}")

    def compare_hessian(self, loss: Callable[[Any], Any], product: list[Any], directions: list[Any]) -> None:
        """Raise WrongError if the Hessian by the first argument, times a direction, is not what hvp gives."""
        first = self.arguments()[0]
        if not 0 < np.size(first) <= 12:
            return

        def of_first(x: Any) -> Any:
            return loss(self.tree([x, *self.arguments()[1:]]))

        alone = tg.hvp(of_first, first, directions[0])
        whole = tg.hessian(of_first)(self.arguments()[0])
        expected = np.tensordot(whole, directions[0], np.ndim(first))
        if not _close(alone, expected, 1e-7):
            raise WrongError("hessian", f"hvp {_shown(alone)}, but hessian @ v {_shown(expected)}")
        if not _close(whole.reshape(np.size(first), -1), whole.reshape(np.size(first), -1).T, 1e-7):
            raise WrongError("hessian", f"not symmetric: {_shown(whole)}")

    def compare_gradients(self, loss: Callable[[Any], Any], product: list[Any]) -> None:
        """Raise WrongError if differences of the gradient are not what hvp gives, element by element."""
        found = [self.gradient(loss, self.arguments(t * STEP)) for t in PLACES]
        for position, mine in enumerate(product):
            samples = np.array([np.ravel(gradient[position]) for gradient in found])
            for k, element in enumerate(np.ravel(mine)):
                estimate = difference(samples[:, k], 1)
                if estimate is not None:
                    expected, trust = estimate
                    size = max(abs(expected), np.max(np.abs(mine)))
                    if not abs(element - expected) <= trust + 1e-6 * size + 1e-9:
                        name = self.program.arguments[position].name
                        raise WrongError("hvp", f"element {k} by {name} {element!r}, but differences give {expected!r}")


def judged(program: Program, thorough: bool = False) -> Verdict:
    """The verdict on a program."""
    return Judge(program, thorough).judge()


def overwrite(array: Any) -> None:
    """Other numbers in an array, if it can be written to."""
    if isinstance(array, np.ndarray) and array.flags.writeable:
        if array.dtype.kind == "b":
            np.logical_not(array, out=array)
        elif array.dtype.kind in "iu":
            array[...] = 0
        else:
            array[...] = 7.7e7


def message(error: BaseException) -> str:
    """The first line of an error, with names of places and numbers left out so that like errors are counted as one."""
    line = str(error).split("\n", 1)[0]
    return re.sub(r"\(<random program.*?\)|\d+", "#", line)[:160]


def _laid(inputs: tuple[Input, ...], buffers: list[Any]) -> list[Any]:
    return [x.view(buffer) for x, buffer in zip(inputs, buffers, strict=True)]


def _layout(x: Any) -> Any:
    """The strides, of axes that have more than one element; an array of at most one element lies in every order."""
    if x.size <= 1:
        return None
    return tuple([stride for n, stride in zip(x.shape, x.strides, strict=True) if n > 1])


def _close(a: Any, b: Any, relative: float, least: float = 1e-3) -> bool:
    """Whether two arrays agree, elements that are small beside the largest, or `least`, less exactly."""
    a, b = np.asarray(a), np.asarray(b)
    if a.shape != b.shape:
        return False
    if a.dtype.kind not in "fc":
        return bool(np.array_equal(a, b))
    if a.size <= 1 and a.size == 0:
        return True
    if np.array_equal(a, b, equal_nan=True):
        return True
    finite = np.abs(b[np.isfinite(b)])
    scale = float(np.max(finite)) if finite.size else 0.0
    return bool(np.allclose(a, b, rtol=relative, atol=relative * max(scale, least), equal_nan=True))


def _product(a: list[Any], b: list[Any]) -> tuple[float, float]:
    """The inner product of two lists of arrays, and the sum of the sizes of its terms."""
    terms = [np.multiply(x, y) for x, y in zip(a, b, strict=True)]
    return float(sum(np.sum(x) for x in terms)), float(sum(np.sum(np.abs(x)) for x in terms))


def _kind(x: Any) -> str:
    return f"{getattr(x, 'dtype', type(x).__name__)}{list(np.shape(x))}"


def _shown(x: Any) -> str:
    return np.array2string(np.asarray(x), precision=6, threshold=8, edgeitems=3).replace("\n", "")
