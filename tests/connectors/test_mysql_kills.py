"""MySQL: kill -9 at any moment, while the source grows; no row is lost, none comes twice."""
# ruff: noqa: S608 - the SQL is our own

from __future__ import annotations

import random
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from tests.connectors.conftest import Shop, succeed
from tests.connectors.mariadb import MariaDB
from tests.generated.projects import PATIENCE

ROUNDS = 50
AGAIN_AND_AGAIN = """
from core.bronze_growing import extract
from core.runtime.materialize import materialize
print("ready", flush=True)
while True:
    materialize(extract)
"""
IDS = """
import json
from core.storage import read
print(json.dumps(read("bronze_growing").collect()["id"].to_list()))
"""


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
        writer.communicate(timeout=PATIENCE)


def test_fifty_kills(shop: Shop, mariadb: MariaDB) -> None:
    """Each round reads again and again until it dies: in a query, while it writes or merges."""
    mariadb.sql(
        "CREATE TABLE growing (id INT PRIMARY KEY AUTO_INCREMENT, "
        "at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP, note TEXT DEFAULT REPEAT('x', 50), "
        "KEY (at))"
    )
    shop.add_mysql("growing", "--cursor", "at")
    dice = random.Random(13)  # noqa: S311 - moments, not secrets
    with growing(mariadb):
        following = start(shop)
        for _ in range(ROUNDS):
            process, following = following, start(shop)  # imports while the other one works
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n", process.communicate()
            time.sleep(dice.uniform(0.02, 0.4))
            process.kill()
            output, _ = process.communicate(timeout=PATIENCE)
            assert "error" not in output.lower(), output
        following.kill()
        following.communicate(timeout=PATIENCE)
    succeed(shop.core("bronze_growing"))
    there = [int(row[0]) for row in mariadb.sql("SELECT id FROM growing")]
    found = Counter(shop.document("-c", IDS))
    assert found == Counter(there)
    assert len(there) > 1_000
    assert len(shop.files("bronze_growing")) > 16


def start(shop: Shop) -> subprocess.Popen[str]:
    """Start a process that waits until all is imported, and then for nothing."""
    return shop.start("-c", AGAIN_AND_AGAIN)
