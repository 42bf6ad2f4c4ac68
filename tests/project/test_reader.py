"""Reading a pipeline: what every way of writing an asset comes to."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path, PurePosixPath
from textwrap import dedent

import pytest

from polster_core.model import layout
from polster_core.model.facts import Core, Definition, Form
from polster_core.model.layers import AssetId, Layer
from polster_core.model.pipeline import AssetNameError, Pipeline
from polster_core.project.locate import NoProjectError, Project, find_project
from polster_core.project.parsing import core_file, cores, dagster_file
from polster_core.project.parsing.source import ParsedFile, parse
from polster_core.project.reader import read_core, read_pipeline
from tests.handmade import PLUMBING, shop, write_project

SHOP = {
    "bronze_orders": [],
    "bronze_customers": [],
    "silver_orders": ["bronze_orders", "bronze_customers"],
    "gold_revenue": ["silver_orders"],
}
HERE = PurePosixPath("a.py")


def one(text: str) -> Definition:
    """Read the only asset of a Dagster file."""
    source = parse(HERE, dedent(text).encode())
    assert isinstance(source, ParsedFile)
    (found,), faults = dagster_file.definitions(source)
    assert not faults
    return found


def keys(text: str) -> list[str]:
    """Return the dependencies of an asset whose decorator has `text` as its arguments."""
    return [dep.key for dep in one(DECORATED.format(text)).deps]


def core_of(text: str) -> Core:
    """Read a silver core file."""
    source = parse(HERE, dedent(text).encode())
    assert isinstance(source, ParsedFile)
    return core_file.core(source, AssetId(Layer.SILVER, "orders"))


DECORATED = """
import dagster as dg
from dagster import AssetKey, AssetIn as In
from orchestration.assets.bronze.run_bronze_a import run_bronze_a
from orchestration.assets.bronze import run_bronze_b as b
from orchestration.assets import bronze
from settings import CHOSEN

ONE = "run_bronze_one"
DEPS = ["run_bronze_a", ONE]

