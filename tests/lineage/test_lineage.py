"""`polster lineage`: every form, and that a drawing says what the code says."""

from __future__ import annotations

import itertools
import json
import random
import xml.etree.ElementTree as ET
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polster_core.lineage import layout, mermaid, svg, terminal, tree
from polster_core.lineage.graph import Graph, graph_of
from polster_core.model.facts import Definition, Dependency, Place
from polster_core.model.layers import AssetId
from polster_core.model.pipeline import Asset, Pipeline
from tests.handmade import polster, shop, write_project

HERE = Place(PurePosixPath("x.py"))
COMMERCE = {
    "bronze_raw_customers": [],
    "bronze_raw_orders": [],
    "silver_clean_customers": ["bronze_raw_customers"],
    "silver_validated_orders": ["bronze_raw_orders"],
    "gold_customer_ltv": ["silver_validated_orders", "silver_clean_customers"],
    "gold_product_analytics": ["silver_validated_orders"],
}


def graph(assets: dict[str, list[str]]) -> Graph:
    """Return the graph of assets given by their stems."""
    pipeline = Pipeline(Path(), tuple(_asset(stem, deps) for stem, deps in assets.items()))
    return graph_of(pipeline, pipeline.assets)


def _asset(stem: str, deps: list[str]) -> Asset:
    asset = AssetId.parse(stem)
    assert asset is not None
    declared = tuple(Dependency(f"run_{dep}", HERE) for dep in deps)
    definition = Definition(asset.key, asset.key, HERE, declared)
    return Asset(id=asset, key=asset.key, definitions=(definition,))


def edges(one: Graph) -> set[tuple[str, str]]:
    return {(str(one.by_key[a]), str(one.by_key[b])) for a, b in one.edges}


def drawn(assets: dict[str, list[str]], width: int = 200) -> str:
    lines = terminal.draw(graph(assets), width)
    return "\n".join(lines) if lines else ""


def test_the_commerce_pipeline(tmp_path: Path) -> None:
    ran = polster(write_project(tmp_path, shop(COMMERCE)).root, "lineage")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == (
        "bronze_raw_customers ─── silver_clean_customers ────┬─── gold_customer_ltv\n"
        "bronze_raw_orders ────── silver_validated_orders ─┬─┘\n"
        "                                                  └───── gold_product_analytics\n"
    )


def test_a_fork_and_a_join() -> None:
    assert drawn(
        {
            "bronze_a": [],
            "bronze_b": [],
            "silver_a1": ["bronze_a"],
            "silver_a2": ["bronze_a"],
            "silver_b": ["bronze_b"],
            "gold_x": ["silver_a2", "silver_b"],
        }
    ) == (
        "bronze_a ─┬─── silver_a1\n"
        "          └─── silver_a2 ─┬─── gold_x\n"
        "bronze_b ───── silver_b ──┘"
    )


def test_parts_that_nothing_connects_stand_apart(tmp_path: Path) -> None:
    assets = {
        "bronze_a": [],
        "bronze_b": [],
        "bronze_c": [],
        "silver_b": ["bronze_b"],
        "silver_c": ["bronze_c"],
    }
    assert polster(write_project(tmp_path, shop(assets)).root, "lineage").out == (
        "bronze_b ─── silver_b\nbronze_c ─── silver_c\nbronze_a\n"
    )


def test_what_is_too_wide_or_too_large_is_a_tree() -> None:
    assert terminal.draw(graph(COMMERCE), 60) is None
    many = {"bronze_a": [], **{f"silver_s{n}": ["bronze_a"] for n in range(terminal.MAX_ASSETS)}}
    assert terminal.draw(graph(many), 200) is None
    assert list(tree.lines(graph(COMMERCE))) == [
        "gold_customer_ltv",
        "├─ silver_validated_orders",
        "│  └─ bronze_raw_orders",
        "└─ silver_clean_customers",
        "   └─ bronze_raw_customers",
        "gold_product_analytics",
        "└─ silver_validated_orders  (see above)",
    ]


@pytest.mark.parametrize(
    "assets",
    [
        {"silver_a": ["silver_b"], "silver_b": ["silver_a"]},
        {"silver_a": ["silver_a"]},
        {"bronze_a": [], "gold_a": ["bronze_a"]},
        {"gold_a": [], "bronze_a": ["gold_a"]},
        {"bronze_a": [], "silver_a": ["bronze_a", "bronze_a"]},
    ],
)
def test_what_breaks_the_layers_is_shown_all_the_same(
    assets: dict[str, list[str]], tmp_path: Path
) -> None:
    root = write_project(tmp_path, shop(assets)).root
    for form in ("tree", "mermaid", "svg", "html", "json"):
        ran = polster(root, "lineage", "--format", form)
        assert (ran.code, ran.err) == (0, "")
        assert all(stem.split("_", 1)[1] in ran.out for stem in assets)


