"""The C backend: a listing as one C file of loops over buffers, and NumPy for what has no C form."""
