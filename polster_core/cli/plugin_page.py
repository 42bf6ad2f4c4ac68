"""All about one plugin: `polster plugins show`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, metadata
from typing import Any

from polster_core.errors import UsageProblem
from polster_core.model.names import did_you_mean
from polster_core.plugins.info import PluginInfo
from polster_core.plugins.manager import Plugins
from polster_core.plugins.origin import normalized
from polster_core.types import AssetTemplate, Contribution

_WIDTH = 14


@dataclass(frozen=True)
class Page:
    """A plugin, what its distribution says, and what it offers, each with a line about it."""

    info: PluginInfo
    summary: str
    homepage: str
    offers: tuple[tuple[str, str], ...]

    def as_dict(self) -> dict[str, Any]:
        """Return it as `--json` shows it."""
        more = {"module": self.info.module, "summary": self.summary, "homepage": self.homepage}
        return {**as_dict(self.info), **more, "offers": [list(row) for row in self.offers]}

    def lines(self) -> Iterator[str]:
        """Yield it as a person reads it."""
        info = self.info
        yield f"{info.name}  {info.status}"
        rows = [
            ("from", info.source),
            ("about", self.summary),
            ("homepage", self.homepage),
            ("module", info.module),
            *zip(["offers", *[""] * len(self.offers)], _aligned(self.offers), strict=False),
            ("problem", info.problem),
            ("what to do", info.hint),
            *(("note", note) for note in info.notes),
        ]
        yield from (f"  {word:<{_WIDTH}}{text}" for word, text in rows if text)


def as_dict(info: PluginInfo) -> dict[str, object]:
    """Return a plugin as `--json` shows it."""
    return {
        "name": info.name,
        "distribution": info.distribution,
        "version": info.version,
        "status": str(info.status),
        "problem": info.problem,
        "provides": list(info.provides),
        "notes": list(info.notes),
        "hint": info.hint,
    }


def find(infos: Sequence[PluginInfo], name: str) -> list[PluginInfo]:
    """Return the plugins that somebody means: one, or those of a distribution.

    Raises UsageProblem, with the nearest name, if there is none.
    """
    wanted = normalized(name)
    for names in (_own_name, _distribution, _offered):
        if found := [info for info in infos if wanted in names(info)]:
            return found
    known = sorted({one for info in infos for one in (info.name, info.distribution)})
    raise UsageProblem(
        f"no plugin is called {name}{did_you_mean(name, known)}", hint="see  polster plugins"
    )


def read(plugins: Plugins, info: PluginInfo) -> Page:
    """Read what the distribution says, and what the plugin offers."""
    try:
        said = metadata(info.distribution)
    except PackageNotFoundError:
        return Page(info, "", "", tuple(_offers(plugins, info)))
    links = dict(_link(text) for text in said.get_all("Project-URL") or ())
    homepage = links.get("homepage") or next(iter(links.values()), "")
    (summary,) = said.get_all("Summary") or [""]
    return Page(info, summary, homepage, tuple(_offers(plugins, info)))


def _offers(plugins: Plugins, info: PluginInfo) -> Iterator[tuple[str, str]]:
    for provided in info.provides:
        kind, _, name = provided.rpartition(" ")
        offer = plugins.offered(kind, name, info.name)
        yield provided, getattr(offer, "summary", "") or getattr(offer, "help", "")
        if isinstance(offer, Contribution):
            prefix = "--" if isinstance(offer, AssetTemplate) else f"--{name}-"
            yield from ((f"  {prefix}{option.name}", option.help) for option in offer.options)
            yield from ((f"  {variable.name}", variable.help) for variable in offer.env)
            yield from (("  requires", requirement) for requirement in offer.requirements)


def _aligned(rows: Sequence[tuple[str, str]]) -> list[str]:
    width = max((len(name) for name, _ in rows), default=0)
    return [f"{name:<{width}}  {words}".rstrip() for name, words in rows]


def _own_name(info: PluginInfo) -> set[str]:
    return {normalized(info.name)}


def _distribution(info: PluginInfo) -> set[str]:
    return {normalized(info.distribution)}


def _offered(info: PluginInfo) -> set[str]:
    return {provided.rpartition(" ")[2] for provided in info.provides}


def _link(text: str) -> tuple[str, str]:
    label, _, address = text.partition(",")
    return label.strip().lower(), address.strip()
