"""The guides of a generated project, and the pipeline that they build."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from tests.docs.markdown import blocks
from tests.generated import warm
from tests.generated.projects import Generated, told

ASSETS, PATTERNS, QUALITY, TROUBLE = (
    f"docs/{name}.md" for name in ("assets", "patterns", "quality", "troubleshooting")
)
OPERATION = tuple(f"docs/{name}.md" for name in ("running", "testing", "storage"))
PAGES = (
    *("README.md", "AGENTS.md", "docs/files.md", "docs/settings.md"),
    *(ASSETS, PATTERNS, QUALITY, TROUBLE),
    *OPERATION,
)
BY_HAND, BY_COMMAND = "Step 1 by hand", "Step 1 with Polster"
FROM_PATTERNS = ("sales", "budget", "tickets", "leads")


def page(project: Generated, path: str) -> str:
    """Return the text of a page of the project."""
    return (project.root / path).read_text(encoding="utf-8")


def copied_asset(project: Generated, name: str) -> Callable[[], object]:
    """Return what a reader does for a further bronze asset: the Dagster file again."""

    def write() -> None:
        folder = project.root / "src/orchestration/assets/bronze"
        text = (folder / "run_bronze_payments.py").read_text(encoding="utf-8")
        file = folder / f"run_bronze_{name}.py"
        file.write_text(text.replace("payments", name), encoding="utf-8")

    return write


def typed(shop: Generated) -> dict[str, str]:
    """Return the variables of a terminal in a project, where `python` is forked off a warm one."""
    folder = shop.root.parent / "warm"
    stand_in(folder, shop)
    return shop.variables({"PATH": f"{folder}{os.pathsep}{shop.variables()['PATH']}"})


def stand_in(folder: Path, shop: Generated) -> None:
    """Write the program `python` into a folder: the project's, forked off a warm one."""
    folder.mkdir(parents=True, exist_ok=True)
    warm.stand_in(folder / "python", shop.interpreter, shop.interpreter, shop.root / "src")


def fork(python: Path, warm_one: Path) -> None:
    """Let the Python of a project's own .venv be forked off a warm one from now on.

    What shows that the environment is whole comes before; what the other lacks, `cold` runs.
    """
    cold = python.with_name("cold")
    if not cold.exists():
        source = python.parents[2] / "src"
        warm.stand_in(python, warm_one, python.rename(cold), source)


def build(shop: Generated) -> Generated:
    """Write every file of the guides into a project without samples, and run it."""
    for path in (ASSETS, PATTERNS):
        for block in blocks(page(shop, path)):
            if block.file:
                shop.write({block.file: block.text})
    for name in ("countries", "visits", *FROM_PATTERNS):
        copied_asset(shop, name)()
    package = shop.root / "src/orchestration/assets/bronze/__init__.py"
    listed, names = package.read_text(encoding="utf-8").split("\n__all__ = [\n")
    listed += "from orchestration.assets.bronze.run_bronze_visits import run_bronze_visits\n"
    names = names.replace("]\n", '    "run_bronze_visits",\n]\n')
    package.write_text(f"{listed}\n__all__ = [\n{names}", encoding="utf-8")
    done = shop.run()
    assert done.returncode == 0, told(done)
    return shop
