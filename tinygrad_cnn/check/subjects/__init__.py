"""What can be checked besides a loss: layers with state, and functions of PyTorch and JAX, each made into a loss."""
