"""Merge `pyproject.toml` by its keys, leaving the rest of the team's text as it is."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, MutableMapping
from typing import Any

from polster_core.upgrade.merge.lines import merge_lines, newline_of
from polster_core.upgrade.merge.result import Merged
from polster_core.upgrade.merge.values import Merge


def merge_toml(base: bytes, mine: bytes, new: bytes) -> Merged:
    """Merge by keys; lists of requirements by the name of the package.

    Where lines put together say the same, they are taken: they have the comments, too.
    """
    try:
        before, ours, theirs = (tomllib.loads(content.decode()) for content in (base, mine, new))
    except ValueError as error:
        return Merged(text=None, conflicts=(f"it cannot be read as TOML: {error}",))
    merge = Merge()
    wanted = merge.value(before, ours, theirs)
    for text in (merge_lines(base, mine, new), _edited(mine, new, wanted)):
        if text is not None and _says(text, wanted):
            return Merged(text=text, conflicts=tuple(merge.conflicts))
    return Merged(text=None, conflicts=("it is laid out in a way that cannot be edited",))


def _says(text: bytes, wanted: Mapping[str, Any]) -> bool:
    try:
        return tomllib.loads(text.decode()) == wanted
    except ValueError:
        return False


def _edited(mine: bytes, new: bytes, wanted: Mapping[str, Any]) -> bytes | None:
    """Change the team's text until it says what is wanted; `None` if that fails."""
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    try:
        newline = newline_of(mine)
        document, source = tomlkit.parse(mine.replace(newline, b"\n")), tomlkit.parse(new)
        _edit(document, source, wanted)
        return tomlkit.dumps(document).encode().replace(b"\n", newline)
    except (TOMLKitError, KeyError, ValueError, TypeError, AttributeError, IndexError):
        return None  # tomlkit cannot edit every layout, and says so in many ways


def _edit(table: MutableMapping[str, Any], source: Any, wanted: Mapping[str, Any]) -> None:
    """Give a table of a document the wanted values; `source` has Polster's, with their comments."""
    for key in [key for key in table if key not in wanted]:
        del table[key]
    for key, value in wanted.items():
        offered = source.get(key) if isinstance(source, Mapping) else None
        if key not in table:
            table[key] = offered if _plain(offered) == value else value
        elif _plain(table[key]) == value:
            continue
        elif isinstance(table[key], MutableMapping) and isinstance(value, Mapping):
            _edit(table[key], offered, value)
        elif isinstance(table[key], list) and isinstance(value, list):
            _edit_list(table[key], value)
        else:
            table[key] = value


def _edit_list(items: list[Any], wanted: list[Any]) -> None:
    """Make a list the wanted one, by as few edits as its order allows."""
    for index in reversed(range(len(items))):
        if _plain(items[index]) not in wanted:
            del items[index]
    for index, value in enumerate(wanted):
        if index >= len(items) or _plain(items[index]) != value:
            items.insert(index, value)


def _plain(item: Any) -> Any:
    return item.unwrap() if hasattr(item, "unwrap") else item
