"""The longer error messages of the engine, which say what to write instead."""

from __future__ import annotations

from tinygrad_cnn.sources import calling_line

NO_IMPLICIT_ARRAY = (
    "a Tensor is not converted to an array implicitly, as its gradient would be lost. Use t.value for the array. To "
    "join Tensors, also those in a list, use np.stack, np.concatenate (for np.r_) or np.column_stack (for np.c_). To "
    "assign into an array, create it with np.zeros(shape, like=t) or np.zeros_like(t). For a pandas table, use "
    "table.to_numpy(). For SciPy's logsumexp, use np.logaddexp.reduce(t, axis); for its softmax, np.exp of t minus "
    "that"
)

NO_PICKLE = (
    "a Tensor cannot be pickled: a copy in a file or in another process is not connected to this graph, so its "
    "gradient would be lost. Pickle t.value instead"
)


def no_implicit_number(kind: str) -> str:
    """A Tensor would be converted to a Python number of a `kind`: float, int, integer, complex."""
    return (
        f"a Tensor is not converted to a Python {kind} implicitly, as its gradient would be lost ({calling_line()}). "
        "Use NumPy's function in place of Python's or math's: np.exp(t) for math.exp(t), np.round(t) for round(t). To "
        "assign into an array, create it with np.zeros_like(t) or np.zeros(shape, like=t). For the number without its "
        f"gradient, write {'int' if kind == 'integer' else kind}(t.value)"
    )


def no_rule(name: str, key: str | None = None) -> str:
    """The function `name` has no rule; where it was called, and how to add one.

    key: its key in the table of implementations, if not its name.
    """
    # A ufunc of another package or of np.frompyfunc: its name need not be an identifier.
    if not name.startswith("np."):
        return (
            f"{name} does not support Tensors ({calling_line()}). Use NumPy's functions, or a primitive:\n"
            "    @tg.primitive\n"
            "    def f(x, /): ...\n"
            "    f.defvjp(lambda g, out, x: ...)"
        )
    short = name.rsplit(".", 1)[-1]
    return (
        f"{name} does not support Tensors yet ({calling_line()}). To add it:\n"
        f"    @tg.implements({key or name})\n"
        f"    @tg.primitive\n"
        f"    def {short}(x, /, ...): return {name}(x, ...)  # and its .defvjp(lambda g, out, x: ...)"
    )


def not_one_number(caller: str, shape: tuple[int, ...]) -> str:
    """A gradient of an array was asked for."""
    otherwise = "pass a cotangent of that shape" if caller == "backward" else "use tg.jacobian or tg.vjp"
    return (
        f"{caller}: the result has shape {shape}; expected one number. Reduce it with np.sum or np.mean, or {otherwise}"
    )


def other_structure(given: str, names: list[str], like: str, expected: list[str]) -> str:
    """A tree has another structure than the one that it corresponds to."""
    return f"{given} has the leaves {names}; expected the tree structure of {like}, with the leaves {expected}"


def wrong_argnums(caller: str, argnums: object, count: int) -> str:
    """`argnums` are not distinct places among `count` positional arguments."""
    if count == 1:
        return f"{caller}: argnums is {argnums!r}; expected 0 or -1, as the call has 1 positional argument"
    return (
        f"{caller}: argnums is {argnums!r}; expected distinct indices from {-count} to {count - 1}, as the call has "
        f"{count} positional arguments"
    )


def recorded_step(line: str, name: str) -> str:
    """`backward` goes through a training step, which should not have been recorded."""
    return (
        f"backward goes through a training step that was recorded ({line}), so the graph of each step contains those "
        "of all earlier ones. Take the step without recording it:\n"
        f"    with tg.no_grad():\n        {name} -= learning_rate * {name}.grad"
    )


def no_derivative(caller: str, returned: str, wanted: str) -> str:
    """The function returned an integer or boolean constant."""
    return (
        f"{caller}: the function returned {returned}, which has no derivative; expected {wanted}. If it is meant as a "
        "constant, return it as a float"
    )


def lost_gradient(caller: str, returned: float, wanted: str) -> str:
    """The function returned a Python number that may have been computed from a Tensor."""
    return (
        f"{caller}: the function returned the Python float {returned!r} after reading a Tensor with .value, .item() or "
        f".tolist(), so its gradient is lost; expected {wanted}. Return the Tensor itself, or np.float64 of the "
        "number if it is meant as a constant"
    )


def no_plain_array(kind: type) -> str:
    """An operand is an array of a subclass whose operators or mask are not those of an array."""
    return (
        f"an array of type {kind.__name__} cannot be differentiated: it has a mask, a unit or operators that NumPy's "
        "arrays do not have. Convert it with np.asarray, after filling in masked elements"
    )


def static_tensor(primitive: str, name: str) -> str:
    """A static argument of a primitive is a Tensor."""
    return (
        f"{primitive}: {name} is a Tensor; expected a plain value, as no gradient flows to a static argument. Pass its "
        ".value, or declare it before the / of the forward function"
    )
