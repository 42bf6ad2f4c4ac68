"""What a command that a plugin adds promises."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import ClassVar

from polster_core.plugins.installed import installed
from polster_core.testing.projects import polster
from polster_core.types import Command

_HEADING = "\nCommands of plugins:\n"
_LONGEST = 60
_LISTED = """
import sys
from polster_core.cli.main import dispatch
dispatch(["--help"])
sys.exit({module!r} in sys.modules)
"""


class CommandContract:
    """What `polster NAME` does, apart from its work. Give `name`."""

    hook: ClassVar[str] = "polster_commands"
    name: str

    def test_it_is_in_the_help_of_polster(self, tmp_path: Path) -> None:
        """Under the heading of plugins, with a line that says what it does."""
        summary = self.offer().summary
        assert 0 < len(summary) <= _LONGEST
        shown = polster(tmp_path, "--help", env={"COLUMNS": "100"}).succeeded().out
        lines = shown.partition(_HEADING)[2].splitlines()
        assert [line.split() for line in lines].count([self.name, *summary.split()]) == 1

    def test_it_is_imported_when_it_runs(self) -> None:
        """Listing it is for everybody, and takes no longer for it."""
        module = self.offer().target.partition(":")[0]
        code = _LISTED.format(module=module)
        done = subprocess.run(  # noqa: S603 - our own script
            [sys.executable, "-c", code], check=False, stdout=subprocess.DEVNULL
        )
        assert done.returncode == 0, f"polster --help imports {module}"

    def test_it_has_a_help_of_its_own(self, tmp_path: Path) -> None:
        """In any folder, whether there is a project or not."""
        ran = polster(tmp_path, self.name, "--help").succeeded()
        assert ran.out.startswith(f"Usage: polster {self.name}")
        assert ran.err == ""

    def offer(self) -> Command:
        """Return what the plugin offers."""
        return installed().choose(Command, self.name)
