"""Keep the snapshots that pipelines compute on a branch of the repository.

    python ci/data.py restore          before a run: bring data/ to the state of the branch
    python ci/data.py pack FILE        after it: what it added, changed and deleted, as one file
    python ci/data.py push FILE...     put that on top of the newest state of the branch

The branch is `data` for ENV=dev and `data-ENV` for other environments. It holds data alone, so it
may be cut: after POLSTER_HISTORY pushes it starts over with its newest state, with a lease, so that
nobody's push is lost. A branch that holds code as well is never forced.

    POLSTER_DATA_BRANCH     the branch of ENV=dev         (data)
    POLSTER_REMOTE          name or address of the remote (origin)
    POLSTER_HISTORY         pushes that the branch keeps  (30)
    POLSTER_MAX_FILE_MB     larger files are refused      (95)
    POLSTER_COMMIT_MESSAGE  first line of the commit      (data: polster run)
    POLSTER_PUSH_OPTIONS    such as "-o ci.skip"

Exit code: 0 done or nothing to do, 1 git failed, 2 refused. Upgrades of Polster replace this file.
"""

import io
import os
import random
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NoReturn

PROJECT = Path(__file__).resolve().parents[1]
SNAPSHOT = re.compile(r"data/(?:bronze|silver|gold)(?:/[^/._][^/]*)+\.parquet")
"""What is kept whatever .gitignore says: no rejected rows, nothing hidden."""
DATA = re.compile(r"data/(?!(?:.*/)?\.\.?(?:/|$)).+", re.DOTALL)
SECRET = re.compile(r"(?:.*/)?(?:\.env(?:\..*)?|.*\.pem|.*\.key|id_rsa.*|\.dagster/.*)", re.DOTALL)
COUNT = re.compile(r"^Polster-Pushes: (\d+)$", re.MULTILINE)
POINTER = b"version https://git-lfs."
DELETED = "deleted"
"""The member of a packed file that lists what the run deleted."""
REF = "refs/polster/data"
ATTEMPTS = 60


def main(verb: str = "", *files: str) -> None:
    """Do what the command line says."""
    paths = [Path(file).absolute() for file in files]
    os.chdir(PROJECT)
    if (backend := setting("STORAGE_BACKEND", "local")) != "local":
        say(f"the data is in the storage '{backend}', not in the repository")
    elif verb == "restore" and not paths:
        restore()
    elif verb == "pack" and len(paths) == 1:
        pack(paths[0])
    elif verb == "push":
        with tempfile.TemporaryDirectory() as folder:
            push(paths, Path(folder))
    else:
        stop("usage: data.py restore | pack FILE | push FILE...", 2)


def restore() -> None:
    """Bring the snapshots below data/ to the state of the branch, and note that state."""
    tip, index = fetch(), noted()
    git("read-tree", tip or "--empty", index=index)
    if tip is None:
        say(f"there is no branch '{branch()}' yet: the run starts from what is here")
        return
    use_lfs(tip)
    names = listed("ls-files", "-z", "--", "data", index=index)
    for name in set(filter(SNAPSHOT.fullmatch, listed("ls-files", "-z", "data"))) - set(names):
        Path(name).unlink(missing_ok=True)  # the history of the code has it
    git("checkout-index", "--force", "-u", "-z", "--stdin", index=index, given=joined(names))
    for name in names:
        refuse_pointer(name, Path(name))
    say(f"restored {len(names)} file(s) from '{branch()}'")


def pack(target: Path) -> None:
    """Write what differs from the noted state, if anything does."""
    if not (index := noted()).exists():
        stop("there is nothing to compare with: before the run, say  python ci/data.py restore", 2)
    known = set(listed("ls-files", "-z", "--", "data", index=index))
    differs = listed("diff-files", "--name-only", "--relative", "-z", "--", "data", index=index)
    here = {path.as_posix() for path in Path("data").rglob("*.parquet")}
    new = {*filter(SNAPSHOT.fullmatch, here)}
    new |= {*listed("ls-files", "-z", "--others", "--exclude-standard", "--", "data")}
    changed = sorted((new - known) | {name for name in differs if os.path.lexists(name)})
    deleted = sorted({*differs} - {*changed})
    for name in changed:
        check(name, Path(name))
    if not changed and not deleted:
        say("the run changed nothing below data/")
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    gone, content = tarfile.TarInfo(DELETED), joined(deleted)
    gone.size = len(content)
    with tarfile.open(target, "w") as archive:
        archive.addfile(gone, io.BytesIO(content))
        for name in changed:
            archive.add(name)
    say(f"packed {len(changed)} new or changed and {len(deleted)} deleted file(s)")


