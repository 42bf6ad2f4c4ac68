"""What a storage backend writes into a project; what it does with data is `StorageContract`."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import ClassVar

import pytest

from polster_core.delivery import DELIVERIES
from polster_core.testing.init_choices import InitChoiceContract
from polster_core.testing.offers import SECRET, check_parts, check_texts, files_of, init
from polster_core.testing.projects import polster
from polster_core.types import RuntimePart, StorageBackend


class StorageBackendContract(InitChoiceContract):
    """What `polster init --storage NAME` writes. Give `name`, and `answers` where it needs some."""

    hook: ClassVar[str] = "polster_storage_backends"
    kind = StorageBackend
    option = "--storage"

    def test_the_project_has_it(self, tmp_path: Path) -> None:
        """Its package, its requirements, its variables; a secret is in `.env` and nowhere else."""
        self.init(tmp_path)
        root, files = tmp_path / "shop", files_of(tmp_path / "shop")
        self._check_runtime(files)
        for requirement in self.offer().requirements:
            assert requirement.strip().replace('"', "'") in files["pyproject.toml"]
        for variable in self.offer().env:
            assert f"{variable.name}=" in files[".env.example"]
        assert f"STORAGE_BACKEND={self.name}" in files[".env"]
        assert [path for path, text in files.items() if SECRET in text] in ([], [".env"])
        check_texts(files)
        assert polster(root, "validate").succeeded().out.startswith("no problems")

    @pytest.mark.parametrize("delivery", DELIVERIES)
    def test_a_project_can_get_it_later(self, tmp_path: Path, delivery: str) -> None:
        """`polster storage add NAME` in a project that keeps its data here, however it runs."""
        init(tmp_path, "--runtime", delivery).succeeded()
        before = files_of(tmp_path / "shop")
        flags = self.flags(prefix=f"{self.name}-")
        polster(tmp_path / "shop", "storage", "add", self.name, *flags).succeeded()
        after = files_of(tmp_path / "shop")
        assert {path for path in before if path not in after} == set()
        self._check_runtime(after)
        check_texts(after)

    def _check_runtime(self, files: dict[str, str]) -> None:
        """Assert that the project has the backend, as code with `connect` or as a requirement."""
        check_parts(files, self.offer().runtime)
        (part,) = (one for one in self.offer().runtime if one.storage == self.name)
        module = _module(part)
        if found := files.get(f"{module}/__init__.py") or files.get(f"{module}.py"):
            assert "connect" in _defined(found), f"{part.package} has no connect()"


def _module(part: RuntimePart) -> str:
    return f"src/{part.package.replace('.', '/')}"


def _defined(source: str) -> set[str]:
    """Return the names that a module defines or imports."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            found.add(node.name)
        elif isinstance(node, ast.ImportFrom):
            found |= {alias.asname or alias.name for alias in node.names}
    return found
