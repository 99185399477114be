"""What a live page needs of a model: its parameters, its scores, its loss, and drawings with their targets."""

from __future__ import annotations

import copy
import functools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

import tinygrad_cnn.nn as nn
from tinygrad_cnn import tree
from tinygrad_cnn.engine.graph import Node, ancestors
from tinygrad_cnn.engine.tensor import Tensor
from tinygrad_cnn.names import named
from tinygrad_cnn.pictures.read.cotangents import sweep

Array = Any


# Calls the model from a line that is nobody's. A picture names a value by the variable that the user's line assigns it
# to; without this, what a layer computes would be called by that of `page = tg.live(model, ...)`.
_called: Callable[..., Any] = eval(compile("lambda model, *given: model(*given)", "<model>", "eval"))


@dataclass(frozen=True)
class Knob:
    """A number that the loss takes as a keyword, and between which it can be moved, on a logarithmic scale."""

    name: str
    value: float
    least: float
    most: float


@dataclass(frozen=True)
class Examples:
    """Inputs of the model, the class of each, and that as the loss takes it."""

    x: Array
    labels: Array
    y: Array

    def __len__(self) -> int:
        return len(self.x)


class LiveModel:
    """A model as a page runs it; `live` says what is what."""

    def __init__(
        self,
        model: Any,
        example: Any,
        *,
        classes: Sequence[str],
        parameters: Any,
        data: Any,
        test: Any,
        loss: Callable[..., Any] | None,
        probability: Callable[[Any], Any] | None,
        knobs: Mapping[str, tuple[float, float, float]] | None,
        optimiser: Any,
        starts: Mapping[int, Any] | None,
        ink: tuple[float, float] | None,
        centred: float | None,
    ) -> None:
        self.classes = tuple(classes)
        if len(self.classes) < 2 or not all(isinstance(name, str) for name in self.classes):
            raise ValueError(f"live: classes is {classes!r}; expected the names of at least two classes")
        self.parameters = model if parameters is None else parameters
        self.flat = tree.flatten(self.parameters)
        if not callable(model):
            raise TypeError(
                f"live: the model is an object of type {type(model).__name__}; expected a layer of tg.nn, or a "
                "function of parameters and images, with parameters="
            )
        if parameters is None and (not self.flat.leaves or self.flat.leaves == [model]):
            raise TypeError(
                "live: the model has no parameters; expected a layer of tg.nn that was initialised, or a function "
                "of parameters and images, with parameters="
            )
        self._model, self._is_layer = model, parameters is None
        images = example if data is None else data[0]
        if images is None:
            raise ValueError(
                "live: neither example nor data was given; expected example=x, of shape (1, height, width)"
            )
        self.example = np.asarray(images if example is None else example)[:1]
        self.height, self.width = _size(self.example)
        self.ink = _ink(ink, np.asarray(images))
        if centred is not None and not 0 < centred <= 1:
            raise ValueError(
                f"live: centred is {centred}; expected the share of the image that a drawing fills, 0 to 1"
            )
        self.centred = centred
        self.knobs = tuple([Knob(name, *map(float, of)) for name, of in (knobs or {}).items()])
        self.optimiser: Any = nn.Adam(0.01) if optimiser is None else optimiser
        rate = self.optimiser.learning_rate
        if callable(rate):
            raise TypeError("live: the optimiser has a schedule; expected a number, which the page has a slider for")
        self.learning_rate = float(rate)
        self.starts = dict(starts or {})
        for seed, given in self.starts.items():
            if tree.structure(given) != tree.structure(self.parameters):
                raise ValueError(f"live: starts[{seed}] has another tree structure than the parameters")
        count = self.scores_of(self.flat.leaves, self.example).size
        if count not in (1, len(self.classes)) or (count == 1 and len(self.classes) != 2):
            raise ValueError(
                f"live: the model gives {count} numbers for one image and there are {len(self.classes)} classes; "
                "expected a number for each class, or one for two classes"
            )
        self._loss = loss or (binary_loss if count == 1 else nn.softmax_cross_entropy)
        # The cross-entropy takes the classes as probabilities, for it checks labels, which no program can do.
        one_hot = np.eye(len(self.classes), dtype=self.example.dtype) if loss is None and count > 1 else None
        self.data, self.test = (
            None if given is None else _examples(name, given, self.classes, one_hot)
            for name, given in (("data", data), ("test", test))
        )
        self._probability = probability or (nn.sigmoid if count == 1 else nn.softmax)
        self.targets = _targets(self.data or self.test, count, len(self.classes)) if one_hot is None else one_hot
        _ = self.loss_of(self.flat.leaves, self.example, self.targets[:1], [k.value for k in self.knobs])

    @functools.cached_property
    def ink_levels(self) -> Array:
        """The number of each of 256 levels of ink, from paper to the darkest stroke."""
        paper, ink = self.ink
        levels = paper + np.arange(256, dtype=np.float64) * ((ink - paper) / 255)
        return levels.astype(self.example.dtype)

    def scores_of(self, leaves: Sequence[Any], x: Array) -> Any:
        """What the model gives for images, at these parameters."""
        parameters = self.flat.rebuild(list(leaves))
        return _called(parameters, x) if self._is_layer else _called(self._model, parameters, x)

    def loss_of(self, leaves: Sequence[Any], x: Array, y: Array, knobs: Sequence[Any]) -> tuple[Any, Any, Any]:
        """The loss, the loss that is reported, and the scores."""
        scores = self.scores_of(leaves, x)
        given = {knob.name: value for knob, value in zip(self.knobs, knobs, strict=True)}
        found = self._loss(scores, y, **given)
        loss, reported = found if isinstance(found, tuple) else (found, found)
        return loss, reported, scores

    def probabilities(self, scores: Any) -> Any:
        """Of scores, the probability of the second class, or that of each."""
        return self._probability(scores)

    def recorded(self, leaves: Sequence[Any], x: Array, y: Array, knobs: Sequence[Any]) -> tuple[Any, Any, Any]:
        """The same as `loss_of` on Tensors, which are named as the leaves of the parameters; the images are one too."""
        tensors = [
            Tensor(leaf, name or "p") if _is_float(leaf) else leaf
            for leaf, name in zip(leaves, self.flat.names, strict=True)
        ]
        with np.errstate(all="ignore"):
            loss, reported, scores = self.loss_of(tensors, Tensor(x, "x"), y, knobs)
        if not isinstance(loss, Tensor) or loss.shape != ():
            raise TypeError(f"live: the loss is {type(loss).__name__} of shape {np.shape(loss)}; expected one number")
        return named(loss, "loss"), reported, scores

    @property
    def free(self) -> list[int]:
        """The places of those leaves of the parameters that are trained: arrays and numbers of floats."""
        return [i for i, leaf in enumerate(self.flat.leaves) if _is_float(leaf)]

    @functools.cached_property
    def is_sum(self) -> bool | None:
        """Whether the loss of images is the sum of their losses, or the mean; None if it is neither."""
        knobs = [k.value for k in self.knobs]
        of = [float(np.asarray(self.loss_of(self.flat.leaves, np.repeat(self.example, n, axis=0),
                                            np.repeat(self.targets[:1], n, axis=0), knobs)[0]))
              for n in (1, 2)]  # fmt: skip
        if np.isclose(of[1], of[0], rtol=1e-6, atol=0):
            return False
        return True if np.isclose(of[1], 2 * of[0], rtol=1e-6, atol=0) else None

    def updated(self, p: Sequence[Any], g: Sequence[Any], state: Sequence[Any], rate: Any) -> list[Any]:
        """The trained leaves, and those of the state of the optimiser, after a step of this learning rate."""
        optimiser = copy.copy(self.optimiser)
        optimiser.learning_rate = rate
        after, kept = optimiser.update(list(p), list(g), tree.flatten(self.first_state).rebuild(list(state)))
        return [*after, *tree.flatten(kept).leaves]

    @functools.cached_property
    def first_state(self) -> Any:
        """The state of the optimiser before the first step; the number of steps is an array, as all else."""
        state = self.optimiser.init([self.flat.leaves[i] for i in self.free])
        return {name: np.zeros(()) if name == "steps" else kept for name, kept in state.items()}


