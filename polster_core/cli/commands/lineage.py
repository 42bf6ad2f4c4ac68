"""`polster lineage`."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from polster_core.cli import completion
from polster_core.cli.commands.list_assets import say_empty, warn_of_faults
from polster_core.cli.working_project import current_project
from polster_core.environment import project_python
from polster_core.errors import UsageProblem
from polster_core.lineage.graph import Graph, graph_of
from polster_core.model.selection import select
from polster_core.project.reader import read_pipeline

_FORMATS = ["tree", "mermaid", "svg", "html", "json"]
_WIDE = 160
"""Columns that a drawing may have where there is no terminal."""


@click.command("lineage", help="Show asset and column lineage.")
@click.option(
    "--format",
    "form",
    type=click.Choice(_FORMATS),
    help="The form; by default that of the file's name, or a tree for the terminal.",
)
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@click.option(
    *("--select", "selection"),
    multiple=True,
    metavar="EXPR",
    shell_complete=completion.selection,
    help="Only these assets.",
)
@click.option(
    "--output",
    "-o",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write it to this file.",
)
@click.option("--columns", is_flag=True, help="Show column lineage; run the project once before.")
@click.option("--column", metavar="ASSET.COLUMN", help="The way of one column, back to bronze.")
def command(
    *,
    form: str | None,
    as_json: bool,
    selection: tuple[str, ...],
    output: Path | None,
    columns: bool,
    column: str | None,
) -> None:
    """Read, select, draw, then print or write."""
    project = current_project()
    asked = (
        project_python.output_of_module(project.root, project_python.RUNTIME, ["lineage"])
        if columns or column
        else None
    )
    pipeline = read_pipeline(project, core=False)
    graph = graph_of(pipeline, select(pipeline, selection))
    form = "json" if as_json else form or _form_of(output)
    if form == "tree" and not graph.assets:
        say_empty(None)
    text = (
        _render_columns(graph, form, project.name, asked, column)
        if asked
        else _render(graph, form, project.name, to_file=output is not None)
    )
    if output is None:
        click.echo(text, nl=False)
    else:
        _write(output, text)
        click.echo(f"  create  {output}  {len(graph.assets):,} assets", err=form == "json")
    warn_of_faults(pipeline)


def _render_columns(
    graph: Graph, form: str, project: str, document: str, column: str | None
) -> str:
    """Draw columns, as the project itself tells their lineage."""
    from polster_core.lineage import columns, html

    found = columns.parse(document)
    if form == "html":
        return html.render(graph, project, found)
    if form == "json":
        return document
    if form != "tree":
        raise UsageProblem(f"columns cannot be drawn as {form}", hint="use --format tree or html")
    stems = {str(asset) for asset in graph.assets}
    starts = [columns.known(found, column)] if column else list(found)
    shown = [name for name in starts if column or name.rpartition(".")[0] in stems]
    return "".join(f"{line}\n" for name in shown for line in columns.lines(found, name))


def _form_of(output: Path | None) -> str:
    """Return the form that a file's name asks for."""
    suffixes = {".svg": "svg", ".html": "html", ".htm": "html", ".json": "json"}
    suffixes |= {".mmd": "mermaid", ".mermaid": "mermaid"}
    return suffixes.get(output.suffix.lower(), "tree") if output else "tree"


def _render(graph: Graph, form: str, project: str, *, to_file: bool) -> str:
    """Import what the form needs, and nothing else."""
    if form == "svg":
        from polster_core.lineage import svg

        return svg.render(graph, f"{project}: lineage")
    if form == "html":
        from polster_core.lineage import html

        return html.render(graph, project)
    if form == "json":
        from polster_core.lineage.graph import as_json

        return as_json(graph) + "\n"
    if form == "mermaid":
        from polster_core.lineage import mermaid

        return "".join(f"{line}\n" for line in mermaid.lines(graph))
    width = _WIDE if to_file or not sys.stdout.isatty() else shutil.get_terminal_size().columns
    return "".join(f"{line}\n" for line in _text(graph, width))


def _text(graph: Graph, width: int) -> Iterator[str]:
    """Yield each connected part as a drawing, or as a tree where it is too entangled for one."""
    from polster_core.lineage import terminal, tree

    last = 0
    for part in sorted(graph.components(), key=lambda part: not part.edges):
        lines = terminal.draw(part, width) or list(tree.lines(part))
        if last and max(last, len(lines)) > 1:
            yield ""
        yield from lines
        last = len(lines)


def _write(output: Path, text: str) -> None:
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(text, encoding="utf-8", newline="\n")
