"""What a storage backend writes into a project; what it does with data is `StorageContract`."""

from __future__ import annotations

import ast
from pathlib import Path

from polster_core.testing.init_choices import InitChoiceContract
from polster_core.testing.offers import SECRET, check_texts, files_of, init
from polster_core.testing.projects import polster
from polster_core.types import StorageBackend


class StorageBackendContract(InitChoiceContract):
    """What `polster init --storage NAME` writes. Give `name`, and `answers` where it needs some."""

    kind = StorageBackend
    option = "--storage"

    def test_the_project_has_it(self, tmp_path: Path) -> None:
        """Its module, its requirements, its variables; a secret is in `.env` and nowhere else."""
        self.init(tmp_path)
        root, files = tmp_path / "shop", files_of(tmp_path / "shop")
        module = f"src/core/runtime/backends/{self.name.replace('-', '_')}"
        found = files.get(f"{module}.py") or files.get(f"{module}/__init__.py")
        assert found is not None, f"{module}.py is missing"
        assert "connect" in _defined(found), f"{module}.py has no connect()"
        for requirement in self.offer().requirements:
            assert requirement.strip().replace('"', "'") in files["pyproject.toml"]
        for variable in self.offer().env:
            assert f"{variable.name}=" in files[".env.example"]
        assert f"STORAGE_BACKEND={self.name}" in files[".env"]
        assert [path for path, text in files.items() if SECRET in text] in ([], [".env"])
        check_texts(files)
        assert polster(root, "validate").succeeded().out.startswith("no problems")

    def test_a_project_can_get_it_later(self, tmp_path: Path) -> None:
        """`polster storage add NAME` in a project that keeps its data here."""
        init(tmp_path).succeeded()
        before = files_of(tmp_path / "shop")
        polster(tmp_path / "shop", "storage", "add", self.name).succeeded()
        after = files_of(tmp_path / "shop")
        assert {path for path in before if path not in after} == set()
        assert f"src/core/runtime/backends/{self.name.replace('-', '_')}" in " ".join(after)
        check_texts(after)


def _defined(source: str) -> set[str]:
    """Return the names that a module defines or imports."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            found.add(node.name)
        elif isinstance(node, ast.ImportFrom):
            found |= {alias.asname or alias.name for alias in node.names}
    return found
