"""Cross-checking gradients: which one is wrong, where it goes wrong, and why.

report = tg.check.gradients(loss, params, by_hand=hand_derived)      # by_hand is optional
report = tg.check.layer(make, inputs)                                # a class with a backward pass, or two functions
report = tg.check.torch(function, inputs); report = tg.check.jax(function, args)
report.ok; print(report); report.to_html(path); report.raise_if_wrong()
"""

from tinygrad_cnn.check.cross_check import gradients
from tinygrad_cnn.check.diagnose.explanations import EXPLANATIONS, Case, Explanation, OtherRule
from tinygrad_cnn.check.report.report import GradientsDifferError, Report
from tinygrad_cnn.check.results import Comparison, Parameter, Step
from tinygrad_cnn.check.subjects.jax_functions import jax
from tinygrad_cnn.check.subjects.layers import layer
from tinygrad_cnn.check.subjects.torch_functions import torch

__all__ = [
    "EXPLANATIONS",
    "Case",
    "Comparison",
    "Explanation",
    "GradientsDifferError",
    "OtherRule",
    "Parameter",
    "Report",
    "Step",
    "gradients",
    "jax",
    "layer",
    "torch",
]
