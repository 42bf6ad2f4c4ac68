"""SECRETS=azure-key-vault, against a server that speaks the REST API of Key Vault."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from polster_runtime.config import environment, key_vault
from polster_runtime.config.secrets import Files, SecretProvider
from polster_runtime.errors import SettingsError
from polster_runtime.testing.secrets_contract import SecretProviderContract
from tests.runtime.key_vault import TOKEN, Vault, served

SECRET = "s3cr3t of the vault"  # noqa: S105 - not one
SECRETS = {"CRM-PASSWORD": SECRET, "mysql-password": "of others", "OLD": "x", "OTHER": "y"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("vault")


@pytest.fixture
def vault(folder: Path, project: Path) -> Iterator[Vault]:
    """Serve a vault, and be a project on a machine with an identity that may read it."""
    text = '[project]\nname = "shop"\n\n[project.entry-points."polster_runtime.secrets"]\n'
    text += 'azure-key-vault = "polster_runtime.config.key_vault"\n\n[tool.polster]\n'
    (project / "pyproject.toml").write_text(text)
    (project / ".env.example").write_text("CRM_PASSWORD=\n# MYSQL_PASSWORD=\n# OLD=\n# NEW=\n")
    with served(Vault(dict(SECRETS), disabled={"OLD"}), folder) as found:
        os.environ |= {
            "SECRETS": "azure-key-vault",
            "AZURE_KEY_VAULT_URL": f"{found.url}/",
            "IDENTITY_ENDPOINT": found.identity,
            "IDENTITY_HEADER": "header",
            "REQUESTS_CA_BUNDLE": str(found.authority),
        }
        yield found


class TestKeyVault(SecretProviderContract):
    """It is a provider like others."""

    expected = {"CRM_PASSWORD": SECRET, "MYSQL_PASSWORD": "of others"}  # noqa: RUF012

    @pytest.fixture
    def provider(self, vault: Vault) -> SecretProvider:
        """Connect."""
        del vault
        return key_vault.connect()


class TestFiles(SecretProviderContract):
    """Those of Docker, in either case."""

    expected = {"CRM_PASSWORD": "schön", "API_TOKEN": "x=y\nz"}  # noqa: RUF012

    @pytest.fixture
    def provider(self, tmp_path: Path) -> SecretProvider:
        """Write them."""
        folder = tmp_path / "secrets"
        folder.mkdir()
        (folder / "crm_password").write_text("schön\n")
        (folder / "API_TOKEN").write_text("x=y\nz\n")
        return Files(folder)


def refused() -> str:
    with pytest.raises(SettingsError) as raised:
        environment.variables()
    assert raised.value.__cause__ is None
    return str(raised.value)


def test_variables_of_a_vault(vault: Vault, capfd: pytest.CaptureFixture[str]) -> None:
    """What .env.example names, and the vault has, and nobody has set; one page after the other."""
    os.environ["MYSQL_PASSWORD"] = "of the shell"  # noqa: S105 - not one
    given = environment.variables()
    assert given["CRM_PASSWORD"] == SECRET
    assert given["MYSQL_PASSWORD"] == "of the shell"  # noqa: S105 - not one
    assert {"OLD", "NEW", "OTHER"} & given.keys() == set()
    paths = [path.strip("/") for path, with_token in vault.asked if with_token]
    assert paths == ["secrets", "secrets", "secrets/CRM-PASSWORD"]
    assert vault.asked[0] == ("/secrets", False), "no token goes to who has not asked for one"
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("path", "what"), [("/secrets", "list"), ("/secrets/CRM-PASSWORD/", "get CRM-PASSWORD")]
)
def test_a_vault_that_refuses(
    path: str, what: str, vault: Vault, capfd: pytest.CaptureFixture[str]
) -> None:
    """In a sentence, which has nothing of what the vault answered."""
    vault.refuses |= {path, path.rstrip("/")}
    assert refused() == (
        f"{vault.url} refused to {what} (403): give this identity the role Key Vault Secrets User, "
        "and let its network in"
    )
    assert SECRET not in "".join(capfd.readouterr())


def test_a_secret_that_goes_while_it_is_read(vault: Vault) -> None:
    provider = key_vault.connect()
    assert provider.names() >= {"CRM_PASSWORD", "MYSQL_PASSWORD"}
    vault.secrets.pop("CRM-PASSWORD")
    with pytest.raises(SettingsError, match=r"has no such secret any more .get CRM-PASSWORD.$"):
        provider.get("CRM_PASSWORD")


def test_a_machine_without_an_identity(vault: Vault, capfd: pytest.CaptureFixture[str]) -> None:
    os.environ["IDENTITY_HEADER"] = "of another"
    told = refused()
    assert told.startswith(f"{vault.url} lets nobody in")
    assert told.endswith("AZURE_CLIENT_SECRET of a service principal")
    assert TOKEN not in "".join((*capfd.readouterr(), told))


def test_a_vault_whose_certificate_nobody_knows(vault: Vault) -> None:
    os.environ.pop("REQUESTS_CA_BUNDLE")
    assert refused().startswith(f"{vault.url} cannot be reached: ")


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("", "AZURE_KEY_VAULT_URL is not set; SECRETS=azure-key-vault reads the vault at that"),
        ("http://x.vault.azure.net", "AZURE_KEY_VAULT_URL must be an address such as https://"),
        ("https://u:p@x.vault.azure.net", "AZURE_KEY_VAULT_URL must be an address such as"),
        ("myvault", "AZURE_KEY_VAULT_URL must be an address such as https://NAME.vault.azure"),
    ],
)
def test_an_address_that_is_none(url: str, said: str, vault: Vault) -> None:
    os.environ["AZURE_KEY_VAULT_URL"] = url
    assert refused().startswith(said)
    assert vault.asked == []


@pytest.mark.usefixtures("vault")
def test_a_package_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "azure.keyvault.secrets", None)
    assert refused() == (
        "SECRETS=azure-key-vault needs two packages:  uv add azure-identity azure-keyvault-secrets"
    )