@dg.asset({})
def run_silver_orders(context): ...
"""


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ("", []),
        ("deps=None", []),
        ("deps=[]", []),
        ('deps=["run_bronze_a", "run_bronze_b"]', ["run_bronze_a", "run_bronze_b"]),
        ('deps=("run_bronze_a",)', ["run_bronze_a"]),
        ('deps={"run_bronze_a"}', ["run_bronze_a"]),
        ('deps=["run_" + "bronze_a"]', ["run_bronze_a"]),
        ('deps=[dg.AssetKey("run_bronze_a")]', ["run_bronze_a"]),
        ('deps=[AssetKey(["shop", "orders"])]', ["shop/orders"]),
        ('deps=[dg.AssetKey(path=["orders"])]', ["orders"]),
        ('deps=[["shop", "orders"]]', ["shop/orders"]),
        ('deps=[dg.AssetDep("run_bronze_a")]', ["run_bronze_a"]),
        ("deps=[dg.AssetDep(asset=run_bronze_a)]", ["run_bronze_a"]),
        ('deps=[dg.AssetSpec(key="run_bronze_a")]', ["run_bronze_a"]),
        ("deps=[run_bronze_a, b]", ["run_bronze_a", "run_bronze_b"]),
        ("deps=[bronze.run_bronze_c]", ["run_bronze_c"]),
        ("deps=[run_bronze_a.key]", ["run_bronze_a"]),
        ("deps=DEPS", ["run_bronze_a", "run_bronze_one"]),
        ('deps=[*DEPS, "x"] + ["y"]', ["run_bronze_a", "run_bronze_one", "x", "y"]),
        ('ins={"orders": In("run_bronze_a")}', ["run_bronze_a"]),
        ('ins={"orders": dg.AssetIn(key=AssetKey("run_bronze_a"))}', ["run_bronze_a"]),
        ('ins={"run_bronze_a": dg.AssetIn()}', ["run_bronze_a"]),
        ('ins={"a": dg.AssetIn(key_prefix=["shop", "eu"])}', ["shop/eu/a"]),
    ],
)
def test_dependencies_in_every_way_of_writing(arguments: str, expected: list[str]) -> None:
    definition = one(DECORATED.format(arguments))
    assert [dep.key for dep in definition.deps] == expected
    assert definition.unread == ()


@pytest.mark.parametrize(
    ("arguments", "what", "column"),
    [
        ("deps=[f'run_{x}' for x in 'ab']", "deps", 16),
        ("deps=names()", "deps", 16),
        ("deps=CHOSEN", "deps", 16),
        ("deps=['a', CHOSEN]", "an entry of deps", 22),
        ("deps=[f'run_bronze_{1}']", "an entry of deps", 17),
        ("ins=inputs()", "ins", 15),
        ("ins={'a': thing()}", "an entry of ins", 21),
        ("key=make()", "key", 15),
        ("name=CHOSEN", "name", 16),
        ("key_prefix=CHOSEN", "key_prefix", 22),
        ("**common", "arguments unpacked with **", 13),
    ],
)
def test_what_only_running_would_tell_is_said_and_not_guessed(
    arguments: str, what: str, column: int
) -> None:
    definition = one(DECORATED.format(arguments))
    assert [(unread.what, unread.place.column) for unread in definition.unread] == [(what, column)]
    assert [dep.key for dep in definition.deps] in ([], ["a"])


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("from dagster import asset\n@asset\ndef run_silver_a(): ...", "run_silver_a"),
        ("from dagster import asset as a\n@a()\ndef run_silver_a(): ...", "run_silver_a"),
        ("import dagster\n@dagster.asset\nasync def run_silver_a(): ...", "run_silver_a"),
        ("import dagster as dg\n@dg.asset(name='x')\ndef run_silver_a(): ...", "x"),
        ("import dagster as dg\n@dg.asset(key='x')\ndef run_silver_a(): ...", "x"),
        ("import dagster as dg\n@dg.asset(key=['x', 'y'])\ndef run_a(): ...", "x/y"),
        ("import dagster as dg\n@dg.asset(key_prefix='x')\ndef run_a(): ...", "x/run_a"),
        ("import dagster as dg\n@dg.asset(name=None, key_prefix=None)\ndef a(): ...", "a"),
        ("try:\n    import dagster as dg\nfinally: ...\n@dg.asset\ndef a(): ...", "a"),
        ("import dagster as dg\nif True:\n    @dg.asset\n    def a(): ...", "a"),
    ],
)
def test_the_key_is_what_dagster_will_call_the_asset(text: str, key: str) -> None:
    assert one(text).key == key


def test_parameters_are_inputs_and_resources_are_not() -> None:
    definition = one("""
        import dagster as dg
        import polars as pl
        @dg.asset(ins={"orders": dg.AssetIn("run_bronze_orders")})
        def run_silver_orders(context, orders, run_bronze_a, frame: pl.DataFrame, db: Database,
                              config: Config): ...
    """)
    assert [(dep.key, dep.form) for dep in definition.deps] == [
        ("run_bronze_orders", Form.INPUT),
        ("run_bronze_a", Form.PARAMETER),
        ("frame", Form.PARAMETER),
    ]


def test_group_and_description() -> None:
    definition = one('''
        import dagster as dg
        @dg.asset(group_name="silver")
        def run_silver_orders():
            """Valid orders,
            one row each.

            More of it.
            """
    ''')
    assert (definition.group, definition.description) == ("silver", "Valid orders, one row each.")
    given = "import dagster as dg\n@dg.asset(description='Said here.')\ndef a():\n    'Not here.'"
    assert one(given).description == "Said here."


def test_places_count_characters_from_one() -> None:
    definition = one("""
        import dagster as dg
        @dg.asset(description="Größe", deps=["run_bronze_ä", "run_bronze_b"])
        def run_silver_orders(): ...
    """)
    assert [(dep.place.line, dep.place.column) for dep in definition.deps] == [(3, 38), (3, 54)]
    assert (definition.place.line, definition.place.column) == (4, 5)


def test_a_byte_order_mark_and_windows_line_ends_do_not_move_places() -> None:
    source = parse(
        HERE,
        b'\xef\xbb\xbfimport dagster as dg\r\n@dg.asset(deps=["\xc3\xa4","b"])\r\ndef x(): ...\r\n',
    )
    assert isinstance(source, ParsedFile)
    (definition,), _ = dagster_file.definitions(source)
    assert [(dep.place.line, dep.place.column) for dep in definition.deps] == [(2, 17), (2, 21)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "import dagster as dg\n@dg.multi_asset(specs=[])\ndef both(): ...",
            "both is a multi_asset; Polster reads one asset a function (@dg.asset)",
        ),
        (
            "import dagster as dg\ndef make(n):\n  @dg.asset(name=n)\n  def a(): ...\n  return a",
            "make() makes assets when it runs, which cannot be read",
        ),
    ],
)
def test_assets_that_exist_only_at_run_time_are_reported(text: str, message: str) -> None:
    source = parse(HERE, text.encode())
    assert isinstance(source, ParsedFile)
    found, faults = dagster_file.definitions(source)
    assert found == ()
    assert [(fault.rule, fault.message) for fault in faults] == [("unreadable", message)]


@pytest.mark.parametrize(
    ("body", "line"),
    [
        ("raise NotImplementedError", 2),
        ('"""Doc."""\n    raise NotImplementedError("later")', 3),
        ("x = 1\n    raise NotImplementedError", 3),
        ("...", 2),
        ("pass", 2),
        ('"""Doc."""', 2),
        ('"""Doc."""\n    # todo\n    pass', 4),
        ("return orders", None),
        ("if not orders:\n        raise NotImplementedError\n    return orders", None),
        ("return orders\n    raise NotImplementedError", None),
        ("yield 1", None),
    ],
)
def test_a_stub_is_a_function_that_was_never_written(body: str, line: int | None) -> None:
    core = core_of(f"def transform(orders):\n    {body}\n")
    assert (core.stub.line if core.stub else None) == line


def test_a_core_file_offers_its_function_its_parameters_and_its_contract() -> None:
    core = core_of('''
        """Silver: orders."""
        import polars as pl

        class Contract: ...

        def transform(orders: pl.LazyFrame, /, rates: "pl.DataFrame", *, partition, n=1, **more):
            """Valid orders."""
            return orders
    ''')
    assert core.description == "Valid orders."
    assert core.contract is not None
    assert (core.contract.line, core.contract.column) == (5, 7)
    assert [
        (p.name, p.annotation, p.required, p.kind, p.place.column) for p in core.parameters
    ] == [
        ("orders", "pl.LazyFrame", True, "/", 15),
        ("rates", "'pl.DataFrame'", True, "", 40),
        ("partition", "", True, "", 66),
        ("n", "", False, "", 77),
        ("more", "", False, "**", 84),
    ]
    assert core.names >= {"pl", "Contract", "transform"}


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("pl.read_csv('data/bronze/orders')", "pl.read_csv"),
        ("pl.scan_parquet(path)", "pl.scan_parquet"),
        ("scan('x')", "scan"),
        ("storage.read('bronze_orders')", "storage.read"),
        ("read('bronze_orders')", "read"),
        ("store().scan(snapshot)", None),
        ("orders.sink_parquet('x')", "orders.sink_parquet"),
        ("orders.collect().write_csv('x')", "….write_csv"),
        ("open('x').read()", "open"),
        ("Path('x').read_text()", "….read_text"),
        ("fsspec.open('x')", "fsspec.open"),
        ("duckdb.read_csv('x')", "duckdb.read_csv"),
        ("pl.read_parquet_schema('x')", None),
        ("orders.filter(pl.col('open') > 1)", None),
        ("orders.reader()", None),
    ],
)
def test_reaching_for_storage_is_noticed(line: str, text: str | None) -> None:
    core = core_of(f"""
        import duckdb, fsspec
        import polars as pl
        from polars import scan_csv as scan
        from core import storage
        from core.storage import read

        def transform(orders):
            return {line}

        if __name__ == "__main__":
            transform(pl.read_csv("x"))
    """)
    assert [(a.text, a.place.line) for a in core.accesses] == ([(text, 9)] if text else [])


@pytest.mark.parametrize(
    ("line", "call"),
    [
        ("from core.bronze_items import extract", "extract()"),
        ("from core.bronze_items import extract as items", "items()"),
        ("from core import bronze_items", "bronze_items.extract()"),
        ("import core.bronze_items as items", "items.extract()"),
        ("import core.bronze_items", "core.bronze_items.extract()"),
        ("from src.core.bronze_items import extract", "extract()"),
        ("from .bronze_items import extract", "extract()"),
    ],
)
def test_calling_another_assets_function_is_noticed(line: str, call: str) -> None:
    (access,) = core_of(f"{line}\ndef transform(orders): return {call}").accesses
    assert str(access.asset) == "bronze_items"


@pytest.mark.parametrize(
    "line",
    [
        "from core.bronze_items import COLUMNS",
        "from core import bronze_items",
        "import core.x as y",
    ],
)
def test_sharing_code_between_assets_is_no_access(line: str) -> None:
    assert core_of(f"{line}\ndef transform(orders): return orders").accesses == ()


def test_a_pipeline_is_its_assets_in_the_order_of_flow(tmp_path: Path) -> None:
    pipeline = read_pipeline(write_project(tmp_path, shop(SHOP)))
    assert [str(asset) for asset in pipeline.assets] == [
        "bronze_customers",
        "bronze_orders",
        "silver_orders",
        "gold_revenue",
    ]
    silver = pipeline.by_key["run_silver_orders"]
    assert str(silver.core_file) == "src/core/silver_orders.py"
    assert str(silver.asset_file) == "src/orchestration/assets/silver/run_silver_orders.py"
    assert silver.test_file is None
    assert [dep.key for dep in silver.deps] == ["run_bronze_orders", "run_bronze_customers"]
    assert [str(a) for a in pipeline.upstream(silver)] == ["bronze_orders", "bronze_customers"]
    assert [str(a) for a in pipeline.downstream(silver)] == ["gold_revenue"]
    assert len(silver.registrations) == 1
    assert silver.core is not None
    assert [p.name for p in silver.core.parameters] == ["orders", "customers"]
    assert silver.core.contract is not None
    assert pipeline.faults == ()
    assert pipeline.others == ()


def test_without_the_core_files_everything_else_is_the_same(tmp_path: Path) -> None:
    project = write_project(tmp_path, shop(SHOP))
    quick = read_pipeline(project, core=False)
    assert {asset.core for asset in quick.assets} == {None}
    assert [a.core_file for a in quick.assets] == [
        a.core_file for a in read_pipeline(project).assets
    ]
    core = read_core(project, AssetId(Layer.SILVER, "orders"))
    assert core == read_pipeline(project).by_key["run_silver_orders"].core
    assert read_core(project, AssetId(Layer.SILVER, "nothing")) is None


def test_other_processes_read_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = shop(SHOP | {f"bronze_b{n}": [] for n in range(30)})
    files["src/core/bronze_b1.py"] = "def extract(:\n"
    project = write_project(tmp_path, files)
    here = read_pipeline(project)
    monkeypatch.setattr(cores, "MANY", 1)
    monkeypatch.setattr(cores, "_CHUNK", 7)
    assert read_pipeline(project) == here
    assert [str(fault.place) for fault in here.faults] == ["src/core/bronze_b1.py:1:13"]


def test_a_function_in_deps_stands_for_the_key_of_its_asset(tmp_path: Path) -> None:
    files = shop({"bronze_orders": [], "silver_orders": ["bronze_orders"]})
    bronze = "src/orchestration/assets/bronze/run_bronze_orders.py"
    files[bronze] = (
        files[bronze]
        .replace("def run_bronze_orders", "def orders")
        .replace("@dg.asset(", '@dg.asset(name="run_bronze_orders",')
    )
    silver = "src/orchestration/assets/silver/run_silver_orders.py"
    files[silver] = (
        files[silver]
        .replace(
            "import dagster as dg",
            "import dagster as dg\n"
            "from orchestration.assets.bronze.run_bronze_orders import orders",
        )
        .replace('deps=["run_bronze_orders"]', "deps=[orders]")
    )
    (dep,) = read_pipeline(write_project(tmp_path, files)).by_key["run_silver_orders"].deps
    assert (dep.key, dep.form) == ("run_bronze_orders", Form.FUNCTION)


def test_every_file_may_be_broken(tmp_path: Path) -> None:
    files = shop(SHOP)
    project = write_project(
        tmp_path, dict.fromkeys(files, "def broken(:\n") | {"pyproject.toml": ""}
    )
    pipeline = read_pipeline(project)
    assert {str(fault.place) for fault in pipeline.faults} == {
        f"{path}:1:12"
        for path in files.keys() - PLUMBING.keys() | {str(layout.current().definitions)}
    }
    assert {fault.rule for fault in pipeline.faults} == {"syntax-error"}
    assert [str(asset) for asset in pipeline.assets] == [
        "bronze_customers",
        "bronze_orders",
        "silver_orders",
        "gold_revenue",
    ]


@pytest.mark.parametrize(
    "data",
    [
        b"\0",
        b"\xff\xfe",
        b"# coding: nonsense\nx = 1",
        b"(" * 10_000,
        b"x = " + b"-" * 100_000 + b"1",
        b"'''",
    ],
)
def test_bytes_that_are_no_python_are_a_fault(data: bytes) -> None:
    fault = parse(HERE, data)
    assert not isinstance(fault, ParsedFile)
    assert fault.rule == "syntax-error"


def test_an_empty_project_has_an_empty_pipeline(tmp_path: Path) -> None:
    pipeline = read_pipeline(Project(tmp_path))
    assert (pipeline.assets, pipeline.faults) == ((), ())
    assert [package.exists for package in pipeline.packages.values()] == [False, False, False]


@pytest.fixture
def pipeline(tmp_path: Path) -> Pipeline:
    return read_pipeline(write_project(tmp_path, shop(SHOP)))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("revenue", "gold_revenue"),
        ("gold_revenue", "gold_revenue"),
        ("gold/revenue", "gold_revenue"),
        ("run_gold_revenue", "gold_revenue"),
        ("silver_orders", "silver_orders"),
        ("src/orchestration/assets/silver/run_silver_orders.py", "silver_orders"),
    ],
)
def test_an_asset_has_many_names(pipeline: Pipeline, text: str, found: str) -> None:
    assert str(pipeline.resolve(text)) == found


def test_a_layer_settles_which_one_is_meant(pipeline: Pipeline) -> None:
    assert str(pipeline.resolve("orders", layer=Layer.SILVER)) == "silver_orders"


@pytest.mark.parametrize(
    ("text", "layer", "reason", "hint"),
    [
        (
            "orders",
            None,
            "orders names more than one asset",
            "say which: bronze_orders, silver_orders",
        ),
        ("revenu", None, "no asset is called revenu. Did you mean revenue?", None),
        ("order", Layer.SILVER, "no silver asset is called order. Did you mean orders?", None),
        ("zzz", None, "no asset is called zzz", "see them all with  polster list-assets"),
    ],
)
def test_a_name_that_is_none(
    pipeline: Pipeline, text: str, layer: Layer | None, reason: str, hint: str | None
) -> None:
    with pytest.raises(AssetNameError) as caught:
        pipeline.resolve(text, layer=layer)
    assert (caught.value.reason, caught.value.hint) == (reason, hint)


def test_a_name_that_looks_like_another_assets_stem_is_ambiguous(tmp_path: Path) -> None:
    files = shop({"bronze_orders": [], "silver_bronze_orders": ["bronze_orders"]})
    pipeline = read_pipeline(write_project(tmp_path, files))
    with pytest.raises(AssetNameError, match="more than one"):
        pipeline.resolve("bronze_orders")
    assert str(pipeline.resolve("run_bronze_orders")) == "bronze_orders"


@pytest.mark.parametrize("mark", ["pyproject.toml", ".polster/manifest.json"])
def test_a_project_is_found_from_any_folder_below(tmp_path: Path, mark: str) -> None:
    deep = tmp_path / "src" / "core"
    deep.mkdir(parents=True)
    (tmp_path / mark).parent.mkdir(exist_ok=True)
    (tmp_path / mark).write_text("[tool.polster]\n")
    assert find_project(deep) == find_project(tmp_path) == Project(tmp_path)


def test_a_broken_pyproject_still_marks_a_project(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.polster]\nversion = \n")
    project = find_project(tmp_path)
    assert (project.root, project.settings, project.name) == (tmp_path, {}, tmp_path.name)


def test_a_project_knows_its_name_and_its_settings(tmp_path: Path) -> None:
    project = write_project(tmp_path, {})
    assert (project.name, project.settings) == ("shop", {"version": "0.1.0"})


def test_outside_a_project_there_is_none(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "other"\n')
    with pytest.raises(NoProjectError) as caught:
        find_project(tmp_path)
    assert caught.value.reason == f"{tmp_path} is not in a Polster project"


def test_a_symlinked_src_belongs_to_the_project_that_links_it(tmp_path: Path) -> None:
    real = tmp_path / "elsewhere"
    project = write_project(tmp_path / "shop", {})
    write_project(real, shop(SHOP)).root.joinpath("pyproject.toml").unlink()
    (project.root / "src").symlink_to(real / "src")
    assert len(read_pipeline(project).assets) == 4
    inside = project.root / "src" / "core"
    assert find_project(inside) == project
    code = "from polster_core.project.locate import find_project; print(find_project().root)"
    for folder in (inside, project.root):
        shell = subprocess.run(
            [sys.executable, "-c", code],
            cwd=folder,
            env={**os.environ, "PWD": str(folder)},
            capture_output=True,
            text=True,
            check=True,
        )
        assert shell.stdout.strip() == str(project.root)
