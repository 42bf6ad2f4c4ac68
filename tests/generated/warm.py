"""Runs of Python that start at once: forked off one that has imported what its runs import.

Most of the time of a short run goes by while Dagster and Polars are imported, the same in each. A
server for each interpreter learns from every run which installed modules it needed, imports them
itself, and gives each run a process of its own, which begins and ends as Python does. Nothing of a
project is kept: its modules are imported by each run.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

Done = subprocess.CompletedProcess[str]

PATIENCE = 180.0
"""Seconds after which something hangs."""

_SERVER = r'''
import atexit, contextlib, gc, importlib, json, os, runpy, sys, tempfile, threading, time, types

base, prefix = list(sys.path), os.path.join(sys.prefix, "lib")
server = sys.modules["__main__"]


def begin(files, cwd, env):
    """Become a process that has just started."""
    with open(os.devnull) as nothing:
        for number, file in enumerate((nothing, *files)):
            os.dup2(file.fileno(), number)
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(env)
    time.tzset()


def run(args):
    """Do what `python ARGS` does; what it raises looks as if nothing had come before."""
    first, *rest = args
    path = [entry for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry]
    sys.path[:] = ["" if first.startswith("-") else os.path.dirname(os.path.abspath(first))]
    sys.path += path + base[1:]
    if first == "-m":
        sys.path[0], sys.argv = os.getcwd(), rest
        return runpy.run_module(rest[0], run_name="__main__", alter_sys=True)
    main = sys.modules["__main__"] = types.ModuleType("__main__")
    if first == "-c":
        sys.argv, text, file = ["-c", *rest[1:]], rest[0], "<string>"
    else:
        sys.argv, file = list(args), first
        main.__file__ = first
        with open(first, encoding="utf-8") as opened:
            text = opened.read()
    exec(compile(text, file, "exec"), vars(main))


def child(args, names):
    """Run and end: all but the taking apart of what was imported, which takes half a second."""
    code = 70
    try:
        code = outcome(args)
        threading._shutdown()
        atexit._run_exitfuncs()
        json.dump(installed(), names)
        for stream in (names, sys.stdout, sys.stderr):
            stream.flush()
    finally:
        os._exit(code)


def outcome(args):
    """The exit code of a run, after the message that Python prints about it."""
    try:
        run(args)
    except SystemExit as end:
        if end.code is None or isinstance(end.code, int):
            return end.code or 0
        print(end.code, file=sys.stderr)
        return 1
    except BaseException as error:
        trace = error.__traceback__
        while trace and trace.tb_frame.f_code.co_name != "<module>":
            trace = trace.tb_next
        sys.excepthook(type(error), error.with_traceback(trace), trace)
        return 1
    return 0


def installed():
    """The modules that do not belong to a project."""
    found = [(name, getattr(module, "__file__", None)) for name, module in sys.modules.items()]
    return [name for name, file in found if file and file.startswith(prefix)]


def serve():
    for line in sys.stdin:
        request = json.loads(line)
        with contextlib.ExitStack() as stack:
            out, err, names = (
                stack.enter_context(tempfile.TemporaryFile("w+")) for _ in range(3)
            )
            pid = os.fork()
            if not pid:
                begin((out, err), request["cwd"], request["env"])
                child(request["args"], names)
            code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
            for file in (out, err, names):
                file.seek(0)
            answer = [code, out.read(), err.read()]
            new = [name for name in json.loads(names.read() or "[]") if name not in sys.modules]
        print(json.dumps(answer), flush=True)
        if request["learn"]:
            for name in new:
                with contextlib.suppress(Exception):
                    importlib.import_module(name)
            gc.freeze()


serve()
'''


def run(
    interpreter: Path,
    args: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    seconds: float = PATIENCE,
) -> Done:
    """Return what `python ARGS` says and its exit code; a process of its own, without a terminal.

    Raises:
        subprocess.TimeoutExpired: It takes longer than `seconds`.

    """
    server = _server(interpreter)
    assert server.stdin
    assert server.stdout
    learn = args[0] != "-m"  # a tool's modules are not those of a pipeline
    request = {"args": list(args), "cwd": str(cwd), "env": dict(env), "learn": learn}
    timer = threading.Timer(seconds, os.killpg, (server.pid, signal.SIGKILL))
    timer.start()
    try:
        server.stdin.write(json.dumps(request) + "\n")
        server.stdin.flush()
        answer = server.stdout.readline()
    finally:
        timer.cancel()
    if not answer:
        _server.cache_clear()
        raise subprocess.TimeoutExpired(list(args), seconds)
    return Done([str(interpreter), *args], *json.loads(answer))


@cache
def _server(interpreter: Path) -> subprocess.Popen[str]:
    """Start it; it ends with the tests."""
    env = {name: text for name, text in os.environ.items() if name != "PYTHONPATH"}
    env |= {"PYTHONDONTWRITEBYTECODE": ""}
    server = subprocess.Popen(
        [interpreter, "-c", _SERVER],
        env=env,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
        start_new_session=True,
    )
    atexit.register(_end, server)
    return server


def _end(server: subprocess.Popen[str]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(server.pid, signal.SIGKILL)
    server.communicate()
