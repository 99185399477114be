"""Assignment and aliasing: see README.md in this folder."""
