"""The article's system: tell circles from squares with one convolution, and see how that is learnt.

Written with the public API alone: what it cannot say with that, a user cannot either.
"""
