"""Who is told what, by runs that no daemon has started; and what is tried again."""

from __future__ import annotations

import shutil

import pexpect
import pytest

from tests.generated.conftest import MakeProject
from tests.generated.projects import ASSETS, Generated, told
from tests.quality.daemon import follow, followed, listening

ROWS = 'def extract() -> pl.DataFrame:\n    return pl.DataFrame({"id": [1]})'
UNCHANGED = "def transform(df: pl.LazyFrame) -> pl.LazyFrame:\n    return df"
FAILING = "def transform(df: pl.LazyFrame) -> pl.LazyFrame:\n    raise KeyError('gone')"
SECRET = "hunter2"  # noqa: S105 - that it is never shown is what is tested
DEAD = f"json://u:{SECRET}@127.0.0.1:1/ nonsense://{SECRET}@x {SECRET}"


@pytest.fixture
def failing(project: MakeProject) -> Generated:
    shop = project(samples=False)
    shop.add("bronze_a", ROWS)
    shop.add("silver_a", FAILING, ["bronze_a"])
    return shop


def test_a_run_that_nobody_watches_tells(failing: Generated) -> None:
    follow(failing)
    with listening(user=f"bot:{SECRET}@") as heard:
        env = {"ALERT_URLS": f"{DEAD},{heard.url}", "LOG_LEVEL": "DEBUG", "ENV": "prod"}
        done = failing.run(env=env | {"UI_URL": "https://dagster.example.com/"})
    assert done.returncode == 1, told(done)
    (message,) = heard.messages
    assert message["title"] == "[prod] run failed"
    what, link = message["message"].splitlines()
    line = failing.line_of("silver_a", "raise KeyError")
    assert what == f"silver_a: src/core/silver_a.py:{line}: KeyError: 'gone'"
    assert link.startswith("https://dagster.example.com/runs/")
    assert followed(failing) == [["started", link], ["failed", link, what]]
    assert SECRET not in done.stdout + done.stderr
    assert "alert channel 1 of ALERT_URLS could not be reached" in done.stderr


def test_channels_that_are_down_fail_no_run(project: MakeProject) -> None:
    shop = project()
    shop.add("silver_unguarded", "def transform(df: pl.LazyFrame) -> pl.LazyFrame:\n    return df",
             ["bronze_example"])  # fmt: skip
    done = shop.run(env={"ALERT_URLS": DEAD})
    assert done.returncode == 0, told(done)
    assert SECRET not in done.stdout + done.stderr


def test_a_failed_check_is_told(failing: Generated) -> None:
    with listening() as heard:
        env = {"ALERT_URLS": heard.url}
        assert failing.run("--asset", "bronze_a", env=env).returncode == 0
        assert heard.messages == []
        core = failing.root / "src" / "core" / "bronze_a.py"
        core.write_text(core.read_text("utf-8").replace('"id"', '"key"'), encoding="utf-8")
        assert failing.run("--asset", "bronze_a", env=env).returncode == 0
    assert "check failed" in heard.said()
    assert "bronze_a: drift added {'key': 'Int64'}, removed {'id': 'Int64'}" in heard.said()


def test_a_contract_that_is_missing_is_no_news(project: MakeProject) -> None:
    shop = project(samples=False)
    shop.add("bronze_a", ROWS)
    shop.add("silver_a", UNCHANGED, ["bronze_a"])
    follow(shop)
    with listening() as heard:
        assert shop.run(env={"ALERT_URLS": heard.url}).returncode == 0
    assert heard.messages == []
    assert [what for what, _ in followed(shop)] == ["started", "finished"]


def test_a_terminal_needs_no_telling(failing: Generated) -> None:
    with listening() as heard:
        child = pexpect.spawn(
            str(failing.interpreter),
            ["run_polster.py"],
            cwd=failing.root,
            env=failing.variables({"ALERT_URLS": heard.url}),
            encoding="utf-8",
            timeout=120,
        )
        child.expect("KeyError")
        child.expect(pexpect.EOF)
        child.wait()
        child.close()
    assert child.exitstatus == 1
    assert heard.messages == []


def test_overdue_data_is_told_once(failing: Generated) -> None:
    """Once to the alerts, and once to a listener of the project's own."""
    follow(failing)
    assert failing.run("--asset", "bronze_a").returncode == 0
    with listening() as heard:
        done = failing.program("overdue_alerts", env={"ALERT_URLS": heard.url})
    assert done.returncode == 0, told(done)
    (message,) = heard.messages
    assert message["title"] == "[dev] data is overdue"
    assert message["message"] == "bronze_a: last materialized 72.0 h ago, 36 h are allowed"
    assert followed(failing)[2:] == [["overdue", "", "bronze_a 72 36"]]


@pytest.mark.parametrize(
    ("error", "code", "attempts"),
    [
        ("the source", 0, "xxx"),
        ("the code", 1, "x"),
        ("the file", 1, "x"),
    ],
)
def test_sources_are_tried_again_and_mistakes_are_not(
    project: MakeProject, error: str, code: int, attempts: str
) -> None:
    shop = project()
    shutil.copyfile(ASSETS / "flaky_source.py", shop.root / "src/core/bronze_customers.py")
    env = {"ERROR": error, "SOURCE_RETRIES": "3", "SOURCE_RETRY_SECONDS": "0.05"}
    done = shop.run("--asset", "customers", env=env)
    assert done.returncode == code, told(done)
    assert (shop.root / "data" / "attempts").read_text("utf-8") == attempts
    where = f"src/core/bronze_customers.py:{shop.line_of('bronze_customers', 'raise ERRORS')}"
    again = f"bronze_customers: {where}: ConnectionError: busy; trying again in 0 s"
    said = [line for line in done.stdout.splitlines() if "trying again" in line]
    assert said == [again] * (len(attempts) - 1)
