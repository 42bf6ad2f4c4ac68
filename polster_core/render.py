"""`polster_core.rendering`, under the name that plugins written for Polster 0.1 import."""

from polster_core.rendering import project_files, render, tree

__all__ = ["project_files", "render", "tree"]
