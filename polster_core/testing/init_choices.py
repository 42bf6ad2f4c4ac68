"""What everything promises that `polster init --OPTION NAME` chooses: storage, CI/CD platforms."""

from __future__ import annotations

from pathlib import Path

from polster_core.testing.offers import SECRET, WIDE, OfferContract, files_of, init
from polster_core.testing.projects import polster
from polster_core.types import CicdGenerator, EnvVar, ProjectContext, StorageBackend


class InitChoiceContract(OfferContract):
    """What is the same for all that can be chosen; `option` is with what."""

    option: str

    def test_it_is_in_the_help(self, tmp_path: Path) -> None:
        """With every option."""
        shown = polster(tmp_path, "init", "--help", env=WIDE).succeeded().out
        assert self.name in shown.partition(f"{self.option} [")[2].partition("]")[0].split("|")
        for option in self.offer().options:
            assert f"--{self.name}-{option.name}" in shown

    def test_an_option_that_is_missing_is_named(self, tmp_path: Path) -> None:
        """Without a terminal nobody is asked."""
        for option in self.offer().options:
            if option.required:
                flags = self.flags(prefix=f"{self.name}-", without=option.name)
                ran = init(tmp_path, self.option, self.name, *flags)
                assert (ran.code, list(tmp_path.iterdir())) == (2, [])
                assert f"--{self.name}-{option.name}" in ran.err

    def test_the_same_answers_write_the_same_project(self, tmp_path: Path) -> None:
        """No time, no chance, no name of this machine."""
        for folder in ("a", "b"):
            (tmp_path / folder).mkdir()
            self.init(tmp_path / folder)
        one, other = (files_of(tmp_path / folder / "shop") for folder in ("a", "b"))
        assert {path for path in {*one, *other} if one.get(path) != other.get(path)} == set()

    def test_a_dry_run_writes_nothing(self, tmp_path: Path) -> None:
        """Not even a folder."""
        self.init(tmp_path, "--dry-run")
        assert list(tmp_path.iterdir()) == []

    def test_it_writes_no_secret(self) -> None:
        """Whatever it is told, and whosever it is: secrets are in `.env`, which others write."""
        offer = self.offer()
        prefixed = {f"{self.name}-{name}": text for name, text in self.given().items()}
        env = (*offer.env, EnvVar(name="KIT_PASSWORD", help="Of somebody else.", secret=True))
        context = ProjectContext(
            name="shop",
            storage=self.name if self.kind is StorageBackend else "local",
            cicd=self.name if self.kind is CicdGenerator else "none",
            answers={**prefixed, "kit-password": SECRET},
            env=env,
            values={one.name: SECRET if one.secret else one.default for one in env},
        )
        for file in offer.files(context):
            assert SECRET.encode() not in file.content, file.path

    def init(self, folder: Path, *options: str) -> None:
        """Make the project `shop` with it, without a warning and without a secret on the screen."""
        flags = self.flags(prefix=f"{self.name}-")
        ran = init(folder, self.option, self.name, *flags, *options).succeeded()
        assert ran.warnings == ""
        assert SECRET not in ran.out
