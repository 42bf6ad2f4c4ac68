"""docs/troubleshooting.md of a generated project: each message that it shows is provoked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests.docs.markdown import Block, blocks
from tests.docs.reader import Reader, commands
from tests.generated import guides
from tests.generated.guides import TROUBLE, page
from tests.generated.projects import Generated, copy

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


def of_another(project: Generated) -> Mapping[str, str]:
    original = copy(project.root, project.root.with_name("original"))
    return {"PYTHONPATH": str(original / "src")}


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
    "this project is": of_another,
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


def troubles(text: str) -> list[Block]:
    return list(blocks(text))


def test_every_trouble_is_provoked(built: Generated) -> None:
    assert {block.language for block in troubles(page(built, TROUBLE))} == {"console"}
    for block in troubles(page(built, TROUBLE)):
        assert len([phrase for phrase in PROVOKED if phrase in block.text]) == 1, block.text


@pytest.mark.parametrize("phrase", PROVOKED)
def test_a_message_is_as_the_page_says(built: Generated, tmp_path: Path, phrase: str) -> None:
    shop = Generated(copy(built.root, tmp_path / "shop"), built.interpreter)
    provoked = PROVOKED[phrase](shop) or {}
    # A warm Python finds the project, whatever PYTHONPATH says.
    typed = shop.variables() if "PYTHONPATH" in provoked else guides.typed(shop)
    env = {**typed, **provoked}
    (block,) = [block for block in troubles(page(built, TROUBLE)) if phrase in block.text]
    assert len(list(commands(block.text))) == 1
    Reader(page="", folder=shop.root, env=env).carry_out(block)
