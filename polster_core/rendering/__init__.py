"""Turn packaged templates into files. Plugins may use what is named here."""

from polster_core.rendering.jinja import project_files, render, tree

__all__ = ["project_files", "render", "tree"]