def followed(lines: list[str], names: set[str]) -> set[tuple[str, str]]:
    """Read a drawing as a person does: from each name to the right, and never back to the left."""
    found = set()
    for row, line in enumerate(lines):
        for name in names:
            start = f" {line} ".find(f" {name} ")
            if start >= 0:
                for end in _walk(lines, row, start + len(name) + 1):
                    found.add((name, end))
    return found


_ARMS = {
    "─": "LR",
    "│": "UD",
    "┌": "DR",
    "┐": "DL",
    "└": "UR",
    "┘": "UL",
    "├": "UDR",
    "┤": "UDL",
    "┬": "LRD",
    "┴": "LRU",
    "┼": "UDLR",
}


def _walk(lines: list[str], row: int, column: int) -> set[str]:
    ends, todo, seen = set(), [(row, column, "R")], set()
    while todo:
        row, column, heading = step = todo.pop()
        if step in seen or not (0 <= row < len(lines)):
            continue
        seen.add(step)
        sign = lines[row][column] if column < len(lines[row]) else " "
        if sign == " ":
            rest = lines[row][column:].strip()
            if heading == "R" and rest and lines[row][column - 1] == "─":
                ends.add(rest.split()[0])
            continue
        if heading == "R" and sign == "│":
            todo.append((row, column + 1, "R"))  # the line goes under the track
            continue
        if heading in "UD" and sign == "─":
            raise AssertionError("a track ends in a line that it does not touch")
        for arm in _ARMS[sign]:
            if arm != "L" and arm != {"U": "D", "D": "U", "R": "L"}[heading]:
                down = {"U": -1, "D": 1, "R": 0}[arm]
                todo.append((row + down, column + (arm == "R"), arm))
    return ends


@st.composite
def layered(draw: st.DrawFn) -> dict[str, list[str]]:
    """Return a random pipeline that keeps to the layers."""
    bronze = [f"bronze_b{n}" for n in range(draw(st.integers(1, 6)))]
    silver = [f"silver_s{n}" for n in range(draw(st.integers(1, 6)))]
    gold = [f"gold_g{n}" for n in range(draw(st.integers(0, 6)))]
    some = st.lists(st.sampled_from(bronze), min_size=1, max_size=3, unique=True)
    more = st.lists(st.sampled_from(silver), min_size=1, max_size=3, unique=True)
    return (
        {name: [] for name in bronze}
        | {name: draw(some) for name in silver}
        | {name: draw(more) for name in gold}
    )


@given(layered())
@settings(max_examples=150, deadline=None)
def test_a_drawing_says_no_more_and_no_less_than_the_code(assets: dict[str, list[str]]) -> None:
    for part in graph(assets).components():
        lines = terminal.draw(part, 400)
        if lines is not None:
            names = {str(asset) for asset in part.assets}
            assert followed(lines, names) == edges(part), "\n".join(lines)


@given(layered())
@settings(max_examples=100, deadline=None)
def test_a_tree_names_everything(assets: dict[str, list[str]]) -> None:
    text = "\n".join(tree.lines(graph(assets)))
    assert all(stem in text for stem in assets)


@given(st.lists(st.floats(-50, 50), min_size=1, max_size=12))
def test_heights_keep_the_order_and_their_distance(wanted: list[float]) -> None:
    found = layout.spread(wanted)
    assert all(b - a >= 1 - 1e-9 for a, b in itertools.pairwise(found))
    cost = sum((a - b) ** 2 for a, b in zip(found, wanted, strict=True))
    chance = random.Random(len(wanted))  # noqa: S311 - any will do
    for _ in range(20):  # no step to the side that is allowed makes it better
        other = [height + chance.uniform(-1, 1) for height in found]
        if all(b - a >= 1 for a, b in itertools.pairwise(other)):
            assert sum((a - b) ** 2 for a, b in zip(other, wanted, strict=True)) >= cost - 1e-6


@given(layered())
@settings(max_examples=100, deadline=None)
def test_the_order_has_every_asset_once_and_crossings_are_counted(
    assets: dict[str, list[str]],
) -> None:
    one = graph(assets)
    columns = layout.columns(one)
    assert sorted(key for column in columns for key in column) == sorted(one.by_key)
    rank = {key: n for column in columns for n, key in enumerate(column)}
    place = {key: n for n, column in enumerate(columns) for key in column}
    crossing = sum(
        (rank[a] - rank[c]) * (rank[b] - rank[d]) < 0
        for (a, b), (c, d) in itertools.combinations(one.edges, 2)
        if place[a] == place[c]
    )
    assert layout.crossings(one, columns) == crossing


