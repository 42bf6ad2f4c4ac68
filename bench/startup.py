"""CPU time of `polster --help` and `--version`, as a multiple of importing click and pluggy.

python bench/startup.py
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import tempfile

RUNS = 30
POLSTER = [sys.executable, "-m", "polster_core"]


def cpu(command: list[str]) -> float:
    """Return the median CPU time of a command in seconds."""
    return statistics.median(_once(command) for _ in range(RUNS))


def _once(command: list[str]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=folder)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Print one line a command."""
    base = cpu([sys.executable, "-c", "import click, pluggy"])
    print(f"import click, pluggy      {base * 1000:6.0f} ms")
    for args, limit in ((["--help"], "1.3"), (["--version"], "1.3")):
        took = cpu([*POLSTER, *args])
        words = f"polster {' '.join(args)}"
        print(f"{words:<25} {took * 1000:6.0f} ms   ratio {took / base:.2f}, at most {limit}")
    took = cpu([*POLSTER, "init", "shop", "--no-setup", "--no-git"])
    print(f"polster init --no-setup   {took * 1000:6.0f} ms   at most 1000 ms")


if __name__ == "__main__":
    main()
