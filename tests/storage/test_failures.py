"""What a user reads when Azure refuses, is away, is slow or dies: one line, in time."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Mapping

import pytest

from tests.generated.projects import PROGRAMS, Generated, told
from tests.services import free_port
from tests.storage import azurite as emulator
from tests.storage.azurite import KEY, Azurite, endpoint, sas
from tests.storage.proxies import BUSY, TOO_MANY, proxy

DOCTOR = "or run  python -m polster_runtime doctor\n"
LOADED = 4
"""How much longer everything may take on a machine that has much else to do."""
WRONG_KEY = "AAAA" + KEY[4:]

LARGE = """
    def extract() -> pl.DataFrame:
        return pl.DataFrame({"x": range(3_000_000)}).with_columns(y=pl.col("x").shuffle(seed=1))
"""


def failure(shop: Generated, env: Mapping[str, str], seconds: float, **how: bool) -> str:
    """Run an asset that must fail in time, and return the only line that it prints."""
    began = time.monotonic()
    done = shop.core("bronze_example", env=env, **how)
    took = time.monotonic() - began
    assert done.returncode == 1, told(done)
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1, told(done)
    if took >= seconds * LOADED:  # a busy machine takes long to start anything
        began = time.monotonic()
        assert (
            shop.python("-c", "import polster_runtime.execution.materialize, adlfs").returncode == 0
        )
        took -= time.monotonic() - began
    assert took < seconds * LOADED, f"{took:.1f} s"
    for secret in (KEY, WRONG_KEY, env.get("ADLS_SAS_TOKEN") or KEY):
        assert secret not in done.stderr
    return done.stderr


def where(container: str) -> str:
    return (
        f"error: bronze_example: Azure Data Lake: account devstoreaccount1, container {container}: "
    )


def test_a_wrong_key(shop: Generated, azurite: Azurite) -> None:
    env = azurite.variables("anything", ADLS_ACCOUNT_KEY=WRONG_KEY)
    assert failure(shop, env, 15) == (
        f"{where('anything')}the account key was refused (403 AuthorizationFailure); check "
        f"ADLS_ACCOUNT_KEY, {DOCTOR}"
    )


def test_p14_no_credentials_are_one_sentence_and_what_a_run_goes_on_without(
    shop: Generated,
) -> None:
    """Azure's own library looks for an identity; without the tools of developers it has none."""
    env = {"STORAGE_BACKEND": "adls", "ADLS_ACCOUNT_NAME": "mylake", "ADLS_CONTAINER": "raw"}
    env |= {"AZURE_TOKEN_CREDENTIALS": "dev", "HOME": str(shop.root), "PATH": "/nowhere"}
    said = (
        "Azure Data Lake: account mylake, container raw: there are no credentials; set "
        "ADLS_ACCOUNT_KEY (or another of the secrets), or log in with  az login, "
    )
    assert failure(shop, env, 15) == f"error: bronze_example: {said}{DOCTOR}"
    done = shop.core("bronze_example", env={**env, "ADLS_FALLBACK_TO_LOCAL": "true"})
    assert done.returncode == 0, told(done)
    assert "the cloud cannot be reached: this run goes on here" in done.stderr
    assert said in done.stderr
    assert "DefaultAzureCredential" not in done.stderr


def test_an_expired_sas(shop: Generated, azurite: Azurite) -> None:
    container = azurite.create("expired")
    token = sas(container, hours=-1)
    line = failure(shop, azurite.variables(container, ADLS_SAS_TOKEN=token), 15)
    assert line.startswith(f"{where(container)}the SAS token, which ends ")
    assert line.endswith(
        f", was refused (403 AuthorizationFailure); check ADLS_SAS_TOKEN, {DOCTOR}"
    )


def test_a_sas_that_may_only_read(shop: Generated, azurite: Azurite) -> None:
    container = azurite.create("readonly")
    env = azurite.variables(container, ADLS_SAS_TOKEN=sas(container, "rl"))
    assert failure(shop, env, 15) == (
        f"{where(container)}the SAS token may not do this (403 AuthorizationPermissionMismatch); "
        f"a SAS needs the permissions read, add, create, write, delete and list (racwdl), {DOCTOR}"
    )


