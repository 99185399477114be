"""A function has no rule: where it was called, and how to add one."""

from __future__ import annotations

import ast

from tinygrad_cnn.advice.callers import Caller
from tinygrad_cnn.advice.expressions import expression_of
from tinygrad_cnn.advice.wording import place


def no_rule(calls: list[Caller], name: str, key: str | None = None) -> str:
    """The function `name` has no rule.

    key: its key in the table of implementations, if not its name.
    """
    user = calls[-1]
    expression = expression_of(user)
    where = user.line() if expression is None else place(expression)
    if name.endswith(" (vectorized)"):
        return (
            f"{where}: a function made by np.frompyfunc does not take Tensors. Write np.vectorize, with "
            "`import tinygrad_cnn.numpy as np`"
        )
    node = None if expression is None else expression.node
    if name == "clip" and isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        array = expression.text(node.func.value)  # type: ignore[union-attr]
        return f"{where}: an array's method does not take Tensors. Write np.clip({array}, ...)"
    function = expression.value(node.func) if isinstance(node, ast.Call) else None  # type: ignore[union-attr]
    if type(function).__module__.startswith("numba."):
        return f"{where}: {name} is compiled by numba. Make a primitive of it, with @tg.primitive and its .defvjp"
    # A ufunc of another package: its name need not be an identifier.
    if not name.startswith("np."):
        return (
            f"{where}: {name} does not support Tensors. Use NumPy's functions, or a primitive:\n"
            "    @tg.primitive\n"
            "    def f(x, /): ...\n"
            "    f.defvjp(lambda g, out, x: ...)"
        )
    short = name.rsplit(".", 1)[-1]
    return (
        f"{where}: {name} does not support Tensors yet. To add it:\n"
        f"    @tg.implements({key or name})\n"
        f"    @tg.primitive\n"
        f"    def {short}(x, /, ...): return {name}(x, ...)  # and its .defvjp(lambda g, out, x: ...)"
    )
