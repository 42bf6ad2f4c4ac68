"""Which test files take long, so that a run with several workers begins with them.

`--dist worksteal` gives each worker one slice of all tests, and lets those that have finished take
half of what is left of another. A file that takes minutes and comes last keeps one of them at work
while the others have nothing to do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from typing import TypeVar

Test = TypeVar("Test")

SECONDS: Mapping[str, int] = {
    "tests/examples/test_examples.py": 190,
    "tests/quality/test_daemon.py": 300,
    "tests/generated/test_readme.py": 110,
    "tests/docs/test_pages.py": 150,
    "tests/generated/test_ui_processes.py": 130,
    "tests/storage/test_looking_after.py": 90,
    "tests/upgrade/test_from_0_1_0.py": 110,
    "tests/generated/test_pythons.py": 130,
    "tests/storage/test_project.py": 130,
    "tests/docs/test_tutorial.py": 80,
    "tests/cli/test_killed_commands.py": 70,
    "tests/generated/test_asset_life.py": 100,
    "tests/generated/test_deliveries.py": 100,
    "tests/generated/test_deployments.py": 90,
    "tests/test_style.py": 90,
    "tests/generated/test_ui.py": 110,
    "tests/generated/test_package_layout.py": 70,
}
"""Files whose slow tests alone take more than a minute, and about how long they take."""


def in_order(tests: Iterable[Test], file_of: Callable[[Test], str], workers: int) -> list[Test]:
    """Return the tests in an order in which the slice of each worker begins with long files.

    The tests of a file stay together, for the sake of what they share.
    """
    files: dict[str, list[Test]] = {}
    for test in tests:
        files.setdefault(file_of(test), []).append(test)
    first: list[list[Test]] = [[] for _ in range(workers)]
    load = [0] * workers
    for file, seconds in sorted(SECONDS.items(), key=lambda item: -item[1]):
        least = load.index(min(load))
        load[least] += seconds
        first[least] += files.pop(file, [])
    short = iter([test for found in files.values() for test in found])
    ordered: list[Test] = []
    left = sum(map(len, first)) + sum(map(len, files.values()))
    for number, long in enumerate(first):
        size = left // (workers - number)  # as the scheduler cuts them
        ordered += [*long, *islice(short, max(0, size - len(long)))]
        left -= size
    return [*ordered, *short]
