"""Do what README says first, on a Debian 12 that has Python and nothing else.

    python -m tests.first_use FOLDER     as root; debootstrap makes the system in FOLDER, once

Python belongs to the system there (PEP 668), so each of the ways to install that README names has
to be one that goes. What is found out: the sample pipeline runs, the project is beside Polster's
clone, and in the environment of the project there are `polster` and pip, however Polster came.
This takes minutes and the network, so it is run by hand.
"""

# ruff: noqa: T201
from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

from tests.docs.markdown import blocks

ROOT = Path(__file__).parents[1]
SYSTEM = ("--variant=minbase", "--include=python3,python3-venv,ca-certificates", "bookworm")
FIRST = next(
    block.text.strip()
    for block in blocks((ROOT / "README.md").read_text("utf-8"))
    if block.language == "sh"
)
TOOL = "python3 -m venv /opt/{0} && /opt/{0}/bin/pip install --quiet {0}"
THEN = "cd .. && polster init shop --run"
WAYS = {
    "venv": FIRST,
    "uv": f"{TOOL.format('uv')} && PATH=/opt/uv/bin:$PATH && uv tool install --quiet . && {THEN}",
    "pipx": f"{TOOL.format('pipx')} && /opt/pipx/bin/pipx install . && {THEN}",
}
CHECKS = """
deactivate 2>/dev/null || true
test -d shop/data/gold/example
test ! -e polster/shop
test -z "$(find polster -newer started -name 'pyproject.toml')"
. shop/.venv/bin/activate
cd shop
command -v polster
polster validate
python -m pip --version
"""
PASSED_ON = ("PIP_", "UV_", "SSL_", "HTTP", "NO_PROXY", "REQUESTS_", "CURL_")
SETTINGS = ("/etc/pip.conf", "/etc/resolv.conf", "/etc/uv/uv.toml")


def main(folder: Path) -> int:
    """Try every way; return 1 if one failed."""
    if not (folder / "usr/lib/python3.11/EXTERNALLY-MANAGED").exists():
        subprocess.run(["debootstrap", *SYSTEM, folder], check=True)
    variables = {
        name: text
        for name, text in os.environ.items()
        if name.upper().startswith(PASSED_ON) and name != "PIP_FIND_LINKS"
    }
    for file in map(Path, {*SETTINGS, *variables.values()}):
        if file.is_absolute() and file.is_file():
            (folder / file.relative_to("/")).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, folder / file.relative_to("/"))
    failed = [way for way, commands in WAYS.items() if not works(folder, way, commands, variables)]
    print(f"failed: {' '.join(failed)}" if failed else "all of them work")
    return bool(failed)


def works(folder: Path, way: str, commands: str, variables: dict[str, str]) -> bool:
    """Do what README says in a home of its own, and look at what came of it."""
    home = folder / "home" / way
    shutil.rmtree(home, ignore_errors=True)
    (home / "polster").mkdir(parents=True)
    tracked = subprocess.run(
        ["git", "archive", "HEAD"], cwd=ROOT, check=True, capture_output=True
    ).stdout
    with tarfile.open(fileobj=io.BytesIO(tracked)) as archive:
        archive.extractall(home / "polster", filter="data")
    (home / "started").touch()
    script = f"set -e\ncd ~/polster\n{commands}\n{CHECKS}"
    mounts = (
        'mount -t proc proc "$0/proc"; mount --rbind /dev "$0/dev"; exec chroot "$0" sh -c "$1"'
    )
    path = f"/home/{way}/.local/bin:/usr/local/bin:/usr/bin:/bin"
    done = subprocess.run(
        ["unshare", "--mount", "--pid", "--fork", "sh", "-c", mounts, folder, script],
        check=False,
        env={
            **variables,
            "HOME": f"/home/{way}",
            "PATH": f"{path}:/usr/sbin:/sbin",
            "LANG": "C.UTF-8",
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    )
    good = done.returncode == 0 and "4 assets, 4 succeeded" in done.stdout
    print(f"--- {way}: {'works' if good else f'FAILED, exit code {done.returncode}'}")
    print(done.stdout if not good else "\n".join(done.stdout.splitlines()[-4:]))
    return good


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]).resolve()))
