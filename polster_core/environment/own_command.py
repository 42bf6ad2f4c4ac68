"""`polster` in a project's environment: there after its activation, wherever Polster lives.

It is a script of two lines that starts this Polster with its own Python. An environment in which
Polster itself is installed keeps what its installer has put there.
"""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

from polster_core.environment import process

_MARK = "made by  polster setup"
_POSIX = """\
#!/bin/sh
# {mark}: starts the Polster that is installed elsewhere
[ -x {python} ] || {{ echo 'error: the Polster that set up this environment is gone;' \\
    'install it again, and run  polster setup' >&2; exit 1; }}
exec {python} -m polster_core "$@"
"""
_WINDOWS = '@rem {mark}\r\n@"{python}" -m polster_core %*\r\n'


def link(environment: Path) -> bool:
    """Write the script; return whether it is there: not where another `polster` is."""
    folder = process.scripts(environment)
    name, text = ("polster.cmd", _WINDOWS) if sys.platform == "win32" else ("polster", _POSIX)
    script = folder / name
    taken = any(not _is_ours(one) for one in (script, folder / "polster.exe") if one.is_file())
    if taken or script.is_symlink() or not folder.is_dir() or not sys.executable:
        return False
    python = sys.executable if sys.platform == "win32" else shlex.quote(sys.executable)
    script.unlink(missing_ok=True)
    script.write_text(text.format(mark=_MARK, python=python), encoding="utf-8", newline="")
    script.chmod(0o755)
    return True


def _is_ours(script: Path) -> bool:
    with script.open("rb") as file:
        return _MARK.encode() in file.read(200)
