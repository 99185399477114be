"""Functions that have no derivative, or one that is zero everywhere: on Tensors they give plain arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tinygrad_cnn.engine.graph import Handle
from tinygrad_cnn.engine.primitive import implementations, implements, to_values


def on_values(function: Callable[..., Any]) -> Callable[..., Any]:
    """`function` of the values of Tensors."""

    def plain(*args: Any, **keywords: Any) -> Any:
        return function(*to_values(args), **{name: to_values(x) for name, x in keywords.items()})

    plain.on_values = True  # type: ignore[attr-defined]  # so that it may write into `out=` what has no gradient
    return plain


PLAIN: tuple[Any, ...] = (
    # comparisons and logic
    np.equal, np.not_equal, np.less, np.less_equal, np.greater, np.greater_equal, np.array_equal, np.array_equiv,
    np.allclose, np.isclose, np.logical_and, np.logical_or, np.logical_xor, np.logical_not, np.all, np.any,
    # steps
    np.sign, np.floor, np.ceil, np.trunc, np.rint, np.round, np.around, np.floor_divide,
    np.signbit, np.spacing, np.isnan, np.isinf, np.isfinite, np.isneginf, np.isposinf,
    # positions
    np.argmax, np.argmin, np.argsort, np.argpartition, np.argwhere, np.nonzero, np.flatnonzero, np.count_nonzero,
    np.nanargmax, np.nanargmin, np.searchsorted, np.digitize, np.lexsort, np.isin, np.linalg.matrix_rank,
    # what an array is
    np.iscomplex, np.isreal, np.iscomplexobj, np.isrealobj, np.isscalar, np.result_type, np.can_cast,
    np.min_scalar_type, np.common_type, np.einsum_path,
    # words
    np.array2string, np.array_repr, np.array_str, np.save, np.savez, np.savez_compressed, np.savetxt,
)  # fmt: skip
if hasattr(np, "fix"):  # which NumPy has called old since 2.5
    PLAIN += (np.fix,)

for _function in PLAIN:
    implementations[_function] = on_values(_function)


def _of_memory(function: Callable[..., Any]) -> Callable[..., Any]:
    def asked(a: Any, b: Any, /, max_work: Any = None) -> Any:
        """As NumPy's: views of one Tensor share its memory, though each new version of it has values of its own."""
        return function(*[x.node.like if isinstance(x, Handle) else x for x in (a, b)], max_work)

    return asked


for _function in (np.shares_memory, np.may_share_memory):
    implementations[_function] = _of_memory(_function)


@implements(np.shape)
def shape(a: Handle) -> tuple[int, ...]:
    """As `np.shape`."""
    return a.node.like.shape  # type: ignore[no-any-return]


@implements(np.ndim)
def ndim(a: Handle) -> int:
    """As `np.ndim`."""
    return a.node.like.ndim  # type: ignore[no-any-return]


@implements(np.size)
def size(a: Handle, axis: Any = None) -> int:
    """As `np.size`."""
    return np.size(a.node.like, axis)