def test_a_container_that_is_missing(shop: Generated, azurite: Azurite) -> None:
    assert failure(shop, azurite.variables("missing"), 15) == (
        f"{where('missing')}there is no such container; check ADLS_CONTAINER, or create it:  az "
        "storage container create --account-name devstoreaccount1 --name missing "
        "--auth-mode login\n"
    )


def test_a_name_that_does_not_resolve(shop: Generated, azurite: Azurite) -> None:
    env = azurite.variables("lake") | {
        "ADLS_ENDPOINT": "http://mylake.blob.invalid/devstoreaccount1"
    }
    assert failure(shop, env, 30) == (
        f"{where('lake')}there is no mylake.blob.invalid; check ADLS_ACCOUNT_NAME and the network, "
        f"{DOCTOR}"
    )


def test_a_connection_that_is_refused(shop: Generated, azurite: Azurite) -> None:
    port = free_port()
    env = azurite.variables("lake") | {"ADLS_ENDPOINT": endpoint(port)}
    assert failure(shop, env, 15) == (
        f"{where('lake')}127.0.0.1:{port} cannot be reached (the connection was refused); check "
        f"the network and the firewall of the account, {DOCTOR}"
    )


def test_a_server_that_never_answers(shop: Generated, azurite: Azurite) -> None:
    with proxy(azurite.port) as between:
        between.silent = True
        env = azurite.variables("lake") | {"ADLS_ENDPOINT": endpoint(between.port)}
        line = failure(shop, env, 60)
    assert line == (
        f"{where('lake')}127.0.0.1:{between.port} cannot be reached (it does not answer); check "
        f"the network and the firewall of the account, {DOCTOR}"
    )


@pytest.mark.parametrize("answer", [BUSY, TOO_MANY], ids=["503", "429"])
def test_a_server_that_is_too_busy(shop: Generated, azurite: Azurite, answer: bytes) -> None:
    with proxy(azurite.port) as between:
        between.answers, between.always = [answer], True
        env = azurite.variables("lake") | {"ADLS_ENDPOINT": endpoint(between.port)}
        line = failure(shop, env, 30)
    status = answer[9:12].decode()
    assert line.startswith(f"{where('lake')}Azure is too busy ({status} ")
    assert line.endswith(f"); run it again later, {DOCTOR}")


def test_a_server_that_was_busy_for_a_moment(shop: Generated, azurite: Azurite) -> None:
    container = azurite.create("moment")
    with proxy(azurite.port) as between:
        between.answers = [BUSY, BUSY]
        env = azurite.variables(container) | {"ADLS_ENDPOINT": endpoint(between.port)}
        done = shop.core("bronze_example", env=env)
    assert done.returncode == 0, told(done)


def test_a_server_that_dies_in_mid_write(shop: Generated, azurite: Azurite) -> None:
    container = azurite.create("dies")
    shop.add("bronze_large", LARGE)
    with proxy(azurite.port) as between:
        env = azurite.variables(container) | {"ADLS_ENDPOINT": endpoint(between.port)}
        assert shop.core("bronze_large", env=env).returncode == 0
        between.dies_after = 2**20
        began = time.monotonic()
        done = shop.core("bronze_large", env=env)
        assert time.monotonic() - began < 60 * LOADED
        assert done.returncode == 1, told(done)
        assert "cannot be reached" in done.stderr, told(done)
        assert "Traceback" not in done.stderr
        between.dies_after = None
        assert len(snapshots(shop, env)) == 1
    assert shop.staged() == []


def snapshots(shop: Generated, env: Mapping[str, str]) -> list[str]:
    done = shop.program("snapshot_rows", "bronze_large", env=env)
    assert done.returncode == 0, told(done)
    found = json.loads(done.stdout)
    assert {rows for _, rows in found} <= {3_000_000}
    return [path for path, _ in found]


