"""`add-asset` looks at the files that the asset will read."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.cli.test_add_asset import add, root

__all__ = ["root"]


def look(root: Path, template: str, path: str, *options: str) -> list[str]:
    """Add an asset; return what is told of its files."""
    flags = ("--layer", "bronze", "--name", "x", "--template", template, "--path", path, *options)
    done = add(root, *flags)
    assert done.code == 0, done.err
    return [line.rstrip() for line in done.out.split("\n\n")[1].splitlines()]


def test_csv(root: Path) -> None:
    for number in range(2):
        text = "id;preis\n01;1,50\n02;\n03;12,00\n04;1,00\n"
        (root / f"{number}.csv").write_bytes(text.encode("utf-16"))
    assert look(root, "csv", "*.csv") == [
        "*.csv: 2 files, utf-16, separated by ;, decimal comma",
        "  id     String  01                        02                        03",
        "  preis  String  1,50                                                12,00",
    ]


def test_what_is_named_counts(root: Path) -> None:
    (root / "a.csv").write_text("Report\nid\tname\n1\tAnn\n", encoding="utf-8")
    told = look(root, "csv", "a.csv", "--header-row", "2", "--separator", "tab", "--null", "Ann,x")
    assert told == [
        "a.csv: 1 file, utf-8, separated by tab, header in line 2",
        "  id    String  1",
        "  name  String",
    ]
    core = (root / "src/core/bronze_x.py").read_text("utf-8")
    assert 'read_csv(FILES, separator="\\t", header_row=2, null=["Ann", "x"])' in core


@pytest.mark.parametrize("named", [(), ("--encoding", "cp1252", "--ragged", "keep")])
def test_d5_what_is_guessed_and_what_will_fail_is_told(root: Path, named: Sequence[str]) -> None:
    (root / "a.csv").write_bytes("id;town\n1;Köln\n2;Kiel;x\n".encode("cp1252"))
    doubts = [
        (
            "Not UTF-8, taken for cp1252: name the encoding with --encoding, that or another; "
            "mac_roman of old Macs and cp850 of DOS cannot always be told from it"
        ),
        "Line 3 has more or fewer fields than the header, which fails a run:",
        "  name --separator or --header-row, or keep such rows with --ragged keep",
    ]
    assert look(root, "csv", "a.csv", *named) == [
        "a.csv: 1 file, cp1252, separated by ;",
        *([] if named else doubts),
        "  id    String  1                         2",
        "  town  String  Köln                      Kiel",
    ]


def test_types_that_are_named(root: Path) -> None:
    (root / "a.csv").write_text("id;price\n1;1.234,50\n", encoding="utf-8")
    told = look(root, "csv", "a.csv", "--types", "price=Decimal(10,2)", "--decimal", ",")
    assert told == [
        "a.csv: 1 file, utf-8, separated by ;, decimal comma",
        "  id     String          1",
        "  price  Decimal(10, 2)  1.234,50",
    ]
    core = (root / "src/core/bronze_x.py").read_text("utf-8")
    assert 'read_csv(FILES, types={"price": "Decimal(10, 2)"}, decimal=",")' in core


def test_json(root: Path) -> None:
    (root / "a.json").write_text(json.dumps({"d": [{"a": 1}, {"a": 2.5, "b": [1]}]}), "utf-8")
    assert look(root, "json", "*.json", "--records", "d") == [
        "*.json: 1 file",
        "  a  Float64      1                         2.5",
        "  b  List(Int64)                            [1]",
    ]


def test_v7_a_path_that_there_is_not(root: Path) -> None:
    said = "Not readable yet: no file matches in/*.csv; check the path"
    assert look(root, "csv", "in/*.csv") == [said]


@pytest.mark.parametrize("template", ["excel", "parquet"])
def test_what_needs_the_environment_of_the_project(root: Path, template: str) -> None:
    (root / "pyproject.toml").write_text(
        '[project]\nname = "shop"\ndependencies = []\n\n[tool.polster]\n', "utf-8"
    )
    said = "Its files are looked at once there is an environment:  polster setup"
    assert look(root, template, "in/*") == [said]


def test_options_that_cannot_be(root: Path) -> None:
    for name, value, said in (
        ("separator", ";;", "--separator is one character, not ';;'"),
        ("header-row", "x", "--header-row is a number"),
        ("types", "price=Money", "--types names columns and their types, not 'price=Money'"),
        ("types", "price=Decimal", "--types names columns and their types, not 'price=Decimal'"),
        ("decimal", ",", "--decimal is the sign in numbers of --types"),
        ("ragged", "drop", "--ragged is none of error, keep: drop"),
    ):
        flags = ("--layer", "bronze", "--name", "x", "--template", "csv", "--path", "a.csv")
        done = add(root, *flags, f"--{name}", value)
        assert done.code == 2
        assert said in done.err
