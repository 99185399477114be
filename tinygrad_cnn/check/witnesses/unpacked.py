"""What a loss calls the parameters in a list: W and b where it begins with `W, b = params`."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Sequence
from typing import Any


def names_in_source(loss: Callable[..., Any], names: Sequence[str]) -> list[str]:
    """The names of parameters, those of a list or tuple ("[0]", "[1]", ...) as the loss unpacks it."""
    if not names or list(names) != [f"[{k}]" for k in range(len(names))]:
        return list(names)
    try:
        definition: Any = ast.parse(textwrap.dedent(inspect.getsource(loss))).body[0]
        argument = definition.args.args[0].arg
    except (OSError, TypeError, SyntaxError, AttributeError, IndexError):  # no source, no function, or a lambda
        return list(names)
    for x in ast.walk(definition):
        if isinstance(x, ast.Assign) and isinstance(x.value, ast.Name) and x.value.id == argument:
            parts = x.targets[0].elts if isinstance(x.targets[0], ast.Tuple) else []
            found = [y.id for y in parts if isinstance(y, ast.Name)]
            if len({*found}) == len(parts) == len(names):
                return found
    return list(names)
