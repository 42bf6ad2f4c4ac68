"""What a deployment writes into a project; whether it runs needs its platform."""

from __future__ import annotations

from pathlib import Path

from polster_core.testing.offers import OfferContract, check_parts, check_texts, files_of, init
from polster_core.testing.projects import polster
from polster_core.types import Deployment


class DeploymentContract(OfferContract):
    """What `polster add-deploy NAME` writes. Give `name`, and `answers` where it needs some."""

    kind = Deployment

    def test_a_project_can_get_it(self, tmp_path: Path) -> None:
        """Files of its own, requirements, variables; the pipeline stays as it was."""
        init(tmp_path).succeeded()
        root, arguments = (
            tmp_path / "shop",
            ["add-deploy", self.name, *self.flags(prefix=f"{self.name}-")],
        )
        before = files_of(root)
        polster(root, *arguments, "--dry-run").succeeded()
        assert files_of(root) == before
        polster(root, *arguments).succeeded()
        after = files_of(root)
        changed = {path for path, text in before.items() if after.get(path) != text}
        assert changed <= {"pyproject.toml", ".env.example", ".env", ".gitignore"}
        added = after.keys() - before.keys()
        assert added, "it wrote no file"
        runtime = ("src/polster_",)
        assert not [path for path in added if path.startswith(("data/", "tests/"))]
        assert not [p for p in added if p.startswith("src/") and not p.startswith(runtime)]
        for requirement in self.offer().requirements:
            assert requirement.strip().replace('"', "'") in after["pyproject.toml"]
        for variable in self.offer().env:
            assert f"{variable.name}=" in after[".env.example"]
        check_parts(after, self.offer().runtime)
        check_texts(after)
        assert polster(root, "validate").succeeded().out.startswith("no problems")

    def test_it_can_be_added_again(self, tmp_path: Path) -> None:
        """The second time changes nothing."""
        init(tmp_path).succeeded()
        root, arguments = (
            tmp_path / "shop",
            ["add-deploy", self.name, *self.flags(prefix=f"{self.name}-")],
        )
        polster(root, *arguments).succeeded()
        before = files_of(root)
        polster(root, *arguments).succeeded()
        assert files_of(root) == before

    def test_it_replaces_nothing(self, tmp_path: Path) -> None:
        """What is there already is named, and stays."""
        init(tmp_path).succeeded()
        root, arguments = (
            tmp_path / "shop",
            ["add-deploy", self.name, *self.flags(prefix=f"{self.name}-")],
        )
        before = files_of(root)
        polster(root, *arguments).succeeded()
        first = min(path for path in files_of(root).keys() - before.keys() if "src/" not in path)
        other = tmp_path / "other"
        other.mkdir()
        init(other).succeeded()
        mine = other / "shop" / first
        mine.parent.mkdir(parents=True, exist_ok=True)
        mine.write_text("mine\n", encoding="utf-8")
        ran = polster(other / "shop", *arguments)
        assert ran.code == 1
        assert first in ran.err
        assert mine.read_text("utf-8") == "mine\n"
