"""The smallest edit: each kind finds what it is for, noise has no cause, and a cause holds at a second point."""

from __future__ import annotations

import ast
import math
from typing import Any

import numpy as np
import pytest

import tinygrad_cnn as tg
from tinygrad_cnn.check.deadline import Effort
from tinygrad_cnn.check.diagnose.edits import EDITS, Context, Edit, Term, call, kind
from tinygrad_cnn.check.diagnose.edits.evaluation import Program
from tinygrad_cnn.check.diagnose.edits.numbers import Numbers
from tinygrad_cnn.check.diagnose.edits.restriction import Restricted
from tinygrad_cnn.check.diagnose.edits.search import Found, smallest
from tinygrad_cnn.check.diagnose.edits.terms import NP, from_ast, in_order, replaced
from tinygrad_cnn.check.diagnose.edits.textbook import textbook
from tinygrad_cnn.lowering.numpy_source import helpers

RNG = np.random.default_rng(3)
SCOPE: dict[str, Any] = {
    "g": RNG.standard_normal((5, 4)),
    "h": np.tanh(RNG.standard_normal((5, 4))),
    "z": RNG.standard_normal((5, 4)),
    "W": RNG.standard_normal((4, 4)),
    "x": RNG.standard_normal((5, 4)),
    "v": RNG.random(4) + 0.5,
    "a": RNG.standard_normal((3, 4, 4)),
    "i": np.array([0, 2, 1, 0]),
    "long": RNG.standard_normal(900),
}


def program(text: str) -> Program:
    names = {"np": NP}
    root = from_ast(ast.parse(text, mode="eval").body, names)
    leaves = {names.setdefault(name, Term("name", (), name)): value for name, value in SCOPE.items()}
    return Program(root, leaves)


def value(text: str) -> Any:
    return eval(text, {"np": np, **SCOPE})


def found(right: str, wrong: Any) -> tuple[Program, Found | None]:
    made = program(right)
    target = np.asarray(wrong)

    def accounts(x: Any) -> bool:
        return np.shape(x) == target.shape and bool(np.allclose(x, target, rtol=1e-11, atol=1e-13))

    shapes = [(name, np.shape(x)) for name, x in SCOPE.items()]
    return made, smallest(
        Context(made, list(made.leaves), target, accounts, Numbers(shapes, [])), lambda _: True, Effort(math.inf)
    )


# What is right, what somebody wrote, and which sentence says so.
MISTAKES = [
    ("g * (1 - h**2)", "-g * (1 - h**2)", "sign"),
    ("g * (1 - h**2)", "2 * g * (1 - h**2)", "scale"),
    ("g * (1 - h**2)", "5 * g * (1 - h**2)", "sum_for_mean"),
    ("g * (1 - h**2)", "g * (1 - h**2) / 5", "mean_for_sum"),
    ("g * (1 - h**2)", "g * (1 - h**2) * 1.2345", "scale_everywhere"),
    ("g * (1 - h**2)", "g", "factor_missing"),
    ("g * (1 - h**2)", "g * (1 - h)", "other"),
    ("g * (1 - h**2)", "g * (1 - z**2)", "other"),
    ("g * (1 - h**2)", "x * (1 - h**2)", "other"),
    ("g * (1 - h**2)", "g * (1 + h**2)", "sign_of"),
    ("g * (1 - h**2)", "g * (1 - h**2) * (1 - h**2)", "factor_twice"),
    ("g * (1 - h**2)", "g * (1 - h**2) * z", "factor_more"),
    ("g * (1 - h**2)", "g / (1 - h**2)", "other"),
    ("g * (1 - h**2)", "g * h * (1 - h)", "other"),
    ("g - g.mean(axis=0)", "g", "term_missing"),
    ("g - g.mean(axis=0)", "g + g.mean(axis=0)", "sign_of"),
    ("g - g.mean(axis=0)", "g - g.sum(axis=0)", "other"),
    ("g - g.mean(axis=0)", "g - g.mean(axis=1, keepdims=True)", None),
    ("g - g.mean(axis=0)", "g - g.mean()", "other"),
    ("g.sum(axis=0)", "g[-1]", "one_place"),
    ("a[:, 1:3]", "a[:, 0:2]", "window"),
    ("a[:, :3]", "a[:, 1:4]", "window"),
    ("a[1] @ a[2]", "a[1] @ a[0]", None),
    ("g.sum(axis=0)", "g", "reduction_missing"),
    ("x.T @ g", "x.T @ g / 5", "mean_for_sum"),
    ("x.T @ g", "g.T @ x", "transposed"),
    ("x.T @ g", "z.T @ g", "other"),
    ("g @ W.T", "g @ W", "not_transposed"),
    ("g * np.cos(z)", "g * np.sin(z)", "other"),
    ("g * (z > 0)", "g * (z < 0)", "other"),
    ("g * (z > 0)", "g * (h + 1 > 0) * (z > 0) * h", "factor_more"),
    ("g / np.sqrt(v + 1e-5)", "g / (np.sqrt(v) + 1e-5)", "other"),
    ("g / np.sqrt(v)", "g / np.sqrt(v + 1e-3)", "epsilon"),
    ("g / np.sqrt(v)", "g / v", "function_missing"),
    ("-0.5 * g * v ** -1.5", "-0.5 * g * v ** -0.5", "other"),
    ("a.transpose(0, 2, 1)", "a.transpose(0, 2, 1).transpose(1, 0, 2)", "permuted"),
    ("a.transpose(2, 1, 0)", "a.reshape(4, 4, 3)", "other"),
    ("g[:, ::-1] * 2", "g * 2", "reversed"),
    ("g[1:] * 2", "g[:-1] * 2", None),
    ("g[:, 1:3]", "g[:, 0:3]", "index"),
    ("g * z", "np.concatenate([(g * z)[:, 2:], (g * z)[:, :2]], axis=1)", "blocks"),
    ("long * 2", "np.roll(long, 450) * 2", "blocks"),
    ("long * 2", "np.concatenate([long[:225], long[450:675], long[225:450], long[675:]]) * 2", "blocks"),
]  # fmt: skip


