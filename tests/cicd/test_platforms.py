"""Names of platforms, and cron lines."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polster_core.model.platforms import DAILY, cron_problem, is_branch_name, join, split


@pytest.mark.parametrize(
    "line",
    [
        DAILY,
        "*/15 * * * *",
        "0 4 * * 1-5",
        "30 4,16 1-7 * *",
        "0 0 1 JAN,jul sun",
        "10-50/20 0-23/2 * * 0",
        "  5   4 * *  6 ",
    ],
)
def test_cron_lines(line: str) -> None:
    assert cron_problem(line) is None


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("", "it has 0 fields, not 5"),
        ("daily", "it has 1 fields, not 5"),
        ("@daily", "it has 1 fields, not 5"),
        ("0 0 0 * * *", "it has 6 fields, not 5"),
        ("60 0 * * *", "60 is no minute (0-59)"),
        ("0 24 * * *", "24 is no hour (0-23)"),
        ("0 0 0 * *", "0 is no day of the month (1-31)"),
        ("0 0 * 13 *", "13 is no month (1-12)"),
        ("0 0 * * 7", "7 is no day of the week (0-6)"),
        ("0 0 * * mon-sun", "mon-sun is no day of the week (0-6)"),
        ("*/0 * * * *", "*/0 is no minute (0-59)"),
        ("5/10 * * * *", "5/10 is no minute (0-59)"),
        ("1, 0 * * *", "1, is no minute (0-59)"),
        ('0 0 * * "', '" is no day of the week (0-6)'),
        ("٣ 0 * * *", "٣ is no minute (0-59)"),
    ],
)
def test_what_is_no_cron_line(line: str, problem: str) -> None:
    assert cron_problem(line) == problem


@given(st.text())
def test_no_text_that_passes_means_anything_to_yaml(line: str) -> None:
    if cron_problem(line) is None:
        assert set(" ".join(line.split())) <= set(
            "*,-/ 0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
        )


def test_c7_a_branch_of_data_is_a_name_that_git_yaml_and_a_shell_take() -> None:
    good = ["data", "main", "lake/data", "data-2", "a.b"]
    bad = ["", "-d", "a b", "a..b", "a/", "a.lock", "a/.b", "$(x)", "a:b", "~a", "a.", "a//b", "ä"]
    assert [name for name in [*good, *bad] if is_branch_name(name)] == good


def test_several_platforms_are_one_text() -> None:
    assert split("none") == split("") == []
    assert split("gitlab-ci, github-actions,gitlab-ci") == ["gitlab-ci", "github-actions"]
    assert join(["none", "gitlab-ci", "github-actions,gitlab-ci"]) == "gitlab-ci,github-actions"
    assert join([]) == join(["none"]) == "none"
