"""Make a project a member of the uv workspace that it lies in."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from polster_core.errors import PolsterError

_FILE = "pyproject.toml"


@dataclass(frozen=True, kw_only=True)
class Workspace:
    """The root of a uv workspace, with the text of its `pyproject.toml` before and afterwards."""

    root: Path
    member: PurePosixPath
    before: bytes
    after: bytes

    def write(self) -> str:
        """List the member, in one step; return what was done."""
        path = self.root / _FILE
        if path.read_bytes() != self.before:
            raise PolsterError(
                f"{path} was changed by somebody else",
                hint=f'add "{self.member}" to  [tool.uv.workspace] members',
            )
        draft = path.with_name(f".{_FILE}.polster-{os.getpid()}")
        try:
            draft.write_bytes(self.after)
            draft.chmod(path.stat().st_mode & 0o7777)
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)
        return f"{self.member} is a member of the uv workspace"


def lacking(root: Path) -> Workspace | None:
    """Return the workspace above a project that does not list it; `None` where there is none.

    As for uv, the nearest one counts, and not what it excludes. Raises PolsterError where its
    file cannot be edited.
    """
    here = root.resolve()
    for folder in here.parents:
        found = _workspace(folder)
        if found is None:
            if (folder / ".git").exists():
                return None
            continue
        path = PurePosixPath(here.relative_to(folder).as_posix())
        if _is_one_of(path, found.get("exclude", [])) or _is_one_of(path, found.get("members", [])):
            return None
        before = (folder / _FILE).read_bytes()
        return Workspace(
            root=folder, member=path, before=before, after=_with_member(before, str(path))
        )
    return None


def _workspace(folder: Path) -> Mapping[str, Any] | None:
    try:
        found = tomllib.loads((folder / _FILE).read_text(encoding="utf-8-sig"))
    except (OSError, ValueError):
        return None
    table = found.get("tool", {}).get("uv", {}).get("workspace")
    return table if isinstance(table, dict) else None


def _is_one_of(path: PurePosixPath, patterns: list[str]) -> bool:
    """Whether a path fits a pattern in all its parts: `packages/*` is no `packages/a/b`."""
    return any(
        len(path.parts) == len(PurePosixPath(pattern).parts) and path.match(pattern)
        for pattern in patterns
    )


def _with_member(data: bytes, path: str) -> bytes:
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    text = data.decode("utf-8-sig")
    try:
        document = tomlkit.parse(text)
        table: Any = document["tool"]["uv"]["workspace"]
        if "members" in table:
            table["members"].append(path)
        else:
            table.add("members", [path])
    except (TOMLKitError, TypeError, KeyError, AttributeError) as error:
        raise PolsterError(f"{_FILE} of the uv workspace cannot be edited: {error}") from error
    return data[: len(data) - len(text.encode())] + tomlkit.dumps(document).encode()


__all__ = ["Workspace", "lacking"]
