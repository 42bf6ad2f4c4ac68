"""The lines by which pipelines hand a secret to the step that needs it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from polster_core.model.ownership import Owner, owner_of
from polster_core.plan.definition import read
from polster_core.project import manifest
from polster_core.project.locate import Project
from polster_core.types import EnvVar, NewFile

_MODEL = "ALERT_URLS"
"""The secret that every pipeline has a line for."""
_LINE = re.compile(rf"^(?P<indent> +){_MODEL}: .*{_MODEL}.*\r?\n", re.MULTILINE)
_PIPELINES = (".yml", ".yaml")


def with_secrets(project: Project, env: Iterable[EnvVar]) -> Iterator[NewFile]:
    """Yield the pipelines that lack a line for a secret, with it, whoever edited them.

    A pipeline without the line of `ALERT_URLS` (GitLab hands over all variables) needs none.
    """
    secrets = sorted(one.name for one in env if one.secret)
    known = manifest.find(project.root)
    for path, entry in (known.files if known else {}).items():
        content = read(project.root / path) if path.suffix in _PIPELINES else None
        if content is None or owner_of(path) is Owner.TEAM:
            continue
        text = before = content.decode()
        for name in secrets:
            text = _with_secret(text, name)
        if text != before:
            note = "hands over " + " and ".join(secrets)
            yield NewFile(path=path, text=text, origin=entry.origin, note=note)


def untouched(project: Project, files: Iterable[NewFile]) -> Iterator[NewFile]:
    """Yield those that nobody has edited since Polster wrote them."""
    known = manifest.find(project.root)
    for file in files:
        content = read(project.root / file.path)
        if known and content is not None and known.wrote(file.path, content):
            yield file


def _with_secret(text: str, name: str) -> str:
    """Add the line of a secret to each step that has that of the model, in order."""
    if re.search(rf"\b{name}:", text):
        return text
    return _LINE.sub(lambda found: _in_order(found[0], name), text)


def _in_order(line: str, name: str) -> str:
    own = line.replace(_MODEL, name)
    return own + line if name < _MODEL else line + own
