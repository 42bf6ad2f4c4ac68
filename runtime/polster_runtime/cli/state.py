"""Show or change incremental positions.

    python -m polster_runtime state show [orders]
    python -m polster_runtime state set orders 2026-01-01
    python -m polster_runtime state reset orders
    python -m polster_runtime state accept silver_orders

`set` lets the next run go on from another position, `reset` lets it read everything. Both add an
increment without rows; no row is deleted. `accept` keeps the rows of an incremental silver or gold
asset though its code has changed, so that the next run does not read everything.
"""

import argparse
import json
import sys
from typing import Any

from polster_runtime.config.logging import configure
from polster_runtime.domain.layers import LAYERS
from polster_runtime.errors import PipelineError
from polster_runtime.execution import report
from polster_runtime.execution.positions import accept, asset_named, change, states
from polster_runtime.storage.registry import store

LONGEST = 60
"""Characters of a position that are shown."""


def shown(position: Any) -> str:
    """A position as a person reads it."""
    if position is None:
        return "none: the next run reads everything"
    if isinstance(position, dict) and "value" in position:
        position = position["value"]
    text = position if isinstance(position, str) else json.dumps(position, ensure_ascii=False)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def main(arguments: argparse.Namespace) -> int:
    """Carry out a command line."""
    try:
        configure()
        does = {"show": _show, "accept": _accept}.get(arguments.command, _change)
        return does(arguments)
    except (NotImplementedError, PipelineError) as error:
        report.say(f"error: {error}", to=sys.stderr)
        return 1


def _show(arguments: argparse.Namespace) -> int:
    found = list(states(store(), arguments.assets))
    if arguments.json:
        report.say(json.dumps({"state": [vars(state) for state in found]}))
        return 0
    for state in found:
        counts = f"{state.rows:>12,} rows{state.increments:>6} increments"
        when = f"{state.written[:19].replace('T', ' ')} UTC" if state.written else ""
        read = ", ".join(f"{up} up to {seen[1]}" for up, seen in state.seen.items())
        whole = not state.asset.startswith(LAYERS[0])
        where = read or ("reads all rows each time" if whole else shown(state.position))
        report.say(f"{state.asset:<24}{counts}   {when:<23}   {where}")
        if state.next_run:
            report.say(f"{'':<24}the next run {state.next_run}")
    if not found:
        report.say("no asset has a position yet")
    return 0


def _change(arguments: argparse.Namespace) -> int:
    asset = asset_named(arguments.asset)
    position = _value(arguments.value) if arguments.command == "set" else None
    before, after = change(store(), asset, position, dry_run=arguments.dry_run)
    if arguments.json:
        told = {"asset": str(asset), "before": before, "after": after}
        report.say(json.dumps(told | {"dry_run": arguments.dry_run}))
        return 0
    report.say(f"{asset}: {shown(before)} -> {shown(after)}")
    if arguments.dry_run:
        report.say("nothing was changed (--dry-run)")
    return 0


def _accept(arguments: argparse.Namespace) -> int:
    asset = asset_named(arguments.asset, [*LAYERS[1:], LAYERS[0]])
    changed = accept(store(), asset, dry_run=arguments.dry_run)
    if arguments.json:
        told = {"asset": str(asset), "accepted": changed, "dry_run": arguments.dry_run}
        report.say(json.dumps(told))
    elif changed:
        report.say(f"{asset}: the next run keeps its rows, and reads what is new")
    else:
        report.say(f"{asset}: its code has not changed since its last run")
    return 0


def _value(text: str) -> Any:
    """A number, a list or an object as JSON has them; all else is text."""
    try:
        found = json.loads(text)
    except ValueError:
        return text
    return text if found is None or isinstance(found, bool) else found


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    commands = parser.add_subparsers(dest="command", required=True)
    for name, text in {
        "show": "show incremental positions",
        "set": "let the next run go on from somewhere else",
        "reset": "let the next run read everything",
        "accept": "keep the rows though the code has changed",
    }.items():
        command = commands.add_parser(name, help=text, description=text)
        command.add_argument("--json", action="store_true", help="one JSON document on stdout")
        if name == "show":
            command.add_argument("assets", nargs="*")
            continue
        command.add_argument("asset")
        command.add_argument("--dry-run", action="store_true", help="change nothing")
        if name == "set":
            command.add_argument("value")
