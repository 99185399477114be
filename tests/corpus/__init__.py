"""Real mistakes in hand-derived gradients, re-created from public reports: facts, in code of our own.

A case is a function, the gradient as it was derived, below `@mistake(...)`, which says what it is the gradient of,
where the mistake is from, and what has to be replaced in the source for it to be right. A hash of its name decides
whether it belongs here or in `held_back`, which is not looked at while working on explanations. To add one, write it in
the module of its family; the tests say if it is in the wrong half, right, or wrong at another step. Of several that are
added together, which are found in some order, every other one is held back, and they are named so that it is.
"""

from corpus import (  # noqa: F401 (they enter their cases)
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
from corpus.case import Case, cases_of

SEEN: list[Case] = cases_of("corpus")
