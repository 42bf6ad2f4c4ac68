"""What a storage backend writes into a project; what it does with data is `StorageContract`."""

from __future__ import annotations

import ast
from pathlib import Path

from polster_core.testing.offers import SECRET, WIDE, OfferContract, check_texts, files_of, init
from polster_core.testing.projects import polster


class StorageBackendContract(OfferContract):
    """What `polster init --storage NAME` writes. Give `name`, and `answers` where it needs some."""

    hook = "polster_storage_backends"

    def test_it_is_in_the_help(self, tmp_path: Path) -> None:
        """With every option."""
        shown = polster(tmp_path, "init", "--help", env=WIDE).succeeded().out
        assert self.name in _choices(shown)
        for option in self.offer().options:
            assert f"--{self.name}-{option.name}" in shown

    def test_the_project_has_it(self, tmp_path: Path) -> None:
        """Its module, its requirements, its variables; a secret is in `.env` and nowhere else."""
        self._init(tmp_path)
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

    def test_the_same_answers_write_the_same_project(self, tmp_path: Path) -> None:
        """No time, no chance, no name of this machine."""
        for folder in ("a", "b"):
            (tmp_path / folder).mkdir()
            self._init(tmp_path / folder)
        assert files_of(tmp_path / "a") == files_of(tmp_path / "b")

    def test_a_dry_run_writes_nothing(self, tmp_path: Path) -> None:
        """Not even a folder."""
        self._init(tmp_path, "--dry-run")
        assert list(tmp_path.iterdir()) == []

    def test_an_option_that_is_missing_is_named(self, tmp_path: Path) -> None:
        """Without a terminal nobody is asked."""
        for option in self.offer().options:
            if option.required:
                flags = self.flags(prefix=f"{self.name}-", without=option.name)
                ran = init(tmp_path, "--storage", self.name, *flags)
                assert (ran.code, list(tmp_path.iterdir())) == (2, [])
                assert f"--{self.name}-{option.name}" in ran.err

    def test_a_project_can_get_it_later(self, tmp_path: Path) -> None:
        """`polster storage add NAME` in a project that keeps its data here."""
        init(tmp_path).succeeded()
        before = files_of(tmp_path / "shop")
        polster(tmp_path / "shop", "storage", "add", self.name).succeeded()
        after = files_of(tmp_path / "shop")
        assert {path for path in before if path not in after} == set()
        assert f"src/core/runtime/backends/{self.name.replace('-', '_')}" in " ".join(after)
        check_texts(after)

    def _init(self, folder: Path, *options: str) -> None:
        flags = self.flags(prefix=f"{self.name}-")
        ran = init(folder, "--storage", self.name, *flags, *options).succeeded()
        assert ran.err == ""
        assert SECRET not in ran.out


def _choices(shown: str) -> list[str]:
    return shown.partition("--storage [")[2].partition("]")[0].split("|")


def _defined(source: str) -> set[str]:
    """Return the names that a module defines or imports."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            found.add(node.name)
        elif isinstance(node, ast.ImportFrom):
            found |= {alias.asname or alias.name for alias in node.names}
    return found
