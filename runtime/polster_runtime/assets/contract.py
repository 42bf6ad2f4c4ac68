"""Contracts: rows that break one are told apart."""

import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import dataframely as dy
import polars as pl

from polster_runtime.assets.binding import Function, asset_of
from polster_runtime.assets.evaluation import BROKEN, Evaluation
from polster_runtime.assets.rule_text import rule_in_words
from polster_runtime.assets.rules import failing, has_own, look_at_other_rows, query_of
from polster_runtime.assets.values import rows_as_python
from polster_runtime.config.paths import core_dir
from polster_runtime.config.settings import settings
from polster_runtime.errors import AssetError, ContractBroken, SettingsError

Contract = type[dy.Schema]
EXAMPLES = 3
FEW = 50_000
"""Rows that are split in memory."""
MOST_ROUNDS = 100
"""How often rules that look at other rows are evaluated again after rows were rejected."""


@dataclass(frozen=True, kw_only=True)
class Checked:
    """The rows of a file, split by a contract."""

    good: pl.LazyFrame | None
    """The rows that keep it; None when that is the file as it is."""
    bad: pl.LazyFrame
    """The rejected rows as they came, and `_broken_rules`."""
    rejected: int = 0
    broken_rules: dict[str, int] = field(default_factory=dict)
    """Rows by the contract's own name of a rule; a row may break several."""


def contract_of(function: Function) -> Contract | None:
    """The class Contract beside a function, if it has one. Raises AssetError for anything else."""
    found = function.__globals__.get("Contract")
    if found is None or (isinstance(found, type) and issubclass(found, dy.Schema)):
        return found
    raise AssetError(f"{asset_of(function)}: Contract must be a class made from dy.Schema")


def try_out(contract: Contract) -> None:
    """Evaluate a contract on no rows. Raises AssetError when one of its rules cannot be."""
    if has_own(contract):
        empty = contract.create_empty()
        with _rules_named(contract, empty.lazy()):
            contract.filter(empty)


def max_rejected(function: Function) -> float:
    """The share of rows that may be rejected: MAX_REJECTED beside the function, else the setting.

    Gold allows none unless it says so. Raises SettingsError when it is not from 0 to 1.
    """
    asset = asset_of(function)
    share = function.__globals__.get("MAX_REJECTED")
    if share is None:
        return settings().max_rejected if asset.layer == "silver" else 0.0
    if isinstance(share, bool) or not isinstance(share, int | float) or not 0 <= share <= 1:
        raise SettingsError(f"{asset}: MAX_REJECTED must be from 0 to 1, not {share!r}")
    return float(share)


@dataclass(frozen=True, kw_only=True)
class Parts:
    """A query, split by a contract into what is computed in one pass."""

    good: pl.LazyFrame
    bad: pl.LazyFrame
    """A sink of the rejected rows."""
    checked: Callable[[], Checked]
    """What was rejected, once that sink is filled."""


def part(rows: pl.LazyFrame, contract: Contract, evaluated: Path) -> Parts | None:
    """Split a query before it runs; None where its rows must be looked at more than once.

    Raises AssetError when a column is missing, or when a rule cannot be evaluated.
    """
    evaluation, again = _evaluation(rows, contract)
    if again:
        return None
    with _rules_named(contract, contract.create_empty().lazy()):
        # Kept once: what a query computes twice, such as a shuffle, is not the same twice.
        prepared = evaluation.prepared(rows.cache())
        good, failure = evaluation.contract.filter(prepared)
    if (bad := query_of(failure)) is None:
        return None
    return Parts(
        good=good.lazy().select(contract.column_names()),
        bad=bad.sink_parquet(evaluated, lazy=True),
        checked=lambda: _checked(evaluation, list(_if_any(evaluated))),
    )


def check(scanned: pl.LazyFrame, rows: int, contract: Contract, evaluated: Path) -> Checked:
    """Split the rows of a file; the bad ones are put into files beside `evaluated`.

    A few rows are split in memory, which is faster; many are streamed. Raises AssetError when a
    column is missing, or when a rule cannot be evaluated.
    """
    evaluation, again = _evaluation(scanned, contract)
    remaining = evaluation.prepared(scanned)
    bad = list[pl.LazyFrame]()
    with _rules_named(contract, remaining, lambda: evaluation.impossible(scanned)):
        for number in range(MOST_ROUNDS):
            target = evaluated.with_suffix(f"{evaluated.suffix}{number}")
            split = _split if rows <= FEW else _stream
            good, any_bad = split(remaining, evaluation.contract, target)
            if any_bad:
                bad.append(pl.scan_parquet(target, glob=False))
            if not (any_bad and again):
                break
            remaining = evaluation.without(remaining, bad[-1])
        else:
            raise AssetError(
                f"the rules of the contract still reject rows after {MOST_ROUNDS} evaluations, "
                "each without the rows rejected before: let them look at fewer other rows"
            )
    good = good.select(contract.column_names())
    unchanged = not bad and good.collect_schema() == evaluation.schema
    return _checked(evaluation, bad, None if unchanged else good)


