"""The training loop: what it computes, when it stops, and what it returns."""

from __future__ import annotations

import os
import signal
import threading
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import tinygrad_cnn as tg
from tinygrad_cnn import nn
from tinygrad_cnn.train import DataLoader, Epoch, fit

RNG = np.random.default_rng(0)
X = RNG.normal(size=(50, 3))
Y = (X[:, 0] + X[:, 1] ** 2 > 0.5).astype(int)


@dataclass(frozen=True)
class MLP:
    W: Any
    c: Any
    V: Any

    def __call__(self, x: Any) -> Any:
        return np.tanh(x @ self.W + self.c) @ self.V


MODEL = MLP(RNG.normal(size=(3, 8)), np.zeros(8), RNG.normal(size=(8, 2)))


def cross_entropy(model: MLP, x: Any, y: Any) -> Any:
    return nn.softmax_cross_entropy(model(x), y)


def accuracy(model: MLP, x: Any, y: Any) -> float:
    return nn.accuracy(model(x), y)


def leaves(tree: Any) -> list[Any]:
    return [x.tolist() if isinstance(x, np.ndarray) else x for x in tg.tree.flatten(tree).leaves]


def close(a: Any, b: Any) -> bool:
    return all(map(np.allclose, tg.tree.flatten(a).leaves, tg.tree.flatten(b).leaves))


@pytest.mark.parametrize("compiled", [True, False])
def test_it_takes_the_steps_of_a_loop_that_is_written_out(compiled: bool) -> None:
    optimiser = nn.AdamW(nn.cosine_schedule(0.01, steps=9))
    model, memory, losses = MODEL, optimiser.init(MODEL), []
    for epoch in range(3):
        total = 0.0
        for x, y in DataLoader(X, Y, batch_size=16, seed=4).batches(epoch):
            value, gradients = tg.value_and_grad(cross_entropy)(model, x, y)
            model, memory = optimiser.update(model, gradients, memory)
            total += float(value) * len(x)
        losses.append(total / len(X))
    fitted = fit(MODEL, cross_entropy, (X, Y), optimiser, epochs=3, batch_size=16, seed=4, compiled=compiled)
    assert close(fitted.model, model)
    assert isinstance(fitted.model, MLP)
    assert np.allclose(fitted.history["loss"], losses)
    assert fitted.optimiser["steps"] == memory["steps"] == 12
    assert (fitted.backend in ("c", "numpy")) if compiled else fitted.backend == "eager"
    assert (fitted.stopped, fitted.best_epoch) == (None, 3)


def test_a_training_is_the_same_each_time_and_leaves_its_arguments_unchanged() -> None:
    before = leaves(MODEL)
    first, second = (fit(MODEL, cross_entropy, (X, Y), nn.Adam(0.01), epochs=3, seed=1) for _ in range(2))
    assert leaves(first.model) == leaves(second.model)
    assert leaves(MODEL) == before


def test_data_with_their_own_loader_are_taken_from_it() -> None:
    loader = DataLoader(X, Y, batch_size=20, seed=3, workers=2)
    own = fit(MODEL, cross_entropy, loader, tg.SGD(0.1), epochs=2)
    assert leaves(own.model) == leaves(
        fit(MODEL, cross_entropy, (X, Y), tg.SGD(0.1), epochs=2, batch_size=20, seed=3).model
    )
    with pytest.raises(ValueError, match="data is a DataLoader, which has a batch size of its own"):
        fit(MODEL, cross_entropy, loader, tg.SGD(0.1), epochs=2, batch_size=20)


def test_the_history_has_a_row_for_each_epoch() -> None:
    pandas = pytest.importorskip("pandas")
    seen: list[Epoch] = []
    fitted = fit(
        MODEL, cross_entropy, (X[10:], Y[10:]), nn.Adam(0.05), epochs=4, validation=(X[:10], Y[:10]),
        metrics={"accuracy": accuracy}, callbacks=[seen.append],
    )  # fmt: skip
    table = pandas.DataFrame(fitted.history)
    assert list(table) == ["epoch", "loss", "validation_loss", "accuracy", "seconds"]
    assert table["epoch"].tolist() == [1, 2, 3, 4] == [epoch.number for epoch in seen]
    for k, epoch in enumerate(seen):
        assert table["validation_loss"][k] == pytest.approx(cross_entropy(epoch.model, X[:10], Y[:10]))
        assert table["accuracy"][k] == pytest.approx(accuracy(epoch.model, X[:10], Y[:10])) == epoch.metrics["accuracy"]
        assert epoch.best == (epoch.validation_loss == min(table["validation_loss"][: k + 1]))


