"""How long a check takes: effort is counted, and once the time is over everything ends, and says so."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinygrad_cnn as tg
from tinygrad_cnn.check import cross_check
from tinygrad_cnn.check.deadline import NEVER, Deadline, Effort, time_left, until
from tinygrad_cnn.check.witnesses.autodiff import Subject

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(6, 4)), RNG.normal(size=(6, 3))
P = {"W": RNG.normal(size=(4, 3)), "V": RNG.normal(size=(3, 3)), "b": RNG.normal(size=3)}


class Clock:
    """A clock that goes on by as much whenever somebody looks at it."""

    def __init__(self, tick: float) -> None:
        self.now, self.tick = 0.0, tick

    def __call__(self) -> float:
        self.now += self.tick
        return self.now


def loss(p: Any) -> Any:
    return np.sum((np.tanh(X @ p["W"] + p["b"]) @ p["V"] - Y) ** 2)


def perturbed(p: Any) -> Any:
    """A gradient that no one edit explains."""
    h = np.tanh(1.01 * X @ p["W"] + 1.02 * p["b"])
    error = 2 * (1.03 * h @ p["V"] - 1.04 * Y)
    dz = error @ p["V"].T * (1 - h**2)
    return {"W": X.T @ dz, "V": h.T @ error, "b": dz.sum(axis=0)}


def checked(monkeypatch: pytest.MonkeyPatch, clock: Clock, seconds: float) -> Any:
    monkeypatch.setattr(cross_check, "Deadline", lambda seconds: Deadline(seconds, clock))
    return tg.check.gradients(loss, P, perturbed, seconds=seconds)


@pytest.mark.parametrize("seconds", [0.02, 0.05, 0.2])
def test_when_the_time_is_over_all_ends_and_the_report_says_what_was_not_looked_for(
    monkeypatch: pytest.MonkeyPatch, seconds: float
) -> None:
    clock = Clock(tick=1e-3)
    report = checked(monkeypatch, clock, seconds)
    assert not report.ok
    assert clock.now <= 1.1 * seconds + 0.02
    assert [note for note in report.notes if note.endswith("the time was over")]


def test_there_is_no_such_note_where_a_cause_was_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def doubled(p: Any) -> Any:
        return {name: 2 * np.asarray(g) for name, g in tg.grad(loss)(p).items()}

    report = tg.check.gradients(loss, P, doubled, evaluations=0)
    assert all(p.cause is not None for p in report.parameters)
    assert not [note for note in report.notes if "was not looked for to the end" in note]


def test_effort_of_a_part_is_effort_of_the_whole() -> None:
    whole = Effort(100)
    part = whole.part(60)
    part.spend(60)
    assert part.is_over()
    assert not whole.is_over()
    assert whole.part(60).operations == 40
    assert whole.part(60, at_least=50).operations == 50
    whole.spend(40)
    assert whole.is_over()


def test_a_share_of_a_deadline_is_over_earlier() -> None:
    clock = Clock(tick=1.0)
    deadline = Deadline(10.0, clock)
    share = deadline.share(0.5)
    while not share.is_over():
        pass
    assert not deadline.is_over()
    assert not Deadline(None, clock).is_over()


SLOW = 0.3  # seconds that a call takes


def slow(clock: Clock, function: Any) -> Any:
    def call(p: Any) -> Any:
        clock.now += SLOW
        return function(p)

    return call


@pytest.mark.parametrize("seconds", [0.5, 1.0, 2.0, 5.0])
@pytest.mark.parametrize("which", ["loss", "gradient", "both"])
def test_no_call_is_begun_that_would_end_too_late(monkeypatch: pytest.MonkeyPatch, which: str, seconds: float) -> None:
    clock = Clock(tick=1e-5)
    monkeypatch.setattr(cross_check, "Deadline", lambda seconds: Deadline(seconds, clock))
    functions = [
        slow(clock, f) if which in (name, "both") else f for f, name in ((loss, "loss"), (perturbed, "gradient"))
    ]
    report = tg.check.gradients(functions[0], P, functions[1], seconds=seconds)
    assert not report.ok
    assert clock.now <= max(1.1 * seconds + 0.1, SLOW * (1 + (which == "both")) + 0.1)


def test_a_call_is_broken_off_between_two_operations_of_the_loss() -> None:
    clock, operations = Clock(tick=0.0), 0

    def long_loss(p: Any) -> Any:
        nonlocal operations
        h = p["W"]
        for _ in range(100):
            operations, clock.now = operations + 1, clock.now + 0.01
            h = np.tanh(h)
        return np.sum(h)

    subject = Subject.of(long_loss, P)
    with until(Deadline(0.5, clock)):
        subject.run()
    assert operations == 50
    assert not subject.changed()


def test_what_runs_to_the_end_is_not_broken_off() -> None:
    clock, done = Clock(tick=1.0), []
    with until(Deadline(0.5, clock)):
        with until(NEVER):
            time_left()
            done.append("within")
        time_left()
        done.append("after")
    time_left()
    assert done == ["within"]
