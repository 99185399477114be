"""Writers: from a view to DOT, SVG, a page, text, Mermaid and JSON."""
