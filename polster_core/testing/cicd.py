"""What a CI/CD generator writes into a project."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from polster_core.plugins.installed import installed
from polster_core.testing.init_choices import InitChoiceContract
from polster_core.testing.offers import SECRET, check_texts, files_of, init
from polster_core.testing.projects import polster
from polster_core.types import CicdGenerator, Contribution


class CicdContract(InitChoiceContract):
    """What `polster init --cicd NAME` writes. Give `name`, and `answers` where it needs some."""

    hook: ClassVar[str] = "polster_cicd_generators"
    kind = CicdGenerator
    option = "--cicd"

    def test_the_project_has_the_pipeline(self, tmp_path: Path) -> None:
        """Beside the files of every project; nothing of those but what must know of it changes."""
        for folder in ("with", "without"):
            (tmp_path / folder).mkdir()
        self.init(tmp_path / "with")
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
        for storage, backend in installed().storage_backends().items():
            folder = tmp_path / storage
            folder.mkdir()
            self.init(folder, "--storage", storage, *_needed(backend))
            files = files_of(folder / "shop")
            check_texts(files)
            assert [path for path, text in files.items() if SECRET in text] in ([], [".env"])


def _needed(backend: Contribution) -> list[str]:
    """Return what a backend must be told."""
    typed = []
    for option in backend.options:
        if option.required or option.secret:
            value = SECRET if option.secret else option.default or next(iter(option.choices), "x")
            typed += [f"--{backend.name}-{option.name}", value]
    return typed
