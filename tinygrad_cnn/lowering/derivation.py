"""A program as mathematics: each step as an equation, and each cotangent as that of what follows times a factor.

It has the steps and the names of the printed program, which it is made of by the same rules.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from tinygrad_cnn.lowering.instructions import Instruction, Listing
from tinygrad_cnn.lowering.naming import identifier
from tinygrad_cnn.lowering.numpy_source.expressions import ATOM, UNARY, Expressions, Text
from tinygrad_cnn.lowering.numpy_source.statements import Writer

Format = Literal["markdown", "latex"]

GREEK = frozenset(
    ["alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "kappa", "lambda", "mu", "nu", "xi", "pi",
     "rho", "sigma", "tau", "phi", "chi", "psi", "omega"]
)  # fmt: skip
RELATIONS = {
    "less": "<", "less_equal": r"\le", "greater": ">", "greater_equal": r"\ge", "equal": "=", "not_equal": r"\ne",
}  # fmt: skip
NAMED = frozenset(["exp", "log", "sin", "cos", "tan", "tanh", "sinh", "cosh", "maximum", "minimum"])
CALLED = {"maximum": r"\max", "minimum": r"\min", "relu": r"\operatorname{relu}", "sigmoid": r"\operatorname{sigmoid}"}
SUMS = {"add": r"\sum", "multiply": r"\prod", "maximum": r"\max", "minimum": r"\min"}
PRODUCT = 12


def derivation(listing: Listing, format: Format = "markdown") -> str:
    """The equations of a listing, as a list in Markdown or as an `align*` of LaTeX.

    Raises ValueError for another format.
    """
    if format not in ("markdown", "latex"):
        raise ValueError(f"derivation: unknown format {format!r}; expected 'markdown' or 'latex'")
    equations = Equations(listing).equations()
    if format == "markdown":
        return "\n".join([f"- ${left} = {right}${shape}" for left, right, shape in equations]) + "\n"
    lines = [f"{left} &= {right} &&\\text{{{shape.strip()}}}" for left, right, shape in equations]
    return "\\begin{align*}\n" + " \\\\\n".join(lines) + "\n\\end{align*}\n"


class Equations(Writer):
    """Writes a listing as equations."""

    width = 160  # commands take more characters than what they show

    def __init__(self, listing: Listing) -> None:
        super().__init__(listing, "step", source=False)
        self.expressions = Formulas(self.size, self.constant, self.fresh)

    def equations(self) -> list[tuple[str, str, str]]:
        """The left and the right side of each equation, and the shape of both."""
        for number, argument in enumerate(self.listing.arguments):
            name = self.accesses[argument.instruction] if number < self.listing.given else argument.name
            self.texts[argument.instruction] = Text(symbol(_last(name)))
        for x in self.listing.instructions:
            if x.operation == "closed_over":
                self.texts[x] = Text(symbol(x.origin.name or "array"))
            elif x.operation != "input":
                self.instruction(x)
        return [
            (symbol(statement.target), statement.text, f" {comment}" if (comment := statement.comment[4:]) else "")
            for statement in self.statements
        ]

    def statement(self, x: Instruction, text: Text, name: str | None = None) -> None:
        """Give `x` an equation."""
        super().statement(x, text, name)
        self.texts[x] = Text(symbol(self.statements[-1].target))

    def is_short(self, x: Instruction, text: Text) -> bool:
        """Whether `x` is a mere symbol, or the transpose of one."""
        if x.operation == "transpose" and x.origin.name is None and x.operands[0].operation == "input":
            return True
        return super().is_short(x, text)

    def constant(self, value: Any, name: str | None = None) -> str:
        """A constant array, by its name or a letter."""
        return symbol(identifier(name)) if name else "C"

    def size(self, n: int) -> str:
        """A length."""
        return str(n)


def symbol(name: str) -> str:
    """A variable as a symbol: dL_dconv is a fraction, h_2 has an index, sigma is Greek."""
    if name.startswith("dL_d"):
        return rf"\frac{{\partial L}}{{\partial {symbol(name[4:])}}}"
    stem, _, number = name.rpartition("_")
    if stem and number.isdigit():
        return rf"{symbol(stem)}_{{{number}}}"
    if name in GREEK:
        return rf"\{name}"
    return name if len(name) == 1 else rf"\mathrm{{{name.replace('_', chr(92) + '_')}}}"


def _last(access: str) -> str:
    """The last key or field of an argument: Wc of p["Wc"] and of p.Wc."""
    found = re.findall(r"\w+", access)
    return identifier(found[-1] if not found[-1].isdigit() else "_".join(found))


class Formulas(Expressions):
    """What is written for instructions, as LaTeX."""

    def of(self, x: Instruction, operands: Sequence[Text]) -> Text:
        """The formula of `x`."""
        write = getattr(self, f"formula_{x.operation}", None)
        if write is not None:
            return write(operands, x)  # type: ignore[no-any-return]
        if x.operation in RELATIONS:
            return Text(rf"[{operands[0].text} {RELATIONS[x.operation]} {operands[1].text}]")
        if x.operation in ("constant", "full"):
            value = x.parameters["value"]
            return Text("C") if isinstance(value, np.ndarray) else _number(value)
        if x.operation in NAMED or x.operation in CALLED:
            called = CALLED.get(x.operation, rf"\{x.operation}")
            return Text(rf"{called}\left({', '.join([a.text for a in operands])}\right)")
        name = getattr(x.function, "__name__", x.operation) if x.operation == "call" else x.operation
        name = name.rsplit(".", 1)[-1].replace("_", r"\_")
        return Text(rf"\operatorname{{{name}}}\left({', '.join([a.text for a in operands])}\right)")

    def formula_add(self, operands: Sequence[Text], x: Instruction) -> Text:
        """A sum."""
        return Text(f"{operands[0].within(10)} + {operands[1].within(11)}", 10)

    def formula_subtract(self, operands: Sequence[Text], x: Instruction) -> Text:
        """A difference."""
        return Text(f"{operands[0].within(10)} - {operands[1].within(11)}", 10)

    def formula_multiply(self, operands: Sequence[Text], x: Instruction) -> Text:
        """The product of elements; of a number and an array, the multiple."""
        a, b = operands
        sign = r"\," if any(not y.result.shape for y in x.operands) else r"\odot"
        if x.operands[1].operation == "constant" and not x.operands[1].result.shape:
            a, b = b, a  # a number stands before what it multiplies
        return Text(f"{a.within(PRODUCT)} {sign} {b.within(PRODUCT + 1)}", PRODUCT)

    def formula_divide(self, operands: Sequence[Text], x: Instruction) -> Text:
        """A quotient."""
        return Text(rf"\frac{{{operands[0].text}}}{{{operands[1].text}}}")

    def formula_matmul(self, operands: Sequence[Text], x: Instruction) -> Text:
        """The product of matrices."""
        return Text(rf"{operands[0].within(PRODUCT + 1)} \, {operands[1].within(PRODUCT + 1)}", PRODUCT)

    def formula_negative(self, operands: Sequence[Text], x: Instruction) -> Text:
        """The negative."""
        return Text(f"-{operands[0].within(UNARY)}", UNARY)

    def formula_square(self, operands: Sequence[Text], x: Instruction) -> Text:
        """The square."""
        return Text(f"{operands[0].within(ATOM)}^2", ATOM - 1)

    def formula_sqrt(self, operands: Sequence[Text], x: Instruction) -> Text:
        """The square root."""
        return Text(rf"\sqrt{{{operands[0].text}}}")

    def formula_transpose(self, operands: Sequence[Text], x: Instruction) -> Text:
        """The transpose."""
        return Text(rf"{operands[0].within(ATOM)}^\mathsf{{T}}", ATOM - 1)

    def formula_reduce(self, operands: Sequence[Text], x: Instruction) -> Text:
        """A sum or the like, along axes."""
        axis = x.parameters["axis"]
        along = (
            "" if axis is None or len(np.atleast_1d(axis)) == len(x.operands[0].result.shape) else f"_{{{_axes(axis)}}}"
        )
        sign = SUMS.get(x.parameters["ufunc"], rf"\operatorname{{{x.parameters['ufunc']}}}")
        summed = operands[0].within(ATOM if operands[0].binds == UNARY else PRODUCT)
        return Text(f"{sign}{along} {summed}", PRODUCT)

    def formula_mean(self, operands: Sequence[Text], x: Instruction) -> Text:
        """A mean."""
        axis = x.parameters["axis"]
        along = "" if axis is None else f"_{{{_axes(axis)}}}"
        return Text(rf"\operatorname{{mean}}{along}\left({operands[0].text}\right)")

    def formula_reshape(self, operands: Sequence[Text], x: Instruction) -> Text:
        """The same elements in another shape."""
        return Text(rf"\operatorname{{reshape}}\left({operands[0].text}\right)")

    def formula_astype(self, operands: Sequence[Text], x: Instruction) -> Text:
        """The same numbers."""
        return operands[0]

    formula_view = formula_broadcast_to = formula_scalar = formula_astype


def _number(value: Any) -> Text:
    number = value.item() if isinstance(value, np.generic) else value
    text = repr(number).replace("inf", r"\infty")
    if re.fullmatch(r"-?[\d.]+e[+-]?\d+", text):
        digits, exponent = text.split("e")
        text = rf"{digits} \cdot 10^{{{int(exponent)}}}"
    return Text(text, UNARY if text.startswith("-") else ATOM)


def _axes(axis: Any) -> str:
    return ", ".join(map(str, np.atleast_1d(axis).tolist()))