@pytest.mark.parametrize(("right", "wrong", "sentence"), MISTAKES)
def test_a_mistake_is_found_as_the_edit_that_it_is(right: str, wrong: str, sentence: str | None) -> None:
    made, edit = found(right, value(wrong))
    assert edit is not None
    np.testing.assert_allclose(made.edited(edit.exchanged()), value(wrong), rtol=1e-9, atol=1e-12)
    if sentence is not None:
        assert [e.sentence for e in edit.edits] == [sentence]


@pytest.mark.parametrize(("right", "wrong", "sentence"), MISTAKES)
def test_what_was_edited_gives_the_wrong_numbers_when_it_is_run_as_it_is_written(
    right: str, wrong: str, sentence: str | None
) -> None:
    made, edit = found(right, value(wrong))
    assert edit is not None
    np.testing.assert_allclose(value(str(edit.applied(made.root))), value(wrong), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("g * (1 - h**2)", "-2 * g"),
        ("g * (1 - h**2)", "g * (1 - h) / 5"),
        ("2 * g * z + g.mean(axis=0)", "g * z"),
    ],
)
def test_two_edits_are_found_together(right: str, wrong: str) -> None:
    _, edit = found(right, value(wrong))
    assert edit is not None
    assert len(edit.edits) == 2


@pytest.mark.parametrize("right", list(dict.fromkeys(right for right, _, _ in MISTAKES)))
def test_noise_has_no_cause(right: str) -> None:
    rng = np.random.default_rng(0)
    for size in (1e-6, 1e-3, 0.1, 1.0):
        wrong = value(right)
        assert found(right, wrong + size * rng.standard_normal(np.shape(wrong)))[1] is None


@pytest.mark.parametrize(
    ("rule", "book"),
    [
        ("g * ((1 - h) * (1 + h))", "g * (1 - h ** 2)"),
        ("(x.T @ g).T", "g.T @ x"),
        ("(-g).sum(axis=0)", "-g.sum(axis=0)"),
        ("g + -h", "g - h"),
        ("1.0 * g", "g"),
        ("0.2 * g", "g / 5"),
        ("g * (2.0 * z) / 2", "g * z"),
        ("g * h * h", "g * h * h"),
    ],
)
def test_a_program_is_brought_to_the_form_of_a_textbook(rule: str, book: str) -> None:
    assert str(textbook(program(rule)).root) == book


def test_an_edit_of_what_is_used_twice_shows_in_both_places() -> None:
    made = program("(g * h) + (g * h).sum(axis=0)")
    first = made.root.args[0]
    shared = replaced(made.root, {made.root.args[1].args[0].args[0]: first})
    edited = replaced(shared, {first: first.args[0]})
    assert str(edited) == "g + g.sum(axis=0)"
    assert len({id(x) for x in in_order([edited]) if x.op == "name"}) == 1