def _evaluation(rows: pl.LazyFrame, contract: Contract) -> tuple[Evaluation, bool]:
    """A contract for rows, and whether some of its rules look at other rows."""
    if not contract.column_names():
        raise AssetError("the contract names no columns: add a line for each")
    schema = rows.collect_schema()
    missing = [name for name in contract.column_names() if name not in schema]
    if missing:
        raise AssetError(f"the contract names columns that are not there: {', '.join(missing)}")
    with _rules_named(contract, contract.create_empty().lazy()):
        again = look_at_other_rows(contract)
    return Evaluation(contract, schema, numbered=again), again


def _if_any(file: Path) -> Iterator[pl.LazyFrame]:
    rows = pl.scan_parquet(file, glob=False)
    if rows.select(pl.len()).collect().item():
        yield rows


def _checked(
    evaluation: Evaluation, bad: Sequence[pl.LazyFrame], good: pl.LazyFrame | None = None
) -> Checked:
    if not bad:
        empty = pl.LazyFrame(schema={**evaluation.schema, BROKEN: pl.List(pl.String)})
        return Checked(good=good, bad=empty)
    rejected = pl.concat(evaluation.rejected(each) for each in bad)
    rules = evaluation.rules_of(bad[0])
    counts = [pl.col(BROKEN).list.contains(rule).sum().alias(rule) for rule in rules]
    counted = rejected.select(pl.len(), *counts).collect().row(0, named=True)
    return Checked(
        good=good,
        bad=rejected,
        rejected=counted.pop("len"),
        broken_rules={rule: count for rule, count in counted.items() if count},
    )


def _split(rows: pl.LazyFrame, contract: Contract, evaluated: Path) -> tuple[pl.LazyFrame, bool]:
    good, failure = contract.filter(rows.collect())
    if len(failure):
        failure.write_parquet(evaluated)
    return good.lazy(), len(failure) > 0


def _stream(rows: pl.LazyFrame, contract: Contract, evaluated: Path) -> tuple[pl.LazyFrame, bool]:
    good, failure = contract.filter(rows)
    failure.sink_parquet(evaluated)
    bad = pl.scan_parquet(evaluated, glob=False)
    return good.lazy(), bad.select(pl.len()).collect().item() > 0


@contextmanager
def _rules_named(
    contract: Contract, rows: pl.LazyFrame, impossible: Callable[[], str | None] = lambda: None
) -> Iterator[None]:
    """Turn what goes wrong in the casts and rules of a contract into an AssetError."""
    try:
        yield
    except AssetError:
        raise
    except Exception as error:
        if cast := impossible():
            raise AssetError(cast) from None
        frames = traceback.extract_tb(error.__traceback__)
        own = [frame for frame in frames if Path(frame.filename).parent == core_dir()]
        which = f"the rule {own[-1].name}" if own else failing(contract, rows)
        kind = "" if isinstance(error, pl.exceptions.PolarsError) else f"{type(error).__name__}: "
        first = str(error).partition("\n")[0]
        raise AssetError(f"{which} of the contract cannot be evaluated: {kind}{first}") from None


def refuse(rows: int, checked: Checked, allowed: float, contract: Contract) -> None:
    """Raise ContractBroken when more than the allowed share of the rows was rejected."""
    share = checked.rejected / rows if rows else 0.0
    if share <= allowed:
        return
    lines = [
        f"{checked.rejected:,} of {rows:,} rows ({share * 100:.3g} %) break the contract, more "
        f"than MAX_REJECTED ({allowed * 100:g} %); nothing was published"
    ]
    in_words = {rule: rule_in_words(contract, rule) for rule in checked.broken_rules}
    width = max(len(words) for words in in_words.values())
    for rule, count in checked.broken_rules.items():
        examples = _examples(checked, contract, rule)
        lines.append(f"  {in_words[rule]:<{width}}{count:>9,}   {examples}".rstrip())
    raise ContractBroken("\n".join(lines), checked.rejected, checked.broken_rules)


def _examples(checked: Checked, contract: Contract, rule: str) -> str:
    """The first rows that broke a rule, by their key or by the column of the rule."""
    names = contract.primary_key() or [rule.partition("|")[0]]
    shown = [name for name in names if name in checked.bad.collect_schema()]
    if not shown:
        return ""
    broke = checked.bad.filter(pl.col(BROKEN).list.contains(rule))
    rows = rows_as_python(broke.select(shown).head(EXAMPLES).collect())
    values = ", ".join(" ".join(map(str, row.values())) for row in rows)
    more = " …" if checked.broken_rules[rule] > len(rows) else ""
    return f"{' '.join(shown)} {values}{more}"
