"""Bronze assets that read files of this machine: CSV, Excel, JSON, Parquet."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from json import dumps
from typing import Any

from polster_core.assets.files import title
from polster_core.errors import UsageProblem
from polster_core.rendering.file_options import literal, reader_arguments
from polster_core.rendering.python_source import assigned, bracketed, docstring, imported, quoted
from polster_core.types import AssetContext, NewFile


@dataclass(frozen=True, kw_only=True)
class _Format:
    """How a kind of file is read; `written` are the lines of the test that write one."""

    reader: str
    suffix: str
    written: Callable[[Mapping[str, Any]], str] | None = None
    values: Callable[[Mapping[str, Any]], str] = lambda _: '(1, "Ada")'


def _written_csv(arguments: Mapping[str, Any]) -> str:
    separator, row = arguments.get("separator", ","), arguments.get("header_row", 1)
    columns = _columns(arguments)
    if not row and "types" in arguments:
        return ""  # which of the columns they are depends on the file
    above, header = "\n" * max(row - 1, 0), f"{separator.join(columns)}\n" if row else ""
    content = quoted(f"{above}{header}{separator.join(columns.values())}\n")
    encoding = quoted(arguments.get("encoding", "utf-8"))
    return f"file.write_text({content}, encoding={encoding})"


def _columns(arguments: Mapping[str, Any]) -> dict[str, str]:
    """Return the columns of the test and their values; those that have a type are empty."""
    return {"id": "1", "name": "Ada", **dict.fromkeys(arguments.get("types", {}), "")}


def _values_of_csv(arguments: Mapping[str, Any]) -> str:
    return (
        f"({', '.join(quoted(text) if text else 'None' for text in _columns(arguments).values())})"
    )


def _written_json(arguments: Mapping[str, Any]) -> str:
    content = '[{"id": 1, "name": "Ada"}]'
    for name in reversed(arguments["records"].split(".") if "records" in arguments else []):
        content = f"{{{dumps(name)}: {content}}}"
    return f'file.write_text({quoted(content)}, encoding="utf-8")'


def _written_parquet(_: Mapping[str, Any]) -> str:
    return 'pl.DataFrame({"id": [1], "name": ["Ada"]}).write_parquet(file)'


_CSV = _Format(reader="read_csv", suffix=".csv", written=_written_csv, values=_values_of_csv)
_JSON = _Format(reader="read_json", suffix=".json", written=_written_json)
_PARQUET = _Format(reader="read_parquet", suffix=".parquet", written=_written_parquet)
_EXCEL = _Format(reader="read_excel", suffix=".xlsx")


def csv(context: AssetContext) -> Iterator[NewFile]:
    """Yield the core file and the test of an asset that reads CSV files."""
    return _files(context, _CSV)


def parquet(context: AssetContext) -> Iterator[NewFile]:
    """Yield the core file and the test of an asset that reads Parquet files."""
    return _files(context, _PARQUET)


def json(context: AssetContext) -> Iterator[NewFile]:
    """Yield the core file and the test of an asset that reads JSON, an object a line or a list."""
    return _files(context, _JSON)


def excel(context: AssetContext) -> Iterator[NewFile]:
    """Yield the core file and the test of an asset that reads Excel workbooks."""
    return _files(context, _EXCEL)


def arguments(context: AssetContext) -> dict[str, Any]:
    """Return what the reader is called with beside the files. Raises UsageProblem."""
    answers = {name: text for name, text in context.answers.items() if name != "path"}
    return reader_arguments(answers)


def path(context: AssetContext) -> str:
    """Return the files of an asset. Raises UsageProblem."""
    found = context.answers["path"].strip()
    if not found or any(not sign.isprintable() for sign in found):
        raise UsageProblem("--path is the path of a file, or a pattern", hint="incoming/*.csv")
    return found


def _files(context: AssetContext, form: _Format) -> Iterator[NewFile]:
    from polster_core.rendering import render

    asset, given = context.asset, arguments(context)
    named = [f"{name}={literal(value)}" for name, value in given.items()]
    written = form.written(given) if form.written else ""
    variables = {
        "title": docstring(title(asset)),
        "docstring": context.docstring,
        "files": assigned("FILES", path(context)),
        "reader": form.reader,
        "returned": bracketed(f"return {form.reader}(", ["FILES", *named], ")", indent=1),
        "tests": docstring(f"Tests of {asset.core_file}."),
        "module_import": imported("core", f"{asset.stem} as source"),
        "suffix": form.suffix,
        "written": written,
        "needs_polars": written.startswith("pl."),
        "values": form.values(given),
    }
    core, test = (
        render("polster_core", f"templates/assets/local_{kind}.py.jinja", variables)
        for kind in ("core", "test")
    )
    yield NewFile(path=asset.core_file, text=core, note=f"reads {path(context)}")
    yield NewFile(path=asset.test_file, text=test)
