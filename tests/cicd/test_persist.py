"""`ci/persist.sh`: commits what a run changed, and never loses anybody's work."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files
from pathlib import Path

import pytest

from tests.cicd.steps import checkout, git, machine_variables

TEMPLATES = files("polster_core") / "templates"
PUSHERS, ROUNDS = 5, 20
SEED = {
    ".gitignore": ".env\n",
    "code.py": "x = 1\n",
    "data/gone.parquet": "old",
    "data/old.parquet": "old",
}


class Remote:
    """A bare repository, a script, and clones as pipelines make them."""

    def __init__(self, folder: Path) -> None:
        """Make it, with something in it."""
        self.folder, self.origin = folder, folder / "origin.git"
        self.script = folder / "persist.sh"
        self.script.write_bytes(TEMPLATES.joinpath("cicd/ci/persist.sh").read_bytes())
        git("init", "-q", "--bare", "-b", "main", self.origin, cwd=folder)
        seed = folder / "seed"
        git("clone", "-q", self.origin, seed, cwd=folder)
        write(seed, SEED)
        commit_and_push(seed, "start")

    def clone(self, name: str, files: Mapping[str, str] | None = None) -> Path:
        """Check out as a pipeline does, and let a run write files."""
        folder = self.folder / name
        checkout(self.origin, folder, "refs/heads/main")
        write(folder, files or {})
        return folder

    def persist(
        self, clone: Path, *args: str | Path, **env: str
    ) -> subprocess.CompletedProcess[str]:
        """Run the script."""
        return subprocess.run(
            ["sh", self.script, *args],
            check=False,
            cwd=clone,
            env=machine_variables(**{"POLSTER_BRANCH": "main", **env}),
            capture_output=True,
            encoding="utf-8",
        )

    def collected(self, clone: Path, name: str = "polster.bundle") -> Path:
        """Pack what a clone changed."""
        bundle = clone.parent / name
        done = self.persist(clone, "collect", bundle)
        assert done.returncode == 0, done.stderr
        return bundle

    def files(self) -> dict[str, str]:
        """Return the files of the branch with their texts."""
        names = git("ls-tree", "-r", "-z", "--name-only", "main", cwd=self.origin)
        return {
            name: git("show", f"main:{name}", cwd=self.origin) for name in names.split("\0") if name
        }

    def subjects(self) -> list[str]:
        """Return the first lines of the commits, the newest first."""
        return git("log", "--format=%s", "main", cwd=self.origin).splitlines()


def write(root: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")


def commit_and_push(clone: Path, message: str) -> None:
    git("add", "--all", cwd=clone)
    git("commit", "-q", "-m", message, cwd=clone)
    git("push", "-q", "origin", "HEAD:main", cwd=clone)


@pytest.fixture
def remote(tmp_path: Path) -> Iterator[Remote]:
    """Make a remote; afterwards it is whole, and its history one line."""
    made = Remote(tmp_path)
    yield made
    git("fsck", "--full", "--strict", cwd=made.origin)
    assert git("rev-list", "--merges", "--count", "main", cwd=made.origin) == "0"


@pytest.mark.parametrize("verb", ["push", "collect"])
def test_c1_pointers_of_git_lfs_are_refused(remote: Remote, verb: str) -> None:
    """Their content would stay on the runner. A filter stands in for that of Git LFS."""
    clone = remote.clone("run", {"data/bronze/x.parquet": "rows" * 500})
    write(clone, {".gitattributes": "*.parquet filter=lfs\n"})
    pointer = "version https://git-lfs.github.com/spec/v1\\noid sha256:0\\nsize 2000\\n"
    git("config", "filter.lfs.clean", f"cat >/dev/null; printf '{pointer}'", cwd=clone)
    before = remote.files()
    done = remote.persist(clone, verb, *([clone.parent / "b"] if verb == "collect" else []))
    assert done.returncode == 2, done.stdout
    assert "'data/bronze/x.parquet' is in Git LFS, which this does not upload" in done.stderr
    assert remote.files() == before


def test_commits_what_changed_below_data_and_nothing_else(remote: Remote) -> None:
    odd = "data/bronze/a 'quoted' \"name\" ü\\.parquet"
    clone = remote.clone("run", {odd: "new", "code.py": "x = 2\n", "data/.env": "SECRET=1"})
    (clone / "data/gone.parquet").unlink()
    index_before = git("status", "--porcelain", cwd=clone)
    done = remote.persist(clone, "push", POLSTER_COMMIT_MESSAGE="data: nightly")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("persist: pushed 2 change(s) to 'main' as ")
    assert remote.files() == {
        ".gitignore": ".env",
        "code.py": "x = 1",
        odd: "new",
        "data/old.parquet": "old",
    }
    assert remote.subjects() == ["data: nightly [skip ci]", "start"]
    assert git("status", "--porcelain", cwd=clone) == index_before
    again = remote.persist(clone, "push")
    assert again.stdout.endswith("persist: 'main' already has these 2 change(s)\n")


@pytest.mark.parametrize("ignored", ["data/*", "data/", "*.parquet", "/data/\n*.parquet"])
def test_d14_c1_snapshots_are_kept_although_git_ignores_data(ignored: str, remote: Remote) -> None:
    person = remote.clone("person", {".gitignore": f"{ignored}\n.env\n"})
    commit_and_push(person, "ignore data")
    kept = {
        "data/bronze/orders/1.parquet": "rows",
        "data/bronze/orders/1.000001.parquet": "more rows",
        "data/gold/odd name/1.parquet": "rows",
    }
    left = {
        "data/silver/orders/_rejected/1.parquet": "raw rows",
        "data/samples/gold/revenue.parquet": "a sample",
        "data/.pending/bronze/orders/2.parquet": "waits",
        "data/.staging/3.parquet": "half of it",
    }
    clone = remote.clone("run", {**kept, **left, "data/old.parquet": "new"})
    (clone / "data/gone.parquet").unlink()
    done = remote.persist(clone, "push")
    assert done.returncode == 0, done.stderr
    found = {name: text for name, text in remote.files().items() if name.startswith("data/")}
    assert found == {**kept, "data/old.parquet": "new"}


def test_d14_a_new_project_keeps_its_data_out_of_git(tmp_path: Path) -> None:
    text = TEMPLATES.joinpath("project/dot_gitignore").read_text("utf-8")
    names = [
        "data/bronze/orders/1.parquet",
        "data/silver/orders/_rejected/1.parquet",
        "data/samples/gold/revenue.parquet",
        "data/.pending/bronze/orders/2.parquet",
        ".env",
        ".env.prod",
        ".venv.old-12/x",
        ".dagster/history/runs.db",
    ]
    root = tmp_path / "project"
    write(root, {".gitignore": text, ".env.example": "", **dict.fromkeys(names, "x")})
    git("init", "-q", cwd=root)
    git("add", "--all", cwd=root)
    assert git("ls-files", cwd=root).splitlines() == [".env.example", ".gitignore"]


def test_bundles_of_parallel_jobs_become_one_commit(remote: Remote) -> None:
    bundles = [
        remote.collected(remote.clone(name, {f"data/{name}.parquet": name}), f"{name}.bundle")
        for name in ("sales", "finance")
    ]
    person = remote.clone("person", {"code.py": "x = 3\n"})
    commit_and_push(person, "code")
    done = remote.persist(remote.clone("persist"), "push", *bundles)
    assert done.returncode == 0, done.stderr
    assert remote.subjects() == ["data: polster run [skip ci]", "code", "start"]
    found = remote.files()
    assert (found["data/sales.parquet"], found["data/finance.parquet"]) == ("sales", "finance")
    assert found["code.py"] == "x = 3"


def test_a_bundle_that_changes_code_brings_its_data_only(remote: Remote) -> None:
    clone = remote.clone("run", {"data/new.parquet": "new", "code.py": "evil\n"})
    bundle = clone.parent / "evil.bundle"
    done = remote.persist(clone, "collect", bundle, "data", "code.py")
    assert done.returncode == 0, done.stderr
    done = remote.persist(remote.clone("persist"), "push", bundle)
    assert done.returncode == 0, done.stderr
    assert remote.files()["code.py"] == "x = 1"
    assert remote.files()["data/new.parquet"] == "new"


def test_nothing_changed_is_no_commit(remote: Remote) -> None:
    clone = remote.clone("run")
    bundle = clone.parent / "none.bundle"
    assert remote.persist(clone, "collect", bundle).stdout == "persist: no changes below: data\n"
    assert not bundle.exists()
    assert remote.persist(clone, "push").stdout == "persist: no changes below: data\n"
    assert remote.subjects() == ["start"]


def test_data_in_the_cloud_is_not_committed(remote: Remote) -> None:
    clone = remote.clone("run", {"data/samples.parquet": "a sample"})
    done = remote.persist(clone, "push", STORAGE_BACKEND="adls")
    assert (done.returncode, remote.subjects()) == (0, ["start"])
    assert "nothing to commit" in done.stdout
    done = remote.persist(clone, "push", STORAGE_BACKEND="$(STORAGE_BACKEND)")
    assert (done.returncode, len(remote.subjects())) == (0, 2)


@pytest.mark.parametrize("name", ["data/prod.key", "data/x/id_rsa", "data/.env.prod", "data/c.pem"])
def test_refuses_what_looks_like_a_secret(name: str, remote: Remote) -> None:
    clone = remote.clone("run", {name: "secret"})
    done = remote.persist(clone, "push")
    assert (done.returncode, done.stderr) == (2, f"persist: error: refusing to commit '{name}'\n")
    assert remote.subjects() == ["start"]


def test_refuses_a_file_that_the_host_would_not_take(remote: Remote) -> None:
    clone = remote.clone("run", {"data/big.parquet": "x" * (2 * 2**20)})
    done = remote.persist(clone, "push", POLSTER_MAX_FILE_MB="1")
    assert done.returncode == 2
    assert "'data/big.parquet' is 2 MB, the limit is 1 MB" in done.stderr
    assert remote.subjects() == ["start"]


@pytest.mark.parametrize(
    ("choice", "code", "expected"), [("overwrite", 0, "mine"), ("fail", 1, "theirs")]
)
def test_the_same_file_on_both_sides(choice: str, code: int, expected: str, remote: Remote) -> None:
    clone = remote.clone("run", {"data/old.parquet": "mine"})
    person = remote.clone("person", {"data/old.parquet": "theirs"})
    commit_and_push(person, "theirs")
    done = remote.persist(clone, "push", POLSTER_ON_CONFLICT=choice)
    assert done.returncode == code, done.stderr
    assert "data/old.parquet" in done.stdout + done.stderr
    assert remote.files()["data/old.parquet"] == expected
    assert "theirs" in remote.subjects(), "what a person did stays in the history"


def test_a_protected_branch_is_an_error_with_the_words_of_the_host(remote: Remote) -> None:
    hook = remote.origin / "hooks" / "pre-receive"
    hook.write_text("#!/bin/sh\necho 'GH006: protected branch' >&2\nexit 1\n", encoding="utf-8")
    hook.chmod(0o755)
    done = remote.persist(remote.clone("run", {"data/new.parquet": "new"}), "push")
    assert done.returncode == 1
    assert "GH006: protected branch" in done.stderr
    assert "lacks write access, or 'main' is protected" in done.stderr
    assert remote.subjects() == ["start"]


@pytest.mark.parametrize(
    ("args", "env", "code", "words"),
    [
        (("push",), {"POLSTER_BRANCH": ""}, 2, "POLSTER_BRANCH is not set"),
        (("push",), {"POLSTER_BRANCH": "gone"}, 1, "cannot fetch branch 'gone'"),
        (("pull",), {}, 2, "usage: persist.sh"),
        ((), {}, 2, "usage: persist.sh"),
        (("collect",), {}, 2, "collect needs the name of the bundle"),
        (("push", "no.bundle"), {}, 2, "'no.bundle' is not a usable bundle"),
    ],
)
def test_wrong_usage_is_told(
    args: tuple[str, ...], env: Mapping[str, str], code: int, words: str, remote: Remote
) -> None:
    clone = remote.clone("run", {"data/new.parquet": "new"})
    done = remote.persist(clone, *args, **env)
    assert done.returncode == code, done.stderr
    assert words in done.stderr
    assert remote.subjects() == ["start"]


def test_five_pipelines_and_a_person_lose_nothing(remote: Remote) -> None:
    """Each of five pipelines finishes twenty runs while a person pushes code all the time."""
    stop = threading.Event()

    def pipeline(number: int) -> list[str]:
        written = []
        for turn in range(ROUNDS):
            name = f"data/orders-{number}-{turn}.parquet"
            clone = remote.clone(f"run-{number}-{turn}", {name: os.urandom(20).hex()})
            done = remote.persist(clone, "push")
            assert done.returncode == 0, done.stdout + done.stderr
            written.append(name)
        return written

    def person() -> list[str]:
        folder = remote.folder / "person"
        written: list[str] = []
        git("clone", "-q", remote.origin.as_uri(), folder, cwd=remote.folder)
        while not stop.is_set():
            name = f"code{len(written)}.py"
            write(folder, {name: "y = 1\n"})
            git("add", "--all", cwd=folder)
            git("commit", "-q", "-m", name, cwd=folder)
            while not pushed(folder):
                git("pull", "-q", "--rebase", "origin", "main", cwd=folder)
            written.append(name)
            time.sleep(0.3)
        return written

    with ThreadPoolExecutor(PUSHERS + 1) as pool:
        human = pool.submit(person)
        robots = [pool.submit(pipeline, number) for number in range(PUSHERS)]
        try:
            expected = {name for robot in robots for name in robot.result()}
        finally:
            stop.set()
        code = human.result()
    names = set(git("ls-tree", "-r", "--name-only", "main", cwd=remote.origin).splitlines())
    assert len(expected) == PUSHERS * ROUNDS
    assert len(code) > 1, "the person never pushed in between"
    assert {*expected, *code, *SEED} - names == set()
    commits = git("rev-list", "--count", "main", cwd=remote.origin)
    assert int(commits) == 1 + PUSHERS * ROUNDS + len(code)


def pushed(clone: Path) -> bool:
    done = subprocess.run(
        ["git", "push", "-q", "origin", "HEAD:main"],
        check=False,
        cwd=clone,
        env=machine_variables(),
        capture_output=True,
    )
    return done.returncode == 0
