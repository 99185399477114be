"""The article's system: a CNN with one convolution that distinguishes circles from squares.

Written with the public API alone: what it cannot say with that, a user cannot either.
"""
