"""What a CI/CD generator writes into a project."""

from __future__ import annotations

from pathlib import Path

from polster_core.options import STORAGE
from polster_core.plugins import installed
from polster_core.testing.offers import SECRET, WIDE, OfferContract, check_texts, files_of, init
from polster_core.testing.projects import polster
from polster_core.types import Contribution


class CicdContract(OfferContract):
    """What `polster init --cicd NAME` writes. Give `name`, and `answers` where it needs some."""

    hook = "polster_cicd_generators"

    def test_it_is_in_the_help(self, tmp_path: Path) -> None:
        """With every option."""
        shown = polster(tmp_path, "init", "--help", env=WIDE).succeeded().out
        assert self.name in shown.partition("--cicd [")[2].partition("]")[0].split("|")
        for option in self.offer().options:
            assert f"--{self.name}-{option.name}" in shown

    def test_the_project_has_the_pipeline(self, tmp_path: Path) -> None:
        """Beside the files of every project; nothing of those but what must know of it changes."""
        for folder in ("with", "without"):
            (tmp_path / folder).mkdir()
        self._init(tmp_path / "with")
        init(tmp_path / "without").succeeded()
        pipeline, plain = files_of(tmp_path / "with/shop"), files_of(tmp_path / "without/shop")
        added = pipeline.keys() - plain.keys()
        assert added, "it wrote no file"
        assert plain.keys() <= pipeline.keys()
        assert not [path for path in added if path.startswith(("src/", "data/"))]
        for path in added:
            assert not path.endswith((".yml", ".yaml")) or "\t" not in pipeline[path], path
        assert [path for path, text in pipeline.items() if SECRET in text] in ([], [".env"])
        check_texts(pipeline)
        assert polster(tmp_path / "with/shop", "validate").succeeded()

    def test_it_serves_every_storage(self, tmp_path: Path) -> None:
        """Whatever is installed."""
        for storage, backend in installed().offers(STORAGE).items():
            folder = tmp_path / storage
            folder.mkdir()
            needed = _needed(backend) if isinstance(backend, Contribution) else []
            self._init(folder, "--storage", storage, *needed)
            check_texts(files_of(folder / "shop"))

    def test_the_same_answers_write_the_same_pipeline(self, tmp_path: Path) -> None:
        """No time, no chance, no name of this machine."""
        for folder in ("a", "b"):
            (tmp_path / folder).mkdir()
            self._init(tmp_path / folder)
        assert files_of(tmp_path / "a") == files_of(tmp_path / "b")

    def test_a_dry_run_writes_nothing(self, tmp_path: Path) -> None:
        """Not even a folder."""
        self._init(tmp_path, "--dry-run")
        assert list(tmp_path.iterdir()) == []

    def _init(self, folder: Path, *options: str) -> None:
        flags = self.flags(prefix=f"{self.name}-")
        ran = init(folder, "--cicd", self.name, *flags, *options).succeeded()
        assert ran.err == ""
        assert SECRET not in ran.out


def _needed(backend: Contribution) -> list[str]:
    """Return what a backend must be told."""
    typed = []
    for option in backend.options:
        if option.required:
            value = option.default or next(iter(option.choices), "lake")
            typed += [f"--{backend.name}-{option.name}", value]
    return typed
