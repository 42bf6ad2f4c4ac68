"""Pictures of a pipeline: a tree in the terminal, Mermaid, SVG, one HTML page, JSON."""
