"""Lines that are too long are several, and say the same."""

from __future__ import annotations

import ast
import textwrap

import pytest

from tinygrad_cnn.lowering.numpy_source.wrapping import wrapped

LONG = {
    "a sum": "a = first * (1 - second) + third @ fourth - fifth[3:, None] * sixth",
    "a result": 'return loss, {"W": dL_dW, "b": np.copy(dL_db)}, [first, second], third',
    "one dict": 'return {"first_W": dL_dfirst_W, "first_b": dL_dfirst_b, "second_W": dL_dW}',
    "a call": "a = np.concatenate([first_part, second_part, third_part, fourth_part], axis=1)",
    "rows": "A = np.array([[1.0, 0.5, 0.25, 3.0], [1.0, 0.5, 0.25, 3.0], [1.0, 0.5, 0.25, 3.0]])",
    "one list in a list": "return [[first_result, second_result, third_result, fourth_result, fifth]]",
    "one tuple": "return (np.stack([first_result, second_result, third_result, fourth_result]),)",
    "a list, and more": "a = f([first_result, second_result])(third_result)[fourth_result, fifth_result]",
    "brackets that only look like a pair": "a = f([first_result, second_result] + other[third_result, fourth])",
    "a string with brackets": 'return {"first, [(": first_result, "second": second_result, "]": third_result}',
    "two lists": "a = [first_result, second_result] + [third_result, fourth_result, fifth_result]",
    "a call with a string": 'a = f("])", first_result, second_result, third_result, fourth_result, fifth)',
    "a comment": "a = first * second + third  # (100, 200, 300, 400, 500)",
    "a chain": "a = scatter(1.0 / diag, (places,), (50,))[1:].reshape(7, 7)",
    "a product in a sum": "a = first - rate * (second_operand / third_operand / fourth_operand[5, 6]) @ fifth**2",
    "a product": "a = first_operand * (second_operand + third_operand) ** 2 / fourth_operand // fifth_operand",
    "a sign": "a = -first_operand * second_operand + (-third_operand) * -fourth_operand",
}


@pytest.mark.parametrize("name", LONG)
@pytest.mark.parametrize("width", [30, 45, 60, 80])
@pytest.mark.parametrize("indent", ["", "        "])
def test_it_says_the_same(name, width, indent) -> None:
    lines = wrapped(indent + LONG[name], width)
    written = textwrap.dedent("\n".join(lines))
    function = "def f():\n" + textwrap.indent(written, "    ")
    assert ast.dump(ast.parse(function)) == ast.dump(ast.parse(f"def f():\n    {LONG[name]}"))
    assert len(lines) > 1 or len(lines[0]) <= len(indent + LONG[name])


def test_a_comment_goes_before_code_is_wrapped() -> None:
    assert wrapped(LONG["a comment"], 40) == ["a = first * second + third"]


@pytest.mark.parametrize("name", ["a product in a sum", "a product"])
def test_a_product_that_is_too_long_is_written_by_its_factors(name) -> None:
    assert max(map(len, wrapped(LONG[name], 64))) <= 64
