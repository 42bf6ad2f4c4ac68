"""Bronze assets that read files of this machine: CSV, Excel, JSON, Parquet."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from polster_core.assets.files import title
from polster_core.errors import UsageProblem
from polster_core.rendering.python_source import assigned, docstring, imported
from polster_core.types import AssetContext, NewFile

_ROWS = 'pl.DataFrame({"id": [1], "name": ["Ada"]})'


@dataclass(frozen=True, kw_only=True)
class _Format:
    """How a kind of file is read; `write` is a method of a frame that writes one, for the test."""

    suffix: str
    result: str
    returned: str
    write: str = ""


_CSV = _Format(
    suffix=".csv",
    result="pl.LazyFrame",
    returned="pl.scan_csv(files, infer_schema_length=None)  # the types are those of all rows",
    write="write_csv",
)
_PARQUET = _Format(
    suffix=".parquet",
    result="pl.LazyFrame",
    returned="pl.scan_parquet(files)",
    write="write_parquet",
)
_LINES = _Format(
    suffix=".ndjson",
    result="pl.LazyFrame",
    returned="pl.scan_ndjson(files, infer_schema_length=None)",
    write="write_ndjson",
)
_ARRAY = _Format(
    suffix=".json",
    result="pl.DataFrame",
    returned='pl.concat([pl.read_json(file) for file in files], how="diagonal_relaxed")',
    write="write_json",
)
_EXCEL = _Format(
    suffix=".xlsx",
    result="pl.DataFrame",
    returned='pl.concat([pl.read_excel(file{sheet}) for file in files], how="diagonal_relaxed")',
)
_OF_LINES = frozenset({".ndjson", ".jsonl", ".jsonlines"})


def csv(context: AssetContext) -> Iterator[NewFile]:
    """Yield the core file and the test of an asset that reads CSV files."""
    return _files(context, _CSV)


def parquet(context: AssetContext) -> Iterator[NewFile]:
    """Yield the core file and the test of an asset that reads Parquet files."""
    return _files(context, _PARQUET)


def json(context: AssetContext) -> Iterator[NewFile]:
    """Yield the core file and the test of an asset that reads JSON, an object a line or a list."""
    path = PurePosixPath(context.answers["path"])
    return _files(context, _LINES if path.suffix.lower() in _OF_LINES else _ARRAY)


def excel(context: AssetContext) -> Iterator[NewFile]:
    """Yield the core file and the test of an asset that reads Excel workbooks."""
    return _files(context, _EXCEL)


def _files(context: AssetContext, form: _Format) -> Iterator[NewFile]:
    from polster_core.rendering import render

    asset, sheet = context.asset, context.answers.get("sheet", "")
    constants = [assigned("FILES", _path(context))]
    if sheet:
        constants.append(assigned("SHEET", sheet))
    variables = {
        "title": docstring(title(asset)),
        "docstring": context.docstring,
        "constants": "\n".join(constants),
        "result": form.result,
        "returned": form.returned.format(sheet=", sheet_name=SHEET" if sheet else ""),
        "tests": docstring(f"Tests of {asset.core_file}."),
        "module_import": imported("core", f"{asset.stem} as source"),
        "suffix": form.suffix,
        "write": form.write,
        "frame": _ROWS,
        "collected": ".collect()" if form.result == "pl.LazyFrame" else "",
    }
    core, test = (
        render("polster_core", f"templates/assets/local_{kind}.py.jinja", variables)
        for kind in ("core", "test")
    )
    yield NewFile(path=asset.core_file, text=core, note=f"reads {_path(context)}")
    yield NewFile(path=asset.test_file, text=test)


def _path(context: AssetContext) -> str:
    path = context.answers["path"].strip()
    if not path or any(not sign.isprintable() for sign in path):
        raise UsageProblem("--path is the path of a file, or a pattern", hint="data/orders-*.csv")
    return path
