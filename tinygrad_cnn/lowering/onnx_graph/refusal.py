"""What is raised for what cannot be written."""

from __future__ import annotations

from tinygrad_cnn.lowering.instructions import Instruction


class NotInOnnxError(NotImplementedError):
    """An instruction that cannot be written as operators of ONNX."""


def refused(x: Instruction, why: str) -> NotInOnnxError:
    """The error for `x`: one line, with the line of the user's code that it is from."""
    function = getattr(x.function, "__name__", "") if x.operation in ("call", "function") else ""
    where = f" ({x.origin.line})" if x.origin.line else ""
    return NotInOnnxError(
        f"program: {function or x.operation} cannot be written as ONNX: {why}{where}. Save it as .py, or call the "
        "program"
    )
