"""`ci/data.py`: keeps what runs computed on a branch, and never loses anybody's work."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files
from io import BytesIO
from pathlib import Path

import pytest

from tests.cicd.steps import checkout, git, machine_variables

TEMPLATES = files("polster_core") / "templates"
SCRIPT = TEMPLATES.joinpath("cicd/ci/data.py").read_text("utf-8")
PUSHERS = 5
ROUNDS = int(os.environ.get("POLSTER_TEST_ROUNDS") or 3)
"""How often each of them pushes; 20 once, when ci/data.py changes."""
SEED = {".gitignore": ".env\ndata/*\nci/__pycache__/\n", "code.py": "x = 1\n", "ci/data.py": SCRIPT}
OLD = "data/bronze/orders/1.parquet"
NEW = "data/bronze/orders/2.parquet"


class Remote:
    """A bare repository whose main nobody may push to, and clones as pipelines make them."""

    def __init__(self, folder: Path, seed: Mapping[str, str], root: str = "") -> None:
        """Make it; the project is in the folder `root` of the repository."""
        self.folder, self.origin, self.root = folder, folder / "origin.git", root
        git("init", "-q", "--bare", "-b", "main", self.origin, cwd=folder)
        person = folder / "seed"
        git("clone", "-q", self.origin, person, cwd=folder)
        write(person / root, seed)
        commit_and_push(person, "start")
        self.protect()

    def protect(self) -> None:
        """Refuse every push to main, as a host does."""
        hook = self.origin / "hooks" / "update"
        refuse = 'if [ "$1" = refs/heads/main ]; then echo "GH006: protected" >&2; exit 1; fi\n'
        hook.write_text(f"#!/bin/sh\n{refuse}", encoding="utf-8")
        hook.chmod(0o755)

    def clone(self, name: str) -> Path:
        """Check out as a pipeline does; return the project."""
        checkout(self.origin, self.folder / name, "refs/heads/main")
        return self.folder / name / self.root

    def restored(self, name: str, written: Mapping[str, str] | None = None, **env: str) -> Path:
        """Check out, restore the data, and let a run write files."""
        clone = self.clone(name)
        good(data(clone, "restore", **env))
        write(clone, written or {})
        return clone

    def run(self, name: str, written: Mapping[str, str], **env: str) -> str:
        """Do what a pipeline does, from start to end; return what it said last."""
        packed = self.packed(self.restored(name, written, **env), **env)
        return good(data(self.clone(f"{name}-push"), "push", packed, **env)).stdout

    def packed(self, clone: Path, **env: str) -> Path:
        """Pack what a clone changed."""
        target = self.folder / f"{clone.name}.tar"
        good(data(clone, "pack", target, **env))
        return target

    def files(self, branch: str = "data") -> dict[str, str]:
        """Return the files of the branch with their texts."""
        names = git("ls-tree", "-r", "-z", "--name-only", branch, cwd=self.origin)
        return {
            name: git("show", f"{branch}:{name}", cwd=self.origin)
            for name in names.split("\0")
            if name
        }

    def subjects(self, branch: str = "data") -> list[str]:
        """Return the first lines of the commits, the newest first."""
        return git("log", "--format=%s", branch, cwd=self.origin).splitlines()

    def branches(self) -> set[str]:
        """Return the names of the branches."""
        return {*git("branch", "--format=%(refname:short)", cwd=self.origin).splitlines()}


def data(clone: Path, *args: str | Path, **env: str) -> subprocess.CompletedProcess[str]:
    """Run the script."""
    return subprocess.run(
        [sys.executable, "ci/data.py", *args],
        check=False,
        cwd=clone,
        env=machine_variables(**env),
        capture_output=True,
        encoding="utf-8",
    )


def good(done: subprocess.CompletedProcess[str]) -> subprocess.CompletedProcess[str]:
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def write(root: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")


def commit_and_push(clone: Path, message: str, branch: str = "main") -> None:
    git("add", "--all", "--force", cwd=clone)
    git("commit", "-q", "-m", message, cwd=clone)
    git("push", "-q", "origin", f"HEAD:{branch}", cwd=clone)


@pytest.fixture
def remote(tmp_path: Path) -> Iterator[Remote]:
    """Make a remote; afterwards it is whole, and main is what it was."""
    made = Remote(tmp_path, SEED)
    main = git("rev-parse", "main", cwd=made.origin)
    yield made
    git("fsck", "--full", "--strict", cwd=made.origin)
    assert git("rev-parse", "main", cwd=made.origin) == main


def test_c3_data_is_on_a_branch_of_its_own_and_comes_back(remote: Remote) -> None:
    odd = "data/silver/a 'quoted' \"name\" ü\\/1.parquet"
    said = remote.run("one", {OLD: "old", odd: "odd"})
    assert said == "data: pushed 2 change(s) to 'data', attempt 1\n"
    clone = remote.restored("two", {NEW: "new"})
    assert (clone / odd).read_text(encoding="utf-8") == "odd"
    (clone / OLD).unlink()
    good(
        data(remote.clone("three"), "push", remote.packed(clone), POLSTER_COMMIT_MESSAGE="nightly")
    )
    assert remote.files() == {odd: "odd", NEW: "new"}
    assert remote.subjects() == ["nightly [skip ci]", "data: polster run [skip ci]"]
    assert git("status", "--porcelain", cwd=clone) == "", "the index of the person is as it was"
    assert remote.branches() == {"main", "data"}


def test_nothing_changed_is_no_commit(remote: Remote) -> None:
    remote.run("one", {OLD: "old"})
    clone = remote.restored("two")
    assert (
        good(data(clone, "pack", "none.tar")).stdout
        == "data: the run changed nothing below data/\n"
    )
    assert not (clone / "none.tar").exists()
    assert good(data(clone, "push")).stdout == "data: there is nothing to push\n"
    again = data(remote.clone("again"), "push", remote.folder / "one.tar")
    assert good(again).stdout == "data: 'data' has these 1 change(s) already\n"
    assert len(remote.subjects()) == 1


def test_c3_the_history_of_the_branch_is_cut_and_that_of_code_never(remote: Remote) -> None:
    for number in range(5):
        remote.run(f"run{number}", {f"data/gold/x/{number}.parquet": "rows"}, POLSTER_HISTORY="3")
    assert len(remote.subjects()) == 2, "the fourth push started over"
    assert len(remote.files()) == 5
    (remote.origin / "hooks" / "update").unlink()
    before = git("rev-parse", "main", cwd=remote.origin)
    how = {"POLSTER_HISTORY": "1", "POLSTER_DATA_BRANCH": "main"}
    for number in range(2):
        remote.run(f"main{number}", {f"data/gold/x/{number}.parquet": "rows"}, **how)
    assert len(remote.subjects("main")) == 3
    assert git("merge-base", before, "main", cwd=remote.origin) == before
    git("update-ref", "refs/heads/main", before, cwd=remote.origin)


def test_c6_each_environment_has_a_branch(remote: Remote) -> None:
    remote.run("dev", {OLD: "dev"}, ENV="dev")
    remote.run("prod", {OLD: "prod"}, ENV="prod")
    assert (remote.files()[OLD], remote.files("data-prod")[OLD]) == ("dev", "prod")
    assert (remote.restored("again", ENV="prod") / OLD).read_text(encoding="utf-8") == "prod"


def test_d14_c1_snapshots_are_kept_whatever_git_ignores(remote: Remote) -> None:
    kept = {OLD: "rows", "data/bronze/orders/1.000001.parquet": "more rows"}
    left = {
        "data/silver/orders/_rejected/1.parquet": "raw rows",
        "data/samples/gold/revenue.parquet": "a sample",
        "data/.pending/bronze/orders/2.parquet": "waits",
        "data/.staging/3.parquet": "half of it",
        "data/.env": "SECRET=1",
        "code.py": "x = 2",
    }
    clone = remote.restored(
        "run", {**kept, **left, "data/inputs/prices.csv": "1", "data/x.csv": "2"}
    )
    write(clone, {".gitignore": ".env\ndata/*\n*.parquet\n!data/inputs/\n"})
    good(data(remote.clone("push"), "push", remote.packed(clone)))
    assert remote.files() == {**kept, "data/inputs/prices.csv": "1"}


def test_data_on_main_moves_to_the_branch_and_does_not_come_back(tmp_path: Path) -> None:
    """As projects have it whose pipeline committed to main."""
    remote = Remote(tmp_path, {**SEED, OLD: "old", "data/bronze/orders/0.parquet": "older"})
    remote.run("one", {NEW: "new"})
    assert set(remote.files()) == {OLD, NEW, "data/bronze/orders/0.parquet"}
    clone = remote.restored("two")
    (clone / OLD).unlink()
    good(data(remote.clone("push"), "push", remote.packed(clone)))
    clone = remote.restored("three")
    assert not (clone / OLD).exists()
    assert good(data(clone, "pack", "x.tar")).stdout.startswith("data: the run changed nothing")


@pytest.mark.parametrize("name", ["data/prod.key", "data/x/id_rsa", "data/.env.prod", "data/c.pem"])
def test_refuses_what_looks_like_a_secret(name: str, remote: Remote) -> None:
    clone = remote.restored("run", {name: "secret", ".gitignore": ""})
    done = data(clone, "pack", "x.tar")
    words = f"data: error: refusing to keep '{name}', which looks like a secret\n"
    assert (done.returncode, done.stderr) == (2, words)
    assert remote.branches() == {"main"}


def test_refuses_a_file_that_the_host_would_not_take(remote: Remote) -> None:
    clone = remote.restored("run", {OLD: "x" * (2 * 2**20)})
    done = data(clone, "pack", "x.tar", POLSTER_MAX_FILE_MB="1")
    assert done.returncode == 2
    assert f"'{OLD}' has 2 MB, the limit is 1 MB" in done.stderr


def test_a_packed_file_that_changes_code_brings_its_data_only(remote: Remote) -> None:
    evil = remote.folder / "evil.tar"
    with tarfile.open(evil, "w") as archive:
        for name in (OLD, "code.py", "data/../code.py", "/data/x.parquet", "../data/x"):
            member = tarfile.TarInfo(name)
            member.size = 4
            archive.addfile(member, BytesIO(b"evil"))
        link = tarfile.TarInfo("data/gold/x/1.parquet")
        link.type, link.linkname = tarfile.SYMTYPE, "../../../code.py"
        archive.addfile(link)
    good(data(remote.clone("push"), "push", evil))
    assert remote.files() == {OLD: "evil"}
    broken = remote.folder / "broken.tar"
    broken.write_text("no archive", encoding="utf-8")
    done = data(remote.clone("again"), "push", broken)
    assert (done.returncode, "cannot be read" in done.stderr) == (2, True)


def test_packs_of_parallel_jobs_become_one_commit(remote: Remote) -> None:
    names = ("data/gold/sales/1.parquet", "data/gold/finance/1.parquet")
    packs = [
        remote.packed(remote.restored(f"job{number}", {name: name}))
        for number, name in enumerate(names)
    ]
    good(data(remote.clone("push"), "push", *packs))
    assert set(remote.files()) == set(names)
    assert len(remote.subjects()) == 1


def test_data_in_the_cloud_is_not_committed(remote: Remote) -> None:
    clone = remote.clone("run")
    write(clone, {OLD: "rows"})
    for verb in (("restore",), ("pack", "x.tar"), ("push", "x.tar")):
        said = good(data(clone, *verb, STORAGE_BACKEND="adls")).stdout
        assert said == "data: the data is in the storage 'adls', not in the repository\n"
    good(data(clone, "restore", STORAGE_BACKEND="$(STORAGE_BACKEND)"))
    assert not (clone / "x.tar").exists()


def test_c3_a_protected_branch_is_an_error_with_the_words_of_the_host(remote: Remote) -> None:
    how = {"POLSTER_DATA_BRANCH": "main"}
    packed = remote.packed(remote.restored("run", {OLD: "rows"}, **how), **how)
    done = data(remote.clone("push"), "push", packed, **how)
    assert done.returncode == 1
    assert "GH006: protected" in done.stderr
    assert "the token may not write to the repository, or 'main' is protected" in done.stderr


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        (("pull",), 2, "usage: data.py"),
        ((), 2, "usage: data.py"),
        (("pack",), 2, "usage: data.py"),
        (("pack", "x.tar"), 2, "before the run, say  python ci/data.py restore"),
        (("push", "no.tar"), 2, "no.tar' cannot be read"),
    ],
)
def test_wrong_usage_is_told(args: tuple[str, ...], code: int, words: str, remote: Remote) -> None:
    done = data(remote.clone("run"), *args)
    assert done.returncode == code, done.stderr
    assert words in done.stderr


def test_no_remote_and_no_repository_are_told(remote: Remote) -> None:
    clone = remote.clone("run")
    git("remote", "set-url", "origin", "https://me:hunter2@127.0.0.1:1/shop.git", cwd=clone)
    done = data(clone, "restore")
    assert (done.returncode, "hunter2" in done.stderr) == (1, False)
    assert "cannot fetch 'data' from 'origin'" in done.stderr
    git("remote", "remove", "origin", cwd=clone)
    assert "cannot fetch 'data' from 'origin'" in data(clone, "restore").stderr
    write(remote.folder / "bare", SEED)
    done = data(remote.folder / "bare", "restore", GIT_CEILING_DIRECTORIES=str(remote.folder))
    assert (done.returncode, "not a git repository" in done.stderr) == (1, True)


def test_two_projects_a_full_clone_and_a_submodule(tmp_path: Path) -> None:
    remote = Remote(tmp_path, SEED, root="a/shop")
    write(tmp_path / "seed" / "lake", SEED)
    (remote.origin / "hooks" / "update").unlink()
    commit_and_push(tmp_path / "seed", "two")
    remote.run("one", {OLD: "of shop"})
    remote.root = "lake"
    remote.run("two", {OLD: "of lake"})
    assert remote.files() == {f"a/shop/{OLD}": "of shop", f"lake/{OLD}": "of lake"}
    outer = tmp_path / "outer"
    git("init", "-q", outer, cwd=tmp_path)
    how = ("-c", "protocol.file.allow=always", "submodule", "add", "-q")
    git(*how, remote.origin.as_uri(), "inner", cwd=outer)
    project = outer / "inner" / "lake"
    good(data(project, "restore", GIT_CONFIG_COUNT="0"))
    assert (project / OLD).read_text(encoding="utf-8") == "of lake"
    assert git("rev-parse", "--is-shallow-repository", cwd=project) == "false"
    write(project, {NEW: "more"})
    good(data(project, "pack", tmp_path / "x.tar"))
    good(data(project, "push", tmp_path / "x.tar"))
    assert remote.files()[f"lake/{NEW}"] == "more"


def test_c1_git_lfs_keeps_every_object(remote: Remote) -> None:
    """The code's .gitattributes do not matter; those of the branch do, with the real git-lfs."""
    lfs = "*.parquet filter=lfs diff=lfs merge=lfs -text\n"
    clone = remote.restored("plain", {OLD: "rows" * 500, ".gitattributes": lfs})
    good(data(remote.clone("push"), "push", remote.packed(clone)))
    assert remote.files()[OLD] == "rows" * 500
    person = remote.folder / "person"
    git("clone", "-q", "-b", "data", remote.origin.as_uri(), person, cwd=remote.folder)
    write(person, {".gitattributes": lfs})
    git("add", ".gitattributes", cwd=person)
    git("commit", "-q", "-m", "lfs", cwd=person)
    git("push", "-q", "origin", "data", cwd=person)
    remote.run("lfs", {NEW: "new rows" * 500})
    assert remote.files()[NEW].startswith("version https://git-lfs.")
    assert list((remote.origin / "lfs" / "objects").rglob("*")), "the object is there"
    assert (remote.restored("back") / NEW).read_text(encoding="utf-8") == "new rows" * 500
    elsewhere = remote.clone("elsewhere")
    git("remote", "set-url", "origin", "https://nowhere.invalid/shop.git", cwd=elsewhere)
    good(data(elsewhere, "restore", POLSTER_REMOTE=remote.origin.as_uri()))
    assert (elsewhere / NEW).read_text(encoding="utf-8") == "new rows" * 500
    for path in (remote.origin / "lfs" / "objects").rglob("*"):
        path.unlink(missing_ok=True) if path.is_file() else None
    done = data(remote.clone("lost"), "restore")
    assert done.returncode == 1, done.stdout


