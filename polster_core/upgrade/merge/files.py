"""Choose how a file is merged, and refuse a result that is broken."""

from __future__ import annotations

from pathlib import PurePosixPath

from polster_core.plan import syntax
from polster_core.upgrade.merge.blocks import merge_blocks
from polster_core.upgrade.merge.ignore_lists import merge_ignore_list
from polster_core.upgrade.merge.lines import merge_lines
from polster_core.upgrade.merge.result import Merged
from polster_core.upgrade.merge.settings import merge_settings
from polster_core.upgrade.merge.toml import merge_toml

_BOM = b"\xef\xbb\xbf"
_IGNORE_LISTS = frozenset({".gitignore", ".dockerignore"})


def merge_file(path: PurePosixPath, base: bytes | None, mine: bytes, new: bytes) -> Merged:
    """Merge what Polster changed between `base` and `new` into `mine`.

    Without a `base` only files that have keys can be merged. Line ends and a byte order mark stay
    as they are in `mine`.
    """
    mark = _BOM if mine.startswith(_BOM) else b""
    merged = _merge(path, base, mine[len(mark) :], new)
    if mark and merged.text is not None:
        return Merged(text=mark + merged.text, conflicts=merged.conflicts)
    return merged


def _merge(path: PurePosixPath, base: bytes | None, mine: bytes, new: bytes) -> Merged:
    if path.suffix == ".toml":
        return merge_toml(base or b"", mine, new)
    if path.name.startswith(".env"):
        return merge_settings(base or b"", mine, new)
    if path.name in _IGNORE_LISTS:
        return merge_ignore_list(base or b"", mine, new)
    if base is None:
        return Merged(text=None, conflicts=("what was generated before is not known",))
    return _merge_text(path, base, mine, new)


def _merge_text(path: PurePosixPath, base: bytes, mine: bytes, new: bytes) -> Merged:
    if any(b"\0" in content for content in (base, mine, new)):
        return Merged(text=None, conflicts=("it is not a text",))
    text = merge_lines(base, mine, new)
    if text is None and path.parts[0] == ".dagster":
        text = merge_blocks(base, mine, new)
    if text is None:
        return Merged(text=None, conflicts=("the same lines were changed by you and by Polster",))
    if syntax.problem(path, text) and not syntax.problem(path, mine):
        return Merged(text=None, conflicts=("put together, both changes cannot be parsed",))
    return Merged(text=text)
