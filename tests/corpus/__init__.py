"""Real mistakes in hand-derived gradients, re-created from public reports; half of them are in `held_back`."""

from corpus import (  # noqa: F401 (they enter their cases)
    activations,
    convolution,
    dense_nets,
    indexing,
    losses,
    norms,
    operations,
    pooling,
    recurrent,
    softmaxes,
)
from corpus.case import Case, cases_of

SEEN: list[Case] = cases_of("corpus")
