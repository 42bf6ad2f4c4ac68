"""The kit for the tests of plugins: fixtures, and what every plugin of a kind has to pass.

In a plugin's `tests/conftest.py`:

    pytest_plugins = ["polster_core.testing"]

and in its tests, a class for each thing that it offers:

    class TestPlugin(PluginContract):
        plugin = "storage-s3"                  # the name of the entry point

    class TestS3(StorageBackendContract):
        name = "s3"                            # polster init --storage s3
        answers = {"bucket": "lake"}           # --s3-bucket lake

The contracts are `PluginContract`, `StorageBackendContract`, `StorageContract`, `CicdContract`,
`AssetTemplateContract`, `ConnectorContract`, `RuleContract`, `CommandContract`, `ExecutorContract`,
`DeploymentContract`, `DoctorCheckContract`, `AssetColumnContract`, `InitOptionContract`,
`ProjectFilesContract`, `GitignoreContract` and `GuideSectionContract`; those of secrets and
listeners are in `polster_runtime.testing`. Polster's own plugins pass the same ones. The fixtures
are `make_project`, `run_polster`, `install_plugin`, `check_golden` and `set_up_project`. Needs
pytest; only `StorageContract` and `ConnectorContract` need more, the Python of a project's
environment.
"""

from polster_core.testing.cicd import CicdContract
from polster_core.testing.commands import CommandContract
from polster_core.testing.contributions import (
    GitignoreContract,
    InitOptionContract,
    ProjectFilesContract,
)
from polster_core.testing.deployments import DeploymentContract
from polster_core.testing.executors import ExecutorContract
from polster_core.testing.fixtures import (
    CheckGolden,
    InstallPlugin,
    MakeProject,
    RunPolster,
    SetUpProject,
    check_golden,
    install_plugin,
    make_project,
    run_polster,
    set_up_project,
)
from polster_core.testing.looks import (
    AssetColumnContract,
    DoctorCheckContract,
    GuideSectionContract,
)
from polster_core.testing.plugin import PluginContract
from polster_core.testing.projects import ProjectFolder, Ran, polster, tree
from polster_core.testing.rules import RuleContract
from polster_core.testing.storage import StorageContract, StorageProject
from polster_core.testing.storage_backends import StorageBackendContract
from polster_core.testing.templates import AssetTemplateContract, ConnectorContract, Source

__all__ = [
    "AssetColumnContract",
    "AssetTemplateContract",
    "CheckGolden",
    "CicdContract",
    "CommandContract",
    "ConnectorContract",
    "DeploymentContract",
    "DoctorCheckContract",
    "ExecutorContract",
    "GitignoreContract",
    "GuideSectionContract",
    "InitOptionContract",
    "InstallPlugin",
    "MakeProject",
    "PluginContract",
    "ProjectFilesContract",
    "ProjectFolder",
    "Ran",
    "RuleContract",
    "RunPolster",
    "SetUpProject",
    "Source",
    "StorageBackendContract",
    "StorageContract",
    "StorageProject",
    "check_golden",
    "install_plugin",
    "make_project",
    "polster",
    "run_polster",
    "set_up_project",
    "tree",
]
