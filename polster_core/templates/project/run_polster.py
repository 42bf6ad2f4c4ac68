"""Run the assets of this project, look at their state, or open the Dagster UI.

    python run_polster.py                            run everything
    python run_polster.py --ui                       and open the Dagster UI
    python run_polster.py --no-materialize --ui      open it alone
    python run_polster.py orders                     run one asset, or several
    python run_polster.py --select '+gold_revenue'   and everything upstream
    python run_polster.py --select 'layer:silver'    one layer; also 'bronze_orders+', '*'
    python run_polster.py --failed                   what failed or was skipped last time
    python run_polster.py --full-refresh             read incremental sources again
    python run_polster.py --partition 2026-01-05     one partition, or several: FIRST..LAST
    python run_polster.py --missing                  the partitions that have no data
    python run_polster.py --status                   the state of each asset; runs nothing

The exit code is 0 only when every asset that was asked for succeeded; 1 when one failed, 2 when
the command or the project is wrong, 130 after Ctrl-C.
"""

import argparse
import gc
import os
import signal
import sys
from pathlib import Path
from typing import Any


def main() -> int:
    """Do what the command line asks for; return the exit code."""
    # A run makes many objects that live as long as it does; looking at them again and again is
    # a twentieth of its time.
    gc.set_threshold(500_000, 20, 20)
    try:
        arguments = parse_arguments()
        stop_like_ctrl_c()
        return load_commands().main(arguments)
    except KeyboardInterrupt:
        print("error: interrupted", file=sys.stderr)
        return 130
    finally:
        gc.freeze()  # or Python would look through all that was imported, only to end


def load_commands() -> Any:
    """The project's part of this program, told where Dagster keeps its history."""
    try:
        from polster_runtime.config import interruption
        from polster_runtime.config.paths import dagster_home
        from polster_runtime.errors import SettingsError

        interruption.raise_ignored_again()
        try:
            os.environ["DAGSTER_HOME"] = str(dagster_home())
        except SettingsError as error:
            print(f"error: {error}", file=sys.stderr)
            sys.exit(2)
        # What a run is going to do is stored at once, not asset by asset.
        os.environ.setdefault("DAGSTER_EVENT_BATCH_SIZE", "1000")
        from polster_runtime.dagster import main as commands
    except ModuleNotFoundError as missing:
        print(f"error: {not_installed(missing)}", file=sys.stderr)
        sys.exit(2)
    return commands


def not_installed(missing: ModuleNotFoundError) -> str:
    """What to do in a Python that lacks the project or what it needs."""
    why = f"{missing.name} is not installed in {sys.executable}"
    folder = Path(__file__).parent
    for own in (Path(".venv", "bin", "python"), Path(".venv", "Scripts", "python.exe")):
        if (folder / own).exists() and not Path(sys.prefix).samefile(folder / ".venv"):
            return f"{why}; use the Python of this project: {own} run_polster.py"
    return f'{why}; install this project: polster setup, or python -m pip install -e ".[dev]"'


def stop_like_ctrl_c() -> None:
    """Let a stop from outside, or a closed terminal, do what Ctrl-C does."""

    def interrupt(number: int, frame: Any) -> None:
        on_ctrl_c = signal.getsignal(signal.SIGINT)
        if not callable(on_ctrl_c):
            raise KeyboardInterrupt
        on_ctrl_c(signal.SIGINT, frame)

    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:  # nohup stays nohup
            signal.signal(number, interrupt)


def parse_arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="assets to run, as with --asset")
    parser.add_argument("--asset", action="append", default=[], metavar="NAME", help="repeatable")
    parser.add_argument("--select", metavar="EXPR", help="+up, down+, layer:silver, *")
    parser.add_argument("--failed", action="store_true", help="what failed or was skipped last")
    parser.add_argument(
        "--full-refresh", action="store_true", help="let incremental assets read everything again"
    )
    parser.add_argument(
        "--partition", metavar="KEY", help="of assets with partitions: one, or FIRST..LAST"
    )
    parser.add_argument("--missing", action="store_true", help="partitions that have no data")
    parser.add_argument("--dry-run", action="store_true", help="show what would run, and stop")
    parser.add_argument("--status", action="store_true", help="show the state of each asset")
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")
    parser.add_argument("--ui", action="store_true", help="then open the Dagster UI")
    run = parser.add_mutually_exclusive_group()
    run.add_argument("--materialize", action="store_true", help="run assets: the default")
    run.add_argument("--no-materialize", action="store_true", help="run nothing")
    arguments = parser.parse_args()
    arguments.asset += arguments.names
    if sum(map(bool, (arguments.asset, arguments.select is not None, arguments.failed))) > 1:
        parser.error("use one of --asset, --select and --failed")
    if arguments.failed and (arguments.partition or arguments.missing):
        parser.error("--failed goes with neither --partition nor --missing")
    return arguments


if __name__ == "__main__":
    sys.exit(main())
