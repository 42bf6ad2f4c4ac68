"""Turn packaged templates into files. Plugins may use what is named here."""

from polster_core.rendering.asset_variables import asset_variables
from polster_core.rendering.context import shared_templates, variables
from polster_core.rendering.jinja import project_files, render, tree

__all__ = ["asset_variables", "project_files", "render", "shared_templates", "tree", "variables"]
