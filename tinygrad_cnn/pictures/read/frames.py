"""The frames of a film: a function recorded at several parameters, or results that were recorded already."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from tinygrad_cnn import tree
from tinygrad_cnn.engine.tensor import Tensor
from tinygrad_cnn.pictures.view import labels
from tinygrad_cnn.pictures.view.film import MOST, spread


class Frame(NamedTuple):
    """What a film shows at one moment, and what the moment is called."""

    label: str
    result: Any


def chosen(frames: Any) -> tuple[list[tuple[str, Any]], int]:
    """The frames that are shown, with their labels: all, or `MOST`, which are denser at the beginning; and how many
    there are.

    Numbers are epochs; what comes without a label is called by its place. Raises TypeError and ValueError.
    """
    if isinstance(frames, Tensor | np.ndarray | str) or not isinstance(frames, Iterable):
        raise TypeError(
            f"render: frames is {labels.argument(frames)}; expected a dict from epochs to parameters (or to results), "
            "or a list of them"
        )
    if isinstance(frames, Mapping):
        several = [(_label(label), item) for label, item in frames.items()]
    else:
        items = list(frames)
        several = [(f"{place} of {len(items)}", item) for place, item in enumerate(items, 1)]
    if not several:
        raise ValueError("render: frames is empty; expected the parameters of at least one epoch")
    return [several[i] for i in spread(len(several), MOST)], len(several)


def recorded(result: Any, frames: list[tuple[str, Any]]) -> Iterator[Frame]:
    """The frames, each recorded when it is asked for, so that there is one graph at a time.

    result: a function of the parameters; or else what was recorded, as the frames were.
    """
    for label, item in frames:
        if callable(result) and not isinstance(result, Tensor):
            yield Frame(label, _called(result, item, label))
        elif not all(isinstance(leaf, Tensor) for leaf in tree.flatten(item).leaves):
            raise TypeError(
                f"render: the frame {label!r} holds parameters, but result was recorded already, at parameters of its "
                "own; expected a function. Pass the function that computes it from the parameters: "
                "tg.render(lambda p: loss(p, x, y), path, frames=...)"
            )
        else:
            yield Frame(label, item)


def _called(function: Callable[[Any], Any], parameters: Any, label: str) -> Any:
    """The function at these parameters, each of which is a leaf with its name."""
    flat = tree.flatten(parameters)
    leaves = [_leaf(x, name) for x, name in zip(flat.leaves, flat.names, strict=True)]
    try:
        return function(flat.rebuild(leaves))
    except Exception as error:
        error.add_note(f"render: this is the frame {label!r}")
        raise


def _leaf(x: Any, name: str) -> Any:
    if isinstance(x, float | np.ndarray | np.generic) and np.asarray(x).dtype.kind == "f":
        return Tensor(x, name or None)
    return x


def _label(label: Any) -> str:
    is_number = isinstance(label, int | float | np.number) and not isinstance(label, bool)
    return labels.clean(f"epoch {label}" if is_number else str(label), 24)
