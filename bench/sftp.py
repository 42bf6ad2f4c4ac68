"""Time the SFTP connector beside OpenSSH's own `sftp`, on a server of this machine.

    python bench/sftp.py --python PATH/TO/python [--repeat 5] [--large 200] [--many 100000]

PATH/TO/python has what a generated project with an SFTP asset needs. Prints for 200 MB and for 500
small files the best and the median run of both, and their ratio: a download with everything, from
connecting to the last byte on disk, in a Python that has been started already; `sftp` is started
each time. Then: what the rows of a large CSV file cost from the server to the snapshot, with the
peak of memory, and how long a listing of many files takes and how large the position is.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.connectors.ssh_servers import Sshd, sshd

LIMITS = {"one large file": 1.3, "500 small files": 1.0}
"""How many times the time of `sftp` ours may take."""
DOWNLOAD = """
import json, sys, time
from polster_runtime.sources.sftp import download_sftp_files

for pattern in sys.stdin:
    started, worked = time.perf_counter(), time.process_time()
    with download_sftp_files(pattern.strip()) as found:
        seconds, work = time.perf_counter() - started, time.process_time() - worked
        size = sum(file.local.stat().st_size for file in found.files)
    print(json.dumps([seconds, work, size]), flush=True)
"""
LISTING = """
import json, sys, time
from polster_runtime.sources.files.positions import position_after
from polster_runtime.sources.sftp.files import SftpFile

