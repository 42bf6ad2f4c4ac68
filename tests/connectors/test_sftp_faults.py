"""The template `sftp` where things go wrong: one clear line, nothing published, nothing lost."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest

from tests.connectors.conftest import MakeShop, Shop, maker
from tests.connectors.programs import program
from tests.connectors.ssh_servers import (
    PASSPHRASE,
    PASSWORD,
    USER,
    Faulty,
    faulty,
    new_key,
    sshd,
)
from tests.generated.projects import told
from tests.services import free_port

ROUNDS = int(os.environ.get("KILLS", "28"))


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of files that the servers of this module serve."""
    folder = tmp_path_factory.mktemp("served")
    (folder / "out").mkdir()
    (folder / "empty").mkdir()
    (folder / "secret").mkdir()
    for number in range(3):
        (folder / f"out/{number}.csv").write_text(f"id,name\n{number},Zoë\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a private key with a passphrase, beside its public one."""
    file = tmp_path_factory.mktemp("keys") / "locked"
    new_key(file, PASSPHRASE)
    return file


@pytest.fixture(scope="module")
def server(root: Path, keys: Path) -> Iterator[Faulty]:
    """Return a server that works."""
    with faulty(root, authorized=keys.with_suffix(".pub")) as running:
        yield running


@pytest.fixture(scope="module")
def runs(
    tmp_path_factory: pytest.TempPathFactory,
    runtime: Path,
    templates: Mapping[bool, Path],
    server: Faulty,
) -> Shop:
    """Return a project with an asset that has run; tests change only the shell's variables."""
    made = maker(tmp_path_factory.mktemp("faults"), runtime, templates)()
    made.add_asset("orders", "--template", "sftp", "--pattern", "/out/*.csv")
    made.add_asset("gone", "--template", "sftp", "--pattern", "/gone/*.csv")
    made.env(**server.variables())
    done = made.direct("bronze_orders")
    assert done.returncode == 0, told(done)
    assert "3 rows" in done.stdout
    return made


def fails(runs: Shop, asset: str = "bronze_orders", **env: object) -> str:
    """Run the asset again: one line, no snapshot, nothing left, no secret; return the line."""
    before = runs.files(asset)
    done = runs.direct(asset, "--full-refresh", **env)
    assert done.returncode == 1, told(done)
    assert runs.files(asset) == before
    assert runs.staged() == []
    (line,) = done.stderr.splitlines()
    assert PASSWORD not in line
    assert PASSPHRASE not in line
    return line.removeprefix(f"error: {asset}: ")


def shell(server: Faulty) -> dict[str, str]:
    """Return the variables of a server as a shell has them."""
    return {name: str(value).strip("'") for name, value in server.variables().items()}


@contextmanager
def speaking(words: bytes) -> Iterator[int]:
    """Listen on a port and answer everybody with some words."""
    over = Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(0.1)

        def answer() -> None:
            calls = []
            while not over.is_set():
                try:
                    calls.append(listening.accept()[0])
                except TimeoutError:
                    continue
                calls[-1].sendall(words)
                if words:
                    calls.pop().close()
            for call in calls:
                call.close()

        thread = Thread(target=answer)
        thread.start()
        try:
            yield listening.getsockname()[1]
        finally:
            over.set()
            thread.join()


def test_all_missing_variables_are_named_at_once(runs: Shop) -> None:
    nothing = {f"SFTP_{name}": "" for name in ("HOST", "USER", "PASSWORD")}
    assert fails(runs, **nothing).startswith(
        "SFTP_HOST, SFTP_USER and SFTP_PASSWORD are not set; put "
    )
    nothing["SFTP_KEY_FILE"] = "key"
    assert fails(runs, **nothing).startswith("SFTP_HOST and SFTP_USER are not set; put ")


def test_a_port_that_is_no_number(runs: Shop) -> None:
    assert fails(runs, SFTP_PORT="ssh") == "SFTP_PORT must be a whole number, not 'ssh'"


def test_a_port_that_there_is_not(runs: Shop) -> None:
    line = fails(runs, SFTP_PORT=70_000)
    assert line == "127.0.0.1:70000: there is no such port; check SFTP_PORT"


def test_an_unknown_host(runs: Shop) -> None:
    line = fails(runs, SFTP_HOST="no-such-host.invalid")
    assert line.endswith("unknown host; check SFTP_HOST")


def test_nobody_listens(runs: Shop) -> None:
    port = free_port()
    line = fails(runs, SFTP_PORT=port)
    assert line == f"127.0.0.1:{port}: connection refused; check SFTP_HOST and SFTP_PORT"


def test_the_port_of_something_else(runs: Shop) -> None:
    with speaking(b"HTTP/1.1 400 Bad Request\r\n\r\n") as port:
        line = fails(runs, SFTP_PORT=port)
    assert line.startswith(f"127.0.0.1:{port}: ")
    assert "check SFTP_PORT" in line


def test_nobody_answers(runs: Shop) -> None:
    with speaking(b"") as port:
        line = fails(runs, SFTP_PORT=port, SFTP_TIMEOUT_SECONDS=0.5)
    assert line.startswith(f"127.0.0.1:{port}: ")
    assert "check SFTP_" in line


def test_a_wrong_password(runs: Shop, server: Faulty) -> None:
    server.logins.clear()
    line = fails(runs, SFTP_PASSWORD="wrong")  # noqa: S106 - it is wrong
    where = f"127.0.0.1:{server.port}"
    assert line == f"{where}: {USER} is not let in; check SFTP_USER and SFTP_PASSWORD"
    assert server.logins == [USER], "one try: a second could lock the account"


def test_keys(runs: Shop, keys: Path) -> None:
    by_key: dict[str, Any] = {"SFTP_PASSWORD": "", "SFTP_KEY_FILE": keys}
    assert "check SFTP_KEY_FILE and SFTP_KEY_PASSPHRASE" in fails(runs, **by_key)
    by_key["SFTP_KEY_PASSPHRASE"] = "wrong"  # noqa: S105 - it is
    assert "check SFTP_KEY_FILE and SFTP_KEY_PASSPHRASE" in fails(runs, **by_key)
    by_key["SFTP_KEY_PASSPHRASE"] = PASSPHRASE
    done = runs.direct("bronze_orders", **by_key)
    assert done.returncode == 0, told(done)
    by_key["SFTP_KEY_FILE"] = keys.with_name("none")
    line = fails(runs, **by_key)
    assert line == f"{keys.with_name('none')}: No such file or directory; check SFTP_KEY_FILE"


def test_a_host_key_that_nobody_knows(runs: Shop, server: Faulty, tmp_path: Path) -> None:
    server.logins.clear()
    unknown: dict[str, Any] = {"SFTP_HOST_KEY": "", "SFTP_KNOWN_HOSTS": tmp_path / "none"}
    line = fails(runs, **unknown)
    assert line.startswith(f"the host key of 127.0.0.1:{server.port} is not known: it is ssh-ed2")
    assert line.endswith(f"then set SFTP_HOST_KEY={server.host_key}")
    assert server.logins == [], "neither the name nor the password was sent"


def test_a_host_key_that_has_changed(project: MakeShop, root: Path, tmp_path: Path) -> None:
    shop, known = project(), tmp_path / "known_hosts"
    shop.add_asset("orders", "--template", "sftp", "--pattern", "/out/*.csv")
    with faulty(root) as first:
        known.write_text(f"[127.0.0.1]:{first.port} {first.host_key}\n", encoding="utf-8")
        shop.env(**{**first.variables(), "SFTP_HOST_KEY": "", "SFTP_KNOWN_HOSTS": known})
        done = shop.direct("bronze_orders")
        assert done.returncode == 0, told(done)
    with faulty(root, port=first.port) as second:
        for pinned in ("", first.host_key):
            line = fails(shop, SFTP_HOST_KEY=pinned)
            assert line.startswith(f"THE HOST KEY OF 127.0.0.1:{first.port} HAS CHANGED: it is ")
            assert line.endswith(f"only then set SFTP_HOST_KEY={second.host_key}")
            assert second.logins == []
        done = shop.direct("bronze_orders", SFTP_HOST_KEY=second.host_key)
        assert done.returncode == 0, told(done)


def test_a_server_without_a_key_of_the_kind_that_is_known(
    runs: Shop, server: Faulty, tmp_path: Path
) -> None:
    new_key(tmp_path / "other", kind="ecdsa")
    key = (tmp_path / "other.pub").read_text("utf-8").strip()
    server.logins.clear()
    line = fails(runs, SFTP_HOST_KEY=key)
    for _ in range(20):  # the server knows it as well, and may hang up first
        if "the connection was lost; run it again" not in line:
            break
        line = fails(runs, SFTP_HOST_KEY=key)
    assert "HAS CHANGED" in line
    assert "SFTP_HOST_KEY is no key" in fails(runs, SFTP_HOST_KEY="SHA256:abc")
    assert server.logins == []


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ({"vanish": {"/out/1.csv"}}, "/out/1.csv is not on the server, or no longer; run it again"),
        ({"deny": {"/out/2.csv"}}, "/out/2.csv: the server does not let it be read; ask who runs"),
        ({"deny": {"/out"}}, "/out: the server does not let it be read; ask who runs it"),
        ({"hang_up_at": 20}, "the connection was lost; run it again"),
    ],
)
def test_a_file_that_cannot_be_read(
    runs: Shop, root: Path, fault: dict[str, Any], says: str
) -> None:
    with faulty(root) as server:
        for name, value in fault.items():
            setattr(server, name, value)
        line = fails(runs, **shell(server))
        assert says in line


