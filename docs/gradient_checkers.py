"""Write docs/gradient_checkers.md: what gradient checkers find in the same hand-derived gradients, wrong and right.

    pip install -e '.[bench]'
    python docs/gradient_checkers.py

The gradients are those of tests/support/mutants.py. PyTorch and JAX are given the loss as a function whose backward
pass is the hand-derived gradient (`torch.autograd.Function`, `jax.custom_vjp`), and their checkers are called with
their own defaults. A checker that is not installed has no column.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "tests" / "support"))

from mutants import MUTANTS, RIGHT  # noqa: E402  (found by the path above)

import tinygrad_cnn as tg  # noqa: E402

Loss = Callable[[dict[str, Any]], Any]
ByHand = Callable[[dict[str, Any]], dict[str, Any]]
Checker = Callable[[Loss, ByHand, dict[str, Any]], bool]  # whether it accepts the gradient


def gradient(by_hand: ByHand, p: dict[str, Any]) -> list[np.ndarray]:
    """The gradients of the parameters alone, in their order."""
    found = by_hand(p)
    return [np.asarray(found.get(f"dL_d{name}", found.get(name)), float) for name in p]


def by_pytorch() -> tuple[str, Checker]:
    """PyTorch's checker, with its name."""
    import torch

    def content(loss: Loss, by_hand: ByHand, point: dict[str, Any]) -> bool:
        names = list(point)

        class Wrapped(torch.autograd.Function):
            @staticmethod
            def forward(ctx: Any, *tensors: Any) -> Any:
                ctx.arrays = [t.detach().numpy() for t in tensors]
                return torch.tensor(float(loss(dict(zip(names, ctx.arrays, strict=True)))), dtype=torch.float64)

            @staticmethod
            def backward(ctx: Any, cotangent: Any) -> Any:
                found = gradient(by_hand, dict(zip(names, ctx.arrays, strict=True)))
                return tuple(cotangent * torch.tensor(g) for g in found)

        inputs = [torch.tensor(np.asarray(x, float), requires_grad=True) for x in point.values()]
        try:
            return bool(torch.autograd.gradcheck(Wrapped.apply, inputs, raise_exception=False))
        except RuntimeError:  # of a gradient of the wrong shape
            return False

    return f"PyTorch {torch.__version__.split('+')[0]}, gradcheck", content


def by_jax() -> tuple[str, Checker]:
    """JAX's checker, with its name."""
    import jax
    from jax.test_util import check_grads

    jax.config.update("jax_enable_x64", True)

    def content(loss: Loss, by_hand: ByHand, point: dict[str, Any]) -> bool:
        names, scalar = list(point), jax.ShapeDtypeStruct((), np.float64)

        def value(*arrays: Any) -> Any:
            return np.float64(loss({name: np.asarray(x) for name, x in zip(names, arrays, strict=True)}))

        def backward(*arrays: Any) -> Any:
            return gradient(by_hand, {name: np.asarray(x) for name, x in zip(names, arrays, strict=True)})

        @jax.custom_vjp
        def wrapped(*arrays: Any) -> Any:
            return jax.pure_callback(value, scalar, *arrays)

        def forward(*arrays: Any) -> Any:
            return wrapped(*arrays), arrays

        def pulled(arrays: Any, cotangent: Any) -> Any:
            shapes = [jax.ShapeDtypeStruct(x.shape, np.float64) for x in arrays]
            return tuple(cotangent * g for g in jax.pure_callback(backward, shapes, *arrays))

        wrapped.defvjp(forward, pulled)
        arrays = [jax.numpy.asarray(np.asarray(x, float)) for x in point.values()]
        try:
            check_grads(wrapped, arrays, order=1, modes=["rev"])
        except Exception:  # it raises for a difference, and for a shape
            return False
        return True

    return f"JAX {jax.__version__}, check_grads", content


def row(*cells: str) -> str:
    """A line of a table."""
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def wrong_gradients(peers: dict[str, Checker]) -> tuple[str, dict[str, int]]:
    """The table of mutants, and in how many of them each checker, and ours for the step and the cause, is right."""
    lines = [row("gradient of", "mistake in", "mistake", *peers, "tg.check"), row(*["---"] * (4 + len(peers)))]
    right = dict.fromkeys([*peers, "step", "cause"], 0)
    for mutant in MUTANTS:
        cells = []
        for name, content in peers.items():
            missed = content(mutant.system.loss, mutant.by_hand, mutant.system.point)
            right[name] += not missed
            cells.append("**agrees**" if missed else "differs")
        report = tg.check.gradients(mutant.system.loss, mutant.system.point, mutant.by_hand, evaluations=0)
        first, why = report.first_wrong, ""
        if first is not None:
            why = first.explanation or "no explanation"
            right["step"] += first.name == mutant.step
            right["cause"] += mutant.cause is not None and mutant.cause in why
        says = f"`{first.name}`: {why}" if first is not None else "**agrees**"
        lines.append(row(mutant.system.name, f"`{mutant.step}`", mutant.kind, *cells, says))
    return "\n".join(lines), right


def right_gradients(peers: dict[str, Checker]) -> tuple[str, dict[str, int]]:
    """The table of gradients without a mistake, and how many false alarms each checker raises."""
    lines = [row("gradient of", *peers, "tg.check"), row(*["---"] * (2 + len(peers)))]
    alarms = dict.fromkeys([*peers, "tg.check"], 0)
    for right in RIGHT:
        verdicts = {name: content(right.loss, right.by_hand, right.point) for name, content in peers.items()}
        verdicts["tg.check"] = tg.check.gradients(right.loss, right.point, right.by_hand).ok
        for name, content_with_it in verdicts.items():
            alarms[name] += not content_with_it
        lines.append(row(right.name, *["agrees" if ok else "**false alarm**" for ok in verdicts.values()]))
    return "\n".join(lines), alarms


def page() -> str:
    """The page."""
    peers: dict[str, Checker] = {}
    for make in (by_pytorch, by_jax):
        try:
            name, content = make()
            peers[name] = content
        except ImportError as error:
            print(f"{make.__name__}: left out ({error})", file=sys.stderr)
    wrong, found = wrong_gradients(peers)
    right, alarms = right_gradients(peers)
    of_peers = "\n".join(
        f"- {name}: differs in {found[name]} of {len(MUTANTS)}; {alarms[name]} false alarms in {len(RIGHT)}. It does "
        "not report the step, or the cause."
        for name in peers
    )
    ours = (
        f"- tg.check: finds the step in {found['step']} of {len(MUTANTS)}, and names the cause that was planted in "
        f"{found['cause']}; {alarms['tg.check']} false alarms in {len(RIGHT)}."
    )
    return f"""# What gradient checkers find

{len(MUTANTS)} hand-derived gradients with a mistake planted in one step, and {len(RIGHT)} right ones, some at kinks and
ties.

{ours}
{of_peers}

This page is written by `python docs/gradient_checkers.py`, from the gradients in
`tests/support/mutants.py`; each checker is left to its own defaults.

## Wrong gradients

{wrong}

## Right gradients

{right}
"""


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    (HERE / "gradient_checkers.md").write_text(page(), encoding="utf-8")
