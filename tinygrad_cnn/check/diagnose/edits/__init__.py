"""Edits of the right backward pass: the smallest that gives the hand-derived numbers is the mistake. See README.md."""

from tinygrad_cnn.check.diagnose.edits.edit import EDITS, Context, Edit, kind
from tinygrad_cnn.check.diagnose.edits.terms import Term, call, constant

__all__ = ["EDITS", "Context", "Edit", "Term", "call", "constant", "kind"]
