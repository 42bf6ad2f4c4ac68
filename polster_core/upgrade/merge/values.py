"""Merge plain values, as TOML has them: mappings by key, lists by what their items are about."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any, Final

from polster_core.assets.pyproject import name_of

MISSING: Final = object()
Where = tuple[str, ...]
_IDENTITIES = ("name", "module", "path", "id")
"""The key that says what a table in a list is about, the first that it has."""


class Merge:
    """One merge of values; `conflicts` are keys that both have changed, with Polster's value."""

    def __init__(self) -> None:
        """Start without conflicts."""
        self.conflicts: list[str] = []

    def value(self, base: Any, mine: Any, new: Any, where: Where = ()) -> Any:
        """Return the merged value, MISSING where there shall be none.

        The team's value stays where both changed it, and what the team took out stays out.
        """
        if mine == base:
            return new
        if new in (base, mine) or mine is MISSING:
            return mine
        if isinstance(mine, Mapping) and _are(Mapping, base, new):
            return self._mapping(_or(base, {}), mine, _or(new, {}), where)
        if isinstance(mine, list) and _are(list, base, new):
            return self._list(_or(base, []), mine, _or(new, []), where)
        if new is not MISSING:
            self._note(where, new)
        return mine

    def _mapping(
        self, base: Mapping[str, Any], mine: Mapping[str, Any], new: Mapping[str, Any], where: Where
    ) -> dict[str, Any]:
        merged = {
            key: self.value(
                base.get(key, MISSING), mine.get(key, MISSING), new.get(key, MISSING), (*where, key)
            )
            for key in dict.fromkeys([*mine, *new])
        }
        return {key: value for key, value in merged.items() if value is not MISSING}

    def _list(
        self, base: Sequence[Any], mine: Sequence[Any], new: Sequence[Any], where: Where
    ) -> list[Any]:
        versions = [{_identity(item, where): item for item in items} for items in (base, mine, new)]
        if any(len(v) < len(items) for v, items in zip(versions, (base, mine, new), strict=True)):
            self._note(where, new)  # an item is there twice: which one is meant?
            return list(mine)
        before, ours, theirs = versions
        merged = [
            found
            for key, item in ours.items()
            if (found := self._item(before, item, theirs, key, where)) is not MISSING
        ]
        for key, item in theirs.items():
            if key not in ours and key not in before:
                merged.insert(_place(merged, item), item)
        return merged

    def _item(
        self,
        base: Mapping[Hashable, Any],
        mine: Any,
        new: Mapping[Hashable, Any],
        key: Hashable,
        where: Where,
    ) -> Any:
        name = key if isinstance(key, str) else str(mine)
        return self.value(base.get(key, MISSING), mine, new.get(key, MISSING), (*where, name))

    def _note(self, where: Where, new: Any) -> None:
        self.conflicts.append(f"{'.'.join(where)}: Polster has  {shown(new)}")


def shown(value: Any) -> str:
    """Return a value about as TOML writes it, in one line."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, list):
        return f"[{', '.join(map(shown, value))}]"
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{key} = {shown(one)}' for key, one in value.items())}}}"
    return str(value)


def is_requirements(where: Where) -> bool:
    """Whether a key of `pyproject.toml` holds a list of requirements."""
    match where:
        case ("project", "dependencies") | ("build-system", "requires"):
            return True
        case ("project", "optional-dependencies", _) | ("dependency-groups", _):
            return True
    return False


def _are(kind: type, *values: Any) -> bool:
    return all(value is MISSING or isinstance(value, kind) for value in values)


def _or(value: Any, default: Any) -> Any:
    return default if value is MISSING else value


def _identity(item: Any, where: Where) -> Hashable:
    if isinstance(item, str) and is_requirements(where):
        _, _, marker = item.partition(";")
        return f"{name_of(item)};{marker.strip()}".rstrip(";")
    if isinstance(item, Mapping):
        found = next((key for key in _IDENTITIES if key in item), None)
        return (found, repr(item[found])) if found else repr(item)
    return item if isinstance(item, str) else repr(item)


def _place(items: Sequence[Any], item: Any) -> int:
    """Return where an item belongs in a list that is sorted, or the end of any other."""
    names = [str(one).casefold() for one in items]
    if not isinstance(item, str) or names != sorted(names):
        return len(names)
    return sum(name < item.casefold() for name in names)
