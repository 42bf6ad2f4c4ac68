"""Write docs/reference/cli.md: every command with its help, as the command line prints it.

    python docs/commands.py           write it
    python docs/commands.py --check   write nothing; exit with 3 if it is not up to date

Run it where no other plugins are installed than those that come with Polster.
"""
# ruff: noqa: INP001

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import click

from polster_core.cli.main import PASSES_EVERYTHING_ON, polster

PAGE = Path(__file__).parent / "reference" / "cli.md"
WIDTH = 90
HEAD = """\
# Commands

What `polster --help` and `polster COMMAND --help` print, written by `python docs/commands.py`. The
global options may stand behind a command as well.
"""
PASSED_ON = """
Everything behind `polster run` goes to the project's `run_polster.py`; `polster run --help` prints
its flags, and the project's `docs/running.md` explains them: `--asset`, `--select` and `--failed`
say what runs.
"""


def main() -> int:
    """Write the page, or check it; return the exit code."""
    text = page()
    if "--check" in sys.argv[1:]:
        return 0 if PAGE.read_text(encoding="utf-8") == text else 3
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(text, encoding="utf-8", newline="\n")
    return 0


def page() -> str:
    """Return the whole page."""
    return HEAD + "".join(_sections(polster, "polster", None))


def _sections(command: click.Command, name: str, parent: click.Context | None) -> Iterator[str]:
    """Yield the section of a command, then those of its subcommands."""
    context = click.Context(
        command,
        parent,
        info_name=name,
        terminal_width=WIDTH,
        max_content_width=WIDTH,
        help_option_names=["-h", "--help"],
    )
    note = PASSED_ON if name in PASSES_EVERYTHING_ON else ""
    yield f"\n## {context.command_path}\n\n```text\n{command.get_help(context)}\n```\n{note}"
    if isinstance(command, click.Group):
        for each in command.list_commands(context):
            if found := command.get_command(context, each):
                yield from _sections(found, each, context)


if __name__ == "__main__":
    sys.exit(main())
