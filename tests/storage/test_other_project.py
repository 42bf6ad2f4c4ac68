"""A bronze asset over the gold of another project whose data is in Azure."""

from __future__ import annotations

from pathlib import Path

import pytest

from polster_runtime.config import environment
from polster_runtime.errors import SettingsError, StorageError
from polster_runtime.execution.materialize import materialize
from polster_runtime.sources.project.place import store_of
from polster_runtime.storage.backends.adls.data_lake import DataLake
from tests.runtime.conftest import CoreFile, core_file, project
from tests.runtime.sources.test_project import CORE, Crm, ids
from tests.storage.azurite import ACCOUNT, KEY, Azurite

OTHER = KEY[1] + KEY[0] + KEY[2:]
"""A key that is none of this account."""
__all__ = ["core_file", "project"]


def test_what_is_in_azure_is_read_by_settings_and_by_address(
    project: Path,
    core_file: CoreFile,
    azurite: Azurite,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    container = azurite.create("other")
    crm = Crm(project / "crm")
    settings = azurite.variables(container)
    crm.settings("\n".join(f"{name}={text}" for name, text in settings.items()))
    crm.store = store_of("crm", "CRM")
    assert isinstance(crm.store, DataLake)
    core = core_file("bronze_customers", CORE)
    crm.publish(1, 2)
    assert materialize(core.extract, []).rows == 2
    crm.append(3)
    assert (materialize(core.extract, []).rows, ids()) == (1, [1, 2, 3])
    assert materialize(core.extract, []).rows == 0

    crm.settings("")  # the folder no longer says it
    address = f"abfss://{container}@{ACCOUNT}.dfs.core.windows.net/crm/data"
    for name, text in (("DATA", address), ("ADLS_ENDPOINT", azurite.endpoint)):
        monkeypatch.setenv(f"CRM_{name}", text)
    not_whole = "^crm: ADLS_ACCOUNT_KEY: the account key is not whole"
    for key, said in ((KEY[1:], not_whole), (OTHER, "the account key was refused")):
        monkeypatch.setenv("CRM_ADLS_ACCOUNT_KEY", key)
        environment._load_dotenv.cache_clear()
        with pytest.raises((SettingsError, StorageError), match=said) as refused:
            materialize(core.extract, [])
        assert key not in str(refused.value)
    monkeypatch.setenv("CRM_ADLS_ACCOUNT_KEY", KEY)
    assert (materialize(core.extract, []).rows, ids()) == (0, [1, 2, 3])
    crm.publish(9)
    materialize(core.extract, [])
    assert ids() == [9]
