"""Check names, contracts and registrations with Polster, and draw reports/lineage.svg.

The project does not depend on Polster's command line, so `[tool.polster]` of pyproject.toml says
where it comes from, pinned, so that nobody else's package can take its place:

    install = "https://example.com/polster-0.2.0-py3-none-any.whl#sha256=..."   (or file:///...)
    install = "git+https://example.com/polster@COMMIT"                  (all 40 characters)

Without it this step is left out; the layer rules are checked by the project's own tests as well.
`required_plugins` of the same table are installed beside it, and plugins that are files of
this project run, as its tests do. Upgrades of Polster replace this file.
"""

import hashlib
import os
import re
import subprocess
import sys
import tempfile
import tomllib
import urllib.request
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
PINNED = re.compile(
    r"(?:polster *@ *)?(?P<url>(?:https|file)://.+)#sha256=(?P<digest>[0-9a-f]{64})"
)
COMMIT = re.compile(r"(?:polster *@ *)?git\+.+@[0-9a-f]{40}")


def main() -> int:
    """Validate, and return the exit code."""
    text = (PROJECT / "pyproject.toml").read_text(encoding="utf-8")
    settings = tomllib.loads(text).get("tool", {}).get("polster", {})
    if not (install := settings.get("install")):
        print("polster validate is left out: [tool.polster] has no `install`; see docs/cicd")
        return 0
    with tempfile.TemporaryDirectory() as folder:
        source = downloaded(install, Path(folder))
        plugins = [*settings.get("required_plugins", settings.get("required-plugins", ()))]
        options = [word for name in plugins for word in ("--with", name)]
        command = ["uv", "tool", "run", "--quiet", "--from", source, *options, "polster"]
        env = {**os.environ, "POLSTER_TRUST_PROJECT": "1"}
        drawn = subprocess.run(
            [*command, "lineage", "--format", "svg"],
            check=False,
            cwd=PROJECT,
            env=env,
            stdout=subprocess.PIPE,
        )
        if drawn.returncode:
            return drawn.returncode
        (PROJECT / "reports").mkdir(exist_ok=True)
        (PROJECT / "reports" / "lineage.svg").write_bytes(drawn.stdout)
        style = ["--format", "github"] if os.environ.get("GITHUB_ACTIONS") else []
        done = subprocess.run([*command, "validate", *style], check=False, cwd=PROJECT, env=env)
        return done.returncode


def downloaded(install: str, folder: Path) -> str:
    """Return what uv shall install: a commit, or the wheel, once it is what was pinned."""
    if COMMIT.fullmatch(install):
        return install
    if not (found := PINNED.fullmatch(install)):
        sys.exit(f"[tool.polster] install = {install!r} is not pinned: add #sha256=... or @COMMIT")
    with urllib.request.urlopen(found["url"]) as answer:
        content = answer.read()
    if (digest := hashlib.sha256(content).hexdigest()) != found["digest"]:
        sys.exit(f"{found['url']} has the SHA-256 {digest}, not the one in [tool.polster] install")
    wheel = folder / found["url"].rpartition("/")[2]
    wheel.write_bytes(content)
    return str(wheel)


if __name__ == "__main__":
    sys.exit(main())
