"""What the check says of edited, of perturbed and of right gradients.

    python tests/edited_gradients/campaign.py --edits 2000 --noise 1000 --right 200 --seed 0 --jobs 2

Edits are single changes of the source of right gradients, each known; see `edits.py`. Noise is a right gradient with
one cotangent perturbed at random, by 1e-3 to 1e-6 of itself: no edit explains that. Degenerate data are one-hot, equal
or tiny, where formulas coincide; what is said there is judged at other data. Right gradients are those of the
models at other points, in other scales and in float32, and of functions at kinks and ties. Exit code 1 if a cause is
false, or a right gradient is called wrong.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

if __name__ == "__main__":
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

import numpy as np
from corpus.judge import Mistake, judged

import tinygrad_cnn as tg
from edited_gradients import MODELS
from edited_gradients.degenerate import FOUND as DEGENERATE
from edited_gradients.degenerate import judged_elsewhere
from edited_gradients.edits import Edit, edits_of
from edited_gradients.kinks import at_kinks
from edited_gradients.model import Model

OFTEN = 100  # edits, or perturbed gradients, after which the totals are shown


class Outcome(NamedTuple):
    """kind: of edit, or of gradient; faults: what is wrong with what the check says, each in a word."""

    kind: str
    title: str
    verdict: bool
    step: bool
    cause: str
    said: str


def chosen(count: int, seed: int) -> list[Edit]:
    """So many edits: of each model in turn, of the kinds of edit alike."""
    left = [by_kind(list(edits_of(model, seed)), seed) for model in MODELS]
    found: list[Edit] = []
    while len(found) < count and any(left):
        for edits in left:
            if edits:
                found.append(edits.pop(0))
    return found[:count]


def by_kind(edits: list[Edit], seed: int) -> list[Edit]:
    """One of each kind in turn, so that names, of which there are most, are not most of the edits."""
    kinds: dict[str, list[Edit]] = {}
    for edit in edits:
        kinds.setdefault(edit.kind, []).append(edit)
    rows = list(kinds.values())
    return [row[k] for k in range(max(map(len, rows), default=0)) for row in rows if k < len(row)]


def edited(edit: Edit) -> Outcome:
    """What the check says of an edited gradient."""
    model = edit.model
    report = tg.check.gradients(model.loss, model.point, edit.by_hand, evaluations=0)
    known = Mistake(model.loss, model.point, edit.by_hand, model.by_hand, " ".join(edit.steps), None)
    found = judged(known, report)
    verdict = found.verdict or report.first_wrong is not None
    return Outcome(edit.kind, edit.title, verdict, found.step, found.cause, found.said)


def perturbed(number: int) -> Outcome:
    """What the check says of a right gradient of which one cotangent is perturbed: nothing is its cause."""
    rng = np.random.default_rng(number)
    model = MODELS[number % len(MODELS)]
    size = 10.0 ** rng.uniform(-6, -3)
    name = str(rng.choice(list(model.by_hand(model.point))))

    def by_hand(p: dict[str, Any]) -> dict[str, Any]:
        noise = np.random.default_rng([number, 1])
        found = dict(model.by_hand(p))
        value = found[name]
        arrays = [np.asarray(x, float) for x in (value if isinstance(value, list) else [value])]
        moved = [x * (1 + size * noise.standard_normal(x.shape)) for x in arrays]
        found[name] = moved if isinstance(value, list) else moved[0]
        return found

    given = by_hand if number % 2 else by_hand(model.point)  # a function can be called again, and its source read
    report = tg.check.gradients(model.loss, model.point, given, evaluations=0)
    said = [f"{x.name}: {x.explanation}" for x in [*report.steps, *report.parameters] if x.explanation]
    title = f"{model.name}: {name} perturbed by {size:.1e}"
    return Outcome(
        "noise",
        title,
        report.first_wrong is not None or not report.ok,
        True,
        "false" if said else "none",
        "; ".join(said),
    )


def at_degenerate_data(count: int, seed: int) -> Iterable[str]:
    """What causes are, of so many edits of models whose data are one-hot, equal, tiny: found, none or false."""
    for model in DEGENERATE:
        with model.at(model.data):
            edits = list(islice(edits_of(model.model, seed), -(-count // len(DEGENERATE))))
        for edit in edits:
            found = judged_elsewhere(model, edit)
            if found.cause == "false":
                print(f"false cause: {edit.title}\n    {found.said}", flush=True)
            yield found.cause


def right(model: Model) -> Outcome:
    """What the check says of a right gradient."""
    report = tg.check.gradients(model.loss, model.point, model.by_hand)
    wrong = [step.name for step in report.steps if step.wrong]
    contradicted = [p.name for p in report.parameters if any(c.verdict == "differ" for c in p.comparisons())]
    said = ", ".join([*wrong, *contradicted])
    return Outcome("right", model.name, bool(said), True, "none", said)


def right_models(count: int, seed: int) -> list[Model]:
    """Half at kinks and ties; half the models of the suite at other points, in other scales, in float32."""
    found = [at_kinks(seed + k) for k in range(count // 2)]
    for k in range(count - len(found)):
        model, way = MODELS[k % len(MODELS)], k // len(MODELS) % 4
        rng = np.random.default_rng([seed, k])
        point = {name: np.asarray(x) * (1 + 0.3 * rng.standard_normal(np.shape(x))) for name, x in model.point.items()}
        if way == 1:
            point = {name: 1e-3 * x for name, x in point.items()} if positive(model) else point
        if way == 2:
            point = {name: 3.0 * x for name, x in point.items()}
        if way == 3:
            point = {name: x.astype(np.float32) for name, x in point.items()}
        scale = ("another point", "in small", "in large", "float32")[way]
        found.append(Model(f"{model.name}, {scale}", model.loss, model.by_hand, point))
    return found


def positive(model: Model) -> bool:
    """Whether its parameters may be scaled down: a variance, a norm or a length of nearly 0 is another matter."""
    return model.name not in ("gaussian process", "batch norm", "group norm", "layer norm", "cosine similarity")


def outcomes(work: Callable[[Any], Outcome], items: Sequence[Any], jobs: int) -> Iterable[Outcome]:
    """Of all items; edits are functions, which no process can be sent, so each is told a number."""
    if jobs == 1:
        yield from map(work, items)
        return
    _WORK[:] = [(work, items)]
    with multiprocessing.get_context("fork").Pool(jobs) as pool:
        yield from pool.imap(_item, range(len(items)), chunksize=4)


_WORK: list[tuple[Callable[[Any], Outcome], Sequence[Any]]] = []


def _item(number: int) -> Outcome:
    warnings.simplefilter("ignore")
    work, items = _WORK[0]
    return work(items[number])


def so_far(k: int, kinds: dict[str, Counter[str]]) -> None:
    """Now and then, the totals of the first k edits, for a campaign that may be interrupted."""
    if k and k % OFTEN == 0:
        total = sum(kinds.values(), Counter())
        print(f"... {k} edits: called wrong {total['wrong']}, step {total['step']}, cause {total['found']}, "
              f"false {total['false']}", flush=True)  # fmt: skip


def share(part: int, of: int) -> str:
    """A number and its share."""
    return f"{part} of {of} ({part / max(of, 1):.1%})"


def main() -> int:
    """Run the campaign."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--edits", type=int, default=2000)
    parser.add_argument("--noise", type=int, default=1000)
    parser.add_argument("--degenerate", type=int, default=300)
    parser.add_argument("--right", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--list", action="store_true", help="list what has no cause, too")
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    kinds: dict[str, Counter[str]] = {}
    false = 0
    for k, found in enumerate(outcomes(edited, chosen(given.edits, given.seed), given.jobs)):
        so_far(k, kinds)
        told = kinds.setdefault(found.kind, Counter())
        in_lines = "in lines" if "right: " in found.said else "in words"
        told.update(["all", found.cause, *[f"found {in_lines}"] * (found.cause == "found")])
        told.update(["wrong"] * found.verdict + ["step"] * found.step)
        false += found.cause == "false"
        if found.cause == "false" or not found.verdict or not found.step or (given.list and found.cause == "none"):
            what = "missed" if not found.verdict else "another step" if not found.step else f"{found.cause} cause"
            print(f"{what}: {found.title}\n    {found.said or 'no explanation'}", flush=True)
    total = sum(kinds.values(), Counter())
    print("\nedit                  number   wrong    step   cause   false")
    for kind, told in sorted(kinds.items(), key=lambda x: -x[1]["all"]):
        print(f"{kind:20} {told['all']:7} {told['wrong']:7} {told['step']:7} {told['found']:7} {told['false']:7}")
    n = total["all"]
    print(f"\n{n} edits: called wrong {share(total['wrong'], n)}, step {share(total['step'], n)}, cause "
          f"{share(total['found'], n)}, of these {total['found in lines']} in lines of code that were run; false "
          f"{share(total['false'], n)}")  # fmt: skip
    noise = []
    for found in outcomes(perturbed, range(given.noise), given.jobs):
        noise.append(found)
        if found.said:
            print(f"a cause of noise: {found.title}\n    {found.said}", flush=True)
        if len(noise) % OFTEN == 0:
            print(f"... {len(noise)} perturbed: a cause of {sum(x.cause == 'false' for x in noise)}", flush=True)
    explained = sum(found.cause == "false" for found in noise)
    print(f"{len(noise)} perturbed: called wrong {share(sum(f.verdict for f in noise), len(noise))}, a cause of "
          f"{share(explained, len(noise))}")  # fmt: skip
    causes = Counter(at_degenerate_data(given.degenerate, given.seed))
    n = sum(causes.values())
    print(f"{n} edits at degenerate data: cause {share(causes['found'], n)}, false {share(causes['false'], n)}")
    called = [found for found in outcomes(right, right_models(given.right, given.seed), given.jobs) if found.verdict]
    for found in called:
        print(f"right, and called wrong: {found.title}: {found.said}")
    print(f"{given.right} right: called wrong {share(len(called), given.right)}")
    return 1 if false or explained or called else 0


if __name__ == "__main__":
    sys.exit(main())