many = int(sys.argv[1])
files = [SftpFile(f"/out/orders-{number}.csv", number, number) for number in range(many)]
position = json.dumps(position_after(files, None))
started = time.perf_counter()
position_after(files, json.loads(position))
print(json.dumps([len(position), time.perf_counter() - started]))
"""


class Took(NamedTuple):
    """What a download took: seconds, and seconds of a processor on this side."""

    seconds: float
    work: float


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python", type=Path, required=True)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--large", type=int, default=200, help="megabytes of one file")
    parser.add_argument("--many", type=int, default=100_000, help="files that a position knows")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, sshd(Path(name) / "sshd") as server:
        folder = Path(name)
        project = write_project(folder, server)
        files = folder / "served"
        (files / "small").mkdir(parents=True)
        large = files / "large.csv"
        write_large(large, arguments.large * 1_000_000)
        for number in range(500):
            text = "id,name\n" + "".join(f"{number},{row}\n" for row in range(100))
            (files / "small" / f"{number}.csv").write_text(text, encoding="utf-8")
        print(f"{os.cpu_count()} processors, {arguments.repeat} runs each, in turns")
        print(f"{'':<17}{'median':>8}{'sftp':>8}{'ratio':>7}", end="")
        print(f"{'best':>10}{'sftp':>8}{'ratio':>7}{'CPU':>10}{'sftp':>8}")
        patterns = {"one large file": large, "500 small files": files / "small" / "*.csv"}
        with start(arguments.python, project) as ours:
            for what, pattern in patterns.items():
                side_by_side(what, pattern, ours, server, folder / "copied", arguments.repeat)
        whole_asset(arguments.python, project, large)
        positions(arguments.python, project, arguments.many)


def write_project(folder: Path, server: Sshd) -> Path:
    """Write a project with an SFTP asset."""
    polster = [sys.executable, "-m", "polster_core"]
    init = ["init", "shop", "--no-setup", "--no-git", "--no-sample-assets"]
    subprocess.run([*polster, *init], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    add = ["add-asset", "--layer", "bronze", "--name", "large", "--template", "sftp"]
    pattern = str(folder / "served" / "large.csv")
    command = [*polster, *add, "--pattern", pattern, "--files", "all"]
    subprocess.run(command, cwd=folder / "shop", check=True, stdout=subprocess.DEVNULL)
    lines = [f"{name}={value}" for name, value in server.variables().items()]
    (folder / "shop" / ".env").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder / "shop"


def write_large(file: Path, size: int) -> None:
    """Write a CSV file of rows that do not repeat."""
    chance, number = random.Random(1), 0  # noqa: S311 - no secret
    with file.open("w", encoding="utf-8") as out:
        out.write("id,amount,customer,day\n")
        while out.tell() < size:
            for _ in range(10_000):
                number += 1
                amount = chance.randrange(1_000_000) / 100
                out.write(f"{number},{amount},customer {number % 997},2026-11-{number % 28 + 1}\n")


def start(python: Path, project: Path) -> subprocess.Popen[str]:
    """Start a Python of the project that downloads each pattern that it is told."""
    return subprocess.Popen(
        [python, "-c", DOWNLOAD],
        cwd=project,
        env=environment(project),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
    )


def environment(project: Path) -> dict[str, str]:
    """Return the variables of a run in a project that is not installed."""
    return {**os.environ, "PYTHONPATH": str(project / "src")}


def side_by_side(
    what: str, pattern: Path, ours: subprocess.Popen[str], server: Sshd, target: Path, repeat: int
) -> None:
    """Download the files of a pattern with both, in turns."""
    mine, theirs = [], []
    for _ in range(repeat + 1):
        mine.append(download(ours, pattern))
        theirs.append(with_sftp(server, pattern, target))
    mine, theirs = mine[1:], theirs[1:]  # the first warms up the disk
    seconds = [statistics.median(one.seconds for one in all_) for all_ in (mine, theirs)]
    best = [min(one.seconds for one in all_) for all_ in (mine, theirs)]
    work = [min(one.work for one in all_) for all_ in (mine, theirs)]
    ratio = seconds[0] / seconds[1]
    print(
        f"{what:<17}{seconds[0]:>6.2f} s{seconds[1]:>6.2f} s{ratio:>7.2f}"
        f"{best[0]:>8.2f} s{best[1]:>6.2f} s{best[0] / best[1]:>7.2f}"
        f"{work[0]:>8.2f} s{work[1]:>6.2f} s   "
        f"limit {LIMITS[what]}: {'kept' if ratio <= LIMITS[what] else 'BROKEN'}",
        flush=True,
    )


def download(ours: subprocess.Popen[str], pattern: Path) -> Took:
    """Return what ours takes."""
    assert ours.stdin  # noqa: S101 - for mypy
    assert ours.stdout  # noqa: S101
    ours.stdin.write(f"{pattern}\n")
    ours.stdin.flush()
    seconds, work, size = json.loads(ours.stdout.readline())
    expected = sum(file.stat().st_size for file in pattern.parent.glob(pattern.name))
    if size != expected:
        raise SystemExit(f"{size} of {expected} bytes arrived")
    return Took(seconds, work)


def with_sftp(server: Sshd, pattern: Path, target: Path) -> Took:
    """Return what OpenSSH's sftp takes."""
    target.mkdir(exist_ok=True)
    known = server.folder / "known_hosts"
    options = ["-o", f"UserKnownHostsFile={known}", "-o", "IdentitiesOnly=yes"]
    where = ["-P", str(server.port), "-i", str(server.key_file), *options, "127.0.0.1"]
    started = time.perf_counter()
    with subprocess.Popen(
        ["sftp", "-q", "-b", "-", *where],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        encoding="utf-8",
    ) as process:
        assert process.stdin  # noqa: S101 - for mypy
        process.stdin.write(f"get {pattern} {target}/\n")
        process.stdin.close()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit("sftp failed")
    seconds = time.perf_counter() - started
    for file in target.iterdir():
        file.unlink()
    return Took(seconds, usage.ru_utime + usage.ru_stime)


def whole_asset(python: Path, project: Path, large: Path) -> None:
    """Run an asset: download, find out the types, write the snapshot."""
    started = time.perf_counter()
    command = [python, "src/core/bronze_large.py"]
    run = subprocess.Popen(
        command, cwd=project, env=environment(project), stdout=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(run.pid, 0)
    run.returncode = os.waitstatus_to_exitcode(status)
    seconds, peak = time.perf_counter() - started, usage.ru_maxrss / 1024
    size = large.stat().st_size / 1e6
    print(
        f"the asset of it: {size:.0f} MB of CSV to a snapshot in {seconds:.2f} s "
        f"({usage.ru_utime:.2f} s of user time), {peak:.0f} MB of memory"
        f"{'' if run.returncode == 0 else '   BROKEN'}"
    )


def positions(python: Path, project: Path, many: int) -> None:
    """Tell what a position of many files costs."""
    done = subprocess.run(
        [python, "-c", LISTING, str(many)],
        cwd=project,
        env=environment(project),
        check=True,
        stdout=subprocess.PIPE,
        encoding="utf-8",
    )
    size, seconds = json.loads(done.stdout)
    print(f"the position of {many:,} files: {size / 1e6:.2f} MB, read and made in {seconds:.2f} s")


if __name__ == "__main__":
    main()
