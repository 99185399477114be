"""Real mistakes in hand-derived gradients, re-created from public reports; half of them are in `held_back`."""

from corpus import activations, dense_nets, norms, recurrent, softmaxes  # noqa: F401 (they enter their cases)
from corpus.case import Case, cases_of

SEEN: list[Case] = cases_of("corpus")
