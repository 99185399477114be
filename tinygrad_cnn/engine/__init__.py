"""The core: read README.md in this folder first."""
