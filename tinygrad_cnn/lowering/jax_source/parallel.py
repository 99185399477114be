"""tg.data_parallel: the program of a function on many devices, each with a part of the batch.

Nothing is distributed here by hand. The program of the whole batch is compiled for arrays of which each device holds a
part, and XLA puts in the communication: sums over the batch become sums over the devices. So the result is that of one
device to rounding, for any function: whether its loss is a mean or a sum, whether it normalises over the batch, and
whatever it draws.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from tinygrad_cnn import extras, tree
from tinygrad_cnn.lowering.jax_source.callable import to_jax
from tinygrad_cnn.lowering.trace import NUMBERS, kind_of

Axes = int | None | Sequence[int | None]


def data_parallel(
    function: Callable[..., Any], in_axes: Axes = 0, devices: int | Sequence[Any] | None = None
) -> Callable[..., Any]:
    """`function` as a program on many devices of JAX's, each of which computes with its part of the batch.

    function  what `tg.to_jax` takes: a gradient, or a whole training step
    in_axes   for each argument the axis of its arrays that is the batch's, or None: then each device has all of it, as
              with parameters. One for all arguments, or a sequence
    devices   so many of `jax.devices()`, or some of them; by default all, also those of other processes, if
              `jax.distributed` is initialised. Each process calls the function with the same arguments

    The result is that of one device to rounding, on every device, as JAX arrays. A program is made for each shape and
    dtype of the arguments. Raises ValueError for a batch that the devices cannot share equally, or for more devices
    than there are, and what `tg.to_jax` raises.

    >>> import numpy as np, pytest, tinygrad_cnn as tg
    >>> jax = pytest.importorskip("jax")
    >>> loss = lambda w, x, y: np.mean((x @ w - y) ** 2)
    >>> step = tg.data_parallel(tg.value_and_grad(loss), in_axes=(None, 0, 0), devices=1)
    >>> value, gradient = step(np.zeros(2, np.float32), np.eye(2, dtype=np.float32), np.ones(2, np.float32))
    >>> float(value), gradient.tolist()
    (1.0, [-1.0, -1.0])
    """
    found = devices_of("data_parallel", devices)
    programs: dict[Any, tuple[Callable[..., Any], Callable[[list[Any]], Any]]] = {}

    def of(*args: Any) -> Any:
        axes = _axes(in_axes, args)
        _check_shares(args, axes, len(found))
        flat = tree.flatten(args)
        kind = (tree.structure(args), tuple([_kind(leaf) for leaf in flat.leaves]))
        if kind not in programs:
            program = to_jax(function)(*args)
            programs[kind] = program.drawn, _compiled(program, found)
        drawn, run = programs[kind]
        args = drawn(*args)  # what is drawn is whole on each device; XLA divides it with what it is computed with
        axes += [None] * (len(args) - len(axes))
        return run([_placed_all(arg, found, axis) for arg, axis in zip(args, axes, strict=True)])

    functools.update_wrapper(of, function)
    return of


def devices_of(who: str, devices: int | Sequence[Any] | None) -> list[Any]:
    """The devices that are asked for, by the function `who`. Raises ValueError if there are fewer."""
    with extras.extra("jax", f"{who} on many devices"):
        import jax
    there: list[Any] = jax.devices()
    if devices is None:
        return there
    if not isinstance(devices, int | np.integer):
        return list(devices)
    if not 1 <= devices <= len(there):
        raise ValueError(
            f"{who}: devices is {devices}, and JAX has {len(there)} ({there[0].platform}); expected 1 to {len(there)}. "
            f"A CPU is as many as XLA_FLAGS=--xla_force_host_platform_device_count={max(devices, 1)} says, set before "
            "JAX begins"
        )
    return there[:devices]


def is_first_process() -> bool:
    """Whether this process is the first of those that `jax.distributed` has joined, or the only one."""
    import jax

    process: int = jax.process_index()
    return process == 0


@contextlib.contextmanager
def lost_processes(who: str) -> Iterator[None]:
    """Raise ConnectionError for a failure of JAX's within it, if several processes compute: one of them has ended."""
    import jax

    try:
        yield
    except jax.errors.JaxRuntimeError as error:
        if jax.process_count() == 1:
            raise
        raise ConnectionError(
            f"{who}: the {jax.process_count()} processes have lost one of them, or their connection "
            f"({str(error).splitlines()[0]})"
        ) from None


