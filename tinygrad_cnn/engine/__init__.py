"""The engine: see README.md in this folder for the order in which to read it."""
