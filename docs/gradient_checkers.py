"""Write docs/gradient_checkers.md: what gradient checkers find in real mistakes of hand-derived gradients.

    pip install -e '.[bench]'
    python docs/gradient_checkers.py

The mistakes are those of tests/corpus, the right gradients those of tests/support/mutants.py. PyTorch and JAX are given
the loss as a function whose backward pass is the hand-derived gradient (`torch.autograd.Function`, `jax.custom_vjp`),
and their checkers are called with their own defaults. A checker that is not installed has no column.
"""

from __future__ import annotations

import sys
import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent / "tests" / "support"), str(HERE.parent / "tests")]

# Found by the path above:
from corpus import SEEN  # noqa: E402
from corpus.case import Case  # noqa: E402
from corpus.held_back import HELD_BACK  # noqa: E402
from corpus.judge import Judged, judged  # noqa: E402
from mutants import MUTANTS, RIGHT  # noqa: E402

import tinygrad_cnn as tg  # noqa: E402
from tinygrad_cnn.check.sentences import count  # noqa: E402

Loss = Callable[[dict[str, Any]], Any]
ByHand = Callable[[dict[str, Any]], dict[str, Any]]
Checker = Callable[[Loss, ByHand, dict[str, Any]], bool]  # whether it accepts the gradient


def gradient(by_hand: ByHand, p: dict[str, Any]) -> list[np.ndarray]:
    """The gradients of the parameters alone, in their order."""
    found = by_hand(p)
    forms = ("dL_d{}", "d{}", "{}")
    return [  # copies: PyTorch takes no view that goes backwards
        np.array(next(found[form.format(name)] for form in forms if form.format(name) in found), float) for name in p
    ]


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
    return "| " + " | ".join(" ".join(cell.replace("|", "\\|").split()) for cell in cells) + " |"


class Half(NamedTuple):
    """What the checkers find in half of the corpus. peers: how many each of the others calls wrong."""

    cases: Sequence[Case]
    found: list[Judged]
    table: str
    peers: Counter[str]

    def rates(self) -> str:
        """Of our own, in words."""
        n, causes = len(self.cases), Counter(found.cause for found in self.found)
        verdicts, steps = sum(found.verdict for found in self.found), sum(found.step for found in self.found)
        return (
            f"calls {verdicts} wrong, names the first wrong step of {steps} ({steps / n:.0%}) and the cause of "
            f"{causes['found']} ({causes['found'] / n:.0%}); of {causes['false']} it gives another cause"
        )

    def by_family(self) -> str:
        """How much is found in each family of mistakes, as a table."""
        families: dict[str, Counter[str]] = {}
        for case, found in zip(self.cases, self.found, strict=True):
            counts = families.setdefault(case.family.replace("_", " "), Counter())
            counts.update(["mistakes", found.cause, *["step"] * found.step])
        lines = [row("family", "mistakes", "step", "cause", "another cause"), row(*["---"] * 5)]
        for family, counts in sorted(families.items()):
            lines.append(row(family, *[str(counts[what]) for what in ("mistakes", "step", "found", "false")]))
        return "\n".join(lines)

    def others(self) -> str:
        """The causes that are not what was reported."""
        pairs = zip(self.cases, self.found, strict=True)
        lines = [f"- `{case.name}`: {' '.join(found.said.split())}" for case, found in pairs if found.cause == "false"]
        return "\n".join(lines) or "- none"


def half(cases: Sequence[Case], peers: dict[str, Checker]) -> Half:
    """Run all checkers on these cases."""
    lines = [row("mistake", "what is wrong", *peers, "first wrong step", "tg.check"), row(*["---"] * (4 + len(peers)))]
    reports, differs = [], Counter(dict.fromkeys(peers, 0))
    for case in cases:
        missed = {name: content(case.loss, case.by_hand, case.point) for name, content in peers.items()}
        differs.update(name for name, agrees in missed.items() if not agrees)
        found = judged(case, tg.check.gradients(case.loss, case.point, case.by_hand, evaluations=0))
        reports.append(found)
        named = (
            f"[{case.name}]({case.source.split()[0].rstrip(',')})" if case.source.startswith("https://") else case.name
        )
        verdicts = ["**agrees**" if agrees else "differs" for agrees in missed.values()]
        step = f"`{case.step}`" if found.step else f"`{case.step}`, **not named**"
        said = found.said or "no explanation"
        says = said if found.verdict else "**agrees**"
        lines.append(row(named, case.cause, *verdicts, step, f"**not so**: {says}" if found.cause == "false" else says))
    return Half(cases, reports, "\n".join(lines), differs)


