"""NumPy's namespace, in which every function takes Tensors: `import tinygrad_cnn.numpy as np`.

It holds NumPy's own objects. Only what NumPy does not hand to a Tensor by itself is another function here, with
NumPy's name and arguments, which is NumPy's own where no Tensor is in play:

- A list of Tensors and numbers is one Tensor: np.array([t, 1.0]), np.sum([t, u]), np.exp([t, u]), np.r_[t, 0.0].
- np.asarray(t) is t, and np.asarray(t, dtype) is t.astype(dtype).
- An array that np.zeros, np.array and their kin make while a transform is running can be assigned Tensors to. As long
  as none was, it is a constant, and is converted to numbers and arrays as any array is.

>>> import tinygrad_cnn as tg
>>> import tinygrad_cnn.numpy as np
>>> def arc_length(x):
...     points = np.zeros((3, 2))
...     for i in range(3):
...         points[i] = [x[i], x[i] ** 2]
...     return np.sum(np.sqrt(np.sum(np.diff(points, axis=0) ** 2, axis=1)))
>>> tg.grad(arc_length)(np.array([0.0, 1.0, 2.0])).round(3)
array([-0.707, -0.092,  4.111])
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as _numpy

from tinygrad_cnn.numpy import _callbacks, _concatenation, _creation, _lists

if TYPE_CHECKING:  # which then finds what is in NumPy
    from numpy import *  # noqa: F403
else:
    from tinygrad_cnn.numpy import emath, fft, lib, linalg, random  # noqa: F401

__all__ = list(_numpy.__all__)

SUBMODULES = ("emath", "fft", "lib", "linalg", "random")  # of ours
# What NumPy imports when it is used first (testing, f2py, ...) is left to `__getattr__`.
globals().update({name: x for name, x in vars(_numpy).items() if name in __all__ and name not in SUBMODULES})
for _module in (_lists, _creation, _callbacks, _concatenation):
    globals().update(_module.functions)


def __getattr__(name: str) -> Any:
    return getattr(_numpy, name)


def __dir__() -> list[str]:
    return dir(_numpy)
