"""What a storage backend does with data: `StorageContract`, in a generated project that runs."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from importlib.resources import as_file
from pathlib import Path
from typing import Any, ClassVar

import pytest

from polster_core.delivery import runtime_folder

_SCRIPT = ("testing", "storage_contract.py")
_TIMEOUT = 600.0
_ROWS = 1_000
"""Rows of a snapshot that the script writes."""


@dataclass(frozen=True, kw_only=True)
class StorageProject:
    """A generated project, a Python with what it needs, and the variables that choose its store."""

    root: Path
    python: Path
    variables: Mapping[str, str] = field(default_factory=dict, repr=False)

    def do(self, action: str, asset: str, number: int = 1, **how: Any) -> Any:
        """Do something with the project's store, and return what came out."""
        with self.start(action, asset, number, **how) as process:
            out, err = process.communicate(timeout=_TIMEOUT)
        assert process.returncode == 0, err
        return json.loads(out)

    @contextmanager
    def start(
        self, action: str, asset: str, number: int = 1, **how: Any
    ) -> Iterator[subprocess.Popen[str]]:
        """Start doing something; what still runs at the end of the block is killed."""
        with (
            as_file(runtime_folder().joinpath(*_SCRIPT)) as script,
            subprocess.Popen(  # noqa: S603 - a script of ours
                [self.python, "-P", script, action, asset, str(number)],
                cwd=self.root,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                encoding="utf-8",
                **how,
            ) as process,
        ):
            try:
                yield process
            finally:
                process.kill()

    @property
    def environment(self) -> dict[str, str]:
        """The environment of what runs in the project, which need not be installed."""
        return {**os.environ, "PYTHONPATH": str(self.root / "src"), **self.variables}

    def staged(self) -> list[str]:
        """Return what lies in the staging folder."""
        folder = self.root / "data" / ".staging"
        return sorted(path.name for path in folder.glob("*") if path.is_file())


