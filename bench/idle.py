"""What an idle daemon with its webserver costs, beside Dagster's own sensor for the same assets.

    python bench/idle.py FOLDER --python RUNTIME [--chains 334] [--seconds 60]

Writes chains of bronze, silver and gold into the new FOLDER. RUNTIME is a Python with what a
generated project needs. `--ui` runs the project as it is; the rival has the same assets with
`AutomationCondition.eager()` and Dagster's sensor, looking as often, in Dagster's own webserver
and daemon. Nothing has run, so nothing is due. CPU of all processes, from /proc, once they are up.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import chains

TICKS = os.sysconf("SC_CLK_TCK")
WARM_UP_SECONDS = 120
STOCK = """import dagster as dg

from orchestration.assets import bronze, gold, silver


def eager(spec: dg.AssetSpec) -> dg.AssetSpec:
    condition = dg.AutomationCondition.eager() if spec.deps else None
    return spec.replace_attributes(automation_condition=condition)


defs = dg.Definitions(
    assets=dg.map_asset_specs(eager, dg.load_assets_from_modules([bronze, silver, gold])),
    sensors=[
        dg.AutomationConditionSensorDefinition(
            "stock",
            target="*",
            minimum_interval_seconds=5,
            default_status=dg.DefaultSensorStatus.RUNNING,
        )
    ],
)
"""


def main() -> None:
    """Write both projects, let each idle, print the ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--python", type=Path, required=True)
    parser.add_argument("--chains", type=int, default=334)
    parser.add_argument("--seconds", type=float, default=60)
    arguments = parser.parse_args()
    folder, python = arguments.folder.resolve(), arguments.python.absolute()
    folder.mkdir()
    shop, stock = folder / "shop", folder / "stock"
    chains.write(shop, arguments.chains, 10, python=python, contracts=True)
    shutil.copytree(shop, stock)
    (stock / "src" / "orchestration" / "definitions.py").write_text(STOCK, encoding="utf-8")
    (stock / ".dagster" / "dagster.yaml").write_text("telemetry: {enabled: false}\n", "utf-8")
    workspace = ["-w", "workspace.yaml"]
    ui = [python, "run_polster.py", "--no-materialize", "--ui"]
    web = [python, "-m", "dagster_webserver", "-p", "3999", *workspace]
    ours = idle(shop, [ui], arguments.seconds)
    rival = idle(
        stock, [web, [python, "-m", "dagster._daemon", "run", *workspace]], arguments.seconds
    )
    print(f"{3 * arguments.chains} assets, idle for {arguments.seconds:g} s")
    print(f"Dagster's sensor  {rival:7.2%} of a core")
    print(f"run_polster --ui  {ours:7.2%} of a core   {ours / rival:.3f}x")


def idle(folder: Path, commands: Sequence[Sequence[str | Path]], seconds: float) -> float:
    """Return the share of a core that some commands use, with all that they start."""
    variables = {"PYTHONPATH": str(folder / "src"), "DAGSTER_HOME": str(folder / ".dagster")}
    started = [
        subprocess.Popen(
            words,
            cwd=folder,
            env={**os.environ, **variables},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for words in commands
    ]
    try:
        time.sleep(WARM_UP_SECONDS)
        before, began = used(folder), time.monotonic()
        time.sleep(seconds)
        after, lasted = used(folder), time.monotonic() - began
    finally:
        for process in started:
            process.send_signal(signal.SIGTERM)
        for process in started:
            process.wait(60)
    return sum(after[pid] - before.get(pid, 0) for pid in after) / lasted


def used(folder: Path) -> Mapping[int, float]:
    """Return the CPU seconds of each process of a project, with those of its dead children."""
    mark, found = f"PYTHONPATH={folder / 'src'}".encode(), {}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (process / "environ").read_bytes():
                fields = (process / "stat").read_text("utf-8").rpartition(")")[2].split()
                found[int(process.name)] = sum(map(int, fields[11:15])) / TICKS
        except OSError:  # it has ended meanwhile
            continue
    return found


if __name__ == "__main__":
    main()
