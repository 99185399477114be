"""Arguments and results of transforms and primitives that are not what they should be."""

from __future__ import annotations

from tinygrad_cnn.advice.callers import Caller
from tinygrad_cnn.advice.expressions import expression_of
from tinygrad_cnn.advice.wording import place


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


def no_plain_array(calls: list[Caller], kind: type) -> str:
    """An operand is an array of a subclass whose operators or mask are not those of an array."""
    expression = expression_of(calls[-1])
    where = calls[-1].line() if expression is None else place(expression)
    return (
        f"{where}: an array of type {kind.__name__} cannot be differentiated: it has a mask, a unit or operators that "
        "NumPy's arrays do not have. Convert it with np.asarray, after filling in masked elements"
    )


def static_tensor(primitive: str, name: str) -> str:
    """A static argument of a primitive is a Tensor."""
    return (
        f"{primitive}: {name} is a Tensor; expected a plain value, as no gradient flows to a static argument. Pass its "
        ".value, or declare it before the / of the forward function"
    )
