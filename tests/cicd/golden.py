"""The expected pipelines, side by side: write them again with  python -m tests.cicd.golden.

`tests/golden/cicd/PLATFORM/STORAGE/` is what `polster init --cicd PLATFORM --storage STORAGE` adds
to a project; `tests/golden/cicd/shared/` is what all platforms have in common.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from polster_core.plugins.installed import installed
from polster_core.scaffold import project
from polster_core.types import NewFile

FOLDER = Path(__file__).parents[1] / "golden" / "cicd"
PLATFORMS = ("azure-devops", "github-actions", "gitlab-ci")
STORAGES: Mapping[str, Mapping[str, str]] = {
    "local": {},
    "adls": {"adls-account-name": "mylake", "adls-container": "raw", "adls-auth": "identity"},
}


def pipeline(platform: str, storage: str, **answers: str) -> list[NewFile]:
    """Return the files of a new project that belong to its pipeline."""
    named = {name.replace("_", "-"): answer for name, answer in answers.items()}
    given = {"sample-assets": "false", **STORAGES[storage], **named}
    request = project.ProjectRequest(name="shop", storage=storage, cicd=platform, answers=given)
    made = project.files(installed(), request)
    return [file for file in made if file.origin.startswith("cicd-")]


def expected() -> dict[Path, bytes]:
    """Return every file of the golden trees with its content."""
    found: dict[Path, bytes] = {}
    for platform in PLATFORMS:
        for storage in STORAGES:
            for file in pipeline(platform, storage):
                shared = file.path.parts[0] == "ci"
                folder = FOLDER / ("shared" if shared else f"{platform}/{storage}")
                found[folder / file.path] = file.content
    return found


def main() -> None:
    """Write the trees."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    for path, content in expected().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


if __name__ == "__main__":
    main()