BAD: dict[str, tuple[dict[str, str], str]] = {
    "account with dots": (
        {"ADLS_ACCOUNT_NAME": "mylake.dfs.core.windows.net"},
        (
            "ADLS_ACCOUNT_NAME must be the name of a storage account alone, 3 to 24 lower-case "
            "letters and digits such as mylake, not 'mylake.dfs.core.windows.net'"
        ),
    ),
    "account as URL": (
        {"ADLS_ACCOUNT_NAME": "https://mylake"},
        (
            "ADLS_ACCOUNT_NAME must be the name of a storage account alone, 3 to 24 lower-case "
            "letters and digits such as mylake, not 'https://mylake'"
        ),
    ),
    "container with capitals": (
        {"ADLS_CONTAINER": "Raw"},
        "ADLS_CONTAINER must be 3 to 63 lower-case letters, digits and single dashes, not 'Raw'",
    ),
    "no container": (
        {"ADLS_CONTAINER": ""},
        "ADLS_CONTAINER must be 3 to 63 lower-case letters, digits and single dashes, not ''",
    ),
    "base path with ..": (
        {"ADLS_BASE_PATH": "shop/../other"},
        "ADLS_BASE_PATH must be a path such as shop/data, not 'shop/../other'",
    ),
    "key and SAS": (
        {"ADLS_SAS_TOKEN": "sv=1&sig=2"},
        "ADLS_ACCOUNT_KEY and ADLS_SAS_TOKEN are both set: keep one of them",
    ),
    "half a key": (
        {"ADLS_ACCOUNT_KEY": "abc"},
        "ADLS_ACCOUNT_KEY: the account key is not whole: copy it again",
    ),
    "half a connection string": (
        {"ADLS_ACCOUNT_KEY": "", "ADLS_CONNECTION_STRING": "AccountName=devstoreaccount1"},
        (
            "ADLS_CONNECTION_STRING must hold AccountName= and AccountKey=, or BlobEndpoint= and "
            "SharedAccessSignature=: copy all of it"
        ),
    ),
    "secret alone": (
        {"ADLS_ACCOUNT_KEY": "", "ADLS_CLIENT_SECRET": "x"},
        "ADLS_CLIENT_SECRET needs ADLS_TENANT_ID and ADLS_CLIENT_ID",
    ),
    "identity over http": (
        {"ADLS_ACCOUNT_KEY": ""},
        f"this machine's identity needs https, not {endpoint(9)}",
    ),
    "sample of -1": (
        {"DUAL_WRITE_SAMPLE_SIZE": "-1"},
        "DUAL_WRITE_SAMPLE_SIZE must be 0 or more, not -1",
    ),
    "sample of many": (
        {"DUAL_WRITE_SAMPLE_SIZE": "many"},
        "DUAL_WRITE_SAMPLE_SIZE must be a whole number, not 'many'",
    ),
    "fallback perhaps": (
        {"ADLS_FALLBACK_TO_LOCAL": "perhaps"},
        "ADLS_FALLBACK_TO_LOCAL must be true or false, not 'perhaps'",
    ),
}


def test_bad_settings_are_one_line_before_any_data_moves(shop: Generated) -> None:
    env = shop.variables(Azurite(9).variables("lake"))
    done = subprocess.run(
        [shop.interpreter, PROGRAMS / "try_settings.py"],
        check=True,
        cwd=shop.root,
        env=env,
        input=json.dumps([changed for changed, _ in BAD.values()]),
        capture_output=True,
        encoding="utf-8",
    )
    assert done.stdout.splitlines() == [line for _, line in BAD.values()]


def test_an_unknown_backend(shop: Generated) -> None:
    assert failure(shop, {"STORAGE_BACKEND": "s3"}, 15) == (
        "error: bronze_example: STORAGE_BACKEND=s3: this project has adls, local; add another "
        "with  polster storage add s3\n"
    )


def test_a_backend_whose_package_is_missing(shop: Generated) -> None:
    shop.write({"src/adlfs/__init__.py": 'raise ModuleNotFoundError("x", name="adlfs")'})
    assert failure(shop, Azurite(9).variables("lake"), 15, cold=True) == (
        "error: bronze_example: STORAGE_BACKEND=adls: the package adlfs is not installed; install "
        "what pyproject.toml lists with  pip install -e .\n"
    )


def test_no_secret_in_repr(shop: Generated, azurite: Azurite) -> None:
    container = azurite.create("repr")
    code = "from core.storage import store; s = store(); print(repr(s), s, vars(s.access), s.fs)"
    for env in (
        azurite.variables(container),
        azurite.variables(container, ADLS_CONNECTION_STRING=azurite.connection_string()),
    ):
        done = shop.python("-c", code.replace("vars(s.access)", "s.access"), env=env)
        assert done.returncode == 0, told(done)
        assert emulator.KEY not in done.stdout
