"""A project in a bucket: it runs, nothing is lost, and errors are one line."""

from __future__ import annotations

import json
from pathlib import Path

from shop import SECRET, Server, Shop, running

DOCTOR = "or run  python -m polster_runtime doctor"
NO_KEY = {"S3_ACCESS_KEY_ID": "", "S3_SECRET_ACCESS_KEY": ""}
NO_PORT = "http://127.0.0.1:1"


def test_an_asset_runs(shop: Shop, server: Server) -> None:
    done = shop.run("src/core/bronze_example.py", env=server.variables(server.create("asset")))
    assert done.returncode == 0, done.stderr
    assert "asset/shop/data/bronze/example/" in done.stdout
    assert SECRET not in done.stdout + done.stderr
    assert (shop.root / "data" / "samples" / "bronze" / "example.parquet").exists()
    assert not list((shop.root / "data").glob("*/example/*"))


def test_it_is_let_in_by_the_variables_of_the_machine(shop: Shop, server: Server) -> None:
    identity = {"AWS_ACCESS_KEY_ID": "AKIAMACHINE", "AWS_SECRET_ACCESS_KEY": SECRET}
    env = server.variables(server.create("identity"), **NO_KEY) | identity
    assert shop.written("bronze_orders", 7, env) == [7]


def test_it_is_let_in_by_a_profile(shop: Shop, server: Server, tmp_path: Path) -> None:
    (tmp_path / "config").write_text(
        f"[profile ada]\naws_access_key_id = AKIAADA\naws_secret_access_key = {SECRET}\n"
    )
    env = server.variables(server.create("profile"), **NO_KEY, S3_PROFILE="ada")
    env["AWS_CONFIG_FILE"] = str(tmp_path / "config")
    assert shop.written("bronze_orders", 7, env) == [7]
    said = shop.failures([{"S3_PROFILE": "eve"}], env)
    assert said == ["S3_PROFILE=eve: ~/.aws has no such profile"]


def test_large_files_and_answers_that_get_lost(shop: Shop, server: Server) -> None:
    """24 MB, in parts; and a file that is there already, but ours."""
    env = server.variables(server.create("brittle"))
    assert shop.written("bronze_large", 1_500_000, env) == [1_500_000]
    assert shop.written("bronze_lost", 7, env) == [7]


def test_the_doctor_goes_the_whole_way(shop: Shop, server: Server) -> None:
    env = server.variables(server.create("doctor"))
    done = shop.run("-m", "polster_runtime", "doctor", "--json", env=env)
    assert SECRET not in done.stdout + done.stderr
    found = {
        check["name"].removeprefix("storage: "): check
        for check in json.loads(done.stdout)["checks"]
        if check["name"].startswith("storage: ")
    }
    assert {check["status"] for check in found.values()} == {"ok"}
    assert found["bucket"]["message"] == "it exists"
    assert found["never overwrites"]["message"].endswith("one is refused")


def test_an_s3_that_overwrites_is_found_out(shop: Shop, server: Server) -> None:
    script = """
import json
from polster_s3 import diagnose
from polster_runtime.errors import StorageError
try:
    print(json.dumps(dict(diagnose())["never overwrites"]()))
except StorageError as error:
    print(json.dumps(str(error)))
"""
    said = shop.script(script, env=server.variables(server.create("old")))
    assert said.startswith("this S3 ignores If-None-Match: ")


def test_errors_say_what_to_do(shop: Shop, server: Server) -> None:
    env = server.variables("missing")
    done = shop.run("src/core/bronze_example.py", env=env)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "error: bronze_example: S3: bucket missing: there is no such bucket; check S3_BUCKET, or "
        "create it:  aws s3 mb s3://missing --region us-east-1\n"
    )
    said = shop.failures([{"S3_ENDPOINT": NO_PORT}, {"S3_ENDPOINT": "http://s3.invalid"}], env)
    refused, unknown = (text.removeprefix("S3: bucket missing: ") for text in said)
    assert refused == (
        f"127.0.0.1 cannot be reached (the connection was refused); check the network, {DOCTOR}"
    )
    assert unknown == (
        f"there is no s3.invalid; check S3_REGION, S3_ENDPOINT and the network, {DOCTOR}"
    )


def test_settings_are_checked(shop: Shop, server: Server) -> None:
    wrong = {
        "S3_BUCKET must be the name of a bucket alone": {"S3_BUCKET": "Lake"},
        "S3_BASE_PATH must be a path such as shop/data, not '../x'": {"S3_BASE_PATH": "../x"},
        "S3_ENDPOINT must be a URL, not 'minio:9000'": {"S3_ENDPOINT": "minio:9000"},
        "S3_REGION is not set: the region of the bucket, such as": {"S3_ENDPOINT": ""},
        "S3_ACCESS_KEY_ID and S3_PROFILE are both set: keep one": {"S3_PROFILE": "ada"},
        "S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY belong together": {"S3_ACCESS_KEY_ID": ""},
        "S3_SESSION_TOKEN needs S3_ACCESS_KEY_ID and": {**NO_KEY, "S3_SESSION_TOKEN": "x"},
    }
    said = shop.failures(list(wrong.values()), server.variables("lake"))
    assert [text.startswith(start) for start, text in zip(wrong, said, strict=True)] == [True] * 7


def test_a_key_that_is_refused(shop: Shop, tmp_path: Path) -> None:
    with running(tmp_path / "log", {"INITIAL_NO_AUTH_ACTION_COUNT": "0"}) as strict:
        (said,) = shop.failures([{}], strict.variables("lake"))
    assert said == (
        "S3: bucket lake: the key AKIAIOSFODNN7EXAMPLE was refused (403 InvalidAccessKeyId); "
        f"check S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY, {DOCTOR}"
    )


def test_without_s3_a_run_goes_on_and_comes_up_later(shop: Shop, server: Server) -> None:
    env = server.variables(server.create("fallback"), S3_FALLBACK_TO_LOCAL="true")
    done = shop.run("src/core/bronze_example.py", env=env | {"S3_ENDPOINT": NO_PORT})
    assert done.returncode == 0, done.stderr
    assert "the cloud cannot be reached: this run goes on here" in done.stderr
    assert shop.written("bronze_example", 0, env) == [1212]
    assert not list((shop.root / "data" / ".pending").rglob("*.parquet"))


def test_the_page_is_in_the_project(shop: Shop) -> None:
    assert "s3://BUCKET/shop/data/bronze/" in (shop.root / "docs" / "s3.md").read_text("utf-8")