def push(files: Iterable[Path], work: Path) -> None:
    """Commit what was packed on top of the branch; again, as often as others are faster."""
    prefix = git("rev-parse", "--show-prefix").stdout.decode().rstrip("\n")
    names = sorted({prefix + name for file in files for name in unpack(file, work / prefix)})
    if not names:
        say("there is nothing to push")
        return
    seen: list[str | None] = []
    words = ""
    for attempt in range(1, ATTEMPTS + 1):
        tip = fetch()
        seen.append(tip)
        if seen[-4:] == [tip] * 4:
            words += "the push was rejected although nobody else pushed: the token may not write"
            stop(f"{words} to the repository, or '{branch()}' is protected")
        commit, cut = committed(tip, names, work)
        if commit == tip:
            say(f"'{branch()}' has these {len(names)} change(s) already")
            return
        lease = [f"--force-with-lease=refs/heads/{branch()}:{tip}"] if cut else []
        options = [*setting("POLSTER_PUSH_OPTIONS").split(), *lease]
        done = git("push", *options, remote(), f"{commit}:refs/heads/{branch()}", fails=True)
        if done.returncode == 0:
            say(f"pushed {len(names)} change(s) to '{branch()}', attempt {attempt}")
            return
        words = done.stderr.decode(errors="replace")
        say(f"attempt {attempt} was rejected, trying again")
        time.sleep(random.uniform(0, 1.6 / attempt))  # who has waited longest waits least
    stop(f"{words}gave up after {ATTEMPTS} attempts")


def unpack(file: Path, target: Path) -> Iterator[str]:
    """Take data out of a packed file, and nothing else that may be in it; yield what it changes."""
    try:
        with tarfile.open(file) as archive:
            for member in archive:
                source = archive.extractfile(member) if member.isfile() else None
                if source and member.name == DELETED:
                    yield from filter(DATA.fullmatch, source.read().decode().split("\0"))
                elif source and DATA.fullmatch(member.name):
                    path = target / member.name
                    path.parent.mkdir(parents=True, exist_ok=True)
                    with path.open("wb") as copy:
                        shutil.copyfileobj(source, copy)
                    check(member.name, path)
                    yield member.name
    except (OSError, ValueError, tarfile.TarError) as error:
        stop(f"'{file}' cannot be read: {error}", 2)


def committed(tip: str | None, names: list[str], work: Path) -> tuple[str, bool]:
    """Return the commit with the changes, and whether it starts the history over."""
    index = work.with_name(f"{work.name}.index")
    git("read-tree", tip or "--empty", index=index)
    if tip:
        use_lfs(tip)
    how = ("update-index", "--add", "--remove", "-z", "--stdin")
    git(*how, index=index, work=work, given=joined(names))
    tree = text("write-tree", index=index)
    if tip and tree == text("rev-parse", f"{tip}^{{tree}}"):
        return tip, False
    pushes, parents, cut = 1, [], False
    if tip:
        found = COUNT.search(text("log", "-1", "--format=%B", tip))
        pushes, parents = (int(found[1]) if found else 0) + 1, ["-p", tip]
        held = listed("ls-tree", "-r", "-z", "--name-only", "--full-tree", tip)
        own = all("/data/" in f"/{name}" or name == ".gitattributes" for name in held)
        if own and pushes > int(setting("POLSTER_HISTORY", "30")):
            pushes, parents, cut = 1, [], True
    first = setting("POLSTER_COMMIT_MESSAGE", "data: polster run")
    words = f"{first} [skip ci]\n\nPolster-Changes: {len(names)}\nPolster-Pushes: {pushes}\n"
    return text("commit-tree", tree, *parents, given=words.encode()), cut


def use_lfs(tip: str) -> None:
    """Let git store files, and send them before it pushes, as .gitattributes of the branch says."""
    attributes = git("cat-file", "blob", f"{tip}:.gitattributes", fails=True).stdout
    if b"filter=lfs" in attributes and git("lfs", "install", "--local", fails=True).returncode:
        stop(f"'{branch()}' keeps files in Git LFS: install git-lfs on this machine")


def check(name: str, path: Path) -> None:
    """Refuse what must not be on the branch, or would be of no use there."""
    if path.is_symlink() or not path.is_file():
        stop(f"'{name}' is no file", 2)
    if SECRET.fullmatch(name):
        stop(f"refusing to keep '{name}', which looks like a secret", 2)
    size, most = path.stat().st_size / 2**20, int(setting("POLSTER_MAX_FILE_MB", "95"))
    if size > most:
        stop(f"'{name}' has {size:.0f} MB, the limit is {most} MB: use cloud storage", 2)
    refuse_pointer(name, path)


