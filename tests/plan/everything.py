"""One project, and one plan that does everything to it that a plan can do."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from polster_core.errors import PolsterError
from polster_core.plan.apply import apply
from polster_core.plan.definition import Plan, draft
from polster_core.plan.lock import turn
from polster_core.plan.recovery import Recovery, recover
from polster_core.testing.projects import tree
from polster_core.types import NewFile
from tests.conftest import names
from tests.kill_points import attempts, die, forked

BEFORE = {
    "src/updated.py": "old\n",
    "src/deleted.py": "old\n",
    "src/renamed.py": "old\n",
    "src/edited.py": "old\n",
    "data/silver/orders/1.parquet": "rows",
    "data/gold/old/1.parquet": "rows",
}
AFTER = {
    "src/updated.py": "new\n",
    "src/other.py": "old\n",
    "src/edited_too.py": "new\n",
    "src/a/b/created.py": "new\n",
    "data/silver/clean/1.parquet": "rows",
}


def lay(root: Path, files: dict[str, str]) -> Path:
    """Write files below a folder, and return it."""
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    return root


def plan(root: Path, **files: str) -> Plan:
    """Plan to write files."""
    return draft(
        root, [NewFile(path=PurePosixPath(path), text=text) for path, text in files.items()]
    )


def everything(root: Path) -> Plan:
    """Plan to make AFTER of BEFORE."""
    path = PurePosixPath
    return draft(
        root,
        [
            NewFile(path=path(name), text="new\n")
            for name in ("src/updated.py", "src/edited_too.py", "src/a/b/created.py")
        ],
        deleted=[path("src/deleted.py"), path("data/gold/old")],
        moved={
            path("src/renamed.py"): path("src/other.py"),
            path("src/edited.py"): path("src/edited_too.py"),
            path("data/silver/orders"): path("data/silver/clean"),
        },
        command="rename-asset silver_orders silver_clean",
    )


def applied(drafted: Plan, fail: Callable[[], object], attempt: int) -> tuple[int, str]:
    """Apply a plan in a copy of this process that fails at its n-th file operation."""

    def work() -> int:
        try:
            apply(drafted)
        except PolsterError as error:
            sys.stdout.write(f"{error.reason}; {error.hint}")
            return 1
        except KeyboardInterrupt:
            return 130
        return 0

    return forked(work, fail, attempt)


def killed(folder: Path, before: dict[str, str] = BEFORE) -> Iterator[Path]:
    """Yield a project for each file operation at which `everything` was killed."""
    for attempt in attempts():
        project = lay(folder / f"killed-{attempt}", before)
        if applied(everything(project), die, attempt)[0] != -signal.SIGKILL:
            return
        yield project


def killed_at_the_end(folder: Path) -> Path:
    """Return a project in which everything was done, but not committed."""
    project = lay(folder / "killed", BEFORE)
    assert applied(everything(project), die, operations() - 2)[0] == -signal.SIGKILL
    assert files(project) == AFTER
    return project


@cache
def operations() -> int:
    """Return how many file operations `everything` consists of."""
    with TemporaryDirectory() as folder:
        return len(list(killed(Path(folder))))


def files(root: Path) -> dict[str, str]:
    """Return the files that are not Polster's own."""
    return {path: text for path, text in tree(root).items() if ".polster" not in path}


def leftovers(root: Path) -> list[str]:
    """Return everything of Polster's own that should be gone."""
    return [name for name in names(root) if ".polster" in name]


def recovered(root: Path) -> Recovery:
    """Do what every command does first."""
    with turn(root):
        return recover(root)
