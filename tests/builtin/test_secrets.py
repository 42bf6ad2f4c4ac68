"""Secrets in tracked files: what is one, and what only looks like one."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from polster_core.builtin.rules.secrets import find, secrets
from polster_core.model.pipeline import Pipeline

# Assembled here, so that no scanner takes this file for a leak.
LETTERS = "Zk3Jw9Qe7Rt5Yu1Io4Pa6Sd8Fg2Hj0Lx9Cv7Bn5Mq3Wr"
PRIVATE = "-----BEGIN RSA " + "PRIVATE KEY-----"


@pytest.mark.parametrize(
    ("text", "what", "column"),
    [
        (PRIVATE, "a private key", 1),
        ("-----BEGIN " + "PRIVATE KEY-----", "a private key", 1),
        (f'key = "AKIA{LETTERS[:16].upper()}"', "an AWS access key", 8),
        (f'x = "ghp_{LETTERS[:36]}"', "a GitHub token", 6),
        (f'x = "github_pat_{LETTERS}{LETTERS}"', "a GitHub token", 6),
        (f"glpat-{LETTERS[:20]}", "a GitLab token", 1),
        ("xoxb-1234567890-abcdefghij", "a Slack token", 1),
        (
            f"https://hooks.slack.com/services/T12345678/B12345678/{LETTERS[:24]}",
            "a Slack webhook",
            9,
        ),
        (f"sk_live_{LETTERS[:24]}", "a Stripe key", 1),
        (f"AIza{LETTERS[:35]}", "a Google API key", 1),
        (f"sk-ant-{LETTERS}", "an API key", 1),
        (f"AccountKey={LETTERS}{LETTERS[:40]}==", "an Azure storage key", 1),
        (
            f"https://x.blob.core.windows.net/c?sv=2024&sig={LETTERS}",
            "an Azure access signature",
            42,
        ),
        (f"eyJ{LETTERS[:20]}.eyJ{LETTERS[:20]}.{LETTERS[:20]}", "a signed token (JWT)", 1),
        ('url = "mysql://shop:hV3n9!kq@db.shop.io/x"', "a password in an address", 21),
        ("password = 'Tr0ub4dor&3'", "a password or key", 13),
        ('"api_key": "8f14e45fceea167a5a36"', "a password or key", 13),
        ('ADLS_ACCOUNT_KEY: str = "8f14e45fceea167a5a36"', "a password or key", 26),
        ('headers(client_secret="k9-2Jq8xWz")', "a password or key", 24),
    ],
)
def test_what_is_a_secret(text: str, what: str, column: int) -> None:
    (found,) = find(text.encode(), "a.py")
    assert found[:2] == (what, column - 1)


@pytest.mark.parametrize("name", [".env", ".env.example", "values.yaml", "app.ini"])
def test_files_of_settings_have_no_quotes(name: str) -> None:
    text = b"ENV=dev\nMYSQL_PASSWORD=Tr0ub4dor&3\n"
    assert [found[1] for found in find(text, name)] == [23]
    assert list(find(text, "README.md")) == []


@pytest.mark.parametrize(
    "text",
    [
        "password = os.environ['MYSQL_PASSWORD']",
        'password = "your-password-1"',
        'password = "changeme1"',
        'password = "<PASSWORD1>"',
        "password = '${MYSQL_PASSWORD_1}'",
        'password="{{ password1 }}"',
        'token = "test-token-1"',
        'password = "hunter"',
        'TOKEN_NAME = "ADLS_ACCOUNT_KEY_2"',
        'secret: "azure/keyvault/name1"',
        'primary_key = "order_id"',
        'key="silver_orders"',
        'EnvVar(name="ADLS_ACCOUNT_KEY", help="The key of the account", secret=True)',
        'hint = "set API_TOKEN in .env"',
        "id = dy.Int64(primary_key=True)",
        "mysql://user:password@localhost/db",
        "postgresql://{user}:{password}@{host}/db",
        "https://example.org:8443/path@2",
        "git@github.com:shop/shop.git",
        "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "-----BEGIN CERTIFICATE-----",
        "-----BEGIN PUBLIC KEY-----",
        "AccountKey=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==",
        'tokens = tokenize("a1b2c3d4")',
        'password = ""',
        "api_key = None",
    ],
)
def test_what_only_looks_like_one(text: str) -> None:
    for name in ("a.py", ".env.example"):
        assert list(find(text.encode(), name)) == []


def repository(root: Path, files: dict[str, bytes]) -> Pipeline:
    for name, data in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    for args in (["init", "-q"], ["add", "-Af"]):
        subprocess.run(["git", *args], cwd=root, check=True)
    return Pipeline(root)


def test_only_tracked_files_are_searched(tmp_path: Path) -> None:
    pipeline = repository(tmp_path, {"a.py": b"x = 1\n"})
    (tmp_path / ".env").write_text("API_KEY=8f14e45fceea167a5a36\n")
    assert list(secrets(pipeline)) == []
    subprocess.run(["git", "add", "-f", ".env"], cwd=tmp_path, check=True)
    assert [(str(p.path), p.line, p.column) for p in secrets(pipeline)] == [
        (".env", 1, 1),
        (".env", 1, 9),
    ]


def test_the_secret_itself_is_not_shown(tmp_path: Path) -> None:
    pipeline = repository(
        tmp_path, {"a.py": f"t = 'ghp_{LETTERS[:36]}'\np_token = '{LETTERS}'".encode()}
    )
    said = [problem.message for problem in secrets(pipeline)]
    assert said == ["a GitHub token (ghp_…)", "a password or key"]


def test_env_files_are_named_unless_they_are_examples(tmp_path: Path) -> None:
    names = [
        ".env",
        ".env.prod",
        "deploy/.env",
        ".env.example",
        ".env.template",
        "env.py",
        ".envrc",
    ]
    names += [".polster/base/.env.example.base", ".environment"]
    pipeline = repository(tmp_path, dict.fromkeys(names, b"ENV=dev\n"))
    assert [str(problem.path) for problem in secrets(pipeline)] == [
        ".env",
        ".env.prod",
        "deploy/.env",
    ]


@pytest.mark.parametrize(
    "files",
    [
        {"data/x.parquet": PRIVATE.encode()},
        {"a.bin": b"\0" + PRIVATE.encode()},
        {"big.txt": b"x" * 1_000_001 + PRIVATE.encode()},
    ],
)
def test_data_is_not_searched(tmp_path: Path, files: dict[str, bytes]) -> None:
    assert list(secrets(repository(tmp_path, files))) == []


def test_odd_names_and_missing_files_are_no_problem(tmp_path: Path) -> None:
    pipeline = repository(tmp_path, {"ü ä.txt": PRIVATE.encode(), "gone.txt": b"x"})
    (tmp_path / "gone.txt").unlink()
    assert [str(problem.path) for problem in secrets(pipeline)] == ["ü ä.txt"]


def test_without_a_repository_nothing_is_tracked(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("API_KEY=8f14e45fceea167a5a36\n")
    assert list(secrets(Pipeline(tmp_path))) == []


def test_a_repository_that_git_cannot_read_is_said(tmp_path: Path) -> None:
    (tmp_path / ".git").write_text("gitdir: /nowhere\n")
    (problem,) = secrets(Pipeline(tmp_path))
    assert (problem.severity, str(problem.path)) == ("warning", ".git")
    assert problem.message.startswith("git cannot list what it tracks: fatal: ")
