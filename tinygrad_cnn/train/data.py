"""Mini-batches, in an order that follows from a seed and the number of the epoch alone."""

from __future__ import annotations

import contextvars
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, NamedTuple, NoReturn

import numpy as np

from tinygrad_cnn.engine.primitive import to_values

ORDER, TRANSFORM, STEP = range(3)  # what random numbers are for


def generator(seed: int, purpose: int, *position: int) -> np.random.Generator:
    """The generator for a position in the training, such as an epoch and a batch: no other has its numbers.

    Nothing is kept from one to the next, so that a training that is resumed draws what it would have drawn.
    """
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(purpose, *position)))


class Batch(NamedTuple):
    """Examples and their targets."""

    x: Any
    y: Any


class DataLoader:
    """Mini-batches of examples x and targets y.

    x, y        arrays, or anything that NumPy makes one of, of the same length
    batch_size  how many examples are in a batch; by default 32, or all if there are fewer. The last batch is smaller
                if the number of examples is no multiple of it, or left out with `drop_last`
    shuffle     whether each epoch has an order of its own, drawn from `seed`
    transform   a function of a batch and a Generator, such as an augmentation: transform((x, y), rng) gives (x, y).
                The Generator follows from seed, epoch and batch
    read        a function that makes an example of an element of x, such as an image of its path
    classes     if given, targets have to be 0 to classes - 1
    workers     threads that prepare batches before they are needed; they change nothing but the time

    Raises ValueError if the lengths differ, the batch size is not positive or larger than the data, a number is NaN
    or infinite, or a label is out of range.

    >>> import numpy as np
    >>> from tinygrad_cnn import train
    >>> loader = train.DataLoader(np.arange(5.0), np.arange(5), batch_size=2, seed=1)
    >>> [batch.x.tolist() for batch in loader.batches(epoch=0)] == [batch.x.tolist() for batch in loader.batches(0)]
    True
    >>> len(loader)
    3
    """

    def __init__(
        self,
        x: Any,
        y: Any,
        *,
        batch_size: int | None = None,
        shuffle: bool = True,
        seed: int = 0,
        transform: Callable[[Batch, np.random.Generator], Any] | None = None,
        read: Callable[[Any], Any] | None = None,
        classes: int | None = None,
        workers: int = 0,
        drop_last: bool = False,
    ) -> None:
        self.x: Any = x if read is not None and isinstance(x, Sequence) else _array("x", x)
        self.y = _array("y", y)
        self.shuffle, self.seed, self.transform, self.read = shuffle, seed, transform, read
        self.workers, self.drop_last = workers, drop_last
        examples = len(self.x)
        if examples != len(self.y):
            raise ValueError(f"DataLoader: x has {examples} examples and y {len(self.y)}; expected as many of both")
        if not examples:
            raise ValueError("DataLoader: x has no examples; expected at least one")
        self.batch_size = min(32, examples) if batch_size is None else batch_size
        if not 1 <= self.batch_size <= examples:
            raise ValueError(
                f"DataLoader: batch_size is {batch_size!r}; expected 1 to {examples}, the number of examples"
            )
        if seed < 0:
            raise ValueError(f"DataLoader: seed is {seed}; expected an integer of at least 0")
        if workers < 0:
            raise ValueError(f"DataLoader: workers is {workers}; expected a number of threads, or 0 for none")
        for name, given in (("x", self.x), ("y", self.y)):
            _check_finite(name, given)
        if classes is not None:
            _check_labels(self.y, classes)

    def __len__(self) -> int:
        """The number of batches in an epoch."""
        full, rest = divmod(len(self.x), self.batch_size)
        return full + bool(rest and not self.drop_last)

    def __iter__(self) -> NoReturn:
        raise TypeError("DataLoader: the order depends on the epoch; iterate over loader.batches(epoch)")

    def order(self, epoch: int) -> np.ndarray[Any, Any]:
        """The examples of an epoch, by their indices."""
        if not self.shuffle:
            return np.arange(len(self.x))
        return generator(self.seed, ORDER, epoch).permutation(len(self.x))

    def batches(self, epoch: int, start: int = 0) -> Iterator[Batch]:
        """The batches of an epoch, from the one with the index `start`."""
        order = self.order(epoch)
        chosen = [(k, order[k * self.batch_size : (k + 1) * self.batch_size]) for k in range(start, len(self))]
        if not self.workers:
            for k, indices in chosen:
                yield self._batch(epoch, k, indices)
            return
        threads = ThreadPoolExecutor(self.workers, thread_name_prefix="DataLoader")
        ahead: deque[Future[Batch]] = deque()
        try:
            for k, indices in chosen:
                context = contextvars.copy_context()  # in which np.errstate and tg.no_grad are those of the caller
                ahead.append(threads.submit(context.run, self._batch, epoch, k, indices))
                if len(ahead) > 2 * self.workers:
                    yield ahead.popleft().result()
            while ahead:
                yield ahead.popleft().result()
        finally:
            threads.shutdown(wait=False, cancel_futures=True)

    def _batch(self, epoch: int, k: int, indices: np.ndarray[Any, Any]) -> Batch:
        if self.read is None:
            batch = Batch(self.x[indices], self.y[indices])
        else:
            examples = [np.asarray(self.read(self.x[i])) for i in indices]
            for i, example in zip(indices, examples, strict=True):
                _check_finite(f"x[{i}]", example)
                if example.shape != examples[0].shape:
                    raise ValueError(
                        f"DataLoader: read gives shape {example.shape} for x[{i}] and {examples[0].shape} for "
                        f"x[{indices[0]}]; expected the same for all examples"
                    )
            batch = Batch(np.stack(examples), self.y[indices])
        if self.transform is not None:
            batch = Batch(*self.transform(batch, generator(self.seed, TRANSFORM, epoch, k)))
        return Batch(np.ascontiguousarray(batch.x), np.ascontiguousarray(batch.y))


