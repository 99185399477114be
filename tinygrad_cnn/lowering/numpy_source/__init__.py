"""Printing: a listing as a module of plain NumPy that a person can read."""
