"""README and guides of a generated project, carried out: every file and every command."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.markdown import anchors, blocks, links
from tests.docs.reader import BrokenPromiseError, Reader
from tests.generated import guides, sources
from tests.generated.byte_code import lend
from tests.generated.conftest import MakeProject
from tests.generated.guides import ASSETS, BY_COMMAND, BY_HAND, FROM_PATTERNS, PAGES, page
from tests.generated.projects import Generated, copy

FIRST_STEPS = ("Install", "Run")


@pytest.mark.slow
def test_the_first_steps_with_uv_and_a_pipeline_by_hand_from_all_kinds_of_sources(
    project: MakeProject,
) -> None:
    shop = project()
    files = {
        f"src/core/bronze_{name}.py": guides.copied_asset(shop, name)
        for name in ("visits", *FROM_PATTERNS)
    }
    skipped = frozenset({"With pip", BY_COMMAND})
    reader = Reader(page=page(shop, "README.md"), folder=shop.root, skipped=skipped, before=files)
    install, run = FIRST_STEPS
    reader.read(install)
    python = shop.root / ".venv/bin/python"
    assert lend(shop.interpreter, python) > 0
    reader.read(run)
    guides.fork(python, shop.interpreter)
    for path in (ASSETS, guides.QUALITY, guides.PATTERNS):
        reader.page = page(shop, path)
        reader.read()
    sources.workbook(shop.root / "incoming/budget.xlsx", "2026", [["item", "eur"], ["rent", 7]])
    done = reader.run("cold src/core/bronze_budget.py && ruff check . && ruff format --check .")
    assert "bronze_budget                      1 rows" in done.stdout, done.stdout
    assert done.returncode == 0, done.stdout


def test_a_project_without_assets_says_so(project: MakeProject) -> None:
    shop = project(samples=False)
    (shown,) = (b for b in blocks(page(shop, "README.md")) if b.language == "console")
    Reader(page="", folder=shop.root, env=shop.variables()).carry_out(shown)


@pytest.mark.slow
@pytest.mark.parametrize("path", guides.OPERATION)
def test_a_pipeline_is_operated(built: Generated, tmp_path: Path, path: str) -> None:
    shop = Generated(copy(built.root, tmp_path / "shop"), built.interpreter)
    Reader(page=page(shop, path), folder=shop.root, env=guides.typed(shop)).read()


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
    text = page(shop, ASSETS)
    reader = Reader(page=text, folder=shop.root, skipped=frozenset({BY_HAND}))
    reader.env |= guides.typed(shop)
    reader.read("Your first pipeline")
    by_hand = {
        block.file: block.text
        for block in blocks(text)
        if BY_HAND in block.headings and block.file and not block.file.endswith("__init__.py")
    }
    assert len(by_hand) == 3
    by_command = {file: (shop.root / file).read_text(encoding="utf-8") for file in by_hand}
    assert by_command == by_hand


def test_these_are_the_pages(ran: Generated) -> None:
    own = {path.relative_to(ran.root).as_posix() for path in ran.root.glob("docs/*.md")}
    assert own == {path for path in PAGES if path.startswith("docs/")}


def test_the_readme_fits_on_three_screens(ran: Generated) -> None:
    lines = {path: page(ran, path).count("\n") for path in ("README.md", "AGENTS.md")}
    assert lines["README.md"] <= 180
    assert lines["AGENTS.md"] <= 150


def test_no_paragraph_stands_twice(ran: Generated) -> None:
    """Nor does a code block of more than three lines."""
    seen: dict[str, str] = {}
    for path in PAGES:
        for part in re.split(r"\n{2,}", page(ran, path)):
            long = len(part.splitlines()) > 3 or len(part.split()) > 12
            if long and not part.startswith("|"):
                assert seen.setdefault(part, path) == path, part


@pytest.mark.parametrize("path", PAGES)
def test_links_lead_somewhere(ran: Generated, path: str) -> None:
    for link in links(page(ran, path)):
        if not link.startswith("https://"):
            target, _, anchor = link.partition("#")
            file = (ran.root / path).parent / target if target else ran.root / path
            assert file.exists(), link
            assert not anchor or anchor in anchors(file.read_text(encoding="utf-8")), link


def test_every_guide_is_linked_from_the_readme(ran: Generated) -> None:
    found = set(links(page(ran, "README.md")))
    assert {path for path in PAGES if path.startswith("docs/")} <= found


def test_the_table_of_settings_is_complete(ran: Generated) -> None:
    rows = dict(
        re.findall(
            r"^\| `([A-Z_]+)` \| (?:`([^`]*)`)?", page(ran, "docs/settings.md"), re.MULTILINE
        )
    )
    example = (ran.root / ".env.example").read_text(encoding="utf-8")
    given = dict(re.findall(r"^(?:# )?([A-Z_]+)='?(.*?)'?$", example, re.MULTILINE))
    fields = (ran.root / "src/polster_runtime/config/settings.py").read_text(encoding="utf-8")
    names = {name.upper() for name in re.findall(r"^    (\w+): .* = ", fields, re.MULTILINE)}
    folders = {"DATA_DIR", "DAGSTER_HOME", "PROJECT_ROOT"}
    assert set(rows) == names | set(given) | folders | {"DAGSTER_POSTGRES_URL"}
    assert {name: rows[name] for name in given} == given


def test_p10_the_files_of_an_environment_are_named(project: MakeProject) -> None:
    shop = project(samples=False)
    (block,) = [one for one in blocks(page(shop, "docs/settings.md")) if "doctor" in one.text]
    write, run, said = block.text.splitlines()
    assert write == "$ echo 'MAX_REJECTED=0' > .env.prod"
    shop.write({".env.prod": "MAX_REJECTED=0\n"})
    command = run.removeprefix("$ ENV=prod python ").removesuffix(" | grep settings").split()
    done = shop.python(*command, env={"ENV": "prod"})
    assert [line for line in done.stdout.splitlines() if "settings" in line] == [said]


def test_every_flag_is_explained(ran: Generated) -> None:
    flags = set(re.findall(r"--[a-z][\w-]+", ran.run("--help").stdout)) - {"--help"}
    explained = set(re.findall(r"--[a-z][\w-]+", page(ran, "docs/running.md")))
    assert flags <= explained


def test_every_file_is_explained(ran: Generated) -> None:
    explained = re.findall(r"`([\w./*-]+)`", page(ran, "docs/files.md"))
    folders = tuple(name for name in explained if name.endswith("/"))
    files = [path.relative_to(ran.root) for path in ran.root.rglob("*") if path.is_file()]
    unexplained = {
        file.as_posix()
        for file in files
        if not file.as_posix().startswith(folders) and not any(map(file.match, explained))
    }
    packages = {"src/core/__init__.py", "src/orchestration/__init__.py"}
    assert {file for file in unexplained if "__pycache__" not in file} - packages == set()


def test_the_image_has_all_that_it_copies(ran: Generated) -> None:
    (dockerfile,) = [
        block for block in blocks(page(ran, "docs/running.md")) if block.file == "Dockerfile"
    ]
    copied = re.findall(r"^COPY (.+) \S+$", dockerfile.text, re.MULTILINE)
    paths = [path for line in copied for path in line.split()]
    assert paths
    assert [path for path in paths if not (ran.root / path).exists()] == []


def test_a_page_that_is_wrong_is_noticed(ran: Generated) -> None:
    text = "# x\n\n## y\n\n```console\n$ python run_polster.py --asset nobody\nerror: no\n```\n"
    with pytest.raises(BrokenPromiseError, match="no asset is called nobody"):
        Reader(page=text, folder=ran.root, env=ran.variables()).read("y")
