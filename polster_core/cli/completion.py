"""What a shell completes: the names of assets, and the scripts that ask for them.

Names come from the names of files: nothing of the project is read, let alone run, while somebody
waits for the Tab key.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import ClassVar

import click
from click.shell_completion import (
    BashComplete,
    CompletionItem,
    FishComplete,
    ShellComplete,
    ZshComplete,
    add_completion_class,
)

from polster_core.model.layers import AssetId, Layer
from polster_core.project.locate import NoProjectError, Project, find_project

VARIABLE = "_POLSTER_COMPLETE"
RUN_FLAGS = (
    *("--asset", "--select", "--failed", "--full-refresh", "--status", "--json", "--ui"),
    *("--materialize", "--no-materialize", "--partition", "--missing", "--dry-run", "--help"),
)
"""What run_polster.py takes."""


def assets(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Complete the name of an asset; in a list with commas, the last one."""
    return _items(_names(), incomplete, after=",")


def selection(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Complete a selection: an asset, perhaps behind `+`, or `layer:silver`."""
    layers = (f"layer:{layer}" for layer in Layer)
    return _items((*layers, *_names()), incomplete, after=",+")


class RunCommand(click.Command):
    """`polster run`, whose flags are those of another program."""

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Complete a flag of run_polster.py."""
        del ctx
        return _items(RUN_FLAGS, incomplete)


def script(shell: str) -> str:
    """Return what a shell has to load."""
    return SHELLS[shell](_NO_COMMAND, {}, "polster", VARIABLE).source()


def _items(found: Iterable[str], incomplete: str, *, after: str = "") -> list[CompletionItem]:
    begun = max(incomplete.rfind(mark) for mark in after) + 1 if after else 0
    done, begin = incomplete[:begun], incomplete[begun:]
    return [CompletionItem(f"{done}{one}") for one in found if one.startswith(begin)]


def _names() -> list[str]:
    try:
        project = find_project()
    except NoProjectError:
        return []
    found = {asset for stem in _stems(project) if (asset := AssetId.parse(stem))}
    order = [str(layer) for layer in Layer]
    return [one.stem for one in sorted(found, key=lambda one: (order.index(one.layer), one.name))]


def _stems(project: Project) -> Iterator[str]:
    """Yield the names of core files, and of the Dagster files of assets that have none."""
    for folder in (str(project.core), *(path for path, _, _ in os.walk(project.assets))):
        try:
            entries = os.listdir(folder)  # noqa: PTH208 - names are all that is needed of 10,000
        except OSError:
            continue
        yield from (name[:-3].removeprefix("run_") for name in entries if name.endswith(".py"))


class _Bash(BashComplete):
    """All names at once: click's own script takes them one by one, 0.1 s for ten thousand."""

    source_template: ClassVar[str] = r"""
%(complete_func)s() {
    local IFS=$'\n' response
    response=$(env COMP_WORDS="${COMP_WORDS[*]}" COMP_CWORD=$COMP_CWORD \
        %(complete_var)s=bash_complete "$1")
    COMPREPLY=()
    case $response in
        file,*) compopt -o default ;;
        dir,*) compopt -o dirnames ;;
        ?*) COMPREPLY=($response) ;;
    esac
}
complete -o nosort -F %(complete_func)s %(prog_name)s
"""
    _before = ""

    def source(self) -> str:
        """Return the script; which bash is there now does not matter."""
        return ShellComplete.source(self)

    def get_completion_args(self) -> tuple[list[str], str]:
        """Put together what bash takes apart at a colon: `layer:silver`."""
        args, incomplete = super().get_completion_args()
        if incomplete == ":" and args[-1:] == ["layer"]:
            self._before, args, incomplete = "layer:", args[:-1], "layer:"
        elif args[-2:] == ["layer", ":"]:
            self._before, args, incomplete = "layer:", args[:-2], f"layer:{incomplete}"
        return args, incomplete

    def format_completion(self, item: CompletionItem) -> str:
        """Write a name alone, and of anything else its type before it."""
        if item.type != "plain":
            return f"{item.type},{item.value}"
        return str(item.value).removeprefix(self._before)


SHELLS: dict[str, type[ShellComplete]] = {"bash": _Bash, "zsh": ZshComplete, "fish": FishComplete}
_NO_COMMAND = click.Command("polster")


def complete(command: click.Command, instruction: str) -> int:
    """Answer a shell: `bash_complete`, and with `bash_source` the script. Return the exit code."""
    from click.shell_completion import shell_complete

    for name, kind in SHELLS.items():
        add_completion_class(kind, name)
    return shell_complete(command, {}, "polster", VARIABLE, instruction)
