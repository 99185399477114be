"""scipy.stats: distributions, and functions of samples."""

from __future__ import annotations

from tinygrad_cnn.extras import extra
from tinygrad_cnn.scipy._fallback import fallback

with extra("scipy", "tinygrad_cnn.scipy.stats"):
    from scipy import stats as scipys

    from tinygrad_cnn.scipy import _distributions

__getattr__, __dir__ = fallback(scipys, globals())
globals().update(_distributions.distributions)
