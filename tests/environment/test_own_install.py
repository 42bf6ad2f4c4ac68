"""What a pipeline installs to have the same Polster, by what an installer has noted (PEP 610)."""

from __future__ import annotations

import importlib.metadata
import json
from importlib.metadata import Distribution, PackageNotFoundError
from pathlib import Path
from typing import Any

import pytest

from polster_core.environment import own_install

WHEEL = "https://files.example/polster-0.2.0-py3-none-any.whl"
GIT = "https://git.example/polster.git"
DIGEST, COMMIT = "ab" * 32, "0f" * 20


def pinned(noted: Any, folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Ask for what a distribution says that was installed so."""
    info = folder / "polster-0.2.0.dist-info"
    info.mkdir()
    if noted is not None:
        text = noted if isinstance(noted, str) else json.dumps(noted)
        (info / "direct_url.json").write_text(text, encoding="utf-8")
    monkeypatch.setattr(importlib.metadata, "distribution", lambda _: Distribution.at(info))
    return own_install.pinned()


def git(url: str = GIT, commit: str = COMMIT, **more: str) -> dict[str, Any]:
    return {"url": url, "vcs_info": {"vcs": "git", "commit_id": commit}, **more}


@pytest.mark.parametrize(
    ("noted", "expected"),
    [
        (git(), f"git+{GIT}@{COMMIT}"),
        (
            {"url": WHEEL, "archive_info": {"hashes": {"sha256": DIGEST}}},
            f"{WHEEL}#sha256={DIGEST}",
        ),
        ({"url": WHEEL, "archive_info": {"hash": f"sha256={DIGEST}"}}, f"{WHEEL}#sha256={DIGEST}"),
        ({"url": WHEEL, "archive_info": {}}, ""),
        ({"url": "file:///srv/polster.whl", "archive_info": {"hash": f"sha256={DIGEST}"}}, ""),
        ({"url": "file:///srv/polster", "dir_info": {}}, ""),
        (git("https://somebody:token@git.example/polster.git"), ""),
        (git("ssh://git@git.example/polster.git"), ""),
        (git('https://git.example/"x'), ""),
        (git(commit="main"), ""),
        (git(subdirectory="cli"), ""),
        (None, ""),
        ("[", ""),
        ([], ""),
    ],
)
def test_only_what_others_can_install_and_nobody_can_replace(
    noted: Any, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert pinned(noted, tmp_path, monkeypatch) == expected


def test_without_an_installation_nobody_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> Distribution:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "distribution", missing)
    assert own_install.pinned() == ""
