"""run_polster.py: its flags, exit codes, output and JSON."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.generated.conftest import MakeProject
from tests.generated.projects import ASSETS, Generated, told

SAMPLES = ["bronze_customers", "bronze_example", "silver_example", "gold_example"]
OUTCOME = ["key", "layer", "name", "status", "rows", "rejected", "seconds", "path", "error"]

ONES = 'def extract() -> pl.DataFrame:\n    return pl.DataFrame({"id": [1]})'
COPY = "def transform(df: pl.LazyFrame) -> pl.LazyFrame:\n    return df"


def without_times(text: str) -> str:
    """Return what was printed with 0.00 for every duration and T for every snapshot."""
    text = re.sub(r"\d+\.\d+ s\b", "0.00 s", text)
    text = re.sub(r" +0\.00 s", " 0.00 s", text)
    return re.sub(r"\d{8}T\d{12}Z-\w{6}", "T", text)


def test_everything_runs_and_the_gold_table_comes_last(project: MakeProject) -> None:
    shop = project()
    done = shop.run(cold=True)
    assert done.returncode == 0, told(done)
    assert done.stderr == ""
    lines = without_times(done.stdout).replace(str(shop.root), "").splitlines()
    bronze, rest = sorted(lines[:2]), lines[2:]
    assert bronze == [
        "bronze_customers                  91 rows 0.00 s",
        "bronze_example                 1,212 rows 0.00 s",
    ]
    assert rest[0].startswith("silver_example                 1,148 rows     52 rejected 0.00 s   ")
    broken = rest[0].partition(" s   ")[2]
    assert sum(int(part.split()[-1]) for part in broken.split(" · ")) >= 52
    assert rest[1:5] == [
        "gold_example                       3 rows 0.00 s",
        "",
        "4 assets, 4 succeeded in 0.00 s",
        "data/gold/example/T.parquet",
    ]
    assert [line.split()[1] for line in rest[5:] if line.startswith("│")] == [
        *("segment", "---", "str"),
        *("consumer", "business", "school"),
    ]
    assert rest[-1].startswith("└")


def test_it_runs_from_any_folder(project: MakeProject) -> None:
    shop = project()
    done = shop.python(shop.root / "run_polster.py", "--asset", "customers", cwd=Path("/"))
    assert done.returncode == 0, told(done)
    assert len(shop.files("bronze_customers")) == 1


def test_json_is_one_document(project: MakeProject) -> None:
    shop = project()
    done = shop.run("--json")
    assert done.returncode == 0, told(done)
    document = json.loads(done.stdout)
    assert done.stdout.count("\n") == 1
    assert document["success"] is True
    assert re.fullmatch(r"[0-9a-f-]{36}", document["run_id"])
    assert [f"{one['layer']}_{one['name']}" for one in document["assets"]] == SAMPLES
    for one in document["assets"]:
        assert list(one)[:9] == OUTCOME
        assert one["key"] == f"run_{one['layer']}_{one['name']}"
        assert (one["status"], one["error"]) == ("succeeded", None)
        assert one["seconds"] > 0
        assert (shop.root / one["path"]).is_file()
    counts = {one["key"]: (one["rows"], one["rejected"]) for one in document["assets"]}
    assert counts["run_silver_example"] == (1148, 52)
    assert counts["run_gold_example"] == (3, 0)
    progress = [line.split()[0] for line in done.stderr.splitlines()]
    assert sorted(progress) == sorted(SAMPLES)


def test_a_failure_skips_what_depends_on_it_and_nothing_else(project: MakeProject) -> None:
    shop = project()
    shop.add("bronze_broken", 'def extract() -> pl.DataFrame:\n    raise OSError("no route")')
    shop.add("silver_broken", COPY, ["bronze_broken"])
    shop.add("gold_broken", COPY.replace("transform", "aggregate"), ["silver_broken"])
    document = shop.json(code=1)
    line = shop.line_of("bronze_broken", "raise OSError")
    found = {one["key"]: (one["status"], one["error"]) for one in document["assets"]}
    assert document["success"] is False
    assert found == {
        "run_bronze_broken": ("failed", f"src/core/bronze_broken.py:{line}: OSError: no route"),
        "run_silver_broken": ("skipped", "bronze_broken failed"),
        "run_gold_broken": ("skipped", "bronze_broken failed"),
        **{f"run_{stem}": ("succeeded", None) for stem in SAMPLES},
    }
    done = shop.run()
    assert done.returncode == 1
    assert done.stderr == f"\nerror: bronze_broken: {found['run_bronze_broken'][1]}\n"
    text = without_times(done.stdout)
    assert "silver_broken                     skipped   bronze_broken failed\n" in text
    assert "\n7 assets, 4 succeeded, 2 skipped, 1 failed in 0.00 s\n" in text


def test_r7_failed_runs_what_failed_or_was_skipped(project: MakeProject) -> None:
    shop = project()
    done = shop.run("--failed")
    assert (done.returncode, done.stdout) == (2, "")
    assert (
        done.stderr == "error: no run is recorded here, so nothing can have failed; omit --failed\n"
    )
    shop.add("bronze_broken", 'def extract() -> pl.DataFrame:\n    raise OSError("no route")')
    shop.add("silver_broken", COPY, ["bronze_broken"])
    shop.json(code=1)
    assert shop.run("--asset", "customers").returncode == 0  # of others
    again = shop.json("--failed", code=1)
    broken = [("bronze_broken", "failed"), ("silver_broken", "skipped")]
    assert [(f"{one['layer']}_{one['name']}", one["status"]) for one in again["assets"]] == broken
    shop.add("bronze_broken", ONES)
    done = shop.run("--failed")
    assert done.returncode == 0, told(done)
    assert "\n2 assets, 2 succeeded in 0.00 s\n" in without_times(done.stdout)
    done = shop.run("--failed")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "nothing to run: no asset failed or was skipped last time\n"
    assert shop.json("--failed") == {"success": True, "run_id": None, "seconds": 0.0, "assets": []}


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        (["--asset", "bronze_customers", "--asset", "run_bronze_example"], SAMPLES[:2]),
        (["customers", "bronze_example"], SAMPLES[:2]),
        (["--materialize", "--select", "layer:bronze"], SAMPLES[:2]),
    ],
)
def test_some_assets(project: MakeProject, args: list[str], expected: list[str]) -> None:
    shop = project()
    assert [one["key"] for one in shop.json(*args)["assets"]] == [f"run_{one}" for one in expected]
    assert [stem for stem in SAMPLES if shop.files(stem)] == expected


EXPRESSIONS = {
    "*": "ba bb bc sab sb sc gab gc",
    "bronze_a": "ba",
    "run_bronze_a": "ba",
    "layer:silver": "sab sb sc",
    "+gold_ab": "ba bb sab sb gab",
    "bronze_a+": "ba sab gab",
    "+silver_ab+": "ba bb sab gab",
    "bronze_b+": "bb sab sb gab",
    "bronze_a bronze_c": "ba bc",
    "bronze_a, bronze_c": "ba bc",
    "bronze_a or bronze_c": "ba bc",
    "+gold_ab and layer:bronze": "ba bb",
    "not layer:bronze": "sab sb sc gab gc",
    "* and not gold_ab": "ba bb bc sab sb sc gc",
    "(bronze_a+ or bronze_c+) and layer:gold": "gab gc",
    "layer:gold,layer:silver": "sab sb sc gab gc",
}


def test_selections(project: MakeProject) -> None:
    shop = project(samples=False)
    gold = COPY.replace("transform", "aggregate")
    for name in "abc":
        shop.add(f"bronze_{name}", ONES)
    shop.add("silver_ab", COPY.replace("df:", "a: pl.LazyFrame, b:"), ["bronze_a", "bronze_b"])
    shop.add("silver_b", COPY, ["bronze_b"])
    shop.add("silver_c", COPY, ["bronze_c"])
    shop.add("gold_ab", gold.replace("df:", "ab: pl.LazyFrame, b:"), ["silver_ab", "silver_b"])
    shop.add("gold_c", gold, ["silver_c"])
    layers = {"b": "bronze_", "s": "silver_", "g": "gold_"}
    expected = {
        text: sorted(layers[short[0]] + short[1:] for short in names.split())
        for text, names in EXPRESSIONS.items()
        if names
    }
    done = shop.program("select_assets", json.dumps(list(expected)))
    assert done.returncode == 0, told(done)
    assert json.loads(done.stdout) == expected


def test_an_asset_without_its_upstream_data_says_so(project: MakeProject) -> None:
    done = project().run("--asset", "gold_example")
    assert done.returncode == 1
    assert done.stderr == "\nerror: gold_example: silver_example has no data yet: run it first\n"


WRONG = [
    (
        ["--asset", "example"],
        "example names more than one asset: bronze_example, gold_example, silver_example",
    ),
    (["--asset", "custmers"], "no asset is called custmers. Did you mean customers?"),
    (["--asset", ""], "no asset is called ''"),
    (["--select", "+gold_exmple"], "no asset is called gold_exmple. Did you mean gold_example?"),
    (["--select", "layer:platinum"], "no layer is called platinum: bronze, silver, gold"),
    (["--select", ""], "'' is not a selection"),
    (["--select", "bronze_example and gold_example"], "no asset matches 'bronze_example and"),
    (["--select", "(gold_example"], "'(gold_example' is not a selection"),
    (["--select", "gold_example and"], "'gold_example and' is not a selection"),
]


def test_a_wrong_name_is_one_line(ran: Generated) -> None:
    asked = json.dumps([args for args, _ in WRONG])
    done = ran.program("run_polster_often", asked)
    assert done.returncode == 0, told(done)
    lines = iter(done.stderr.splitlines())
    for (args, error), line, code in zip(WRONG, lines, lines, strict=True):
        assert (line[: len(error) + 7], code) == (f"error: {error}", "2"), args
    assert done.stdout == ""


def test_a_wrong_name_is_exit_code_2(ran: Generated) -> None:
    done = ran.run("--asset", "example")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"error: {WRONG[0][1]}\n"


@pytest.mark.parametrize(
    ("args", "error"),
    [
        (["--asset", "a", "--select", "b"], "use one of --asset, --select and --failed"),
        (["--asset", "a", "--failed"], "use one of --asset, --select and --failed"),
        (["--select", "", "--failed"], "use one of --asset, --select and --failed"),
        (["--materialize", "--no-materialize"], "not allowed with argument"),
        (["--nonsense"], "unrecognized arguments: --nonsense"),
        (["--asset"], "expected one argument"),
    ],
)
def test_a_wrong_command_line(ran: Generated, args: list[str], error: str) -> None:
    done = ran.run(*args)
    assert done.returncode == 2
    assert error in done.stderr
    assert "Traceback" not in done.stderr


def test_help_names_every_flag(ran: Generated) -> None:
    done = ran.run("--help")
    assert done.returncode == 0
    for flag in (
        "asset",
        "select",
        "failed",
        "status",
        "json",
        "ui",
        "materialize",
        "no-materialize",
    ):
        assert f"--{flag} " in done.stdout


def test_a_project_without_assets(project: MakeProject) -> None:
    bare = project(samples=False)
    done = bare.run()
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "error: this project has no assets yet\n"
    assert bare.json("--status") == {"assets": []}


def test_status_is_a_table_and_a_document(ran: Generated) -> None:
    done = ran.run("--status", env={"ENV": "staging"})
    assert done.returncode == 0, told(done)
    lines = done.stdout.splitlines()
    assert lines[0] == "environment staging"
    assert lines[1].split() == ["ASSET", "STATUS", "ROWS", "LAST", "MATERIALIZED"]
    assert [line.split()[:3] for line in lines[2:]] == [
        ["bronze_customers", "fresh", "91"],
        ["bronze_example", "fresh", "1,212"],
        ["silver_example", "fresh", "1,148"],
        ["gold_example", "fresh", "3"],
    ]
    document = ran.json("--status")
    assert [list(one)[:4] for one in document["assets"]] == [
        ["key", "status", "last_materialized", "rows"]
    ] * 4
    for one in document["assets"]:
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", one["last_materialized"])
    assert ran.json("--no-materialize") == document


def test_states(project: MakeProject) -> None:
    shop = project(samples=False)
    shop.add("bronze_a", ONES)
    shop.add("bronze_b", ONES)
    shop.add("silver_a", COPY, ["bronze_a"])

    def states(**env: str) -> list[str]:
        done = shop.program("later", "--status", "--json", env=env)
        assert done.returncode == 0, told(done)
        return [one["status"] for one in json.loads(done.stdout)["assets"]]

    assert states() == ["never", "never", "never"]
    assert shop.run("--select", "+silver_a").returncode == 0
    assert states() == ["fresh", "never", "fresh"]
    assert states(MAX_AGE_HOURS="0.02") == ["fresh", "never", "fresh"]
    assert states(LATER="100") == ["stale", "never", "stale"]
    assert states(LATER="100", MAX_AGE_HOURS_SILVER="200") == ["stale", "never", "fresh"]
    assert shop.run("--asset", "bronze_a").returncode == 0
    assert states() == ["fresh", "never", "stale"]
    shop.add("bronze_b", "def extract() -> pl.DataFrame:\n    return 1")
    shop.add("silver_a", COPY.replace("return df", "raise ValueError"), ["bronze_a"])
    assert shop.run().returncode == 1
    assert states() == ["fresh", "failed", "failed"]
    assert shop.json("--status")["assets"][2]["rows"] == 1  # of what is published


def test_what_was_skipped_has_not_failed(project: MakeProject) -> None:
    shop = project(samples=False)
    shop.add("bronze_a", ONES)
    shop.add("silver_a", COPY, ["bronze_a"])
    shop.add("gold_a", COPY.replace("transform", "aggregate"), ["silver_a"])
    assert shop.run().returncode == 0
    shop.add("silver_a", COPY.replace("return df", "raise ValueError"), ["bronze_a"])
    shop.add("gold_b", COPY.replace("transform", "aggregate"), ["silver_a"])
    assert shop.run().returncode == 1
    assert {one["key"]: one["status"] for one in shop.json("--status")["assets"]} == {
        "run_bronze_a": "fresh",
        "run_silver_a": "failed",
        "run_gold_a": "fresh",
        "run_gold_b": "never",
    }


def test_logs_can_be_json(project: MakeProject) -> None:
    shop = project()
    done = shop.run("--asset", "customers", env={"LOG_LEVEL": "INFO", "LOG_FORMAT": "json"})
    assert done.returncode == 0, told(done)
    records = [json.loads(line) for line in done.stderr.splitlines()]
    assert [record["message"] for record in records] == ["write", "publish", "materialized"]
    for record in records:
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:]{8}\.\d{3}Z", record["time"])
        assert record["level"] == "INFO"
        assert record["seconds"] >= 0
    assert records[-1]["asset"] == "bronze_customers"
    assert records[-1]["rows"] == 91


def test_logs_are_one_line_an_operation(project: MakeProject) -> None:
    done = project().run("--asset", "customers", env={"LOG_LEVEL": "info"})
    lines = done.stderr.splitlines()
    assert [line.split()[1:3] for line in lines] == [
        ["INFO", "write"],
        ["INFO", "publish"],
        ["INFO", "materialized"],
    ]
    assert all(re.search(r" seconds=\d", line) for line in lines)


def test_a_closed_pipe_is_no_error(ran: Generated) -> None:
    for command in ("run_polster.py --status", "run_polster.py", "src/core/gold_example.py"):
        piped = f"{ran.interpreter} {command} | head -1; exit ${{PIPESTATUS[0]}}"
        done = subprocess.run(
            ["bash", "-c", piped],
            check=False,
            cwd=ran.root,
            env=ran.variables(),
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, told(done)
        assert done.stderr == ""
        assert done.stdout.count("\n") == 1


def test_output_is_for_any_encoding(ran: Generated) -> None:
    """Windows redirects into the code page of the machine, which has no box-drawing."""
    for command in (["run_polster.py"], ["src/core/gold_example.py"]):
        env = {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
        done = ran.python(*command, env=env, cold=True)
        assert done.returncode == 0, told(done)
        assert "| consumer " in done.stdout


def test_what_an_asset_prints_goes_to_the_terminal(project: MakeProject) -> None:
    shop = project(samples=False)
    shop.add("bronze_a", ONES.replace("return", 'print("hello from the asset")\n    return'))
    assert "hello from the asset\n" in shop.run().stdout


def test_assets_of_ones_own_kind_run_too(project: MakeProject) -> None:
    """It is an ordinary Dagster project: an asset need not use what Polster wrote."""
    shop = project()
    shutil.copyfile(
        ASSETS / "own_kind.py", shop.root / "src/orchestration/assets/gold/run_gold_own.py"
    )
    package = shop.root / "src/orchestration/assets/gold/__init__.py"
    package.write_text(
        package.read_text() + "\nfrom orchestration.assets.gold.run_gold_own import run_gold_own\n"
    )
    document = shop.json()
    found = {one["key"]: (one["status"], one["rows"]) for one in document["assets"]}
    assert found["run_gold_own"] == ("succeeded", None)
    assert [one["status"] for one in shop.json("--status")["assets"]] == ["fresh"] * 5
