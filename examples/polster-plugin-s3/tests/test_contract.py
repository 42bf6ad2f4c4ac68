"""What Polster asks of every plugin, and of every storage backend."""

from __future__ import annotations

import pytest
from shop import Server, Shop

from polster_core.testing import (
    PluginContract,
    StorageBackendContract,
    StorageContract,
    StorageProject,
)


class TestPlugin(PluginContract):
    """The distribution."""

    plugin = "s3"


class TestBackend(StorageBackendContract):
    """What `--storage s3` writes."""

    name = "s3"
    answers = {"bucket": "lake"}  # noqa: RUF012 - that is how the kit asks for it


@pytest.fixture(scope="module")
def bucket(template: Shop, server: Server) -> StorageProject:
    """Make a bucket for all tests here."""
    variables = server.variables(server.create("contract"))
    return StorageProject(root=template.root, python=template.python, variables=variables)


class TestBucket(StorageContract):
    """A bucket of moto's."""

    @pytest.fixture
    def stored(self, bucket: StorageProject) -> StorageProject:
        """Use it."""
        return bucket