def test_a_cause_that_holds_at_one_point_alone_is_none() -> None:
    x = RNG.standard_normal((6, 3))

    def loss(p: Any) -> Any:
        z = x @ p["w"]
        return np.sum(z)

    def by_accident(p: Any) -> Any:
        return {"w": np.sum(x, axis=0) * (1 + p["w"][0])}

    p = {"w": np.array([1.0, 0.5, 0.25])}
    assert tg.check.gradients(loss, p, by_accident(p), evaluations=0).parameters[0].explanation is not None
    report = tg.check.gradients(loss, p, by_accident, evaluations=0)
    assert "it is 2 times" not in str(report.parameters[0].explanation)


def test_a_user_can_add_a_kind_of_edits() -> None:
    @kind(least=1.0)
    def arcus(x: Term, context: Context) -> Any:
        if x.op == "name" and x.data == "z":
            made = call("arctan", x)
            yield Edit({x: made}, 1.0, "other", {"x": x, "y": made}, "arctan")

    try:
        _, edit = found("g * z", value("g * np.arctan(z)"))
        assert edit is not None
        assert str(edit.edits[0].words["y"]) == "np.arctan(z)"
    finally:
        EDITS.remove((1.0, arcus))


def test_the_line_that_is_wrong_is_told_with_its_file() -> None:
    x = RNG.standard_normal((6, 3))

    def loss(p: Any) -> Any:
        var = np.mean((x * p["w"]) ** 2, axis=0)
        inv = (var + 1e-3) ** -0.5
        return np.sum(inv)

    def by_hand(p: Any) -> Any:
        var = np.mean((x * p["w"]) ** 2, axis=0)
        dinv = np.ones(3)
        dvar = -0.5 * dinv * (var + 1e-3) ** -0.5
        return {"dinv": dinv, "dvar": dvar, "dw": dvar * 2 * np.mean(x * p["w"] * x, axis=0)}

    cause = tg.check.gradients(loss, {"w": np.array([1.0, 0.5, 2.0])}, by_hand, evaluations=0).first_wrong.cause
    assert cause.you == "dvar = -0.5 * dinv * (var + 0.001) ** -0.5"
    assert cause.right == "dvar = -0.5 * dinv * (var + 0.001) ** -1.5"
    assert cause.line == f"test_edits.py:{by_hand.__code__.co_firstlineno + 3}"


def test_a_line_before_the_one_that_made_the_array_is_told() -> None:
    x = RNG.standard_normal((6, 3))

    def loss(p: Any) -> Any:
        z = x * p["w"]
        return np.sum(np.tanh(z) ** 2)

    def by_hand(p: Any) -> Any:
        t = np.tanh(x * p["w"])
        slope = 1 - t
        dz = t * slope * 2
        return {"dz": dz, "dw": np.sum(dz * x, axis=0)}

    cause = tg.check.gradients(loss, {"w": np.array([1.0, 0.5, 2.0])}, by_hand, evaluations=0).first_wrong.cause
    assert (cause.you, cause.right) == ("slope = 1 - t", "slope = 1 - t ** 2")


def test_a_loop_is_corrected_in_all_iterations() -> None:
    xs = RNG.standard_normal((4, 3))

    def loss(p: Any) -> Any:
        h = np.zeros(3)
        for x in xs:
            h = np.tanh(p["W"] @ h + x)
        return np.sum(h**2)

    def by_hand(p: Any) -> Any:
        hs = [np.zeros(3)]
        for x in xs:
            hs.append(np.tanh(p["W"] @ hs[-1] + x))
        dW, dh = np.zeros((3, 3)), 2 * hs[-1]
        for t in reversed(range(4)):
            dz = dh * (1 - hs[t + 1] ** 2)
            dW += np.outer(dz, hs[t + 1])
            dh = p["W"].T @ dz
        return {"W": dW}

    p = {"W": RNG.standard_normal((3, 3))}
    cause = tg.check.gradients(loss, p, by_hand, evaluations=0).parameters[0].cause
    assert cause.you == "dW += np.outer(dz, hs[t + 1])"
    assert cause.right == "dW += np.outer(dz, hs[t])"


