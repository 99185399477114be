"""Writers: from a diagram to DOT, SVG, a page, text, Mermaid and JSON."""
