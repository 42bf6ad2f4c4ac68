"""The promises of the storage: whole files only, nothing lost, nothing doubled."""

from __future__ import annotations

import json
import random
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.generated.conftest import MakeProject
from tests.generated.projects import PROGRAMS, Generated, told
from tests.generated.warm import TIMEOUT, Done

WITHOUT_LOCK = str(PROGRAMS / "without_lock.py")


def source(shop: Generated, rows: Sequence[int]) -> None:
    """Put rows where the incremental asset reads them."""
    (shop.root / "rows.json").write_text(json.dumps(list(rows)))


def ids(shop: Generated, asset: str = "bronze_a") -> list[int]:
    """Return the column id, in order."""
    return sorted(row["id"] for row in shop.rows(asset))


def succeed(*runs: Done) -> None:
    """Check exit codes."""
    for done in runs:
        assert done.returncode == 0, told(done)


def together(shop: Generated, number: int, *args: str, **env: str) -> list[tuple[int, str]]:
    """Start several processes at once; return the exit code and the output of each."""
    started = [shop.start(*args, env=env) for _ in range(number)]
    ended = [(process.communicate(timeout=TIMEOUT)[0], process) for process in started]
    return [(process.returncode, output) for output, process in ended]


@pytest.fixture
def incremental(project: MakeProject) -> Generated:
    """Return a project with one incremental asset, and 25 rows at its source."""
    shop = project(samples=False)
    shop.place("bronze_a", "incremental")
    source(shop, range(1, 26))
    return shop


def position(shop: Generated) -> list[Any]:
    """Return the number of files that a reader gets, and the position of the last."""
    done = shop.program("position_of")
    succeed(done)
    found: list[Any] = json.loads(done.stdout)
    return found


def test_an_increment_holds_only_what_is_new(incremental: Generated) -> None:
    shop = incremental
    first = shop.core("bronze_a")
    succeed(first)
    assert first.stdout.split()[:3] == ["bronze_a", "25", "rows"]
    assert position(shop) == [1, 25]
    source(shop, range(1, 31))
    second = shop.core("bronze_a")
    succeed(second)
    assert second.stdout.split()[:3] == ["bronze_a", "5", "rows"]
    assert position(shop) == [2, 30]
    increment, full = shop.files("bronze_a")
    assert increment.name == full.name.replace(".parquet", ".000001.parquet")
    assert ids(shop) == list(range(1, 31))


def test_nothing_new_changes_no_row(incremental: Generated) -> None:
    succeed(incremental.core("bronze_a"), incremental.core("bronze_a"))
    assert ids(incremental) == list(range(1, 26))
    assert position(incremental)[1] == 25


def test_readers_get_the_full_snapshot_and_all_increments(incremental: Generated) -> None:
    shop = incremental
    shop.add(
        "silver_a", "def transform(df: pl.LazyFrame) -> pl.LazyFrame:\n    return df", ["bronze_a"]
    )
    succeed(shop.core("bronze_a"))
    source(shop, range(1, 41))
    succeed(shop.core("bronze_a"), shop.core("silver_a"))
    assert ids(shop, "silver_a") == list(range(1, 41))


def test_a_position_that_json_cannot_hold(project: MakeProject) -> None:
    shop = project(samples=False)
    shop.place("bronze_a", "incremental")
    shop.edit("src/core/bronze_a.py", "return max(new, default=position)", "return pl.Date")
    source(shop, [1])
    done = shop.core("bronze_a")
    assert done.returncode == 1
    assert done.stderr.startswith(
        "error: bronze_a: extract() returned DataTypeClass as its position"
    )
    assert shop.files("bronze_a") == []


def test_a_failure_in_the_middle_changes_nothing(incremental: Generated) -> None:
    shop = incremental
    succeed(shop.core("bronze_a"))
    before = shop.files("bronze_a")
    source(shop, range(1, 61))
    done = shop.core("bronze_a", env={"FAIL": "1"})
    assert done.returncode == 1
    assert done.stderr.rstrip().endswith("ConnectionError: gone away")
    assert (shop.files("bronze_a"), shop.staged()) == (before, [])
    assert position(shop) == [1, 25]
    succeed(shop.core("bronze_a"))
    assert ids(shop) == list(range(1, 61))


@pytest.mark.parametrize("moment", ["while writing", "before publishing", "while publishing"])
def test_sudden_death_changes_nothing(incremental: Generated, moment: str) -> None:
    shop = incremental
    succeed(shop.core("bronze_a"))
    source(shop, range(1, 61))
    assert shop.program("die_while_publishing", moment).returncode == 9
    assert position(shop) == [1, 25]
    succeed(shop.core("bronze_a"))
    assert ids(shop) == list(range(1, 61))


@pytest.mark.slow
def test_a_dozen_kills(incremental: Generated) -> None:
    """Kill -9 at any moment, while the source grows; then compare."""
    shop, dice, rows = incremental, random.Random(12), 25  # noqa: S311 - moments, not secrets
    for round_ in range(12):
        rows += dice.randrange(1, 40)
        source(shop, range(1, rows + 1))
        process = shop.start("src/core/bronze_a.py", env={"NAP": "0.03"})
        time.sleep(dice.uniform(0.3, 1.2))
        process.kill()
        process.communicate()
        if round_ % 3 == 2 and shop.files("bronze_a"):
            found = ids(shop)
            assert found == list(range(1, len(found) + 1))
    succeed(shop.core("bronze_a"))
    assert ids(shop) == list(range(1, rows + 1))


