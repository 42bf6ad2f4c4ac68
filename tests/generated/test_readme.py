"""The README of a generated project, carried out: every file that it shows, every command."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests.docs.markdown import Block, anchors, blocks, links, sections
from tests.docs.reader import BrokenPromiseError, Reader, commands
from tests.generated import sources
from tests.generated.conftest import MakeProject, maker
from tests.generated.projects import Generated, copy, told

TROUBLE = "Troubleshooting"
FIRST_PIPELINE = "Your first pipeline"
INCREMENTS = "What a function gets and gives"
BY_HAND, BY_COMMAND = "Step 1 by hand", "Step 1 with Polster"
WITH_PIP = "With pip"

FIRST_MINUTES = "The first five minutes"
PATTERNS = "Common data patterns"
CONSTRUCTION = (FIRST_PIPELINE, INCREMENTS, "Contracts and quarantine", PATTERNS)
OPERATION = ("Running", "Automation and alerts", "Testing", "Reading the data", "Production")
FILES = "What each file is for"
TITLES = (
    "Contents",
    FIRST_MINUTES,
    "Layers",
    *CONSTRUCTION,
    "Settings",
    *OPERATION,
    TROUBLE,
    FILES,
)


def text_of(project: Generated) -> str:
    return (project.root / "README.md").read_text(encoding="utf-8")


def dagster_file(project: Generated, name: str) -> Callable[[], object]:
    """Return what a reader does for each bronze asset: step 1 again, with its name."""

    def write() -> None:
        folder = project.root / "src/orchestration/assets/bronze"
        text = (folder / "run_bronze_payments.py").read_text(encoding="utf-8")
        file = folder / f"run_bronze_{name}.py"
        file.write_text(text.replace("payments", name), encoding="utf-8")

    return write


@pytest.fixture(scope="module")
def built(
    tmp_path_factory: pytest.TempPathFactory, runtime: Path, templates: Mapping[bool, Path]
) -> Generated:
    """Return a project with the pipeline of the page, which has run, and its other assets."""
    shop = maker(tmp_path_factory.mktemp("built"), runtime, templates)(samples=False)
    for block in blocks(text_of(shop)):
        if block.file and block.section in CONSTRUCTION:
            shop.write({block.file: block.text})
    for name in ("visits", "sales", "budget", "tickets", "leads"):
        dagster_file(shop, name)()
    package = shop.root / "src/orchestration/assets/bronze/__init__.py"
    listed, names = package.read_text(encoding="utf-8").split("\n__all__ = [\n")
    listed += "from orchestration.assets.bronze.run_bronze_visits import run_bronze_visits\n"
    names = names.replace("]\n", '    "run_bronze_visits",\n]\n')
    text = f"{listed}\n__all__ = [\n{names}"
    package.write_text(text, encoding="utf-8")
    done = shop.run()
    assert done.returncode == 0, told(done)
    return shop


def test_these_are_the_sections(ran: Generated) -> None:
    assert tuple(sections(text_of(ran))) == TITLES


@pytest.mark.slow
def test_the_first_five_minutes_with_uv(project: MakeProject) -> None:
    shop = project()
    skipped = frozenset({WITH_PIP})
    Reader(page=text_of(shop), folder=shop.root, skipped=skipped).read(FIRST_MINUTES)


@pytest.mark.slow
def test_a_pipeline_is_made_by_hand_from_all_kinds_of_sources(project: MakeProject) -> None:
    shop = project()
    assets = ("visits", "sales", "budget", "tickets", "leads")
    files = {f"src/core/bronze_{name}.py": dagster_file(shop, name) for name in assets}
    skipped = frozenset({BY_COMMAND})
    reader = Reader(page=text_of(shop), folder=shop.root, skipped=skipped, before=files)
    assert reader.run("uv sync --extra dev").returncode == 0
    reader.read(*CONSTRUCTION)
    sources.workbook(shop.root / "incoming/budget.xlsx", "2026", [["item", "eur"], ["rent", 7]])
    done = reader.run("python src/core/bronze_budget.py && ruff check . && ruff format --check .")
    assert "bronze_budget                      1 rows" in done.stdout, done.stdout
    assert done.returncode == 0, done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("title", OPERATION)
def test_a_pipeline_is_operated(built: Generated, tmp_path: Path, title: str) -> None:
    shop = Generated(copy(built.root, tmp_path / "shop"), built.interpreter)
    Reader(page=text_of(shop), folder=shop.root, env=shop.variables()).read(title)


@pytest.mark.slow
def test_an_api_is_read_page_by_page_and_only_what_is_new(built: Generated, tmp_path: Path) -> None:
    shop = Generated(copy(built.root, tmp_path / "shop"), built.interpreter)
    with sources.helpdesk(page_size=2) as desk:
        env = {"HELPDESK_URL": desk.url, "HELPDESK_TOKEN": desk.token}
        desk.tickets = [
            {"id": n, "subject": "help", "updated_at": f"2026-03-0{n}"} for n in (1, 2, 3)
        ]
        assert " 3 rows" in shop.core("bronze_tickets", env=env).stdout
        desk.tickets.append({"id": 4, "subject": None, "updated_at": "2026-03-04"})
        assert " 1 rows" in shop.core("bronze_tickets", env=env).stdout
    assert desk.since == ["", "2026-03-03"]


@pytest.mark.slow
def test_a_database_is_read_and_only_what_is_new(built: Generated, tmp_path: Path) -> None:
    shop = Generated(copy(built.root, tmp_path / "shop"), built.interpreter)
    database = tmp_path / "crm.db"
    env = {"CRM_DATABASE_URL": f"sqlite:///{database}"}
    sources.leads(database, [(1, "anna", None, "2026-03-01"), (2, "ben", 9.5, "2026-03-02")])
    assert " 2 rows" in shop.core("bronze_leads", env=env).stdout
    sources.leads(database, [(3, "cleo", 1.0, "2026-03-03")])
    assert " 1 rows" in shop.core("bronze_leads", env=env).stdout
    assert " 0 rows" in shop.core("bronze_leads", env=env).stdout


@pytest.mark.slow
def test_by_command_is_the_same_as_by_hand(project: MakeProject) -> None:
    shop = project(samples=False)
    page = text_of(shop)
    reader = Reader(page=page, folder=shop.root, skipped=frozenset({BY_HAND}))
    reader.env |= shop.variables()
    reader.read(FIRST_PIPELINE)
    by_hand = {
        block.file: block.text
        for block in blocks(page)
        if BY_HAND in block.headings and not block.file.endswith("__init__.py")
    }
    assert len(by_hand) == 4
    by_command = {file: (shop.root / file).read_text(encoding="utf-8") for file in by_hand}
    assert by_command == by_hand


def test_links_lead_somewhere(ran: Generated) -> None:
    page = text_of(ran)
    local = [link for link in links(page) if not link.startswith("https://")]
    assert local
    assert {link for link in local if link.removeprefix("#") not in anchors(page)} == set()


def test_the_table_of_settings_is_complete(ran: Generated) -> None:
    rows = dict(re.findall(r"^\| `([A-Z_]+)` \| (?:`([^`]*)`)?", text_of(ran), re.MULTILINE))
    example = (ran.root / ".env.example").read_text(encoding="utf-8")
    given = dict(re.findall(r"^(?:# )?([A-Z_]+)=(.*)$", example, re.MULTILINE))
    fields = (ran.root / "src/polster_runtime/config/settings.py").read_text(encoding="utf-8")
    names = {name.upper() for name in re.findall(r"^    (\w+): .* = ", fields, re.MULTILINE)}
    assert set(rows) == names | set(given) | {"DATA_DIR", "DAGSTER_HOME", "PROJECT_ROOT"}
    assert {name: rows[name] for name in given} == given


def test_every_flag_is_explained(ran: Generated) -> None:
    flags = set(re.findall(r"--[a-z][\w-]+", ran.run("--help").stdout)) - {"--help"}
    explained = set(re.findall(r"--[a-z][\w-]+", text_of(ran)))
    assert flags <= explained


def test_every_file_is_explained(ran: Generated) -> None:
    table = text_of(ran).partition("## What each file is for")[2]
    explained = re.findall(r"`([\w./*-]+)`", table)
    folders = tuple(name for name in explained if name.endswith("/"))
    files = [path.relative_to(ran.root) for path in ran.root.rglob("*") if path.is_file()]
    unexplained = {
        file.as_posix()
        for file in files
        if not file.as_posix().startswith(folders) and not any(map(file.match, explained))
    }
    packages = {"src/core/__init__.py", "src/orchestration/__init__.py"}
    assert {file for file in unexplained if "__pycache__" not in file} - packages == {".gitignore"}


def test_the_image_has_all_that_it_copies(ran: Generated) -> None:
    (dockerfile,) = [block for block in blocks(text_of(ran)) if block.file == "Dockerfile"]
    copied = re.findall(r"^COPY (.+) \S+$", dockerfile.text, re.MULTILINE)
    paths = [path for line in copied for path in line.split()]
    assert paths
    assert [path for path in paths if not (ran.root / path).exists()] == []


# What goes wrong, by a phrase of the message that the page promises.


Provocation = Callable[[Generated], Mapping[str, str] | None]
SILVER, GOLD = "src/core/silver_payments.py", "src/core/gold_revenue.py"
RUN_SILVER = "src/orchestration/assets/silver/run_silver_payments.py"
RUN_GOLD = "src/orchestration/assets/gold/run_gold_revenue.py"
LAST_LINE = '    return named.with_columns(paid_at).sort("paid_at")\n'


def edit(path: str, old: str, new: str) -> Provocation:
    """Return what changes one thing in one file."""

    def change(project: Generated) -> None:
        text = (project.root / path).read_text(encoding="utf-8")
        assert old in text
        (project.root / path).write_text(text.replace(old, new), encoding="utf-8")

    return change


def nothing(project: Generated) -> None:
    assert project


def not_installed(_: Generated) -> Mapping[str, str]:
    return {"PYTHONPATH": ""}


def wrong_setting(_: Generated) -> Mapping[str, str]:
    return {"MAX_REJECTED": "five"}


def unregistered(project: Generated) -> None:
    project.write({"src/orchestration/assets/gold/__init__.py": ""})


def without_file(project: Generated) -> Mapping[str, str]:
    (project.root / "incoming/payments.csv").unlink()
    return {"SOURCE_RETRIES": "3", "SOURCE_RETRY_SECONDS": "3600"}  # it is not tried again


def without_data(project: Generated) -> None:
    for file in project.files("bronze_countries"):
        file.unlink()


def with_damage(project: Generated) -> None:
    for file in project.files("bronze_payments"):
        file.write_bytes(b"PAR1")


def with_guessed_types(project: Generated) -> None:
    edit("src/core/bronze_visits.py", ", infer_schema=False", "")(project)
    edit("incoming/visits/2026-03-01.csv", "12", "unknown")(project)
    for file in project.files("bronze_visits"):
        file.unlink()


PROVOKED: Mapping[str, Provocation] = {
    "polster_runtime is not installed": not_installed,
    "no asset is called gold_revenue": unregistered,
    "payments names more than one": nothing,
    "gold_revenue depends on bronze_payments": edit(
        RUN_GOLD, '"run_silver_payments"]', '"run_bronze_payments"]'
    ),
    "silver_paymnts, which no asset defines": edit(
        RUN_GOLD, '"run_silver_payments"]', '"run_silver_paymnts"]'
    ),
    "must take one parameter": edit(SILVER, "transform(payments:", "transform(orders:"),
    "No module named 'core.silver_paymnts'": edit(
        RUN_SILVER, "core.silver_payments", "core.silver_paymnts"
    ),
    "was never closed": edit(SILVER, LAST_LINE, LAST_LINE.replace(")\n", "\n")),
    "MAX_REJECTED must be": wrong_setting,
    "not implemented: edit": edit(SILVER, LAST_LINE, "    raise NotImplementedError\n"),
    "returned NoneType": edit(SILVER, LAST_LINE, LAST_LINE.replace("return ", "")),
    "has no data yet": without_data,
    "unable to find column": edit(SILVER, 'pl.col("paid_at")', 'pl.col("paid")'),
    "columns that are not there": edit(SILVER, LAST_LINE, LAST_LINE[:-1] + '.drop("amount")\n'),
    "FileNotFoundError": without_file,
    "frame 2 differs": with_guessed_types,
    "2 of 20 rows": edit("incoming/payments.csv", "FR,5.00", "FR,-5.00"),
    "is damaged": with_damage,
}


def troubles(page: str) -> list[Block]:
    return [each for each in blocks(page) if each.section == TROUBLE]


def test_every_trouble_is_provoked(built: Generated) -> None:
    assert {block.language for block in troubles(text_of(built))} == {"console"}
    for block in troubles(text_of(built)):
        assert len([phrase for phrase in PROVOKED if phrase in block.text]) == 1, block.text


@pytest.mark.parametrize("phrase", PROVOKED)
def test_a_message_is_as_the_page_says(built: Generated, tmp_path: Path, phrase: str) -> None:
    shop = Generated(copy(built.root, tmp_path / "shop"), built.interpreter)
    env = {**shop.variables(), **(PROVOKED[phrase](shop) or {})}
    (block,) = [block for block in troubles(text_of(built)) if phrase in block.text]
    assert len(list(commands(block.text))) == 1
    Reader(page="", folder=shop.root, env=env).carry_out(block)


def test_a_page_that_is_wrong_is_noticed(ran: Generated) -> None:
    page = "# x\n\n## y\n\n```console\n$ python run_polster.py --asset nobody\nerror: no\n```\n"
    with pytest.raises(BrokenPromiseError, match="no asset is called nobody"):
        Reader(page=page, folder=ran.root, env=ran.variables()).read("y")
