"""add-asset, rename-asset and remove-asset in a terminal: choices, words to type, and Ctrl-C."""

from __future__ import annotations

from pathlib import Path

import pytest

from polster_core.cli import prompts
from polster_core.testing.projects import tree
from tests.cli.test_prompts import DOWN, Answers, Terminal
from tests.handmade import polster, shop, write_project

CTRL_C = "\x03"
SHOP = {
    "bronze_customers": (),
    "bronze_orders": (),
    "silver_customers": ("bronze_customers",),
    "silver_orders": ("bronze_orders",),
    "gold_revenue": ("silver_orders", "silver_customers"),
}
ADD: Answers = [
    ("Which layer?", f"{DOWN}{DOWN}\r"),
    ("What is it called?", "loyalty\r"),
    ("What is it made from?", f" {DOWN} \r"),
    ("What is to be written?", "\r"),
    ("What is it, in a line?", "Who comes again\r"),
]
ADD_FILE: Answers = [
    ("Which layer?", "\r"),
    ("What is it called?", "stock\r"),
    ("What is to be written?", f"{DOWN * 4}\r"),
    ("Which file, or which pattern?", "in/*.parquet\r"),
    ("What is it, in a line?", "\r"),
]
RENAME: Answers = [
    ("Which asset?", f"{DOWN}{DOWN}{DOWN}\r"),
    ("What will silver_orders be called?", "clean_orders\r"),
    ("Rename silver_orders?", "y\r"),
]
REMOVE: Answers = [("Which assets are to go?", f"{DOWN * 4} \r"), ("Remove gold_revenue?", "y\r")]
REMOVE_MANY: Answers = [
    ("Which assets are to go?", f" {DOWN * 2} {DOWN} {DOWN} \r"),
    ("Type CONFIRM to remove 4 assets:", "CONFIRM\r"),
]
REMOVE_ALL: Answers = [
    ("Which assets are to go?", "a\r"),
    ("Type REMOVE_ALL_ASSETS to remove 5 assets:", "REMOVE_ALL_ASSETS\r"),
]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a project of five assets."""
    return write_project(tmp_path / "shop", shop(SHOP)).root


def run(root: Path, command: str, answers: Answers, *args: str) -> tuple[int, str]:
    terminal = Terminal(command, *args, cwd=root, env={})
    terminal.answer(answers)
    return terminal.end()


def stems(root: Path) -> list[str]:
    return sorted(path.stem for path in (root / "src/core").glob("*.py"))


def test_an_asset_is_added_from_answers_alone(root: Path) -> None:
    code, shown = run(root, "add-asset", ADD)
    assert code == 0, shown
    assert polster(root, "list-assets", "--layer", "gold").out.splitlines()[1] == (
        "gold   loyalty  customers, orders  Who comes again"
    )


def test_only_what_the_layer_allows_is_offered(root: Path) -> None:
    terminal = Terminal("add-asset", "--layer", "gold", "--name", "loyalty", cwd=root, env={})
    terminal.child.expect_exact("What is it made from?")
    terminal.child.expect_exact("orders")
    offered = terminal.child.before
    terminal.child.send(f"{DOWN} \r")
    terminal.answer([("What is to be written?", "\r"), ("What is it, in a line?", "\r")])
    code, shown = terminal.end()
    assert code == 0, shown
    assert "customers" in offered
    assert "revenue" not in offered + shown.split("create")[0]


def test_v6_enter_on_nothing_says_what_to_do(root: Path) -> None:
    answers: Answers = [
        ("made from?", "\r"),
        ("select one with the space bar", ""),
        ("made from?", " \r"),
        ("be written?", "\r"),
        ("in a line?", "\r"),
    ]
    code, _ = run(root, "add-asset", answers, "--layer", "gold", "--name", "loyalty")
    assert code == 0
    assert "gold_loyalty" in stems(root)


def test_a_name_that_is_taken_is_said_at_once(root: Path) -> None:
    terminal = Terminal("add-asset", "--layer", "bronze", cwd=root, env={})
    terminal.answer([("What is it called?", "orders\r"), ("bronze_orders exists already", CTRL_C)])
    code, _ = terminal.end()
    assert code == 130


def test_a_template_asks_for_what_it_needs(root: Path) -> None:
    code, shown = run(root, "add-asset", ADD_FILE)
    assert code == 0, shown
    assert "in/*.parquet" in (root / "src/core/bronze_stock.py").read_text()


def test_what_was_given_is_not_asked_for(root: Path) -> None:
    flags = ("--layer", "gold", "--name", "loyalty", "--dependencies", "orders")
    code, shown = run(root, "add-asset", [], *flags)
    assert (code, "?" in shown) == (0, False)


def test_an_asset_is_renamed_after_a_look_at_the_plan(root: Path) -> None:
    code, shown = run(root, "rename-asset", RENAME)
    assert code == 0, shown
    assert "silver_clean_orders" in stems(root)
    assert polster(root, "validate").code == 0


def test_no_is_no(root: Path) -> None:
    before = tree(root)
    code, shown = run(
        root, "rename-asset", [("Rename silver_orders?", "n\r")], "silver_orders", "x"
    )
    assert (code, "nothing was changed" in shown) == (0, True)
    code, shown = run(root, "remove-asset", [("Remove gold_revenue?", "\r")], "gold_revenue")
    assert (code, "nothing was changed" in shown) == (0, True)
    assert tree(root) == before


def test_one_asset_is_picked_and_removed(root: Path) -> None:
    code, shown = run(root, "remove-asset", REMOVE)
    assert code == 0, shown
    assert stems(root) == [
        "bronze_customers",
        "bronze_orders",
        "silver_customers",
        "silver_orders",
    ]


def test_four_need_the_word(root: Path) -> None:
    before = tree(root)
    asked, typed = REMOVE_MANY
    code, shown = run(root, "remove-asset", [asked, (typed[0], "yes\r")])
    assert (code, "nothing was changed" in shown) == (0, True)
    assert tree(root) == before
    code, shown = run(root, "remove-asset", REMOVE_MANY)
    assert code == 0, shown
    assert stems(root) == ["bronze_orders"]


def test_all_need_the_longer_word(root: Path) -> None:
    before = tree(root)
    asked, typed = REMOVE_ALL
    code, shown = run(root, "remove-asset", [asked, (typed[0], "CONFIRM\r")])
    assert (code, "nothing was changed" in shown) == (0, True)
    assert tree(root) == before
    code, shown = run(root, "remove-asset", REMOVE_ALL)
    assert code == 0, shown
    assert stems(root) == []


def test_force_does_not_ask(root: Path) -> None:
    code, shown = run(root, "remove-asset", [], *SHOP, "--force")
    assert (code, "?" in shown) == (0, False)


@pytest.mark.parametrize(
    ("command", "answers", "step"),
    [
        pytest.param(command, answers, step, id=f"{command}-{step}-{answers[step][0]}")
        for command, answers in (
            ("add-asset", ADD),
            ("add-asset", ADD_FILE),
            ("rename-asset", RENAME),
            ("remove-asset", REMOVE),
            ("remove-asset", REMOVE_MANY),
            ("remove-asset", REMOVE_ALL),
        )
        for step in range(len(answers))
    ],
)
def test_ctrl_c_at_any_question_changes_nothing(
    root: Path, command: str, answers: Answers, step: int
) -> None:
    before = tree(root)
    code, shown = run(root, command, [*answers[:step], (answers[step][0], CTRL_C)])
    assert (code, "error: interrupted" in shown) == (130, True)
    assert tree(root) == before


def test_v6_words_that_are_too_long_for_the_terminal_go_on_below(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    words = "the last word of this sentence can be seen"
    titles = prompts._titles({"orders": words, "customers": ""}, prompts._BOX)
    lines = titles["orders"].splitlines()
    assert " ".join(line.strip() for line in lines) == f"orders     {words}"
    assert max(map(len, lines)) <= 40
    assert titles["customers"] == "customers"
