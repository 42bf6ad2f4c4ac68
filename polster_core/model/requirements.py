"""Merge the requirements of several parties: extras and bounds of one package become one line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from polster_core.errors import PluginError

if TYPE_CHECKING:
    from packaging.requirements import Requirement
    from packaging.specifiers import SpecifierSet
    from packaging.version import Version

Named = tuple[str, str]
"""Who requires something, in words, and the requirement as PEP 508 writes it."""


class RequirementConflictError(PluginError):
    """Two parties require versions of one package that no version fits."""


def merge(wanted: Iterable[Named]) -> tuple[str, ...]:
    """Return one requirement for each package, sorted, in a form that fits between double quotes.

    Extras and bounds are united. Raises RequirementConflictError, with the names of both parties,
    where no version fits, or where the same package comes from two places.
    """
    found: dict[tuple[str, str], Named] = {}
    for who, text in wanted:
        plain = " ".join(text.replace('"', "'").split())
        key = _key(plain)
        there = found.get(key)
        found[key] = (who, plain) if there is None else _both(there, (who, plain))
    return tuple(sorted((text for _, text in found.values()), key=lambda t: (t.casefold(), t)))


def united(there: Named, wanted: Named) -> str:
    """Return a requirement that asks for what both do; `there` as it stands where that is enough.

    Raises RequirementConflictError as `merge` does.
    """
    return _both(there, (wanted[0], wanted[1].replace('"', "'")))[1]


def _both(one: Named, other: Named) -> Named:
    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    if one[1] == other[1]:
        return one
    first, second = Requirement(one[1]), Requirement(other[1])
    if first.url or second.url:
        if first.url != second.url:
            raise _conflict(one, other, "and it can come from one place only")
    elif _is_wider(second, first):
        return one
    elif _is_wider(first, second) and canonicalize_name(first.name) == first.name:
        return (other[0], other[1])
    specifier = first.specifier & second.specifier
    if not any(specifier.contains(version, prereleases=True) for version in _around(specifier)):
        raise _conflict(one, other, "and no version fits both")
    extras = ",".join(sorted(first.extras | second.extras))
    text = f"{first.name}{f'[{extras}]' if extras else ''}"
    text += f" @ {first.url}" if first.url else ",".join(_tidy(specifier))
    if first.marker:
        text += f"; {first.marker}".replace('"', "'")
    return (f"{one[0]} and {other[0]}" if one[0] != other[0] else one[0], text)


def _conflict(one: Named, other: Named, why: str) -> RequirementConflictError:
    return RequirementConflictError(
        f"{one[0]} requires {one[1]}, {other[0]} requires {other[1]}, {why}",
        hint="nothing was changed; leave out one of them, or ask its author for wider bounds",
    )


def _is_wider(one: Requirement, other: Requirement) -> bool:
    """Whether `one` asks for nothing that `other` does not ask for as well."""
    if one.url or other.url or not one.extras <= other.extras:
        return False
    versions = [*_around(one.specifier), *_around(other.specifier)]
    return all(
        one.specifier.contains(version, prereleases=True)
        for version in versions
        if other.specifier.contains(version, prereleases=True)
    )


def _around(specifier: SpecifierSet) -> Iterator[Version]:
    """Yield the versions at, above and below each bound: where the answer can change."""
    from packaging.version import InvalidVersion, Version

    yield from (Version("0"), Version("99999"))
    for one in specifier:
        try:
            version = Version(one.version.removesuffix(".*"))
        except InvalidVersion:
            continue
        release = version.release
        yield version
        yield Version(".".join(map(str, (*release, 1))))
        yield Version(".".join(map(str, (*release, 99999))))
        for length in range(1, len(release) + 1):
            above = (*release[: length - 1], release[length - 1] + 1)
            yield Version(".".join(map(str, above)))
            if release[length - 1]:
                below = (*release[: length - 1], release[length - 1] - 1, 99999)
                yield Version(".".join(map(str, below)))


def _tidy(specifier: SpecifierSet) -> list[str]:
    """Return the bounds, of several lower or upper ones only the one that counts."""
    from packaging.version import Version

    kept = {str(one) for one in specifier}
    for operator, best in ((">=", max), ("<", min)):
        same = [one for one in specifier if one.operator == operator]
        if len(same) > 1:
            winner = best(same, key=lambda one: Version(one.version))
            kept -= {str(one) for one in same if one is not winner}
    return sorted(kept, key=lambda text: (text[:1] in "<!", text))


def _key(text: str) -> tuple[str, str]:
    """Return what makes two requirements one: the normalized name, and the marker."""
    head, _, marker = text.partition(";")
    name = re.match(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)", head)
    normalized = re.sub(r"[-_.]+", "-", name[1]).lower() if name else head
    return normalized, "".join(marker.split())


__all__ = ["Named", "RequirementConflictError", "merge", "united"]
