"""Carry out `polster add-asset`: ask for what is missing, plan, show or do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import click

from polster_core.assets import add, dependencies, env_file, naming, partitions
from polster_core.assets.index import known
from polster_core.assets.resolve import AssetRequest, ResolvedAsset, check, resolve
from polster_core.cli import prompts
from polster_core.cli.context import warn_of_broken
from polster_core.cli.execute import carry_out, say_next
from polster_core.cli.options import templates
from polster_core.cli.working_project import current_project, has_finished, writing
from polster_core.errors import UsageProblem
from polster_core.model.layers import AssetId, Layer
from polster_core.model.pipeline import AssetNameError, Pipeline
from polster_core.plugins.manager import Plugins
from polster_core.project.locate import Project
from polster_core.project.reader import read_pipeline
from polster_core.types import AssetTemplate

_DEFAULT = "function"


@dataclass(frozen=True, kw_only=True)
class AddAssetArguments:
    """The command line as it was typed; `None` where nothing was said."""

    layer: str | None
    name: str | None
    dependencies: tuple[str, ...]
    description: str | None
    template: str | None
    partition: str | None
    start: str | None
    dry_run: bool
    options: Mapping[str, str | bool | None]


class Addition:
    """One run of the command; each method settles one thing."""

    def __init__(
        self, plugins: Plugins, flags: list[templates.SharedFlag], arguments: AddAssetArguments
    ) -> None:
        """Take what was typed; `flags` are those of templates."""
        self._plugins = plugins
        self._flags = flags
        self._arguments = arguments
        self._can_ask = prompts.is_possible()
        self._asked = False

    def do(self) -> None:
        """Check, ask, plan, write."""
        project = self._project
        layer = self._layer()
        asset = AssetId(layer, self._name(layer))
        if has_finished("add-asset", asset.stem):
            return
        naming.check(project, asset)
        upstream = self._dependencies(asset)
        template = self._template(layer)
        parts = self._partitions(asset, upstream, template)
        answers = templates.answers(
            template, self._flags, self._arguments.options, asks=self._can_ask
        )
        origin = self._plugins.owner(AssetTemplate, template.name)
        request = AssetRequest(
            asset=asset,
            template=template,
            origin=origin,
            distribution=self._plugins.versions().get(origin, ""),
            needs=tuple(self._plugins.strangers([origin])),
            dependencies=upstream,
            description=self._description(),
            answers=answers,
            partitions=parts,
        )
        check(project, request)
        warn_of_broken(self._plugins)
        with writing(project, later=self._arguments.dry_run):
            resolved = resolve(project, request)
            carry_out(add.plan(project, resolved), dry_run=self._arguments.dry_run)
        if lines := resolved.look(project):
            click.echo("\n".join(("", *lines)))
        if not self._arguments.dry_run:
            say_next(self._next_steps(resolved))

    def _next_steps(self, resolved: ResolvedAsset) -> Iterator[tuple[str, str]]:
        """Yield what is left to do before the asset can run, and why."""
        if resolved.request.template.requirements:
            locked = (self._project.root / "uv.lock").exists()
            lock = " and renew uv.lock, without which pipelines fail" if locked else ""
            yield "polster setup", f"install what it needs{lock}"
        if unset := env_file.unset(self._project, resolved.env):
            yield "edit .env", ", ".join(unset)
            yield "polster doctor", "try it"

    @cached_property
    def _project(self) -> Project:
        return current_project()

    @cached_property
    def _known(self) -> Pipeline:
        return known(self._project)

    @cached_property
    def _read(self) -> Pipeline:
        return read_pipeline(self._project, core=False)

    def _layer(self) -> Layer:
        if self._arguments.layer is not None:
            return Layer(self._arguments.layer)
        if not self._may_ask():
            raise UsageProblem("missing option `--layer`", hint="bronze, silver or gold")
        words = {"bronze": "raw, as it comes", "silver": "clean", "gold": "ready for the business"}
        return Layer(prompts.choice("Which layer?", words))

    def _name(self, layer: Layer) -> str:
        if self._arguments.name is not None:
            return self._arguments.name
        if not self._may_ask():
            raise UsageProblem("missing option `--name`", hint="for example  --name orders")
        return prompts.text(
            "What is it called?", problem=lambda name: naming.problem(self._project, layer, name)
        )

    def _dependencies(self, asset: AssetId) -> tuple[AssetId, ...]:
        typed = [
            text.strip() for given in self._arguments.dependencies for text in given.split(",")
        ]
        texts = [text for text in typed if text]
        if texts:
            try:
                return dependencies.resolve(self._known, asset, texts)
            except (UsageProblem, AssetNameError):
                return dependencies.resolve(self._read, asset, texts)
        if asset.layer.upstream is None:
            return ()
        if self._may_ask():
            return self._ask_dependencies(asset)
        same = dependencies.of_same_name(self._known, asset)
        same = same or dependencies.of_same_name(self._read, asset)
        if same is None or typed:
            raise dependencies.missing(self._read, asset)
        return (same,)

    def _ask_dependencies(self, asset: AssetId) -> tuple[AssetId, ...]:
        offered = dependencies.candidates(self._read, asset)
        if not offered:
            raise dependencies.missing(self._read, asset)
        words = {one.name: one.description for one in self._read.in_layer(offered[0].layer)}
        by_name = {one.name: one for one in offered}
        chosen = prompts.several("What is it made from? (space selects)", words)
        return tuple(by_name[name] for name in chosen)

    def _template(self, layer: Layer) -> AssetTemplate:
        offered = {
            name: template
            for name, template in self._plugins.asset_templates().items()
            if layer in template.layers
        }
        name = self._arguments.template
        if name is None and self._asked and len(offered) > 1:
            usual_first = sorted(offered, key=lambda name: (name != _DEFAULT, name))
            words = {name: offered[name].summary for name in usual_first}
            name = prompts.choice("What is to be written?", words)
        name = name or _DEFAULT
        if name in offered:
            return offered[name]
        template = self._plugins.choose(AssetTemplate, name)
        layers = " or ".join(template.layers)
        raise UsageProblem(
            f"--template {name} writes {layers} assets only",
            hint=f"for {layer} there is  {', '.join(offered)}",
        )

    def _partitions(
        self, asset: AssetId, upstream: tuple[AssetId, ...], template: AssetTemplate
    ) -> partitions.Partitions | None:
        kind, start = self._arguments.partition, self._arguments.start
        if kind is None:
            if start is not None:
                raise UsageProblem("--start needs --partition", hint="--partition daily")
            return None
        if template.name != _DEFAULT:
            raise UsageProblem(
                f"--partition goes with functions of your own, not with --template {template.name}",
                hint=f"omit one of them, or take  --template {_DEFAULT}",
            )
        if asset.layer is Layer.BRONZE:
            return partitions.of_kind(self._project, asset, kind, start)
        return partitions.of_upstream(self._project, self._read, asset, upstream, kind, start)

    def _description(self) -> str:
        if self._arguments.description is None and self._asked:
            return prompts.text("What is it, in a line? (may stay empty)")
        return self._arguments.description or ""

    def _may_ask(self) -> bool:
        """Whether there is somebody to ask; once somebody was, optional things are asked, too."""
        self._asked = self._asked or self._can_ask
        return self._can_ask
