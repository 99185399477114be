"""A random program: NumPy statements over a few arrays, as source that runs on arrays and on Tensors alike."""

from __future__ import annotations

import functools
import linecache
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

import tinygrad_cnn as tg

Function = Callable[..., dict[str, Any]]


@dataclass(frozen=True)
class Input:
    """An array that a program is given, a view of a buffer.

    drawn  the numbers of the buffer, as source: `np.random.default_rng(1).uniform(-2, 2, (3, 8))`
    lies   the view of it, as source: `buffer[:, ::2]`; the memory layout of the input
    """

    name: str
    drawn: str
    lies: str = "buffer"

    def source(self) -> str:
        return self.lies.replace("buffer", self.drawn, 1)

    def buffer(self) -> Any:
        return np.asarray(_evaluated(self.drawn)).copy()

    def view(self, buffer: Any) -> Any:
        return _view(self.lies)(buffer)


@functools.lru_cache(4096)
def _evaluated(source: str) -> Any:
    return eval(source, {"np": np})


@functools.lru_cache(512)
def _view(source: str) -> Callable[[Any], Any]:
    return eval(f"lambda buffer: {source}", {"np": np})  # type: ignore[no-any-return]


@dataclass(frozen=True)
class Program:
    """Statements over `arguments`, which a gradient is taken of, and `constants`; `results` are names in them.

    form  how the arguments are handed over: each by itself ("argnums"), or as a "tuple", "list" or "dict"
    """

    arguments: tuple[Input, ...]
    constants: tuple[Input, ...]
    lines: tuple[str, ...]
    results: tuple[str, ...]
    form: str = "argnums"
    seed: int = 0

    def body(self, returned: str) -> str:
        names = ", ".join(x.name for x in (*self.arguments, *self.constants))
        statements = "\n".join(self.lines).replace("\n", "\n    ")
        return f"def program({names}):\n    {statements}\n    return {returned}\n"

    def function(self) -> Function:
        """The program as a function of its inputs that returns its variables, by name."""
        name = f"<random program {self.seed}>"
        text = self.body("locals()")
        space: dict[str, Any] = {"np": np, "tg": tg}
        exec(compile(text, name, "exec"), space)
        linecache.cache.clear()
        return space["program"]  # type: ignore[no-any-return]

    def in_double_precision(self) -> Program:
        """The same program in float64: differences of float32 would say little."""

        def double(x: Input) -> Input:
            return replace(x, drawn=x.drawn.replace("float32", "float64"), lies=x.lies.replace("float32", "float64"))

        return replace(
            self,
            arguments=tuple(map(double, self.arguments)),
            constants=tuple(map(double, self.constants)),
            lines=tuple(line.replace("float32", "float64").replace("complex64", "complex128") for line in self.lines),
        )

    def uses_single_precision(self) -> bool:
        text = [*self.lines, *[x.drawn for x in (*self.arguments, *self.constants)]]
        return any("float32" in part or "complex64" in part for part in text)

    def source(self) -> str:
        """The program as a file that can be run by itself: it prints the value and the gradient."""
        inputs = "\n".join(f"{x.name} = {x.source()}" for x in (*self.arguments, *self.constants))
        names, constants = [x.name for x in self.arguments], [x.name for x in self.constants]
        given = {
            "argnums": ", ".join(names),
            "tuple": f"({', '.join(names)},)",
            "list": f"[{', '.join(names)}]",
            "dict": "{" + ", ".join(f'"{name}": {name}' for name in names) + "}",
        }[self.form]
        taken = {"argnums": "*p", "dict": "p"}.get(self.form, "p")
        unpacked = "*p.values()" if self.form == "dict" else "*p"
        call = ", ".join([unpacked, *constants])
        argnums = f", {tuple(range(len(names)))}" if self.form == "argnums" else ""
        return (
            "import numpy as np\nimport tinygrad_cnn as tg\n\n"
            f"{inputs}\n\n\n{self.body('(' + ', '.join(self.results) + ',)')}\n\n"
            f"def loss({taken}):\n"
            f"    results = program({call})\n"
            "    return sum(np.sum(np.real(r)) + np.sum(np.imag(r)) for r in results)\n\n\n"
            f"print(tg.value_and_grad(loss{argnums})({given}))\n"
        )
