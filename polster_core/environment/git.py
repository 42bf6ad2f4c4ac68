"""The project's git repository, here and at a host."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from polster_core.environment import git_command, process
from polster_core.errors import PolsterError

BRANCH = "main"
"""The branch that the generated pipelines run on."""
_PUSH = ("push", "--quiet", "--set-upstream", "origin", BRANCH)
# Used for the first commit where git does not know who the user is.
_NOBODY = ("-c", "user.name=Polster", "-c", "user.email=polster@localhost")


@dataclass(frozen=True, kw_only=True)
class Host:
    """A place for repositories and the program that creates them there.

    `check` succeeds where somebody is logged in, `login` is what to type otherwise. `create` makes
    a private repository; it adds the remote `origin` itself, or (`prints_url`) prints its address;
    it may push as well (`pushes`), with the credentials that only it has.
    """

    name: str
    program: str
    check: tuple[str, ...]
    login: str
    create: tuple[str, ...]
    prints_url: bool = False
    pushes: bool = False

    def creation(self, project: str) -> list[str]:
        """Return the command that creates the repository."""
        return [self.program, *(part.format(name=project) for part in self.create)]


HOSTS = (
    Host(
        name="github",
        program="gh",
        check=("auth", "status"),
        login="gh auth login",
        create=(
            *("repo", "create", "{name}", "--private"),
            *("--source", ".", "--remote", "origin", "--push"),
        ),
        pushes=True,
    ),
    Host(
        name="gitlab",
        program="glab",
        check=("auth", "status"),
        login="glab auth login",
        create=("repo", "create", "--name", "{name}", "--private", "--defaultBranch", BRANCH),
    ),
    Host(
        name="azure-devops",
        program="az",
        check=("account", "show"),
        login="az login",
        create=("repos", "create", "--name", "{name}", "--query", "remoteUrl", "--output", "tsv"),
        prints_url=True,
    ),
)


def has_git() -> bool:
    """Whether git is installed."""
    return git_command.program() is not None


def repository_of(folder: Path) -> Path | None:
    """Return the top of the repository that a folder, which may not exist yet, is in."""
    there = next(path for path in (folder, *folder.parents) if path.is_dir())
    if not has_git():
        return None
    done = _git("rev-parse", "--show-toplevel", cwd=there)
    return Path(done.lines[0]) if done.code == 0 and done.lines else None


def ignored_by(root: Path, paths: Sequence[PurePosixPath]) -> list[tuple[str, str]]:
    """Return what git ignores of some files, each with the line that says so: `.gitignore:3`.

    A folder that is ignored stands for all that is in it. Nothing where there is no repository.
    """
    if repository_of(root) is None:
        return []
    found: dict[str, str] = {}
    for path, source, line, pattern in git_command.ignored(root, paths):
        folder = next((p for p in (path, *path.parents) if p.name == pattern.strip("/*")), path)
        found.setdefault(f"{folder}{'/' if folder != path else ''}", f"{source}:{line}")
    return [*found.items()]


def initialize(root: Path) -> str:
    """Make a repository with everything that is not ignored in its first commit.

    Raises PolsterError with git's words, and what to type.
    """
    retry = f'cd {root.name} && git init && git add --all && git commit -m "Polster project"'
    _must(root, ["init", "--quiet"], retry)
    _must(root, ["symbolic-ref", "HEAD", f"refs/heads/{BRANCH}"], retry)
    _must(root, ["add", "--all"], retry)
    if _git("diff", "--cached", "--quiet", cwd=root).code == 0:
        return "initialized before, everything is committed"
    known = _knows_the_user(root)
    message = ["commit", "--quiet", "--no-gpg-sign", "--message", "Start the project with Polster"]
    _must(root, [*(() if known else _NOBODY), *message], retry)
    return "initialized, first commit" + ("" if known else " (as Polster: git knows no user.email)")


def plan_remote(host: str) -> str:
    """Say what `publish` would do."""
    if found := _logged_in(host):
        return f"create a private repository at {found.name} with {found.program}, and push"
    return "none is created: " + _nobody_logged_in(host, "NAME").reason


def publish(root: Path, project: str, host: str = "") -> str:
    """Create a private repository at `host`, or at the first where the user is logged in, and push.

    Raises PolsterError with what to type.
    """
    found = _logged_in(host)
    if found is None:
        raise _nobody_logged_in(host, project)
    command = found.creation(project)
    done = process.run(command, cwd=root)
    shown = " ".join(command)
    if done.code:
        raise PolsterError(
            f"{found.program} did not create a repository ({done.ending})",
            details=done.last_lines(),
            hint=f"try again with  cd {root.name} && {shown}",
        )
    if found.prints_url:
        url = done.last_lines(1)
        _must(root, ["remote", "add", "origin", *url], f"git remote add origin {' '.join(url)}")
    if not found.pushes:
        _must(root, list(_PUSH), f"cd {root.name} && git {' '.join(_PUSH)}")
    return _git("remote", "get-url", "origin", cwd=root).lines[-1]


def _logged_in(host: str) -> Host | None:
    return next(
        (
            known
            for known in HOSTS
            if host in {"", known.name}
            and shutil.which(known.program)
            and process.run([known.program, *known.check], cwd=Path.cwd()).code == 0
        ),
        None,
    )


def _nobody_logged_in(host: str, project: str) -> PolsterError:
    """Say which programs are missing and which are not logged in, and what to type."""
    wanted = [known for known in HOSTS if host in {"", known.name}]
    installed = [known for known in wanted if shutil.which(known.program)]
    names = ", ".join(known.program for known in wanted)
    if not installed:
        reason = (
            f"{names} is not installed" if len(wanted) == 1 else f"none of {names} is installed"
        )
    else:
        reason = f"not logged in: run {' or '.join(f'`{known.login}`' for known in installed)}"
    first = (installed or wanted)[0]
    then = " ".join(first.creation(project))
    if first.prints_url:
        then += " && git remote add origin URL"
    if not first.pushes:
        then += f" && git {' '.join(_PUSH)}"
    get = "" if installed else f"install {first.program}, then  "
    return PolsterError(
        f"no remote repository: {reason}",
        hint=f"{get}{first.login} && cd {project} && {then}",
    )


def _knows_the_user(root: Path) -> bool:
    return "GIT_AUTHOR_EMAIL" in os.environ or _git("config", "user.email", cwd=root).code == 0


def _must(root: Path, args: Sequence[str], retry: str) -> None:
    done = _git(*args, cwd=root)
    if done.code:
        verb = next(
            arg
            for arg in args
            if arg in {"init", "symbolic-ref", "add", "commit", "push", "remote"}
        )
        raise PolsterError(
            f"git {verb} failed ({done.ending})",
            details=done.last_lines(),
            hint=f"by hand:  {retry}",
        )


def _git(*args: str, cwd: Path) -> process.Finished:
    remote = bool({"push", "remote"} & set(args))
    command = git_command.command(*args, remote=remote)
    return process.run(command, cwd=cwd, env=git_command.variables(remote=remote))
