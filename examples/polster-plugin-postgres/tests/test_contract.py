"""What Polster asks of every plugin, and of every connector."""

from __future__ import annotations

import pytest
from database import Database
from shop import Shop

from polster_core.testing import ConnectorContract, PluginContract, Source


class TestPlugin(PluginContract):
    """The distribution."""

    plugin = "postgres"


class TestConnector(ConnectorContract):
    """The template."""

    name = "postgres"
    answers = {"table": "orders"}  # noqa: RUF012 - that is how the kit asks for it

    @pytest.fixture
    def source(self, database: Database, template: Shop) -> Source:
        """Read the three orders."""
        return Source(
            python=template.python,
            rows=3,
            variables=database.variables,
            wrong={"POSTGRES_PASSWORD": "wrong-and-s3cret"},
        )
