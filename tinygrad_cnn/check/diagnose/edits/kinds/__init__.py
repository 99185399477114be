"""The kinds of edits, each a function from a term to what somebody may have written instead, with a cost.

The costs are relative: 1 is a single slip of the pen, and what is likelier is a little less.
"""

from tinygrad_cnn.check.diagnose.edits.kinds import (
    axes,
    functions,
    operands,
    places,
    products,
    scales,
    structure,
    windows,
)

__all__ = ["axes", "functions", "operands", "places", "products", "scales", "structure", "windows"]
