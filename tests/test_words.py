"""The words of the field, not a dialect of this repository: CONTRIBUTING.md has the glossary."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[1]
BANNED = {
    r"made of what|(it is|they are) made of": "asset and column lineage, upstream, depends on",
    r"\bleft off\b": "position",
    r"what is wrong here": "diagnose",
    r"\bmend(s|ed|ing|able)?\b": "fix",
    r"\banew\b": "again, from scratch, recreate",
    r"\b(is|are|gets?) in the way\b": "conflict",
    r"wanted twice|away twice": "is written twice, is removed twice",
    r"\bexists and is no\b": "exists and is not a directory",
    r"lets you in": "authentication method",
    r"carried up": "uploaded",
    r"nobody is logged in": "not logged in: run `gh auth login`",
    r"no such (machine|host)": "unknown host",
    r"(nothing|nobody) listens": "connection refused",
    r"[\"`]give --": "missing option `--layer`",
    r"its authors": "the plugin's author",
    r"to be found out": "say what it returns",
    r"\bobstacles?\b": "conflicts",
    r"\bpatience\b": "timeout",
    r"\bin_project\b": "scripts",
}
"""What is not written here any more, and what is written instead."""
HISTORY = (
    *("CHANGELOG.md", "tests/test_words.py"),
    *("polster_core/upgrade/migrations/", "tests/upgrade/test_from_0_1_0.py"),
)
"""What has to quote the words of earlier versions."""
NOT_TEXT = {".png", ".gif", ".zip", ".xlsx", ".parquet", ".gz", ".xz"}


def tracked() -> list[Path]:
    """Return the files that git tracks, but for those that quote old words."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    paths = [Path(name) for name in done.stdout.decode().split("\0") if name]
    return [
        path
        for path in paths
        if path.suffix not in NOT_TEXT and not path.as_posix().startswith(HISTORY)
    ]


def test_no_banned_word_is_used() -> None:
    pattern = re.compile("|".join(f"(?:{word})" for word in BANNED), re.IGNORECASE)
    paths = [path for path in tracked() if (ROOT / path).is_file()]
    assert len(paths) > 300
    found = [
        f"{path}:{number}: {match[0]}"
        for path in paths
        for number, line in enumerate((ROOT / path).read_text("utf-8").splitlines(), 1)
        for match in [pattern.search(line)]
        if match
    ]
    assert found == []


def test_each_banned_word_is_found_where_it_stands() -> None:
    examples = (
        *("Show what is made of what.", "were left off", "what is wrong here", "can be mended"),
        *("Make it anew.", "9 things are in the way", "wanted twice", "exists and is no folder"),
        *("How Azure lets you in", "carried up what", "nobody is logged in with gh"),
        *("there is no such machine", "nothing listens there", '"give --layer"'),
        *("tell its authors", "None: to be found out.", "_obstacles".strip("_"), "patience"),
        "in_project",
    )
    for example, word in zip(examples, BANNED, strict=True):
        assert re.search(word, example, re.IGNORECASE), word
