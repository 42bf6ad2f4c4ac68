"""How git is started, here and nowhere else: it runs nothing that a repository asks for.

The files of a repository come from others, and its `.git/config` may as well (an archive, a shared
folder). Much in it names programs that git starts while it only reads: `core.fsmonitor`, hooks,
filters of `.gitattributes`, the helpers that fetch what a partial clone lacks. Each of them is
turned off, and so is the network, except for the two commands that are there for it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath

from polster_core.environment import process

_NOTHING_RUNS = (
    "core.fsmonitor=",  # empty, since versions before 2.36 take `false` for a program
    f"core.hooksPath={os.devnull}",  # reading runs post-index-change
    "core.pager=cat",
    "core.alternateRefsCommand=",
    "diff.external=",
    "commit.gpgSign=false",
    "submodule.recurse=false",
    "status.submoduleSummary=false",
    "safe.bareRepository=explicit",  # a folder that looks like a repository is none
)
_NO_NETWORK = (
    "credential.helper=",
    "core.askPass=",
    "core.sshCommand=false",
    "protocol.allow=never",
)
_QUIET = {"GIT_TERMINAL_PROMPT": "0", "GIT_PAGER": "cat", "GIT_EDITOR": "true"}
_OFFLINE = {
    "GIT_ALLOW_PROTOCOL": "none",  # stronger than the repository's own protocol.*.allow
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_SSH_COMMAND": "false",
    "GIT_ASKPASS": "false",
}
# They would make git work on another repository, or run something of the caller's.
_OF_OTHERS = (
    *("GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_COMMON_DIR", "GIT_CONFIG", "GIT_DIR"),
    *("GIT_EXTERNAL_DIFF", "GIT_GRAFT_FILE", "GIT_IMPLICIT_WORK_TREE", "GIT_INDEX_FILE"),
    *("GIT_NAMESPACE", "GIT_OBJECT_DIRECTORY", "GIT_PREFIX", "GIT_REPLACE_REF_BASE"),
    *("GIT_SHALLOW_FILE", "GIT_WORK_TREE"),
)
_FILTER_KEYS = ("clean", "smudge", "process")


class UnsafeRepositoryError(Exception):
    """The repository asks for programs in a way that cannot be turned off."""


def program() -> str | None:
    """Return where git is; `None` if it is not installed.

    Windows would look into the current folder first, which may be a stranger's project.
    """
    found = shutil.which("git")
    if found and sys.platform == "win32" and Path(found).absolute().parent == Path.cwd():
        return None
    return found


def command(*args: str, remote: bool = False, more: Sequence[str] = ()) -> list[str]:
    """Return a command line; `remote` is for what talks to a host, `more` are further settings."""
    settings = [*_NOTHING_RUNS, *([] if remote else _NO_NETWORK), *more]
    options = [part for setting in settings for part in ("-c", setting)]
    return [program() or "git", "--no-pager", *options, *args]


def variables(*, remote: bool = False) -> dict[str, str]:
    """Return the environment of such a command."""
    ours = process.clean_environment()
    kept = {name: value for name, value in ours.items() if name not in _OF_OTHERS}
    return {**kept, **_QUIET, **({} if remote else _OFFLINE)}


def tracked(root: Path) -> list[str] | str:
    """Return what git tracks below a folder, or why it cannot say."""
    try:
        done = _ask(root, "ls-files", "-z")
    except OSError as error:
        return error.strerror or str(error)
    if done.returncode:
        return done.stderr.decode(errors="replace").strip().partition("\n")[0]
    return [name for name in os.fsdecode(done.stdout).split("\0") if name]


def ignored(
    root: Path, paths: Iterable[PurePosixPath]
) -> Iterator[tuple[PurePosixPath, str, int, str]]:
    """Yield those of some paths that git ignores, each with the file, line and pattern."""
    names = [str(path) for path in paths]
    try:
        done = _ask(root, "check-ignore", "--verbose", "-z", "--stdin", given="\0".join(names))
    except OSError:
        return
    fields = iter(os.fsdecode(done.stdout).split("\0"))
    for source, line, pattern, path in zip(fields, fields, fields, fields, strict=False):
        if not pattern.startswith("!"):
            yield PurePosixPath(path), source, int(line or 0), pattern


def has_uncommitted_changes(root: Path) -> bool:
    """Whether the project, its data aside, has changes that git does not know yet.

    False as well where there is no git, no repository, or one that cannot be read safely.
    """
    if program() is None:
        return False
    try:
        done = _ask(
            root,
            *("status", "--porcelain", "--ignore-submodules=all", "--", ".", ":(exclude)data"),
            more=list(_without_filters(root)),
        )
    except (OSError, UnsafeRepositoryError):
        return False
    return done.returncode == 0 and bool(done.stdout.strip())


def _without_filters(root: Path) -> Iterator[str]:
    """Yield settings that turn off every filter that is configured: to compare is to run them.

    Raises UnsafeRepositoryError for a filter whose name `git -c` cannot hold.
    """
    listed = _ask(root, "config", "--null", "--name-only", "--get-regexp", r"^filter\.")
    names = {name.rpartition(".")[0] for name in os.fsdecode(listed.stdout).split("\0") if name}
    for name in sorted(names):
        if "=" in name or "\n" in name:
            raise UnsafeRepositoryError(name)
        yield f"{name}.required=false"
        yield from (f"{name}.{key}=" for key in _FILTER_KEYS)


def _ask(
    root: Path, *args: str, more: Sequence[str] = (), given: str = ""
) -> subprocess.CompletedProcess[bytes]:
    environment: Mapping[str, str] = variables()
    return subprocess.run(  # noqa: S603 - the arguments are ours
        command(*args, more=more),
        cwd=root,
        env=environment,
        input=os.fsencode(given),
        capture_output=True,
        check=False,
    )