def test_two_increments_at_once_go_one_after_the_other(incremental: Generated) -> None:
    shop = incremental
    succeed(shop.core("bronze_a"))
    source(shop, range(1, 61))
    first = shop.start("src/core/bronze_a.py", env={"HOLD": "1"})
    said(first, "begun")
    others = [shop.start("src/core/bronze_a.py") for _ in range(2)]
    for other in others:
        said(other, "waiting for another run")
    (shop.root / "go").touch()
    for process in (first, *others):
        output, _ = process.communicate(timeout=TIMEOUT)
        assert process.returncode == 0, output
    assert ids(shop) == list(range(1, 61))


def said(process: subprocess.Popen[str], text: str) -> None:
    """Wait until a process says something."""
    assert process.stdout
    lines = []
    for line in process.stdout:
        lines.append(line)
        if text in line:
            return
    pytest.fail(f"it never said {text!r}: {lines}")


def test_two_increments_from_two_machines(incremental: Generated) -> None:
    """On a shared disk no lock helps: one is published, the other is refused."""
    shop = incremental
    succeed(shop.core("bronze_a"))
    source(shop, range(1, 61))
    both = [shop.start(WITHOUT_LOCK, env={"HOLD": "1"}) for _ in range(2)]
    for process in both:
        said(process, "begun")
    (shop.root / "go").touch()
    outputs = [process.communicate(timeout=TIMEOUT)[0] for process in both]
    ended = sorted(zip((process.returncode for process in both), outputs, strict=True))
    assert [code for code, _ in ended] == [0, 1], ended
    refused = ended[1][1]
    assert refused.startswith("error: bronze_a: "), refused
    assert refused.endswith(
        ".000001.parquet was published by another run meanwhile; run it again\n"
    )
    assert ids(shop) == list(range(1, 61))
    assert shop.staged() == []
    succeed(shop.core("bronze_a"))
    assert ids(shop) == list(range(1, 61))


def test_concurrent_writers_of_whole_snapshots(project: MakeProject) -> None:
    shop = project(samples=False)
    shop.place("bronze_a", "same_process_rows")
    for code, said in together(shop, 4, WITHOUT_LOCK):
        overtaken = "was published by another run meanwhile; run bronze_a again" in said
        assert code == int(overtaken), said
    assert 1 <= len(shop.files("bronze_a")) <= 4
    assert len(set(ids(shop))) == 1
    assert len(ids(shop)) == 1_000
    succeed(shop.core("bronze_a"))


def test_a_reader_keeps_what_it_began_to_read(project: MakeProject) -> None:
    """While snapshots come and go, every read sees one of them whole."""
    shop = project(samples=False)
    shop.place("bronze_a", "many_rows")
    succeed(shop.core("bronze_a"))
    reader = shop.start(PROGRAMS / "read_on_and_on.py", "200000")
    writer = shop.start(PROGRAMS / "write_on_and_on.py")
    deadline = time.monotonic() + TIMEOUT
    while reads(shop) < 20 or len(shop.files("bronze_a")) < 6:
        assert time.monotonic() < deadline
        assert (reader.poll(), writer.poll()) == (None, None)
        time.sleep(0.05)
    (shop.root / "stop").touch()
    for process in (reader, writer):
        output, _ = process.communicate(timeout=TIMEOUT)
        assert process.returncode == 0, output


def reads(shop: Generated) -> int:
    """Return how often the reader has read."""
    file = shop.root / "reads"
    return int(file.read_text("utf-8") or 0) if file.exists() else 0


DIFFERENCES = {
    "one more": "new nothing -> Int64",
    "one less": "id Int64 -> nothing",
    "another type": "id Int64 -> String",
    "another name": "id Int64 -> nothing, ID nothing -> Int64",
}


def test_frames_that_differ_are_refused(project: MakeProject) -> None:
    shop = project(samples=False)
    shop.place("bronze_a", "differing_frames")
    for kind, difference in DIFFERENCES.items():
        done = shop.core("bronze_a", env={"KIND": kind})
        assert done.returncode == 1
        assert done.stderr == (
            "error: bronze_a: extract() must yield frames of the same columns, but frame 2 differs "
            f"from the first: {difference}\n"
        )
    assert shop.files("bronze_a") == []
    assert shop.staged() == []


@pytest.mark.slow
def test_frames_larger_than_memory_stream(project: MakeProject) -> None:
    shop = project(samples=False)
    shop.place("bronze_a", "large_frames")
    code = "def transform(df: pl.LazyFrame) -> pl.LazyFrame:\n    return df.filter(pl.col('v') > 1)"
    shop.add("silver_a", code, ["bronze_a"])
    for stem in ("bronze_a", "silver_a"):
        done = shop.program("peak_memory", f"src/core/{stem}.py")
        assert done.returncode == 0, told(done)
        assert int(done.stdout.split()[-1]) < 600_000, f"{stem}: {done.stdout} kB"


def test_data_may_be_elsewhere(project: MakeProject, tmp_path: Path) -> None:
    """A link in place of data/, as when a larger disk is mounted there."""
    shop = project()
    elsewhere = tmp_path / "large disk"
    (shop.root / "data").rename(elsewhere)
    (shop.root / "data").symlink_to(elsewhere)
    succeed(shop.core("gold_example"))
    assert len(list(elsewhere.glob("gold/example/*.parquet"))) == 1


def test_names_of_folders_may_be_anything(project: MakeProject) -> None:
    shop = project("my sh%op [1] {x} ä")
    succeed(shop.core("gold_example"), shop.core("gold_example"))
    succeed(subprocess.CompletedProcess([], shop.run("--status").returncode, "", ""))
