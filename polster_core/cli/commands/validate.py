"""`polster validate`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import click

import polster_core
from polster_core.cli import console
from polster_core.cli.context import plugins_here, warn_of_broken
from polster_core.cli.execute import show
from polster_core.cli.working_project import current_project, writing
from polster_core.errors import PluginError, UsageProblem
from polster_core.model.diagnostics import ValidationRule
from polster_core.model.pipeline import Pipeline
from polster_core.plan.apply import apply
from polster_core.plan.render import summary
from polster_core.plugins import required
from polster_core.plugins.origin import PROJECT, normalized
from polster_core.project.listing import columns
from polster_core.project.locate import Project
from polster_core.project.reader import read_pipeline
from polster_core.validation import Report, Rule, check, plan_fixes, read_ignored
from polster_core.validation import formats as reports
from polster_core.validation.deep import RULES as DEEP_RULES


@click.command("validate", help="Check names, layers, dependencies, registrations and files.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "github", "sarif"]),
    default="text",
    show_default=True,
    help="For people, for machines, for pull requests on GitHub, for code scanning.",
)
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@click.option("--fix", is_flag=True, help="Apply safe fixes.")
@click.option("--dry-run", is_flag=True, help="With --fix: show what would be fixed.")
@click.option("--deep", is_flag=True, help="Go on in the project's own environment.")
@click.option(
    "--what-if",
    "what_if",
    multiple=True,
    metavar="CHANGE",
    help='Find what a change would break: "drop orders.amount".',
)
@click.option("--rules", "list_rules", is_flag=True, help="List the rules and end.")
def command(
    *,
    form: str,
    as_json: bool,
    fix: bool,
    dry_run: bool,
    deep: bool,
    what_if: tuple[str, ...],
    list_rules: bool,
) -> None:
    """Check, fix if asked to, report; exit with 1 if an error is left, 4 if a plugin failed."""
    if dry_run and not fix:
        raise UsageProblem("--dry-run shows what --fix would do: give both")
    rules = _rules()
    if list_rules:
        rows = [(rule.name, rule.source, rule.rule.summary) for rule in rules]
        click.echo("\n".join(columns([("RULE", "FROM", "ASKS FOR"), *rows])))
        return
    project = current_project()
    form = "json" if as_json else form
    goes_on, unsafe = True, False
    if fix:
        goes_on, unsafe = _fix(project, rules, dry_run=dry_run, quiet=form != "text")
    if not goes_on:
        click.get_current_context().exit(PluginError.exit_code if unsafe else 0)
    pipeline = read_pipeline(project)
    if deep or what_if:
        rules = _deep_rules(project, pipeline, [] if what_if else rules, what_if)
    report = _check(project, pipeline, rules)
    _print(report, pipeline, form)
    if unsafe or report.failed or _lacks_plugins(project):
        click.get_current_context().exit(PluginError.exit_code)
    if not report.ok:
        click.get_current_context().exit(1)


def _deep_rules(
    project: Project, pipeline: Pipeline, rules: list[Rule], what_if: tuple[str, ...]
) -> list[Rule]:
    """Ask the project's environment, and add its answer to the rules."""
    from polster_core.validation.deep.client import ask

    answer = ask(project.root, pipeline, what_if)
    for note in answer.notes:
        click.echo(f"note: {note}", err=True)
    source = f"polster {polster_core.__version__}"
    return [*rules, *(Rule(rule, source) for rule in answer.rules())]


def _rules() -> list[Rule]:
    """Return the rules of all plugins, Polster's own first."""
    plugins = plugins_here()
    offers = plugins.validation_rules()
    warn_of_broken(plugins)
    versions = plugins.versions()
    found = [(plugins.owner(ValidationRule, name), rule) for name, rule in offers.items()]
    found.sort(key=lambda pair: (not plugins.is_own(pair[0]), pair[1].name))
    if not any(plugins.is_own(owner) for owner, _ in found):
        console.warn("Polster's own rules are turned off, and nothing checks what they check")
    return [Rule(rule, versions[owner]) for owner, rule in found]


def _lacks_plugins(project: Project) -> bool:
    """Whether rules may be missing: a plugin that the project needs is, or is broken."""
    needed = required.names(project.settings)
    broken = {normalized(info.distribution) for info in plugins_here().broken}
    wanted = {*needed, normalized(PROJECT)}  # what the project brings itself is asked for, too
    return bool(required.missing(project.settings) or wanted & broken)


def _check(project: Project, pipeline: Pipeline, rules: list[Rule]) -> Report:
    ignored = read_ignored(project.settings)
    for sentence in ignored.unknown({*(rule.name for rule in rules), *DEEP_RULES}):
        console.warn(sentence)
    return check(pipeline, rules, ignored)


def _fix(project: Project, rules: list[Rule], *, dry_run: bool, quiet: bool) -> tuple[bool, bool]:
    """Apply fixes and say which.

    Return whether there is still something to report, and whether a fix was refused as unsafe.
    """
    with writing(project, later=dry_run):
        found = check(read_pipeline(project), rules, read_ignored(project.settings))
        if not found.fixable:
            return True, False
        fixes = plan_fixes(project.root, found.findings, rules)
        for sentence in (*fixes.failures, *fixes.unsafe):
            console.warn(sentence)
        if dry_run:
            show(fixes.plan)
            return False, bool(fixes.unsafe)
        apply(fixes.plan)
    for line in summary(fixes.plan):
        click.echo(line, err=quiet)
    return True, bool(fixes.unsafe)


def _print(report: Report, pipeline: Pipeline, form: str) -> None:
    assets = len(pipeline.assets)
    folder = _in_repository(pipeline.root)
    if form == "json":
        click.echo(reports.as_json(report))
    elif form == "sarif":
        click.echo(reports.as_sarif(report, folder, polster_core.__version__))
    elif form == "github":
        click.echo("".join(f"{line}\n" for line in reports.as_github(report, folder)), nl=False)
        click.echo(reports.count(report, assets), err=True)
    else:
        click.echo("".join(f"{line}\n" for line in _text(report)), nl=False)
        click.echo(reports.count(report, assets))


def _text(report: Report) -> Iterator[str]:
    for finding, place, rule in reports.as_rows(report):
        problem = finding.problem
        color = "red" if finding.is_error else "yellow"
        warning = "" if finding.is_error else "warning: "
        yield f"{place}  {click.style(rule, fg=color)}  {warning}{problem.message}"
        if problem.hint:
            yield f"{' ' * len(place)}  {' ' * len(rule)}  hint: {problem.hint}"


def _in_repository(root: Path) -> PurePosixPath:
    """Return the project's folder in its git repository, or in what CI checked out."""
    workspace = os.environ.get("GITHUB_WORKSPACE")
    if workspace and root.is_relative_to(workspace):
        return PurePosixPath(root.relative_to(workspace).as_posix())
    for folder in (root, *root.parents):
        if (folder / ".git").exists():
            return PurePosixPath(root.relative_to(folder).as_posix())
    return PurePosixPath()
