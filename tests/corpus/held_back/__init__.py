"""The half of the corpus that nobody looks at while working on explanations; see the other half."""

from corpus.case import Case, cases_of
from corpus.held_back import activations, dense_nets, norms, recurrent, softmaxes  # noqa: F401 (they enter their cases)

HELD_BACK: list[Case] = cases_of("corpus.held_back")