def test_without_validation_metrics_are_measured_on_the_training_data_without_their_transform() -> None:
    loader = DataLoader(X, Y, transform=lambda batch, rng: (batch.x + rng.normal(size=batch.x.shape), batch.y))
    fitted = fit(MODEL, cross_entropy, loader, nn.Adam(0.05), epochs=2, metrics={"accuracy": accuracy})
    assert fitted.history["accuracy"][-1] == pytest.approx(accuracy(fitted.model, X, Y))


def test_the_best_model_is_returned_and_training_stops_out_of_patience() -> None:
    models = []
    fitted = fit(
        MODEL, cross_entropy, (X[25:], Y[25:]), nn.Adam(0.2), epochs=200, validation=(X[:25], Y[:25]), patience=5,
        callbacks=[lambda epoch: models.append(epoch.model)],
    )  # fmt: skip
    losses = fitted.history["validation_loss"]
    assert len(losses) < 200
    assert losses[fitted.best_epoch - 1] == min(losses)
    assert len(losses) == fitted.best_epoch + 5
    assert leaves(fitted.model) == leaves(models[fitted.best_epoch - 1])
    assert fitted.stopped is not None
    assert f"after epoch {fitted.best_epoch}" in fitted.stopped


def test_a_callback_that_returns_true_stops() -> None:
    fitted = fit(
        MODEL, cross_entropy, (X, Y), nn.Adam(), epochs=9, callbacks=[lambda e: np.bool_(e.number == 3), lambda e: X]
    )
    assert fitted.history["epoch"] == [1, 2, 3]
    assert fitted.stopped == "a callback asked for it after epoch 3"


def running_mean(model: MLP, state: Any, x: Any, y: Any) -> Any:
    mean = 0.9 * state["mean"] + 0.1 * x.mean(axis=0)
    return nn.softmax_cross_entropy(model(x - mean), y), {"mean": mean}


@pytest.mark.parametrize("compiled", [True, False])
def test_state_goes_from_step_to_step(compiled: bool) -> None:
    fitted = fit(
        MODEL, running_mean, (X, Y), nn.Adam(), epochs=2, batch_size=25, state={"mean": np.zeros(3)}, compiled=compiled,
        validation=(X[:32], Y[:32]),
        metrics={"distance": lambda model, state, x, y: np.abs(state["mean"] - x.mean(axis=0)).max()},
    )  # fmt: skip
    mean = np.zeros(3)
    for epoch in range(fitted.best_epoch):
        for x, _ in DataLoader(X, Y, batch_size=25).batches(epoch):
            mean = 0.9 * mean + 0.1 * x.mean(axis=0)
    assert np.allclose(fitted.state["mean"], mean)
    assert fitted.history["distance"][fitted.best_epoch - 1] == pytest.approx(np.abs(mean - X[:32].mean(axis=0)).max())


def test_a_loss_with_a_parameter_state_gets_none_where_there_is_none() -> None:
    def stateless(model: MLP, state: Any, x: Any, y: Any) -> Any:
        assert state is None
        return cross_entropy(model, x, y), state

    with_state, without = (fit(MODEL, loss, (X, Y), nn.Adam(), epochs=2) for loss in (stateless, cross_entropy))
    assert leaves(with_state.model) == leaves(without.model)
    assert with_state.state is None


def test_a_loss_with_state_has_to_return_it() -> None:
    with pytest.raises(TypeError, match=r"the loss returned \w+; with state, expected \(number, state\)"):
        fit(MODEL, lambda model, state, x, y: cross_entropy(model, x, y), (X, Y), nn.Adam(), epochs=1, state={})


def dropped(model: MLP, x: Any, y: Any, rng: np.random.Generator | None) -> Any:
    hidden = nn.dropout(np.tanh(x @ model.W + model.c), 0.5, rng)
    if rng is not None:
        hidden = hidden + 0.01 * rng.normal(size=hidden.shape)
    return nn.softmax_cross_entropy(hidden @ model.V, y)


def test_a_compiled_step_draws_the_random_numbers_of_an_eager_one() -> None:
    data = {"epochs": 3, "batch_size": 16, "validation": (X, Y)}
    compiled, eager = (fit(MODEL, dropped, (X, Y), nn.Adam(0.05), compiled=c, **data) for c in (True, False))
    assert compiled.backend in ("c", "numpy")
    assert eager.backend == "eager"
    assert close(compiled.model, eager.model)
    assert not close(compiled.model, fit(MODEL, dropped, (X, Y), nn.Adam(0.05), seed=1, **data).model)
    value = dropped(compiled.model, X, Y, None)
    assert compiled.history["validation_loss"][compiled.best_epoch - 1] == pytest.approx(value)


