"""Merging Dagster's configuration: the team's keys and Polster's, side by side."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest

from polster_core.upgrade.merge import merge_file
from polster_core.upgrade.merge.blocks import merge_blocks

BASE = b"""telemetry: {enabled: false}

# Faster.
event_log_storage:
  module: old
  class: Log
"""
NEW = b"""telemetry: {enabled: false}

# SQLite or PostgreSQL.
storage:
  custom: {module: new, class: History}
"""
OWN = b"\n# Ours.\nretention:\n  schedule: {purge_after_days: 90}\n"
STORAGE = NEW.removeprefix(b"telemetry: {enabled: false}\n")


@pytest.mark.parametrize(
    ("mine", "merged"),
    [
        (BASE, NEW),
        (NEW, NEW),
        (BASE + OWN, b"telemetry: {enabled: false}\n" + OWN + STORAGE),
        (BASE.replace(b"false", b"true"), NEW.replace(b"false", b"true")),
        (BASE.replace(b"old", b"ours"), None),
        (b"telemetry: {enabled: false}\n", NEW),
        (NEW.replace(b"new", b"ours"), None),
    ],
    ids=["unedited", "there", "added", "beside", "conflict", "taken out", "added otherwise"],
)
def test_keys_are_merged_one_by_one(mine: bytes, merged: bytes | None) -> None:
    assert merge_blocks(BASE, mine, NEW) == merged


def test_line_ends_stay_and_a_last_comment_is_kept() -> None:
    mine = (BASE + OWN + b"# The end.\n").replace(b"\n", b"\r\n")
    merged = merge_file(PurePosixPath(".dagster/dagster.yaml"), BASE, mine, NEW)
    assert merged.text
    assert merged.text.count(b"\n") == merged.text.count(b"\r\n")
    assert b"# The end.\r\n" in merged.text
    assert b"event_log_storage" not in merged.text


def test_other_files_are_merged_by_lines() -> None:
    merged = merge_file(PurePosixPath(".github/workflows/ci.yml"), BASE, BASE + OWN, NEW)
    assert merged.conflicts == ("the same lines were changed by you and by Polster",)