def test_a_folder_that_there_is_not(runs: Shop) -> None:
    assert fails(runs, "bronze_gone") == "/gone is not on the server, or no longer; run it again"


def test_a_file_that_grows_while_it_is_read_waits(runs: Shop, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    for number in range(2):
        (tmp_path / f"out/{number}.csv").write_text(f"id,name\n{number},Zoë\n", encoding="utf-8")
    with faulty(tmp_path) as server:
        server.grow = {"/out/1.csv"}
        done = runs.direct("bronze_orders", "--full-refresh", **shell(server))
        assert done.returncode == 0, told(done)
        assert "left for the next run files=1 such_as=/out/1.csv" in done.stderr
        assert [row["id"] for row in runs.rows("bronze_orders")] == ["0"]
        server.grow.clear()
        done = runs.direct("bronze_orders", **shell(server))
        assert done.returncode == 0, told(done)
    assert [row["id"] for row in runs.rows("bronze_orders")] == ["0", "1", "99"]


def test_doctor_names_the_first_step_that_fails(runs: Shop, server: Faulty) -> None:
    def steps(**variables: object) -> dict[str, str]:
        env = {name: str(value) for name, value in variables.items()}
        done = runs.python(program("steps"), "bronze_orders", env=env)
        assert done.returncode == 0, told(done)
        found: dict[str, str] = json.loads(done.stdout)
        return found

    all_ = ["settings", "resolve", "connect", "host key", "authenticate", "list"]
    good = steps()
    assert list(good) == all_
    assert good["list"] == "3 files match /out/*.csv"
    broken: list[tuple[str, dict[str, object]]] = [
        ("settings", {"SFTP_USER": ""}),
        ("resolve", {"SFTP_HOST": "no-such-host.invalid"}),
        ("connect", {"SFTP_PORT": free_port()}),
        ("host key", {"SFTP_HOST_KEY": "", "SFTP_KNOWN_HOSTS": "none"}),
        ("authenticate", {"SFTP_PASSWORD": "wrong"}),
    ]
    for step, env in broken:
        found = steps(**env)
        assert list(found) == all_[: all_.index(step) + 1]
        assert found[step].startswith("error: ")
        assert PASSWORD not in str(found)
    server.deny = {"/out"}
    try:
        assert steps()["list"].startswith("error: /out: the server does not let it be read")
    finally:
        server.deny = set()


def test_killed_at_any_moment_no_file_is_lost_and_none_comes_twice(
    project: MakeShop, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    shop, over, names = project(), Event(), list[int]()

    def arrive() -> None:
        """Let a file arrive now and then, as a sender would: under another name first."""
        while not over.wait(0.05):
            number = len(names)
            part = out / f"{number}.csv.part"
            part.write_text("id,part\n" + f"{number},1\n{number},2\n" * 50, encoding="utf-8")
            part.rename(out / f"{number}.csv")
            names.append(number)

    with sshd(tmp_path / "sshd") as server:
        shop.add_asset("orders", "--template", "sftp", "--pattern", f"{out}/*.csv")
        shop.env(**server.variables())
        sender = Thread(target=arrive)
        sender.start()
        try:
            killing = shop.python(program("killed_runs"), "bronze_orders", str(ROUNDS), "7")
        finally:
            over.set()
            sender.join()
        assert killing.returncode == 0, told(killing)
        killed = int(killing.stdout)
        assert 5 < killed < ROUNDS - 1, "some of them ended, and some were killed"
        assert shop.core("bronze_orders").returncode == 0
    assert list((shop.root / "data/.staging").glob("sftp-*")) == []
    counted = dict.fromkeys(names, 0)
    for row in shop.rows("bronze_orders"):
        counted[int(row["id"])] += 1
    assert set(counted.values()) == {100}
