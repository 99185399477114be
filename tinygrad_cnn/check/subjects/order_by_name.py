"""In which order a backward pass takes cotangents and returns gradients: what they are called says what they are of."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Sequence
from typing import Any

DERIVATIVES = ("d{}", "d_{}", "grad_{}", "{}_grad", "g{}", "dL_d{}", "dLd{}")


def returned_names(function: Callable[..., Any] | None) -> list[str]:
    """The names of the values that the last `return` of a function lists; "" for what is no name."""
    try:
        (definition,) = ast.parse(textwrap.dedent(inspect.getsource(function))).body  # type: ignore[arg-type]
    except (TypeError, OSError, SyntaxError, ValueError):
        return []
    returned = [x.value for x in ast.walk(definition) if isinstance(x, ast.Return)]
    tuples = [x.elts for x in returned if isinstance(x, ast.Tuple)]
    return [x.id if isinstance(x, ast.Name) else "" for x in tuples[-1]] if tuples else []


def places(derivatives: Sequence[str], names: Sequence[str]) -> list[int]:
    """Which of `names` each of `derivatives` is of: [1, 0] for db, da and a, b; [0, 1, ...] where that is not clear."""
    of = {form.format(name): k for k, name in enumerate(names) for form in DERIVATIVES if name}
    found = [of[name] for name in derivatives if name in of]
    return found if sorted(found) == list(range(len(names))) else list(range(len(names)))
