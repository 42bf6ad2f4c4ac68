"""What an executor writes into a project; what it does with steps needs its cluster."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from polster_core.delivery import DELIVERIES
from polster_core.testing.offers import OfferContract, check_parts, check_texts, files_of, init
from polster_core.testing.projects import polster
from polster_core.types import Executor, RuntimePart


class ExecutorContract(OfferContract):
    """What `polster executor add NAME` writes. Give `name`."""

    kind = Executor

    @pytest.mark.parametrize("delivery", DELIVERIES)
    def test_a_project_can_get_it(self, tmp_path: Path, delivery: str) -> None:
        """Its package, its requirements, its variables; all else stays as it was."""
        init(tmp_path, "--runtime", delivery).succeeded()
        root = tmp_path / "shop"
        before = files_of(root)
        polster(root, "executor", "add", self.name, "--dry-run").succeeded()
        assert files_of(root) == before
        polster(root, "executor", "add", self.name).succeeded()
        after = files_of(root)
        changed = {path for path, text in before.items() if after.get(path) != text}
        assert changed <= {"pyproject.toml", ".env.example", ".env"}
        for requirement in self.offer().requirements:
            assert requirement.strip().replace('"', "'") in after["pyproject.toml"]
        for variable in self.offer().env:
            assert f"{variable.name}=" in after[".env.example"]
        self._check_runtime(after)
        check_texts(after)
        assert polster(root, "validate").succeeded().out.startswith("no problems")

    def _check_runtime(self, files: dict[str, str]) -> None:
        """Assert that the project has it, as code with `executor` or as a requirement."""
        check_parts(files, self.offer().runtime)
        (part,) = (one for one in self.offer().runtime if one.executor == self.name)
        if found := _source(part, files):
            assert "executor" in _names(found), f"{part.package} has no executor()"


def _names(source: str) -> set[str]:
    """Return the functions that a module defines or imports."""
    nodes = [*ast.walk(ast.parse(source))]
    imported = (one for node in nodes if isinstance(node, ast.ImportFrom) for one in node.names)
    defined = {node.name for node in nodes if isinstance(node, ast.FunctionDef)}
    return defined | {one.asname or one.name for one in imported}


def _source(part: RuntimePart, files: dict[str, str]) -> str:
    return files.get(f"src/{part.package.replace('.', '/')}/__init__.py", "")
