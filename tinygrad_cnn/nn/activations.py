"""Activations that NumPy has no function for. (`sigmoid` is a primitive; `np.tanh` and `np.maximum` are NumPy's.)"""

from __future__ import annotations

import numpy as np

from tinygrad_cnn.graph import Array, scope


@scope("relu")
def relu(x: Array, at_zero: float = 0.0) -> Array:
    """max(0, x), element by element; its slope at x = 0 is `at_zero`, in 0..1.

    `np.maximum(0, x)` shares the cotangent at a tie, and so has slope 1/2 there; at_zero=1 is the article's
    convention, which lets a cotangent through where x >= 0. Away from 0 they are the same.

    >>> import numpy as np, tinygrad_cnn as tg
    >>> tg.relu(np.array([-1.0, 0.0, 2.0]))
    array([0., 0., 2.])
    >>> tg.grad(lambda x: np.sum(tg.relu(x)))(np.array([-1.0, 0.0, 2.0]))
    array([0., 0., 1.])
    """
    if at_zero == 0:
        return np.where(np.less_equal(x, 0), 0, x)
    if not 0 < at_zero <= 1:
        raise ValueError(f"relu: at_zero is {at_zero!r}, but it is a slope between 0 and 1")
    return np.where(np.less(x, 0), 0, np.where(np.equal(x, 0), at_zero * x, x))
