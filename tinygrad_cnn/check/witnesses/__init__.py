"""The three witnesses of a gradient: autodiff, the hand-derived gradient, finite differences."""
