"""`run_polster.py --ui`: the lineage in a real browser, runs that the UI starts, a clean end."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import ConsoleMessage, Page, Request, expect, sync_playwright

from tests.generated.conftest import MakeProject, maker
from tests.generated.projects import Generated, told
from tests.generated.warm import TIMEOUT
from tests.lineage.test_html import CHROMIUM
from tests.quality.daemon import statuses, wait_for

pytestmark = pytest.mark.slow

ADDRESS = re.compile(r"Dagster UI: ((http://127\.0\.0\.1:(\d+))/\S+)")
MILLISECONDS = 120_000.0
FIRST_PORT = 3000
KINDS = {"polars": 5, "bronze": 3, "silver": 1, "gold": 1}
"""The icons of the assets: a medal for each layer."""
WAITING = 12
LAUNCH = """
mutation($keys: [AssetKeyInput!]!) { launchPipelineExecution(executionParams: {
  mode: "default",
  selector: {repositoryLocationName: "shop", repositoryName: "__repository__",
             pipelineName: "__ASSET_JOB", assetSelection: $keys}
}) { __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message } } }
"""
RUN = """
query($id: ID!) { runOrError(runId: $id) { ... on Run { status parentRunId } } }
"""
LAST = "{ runsOrError(limit: 1) { ... on Runs { results { runId } } } }"


@dataclass
class UI:
    """A UI that is running."""

    shop: Generated
    process: subprocess.Popen[str]
    said: list[str]
    page: str
    address: str
    port: int

    def ask(self, query: str, **variables: Any) -> Any:
        """Ask Dagster through GraphQL."""
        body = json.dumps({"query": query, "variables": variables}).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.address}/graphql", body, headers)  # noqa: S310
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
            found = json.load(answer)
        assert "errors" not in found, found
        return found["data"]


@contextmanager
def ui(shop: Generated, *args: str, **env: str) -> Iterator[UI]:
    """Start run_polster.py --ui, and wait for its address; no run starts by itself."""
    env = {"AUTOMATION_ENABLED": "false", **env}
    process = shop.start("run_polster.py", "--ui", *args, env=env)
    assert process.stdout is not None
    said = []
    try:
        for line in process.stdout:
            said.append(line)
            if found := ADDRESS.search(line):
                yield UI(shop, process, said, found[1], found[2], int(found[3]))
                break
        else:
            pytest.fail(f"no address: {said}")
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        process.communicate(timeout=TIMEOUT)


@pytest.fixture(scope="module")
def running(
    tmp_path_factory: pytest.TempPathFactory, runtime: Path, templates: Mapping[bool, Path]
) -> Iterator[UI]:
    """Return the UI of the samples and of a source that can be held, opened after a run."""
    shop = maker(tmp_path_factory.mktemp("ui"), runtime, templates)()
    shop.place("bronze_held", "held_source")
    with ui(shop) as one:
        yield one


@dataclass
class Seen:
    """What went wrong in a browser."""

    page: Page
    problems: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Listen."""
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))
        self.page.on("requestfailed", self._failed)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.problems.append(message.text)

    def _failed(self, request: Request) -> None:
        if request.failure != "net::ERR_ABORTED":  # what a page no longer wants when it is left
            self.problems.append(f"{request.url} {request.failure}")


@pytest.fixture
def browser() -> Iterator[Seen]:
    """Return an empty page of Chromium."""
    args = ["--disable-gpu", "--disable-quic", "--disable-background-networking"]
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=args)
        yield Seen(chromium.new_page(viewport={"width": 1600, "height": 1000}))
        chromium.close()


def test_it_ran_before_it_opened(running: UI) -> None:
    said = "".join(running.said)
    assert "5 assets, 5 succeeded" in said
    assert "│ consumer" in said
    assert "Traceback" not in said


def test_r3_it_opens_on_the_lineage_of_all_assets(running: UI, browser: Seen) -> None:
    page = browser.page
    page.goto(running.page)
    materialized = page.get_by_text("Materialized", exact=True)
    expect(materialized).to_have_count(5, timeout=MILLISECONDS)
    for stem in ("bronze_example", "bronze_customers", "silver_example", "gold_example"):
        expect(page.get_by_text(f"run_{stem}", exact=True).first).to_be_visible()
    medals = {kind: page.get_by_role("img", name=kind, exact=True).count() for kind in KINDS}
    assert medals == KINDS
    assert browser.problems == []