def test_a_factor_that_comes_in_at_the_end_is_a_convention() -> None:
    x, y = RNG.standard_normal((6, 3)), RNG.standard_normal((6, 2))

    def loss(p: Any) -> Any:
        z = x @ p["W"]
        h = np.tanh(z)
        return np.mean(np.sum((h - y) ** 2, axis=1))

    def by_hand(p: Any, forgotten: int = 1) -> Any:
        h = np.tanh(x @ p["W"])
        dh = 2 * (h - y)
        dz = dh * (1 - h**2)
        return {"dh": dh, "dz": dz, "dW": forgotten * x.T @ dz / 6}

    p = {"W": RNG.standard_normal((3, 2))}
    report = tg.check.gradients(loss, p, by_hand)
    assert report.ok
    assert report.conclusions == []
    assert [step.wrong for step in report.steps] == [False, False, False]
    assert any("is 6 times" in note for note in report.notes)
    assert tg.check.gradients(loss, p, lambda p: by_hand(p, 6)).first_wrong.name == "dh"


def test_values_that_do_not_fit_are_refused_where_numpy_would_crash() -> None:
    index, shape, g = Term("name", (), "index"), Term("name", (), "shape"), Term("name", (), "g")
    scatter = Term("name", (), "scatter")
    values = {index: (slice(None), 0, 1), shape: (2, 3, 3), g: np.ones(2), scatter: helpers.scatter}
    program = Program(Term("call", [scatter, g, index, shape], ()), values)
    assert program.value.sum() == 2
    other = Term("name", (), "other")
    values[other] = np.ones((2, 3, 3))
    assert Program(program.root, values).edited({g: other}) is None


def test_an_edit_of_a_large_program_is_found_on_a_part_of_it() -> None:
    rng = np.random.default_rng(0)
    scope = {"x": rng.standard_normal((8, 300)), "g": rng.standard_normal((8, 200)), "h": rng.random((8, 200))}
    names = {"np": NP, **{name: Term("name", (), name) for name in scope}}
    leaves = {names[name]: value for name, value in scope.items()}
    right = from_ast(ast.parse("x.T @ (g * (1 - h**2))", mode="eval").body, names)
    made = Program(right, leaves)
    target = scope["x"].T @ (scope["g"] * (1 - scope["h"]))
    context = Context(made, list(leaves), target, lambda x: bool(np.allclose(x, target, rtol=1e-12)), Numbers([], []))
    effort = Effort(math.inf)
    found = smallest(context, lambda _: True, effort)
    assert found is not None
    assert str(found.applied(right)) == "x.T @ (g * (1 - h))"
    assert effort.spent < 5000  # each edit of the whole takes 60


def test_what_sums_along_a_restricted_axis_is_taken_as_it_is() -> None:
    rng = np.random.default_rng(0)
    g, w = Term("name", (), "g"), Term("name", (), "w")
    values = {g: rng.standard_normal((30, 200)), w: rng.standard_normal(200)}
    root = from_ast(ast.parse("g * (g @ w)[:, None]", mode="eval").body, {"np": NP, "g": g, "w": w})
    whole = Program(root, values)
    part = Restricted(whole, {200: np.array([3, 5, 8]), 30: np.array([0, 7])})
    np.testing.assert_array_equal(part.value, whole.value[np.ix_([0, 7], [3, 5, 8])])


def test_one_element_of_each_block_is_no_sum_of_it() -> None:
    goal = np.arange(24.0).reshape(4, 6) ** 1.5

    def loss(p: Any) -> Any:
        y = np.repeat(np.repeat(p["x"], 2, axis=0), 2, axis=1)
        return np.sum((y - goal) ** 2)

    x = np.array([[0.3, -1.2, 0.7], [2.1, 0.4, -0.6]])
    dy = 2 * (x.repeat(2, axis=0).repeat(2, axis=1) - goal)
    for dx, said in ((dy[::2, ::2], "dy[::2, ::2]"), (dy[1::2, 1::2], "dy[1::2, 1::2]")):
        report = tg.check.gradients(loss, {"x": x}, {"dy": dy, "dx": dx}, evaluations=0)
        assert f"of 4 contributions that are added up only {said} counts" in str(report.first_wrong.explanation)


def test_cotangents_with_a_factor_until_later_are_a_convention() -> None:
    def loss(p: Any) -> Any:
        h = np.tanh(p["w"])
        y = h**2
        return np.mean(y)

    w = np.array([0.3, -1.2, 0.7])
    h = np.tanh(w)
    dh = 2 * h
    dw = dh * (1 - h**2) / 3
    report = tg.check.gradients(loss, {"w": w}, {"dy": np.ones(3) / 3, "dh": dh, "dw": dw}, evaluations=0)
    assert report.first_wrong is None
    assert any(note.startswith("dh: each is 3 times") for note in report.notes)
