"""MySQL: kill -9 at any moment, while the source grows; no row is lost, none comes twice."""
# ruff: noqa: S608 - the SQL is our own

from __future__ import annotations

import os
import random
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.connectors.conftest import Shop, succeed
from tests.connectors.mariadb import MariaDB
from tests.connectors.programs import program
from tests.generated.warm import TIMEOUT

ROUNDS = int(os.environ.get("KILLS", "28"))
CHANGES = (
    "ADD COLUMN extra INT NOT NULL DEFAULT 5",
    "ADD COLUMN first VARCHAR(9) FIRST",
    "MODIFY id BIGINT AUTO_INCREMENT, MODIFY extra BIGINT NOT NULL DEFAULT 6",
    "MODIFY at TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3)",
    "DROP COLUMN first",
    "MODIFY note MEDIUMTEXT DEFAULT REPEAT('y', 50)",
    "DROP COLUMN extra",
)
"""What becomes of the table, after every fourth round."""


@contextmanager
def growing(mariadb: MariaDB) -> Iterator[None]:
    """Insert rows all the time, some hundreds of them in each second; many share a moment."""
    writer, over = mariadb.session(), threading.Event()

    def write() -> None:
        assert writer.stdin is not None
        dice = random.Random(7)  # noqa: S311 - row counts, not secrets
        while not over.wait(0.01):
            rows = ", ".join(["()"] * dice.randrange(1, 9))
            writer.stdin.write(f"INSERT INTO growing () VALUES {rows};\n")
            writer.stdin.flush()

    thread = threading.Thread(target=write)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        writer.communicate(timeout=TIMEOUT)


def test_kills_while_the_table_changes(shop: Shop, mariadb: MariaDB) -> None:
    """Each round reads again and again until it dies: in a query, while it writes or merges.

    D17: between some of them the columns of the table change.
    """
    mariadb.sql(
        "CREATE TABLE growing (id INT PRIMARY KEY AUTO_INCREMENT, "
        "at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP, note TEXT DEFAULT REPEAT('x', 50), "
        "KEY (at))"
    )
    shop.add_mysql("growing", "--cursor", "at")
    dice = random.Random(13)  # noqa: S311 - moments, not secrets
    span, published, before = 0.5, 0, list[Path]()
    with growing(mariadb), server(shop) as running:
        for number in range(ROUNDS):
            child = started(running)
            time.sleep(dice.uniform(0.1 * span, span))
            os.kill(child, signal.SIGKILL)
            has_published = shop.files("bronze_growing") != before
            before, published = shop.files("bronze_growing"), published + has_published
            span *= 0.9 if has_published else 1.2  # whatever the speed of the machine
            if number % 4 == 3 and number // 4 < len(CHANGES):
                mariadb.sql(f"ALTER TABLE growing {CHANGES[number // 4]}")
    succeed(shop.core("bronze_growing"))
    there = [int(row[0]) for row in mariadb.sql("SELECT id FROM growing")]
    found = Counter(shop.document(program("ids"), "bronze_growing")["bronze_growing"])
    assert found == Counter(there)
    assert len(there) > 20 * ROUNDS
    assert published > ROUNDS / 4


@contextmanager
def server(shop: Shop) -> Iterator[subprocess.Popen[str]]:
    """Run what starts the processes to kill."""
    variables = shop.variables()
    with subprocess.Popen(
        [shop.interpreter, program("run_for_ever"), "bronze_growing"],
        cwd=shop.root,
        env=variables,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
    ) as running:
        yield running
        running.communicate(timeout=TIMEOUT)


def started(running: subprocess.Popen[str]) -> int:
    """Let a process start, and return its id."""
    assert running.stdin is not None
    assert running.stdout is not None
    running.stdin.write("\n")
    running.stdin.flush()
    word, child = running.stdout.readline().split()
    assert word == "started"
    return int(child)