def mutants(peers: dict[str, Checker]) -> str:
    """What is found in the project's own mutants, in words."""
    differs, step, cause = Counter(dict.fromkeys(peers, 0)), 0, 0
    for mutant in MUTANTS:
        system = mutant.system
        differs.update(
            name for name, content in peers.items() if not content(system.loss, mutant.by_hand, system.point)
        )
        first = tg.check.gradients(system.loss, system.point, mutant.by_hand, evaluations=0).first_wrong
        step += first is not None and first.name == mutant.step
        cause += first is not None and mutant.cause is not None and mutant.cause in (first.explanation or "")
    others = "; ".join(f"{name} calls {differs[name]} wrong" for name in peers)
    return (
        f"Of the {len(MUTANTS)} mistakes in `tests/support/mutants.py`, which were planted while the explanations were "
        f"written, tg.check names the step in {step} and the cause in the words of the table in {cause}. {others}."
    )


def right_gradients(peers: dict[str, Checker], cases: Sequence[Case]) -> tuple[str, Counter[str], Counter[str]]:
    """The table of gradients without a mistake, and how many false alarms each checker raises, there and corrected."""
    lines = [row("gradient of", *peers, "tg.check"), row(*["---"] * (2 + len(peers)))]
    checkers: dict[str, Checker] = {
        **peers,
        "tg.check": lambda loss, by_hand, p: tg.check.gradients(loss, p, by_hand).ok,
    }
    alarms, corrected = Counter(dict.fromkeys(checkers, 0)), Counter(dict.fromkeys(checkers, 0))
    for right in RIGHT:
        verdicts = {name: content(right.loss, right.by_hand, right.point) for name, content in checkers.items()}
        alarms.update(name for name, ok in verdicts.items() if not ok)
        lines.append(row(right.name, *["agrees" if ok else "**false alarm**" for ok in verdicts.values()]))
    for case in cases:
        corrected.update(name for name, content in checkers.items() if not content(case.loss, case.right, case.point))
    return "\n".join(lines), alarms, corrected


def page() -> str:
    """The page."""
    peers: dict[str, Checker] = {}
    for make in (by_pytorch, by_jax):
        try:
            name, content = make()
            peers[name] = content
        except ImportError as error:
            print(f"{make.__name__}: left out ({error})", file=sys.stderr)
    seen, held_back = half(SEEN, peers), half(HELD_BACK, peers)
    print(f"Held back, another cause than the one reported:\n{held_back.others()}")  # not for the page, to be held back
    right, alarms, corrected = right_gradients(peers, [*SEEN, *HELD_BACK])
    n, m = len(SEEN), len(HELD_BACK)
    of_peers = "\n".join(
        f"- {name} calls {seen.peers[name]} of {n} and {held_back.peers[name]} of {m} wrong. It does not report the "
        "step, or the cause."
        for name in peers
    )
    of_alarms = "\n".join(
        f"- {name}: {count(alarm, 'false alarm')} in {n + m}; {alarms[name]} in {len(RIGHT)} at kinks and ties."
        for name, alarm in corrected.items()
    )
    return f"""# What gradient checkers find

{n + m} real mistakes in hand-derived gradients, re-created from public reports and corrections: issues and pull
requests of libraries with hand-written backward passes, solutions of courses, errata of books, questions. The
explanations were written with {n} of them at hand; the other {m} were held back until the end.

- tg.check, of the {n}: {seen.rates()}.
- tg.check, of the {m} held back: {held_back.rates()}.
{of_peers}

And in the same gradients, corrected, and {len(RIGHT)} more:

{of_alarms}

This page is written by `python docs/gradient_checkers.py`, from the gradients in `tests/corpus` and
`tests/support/mutants.py`; each checker is left to its own defaults. A cause is counted if it is what was reported: its
lines of code are run, and its words matched with a pattern that each case has.

## Held back

{held_back.by_family()}

## Seen

{seen.table}

Another cause than the one reported:

{seen.others()}

## Planted mistakes

{mutants(peers)}

## Right gradients

{right}
"""


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    (HERE / "gradient_checkers.md").write_text(page(), encoding="utf-8")
