"""scipy.spatial: of its modules, `distance` takes Tensors."""

from __future__ import annotations

from tinygrad_cnn.extras import extra
from tinygrad_cnn.replacements import fallback

with extra("scipy", "tinygrad_cnn.scipy.spatial"):
    from scipy import spatial as scipys

    from tinygrad_cnn.scipy.spatial import distance as distance

__getattr__, __dir__ = fallback(scipys, globals())