class StorageContract:
    """What a storage backend promises. Give the fixture `stored`."""

    group: ClassVar[str] = "polster_runtime.storage"

    @pytest.fixture
    def stored(self) -> StorageProject:
        """Return the project to try the backend in; all tests may share one, empty at first."""
        raise NotImplementedError("give a fixture `stored`: a StorageProject")

    def test_an_asset_that_never_ran_has_no_snapshot(self, stored: StorageProject) -> None:
        """A folder that is not there is no error."""
        assert stored.do("look", "bronze_never") == {
            "snapshots": [],
            "rows": [],
            "latest": None,
            "provenance": None,
        }

    def test_snapshots_are_listed_in_order_of_time(self, stored: StorageProject) -> None:
        """The newest is what readers get, and the footer of it can be read."""
        written = stored.do("write", "bronze_order", 5)
        found = stored.do("look", "bronze_order")
        assert found["snapshots"] == [[path] for path in written]
        assert found["rows"] == [[[number, _ROWS]] for number in range(5)]
        assert found["latest"] == [written[-1]]
        assert found["provenance"] == {"position": 4}

    def test_assets_of_similar_names_are_not_mixed(self, stored: StorageProject) -> None:
        """`orders` is no prefix of `orders_2`."""
        stored.do("write", "bronze_orders_2", 2)
        stored.do("write", "bronze_orders", 1)
        assert len(stored.do("look", "bronze_orders")["snapshots"]) == 1

    def test_increments_belong_to_their_full_file(self, stored: StorageProject) -> None:
        """Readers get the full file and all of its increments, and nothing of what came before."""
        stored.do("write", "bronze_increments", 2)
        written = stored.do("increase", "bronze_increments", 3)
        found = stored.do("look", "bronze_increments")
        assert [len(paths) for paths in found["snapshots"]] == [1, 4]
        assert found["latest"][1:] == written
        assert found["rows"][-1] == [[1, _ROWS], *([n, _ROWS] for n in (3, 4, 5))]

    def test_an_increment_is_published_once(self, stored: StorageProject) -> None:
        """Of many that want the same place one gets it; the others are told."""
        stored.do("write", "bronze_contended", 1)
        ends = stored.do("contend", "bronze_contended", 8)
        assert ends.count("published") == 1
        assert sum("was published by another run meanwhile" in end for end in ends) == 7
        assert len(stored.do("look", "bronze_contended")["latest"]) == 2

    def test_later_rows_replace_earlier_ones(self, stored: StorageProject) -> None:
        """Of rows with the same key readers get the last, and none that was removed."""
        stored.do("replace", "silver_replaced")
        before = stored.do("look", "silver_replaced")
        assert before["rows"] == [[[1, 8], [2, 1]]]
        assert stored.do("merge", "silver_replaced", 2) == 1
        after = stored.do("look", "silver_replaced")
        assert (after["rows"], after["provenance"]["position"]) == (before["rows"], 3)
        assert len(after["snapshots"]) == 1

    def test_partitions_have_snapshots_of_their_own(self, stored: StorageProject) -> None:
        """Readers of the whole asset get the newest of each."""
        assert stored.do("part", "silver_parted") == {
            "keys": ["2026-01-31-05:00", "a/b c"],
            "chains": [0, 2, 1],
            "rows": [[3, 1000], [4, 1000]],
            "others": [],
        }

    def test_nothing_is_lost_where_increments_are_merged_meanwhile(
        self, stored: StorageProject
    ) -> None:
        """Three processes publish increments and merge them: each is there once, in its place."""
        stored.do("write", "bronze_growing", 1)
        with ExitStack() as stack:
            growing = [
                stack.enter_context(stored.start("grow", "bronze_growing", number))
                for number in range(1, 4)
            ]
            written = [path for process in growing for path in _result(process)]
        assert len(set(written)) == 15
        found = stored.do("look", "bronze_growing")
        wanted = [n * 1000 + each for n in range(1, 4) for each in range(5)]
        assert found["rows"] == [[[0, _ROWS], *([number, 10] for number in wanted)]]
        assert len(found["latest"]) < 15  # files

    def test_twenty_writers_lose_nothing_and_twenty_readers_see_all_of_it_or_nothing(
        self, stored: StorageProject
    ) -> None:
        """Four processes of five threads write, four of five read until they have written."""
        stored.do("write", "bronze_crowd", 1)
        with ExitStack() as stack:
            readers = [
                stack.enter_context(stored.start("read_together", "bronze_crowd", 81))
                for _ in range(4)
            ]
            writers = [
                stack.enter_context(stored.start("write_together", "bronze_crowd", number))
                for number in range(1, 5)
            ]
            written = [path for process in writers for path in _result(process)]
            seen = [_result(process) for process in readers]
        found = stored.do("look", "bronze_crowd")
        assert len(set(written)) == 80
        assert set(written) <= {paths[0] for paths in found["snapshots"]}
        assert all(len(rows) == 1 and rows[0][1] == _ROWS for rows in found["rows"])
        assert [one["broken"] for one in seen] == [[]] * 4
        assert all(one["reads"] for one in seen)

    def test_an_exception_in_mid_stream_leaves_what_was_there(self, stored: StorageProject) -> None:
        """Neither a new snapshot nor a staged file is left."""
        stored.do("write", "bronze_failing", 1)
        before, staged = stored.do("look", "bronze_failing"), stored.staged()
        assert "in the middle" in stored.do("fail", "bronze_failing")
        assert stored.do("look", "bronze_failing") == before
        assert stored.staged() == staged

    @pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signal")
    def test_a_killed_writer_leaves_whole_snapshots_only(self, stored: StorageProject) -> None:
        """Whenever it is killed, in staging or in publishing."""
        stored.do("write", "bronze_killed", 1)
        for number, seconds in enumerate((0.0, 0.05, 0.15), start=1):
            with stored.start("write_for_ever", "bronze_killed", number * 100) as process:
                assert process.stdout
                process.stdout.readline()
                time.sleep(seconds)
                process.send_signal(signal.SIGKILL)
                process.wait(_TIMEOUT)
        found = stored.do("look", "bronze_killed")
        assert len(found["rows"]) > 3
        assert found["rows"][0] == [[0, _ROWS]]
        assert {rows[0][1] for rows in found["rows"][1:]} == {1_000_000}
        assert all(len(rows) == 1 for rows in found["rows"])

    @pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limit")
    def test_a_full_disk_leaves_what_was_there(self, stored: StorageProject) -> None:
        """The error names what is full; nothing is left of the file."""
        stored.do("write", "bronze_full", 1)
        before, staged = stored.do("look", "bronze_full"), stored.staged()
        failed = stored.do("write_large", "bronze_full", preexec_fn=_no_room())
        assert "File too large" in failed["error"]
        assert stored.do("look", "bronze_full") == before
        assert stored.staged() == staged

    def test_a_deleted_snapshot_is_gone_with_its_increments(self, stored: StorageProject) -> None:
        """Deleting what another run has deleted meanwhile is no error."""
        stored.do("write", "bronze_old", 1)
        stored.do("increase", "bronze_old", 2)
        newest = stored.do("write", "bronze_old", 1)
        stored.do("delete_oldest", "bronze_old")
        assert stored.do("look", "bronze_old")["snapshots"] == [newest]


def _result(process: subprocess.Popen[str]) -> Any:
    out, err = process.communicate(timeout=_TIMEOUT)
    assert process.returncode == 0, err
    return json.loads(out)


def _no_room() -> Callable[[], None]:
    """Make every write beyond a megabyte of a file fail, as on a full disk."""

    def limit() -> None:
        if sys.platform != "win32":
            import resource

            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (2**20, 2**20))

    return limit