def placed(x: Any, devices: Sequence[Any], axis: int | None) -> Any:
    """An array of JAX's of which each device has a part along `axis`, or all; what is no array as it is.

    Each process gives the whole array, and puts the parts on its own devices.
    """
    import jax

    if not isinstance(x, np.ndarray | np.generic | jax.Array):
        return x
    sharding = _sharding(devices, axis % x.ndim if axis is not None and x.ndim else None)
    if isinstance(x, jax.Array) and x.sharding == sharding:
        return x
    x = np.asarray(x)
    return jax.make_array_from_callback(x.shape, sharding, lambda part: x[part])


def _placed_all(arg: Any, devices: Sequence[Any], axis: int | None) -> Any:
    return tree.map(lambda x: placed(x, devices, axis), arg)


def _sharding(devices: Sequence[Any], axis: int | None) -> Any:
    """How an array lies on devices: divided along an axis, or whole on each."""
    from jax import sharding as shardings

    of_axes: Any = shardings.PartitionSpec
    mesh = shardings.Mesh(np.array(devices), ("batch",))
    return shardings.NamedSharding(mesh, of_axes() if axis is None else of_axes(*[None] * axis, "batch"))


def _compiled(program: Callable[..., Any], devices: Sequence[Any]) -> Callable[[list[Any]], Any]:
    """A function of the arguments, whose results are whole on every device.

    XLA is given and returns the arrays and numbers alone. The rest, such as a string or the order of a dict, is known
    from the first call, as a program is for arguments of one kind.
    """
    import jax

    whole = _sharding(devices, None)
    made: list[Callable[[list[Any]], list[Any]]] = []
    results: list[_Fixed] = []

    def run(args: list[Any]) -> Any:
        flat = tree.flatten(args)
        if not made:
            given = _Fixed(flat)

            def of(dynamic: list[Any]) -> list[Any]:
                found = tree.flatten(program(*given.filled(dynamic)))
                results[:] = [_Fixed(found)]
                return _dynamic(found)

            made.append(jax.jit(of, out_shardings=whole))
        leaves = made[0](_dynamic(flat))
        return results[0].filled(leaves)

    return run


class _Fixed:
    """A tree without its arrays and numbers."""

    def __init__(self, flat: tree.Flat) -> None:
        self.leaves = [_Hole if _is_dynamic(leaf) else leaf for leaf in flat.leaves]
        self.rebuild = flat.rebuild

    def filled(self, dynamic: Sequence[Any]) -> Any:
        """The tree with others in their place."""
        given = iter(dynamic)
        return self.rebuild([next(given) if leaf is _Hole else leaf for leaf in self.leaves])


class _Hole:
    """Stands for an array or a number."""


def _dynamic(flat: tree.Flat) -> list[Any]:
    return [leaf for leaf in flat.leaves if _is_dynamic(leaf)]


def _is_dynamic(leaf: Any) -> bool:
    return hasattr(leaf, "dtype") or isinstance(leaf, NUMBERS)


def _kind(leaf: Any) -> Any:
    """What a program depends on of a leaf."""
    return (leaf.shape, np.dtype(leaf.dtype)) if hasattr(leaf, "dtype") else kind_of(leaf)


def _axes(in_axes: Axes, args: tuple[Any, ...]) -> list[int | None]:
    """The axis for each argument. Raises ValueError for another number of them."""
    if in_axes is None or isinstance(in_axes, int):
        return [in_axes] * len(args)
    if len(in_axes) != len(args):
        raise ValueError(
            f"data_parallel: in_axes has {len(in_axes)} items, and the call {len(args)} arguments; expected as many"
        )
    return list(in_axes)


def _check_shares(args: tuple[Any, ...], axes: Sequence[int | None], count: int) -> None:
    """Raise ValueError for a batch that so many devices cannot share equally."""
    for k, (arg, axis) in enumerate(zip(args, axes, strict=True)):
        if axis is None:
            continue
        flat = tree.flatten(arg)
        for path, leaf in zip(flat.names, flat.leaves, strict=True):
            shape = np.shape(leaf) if _is_dynamic(leaf) else ()
            if shape and not -len(shape) <= axis < len(shape):
                raise ValueError(
                    f"data_parallel: in_axes is {axis} for argument {k}, of which {path or 'the array'} has shape "
                    f"{shape}; expected one of its axes"
                )
            if shape and shape[axis] % count:
                raise ValueError(
                    f"data_parallel: argument {k} has {shape[axis]} examples along axis {axis}, which {count} devices "
                    f"cannot share equally; expected a multiple of {count}"
                )
