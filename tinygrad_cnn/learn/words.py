"""Every sentence that a learner reads, in English and Korean, as tables to read through.

They say what is wrong, and never what is right: the learner's own line stands beside them, and the hints go further.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# What a mistake is, by the kind of edit that the cross-check found, or by what the numbers show.
MISTAKES: Mapping[str, tuple[str, str]] = {
    "nothing": ("It is 0 everywhere.", "모든 원소가 0입니다."),
    "number_zero": ("It is 0, and should not be.", "0이 나오는데 0이 아니어야 합니다."),
    "zero": ("A part of it is missing.", "한 부분이 빠져 있습니다."),
    "sign": ("The sign is wrong.", "부호가 반대입니다."),
    "sign_of": ("The sign of one part is wrong.", "한 부분의 부호가 반대입니다."),
    "scale": ("It is a multiple of what it should be.", "맞는 값의 상수배입니다."),
    "scale_length": (
        "It is a multiple of what it should be, and the factor is the length of an axis.",
        "맞는 값의 상수배이고, 그 상수는 어떤 축의 길이입니다.",
    ),
    "sum_for_mean": (
        "The shape fits, but this is the gradient of a sum, and the forward pass takes a mean.",
        "shape는 맞지만 합의 변화도입니다. 순전파에서는 평균을 구합니다.",
    ),
    "mean_for_sum": (
        "The shape fits, but it is divided by the length of an axis, as if this step took a mean: it takes a sum.",
        "shape는 맞지만 이 단계에서 평균을 구한 것처럼 축의 길이로 나누었습니다. 여기서는 합입니다.",
    ),
    "scale_everywhere": (
        "Every element is {factor} times what it should be.",
        "모든 원소가 맞는 값의 {factor}배입니다.",
    ),
    "times": ("It is {factor} times what it should be.", "맞는 값의 {factor}배입니다."),
    "number": (
        "It is another number: something else, or another operation, belongs in this line.",
        "다른 수가 나옵니다. 이 줄에 다른 값이나 다른 연산이 와야 합니다.",
    ),
    "scale_of": ("One part of it has a wrong factor.", "한 부분에 잘못된 상수가 곱해져 있습니다."),
    "scale_of_length": (
        "One part of it has a wrong factor: has it to do with the length of an axis?",
        "한 부분에 잘못된 상수가 곱해져 있습니다. 어떤 축의 길이와 관계있지 않나요?",
    ),
    "epsilon": ("A small constant (epsilon) makes it slightly wrong.", "작은 상수(엡실론) 때문에 조금 어긋납니다."),
    "clipped": ("Values are clipped that should not be.", "잘라내지 말아야 할 값이 잘려 있습니다."),
    "term_missing": ("A term of the sum is missing.", "더해야 할 항 하나가 빠져 있습니다."),
    "factor_missing": (
        "A factor is missing: by the chain rule each function on the way contributes one.",
        "곱해야 할 기울기 하나가 빠져 있습니다. 지나는 함수마다 그 기울기를 곱합니다.",
    ),
    "division_missing": ("A division is missing.", "나눗셈 하나가 빠져 있습니다."),
    "length_missing": (
        "A division by the length of an axis is missing: the forward pass takes a mean.",
        "축의 길이로 나누는 것이 빠져 있습니다. 순전파에서는 평균을 구합니다.",
    ),
    "one_of_several": (
        "Several contributions belong together, and only one of them counts: add, do not assign.",
        "여러 기여를 더해야 하는데 하나만 남았습니다. 대입하지 말고 더하세요.",
    ),
    "reduction_missing": (
        "A sum over an axis is missing: what was broadcast forward is summed backward.",
        "어떤 축으로 더하는 것이 빠져 있습니다. 순전파에서 브로드캐스팅된 것은 역전파에서 더해집니다.",
    ),
    "function_missing": ("A function is missing.", "함수 하나가 빠져 있습니다."),
    "not_transposed": ("An operand should be transposed.", "피연산자 하나를 전치해야 합니다."),
    "index_missing": ("A whole array stands where a part of it should.", "배열의 일부가 와야 할 곳에 전체가 있습니다."),
    "factor_twice": ("A factor is there twice.", "같은 것을 두 번 곱했습니다."),
    "division_twice": ("It is divided twice by the same.", "같은 값으로 두 번 나누었습니다."),
    "term_twice": ("A term is added twice.", "같은 항을 두 번 더했습니다."),
    "factor_more": ("There is a factor too many.", "곱셈이 하나 더 있습니다."),
    "division_more": ("There is a division too many.", "나눗셈이 하나 더 있습니다."),
    "term_more": ("There is a term too many.", "항이 하나 더 있습니다."),
    "other": (
        "The shape is right, the numbers are not: another array or operation belongs somewhere in this line.",
        "shape는 맞지만 숫자가 다릅니다. 이 줄 어딘가에 다른 배열이나 연산이 와야 합니다.",
    ),
    "stands": (
        "In this line `{part}` is wrong: something else belongs in its place.",
        "이 줄의 `{part}` 자리에는 다른 것이 와야 합니다.",
    ),
    "axis": ("The shape is right, but the axis is not.", "shape는 맞지만 축이 틀렸습니다."),
    "another": ("The shape is right, but this is another formula.", "shape는 맞지만 다른 식입니다."),
    "scattered": (
        "An index that comes several times is handled wrongly.",
        "여러 번 나오는 인덱스의 처리가 잘못되었습니다.",
    ),
    "added_once": (
        "An index that comes several times is added to only once: see np.add.at.",
        "여러 번 나오는 인덱스에 한 번만 더해졌습니다. np.add.at을 보세요.",
    ),
    "added": ("It is added, and should be assigned.", "더하고 있습니다. 대입해야 합니다."),
    "assigned": ("It is assigned, and should be added.", "대입하고 있습니다. 더해야 합니다."),
    "added_at": (
        "An index that comes several times has to be added to each time.",
        "여러 번 나오는 인덱스에는 그때마다 더해야 합니다.",
    ),
    "transposed": ("It is transposed.", "전치되어 있습니다."),
    "transposed_shape": (
        "It is transposed: its shape is {actual}, and should be {expected}.",
        "전치되어 있습니다. shape가 {actual}인데, 맞는 shape는 {expected}입니다.",
    ),
    "permuted": ("Its axes are in the wrong order.", "축의 순서가 틀렸습니다."),
    "reshaped": (
        "The values are right, the shape is not: it is {actual}, and should be {expected}.",
        "값은 맞지만 shape가 다릅니다. {actual}인데, 맞는 shape는 {expected}입니다.",
    ),
    "shape": (
        "Its shape is {actual}, and should be {expected}: a gradient has the shape of what it is the gradient of.",
        "shape가 {actual}인데, 맞는 shape는 {expected}입니다. 변화도의 shape는 그 변수의 shape와 같습니다.",
    ),
    "shape_of_value": (
        "Its shape is {actual}, and should be {expected}.",
        "shape가 {actual}인데, 맞는 shape는 {expected}입니다.",
    ),
    "not_summed": (
        "Its shape is {actual}, and should be {expected}: a sum is missing.",
        "shape가 {actual}인데, 맞는 shape는 {expected}입니다. 더하는 것이 빠져 있습니다.",
    ),
    "summed_shape": (
        "Its shape is {actual}, and should be {expected}: there is a sum too many.",
        "shape가 {actual}인데, 맞는 shape는 {expected}입니다. 더하지 말아야 할 것을 더했습니다.",
    ),
    "one_place": (
        "Only one place of an axis counts: add, do not assign.",
        "축에서 한 자리만 남았습니다. 대입하지 말고 더하세요.",
    ),
    "one_product": (
        "Only one product of a sum counts: add, do not assign.",
        "합에서 한 곱만 남았습니다. 대입하지 말고 더하세요.",
    ),
    "summed": ("It is summed over an axis, and should not be.", "어떤 축으로 더해져 있습니다. 더하지 말아야 합니다."),
    "not_cropped": ("The padding is not cut off.", "패딩을 잘라내지 않았습니다."),
    "index": ("An index is off by one.", "인덱스가 하나 어긋나 있습니다."),
    "block": ("Only a part of it is computed, the rest is 0.", "일부만 계산되어 있고 나머지는 0입니다."),
    "stride": ("A position has a stride that it should not have.", "위치에 스트라이드가 잘못 곱해져 있습니다."),
    "no_stride": ("The stride is missing in a position.", "위치에 스트라이드가 빠져 있습니다."),
    "window": ("The window is at the wrong place.", "윈도의 위치가 틀렸습니다."),
    "cropped": ("The wrong part is cut out.", "잘라낸 부분이 틀렸습니다."),
    "shifted": ("It is shifted by one place.", "한 칸 밀려 있습니다."),
    "reversed": ("It is reversed along an axis.", "어떤 축을 따라 뒤집혀 있습니다."),
    "reversed_kernel": (
        "The filter is reversed: a convolution stands where a cross-correlation should.",
        "필터가 뒤집혀 있습니다. 교차상관이 와야 할 곳에 합성곱이 있습니다.",
    ),
    "blocks": ("Blocks along an axis are in the wrong order.", "축을 따라 놓인 블록의 순서가 틀렸습니다."),
    "line_missing": ("A line is missing.", "한 줄이 빠져 있습니다."),
    "deleted": ("A line is too many.", "필요 없는 줄이 있습니다."),
    "later": ("A line stands in the wrong place.", "한 줄의 위치가 틀렸습니다."),
    "after_the_loop": ("A line in a loop should stand after it.", "반복문 안의 한 줄은 반복문 뒤에 와야 합니다."),
    "some_elements": ("{n} of {size} elements are wrong.", "원소 {size}개 중 {n}개가 틀립니다."),
    "not_finite": ("Some of it is NaN or infinite.", "NaN이나 무한대가 있습니다."),
    "nothing_returned": ("It is None: is a return missing?", "None입니다. return이 빠지지 않았나요?"),
    "text": ("Another answer belongs here.", "다른 답이 와야 합니다."),
    "another_type": (
        "It is of type {actual}, where {expected} is expected.",
        "타입이 {actual}입니다. {expected} 타입이어야 합니다.",
    ),
}

# What kept an answer from being judged.
FAILURES: Mapping[str, tuple[str, str]] = {
    "matmul_shapes": (
        "The shapes do not fit in a matrix product: {message}. "
        "The columns of the first have to be as many as the rows of the second.",
        "행렬 곱의 shape가 맞지 않습니다. {message}. 앞 행렬의 열 수와 뒤 행렬의 행 수가 같아야 합니다.",
    ),
    "matmul_number": (
        "A matrix product is of arrays, and one of these is a number: {message}. Numbers are multiplied with *.",
        "행렬 곱은 배열의 곱인데 하나가 수입니다. {message}. 수는 *로 곱합니다.",
    ),
    "broadcast_shapes": (
        "The shapes do not fit: {message}. From the last axis on, lengths have to be equal, or one of them 1.",
        "shape가 맞지 않습니다. {message}. 마지막 축부터 길이가 서로 같거나 한쪽이 1이어야 합니다.",
    ),
    "array_for_number": (
        "An array stands where one number belongs: a sum is missing, or an index.",
        "수 하나가 와야 할 곳에 배열이 있습니다. 합이나 인덱스가 빠져 있습니다.",
    ),
    "assigned_shapes": (
        "An array of shape {actual} is assigned to a place of shape {expected}.",
        "shape가 {expected}인 곳에 shape가 {actual}인 배열을 넣습니다.",
    ),
    "truth_of_array": (
        "max, min, if, and, or are for single numbers, and this is an array: NumPy has functions for all its elements.",
        "max, min, if, and, or는 수 하나에 쓰는데 여기에는 배열이 왔습니다. 원소마다 계산하는 NumPy 함수를 쓰세요.",
    ),
    "truth_of_comparison": (
        "Comparing arrays gives True or False for each element, and if, and, or need a single one: NumPy has functions "
        "that choose element by element.",
        "배열을 비교하면 원소마다 True나 False가 나오는데 if, and, or에는 하나만 쓸 수 있습니다. "
        "NumPy에는 원소마다 고르는 함수가 있습니다.",
    ),
    "ragged": (
        "Arrays of different shapes are put together as if they had the same one.",
        "shape가 서로 다른 배열을 shape가 같은 것처럼 합칩니다.",
    ),
    "reshaped_size": (
        "A reshape keeps the number of elements: there are {size}, and shape {expected} has another number.",
        "reshape를 해도 원소 수는 그대로입니다. 원소가 {size}개인데 shape {expected}의 원소 수는 다릅니다.",
    ),
    "no_such_axis": (
        "There is no axis {axis}: the number of axes is {ndim}, and the first is axis 0.",
        "{axis}번 축이 없습니다. 이 배열의 축은 {ndim}개이고 첫째 축이 0번입니다.",
    ),
    "no_such_index": (
        "There is no index {index}: the length of axis {axis} is {size}, and the first index is 0.",
        "{index}번 원소가 없습니다. 이 배열의 {axis}번 축에는 원소가 {size}개 있고 첫째가 0번입니다.",
    ),
    "too_many_indices": (
        "There are more indices than axes: {n}, where the number of axes is {ndim}.",
        "인덱스가 축보다 많습니다. 인덱스는 {n}개, 배열의 축은 {ndim}개입니다.",
    ),
    "array_called": (
        "Parentheses after an array call it like a function: an index has [ ], and a product *.",
        "배열 뒤의 괄호는 함수를 부른다는 뜻입니다. 인덱스는 [ ], 곱은 *를 씁니다.",
    ),
    "blank_used": (
        "A line uses a blank that is not filled in yet: ... is no number.",
        "아직 채우지 않은 빈칸을 사용합니다. ...은 숫자가 아닙니다.",
    ),
    "no_product_sign": (
        "Python cannot read this line: a product is written with *, as in 2 * x.",
        "파이썬이 이 줄을 읽을 수 없습니다. 곱셈은 2 * x처럼 *를 씁니다.",
    ),
    "SyntaxError": ("Python cannot read this line: {message}.", "파이썬이 이 줄을 읽을 수 없습니다. {message}"),
    "IndentationError": (
        "The indentation of this line does not fit: {message}.",
        "이 줄의 들여쓰기가 맞지 않습니다. {message}",
    ),
    "NameError": ("A name is used that is not defined: {message}.", "정의되지 않은 이름을 사용합니다. {message}"),
    "ModuleNotFoundError": (
        "It imports what is not installed: {message}. NumPy is all that the exercises need.",
        "설치되지 않은 것을 import합니다. {message}. 연습 문제에는 NumPy만 있으면 됩니다.",
    ),
    "ImportError": ("An import fails: {message}.", "import가 실패합니다. {message}"),
    "IndexError": ("An index is outside of the array: {message}.", "인덱스가 배열을 벗어났습니다. {message}"),
    "KeyError": ("A dict has no such key: {message}.", "dict에 그런 키가 없습니다. {message}"),
    "TypeError": ("Something of the wrong type is used: {message}.", "타입이 맞지 않습니다. {message}"),
    "AttributeError": ("There is no such attribute: {message}.", "그런 속성이 없습니다. {message}"),
    "ValueError": ("A value does not fit: {message}.", "값이 맞지 않습니다. {message}"),
    "ZeroDivisionError": ("It divides by 0.", "0으로 나눕니다."),
    "FloatingPointError": (
        "It computes a number that is not finite: {message}.",
        "유한하지 않은 수가 나옵니다. {message}",
    ),
    "RecursionError": ("A function calls itself without end.", "함수가 끝없이 자기 자신을 부릅니다."),
    "SystemExit": ("It ends the program: leave out exit().", "프로그램을 끝냅니다. exit()를 빼세요."),
    "Exception": ("It raises {type}: {message}", "{type} 예외가 납니다. {message}"),
    "not_returned": (
        "by_hand does not return `{name}` any more.",
        "by_hand가 더 이상 반환하지 않는 것: `{name}`.",
    ),
    "given_changed": (
        "What was given, `{name}`, has been changed: only the blanks are to be filled in.",
        "주어진 것이 바뀌었습니다: `{name}`. 빈칸만 채우면 됩니다.",
    ),
    "too_slow": (
        "It did not end within {seconds} seconds, and was stopped: is there a loop without end?",
        "{seconds}초 안에 끝나지 않아 멈추었습니다. 끝나지 않는 반복문이 있나요?",
    ),
    "ended": (
        "The file's process ended by itself: {message}.",
        "파일을 실행한 프로세스가 스스로 끝났습니다. {message}",
    ),
    "not_there": ("The file is not there any more.", "파일이 더 이상 없습니다."),
    "not_readable": ("The file cannot be read: {message}.", "파일을 읽을 수 없습니다. {message}"),
}

# What frames them.
FRAME: Mapping[str, tuple[str, str]] = {
    "started": (
        "Wrote {folder}. Open {file} in an editor, and run:",
        "{folder} 폴더를 만들었습니다. 편집기로 {file} 파일을 열고, 다음을 실행하세요.",
    ),
    "solved": ("Right. Every line agrees.", "모두 맞았습니다."),
    "wrong": ("{name} is wrong.", "틀린 줄: {name}."),
    "wrong_call": ("{call} gives a wrong value.", "{call}의 값이 틀렸습니다."),
    "given": (
        "Not the gradient of this loss: {names}. A line that was given is wrong: find it.",
        "이 손실의 변화도가 아닙니다: {names}. 주어진 줄 가운데 하나가 틀렸습니다. 찾아보세요.",
    ),
    "given_call": (
        "{names} gives a wrong value. A line that was given is wrong: find it.",
        "{names}의 값이 틀렸습니다. 주어진 줄 가운데 하나가 틀렸습니다. 찾아보세요.",
    ),
    "fill_in": ("{name} is still to be filled in.", "아직 채우지 않은 줄: {name}."),
    "gone": ("The line of {name} is not there any more.", "{name}의 줄이 더 이상 없습니다."),
    "right_so_far": ("Right so far: {names}.", "지금까지 맞음: {names}."),
    "line": ("Line {line}:  {text}", "{line}번째 줄:  {text}"),
    "yours": ("It is", "지금 값:"),
    "follows": ("{names}: wrong too, but only because of that.", "{names}도 틀렸지만, 위의 줄 때문입니다."),
    "printed": ("It printed:", "출력:"),
    "minutes": ("{n} minutes", "{n}분"),
    "hint": ("Hint {n} of {all}:", "힌트 {n}/{all}:"),
    "judging": ("· checking", "· 확인 중"),
    "go_on": ("Press n for the next one.", "n을 누르면 다음으로 갑니다."),
    "try_first": (
        "Fill something in and save first: a wrong answer teaches more than a solution.",
        "먼저 무언가를 채우고 저장하세요. 풀이보다 틀린 답에서 더 많이 배웁니다.",
    ),
    "restore": (
        "Press r to write it again as it was given.",
        "r을 누르면 처음 주어진 대로 다시 씁니다.",
    ),
    "graph": ("The graph is in {path}.", "그래프: {path}"),
    "no_graph": (
        "There is a graph as soon as a line of a backward pass is filled in and runs.",
        "역전파의 한 줄이라도 채워져 실행되면 그래프를 볼 수 있습니다.",
    ),
    "last": ("This is the last exercise.", "마지막 문제입니다."),
    "first": ("This is the first exercise.", "첫 문제입니다."),
}

# The keys of the watch mode.
KEYS: Mapping[str, tuple[str, str]] = {
    "hint": ("hint", "힌트"),
    "graph": ("graph", "그래프"),
    "next": ("next", "다음"),
    "previous": ("previous", "이전"),
    "solution": ("solution", "풀이"),
    "list": ("list", "목록"),
    "restore": ("restore", "복원"),
    "quit": ("quit", "끝내기"),
}


def sentence(table: Mapping[str, tuple[str, str]], key: str, language: str, /, **facts: Any) -> str:
    """A sentence of a table in a language; a shape is shown as Python shows it."""
    shown = {name: tuple(x) if isinstance(x, list) else x for name, x in facts.items()}
    if language == "ko":
        shown = {name: "(), 곧 수 하나" if x == () else x for name, x in shown.items()}
    return table[key][language == "ko"].format(**shown)