def loader_of(name: str, data: Any, batch_size: int | None, seed: int = 0, shuffle: bool = False) -> DataLoader:
    """`data`, a DataLoader or a pair (x, y), as a DataLoader."""
    if isinstance(data, DataLoader):
        if batch_size is not None and name == "data":
            raise ValueError("fit: data is a DataLoader, which has a batch size of its own; expected no batch_size")
        return data
    if not isinstance(data, tuple | list) or len(data) != 2:
        raise TypeError(f"fit: {name} is of type {type(data).__name__}; expected a pair (x, y) or a DataLoader")
    return DataLoader(*data, batch_size=batch_size, seed=seed, shuffle=shuffle)


def _array(name: str, x: Any) -> np.ndarray[Any, Any]:
    """`x` as an array of examples."""
    if isinstance(x, np.ma.MaskedArray):
        raise ValueError(f"DataLoader: {name} has a mask, which a batch would lose; expected an array without one")
    try:
        array = np.asarray(to_values(x))
    except ValueError:  # lists of different lengths
        array = np.empty((), object)
    if not array.ndim or array.dtype.kind == "O":
        raise ValueError(
            f"DataLoader: {name} is of type {type(x).__name__}; expected an array, or what NumPy makes one of, with "
            "the examples on axis 0"
        )
    return array


def _check_finite(name: str, x: Any) -> None:
    """Raise ValueError if an element is NaN or infinite."""
    if not isinstance(x, np.ndarray) or x.dtype.kind not in "fc":
        return
    with np.errstate(all="ignore"):
        if np.isfinite(x.sum()):  # which takes no memory, and finds every NaN
            return
        wrong = ~np.isfinite(x)
    if wrong.any():
        index = tuple(int(i) for i in np.argwhere(wrong)[0])
        more = f", and {wrong.sum() - 1} more are not finite" if wrong.sum() > 1 else ""
        place = f"{name}[{', '.join(map(str, index))}]" if index else name
        raise ValueError(f"DataLoader: {place} is {x[index]}{more}; expected finite numbers")


def _check_labels(y: np.ndarray[Any, Any], classes: int) -> None:
    if y.dtype.kind not in "iu" or y.ndim != 1:
        raise ValueError(f"DataLoader: y is {y.dtype} of shape {y.shape}; expected one integer label for each example")
    wrong = np.flatnonzero((y < 0) | (y >= classes))
    if len(wrong):
        raise ValueError(f"DataLoader: y[{wrong[0]}] is {y[wrong[0]]}; expected labels from 0 to {classes - 1}")
