"""What every plugin promises, whatever it offers."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

from polster_core.plugins.discovery import GROUP
from polster_core.testing.projects import polster

_LIGHT = {"polster_core", "pluggy"}
_LONGEST = 100
_IMPORTED = """
import sys
import polster_core.hookspecs, polster_core.types
before = set(sys.modules)
import {module}
print(*sorted({{name.partition(".")[0] for name in set(sys.modules) - before}}))
"""


class PluginContract:
    """What every plugin promises. Give `plugin`, the name of its entry point."""

    plugin: str

    def test_it_is_active(self, tmp_path: Path) -> None:
        """Nothing is wrong with it, and it provides something."""
        found = self._listed(tmp_path)
        assert found["problem"] is None
        assert found["notes"] == []
        assert found["status"] == "active"
        assert found["provides"]

    def test_importing_it_is_light_and_silent(self) -> None:
        """At module level it imports the standard library, Polster and itself, nothing else.

        `polster` imports every plugin before it does anything: heavy imports belong in functions.
        """
        module = self._point().module
        done = subprocess.run(  # noqa: S603 - our own script
            [sys.executable, "-c", _IMPORTED.format(module=module)],
            check=True,
            capture_output=True,
            encoding="utf-8",
        )
        *printed, imported = done.stdout.splitlines()
        assert (printed, done.stderr) == ([], "")
        own = {*sys.stdlib_module_names, *_LIGHT, module.partition(".")[0]}
        assert set(imported.split()) - own == set()

    def test_it_can_be_disabled(self, tmp_path: Path) -> None:
        """It is then not imported, and offers nothing."""
        found = self._listed(tmp_path, POLSTER_DISABLE_PLUGINS=self.plugin)
        assert (found["status"], found["provides"]) == ("disabled", [])

    def test_the_help_of_polster_stays_whole(self, tmp_path: Path) -> None:
        """Nothing on stderr: no clash, no warning."""
        for args in (["--help"], ["init", "--help"], ["add-asset", "--help"]):
            shown = polster(tmp_path, *args).succeeded()
            assert shown.err == ""
            assert shown.out.startswith("Usage: ")

    def _point(self) -> EntryPoint:
        found = [point for point in entry_points(group=GROUP) if point.name == self.plugin]
        assert found, f"no entry point of the group {GROUP} is called {self.plugin}: install it"
        return found[0]

    def _listed(self, folder: Path, **env: str) -> dict[str, Any]:
        shown = polster(folder, "plugins", "--json", env=env).succeeded()
        (found,) = (one for one in json.loads(shown.out)["plugins"] if one["name"] == self.plugin)
        assert isinstance(found, dict)
        return found
