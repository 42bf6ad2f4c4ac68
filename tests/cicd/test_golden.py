"""The pipelines are, byte for byte, what was reviewed."""

from __future__ import annotations

import re

from tests.cicd.golden import FOLDER, expected

_USES = re.compile(r"uses: (\S+)(.*)")


def test_the_pipelines_are_what_was_reviewed() -> None:
    found = {path: path.read_bytes() for path in FOLDER.rglob("*") if path.is_file()}
    wanted = expected()
    changed = sorted(
        path.relative_to(FOLDER).as_posix()
        for path in found.keys() | wanted.keys()
        if found.get(path) != wanted.get(path)
    )
    assert changed == [], "look at them, then  python -m tests.cicd.golden"


def test_every_action_is_pinned_to_a_commit_whose_version_is_named() -> None:
    seen = set()
    for path, content in expected().items():
        for action, comment in _USES.findall(content.decode()) if path.suffix == ".yml" else ():
            if action.startswith("./"):
                continue
            name, _, commit = action.partition("@")
            seen.add(name)
            assert re.fullmatch(r"[0-9a-f]{40}", commit), f"{path}: {action}"
            assert re.match(r" # v\d+\.\d+\.\d+$", comment), f"{path}: {action}"
    assert "actions/checkout" in seen


def test_a_pipeline_is_read_in_one_sitting() -> None:
    long = {
        path.relative_to(FOLDER).as_posix(): len(content.splitlines())
        for path, content in expected().items()
        if path.suffix == ".yml" and len(content.splitlines()) > 230
    }
    assert long == {}
