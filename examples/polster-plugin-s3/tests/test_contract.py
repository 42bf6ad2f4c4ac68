"""What Polster asks of every storage backend."""

from __future__ import annotations

import pytest
from shop import Server, Shop

from polster_core.testing import StorageContract, StorageProject


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