def test_an_asset_page_shows_rows_preview_and_check(running: UI, browser: Seen) -> None:
    page = browser.page
    page.goto(f"{running.address}/assets/run_silver_example")
    for text in (re.compile("^1,?148$"), "customer_id"):
        expect(page.get_by_text(text).first).to_be_visible(timeout=MILLISECONDS)
    page.get_by_text("[Show Markdown]").first.click()
    expect(page.get_by_role("cell", name="notebook").first).to_be_visible()
    assert browser.problems == []


def last_run(one: UI) -> str:
    """Return the newest run."""
    run_id: str = one.ask(LAST)["runsOrError"]["results"][0]["runId"]
    return run_id


@contextmanager
def held(one: UI) -> Iterator[None]:
    """Hold the source that can be held."""
    file = one.shop.root / "data" / "held"
    file.touch()
    try:
        yield
    finally:
        file.unlink()


def execute_again(one: UI, page: Page, run_id: str, how: str) -> str:
    """Execute a run again from its page, and return the id of the new run."""
    page.goto(f"{one.address}/runs/{run_id}")
    whole = page.get_by_role("button", name="Re-execute all")
    if how == "whole":
        whole.click(timeout=MILLISECONDS)
    else:
        whole.locator("xpath=following::button[1]").click(timeout=MILLISECONDS)
        page.get_by_role("menuitem").filter(has_text=how).click()
    page.wait_for_url(lambda url: "/runs/" in url and run_id not in url, timeout=MILLISECONDS)
    again = page.url.rpartition("/")[2]
    assert one.ask(RUN, id=again)["runOrError"]["parentRunId"] == run_id
    return again


def terminate(one: UI, page: Page, run_id: str) -> None:
    """End a run from its page."""
    page.goto(f"{one.address}/runs/{run_id}")
    page.get_by_role("button", name="Terminate").click(timeout=MILLISECONDS)
    page.get_by_role("button", name="Terminate 1 run").click()
    expect(page.get_by_text("Canceled", exact=True).first).to_be_visible(timeout=MILLISECONDS)


def test_r3_a_run_of_the_terminal_is_executed_again(running: UI, browser: Seen) -> None:
    shop, page = running.shop, browser.page
    broken = shop.root / "data" / "broken"
    broken.touch()
    done = shop.run("--asset", "bronze_held", "--asset", "bronze_customers")
    assert done.returncode == 1, told(done)
    broken.unlink()
    failed = last_run(running)
    customers, files = len(shop.files("bronze_customers")), len(shop.files("bronze_held"))
    whole = execute_again(running, page, failed, "whole")
    end_of(running, whole, "SUCCESS")
    assert len(shop.files("bronze_customers")) == customers + 1
    rest = execute_again(running, page, failed, "From failure")
    end_of(running, rest, "SUCCESS")
    assert len(shop.files("bronze_customers")) == customers + 1, "it had not failed"
    assert len(shop.files("bronze_held")) == files + 2
    page.goto(f"{running.address}/assets/run_bronze_held?view=events")
    expect(page.get_by_role("link", name=rest[:8]).first).to_be_visible(timeout=MILLISECONDS)
    page.goto(f"{running.address}/locations/shop/jobs/all_assets/runs")
    for run_id in (failed, whole, rest):
        expect(page.get_by_role("link", name=run_id[:8]).first).to_be_visible(timeout=MILLISECONDS)
    page.goto(f"{running.address}/overview/activity/timeline")
    expect(page.get_by_role("link", name="all_assets")).to_be_visible(timeout=MILLISECONDS)
    assert browser.problems == []


def test_r3_runs_are_terminated(running: UI, browser: Seen) -> None:
    """One that the UI has started, and one of the terminal."""
    shop, page = running.shop, browser.page
    files = shop.files("bronze_held")
    finished = last_run(running)
    with held(running):
        again = execute_again(running, page, finished, "whole")
        end_of(running, again, "STARTED")
        terminate(running, page, again)
        process = shop.start("run_polster.py", "--asset", "bronze_held")
        wait_for(lambda: last_run(running) != again)
        own = last_run(running)
        end_of(running, own, "STARTED")
        terminate(running, page, own)
        process.communicate(timeout=TIMEOUT)
        assert process.returncode == 130
    assert shop.files("bronze_held") == files
    assert browser.problems == []


