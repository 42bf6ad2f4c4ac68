"""What fifty installed plugins add to the CPU time of `polster --help` and `polster init --help`.

They are distributions of all kinds in one folder, as in a site-packages, byte code cached. Runs
with and without them alternate, since other programs run beside them. Last, what it costs
`polster --help` that a tenth of them adds commands.

python bench/plugins.py
"""

from __future__ import annotations

import compileall
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

PLUGINS = 50
RUNS = 20
LIMITS = {("--help",): 30, ("init", "--help"): 150}
"""Milliseconds that all of them may add."""
POLSTER = [sys.executable, "-m", "polster_core"]
HEAD = (
    "from polster_core.hookspecs import hookimpl\nfrom polster_core.types import *\n\n@hookimpl\n"
)
KINDS = (
    """def polster_storage_backends():
    yield StorageBackend(
        name="{name}",
        summary="A store",
        options=(Option(name="bucket", help="Which."), Option(name="region", help="Where.")),
        requirements=("s3fs>=2026.1",),
        env=(EnvVar(name="{upper}_BUCKET", help="Which."),),
        runtime=(RuntimePart(package="polster_runtime.storage.backends.adls", storage="{name}"),),
    )
""",
    """def polster_cicd_generators():
    yield CicdGenerator(name="{name}", summary="A platform")
""",
    """def polster_asset_templates():
    yield AssetTemplate(
        name="{name}",
        summary="A source",
        layers=("bronze",),
        options=(Option(name="{name}-table", help="The table."),),
        requirements=("httpx>=0.27,<1",),
        env=(EnvVar(name="{upper}_HOST", help="Where."),),
    )
""",
    """def polster_init_options():
    yield Option(name="{name}", help="A word.")
""",
    """def polster_validation_rules():
    yield ValidationRule(name="{name}", summary="A rule.", check=lambda pipeline: ())
""",
)
COMMAND = """def polster_commands():
    yield Command(name="{name}", summary="A command.", target="polster_plugin_{name}.cli:main")
"""


def main() -> None:
    """Print one line a command."""
    for args, limit in LIMITS.items():
        _report(args, f"at most +{limit}", commands=0)
    _report(("--help",), "at most +30, five add commands", commands=PLUGINS // 10)


def _report(args: tuple[str, ...], words: str, *, commands: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for number in range(PLUGINS):
            _install(Path(folder), number, adds_command=number < commands)
        compileall.compile_dir(folder, quiet=1)
        with_them, without = _measured(list(args), Path(folder))
    print(
        f"polster {' '.join(args):<12} {without:4.0f} ms   "
        f"with {PLUGINS} plugins {with_them:4.0f} ms   "
        f"{with_them - without:+4.0f} ms ({words})   ratio {with_them / without:.2f}"
    )


def _measured(args: list[str], site: Path) -> tuple[float, float]:
    """Return the median CPU time with and without the plugins, in milliseconds."""
    pairs = [(_once(args, str(site)), _once(args, "")) for _ in range(RUNS)]
    with_them, without = zip(*pairs, strict=True)
    return statistics.median(with_them) * 1000, statistics.median(without) * 1000


def _once(args: list[str], path: str) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [*POLSTER, *args],
        check=True,
        stdout=subprocess.DEVNULL,
        cwd=tempfile.gettempdir(),
        env={**os.environ, "PYTHONPATH": path},
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _install(site: Path, number: int, *, adds_command: bool) -> None:
    name = f"n{number}"
    hook = COMMAND if adds_command else KINDS[number % len(KINDS)]
    entry = f"command-{name}" if adds_command else name
    package = site / f"polster_plugin_{name}"
    info = site / f"polster_plugin_{name}-1.0.dist-info"
    package.mkdir()
    info.mkdir()
    (package / "__init__.py").write_text(HEAD + hook.format(name=name, upper=name.upper()))
    metadata = f"Metadata-Version: 2.1\nName: polster-plugin-{name}\nVersion: 1.0\n"
    (info / "METADATA").write_text(metadata)
    (info / "entry_points.txt").write_text(f"[polster]\n{entry} = polster_plugin_{name}\n")


if __name__ == "__main__":
    main()