def test_c1_a_pointer_without_its_object_is_refused(remote: Remote) -> None:
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 2000\n"
    done = data(remote.restored("run", {OLD: pointer}), "pack", "x.tar")
    assert done.returncode == 2
    assert f"'{OLD}' is a pointer of Git LFS without its content" in done.stderr


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


def test_five_pipelines_and_a_person_lose_nothing(tmp_path: Path) -> None:
    """Each of five pipelines finishes its runs, the history is cut again and again."""
    remote, stop = Remote(tmp_path, SEED), threading.Event()
    (remote.origin / "hooks" / "update").unlink()

    def pipeline(number: int) -> list[str]:
        written = []
        for turn in range(ROUNDS):
            name = f"data/bronze/orders{number}/{turn}.parquet"
            text = os.urandom(20).hex()
            remote.run(f"run-{number}-{turn}", {name: text}, POLSTER_HISTORY="4")
            written.append(name)
        return written

    def person() -> list[str]:
        folder = remote.folder / "seed"
        written: list[str] = []
        while not stop.is_set():
            name = f"code{len(written)}.py"
            write(folder, {name: "y = 1\n"})
            commit_and_push(folder, name)
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
    assert len(expected) == PUSHERS * ROUNDS
    assert set(remote.files()) == expected
    assert set(remote.files("main")) == {*SEED, *code}
    assert remote.subjects("main") == [*reversed(code), "start"]
    assert len(remote.subjects()) <= 4
    git("fsck", "--full", "--strict", cwd=remote.origin)
