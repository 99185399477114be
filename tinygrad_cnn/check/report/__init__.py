"""What a cross-check found, as text, as a page and as a picture."""