def test_each_step_draws_numbers_of_its_own() -> None:
    drawn = []

    def loss(w: Any, x: Any, y: Any, rng: np.random.Generator) -> Any:
        drawn.append(rng.random())
        return np.sum(w * x)

    fit(1.0, loss, (np.ones(10), np.ones(10)), tg.SGD(0.0), epochs=3, batch_size=2, compiled=False)
    assert len(set(drawn)) == 15


def test_what_cannot_be_traced_is_run_eagerly_and_the_reason_given() -> None:
    def branching(model: MLP, x: Any, y: Any) -> Any:
        return cross_entropy(model, x, y) if model.c[0] < 1 else np.sum(model.c)

    def depending(model: MLP, x: Any, y: Any, rng: np.random.Generator | None) -> Any:
        return cross_entropy(model, x, y) + (0 if rng is None else rng.random(rng.integers(1, 4)).sum())

    def shuffled(model: MLP, x: Any, y: Any, rng: np.random.Generator) -> Any:
        order = np.arange(3)
        rng.shuffle(order)
        return cross_entropy(model, x[:, order], y)

    for loss, reason in ((branching, "branch"), (depending, "rng.random"), (shuffled, "rng.shuffle")):
        fitted, eager = (fit(MODEL, loss, (X, Y), nn.Adam(), epochs=2, compiled=c) for c in (True, False))
        assert fitted.backend.startswith("eager: ")
        assert reason in fitted.backend
        assert leaves(fitted.model) == leaves(eager.model)


def test_tensors_in_a_model_become_arrays() -> None:
    fitted = fit({"w": tg.Tensor(1.0, "w")}, lambda p, x, y: np.mean(p["w"] * x), (X, Y), tg.SGD(0.1), epochs=1)
    assert type(fitted.model["w"]) in (np.ndarray, np.float64)
    assert fitted.backend in ("c", "numpy")


def exploding(w: Any, x: Any, y: Any) -> Any:
    return np.mean(np.log(w * x))


@pytest.mark.parametrize("compiled", [True, False])
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_loss_that_is_not_finite_stops_and_the_last_finite_model_is_returned(compiled: bool) -> None:
    models = []
    fitted = fit(
        np.array(1.0), exploding, (np.ones(8), np.ones(8)), tg.SGD(0.2), epochs=9, batch_size=2, compiled=compiled,
        callbacks=[lambda epoch: models.append(epoch.model)],
    )  # fmt: skip
    assert fitted.stopped == "the loss is nan in epoch 2, batch 1"
    assert len(fitted.history["loss"]) == fitted.best_epoch == 1
    assert fitted.model == models[0]


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_parameters_that_are_not_finite_are_not_returned() -> None:
    fitted = fit(1.0, lambda w, x, y: np.mean(w * x) * 1e300, (X, Y), tg.SGD(1e300), epochs=2)
    assert fitted.stopped == "the loss is nan in epoch 1, batch 2"
    assert (fitted.model, fitted.best_epoch) == (1.0, 0)
    fitted = fit(1.0, lambda w, x, y: np.mean(w * x) * 1e300, (X, Y), tg.SGD(1e300), epochs=2, batch_size=50)
    assert fitted.stopped == "the parameters are not finite after epoch 1"
    assert fitted.model == 1.0


def test_a_validation_loss_that_is_nan_stops() -> None:
    def loss(w: Any, x: Any, y: Any) -> Any:
        return np.mean(w * x) * np.where(x.sum() > 1e3, np.nan, 1.0)

    bad = (np.full(4, 1e3), np.zeros(4))
    fitted = fit(1.0, loss, (np.ones(4), np.ones(4)), tg.SGD(0.1), epochs=5, validation=bad)
    assert fitted.stopped == "the validation loss is nan after epoch 1"
    assert (fitted.model, fitted.best_epoch) == (1.0, 0)


def interrupting(epoch: Epoch) -> None:
    if epoch.number == 3:
        signal.raise_signal(signal.SIGINT)


def test_ctrl_c_returns_the_best_model_and_reports_it(capsys: pytest.CaptureFixture[str]) -> None:
    handler = signal.getsignal(signal.SIGINT)
    fitted = fit(MODEL, cross_entropy, (X, Y), nn.Adam(), epochs=9, callbacks=[interrupting])
    assert fitted.stopped == "interrupted in epoch 4, after 0 of 2 batches"
    assert fitted.best_epoch == 3
    assert capsys.readouterr().err == f"fit: {fitted.stopped}; the current model is returned\n"
    assert leaves(fitted.model) == leaves(fit(MODEL, cross_entropy, (X, Y), nn.Adam(), epochs=3).model)
    assert signal.getsignal(signal.SIGINT) is handler


