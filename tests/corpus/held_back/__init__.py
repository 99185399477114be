"""The half of the corpus that nobody looks at while working on explanations; see the other half."""

from corpus.case import Case, cases_of
from corpus.held_back import (  # noqa: F401 (they enter their cases)
    activations,
    attention,
    convolution,
    dense_nets,
    geometry,
    indexing,
    linear_algebra,
    losses,
    norms,
    operations,
    pooling,
    probabilistic,
    recurrent,
    softmaxes,
)

HELD_BACK: list[Case] = cases_of("corpus.held_back")