def processes_of(shop: Generated) -> dict[int, str]:
    """Return the command lines of what has been started in a project."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if f"{shop.root}/src".encode() in (folder / "environ").read_bytes():
                command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                found[int(folder.name)] = command
        except OSError:  # it has ended meanwhile
            continue
    return found


def end_of(one: UI, run_id: str, *states: str) -> Mapping[str, Any]:
    """Wait until a run is in one of these states, and return what Dagster says of it."""
    deadline = time.monotonic() + TIMEOUT
    while True:
        run: Mapping[str, Any] = one.ask(RUN, id=run_id)["runOrError"]
        if run["status"] in states:
            return run
        assert time.monotonic() < deadline, run
        assert run["status"] not in {"SUCCESS", "FAILURE"}
        time.sleep(0.5)


def launch(one: UI, *assets: str) -> str:
    """Start a run as the UI does, and return its id."""
    keys = [{"path": [f"run_{stem}"]} for stem in assets]
    answer = one.ask(LAUNCH, keys=keys)["launchPipelineExecution"]
    assert answer["__typename"] == "LaunchRunSuccess", answer
    run_id: str = answer["run"]["runId"]
    return run_id


def open_already(one: UI) -> None:
    """Try to open the UI of a project once more."""
    done = one.shop.run("--ui")
    assert (done.returncode, done.stdout) == (1, ""), told(done)
    said = f"error: the Dagster UI of this project is open already: {one.page}\n"
    assert done.stderr == said


def ended(one: UI, name: str) -> str:
    """Kill the webserver or the daemon, and return what is said of that."""
    (pid,) = [
        pid for pid, command in processes_of(one.shop).items() if f"ui_child {name}" in command
    ]
    os.kill(pid, signal.SIGKILL)
    assert one.process.stdout is not None
    return one.process.stdout.readline()


def test_s7_one_daemon_a_project(project: MakeProject) -> None:
    """A second --ui is refused; what is killed is started again, or ends with its --ui."""
    shop = project()
    with ui(shop, "--no-materialize") as one:
        open_already(one)
        assert shop.files("bronze_example") == [], "nothing ran"
        for name in ("daemon", "webserver"):
            assert ended(one, name).startswith(
                f"the {name} has stopped and was started again: see "
            )
        wait_for(lambda: answers(one.address))
        one.process.kill()
        with ui(shop, "--no-materialize") as other:
            commands = " ".join(processes_of(shop).values())
            assert commands.count("ui_child daemon") == 1
            assert commands.count("ui_child webserver") == 1
            open_already(other)
    # The code server of a killed one ends when nobody has asked it for 45 seconds.
    assert "ui_child" not in " ".join(processes_of(shop).values())


def answers(address: str) -> bool:
    """Return whether a webserver is there."""
    try:
        with urllib.request.urlopen(f"{address}/server_info", timeout=60):  # noqa: S310
            return True
    except OSError:
        return False


def test_a_second_one_beside_the_first(running: UI, project: MakeProject) -> None:
    """Its port, its runs, and an end that leaves nothing running."""
    shop = project(samples=False)
    for number in range(WAITING):
        shop.place(f"bronze_wait{number}", "meets_others")
    shop.place("bronze_slow", "waits")
    with ui(shop, "--no-materialize") as one:
        assert one.port != running.port
        assert (f"(port {FIRST_PORT} is taken)" in one.said[-1]) is (one.port > FIRST_PORT)
        together = launch(one, *(f"bronze_wait{number}" for number in range(WAITING)))
        end_of(one, together, "SUCCESS")
        slow = launch(one, "bronze_slow")
        end_of(one, slow, "STARTED")
        one.process.send_signal(signal.SIGINT)
        rest, _ = one.process.communicate(timeout=TIMEOUT)
        assert (one.process.returncode, rest) == (0, "stopped\n")
    assert processes_of(shop) == {}
    assert shop.staged() == []
    assert statuses(shop) in (["FAILURE", "SUCCESS"], ["CANCELED", "SUCCESS"])