@dataclass(frozen=True)
class Recording:
    """A recorded loss: its nodes, oldest first, and the cotangent of each node that has one."""

    nodes: list[Node]
    cotangents: dict[Node, Any]

    @classmethod
    def of(cls, loss: Tensor) -> Recording:
        """Of a loss; also while it is traced."""
        nodes, _ = ancestors([loss.node])
        return cls(nodes, sweep([loss.node], nodes, ()).values)


def binary_loss(score: Any, y: Any) -> Any:
    """The mean cross-entropy of two classes, of one logit for each image."""
    return nn.binary_cross_entropy_with_logits(score, y.reshape(score.shape))


def _is_float(leaf: Any) -> bool:
    return isinstance(leaf, float | np.ndarray | np.generic) and getattr(leaf, "dtype", np.dtype(float)).kind == "f"


def _examples(name: str, given: Any, classes: Sequence[str], one_hot: Array | None) -> Examples:
    x, y = (np.asarray(part) for part in given)
    if len(x) != len(y) or not len(x):
        raise ValueError(f"live: {name} has {len(x)} images and {len(y)} classes; expected one for each image")
    if y.size != len(y) or not np.isin(y, np.arange(len(classes))).all():
        raise ValueError(
            f"live: the classes of {name} have shape {y.shape} and values up to {y.max()}; expected one number "
            f"for each image, from 0 to {len(classes) - 1}"
        )
    labels = y.reshape(-1).astype(int)
    return Examples(x, labels, y if one_hot is None else one_hot[labels])


def _size(example: Array) -> tuple[int, int]:
    """The height and the width of an image, which may come as a row of pixels."""
    shape = example.shape
    height, width = shape[-2:] if len(shape) > 2 else (math.isqrt(example.size),) * 2
    if example.dtype.kind != "f" or len(shape) < 2 or shape[0] != 1 or height * width != example.size or height < 4:
        raise ValueError(
            f"live: the example has shape {shape} and dtype {example.dtype}; expected floats of shape "
            "(1, height, width), (1, 1, height, width) or (1, pixels of a square)"
        )
    return height, width


def _ink(ink: tuple[float, float] | None, x: Array) -> tuple[float, float]:
    """The numbers of paper and of the darkest ink: strokes are few, so paper is what there is most of."""
    if ink is not None:
        paper, darkest = map(float, ink)
    else:
        low, high = float(x.min()), float(x.max())
        paper, darkest = (low, high) if np.median(x) <= (low + high) / 2 else (high, low)
    if paper == darkest or not np.isfinite([paper, darkest]).all():
        raise ValueError(f"live: ink is {(paper, darkest)}; expected two numbers: that of paper and that of a stroke")
    return paper, darkest


def _targets(examples: Examples | None, count: int, classes: int) -> Array:
    """The target of each class, as the loss takes them."""
    if examples is None:
        return np.arange(classes, dtype=np.float64 if count == 1 else np.int64)
    return np.arange(classes).astype(examples.y.dtype).reshape(classes, *examples.y.shape[1:])
