"""Rejected rows: list them, show them, run them again.

python -m polster_runtime quarantine list
python -m polster_runtime quarantine show silver_orders
python -m polster_runtime quarantine replay silver_orders
"""

import argparse
import json
import sys
from collections.abc import Sequence
from typing import Any

import dataframely as dy
import polars as pl

from polster_runtime.assets.binding import core_file, function_of
from polster_runtime.assets.contract import contract_of
from polster_runtime.assets.rule_text import rule_in_words
from polster_runtime.assets.rules import columns_of
from polster_runtime.assets.values import rows_as_python
from polster_runtime.config.logging import configure
from polster_runtime.domain.asset_id import AssetId
from polster_runtime.errors import PipelineError
from polster_runtime.execution import report
from polster_runtime.execution.quarantine import (
    GUARDED,
    MARKS,
    Batch,
    NothingRejected,
    all_batches,
    counts,
    latest,
    replay,
)
from polster_runtime.execution.result import Materialized
from polster_runtime.storage.registry import store


def main(arguments: argparse.Namespace) -> int:
    """Carry out a command line; return the exit code."""
    try:
        configure()
        if arguments.command == "list":
            return _list(arguments.json)
        asset = _asset(arguments.asset)
        if arguments.command == "show":
            return _show(asset, arguments.rows, arguments.json)
        from polster_runtime.dagster.replay import record

        done = replay(asset)
        for each in done:
            record(each)
        return _tell(done, arguments.json)
    except (NotImplementedError, PipelineError) as error:
        report.say(f"error: {error}", to=sys.stderr)
        return 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    commands = parser.add_subparsers(dest="command", required=True)
    for name, text in {
        "list": "what the last run of each asset rejected",
        "show": "the rejected rows of an asset",
        "replay": "run them again, through today's code and contract",
    }.items():
        command = commands.add_parser(name, help=text, description=text)
        command.add_argument("--json", action="store_true", help="one JSON document on stdout")
        if name != "list":
            command.add_argument("asset")
        if name == "show":
            command.add_argument("--rows", type=int, default=20)


def _list(as_json: bool) -> int:
    batches = [_described(batch) for batch in all_batches()]
    if as_json:
        print(json.dumps({"quarantine": batches}))
    elif not batches:
        print("no asset rejected anything in its last run")
    for batch in [] if as_json else batches:
        rules = " · ".join(f"{rule['text']} {rule['rows']:,}" for rule in batch["rules"])
        state = "" if batch["published"] else "nothing published   "
        print(f"{batch['asset']:<24}{batch['rows']:>9,} rejected   {state}{rules}")
    return 0


def _described(batch: Batch) -> dict[str, Any]:
    contract = contract_of(function_of(batch.asset)) or dy.Schema
    return {
        "asset": str(batch.asset),
        "rows": batch.rows.select(pl.len()).collect().item(),
        "published": batch.published,
        "path": batch.path,
        "rules": [
            {"rule": rule, "rows": rows, "text": rule_in_words(contract, rule)}
            for rule, rows in counts(batch).items()
        ],
    }


def _show(asset: AssetId, rows: int, as_json: bool) -> int:
    batch = latest(asset, store())
    shown = batch.rows.head(rows).collect()
    if as_json:
        sample = rows_as_python(shown)
        print(json.dumps(_described(batch) | {"sample": sample}, default=str))
        return 0
    described = _described(batch)
    print(f"{batch.path}\n{described['rows']:,} rows")
    for rule in described["rules"]:
        print(f"  {rule['text']:<40}{rule['rows']:>9,}")
    contract = contract_of(function_of(asset)) or dy.Schema
    broken = [column for rule in counts(batch) for column in columns_of(contract, rule)]
    first = [column for column in dict.fromkeys(broken) if column in shown.columns]
    print(report.frame(shown.select("_broken_rules", *first, pl.exclude([*MARKS, *first])), rows))
    return 0


def _tell(done: Sequence[Materialized], as_json: bool) -> int:
    if as_json:
        rows, rejected = sum(each.rows for each in done), sum(each.rejected for each in done)
        told = {"asset": str(done[-1].asset), "rows": rows, "rejected": rejected}
        print(json.dumps(told | {"path": done[-1].path}))
    for each in [] if as_json else done:
        report.say(report.line(each), report.place(each.path))
    return 0


def _asset(text: str) -> AssetId:
    """The asset that a person names: orders, silver_orders, run_silver_orders."""
    named = AssetId.parse(text)
    if named.layer in GUARDED and core_file(named).exists():
        return named
    guarded = [
        AssetId(layer, text) for layer in GUARDED if core_file(AssetId(layer, text)).exists()
    ]
    if len(guarded) == 1:
        return guarded[0]
    if guarded:
        raise NothingRejected(f"{text} is ambiguous: {', '.join(map(str, guarded))}")
    raise NothingRejected(f"no silver or gold asset is called {text}")
