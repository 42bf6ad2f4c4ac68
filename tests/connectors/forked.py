"""Direct runs of an asset that start at once: forked off a Python that has imported all."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tests.connectors.conftest import Shop
from tests.generated.projects import Done, told

_SERVER = """
import json, os, runpy, sys, tempfile
from importlib import import_module

for name in ("polars", "core.runtime.direct", *sys.argv[1:]):
    import_module(name)

def run(file, args, env):
    os.environ.update(env)
    sys.argv = [file, *args]
    try:
        runpy.run_path(file, run_name="__main__")
    except SystemExit as end:
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
        return 1 if isinstance(end.code, str) else end.code or 0
    return 0

for line in sys.stdin:
    request = json.loads(line)
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        child = os.fork()
        if not child:
            os.dup2(out.fileno(), 1)
            os.dup2(err.fileno(), 2)
            code = 70
            try:
                code = run(**request)
                sys.stdout.flush()
            finally:
                os._exit(code)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        texts = []
        for file in (out, err):
            file.seek(0)
            texts.append(file.read().decode())
    print(json.dumps([code, *texts]), flush=True)
"""
_ROWS = """
import json
from core.storage import read
print(json.dumps(read("{}").collect().to_dicts(), default=str))
"""


@dataclass(frozen=True)
class Forked:
    """Runs of one project."""

    shop: Shop
    process: subprocess.Popen[str]

    def core(self, stem: str, *args: str, **env: object) -> Done:
        """`python src/core/STEM.py ...`, with variables of the shell."""
        return self._run(f"src/core/{stem}.py", *args, **env)

    def rows(self, stem: str) -> list[dict[str, Any]]:
        """Return the rows of an asset; what is not JSON comes as text."""
        done = self.script(_ROWS.format(stem))
        assert done.returncode == 0, told(done)
        found: list[dict[str, Any]] = json.loads(done.stdout)
        return found

    def script(self, text: str, **env: object) -> Done:
        """`python -c TEXT`."""
        script = self.shop.root / ".script.py"
        script.write_text(text, encoding="utf-8")
        return self._run(str(script), **env)

    def _run(self, file: str, *args: str, **env: object) -> Done:
        changed = {name: str(value) for name, value in env.items()}
        assert self.process.stdin
        assert self.process.stdout
        request = {"file": file, "args": args, "env": changed}
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        assert answer, "the Python that forks has ended"
        return subprocess.CompletedProcess(file, *json.loads(answer))


@contextmanager
def forked(shop: Shop, *modules: str) -> Iterator[Forked]:
    """Start a Python in a project, which imports some modules before it forks."""
    with subprocess.Popen(
        [shop.interpreter, "-c", _SERVER, *modules],
        cwd=shop.root,
        env=shop.variables(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
    ) as process:
        yield Forked(shop, process)
        assert process.stdin
        process.stdin.close()
