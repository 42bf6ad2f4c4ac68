"""Looks at the data of a project that start at once: forked off a Python that has imported Polars.

Only for looking. What is tested is started as a person starts it.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from functools import cache
from pathlib import Path

_SERVER = """
import json, os, sys, tempfile, traceback
import dataframely, fsspec.implementations.local, polars

base = list(sys.path)

def look(script, args, cwd, env):
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(env)
    sys.path[:] = [*env["PYTHONPATH"].split(os.pathsep), *base]
    sys.argv = ["-c", *args]
    exec(compile(script, "<look>", "exec"), {"__name__": "__main__"})

for line in sys.stdin:
    with tempfile.TemporaryFile() as output:
        child = os.fork()
        if not child:
            code = 1
            try:
                os.dup2(output.fileno(), 1)
                os.dup2(output.fileno(), 2)
                look(**json.loads(line))
                code = 0
            except BaseException:
                traceback.print_exc()
            finally:
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(code)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        output.seek(0)
        print(json.dumps([code, output.read().decode()]), flush=True)
"""


def look(interpreter: Path, script: str, *args: str, cwd: Path, env: Mapping[str, str]) -> str:
    """Return what a script prints, as `python -c SCRIPT ...` would."""
    server = _server(interpreter)
    assert server.stdin
    assert server.stdout
    request = {"script": script, "args": args, "cwd": str(cwd), "env": dict(env)}
    server.stdin.write(json.dumps(request) + "\n")
    server.stdin.flush()
    code, output = json.loads(server.stdout.readline())
    assert code == 0, output
    return str(output)


@cache
def _server(interpreter: Path) -> subprocess.Popen[str]:
    """Start it; it ends with the tests, when nobody writes to it any more."""
    return subprocess.Popen(
        [interpreter, "-c", _SERVER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
    )
