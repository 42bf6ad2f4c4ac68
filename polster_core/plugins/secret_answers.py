"""Keep secret answers with their owner: others are not told, and no file but `.env` has them."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar
from urllib.parse import quote

from polster_core.errors import PluginError
from polster_core.plan.definition import is_private
from polster_core.plugins.manager import Plugins
from polster_core.plugins.options import Flag, flags
from polster_core.types import AssetContext, EnvVar, NewFile, Option, ProjectContext

_ContextT = TypeVar("_ContextT", ProjectContext, AssetContext)


@dataclass(frozen=True, kw_only=True)
class Secret:
    """A secret that somebody typed: for which flag and variable, whose they are, and the text.

    `owner` is a kind and a name, or "" where the flag belongs to a plugin alone.
    """

    flag: str
    plugin: str
    owner: str = ""
    variable: str = ""
    text: str = field(repr=False)


def is_secret(option: Option, env: Iterable[EnvVar]) -> bool:
    """Whether the answer of an option is secret: it says so itself, or its variable does."""
    return option.secret or any(one.secret for one in env if one.name == option.env)


def secret_flags(plugins: Plugins) -> list[Flag]:
    """Return the flags of `polster init` whose answers are secret."""
    return [flag for flag in flags(plugins) if is_secret(flag.option, _variables(plugins, flag))]


def secrets_in(plugins: Plugins, answers: Mapping[str, str]) -> list[Secret]:
    """Return the secrets among the answers of a project."""
    return [
        Secret(
            flag=flag.name,
            plugin=flag.plugin,
            owner=f"{flag.kind.kind} {flag.contribution}" if flag.kind else "",
            variable=flag.option.env,
            text=answers[flag.name],
        )
        for flag in secret_flags(plugins)
        if answers.get(flag.name)
    ]


def without(context: ProjectContext, foreign: Iterable[Secret]) -> ProjectContext:
    """Return what a contribution may know that does not own these secrets."""
    away = list(foreign)
    flags_, variables = {one.flag for one in away}, {one.variable for one in away}
    return replace(
        context,
        answers={name: text for name, text in context.answers.items() if name not in flags_},
        values={name: text for name, text in context.values.items() if name not in variables},
    )


def made_without_secrets(
    make: Callable[[_ContextT], Sequence[NewFile]], context: _ContextT, own: Sequence[Secret]
) -> list[NewFile]:
    """Return the files that `make` makes for a context that has secrets.

    Raises PluginError if one of them, `.env` aside, has a secret in it. A text that is in a file
    only by chance (a password `main`) is none: with another secret it is still there.
    """
    found = list(make(context))
    if not any(_leaks(found, own)):
        return found
    sham = [replace(one, text=f"polster-{_random()}") for one in own]
    for file, secret in _leaks(make(_with(context, sham)), sham):
        raise PluginError(
            f"{file.path} would hold the secret --{secret.flag}, and only .env may: the plugin "
            f"{file.origin or secret.plugin} wrote it",
            hint="nothing was changed; report it to the plugin's author",
        )
    return found


def _variables(plugins: Plugins, flag: Flag) -> tuple[EnvVar, ...]:
    if flag.kind is None or flag.contribution is None:
        return ()
    for kind_name, offer in plugins.offers(flag.kind).items():  # type: ignore[type-var]
        if kind_name == flag.contribution:
            return offer.env
    return ()


def _with(context: _ContextT, secrets: Iterable[Secret]) -> _ContextT:
    texts = list(secrets)
    answers = {**context.answers, **{one.flag: one.text for one in texts}}
    if isinstance(context, AssetContext):
        return replace(context, answers=answers)
    values = {one.variable: one.text for one in texts if one.variable in context.values}
    return replace(context, answers=answers, values={**context.values, **values})


def _leaks(files: Iterable[NewFile], secrets: Iterable[Secret]) -> Iterator[tuple[NewFile, Secret]]:
    known = [(one, form) for one in secrets for form in _forms(one.text)]
    for file in files:
        if not is_private(file.path):
            yield from ((file, one) for one, form in known if form in file.content)


def _forms(text: str) -> set[bytes]:
    """Return a secret as it is, as addresses have it, and as Kubernetes and basic auth do."""
    plain = text.encode()
    return {plain, quote(text, safe="").encode(), base64.b64encode(plain).rstrip(b"=")}


def _random() -> str:
    import secrets

    return secrets.token_hex(16)


__all__ = [
    "Secret",
    "is_secret",
    "made_without_secrets",
    "secret_flags",
    "secrets_in",
    "without",
]
