"""Notes on the errors with which others refuse a Tensor: where it was, and what to write instead."""

from __future__ import annotations

import ast
import re
import struct
import sys
from typing import Any

from tinygrad_cnn.advice.callers import Caller, is_inside, works_on_arrays
from tinygrad_cnn.advice.expressions import Expression, expression_of
from tinygrad_cnn.advice.refusals import Refusal
from tinygrad_cnn.advice.wording import place

_REFUSALS = re.compile(
    r"\bTensor\b|a real number is required|required argument is not a float|has no len\(\)"
    r"|Multiple namespaces"
)


def add_hint(error: Exception) -> None:
    """Add a note to `error`, of a function that is differentiated, if it comes of a Tensor that others do not know."""
    if any(isinstance(x, Refusal) for x in error.args):
        return
    by_numba = type(error).__module__.startswith("numba.")
    if not (isinstance(error, TypeError | struct.error) or by_numba) or not _REFUSALS.search(str(error)):
        _add_hint_of_types(error)
        return
    callers = _callers(error)
    expression = expression_of(callers[-1]) if callers else None
    if expression is None:
        return
    note = _note(error, callers, expression)
    if note and note not in getattr(error, "__notes__", ()):
        error.add_note(note)


def _add_hint_of_types(error: Exception) -> None:
    """Add a note if an installed function raised `error` because of the type that one of its variables has."""
    callers = _callers(error)
    if not callers or not callers[0].is_library or callers[0].is_adopted:
        return
    if not any(type(x).__name__ == "Tensor" for x in callers[0].frame.f_locals.values()):
        return
    expression = expression_of(callers[0])
    if expression is not None and isinstance(expression.node, ast.Raise) and _asks_for_a_type(expression):
        error.add_note(_of_another_type(place(expression), callers[0]))


def _asks_for_a_type(expression: Expression) -> bool:
    """Whether a condition of the `raise` asks for the type of something."""
    conditions = [x.test for x in expression.enclosing if isinstance(x, ast.If)]
    names = {node.id for test in conditions for node in ast.walk(test) if isinstance(node, ast.Name)}
    attributes = {node.attr for test in conditions for node in ast.walk(test) if isinstance(node, ast.Attribute)}
    return bool((names | attributes) & {"isinstance", "type", "isscalar", "ndarray"})


def _of_another_type(where: str, caller: Caller) -> str:
    if caller.is_main:
        return f"{where}: a Tensor is no instance of np.ndarray or float: write isinstance(x, np.ndarray | tg.Tensor)"
    return (
        f"{where}: a Tensor is no instance of np.ndarray or float, but in an adopted module it is one of what its "
        f"value is one of: {caller.adoption()}"
    )


def _callers(error: Exception) -> list[Caller]:
    """Where it was raised, and, if that is in a package that works on arrays, what called into that.

    Empty if the engine raised it, whose errors say what they have to say.
    """
    frames = []
    at = error.__traceback__
    while at is not None:
        if at.tb_frame.f_code.co_name != "__len__":  # of a number, which has none: the error is NumPy's
            frames.append((at.tb_frame, at.tb_lasti))
        at = at.tb_next
    if not frames or is_inside[frames[-1][0].f_code.co_filename]:
        return []
    outside = [x for x in frames if not is_inside[x[0].f_code.co_filename] and not _is_passed_over(x[0])]
    return [Caller(frame, instruction) for frame, instruction in (frames[-1], *outside[-1:])]


def _is_passed_over(frame: Any) -> bool:
    return works_on_arrays(frame) or frame.f_globals.get("__name__", "").partition(".")[0] in sys.stdlib_module_names


def _note(error: Exception, callers: list[Caller], expression: Expression) -> str:
    """What to say of it, or ""."""
    where, node = place(expression), expression.node
    raised = callers[0]
    called = node.func if isinstance(node, ast.Call) else node
    package = expression.package(called) or raised.module.partition(".")[0]
    if "unhashable" in str(error):
        cached = hasattr(expression.value(called), "cache_info")
        instead = f"call {expression.text(called)}.__wrapped__" if cached else "use a list, or float(t.value) as key"
        return f"{where}: a Tensor cannot be hashed, as no array can: {instead}"
    if "Multiple namespaces" in str(error):
        return f"{where}: make Tensors of the arrays beside a Tensor, in the function, by tinygrad_cnn.numpy.asarray"
    if package == "json":
        return f"{where} needs plain numbers, as text has no gradient: write t.value.tolist()"
    if package == "numba" or type(error).__module__.startswith("numba."):
        name = expression.text(called)
        if callers[-1].is_library:
            return f"{where}: {name} is compiled by numba: set NUMBA_DISABLE_JIT=1, with which it runs as Python"
        return f"{where}: {name} is compiled by numba: call what it was compiled from, {name}.py_func"
    if package in ("torch", "jax", "jaxlib"):
        return f"{where} is of another package for automatic differentiation: use NumPy's functions in its place"
    if "isinstance" in raised.code.co_names and not raised.is_adopted:
        within = expression_of(raised)
        return _of_another_type(raised.line() if within is None else place(within), raised)
    if isinstance(node, ast.Raise):
        return ""
    return f"{where} takes plain numbers only: use NumPy's functions, or t.value, a constant without the gradient"
