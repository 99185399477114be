"""Every sentence that a cross-check can produce, as a table to read through.

Names in braces are filled in by the module that uses the sentence. Explanations are clauses: a report puts "Why: "
before one and a full stop after it. What a primitive declares of its own mistakes and kinks stands at the primitive.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

# The verdict.
AGREE = "The gradients agree."
CONTRADICT = "The gradients contradict each other."
INCONCLUSIVE = "The check is inconclusive."
ONE_STEP_WRONG = "1 of {steps} is wrong, {first}"
STEPS_WRONG = "{n} of {steps} are wrong, the first is {first}"
LEGEND = "✓ agree, ✗ differ: the largest difference (and how many times its estimated error); ? inconclusive."

# The first wrong step on the page.
BY_HAND = "hand-derived"
BY_AUTODIFF = "autodiff"
BY_DIFFERENCES = "finite differences"
RIGHT_ARRAY = "right"
DIFFERENCE = "difference"
VALUE_OF = "value of {value}"
NEIGHBOURS = "The element with the largest difference, and its neighbours."
WINDOW = "The {size} window of {primitive} with the largest difference."
WINDOW_GIVEN = "The {size} window of {primitive} with the largest difference. Its own cotangent is {index} = {value}."

# What is wrong.
FIRST_WRONG_STEP = "The first wrong step is {step}, {through}."
ANOTHER_WRONG_STEP = "Another wrong step, even given its upstream cotangents, is {step}, {through}."
DIVERGING_STEP = "The hand-derived gradient and autodiff diverge at {step}, {through}."
THROUGH = "through {primitives}"
AT_THE_LOSS = "at the loss itself"
THE_LOSS = "the loss"
WRONG_GRADIENT = "The hand-derived gradient of {parameter} is wrong."
WRONG_IN_ITERATIONS = "It is wrong in {n} of {all} iterations of the loop."
WRONG_IN_ALL_ITERATIONS = "It is wrong in all {n} iterations of the loop."
AFFECTED = "The gradient of {parameters} is affected."
AFFECTED_SEVERAL = "The gradients of {parameters} are affected."
RIGHT = "; that of {parameters} is right."
RIGHT_SEVERAL = "; those of {parameters} are right."
OTHER_STEPS_RIGHT = "All other steps are right, given that one."
OTHER_STEPS_RIGHT_GIVEN_THESE = "All other steps are right, given these."
PARAMETERS_UNHARMED = "The gradient of no parameter is affected."
AUTODIFF_CONTRADICTED = "Autodiff and finite differences contradict each other on {parameter}."
HAND_DERIVED_CONFIRMED = "The hand-derived gradient agrees with finite differences."
ANOTHER_LOSS = "The hand-derived gradient is not the gradient of this loss, but of another one: {loss}."
OF_ANOTHER_LOSS = "it is the gradient of another loss, {loss}"
AGAINST_ANOTHER_LOSS = "Compared with that loss: {sentence}"
WHY = "Why: {explanation}."
YOU_AND_RIGHT = "\n    you:   {you}{at}\n    right: {right}"
AT_LINE = "  ({line})"
NO_EXPLANATION = "No explanation accounts for it."
WRONG_TOO = "The hand-derived gradient of {parameters} is wrong by the same mistake."
WRONG_TOO_SEVERAL = "The hand-derived gradients of {parameters} are wrong by the same mistake."
NOT_TO_THE_END = "the cause of what is wrong with {names} was not looked for to the end: {why}"
TIME_OVER = "the time was over"
ENOUGH_TRIED = "too much would have to be tried"

WRONG_LOSS = "The loss that by_hand returned is not that of the loss function."
WRONG_VALUE = "The forward value {value} is not that of the loss."
LOSS_NOT_FINITE = "The loss is {loss} at these parameters, so nothing can be concluded of its gradient."
FIRST_VALUE_NOT_FINITE = "The first value that is not finite is that of {primitive}."
AUTODIFF_NOT_FINITE = (
    "Autodiff gives {value} for {parameter}, where finite differences and the hand-derived gradient agree: the "
    "hand-derived gradient is right."
)

# At which element: a sentence that follows one of those above.
SHOULD_BE = "{element} is {x} and should be {y}."
HAND_DERIVED_AND_AUTODIFF = "{element} is {x} in the hand-derived gradient and {y} by autodiff."
AUTODIFF_AND_DIFFERENCES = "{element} is {x} by autodiff and {y} by finite differences."
WRONG_SHAPE = "It has {shape}."
ELEMENT = "Element {index}"
IT = "It"
ALONG_RANDOM_DIRECTION = "Along a random direction it"
RIGHT_OUTSIDE = "It is right outside of {block}."

# Second derivatives.
SECOND_DERIVATIVE = "the second derivative of {parameter}, along a random vector"
AUTODIFF_CONTRADICTS_ITSELF = "Autodiff contradicts itself on {product}."
SECOND_DERIVATIVES_DIFFER = "The hand-derived gradient and autodiff contradict each other on {product}."
AUTODIFF_TWICE = "{element} is {x} by autodiff and {y} by finite differences of autodiff's gradients."
DIFFERENCES_OF_HAND_DERIVED = "{element} is {x} by finite differences of the hand-derived gradient and {y} by autodiff."

# Comparisons: what stands in a cell of a table.
SHAPE_INSTEAD = "shape {actual} instead of {expected}"
BOTH_CONVENTIONS = "at {elements} at a kink two conventions differ, and both are right"
BOTH_NAN = "both are NaN"
SOME_NAN = "{n} elements are NaN in both"
NOTHING_MEASURED = "no finite difference was taken"
SOME_INCONCLUSIVE = "{n} of {slopes} are inconclusive: {reason}"
TOO_COARSE = "finite differences are only accurate to {error:.1g} there"
ALONG = "along a random direction"
NO_SLOPE = {
    "unknown": "the loss is not finite there",
    "jump": "the loss jumps there",
    "noise": "rounding is as large as the loss there",
    "rough": "finite differences do not converge there, however short the steps",
}

LOSS_WITHOUT_VALUE = "the loss is not finite there"
AUTODIFF_WITHOUT_VALUE = "autodiff gives {value} there"

# Notes.
SMALL_ELEMENT = "an element far smaller than the largest; in long double it differs as much"
SYMMETRIC = (
    "{step}: a symmetric matrix stands there whatever the parameters are, so that only the sum of its cotangent and "
    "the transpose of that matters; a symmetric cotangent and that of one triangle are both right"
)
NO_EFFECT = "{step}: it differs from autodiff in {elements}, which no parameter's gradient depends on"
TIE_SHARED = (
    "{step}: {elements} at a kink or a tie get another share than by autodiff; every share within the bounds is right"
)
CHANGED_IN_PLACE = "{names} was changed in place by the loss or by_hand; the check used the original values"
HAND_DERIVED_CHANGES = "by_hand changes {names} in place: here that was a copy, elsewhere the caller's arrays change"
OPAQUE = "autodiff cannot follow this loss ({reason}), so finite differences are the only other witness"
TO_ADOPT = "; with modules=[{module}] it can"
NUMBER_RETURNED = "it returned a number that changes with the parameters and has no history: float() or .item() made it"
INDEPENDENT = "by autodiff the loss does not depend on the parameters"
UNKNOWN_NAMES = (
    "no value of the graph is called {unknown}, so these are not compared; it has {known}: pass "
    "names={{{first!r}: ...}}, or name the value with tg.named"
)
WITHOUT_NAME = "{item} has no name, so it is not compared"
NOT_NUMBERS = "{name} is not an array of real numbers, so it is not compared"
AXES_OF_LENGTH_1 = "{name} has shape {actual} and its value {expected}: the elements are the same, and were compared"
ONE_OF_SEVERAL = "{name}: {n} values have this name; it is compared with {value}"
NO_GRADIENT_OF_INPUT = "{name}: the backward pass returned no gradient of it, so it is not checked"
FIRST_OUTPUT_ALONE = "the backward pass takes the cotangent of the first of {n} outputs"
UNINITIALISED = "the backward pass uses elements of np.empty that it has not set: np.zeros is probably meant"
ORDER_OF_COTANGENTS = "the backward pass takes the cotangents by name, in the order {names}"
OF_LIBRARY = "the gradient that is called hand-derived here is that of {library}"
NOT_FINITE = "{parameter}: autodiff gives {value} at element {index}"
UNCONFIRMED = (
    "{parameter}: at element {index} autodiff gives {value} and no finite difference exists: nothing is concluded"
)
NOT_FINITE_ELSEWHERE = ", and nothing finite at {n} others"
NOT_IN_THE_GRAPH = "{step}: autodiff has no cotangent there, so it is not compared"
COMMON_FACTOR = (
    "{names}: each is {factor} times that by autodiff, and the gradients of the parameters are right, so the factor is "
    "applied later, which is a convention"
)
FACTOR_OF_ALL = (
    "every cotangent and every gradient is {factor} times that by autodiff{meaning}: one factor is common to all, and "
    "but for it they are right"
)
WHICH_IS = ", and {x} is {y}"
AS_ALL_STEPS = "times a factor that all steps have"
CONVENTION = "{step}: {convention}; that is a convention, and equally right"
RIGHT_BY_ITSELF = "{steps}: right, but not what follows from the upstream cotangents"
OUT_OF_BUDGET = "the budget was used up before finite differences of {n} elements were taken"
NO_TIME_FOR_SECOND_DERIVATIVES = "second derivatives were not compared: the time was over"
NO_BUDGET = "no finite differences were taken: the budget allows too few evaluations of the loss"
SAMPLED = (
    "{parameter}: finite differences were taken of {n} of {size} elements, and along {directions} random directions of "
    "all of them"
)

WHICH_OPERAND = "the {which} operand"

# What is wrong with autodiff, where finite differences contradict it.
FIRST_NOT_FINITE = (
    "In the backward pass {primitive} makes the first {value}, from a finite cotangent. What a mask or a nansum leaves "
    "out afterwards still has a derivative, and 0 times that is {value}: replace it before, as in np.where(mask, x, 1)."
)
KINKS_TOGETHER = (
    "These are at a kink: {elements}. Autodiff takes a slope at each of them by itself, but together these are no "
    "slope of the loss; at a point slightly to one side they would be."
)
TIES_AS_ASKED = (
    "{primitive} with {arguments} ({line}) gives each tied element the whole cotangent, in {windows}: that is what the "
    "article does, but it is not a gradient."
)
CUT_OFF = (
    "In {primitive} {operand} is a constant to autodiff, but it changes with the parameters: something cut it off from "
    "its history (.value, stop_gradient)."
)
WRONG_RULE = "The rule of {primitive} for operand {position} ({line}) is not its derivative: {slopes}."

# Explanations: in general.
AND = "{one}; and {other}"
IN_BLOCK = "in {block} {explanation}"
IN_ALL_ITERATIONS = "{mistake}, in all {n} iterations of a loop"
NOT_TOGETHER = "each of {elements} at a kink is within its bounds, but together they are no slope of the loss"
CONVENTIONS_TOGETHER = "; each of these is a convention, but together they are no slope of the loss"

# Explanations: what the values show.
IN_FLOAT32 = "it is computed in float32, and off by the rounding of float32"
LENGTH = "the length of axis {axis} of {name}"
LENGTH_OF_VECTOR = "the length of {name}"
LENGTHS = "the number of elements of {name} along axes {axes}"
SIZE = "the number of elements of {name}"
EPSILON = (
    "an epsilon of {epsilon:.4g} in a denominator makes the difference: it is added to {denominator}, or is left out"
)

# Explanations: another rule in the backward pass.
KNOWN_MISTAKE = "in the backward pass through {primitive} {mistake}"
TIES_IN_FULL = "ties are counted in full: each tied element gets the whole cotangent, in {places}"
AT_KINK = "{elements} of {primitive} at a kink: {convention}"
AT_TIES = "ties in {windows} of {primitive}: {convention}"
PASSED_ON = "the cotangent is passed on (>= instead of >)"
NOT_PASSED_ON = "the cotangent is not passed on (> instead of >=)"
PASSED_BY_HALF = "half of the cotangent is passed on"
PASSED_TO_OTHER = "the cotangent goes to the other branch"
OVERWRITTEN = (
    "in the backward pass through {primitive} cotangents of one element overwrite each other instead of being added"
)

# Explanations: the edit of the right backward pass that gives the hand-derived numbers, as a clause. {x} is what should
# stand there, and {y} what does.
PART = "(...)"  # in place of an expression that is too long for a line, or of an array without a name
FOR_INSTANCE = "for instance, {mistake}"
ONE_LESS = "1 less than {length}"
EDITS = {
    "nothing": "it is 0 in every element",
    "zero": "{x} is missing",
    "sign": "the sign is wrong",
    "sign_of": "the sign of {x} is wrong",
    "scale": "it is {factor} times what it should be",
    "scale_length": "it is {factor} times what it should be, and {number} is {length}",
    "sum_for_mean": "it is {factor} times what it should be, and {factor} is {length}: perhaps a sum instead of a mean",
    "mean_for_sum": "it is {factor} of what it should be, and {number} is {length}: perhaps a mean instead of a sum",
    "scale_everywhere": "it is {factor} times what it should be, in every element",
    "scale_of": "{x} is {factor} times what it should be",
    "scale_of_length": "{x} is {factor} times what it should be, and {number} is {length}",
    "epsilon": "there is an epsilon of {epsilon}, {added} {x}",
    "clipped": "{x} is clipped at {at}",
    "term_missing": "the term {x} is missing",
    "factor_missing": "the factor {x} is missing",
    "division_missing": "the division by {x} is missing",
    "length_missing": "the division by {x}, which is {length}, is missing: perhaps a sum instead of a mean",
    "one_of_several": "of {n} contributions that are added up only {x} counts: it is assigned instead of added",
    "reduction_missing": "the {name} over {axes} is missing",
    "function_missing": "{y} stands where {x} should",
    "not_transposed": "{x} is not transposed",
    "index_missing": "{y} stands where {x} should",
    "factor_twice": "the factor {x} is there twice",
    "division_twice": "the division by {x} is there twice",
    "term_twice": "the term {x} is there twice",
    "factor_more": "there is a factor {x} too many",
    "division_more": "it is divided by {x}, and should not be",
    "term_more": "there is a term {x} too many",
    "other": "{y} stands where {x} should",
    "another": "it is {y} instead",
    "scattered": "in {x} what an index comes several times for is added up, and the last should count",
    "added_once": "in {x} an index that comes several times is added to each time, and should be only once",
    "added": "in {x} something is added that should be assigned",
    "assigned": "in {x} cotangents of one element overwrite each other instead of being added",
    "transposed": "{x} is transposed",
    "transposed_shape": "{x} is transposed: shape {actual} instead of {expected}",
    "permuted": "the axes of {x} are permuted: it has transpose{axes}",
    "reshaped": "the values are right, but in shape {actual} instead of {expected}",
    "one_place": "of {x} only the {which} along axis {axis} counts, and not the sum along it",
    "one_product": "of what {x} adds up only the {which} counts: it is assigned instead of added",
    "summed": "{x} is replaced by its {name} over {axes}",
    "not_cropped": "the padding is not cropped: shape {actual} instead of {expected}",
    "index": "an index of {x} is off by one",
    "block": "only {block} of it is computed, and the rest is 0: perhaps a loop ends after its first iterations",
    "stride": "the position [{x}] is multiplied by a stride of {factor}, and should not be",
    "no_stride": "the position [{x}] is not multiplied by the stride, {factor}",
    "window": "the window is [{y}], and should be [{x}]",
    "cropped": "{x} keeps the {corner} corner instead of the middle",
    "shifted": "{x} is off by one along axis {axis}: each element has the value of the one {neighbour} it",
    "reversed": "{x} is reversed along {axes}",
    "reversed_kernel": "{x} is reversed along {axes}, as the kernel of a convolution where a cross-correlation is "
    "meant",
    "blocks": "the {count} blocks of {x} along axis {axis} are in the order {order}",
}

ADDED_TO, SUBTRACTED_FROM = "added to", "subtracted from"  # of "epsilon"

# Explanations: the edit of a line that makes it right. {x} is what stands there, and {y} what should.
EDITS_OF_LINES = {
    "sign": "the sign is wrong",
    "sign_of": "the sign of {x} is wrong",
    "term_missing": "there is a term {x} too many",
    "factor_missing": "there is a factor {x} too many",
    "division_missing": "it is divided by {x}, and should not be",
    "function_missing": "{x} stands where {y} should",
    "not_transposed": "{x} is transposed, and should not be",
    "factor_more": "the factor {x} is missing",
    "division_more": "the division by {x} is missing",
    "length_missing": "the division by {x} is missing",
    "term_more": "the term {x} is missing",
    "other": "{x} stands where {y} should",
    "added": "it is assigned, and should be added",
    "assigned": "{x} should be assigned, not added",
    "transposed": "{x} is not transposed",
    "index": "an index of {x} is off by one",
    "added_at": "an index that comes several times has to be added to each time",
    "line_missing": "after `{x}` the line `{y}` is missing",
    "deleted": "`{x}` should not be there",
    "later": "`{x}` should stand after `{y}`",
    "after_the_loop": "`{x}` should stand after the loop",
}

ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth")
MOST = 8  # names in a row that somebody reads


def count(n: int, one: str, many: str | None = None) -> str:
    """A number of things: "1 window", "4 windows"."""
    return f"{n} {one if n == 1 else many or one + 's'}"


def ordinal(place: int) -> str:
    """Which of several operands: "first" for 0."""
    return ORDINALS[place] if place < len(ORDINALS) else f"{place + 1}th"


def over(axes: int | tuple[int, ...]) -> str:
    """Axes of an array: "axis 0", "axes (0, 1)"."""
    if isinstance(axes, tuple) and len(axes) == 1:
        axes = axes[0]
    return f"axis {axes}" if isinstance(axes, int) else f"axes {axes}"


def in_brackets(block: tuple[slice, ...]) -> str:
    """A block as it is written in an index: "[0:2, 3]"."""
    return f"[{', '.join(str(s.start) if s.stop == s.start + 1 else f'{s.start}:{s.stop}' for s in block)}]"


def shortened(names: Sequence[str]) -> str:
    """The first names of many, and how many more there are."""
    more = len(names) - MOST
    return ", ".join(names) if more <= 1 else f"{', '.join(names[:MOST])} and {more} more"


def listed(names: Sequence[str]) -> str:
    """Names in a sentence: "W", "W and b", "W, b and c"; of many the first, and how many more there are."""
    if len(names) < 2 or len(names) > MOST + 1:
        return shortened(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"


def file_and_line(line: str) -> str:
    """A source line without folders and function: "model.py:55"."""
    return os.path.basename(line.rsplit(" in ", 1)[0])


def distinct(x: float, y: float) -> tuple[str, str]:
    """Two numbers in six digits, or in as many as show that they differ."""
    x, y = x + 0.0, y + 0.0  # 0 for -0
    pairs = [(f"{x:.{digits}g}", f"{y:.{digits}g}") for digits in (6, 9, 12, 17)]
    return next((pair for pair in pairs if pair[0] != pair[1]), pairs[0])
