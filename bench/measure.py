"""What a process costs; the other scripts here use it."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

Command = tuple[Path, Sequence[str | Path], Mapping[str, str]]
"""Where to run it, what, and with which further variables."""


class Cost(NamedTuple):
    """One whole process, without its children's memory."""

    seconds: float
    cpu_seconds: float
    megabytes: float


def measured(command: Command) -> Cost:
    """Run a command to its end, quietly; end as well when it fails."""
    folder, words, variables = command
    env = {name: text for name, text in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    with tempfile.TemporaryFile() as errors:
        began = time.perf_counter()
        process = subprocess.Popen(
            words,
            cwd=folder,
            env={**env, **variables},
            stdout=subprocess.DEVNULL,
            stderr=errors,
        )
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            errors.seek(0)
            sys.exit(f"{' '.join(map(str, words))} failed:\n{errors.read().decode()}")
    return Cost(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def compare(commands: Mapping[str, Command], rounds: int, *, warm_up: bool = True) -> None:
    """Print what each command costs at best, and how many times that is of the first one's cost.

    They take turns, so that a busy moment meets all of them. A first round may warm them up.
    """
    costs: dict[str, list[Cost]] = {name: [] for name in commands}
    for number in range(rounds + warm_up):
        for name, command in commands.items():
            cost = measured(command)
            if number >= warm_up:
                costs[name].append(cost)
    best = {name: Cost(*map(min, zip(*found, strict=True))) for name, found in costs.items()}
    first = next(iter(best.values()))
    print(f"{'best of ' + str(rounds):<32}{'seconds':>9}{'CPU':>16}{'peak MB':>16}")
    for name, cost in best.items():
        pairs = zip(cost, first, strict=True)
        print(f"{name:<32}" + "".join(f"{one:>9.2f}{one / of:>6.2f}x" for one, of in pairs))


def run_polster(folder: Path, python: str | Path) -> Command:
    """Return the command that runs a project."""
    return folder, [python, "run_polster.py"], {"PYTHONPATH": str(folder / "src")}
