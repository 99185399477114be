"""Planned NumPy: a listing as calls of NumPy that write into buffers made beforehand."""