def test_ctrl_c_returns_the_model_with_the_lowest_validation_loss(capsys: pytest.CaptureFixture[str]) -> None:
    data = {"epochs": 9, "validation": (X, 1 - Y)}  # which only gets worse
    fitted = fit(MODEL, cross_entropy, (X, Y), nn.Adam(0.1), callbacks=[interrupting], **data)
    assert capsys.readouterr().err.endswith("batches; the best model, after epoch 1, is returned\n")
    assert fitted.best_epoch == 1
    assert leaves(fitted.model) == leaves(fit(MODEL, cross_entropy, (X, Y), nn.Adam(0.1), epochs=1).model)


def test_ctrl_c_during_a_step_ends_after_it(capsys: pytest.CaptureFixture[str]) -> None:
    def transform(batch: Any, rng: Any) -> Any:
        if batch.x[0, 0] == X[DataLoader(X, Y, batch_size=10).order(1)[20], 0]:  # batch 3 of epoch 2
            os.kill(os.getpid(), signal.SIGINT)
        return batch

    loader = DataLoader(X, Y, batch_size=10, transform=transform)
    fitted = fit(MODEL, cross_entropy, loader, nn.Adam(), epochs=9)
    assert fitted.stopped == "interrupted in epoch 2, after 3 of 5 batches"
    assert fitted.optimiser["steps"] == 8
    assert "interrupted" in capsys.readouterr().err


def test_a_second_ctrl_c_is_an_interrupt_as_usual() -> None:
    def twice(epoch: Epoch) -> None:
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        fit(MODEL, cross_entropy, (X, Y), nn.Adam(), epochs=9, callbacks=[twice])


def test_it_runs_in_another_thread() -> None:
    found = []
    thread = threading.Thread(
        target=lambda: found.append(fit(MODEL, cross_entropy, (X, Y), nn.Adam(), epochs=2, seed=1))
    )
    thread.start()
    thread.join()
    assert leaves(found[0].model) == leaves(fit(MODEL, cross_entropy, (X, Y), nn.Adam(), epochs=2, seed=1).model)


def test_a_progress_bar_is_drawn_where_it_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("rich")
    fit(MODEL, cross_entropy, (X, Y), nn.Adam(), epochs=2)
    assert capsys.readouterr() == ("", "")
    fit(MODEL, cross_entropy, (X, Y), nn.Adam(), epochs=2, progress=True)
    out, err = capsys.readouterr()
    assert "epoch 2 of 2, loss 0." in err
    assert out == ""


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"epochs": -1}, "epochs is -1; expected an integer of at least 0"),
        ({"epochs": 2.5}, "epochs is 2.5; expected an integer of at least 0"),
        ({"every": 0}, "every is 0; expected an integer of at least 1"),
        ({"seed": -3}, "seed is -3; expected an integer of at least 0"),
        ({"patience": 3}, "patience is 3, but validation is None; expected validation= with it, or no patience"),
        ({"resume": True}, "resume is True, but checkpoints is None; expected checkpoints= with it, or no resume"),
        ({"optimiser": nn.Adam}, "optimiser is <class .*Adam'>; expected an optimiser, such as"),
        ({"optimiser": 0.1}, "optimiser is 0.1; expected an optimiser"),
        ({"metrics": [accuracy]}, "metrics is of type list; expected a dict of functions by name"),
        ({"callbacks": print}, "callbacks is of type builtin_function_or_method; expected a list of functions"),
        ({"metrics": {"loss": accuracy}}, "a metric has the name 'loss'"),
        ({"data": X}, "data is of type ndarray; expected a pair"),
        ({"validation": 0.2}, "validation is of type float; expected a pair"),
        ({"metrics": {"scores": lambda model, x, y: model(x)}}, r"scores has shape \(32, 2\); expected one number"),
        ({"batch_size": 51}, "DataLoader: batch_size is 51; expected 1 to 50, the number of examples"),
    ],
)
def test_arguments_that_are_wrong_are_refused(keywords: Any, message: str) -> None:
    with pytest.raises((ValueError, TypeError), match=message):
        fit(**{"model": MODEL, "loss": cross_entropy, "data": (X, Y), "optimiser": nn.Adam(), "epochs": 1, **keywords})


def test_a_label_out_of_range_is_named() -> None:
    labels = Y.copy()
    labels[7] = 5
    with pytest.raises(ValueError, match=r"softmax_cross_entropy: labels\[\d+\] is 5; expected 0 to 1"):
        fit(MODEL, cross_entropy, (X, labels), nn.Adam(), epochs=1)