def refuse_pointer(name: str, path: Path) -> None:
    """Refuse what stands for a file that is somewhere else."""
    with path.open("rb") as file:
        if file.read(len(POINTER)) == POINTER:
            stop(f"'{name}' is a pointer of Git LFS without its content: install git-lfs", 2)


def branch() -> str:
    """Return the branch of this environment's data."""
    env = setting("ENV", "dev")
    named = setting("POLSTER_DATA_BRANCH", "data").removeprefix("refs/heads/")
    return named if env == "dev" else f"data-{env}"


def remote() -> str:
    """Return the name or the address of the remote."""
    return setting("POLSTER_REMOTE", "origin")


def setting(name: str, default: str = "") -> str:
    """Return a variable; one that Azure Pipelines does not know arrives as the literal $(NAME)."""
    value = os.environ.get(name, "")
    return default if value in {"", f"$({name})"} else value


def fetch() -> str | None:
    """Return the newest commit of the branch; None if there is no such branch."""
    shallow = text("rev-parse", "--is-shallow-repository") == "true"
    how = ["--quiet", "--no-tags", *(["--depth=1"] if shallow else [])]
    asked = ("ls-remote", "--exit-code", "--heads", remote(), f"refs/heads/{branch()}")
    for _ in range(2):  # another pipeline may make the branch between the two questions
        done = git("fetch", *how, remote(), f"+refs/heads/{branch()}:{REF}", fails=True)
        if done.returncode == 0:
            return text("rev-parse", REF)
        if git(*asked, fails=True).returncode == 2:  # there is none
            return None
    words = done.stderr.decode(errors="replace")
    return stop(f"{words}cannot fetch '{branch()}' from '{remote()}'")


def noted() -> Path:
    """Return the index that notes what was restored, with the times of the files."""
    return Path(text("rev-parse", "--git-path", "polster-data")).absolute()


def listed(*args: str, index: Path | None = None) -> list[str]:
    """Return the names that git lists."""
    out = git(*args, index=index).stdout
    return [os.fsdecode(name) for name in out.split(b"\0") if name]


def joined(names: Iterable[str]) -> bytes:
    """Return names as git reads them."""
    return b"\0".join(os.fsencode(name) for name in names)


def text(*args: str, index: Path | None = None, given: bytes = b"") -> str:
    """Return the text that git says."""
    return git(*args, index=index, given=given).stdout.decode(errors="replace").strip()


def git(
    *args: str,
    index: Path | None = None,
    work: Path | None = None,
    given: bytes = b"",
    fails: bool = False,
) -> subprocess.CompletedProcess[bytes]:
    """Run git, with another index and work tree; stop if it fails, unless it may."""
    author = setting("GIT_AUTHOR_NAME", "polster-bot")
    email = setting("GIT_AUTHOR_EMAIL", "polster-bot@users.noreply.invalid")
    env = {**os.environ, "GIT_AUTHOR_NAME": author, "GIT_AUTHOR_EMAIL": email}
    env |= {"GIT_COMMITTER_NAME": author, "GIT_COMMITTER_EMAIL": email, "GIT_TERMINAL_PROMPT": "0"}
    if index:
        env["GIT_INDEX_FILE"] = str(index)
    if work:
        env |= {"GIT_DIR": text("rev-parse", "--absolute-git-dir"), "GIT_WORK_TREE": str(work)}
    where = remote()  # where Git LFS has its objects, too
    lfs = ["-c", f"remote.polster.url={where}", "-c", "remote.lfsdefault=polster"]
    command = ["git", *(lfs if "/" in where else []), *args]
    done = subprocess.run(command, check=False, cwd=work, env=env, input=given, capture_output=True)
    if done.returncode and not fails:
        stop(f"{done.stderr.decode(errors='replace')}git {args[0]} failed")
    return done


def say(words: str) -> None:
    """Tell people."""
    print(f"data: {words}", flush=True)


def stop(words: str, code: int = 1) -> NoReturn:
    """Tell what went wrong, without the tokens of addresses, and end."""
    *before, last = re.sub(r"://[^/@\s]+@", "://***@", words).splitlines()
    print(*before, f"data: error: {last}", sep="\n", file=sys.stderr)
    sys.exit(code)


if __name__ == "__main__":
    main(*sys.argv[1:])
