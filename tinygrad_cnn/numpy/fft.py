"""numpy.fft, whose functions take lists of Tensors too."""

from __future__ import annotations

import numpy as np

from tinygrad_cnn.numpy._lists import aware
from tinygrad_cnn.replacements import fallback

globals().update(aware(np.fft, np.fft.__all__))
__getattr__, __dir__ = fallback(np.fft, globals())