def test_the_order_takes_crossings_away() -> None:
    crossed = {
        "bronze_a": [],
        "bronze_b": [],
        "bronze_c": [],
        "silver_x": ["bronze_c"],
        "silver_y": ["bronze_b"],
        "silver_z": ["bronze_a"],
        "gold_g": ["silver_x", "silver_y", "silver_z"],
    }
    one = graph(crossed)
    before = [
        [a.key for a in one.assets if a.layer == layer] for layer in ("bronze", "silver", "gold")
    ]
    assert layout.crossings(one, before) == 3
    assert layout.crossings(one, layout.columns(one)) == 0


def test_mermaid() -> None:
    assert "\n".join(
        mermaid.lines(graph({"bronze_orders": [], "silver_orders": ["bronze_orders"]}))
    ) == (
        "flowchart LR\n"
        "  subgraph bronze\n"
        '    bronze_orders["orders"]:::bronzeAsset\n'
        "  end\n"
        "  subgraph silver\n"
        '    silver_orders["orders"]:::silverAsset\n'
        "  end\n"
        "  bronze_orders --> silver_orders\n"
        "  classDef bronzeAsset stroke:#b0703c,stroke-width:2px\n"
        "  classDef silverAsset stroke:#8793a5,stroke-width:2px\n"
        "  classDef goldAsset stroke:#c99700,stroke-width:2px"
    )


def test_svg_is_well_formed_and_complete(tmp_path: Path) -> None:
    files = shop(COMMERCE)
    asset = "src/orchestration/assets/gold/run_gold_customer_ltv.py"
    files[asset] = files[asset].replace("The customer_ltv of gold.", "Net < gross & more")
    ran = polster(write_project(tmp_path, files).root, "lineage", "--format", "svg")
    root = ET.fromstring(ran.out)  # noqa: S314 - it is our own
    names = [text.text for text in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {stem.split("_", 1)[1] for stem in COMMERCE} < set(names)
    assert "Net < gross & more" in names
    assert len(list(root.iter("{http://www.w3.org/2000/svg}path"))) == 5
    assert "http" not in ran.out.replace("http://www.w3.org/2000/svg", "")


def test_nodes_do_not_overlap() -> None:
    chance = random.Random(7)  # noqa: S311 - any will do
    bronze = [f"bronze_b{n}" for n in range(40)]
    assets: dict[str, list[str]] = {name: [] for name in bronze} | {
        f"silver_s{n}": chance.sample(bronze, 2) for n in range(40)
    }
    places = svg.positions(graph(assets))
    for (x1, y1), (x2, y2) in itertools.combinations(places.values(), 2):
        assert x1 != x2 or abs(y1 - y2) >= svg.ROW


def test_json(tmp_path: Path) -> None:
    root = write_project(tmp_path, shop(COMMERCE)).root
    printed = json.loads(polster(root, "lineage", "--json", "--select", "+customer_ltv").out)
    listed = json.loads(polster(root, "list-assets", "--json", "--select", "+customer_ltv").out)
    assert printed["nodes"] == listed["assets"]
    assert printed["edges"] == [
        {"from": "run_bronze_raw_customers", "to": "run_silver_clean_customers"},
        {"from": "run_bronze_raw_orders", "to": "run_silver_validated_orders"},
        {"from": "run_silver_validated_orders", "to": "run_gold_customer_ltv"},
        {"from": "run_silver_clean_customers", "to": "run_gold_customer_ltv"},
    ]
    assert polster(write_project(tmp_path / "none", {}).root, "lineage", "--json").out == (
        '{"nodes": [], "edges": []}\n'
    )


def test_a_file_has_the_form_that_its_name_asks_for(tmp_path: Path) -> None:
    root = write_project(tmp_path / "shop", shop(COMMERCE)).root
    starts = {
        "a.svg": "<svg ",
        "b.html": "<!doctype html>",
        "c.json": '{"nodes"',
        "d.mmd": "flowchart LR",
        "docs/e.txt": "bronze_raw_customers",
    }
    for name, start in starts.items():
        ran = polster(root, "lineage", "--output", name)
        assert (ran.code, ran.out + ran.err) == (0, f"  create  {Path(name)}  6 assets\n")
        assert (root / name).read_text(encoding="utf-8").startswith(start)


def test_nothing_to_draw(tmp_path: Path) -> None:
    ran = polster(write_project(tmp_path, {}).root, "lineage")
    assert (ran.code, ran.out) == (0, "")
    assert ran.err.startswith("there are no assets yet\n")


def test_a_closed_output_or_a_folder_is_one_line(tmp_path: Path) -> None:
    root = write_project(tmp_path / "shop", shop(COMMERCE)).root
    (tmp_path / "file").write_text("")
    ran = polster(root, "lineage", "--output", str(tmp_path / "file" / "x.svg"))
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.count("\n") == 1
    assert ran.err.startswith("error: ")
