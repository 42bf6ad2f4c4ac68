"""What is wrong with a project or its world is one clear line; nothing is lost."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.generated.conftest import MakeProject
from tests.generated.projects import Generated, execute, told
from tests.generated.warm import Done
from tests.machine import bound_by_permissions, no_file_longer_than

ONES = 'def extract() -> pl.DataFrame:\n    return pl.DataFrame({"id": [1]})'
MANY = 'def extract() -> pl.LazyFrame:\n    return pl.LazyFrame({"id": range(2_000_000)})'
COPY = "def transform(df: pl.LazyFrame) -> pl.LazyFrame:\n    return df"

Damage = Callable[[Path], None]


def cut(path: Path) -> None:
    """Leave the first half."""
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def empty(path: Path) -> None:
    """Leave nothing."""
    path.write_bytes(b"")


def replace(path: Path) -> None:
    """Write something else."""
    path.write_text("<html>404</html>")


def scribble(path: Path) -> None:
    """Write over the rows; the footer stays as it was."""
    found = bytearray(path.read_bytes())
    found[4:2000] = os.urandom(1996)
    path.write_bytes(found)


def assert_fails_in_one_line(done: Done, line: str, *, code: int = 1) -> None:
    """Check what went to stderr: one line, which starts so."""
    assert done.returncode == code, told(done)
    assert "Traceback" not in done.stderr, told(done)
    assert done.stderr.count("\n") <= 2, told(done)
    assert done.stderr.lstrip().startswith(f"error: {line}"), told(done)


DAMAGES: dict[str, Damage] = {"cut": cut, "empty": empty, "replace": replace}


def damaged(shop: Generated) -> dict[str, Path]:
    """Run a chain for each damage twice, and do it to the newest bronze snapshot."""
    for name in DAMAGES:
        shop.add(f"bronze_{name}", ONES)
        shop.add(f"silver_{name}", COPY, [f"bronze_{name}"])
    for _ in range(2):
        done = shop.run()
        assert done.returncode == 0, told(done)
    newest = {name: shop.files(f"bronze_{name}")[-1] for name in DAMAGES}
    for name, path in newest.items():
        DAMAGES[name](path)
    return newest


def test_a_damaged_snapshot(project: MakeProject) -> None:
    shop = project(samples=False)
    newest = damaged(shop)
    errors = errors_of(shop.run("--select", "layer:silver"))
    for name, path in newest.items():
        error = errors.pop(f"silver_{name}")
        assert error.startswith(f"{path} is damaged ("), error
        assert error.endswith("; delete it to go back to the snapshot before it")
        assert len(shop.files(f"silver_{name}")) == 2
        assert_fails_in_one_line(shop.core(f"silver_{name}"), f"silver_{name}: {error}\n")
        path.unlink()
    assert errors == {}
    assert shop.run("--select", "layer:silver").returncode == 0


def test_a_damaged_snapshot_is_replaced_by_a_new_one(project: MakeProject) -> None:
    shop = project(samples=False)
    for name, path in damaged(shop).items():
        DAMAGES[name](shop.files(f"silver_{name}")[-1])
        assert path.exists()
    done = shop.run()
    assert done.returncode == 0, told(done)
    assert done.stderr.count("is damaged") == 2 * len(DAMAGES)
    assert {len(shop.files(f"silver_{name}")) for name in DAMAGES} == {3}
    assert shop.rows("silver_cut") == [{"id": 1}]


def test_a_snapshot_that_lies_about_its_rows(project: MakeProject) -> None:
    shop = project()
    assert shop.run().returncode == 0
    scribble(shop.files("bronze_example")[-1])
    done = shop.run("--asset", "silver_example")
    assert_fails_in_one_line(done, "silver_example: ")
    assert shop.files("bronze_example")[-1].name in done.stderr
    assert len(shop.files("silver_example")) == 1


def test_a_syntax_error(project: MakeProject) -> None:
    shop = project()
    file = shop.root / "src/core/gold_example.py"
    lines = file.read_text("utf-8").count("\n")
    file.write_text(file.read_text("utf-8") + "def (:\n")
    for args in (["--status"], ["--asset", "customers"]):
        where = f"src/core/gold_example.py:{lines + 1}"
        assert_fails_in_one_line(shop.run(*args), f"{where}: invalid syntax", code=2)


def errors_of(done: Done) -> dict[str, str]:
    """Return what a failed run says of each asset: always one line."""
    assert done.returncode == 1, told(done)
    assert "Traceback" not in done.stderr, told(done)
    lines = [line.removeprefix("error: ") for line in done.stderr.splitlines() if line]
    return {name: error for name, _, error in (line.partition(": ") for line in lines)}


@pytest.mark.parametrize(
    ("old", "new", "error"),
    [
        (
            "import polars as pl",
            "import polars as pl\nimport pandsa",
            (
                "src/core/gold_example.py:5: ModuleNotFoundError: No module named 'pandsa'; "
                "if pyproject.toml lists it, install it:  polster setup"
            ),
        ),
        (
            "def aggregate(",
            "LIMIT = LIMITS[0]\n\n\ndef aggregate(",
            "src/core/gold_example.py:20: NameError: name 'LIMITS' is not defined",
        ),
        (
            "def aggregate(",
            "def agregate(",
            "src/orchestration/assets/gold/run_gold_example.py:5: ImportError: cannot import name",
        ),
    ],
)
def test_an_error_on_import(project: MakeProject, old: str, new: str, error: str) -> None:
    shop = project()
    file = shop.root / "src/core/gold_example.py"
    file.write_text(file.read_text("utf-8").replace(old, new, 1))
    assert_fails_in_one_line(shop.run(), error, code=2)


def test_a_parameter_that_is_no_dependency(project: MakeProject) -> None:
    shop = project()
    frame = ": pl.LazyFrame"
    takes = ("transform(example, custmers)", "transform(example)", "transform()")
    problems = set()
    for number, signature in enumerate(takes):
        typed = signature.replace(",", f"{frame},").replace("s)", f"s{frame})")
        code = f"def {typed} -> pl.LazyFrame:\n    raise AssertionError"
        stem = f"silver_a{number}"
        shop.add(stem, code, ["bronze_example", "bronze_customers"])
        line = shop.line_of(stem, "def transform")
        problems.add(
            f"src/core/{stem}.py:{line}: {signature} must take one parameter a dependency of "
            f"{stem}: example, customers"
        )
    done = shop.run()
    assert done.returncode == 2, told(done)
    assert set(done.stderr.removeprefix("error: ").splitlines()) == problems
    direct = shop.core("silver_a1")
    assert direct.returncode == 1
    assert direct.stderr.removeprefix("error: silver_a1: ").rstrip() in problems


def test_layers_are_enforced_when_the_project_loads(project: MakeProject) -> None:
    shop = project()
    gold = "def aggregate(example: pl.LazyFrame) -> pl.LazyFrame:\n    return example"
    shop.add("gold_shortcut", gold, ["bronze_example"])
    rule = (
        "gold_shortcut depends on bronze_example, but gold assets may depend on silver assets only"
    )
    assert_fails_in_one_line(shop.run(), rule, code=2)
    validated = shop.tool("dagster", "definitions", "validate")
    assert validated.returncode == 1
    assert rule in validated.stdout + validated.stderr


def test_partitions_that_only_one_file_knows_are_refused(project: MakeProject) -> None:
    shop = project(samples=False)
    shop.add("bronze_a", "def extract(partition: str) -> pl.DataFrame:\n    raise AssertionError")
    shop.add("bronze_b", ONES)
    file = shop.root / "src/orchestration/assets/bronze/run_bronze_b.py"
    days = 'partitions_def=dg.DailyPartitionsDefinition("2026-01-01"),\n    group_name='
    file.write_text(file.read_text("utf-8").replace("group_name=", days), encoding="utf-8")
    done = shop.run()
    assert done.returncode == 2, told(done)
    takes = "bronze_a: extract() takes partition, but its Dagster file has no partitions_def=..., "
    assert done.stderr.removeprefix("error: ").splitlines() == [
        f"{takes}which says what partitions there are",
        "bronze_b has a partitions_def: extract() must take partition",
    ]
    assert not shop.files("bronze_b")


def test_a_python_without_the_project(project: MakeProject, tmp_path: Path) -> None:
    shop = project()
    nothing = shop.variables({"PYTHONPATH": ""})
    command = [sys.executable, "-S", str(shop.root / "run_polster.py")]
    done = execute([*command, "--status"], cwd=tmp_path, env=nothing)
    why = f"polster_runtime is not installed in {sys.executable}; "
    todo = 'install this project: polster setup, or python -m pip install -e ".[dev]"\n'
    assert_fails_in_one_line(done, why + todo, code=2)
    (shop.root / ".venv/bin").mkdir(parents=True)
    (shop.root / ".venv/bin/python").touch()
    done = execute([*command, "--status"], cwd=tmp_path, env=nothing)
    todo = "use the Python of this project: .venv/bin/python run_polster.py\n"
    assert_fails_in_one_line(done, why + todo, code=2)
    done = execute([*command, "--status"], cwd=tmp_path, env=shop.variables())
    assert_fails_in_one_line(done, "dotenv is not installed in ", code=2)
    assert execute([*command, "--help"], cwd=tmp_path, env=nothing).returncode == 0


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("MAX_REJECTED", "2", "MAX_REJECTED must be from 0 to 1, not 2"),
        ("MAX_REJECTED", "nan", "MAX_REJECTED must be from 0 to 1, not nan"),
        ("MAX_REJECTED", "5%", "MAX_REJECTED must be a number, not '5%'"),
        ("MAX_AGE_HOURS", "0", "MAX_AGE_HOURS must be 0.02 or more, not 0"),
        ("MAX_AGE_HOURS_GOLD", "inf", "MAX_AGE_HOURS_GOLD must be 0.02 or more, not inf"),
        ("BRONZE_THREADS", "0", "BRONZE_THREADS must be 1 or more, not 0"),
        ("BRONZE_THREADS", "many", "BRONZE_THREADS must be a whole number, not 'many'"),
        ("SOURCE_RETRIES", "-1", "SOURCE_RETRIES must be 0 or more, not -1"),
        ("AUTOMATION_ENABLED", "maybe", "AUTOMATION_ENABLED must be true or false, not 'maybe'"),
        ("LOG_LEVEL", "loud", "LOG_LEVEL must be one of DEBUG, INFO, WARNING, ERROR, not 'loud'"),
        ("LOG_FORMAT", "xml", "LOG_FORMAT must be one of text, json, not 'xml'"),
        (
            "STORAGE_BACKEND",
            "s4",
            "STORAGE_BACKEND=s4: this project has local; add another with  polster storage add",
        ),
        ("STORAGE_BACKEND", "../x", "STORAGE_BACKEND=../x: this project has local; "),
    ],
)
def test_a_wrong_setting(ran: Generated, name: str, value: str, error: str) -> None:
    done = ran.core("bronze_customers", env={name: value})
    assert_fails_in_one_line(done, f"bronze_customers: {error}")


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("BRONZE_CRON", "BRONZE_CRON=nonsense TIMEZONE=UTC: "),
        ("TIMEZONE", "BRONZE_CRON=1 0 * * * TIMEZONE=nonsense: "),
        ("LOG_FORMAT", "LOG_FORMAT must be one of text, json, not 'nonsense'"),
        ("STORAGE_BACKEND", "STORAGE_BACKEND=nonsense: this project has local"),
        ("EXECUTOR", "EXECUTOR=nonsense: this project has threads, multiprocess, in_process"),
    ],
)
def test_a_wrong_setting_stops_a_run_before_it_starts(
    ran: Generated, name: str, error: str
) -> None:
    done = ran.run("--asset", "customers", env={name: "nonsense"})
    assert_fails_in_one_line(done, error, code=2)
    assert done.stdout == ""


def test_a_setting_in_dotenv_counts_and_the_shell_wins(project: MakeProject) -> None:
    shop = project()
    with (shop.root / ".env").open("a", encoding="utf-8") as file:
        file.write("\nMAX_REJECTED=0.01\n")
    assert shop.run("--json").returncode == 1
    assert shop.run("--json", env={"MAX_REJECTED": "0.06"}).returncode == 0


def test_a_folder_that_cannot_be_written(project: MakeProject) -> None:
    shop = project()
    assert shop.run().returncode == 0
    before = shop.files("bronze_customers")
    folder = before[0].parent
    folder.chmod(0o555)
    try:
        for done in (
            shop.run("--asset", "customers", setup=bound_by_permissions),
            shop.core("bronze_customers", setup=bound_by_permissions),
        ):
            assert_fails_in_one_line(done, "bronze_customers: ")
            assert "Permission denied" in done.stderr
            assert str(folder) in done.stderr
    finally:
        folder.chmod(0o755)
    assert shop.files("bronze_customers") == before
    assert shop.staged() == []
    assert shop.run().returncode == 0


def test_a_data_folder_that_cannot_be_written(project: MakeProject) -> None:
    shop = project()
    data = shop.root / "data"
    data.chmod(0o555)
    try:
        done = shop.run("--asset", "customers", setup=bound_by_permissions)
    finally:
        data.chmod(0o755)
    assert_fails_in_one_line(done, "bronze_customers: ")
    assert "Permission denied" in done.stderr


def test_a_dagster_folder_that_cannot_be_written(project: MakeProject) -> None:
    shop = project()
    home = shop.root / ".dagster"
    home.chmod(0o555)
    try:
        done = shop.run("--asset", "customers", setup=bound_by_permissions)
    finally:
        home.chmod(0o755)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "Dagster's history in .dagster: it cannot be written" in done.stderr


def test_a_full_disk(project: MakeProject) -> None:
    shop = project(samples=False)
    shop.add("bronze_a", ONES)
    assert shop.run().returncode == 0
    shop.add("bronze_a", MANY)
    limit = no_file_longer_than(2_000_000)
    for done in (shop.run(setup=limit), shop.core("bronze_a", setup=limit)):
        assert_fails_in_one_line(done, "bronze_a: ")
        assert "File too large" in done.stderr
    assert len(shop.files("bronze_a")) == 1
    assert shop.staged() == []
    assert shop.run().returncode == 0


def test_a_stub_is_a_failure_everywhere(project: MakeProject) -> None:
    shop = project(samples=False)
    shop.add("bronze_a", ONES)
    shop.add("silver_a", COPY.replace("return df", "raise NotImplementedError"), ["bronze_a"])
    line = shop.line_of("silver_a", "raise NotImplementedError")
    error = f"not implemented: edit src/core/silver_a.py:{line}"
    assert_fails_in_one_line(shop.run(), f"silver_a: {error}\n")
    assert_fails_in_one_line(shop.core("silver_a"), f"silver_a: {error}\n")
    home = {"DAGSTER_HOME": str(shop.root / ".dagster")}
    select = ("--select", "*", "-m", "orchestration.definitions")
    done = shop.tool("dagster", "asset", "materialize", *select, env=home)
    assert done.returncode == 1
    assert error in done.stderr + done.stdout


ERRORS = {
    "return None": "transform() returned NoneType; it must return a Polars frame",
    "return df.collect()['id']": "transform() returned Series; it must return a Polars frame",
    "return 1 + 'x'": "{file}:{line}: TypeError: unsupported operand type(s) for",
    "return df.colect()": "{file}:{line}: AttributeError: 'LazyFrame' object has",
    "return df.drop('x').collect()": "{file}:{line}: ColumnNotFoundError: ",
    "return df.select('x')": "{file}:{line}: ColumnNotFoundError: unable to find column",
    "return df.select(pl.lit('x').cast(pl.Int64))": "{file}:{line}: InvalidOperationError: ",
}
STREAM_ERRORS = {
    'raise OSError("gone away")': "{file}:{line}: OSError: gone away",
    'raise ValueError("odd")': "{file}:{line}: ValueError: odd",
    "raise NotImplementedError": "not implemented: edit {file}:{line}",
}


def test_an_error_in_an_asset_names_its_line(project: MakeProject) -> None:
    shop = project(samples=False)
    shop.add("bronze_a", ONES)
    expected = {}
    for number, (body, error) in enumerate(ERRORS.items()):
        expected[f"silver_a{number}"] = (body, error)
        shop.add(f"silver_a{number}", COPY.replace("return df", body), ["bronze_a"])
    for number, (body, error) in enumerate(STREAM_ERRORS.items()):
        expected[f"bronze_b{number}"] = (body, error)
        shop.place(f"bronze_b{number}", "stream_that_fails")
        shop.edit(f"src/core/bronze_b{number}.py", "raise KeyError", body)
    errors = errors_of(shop.run())
    assert errors.keys() == expected.keys()
    for stem, (body, error) in expected.items():
        line, file = shop.line_of(stem, body), f"src/core/{stem}.py"
        assert errors[stem].startswith(error.format(line=line, file=file)), errors[stem]
        assert shop.files(stem) == []
    assert shop.staged() == []


def test_nothing_at_all_is_data_too(project: MakeProject) -> None:
    shop = project(samples=False)
    bodies = ["return pl.DataFrame()", 'return pl.DataFrame({"id": []})', "yield pl.DataFrame()"]
    for number, body in enumerate(bodies):
        shop.add(f"bronze_a{number}", f"def extract() -> pl.DataFrame:\n    {body}")
        shop.add(f"silver_a{number}", COPY, [f"bronze_a{number}"])
    done = shop.run()
    assert done.returncode == 0, told(done)
    assert shop.rows("silver_a1") == []


def test_data_that_parquet_cannot_hold(project: MakeProject) -> None:
    shop = project(samples=False)
    shop.add(
        "bronze_a", 'def extract() -> pl.DataFrame:\n    return pl.DataFrame({"id": [object()]})'
    )
    assert list(errors_of(shop.run())) == ["bronze_a"]
    assert shop.staged() == []
