"""Polster's own plugins pass the contracts of the kit that strangers' plugins pass.

What storage backends do with data is in tests/storage, what connectors read in tests/connectors.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from polster_core.plugins.installed import installed
from polster_core.plugins.offers import Offer
from polster_core.project.locate import Project
from polster_core.testing import (
    AssetColumnContract,
    AssetTemplateContract,
    CicdContract,
    DeploymentContract,
    DoctorCheckContract,
    ExecutorContract,
    GitignoreContract,
    GuideSectionContract,
    InitOptionContract,
    PluginContract,
    ProjectFilesContract,
    RuleContract,
    StorageBackendContract,
)
from polster_core.types import (
    AssetColumn,
    AssetTemplate,
    CicdGenerator,
    Deployment,
    DoctorCheck,
    Executor,
    Option,
    StorageBackend,
    ValidationRule,
)
from tests.handmade import shop, write_project
from tests.plugins.broken import BROKEN
from tests.project.test_broken import SHOP, git

CONNECTORS = {"api", "mysql", "sftp"}
"""Those whose contract is in tests/connectors, where there are servers."""
GENERATED = {
    *("edited-runtime", "manifest", "missing-generated-file", "open-conflict", "unseen-pipeline"),
}
"""Rules about what was generated: tests/upgrade has projects that were."""
ANSWERS: Mapping[str, Mapping[str, str]] = {
    "adls": {"account-name": "mylake", "container": "raw"},
    "latest": {"key": "id", "order-by": "changed_at", "columns": "name,amount:Float64"},
    "history": {"key": "id", "columns": "name,amount:Float64"},
    "append": {"columns": "name,amount:Float64"},
    "per-entity": {"key": "id"},
    "csv": {"path": "data/incoming/orders-*.csv"},
    "excel": {"path": "data/orders.xlsx"},
    "json": {"path": "data/orders.ndjson"},
    "parquet": {"path": "data/orders.parquet"},
}


def names(kind: type[Offer]) -> list[str]:
    """Return what Polster's own plugins offer, whatever others are installed here."""
    plugins = installed()
    return [name for name in plugins.offers(kind) if plugins.is_own(plugins.owner(kind, name))]


def own() -> list[str]:
    return [info.name for info in installed().infos if info.distribution == "polster"]


class TestPlugin(PluginContract):
    """Each, whatever it offers."""

    @pytest.fixture(autouse=True, params=own())
    def _called(self, request: pytest.FixtureRequest) -> None:
        self.plugin = request.param


class TestStorage(StorageBackendContract):
    """Each backend."""

    @pytest.fixture(autouse=True, params=names(StorageBackend))
    def _called(self, request: pytest.FixtureRequest) -> None:
        self.name, self.answers = request.param, ANSWERS.get(request.param, {})


class TestExecutor(ExecutorContract):
    """Each engine for steps."""

    @pytest.fixture(autouse=True, params=names(Executor))
    def _called(self, request: pytest.FixtureRequest) -> None:
        self.name = request.param


class TestDeployment(DeploymentContract):
    """Each way to run a project in production."""

    @pytest.fixture(autouse=True, params=names(Deployment))
    def _called(self, request: pytest.FixtureRequest) -> None:
        self.name = request.param


class TestCicd(CicdContract):
    """Each platform."""

    @pytest.fixture(autouse=True, params=names(CicdGenerator))
    def _called(self, request: pytest.FixtureRequest) -> None:
        self.name, self.answers = request.param, ANSWERS.get(request.param, {})


class TestTemplate(AssetTemplateContract):
    """Each kind of asset that reads no server."""

    @pytest.fixture(
        autouse=True,
        params=[name for name in names(AssetTemplate) if name not in {*CONNECTORS, "project"}],
    )
    def _called(self, request: pytest.FixtureRequest) -> None:
        self.name, self.answers = request.param, ANSWERS.get(request.param, {})


class TestOtherProject(AssetTemplateContract):
    """A bronze asset over the gold of a project in the folder beside."""

    name = "project"
    answers: Mapping[str, str] = {"from": "../crm:gold_revenue"}

    @pytest.fixture
    def root(self, pristine: Path, tmp_path: Path) -> Path:
        """Return a project beside the one that it reads."""
        settings = '[project]\nname = "crm"\n\n[tool.polster]\nkey-prefix = "crm"\n'
        write_project(tmp_path / "crm", {**shop(SHOP), "pyproject.toml": settings})
        return Path(shutil.copytree(pristine, tmp_path / "shop"))


class TestRule(RuleContract):
    """Each rule."""

    assets = SHOP

    def prepare(self, root: Path) -> None:
        """Let git track everything: one rule is about that."""
        if self.name == "secret":
            git(Project(root))

    @pytest.fixture(
        autouse=True,
        params=[name for name in names(ValidationRule) if name not in GENERATED],
    )
    def _called(self, request: pytest.FixtureRequest) -> None:
        self.name, self.broken = request.param, BROKEN[request.param]


class TestCheck(DoctorCheckContract):
    """Each check of `polster doctor`."""

    @pytest.fixture(autouse=True, params=names(DoctorCheck))
    def _called(self, request: pytest.FixtureRequest) -> None:
        self.name = request.param


class TestColumn(AssetColumnContract):
    """Each column of `polster list-assets`."""

    @pytest.fixture(autouse=True, params=names(AssetColumn))
    def _called(self, request: pytest.FixtureRequest) -> None:
        self.name = request.param
        self.expected = COLUMNS[self.name]


COLUMNS: Mapping[str, Mapping[str, str]] = {
    "file": {"silver_orders": "src/core/silver_orders.py"},
    "contract": {"bronze_orders": "yes"},
    "used-by": {"bronze_orders": "silver_orders", "silver_orders": ""},
}


class TestAzureSection(GuideSectionContract):
    """The page about Azure is named in the guide to stored data."""

    plugin = "storage-adls"
    options = ("--storage", "adls", "--adls-account-name", "mylake", "--adls-container", "raw")


class TestOption(InitOptionContract):
    """Each option of `polster init` that a plugin of ours adds."""

    @pytest.fixture(autouse=True, params=names(Option))
    def _called(self, request: pytest.FixtureRequest) -> None:
        self.name = request.param


class TestFiles(ProjectFilesContract):
    """The skeleton of every project; the samples belong to the team, and no upgrade writes them."""

    plugin = "project"


class TestReports(GitignoreContract):
    """What pipelines leave behind."""

    plugin = "project"
    options = ("--cicd", "github-actions")
    ignored = ("reports/junit.xml",)
