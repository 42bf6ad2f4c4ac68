"""Forks a process for each request from a Python that has imported what such runs import.

Reads one JSON request a line from stdin, `{"args", "cwd", "env"}`, and answers with
`[exit code, stdout, stderr]`; see warm.py, which starts it with each project's interpreter. Others
ask at a socket: warm_client.py gives the files that are its own stdin, stdout and stderr, and gets
the number of the process and, once it has ended, the exit code; a process whose client is killed is
killed, too. This imports nothing but the standard library, since that interpreter has no more in
common with the tests'.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import json
import os
import runpy
import selectors
import signal
import socket
import sys
import tempfile
import threading
import time
import types
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

# What python put first is the folder of this file, which no run shall see.
INSTALLED_PATHS = sys.path[1:]
PREFIX = str(Path(sys.prefix, "lib"))


def begin(files: Sequence[int], cwd: str, env: Mapping[str, str]) -> None:
    """Become a process that has just started, in a folder; stdin, stdout, stderr are such files."""
    for number, file in enumerate(files):
        os.dup2(file, number)
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(env)
    time.tzset()


def run(args: Sequence[str]) -> None:
    """Do what `python ARGS` does; what it raises looks as if nothing had come before."""
    is_safe = args[0] == "-P"
    first, *rest = args[is_safe:]
    beside = {"-c": "", "-m": str(Path.cwd())}.get(first, str(Path(first).absolute().parent))
    path = [entry for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry]
    sys.path[:] = [*([] if is_safe else [beside]), *path, *INSTALLED_PATHS]
    if first == "-m":
        sys.argv = rest
        runpy.run_module(rest[0], run_name="__main__", alter_sys=True)
        return
    main = sys.modules["__main__"] = types.ModuleType("__main__")
    if first == "-c":
        sys.argv, text, file = ["-c", *rest[1:]], rest[0], "<string>"
    else:
        sys.argv, file = [first, *rest], first
        main.__file__ = first
        text = Path(first).read_text(encoding="utf-8")
    exec(compile(text, file, "exec", dont_inherit=True), vars(main))  # noqa: S102 - its purpose


def child(args: Sequence[str], names: IO[str]) -> None:
    """Run and end: all but the taking apart of what was imported, which takes half a second."""
    code = 70
    try:
        code = outcome(args)
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
        # A tool's modules are not those of a pipeline.
        json.dump([] if args[0] == "-m" else installed(), names)
        for stream in (names, sys.stdout, sys.stderr):
            stream.flush()
    finally:
        os._exit(code)


def outcome(args: Sequence[str]) -> int:
    """Return the exit code of a run, after the message that Python prints about it."""
    try:
        run(args)
    except SystemExit as end:
        if end.code is None or isinstance(end.code, int):
            return end.code or 0
        print(end.code, file=sys.stderr)
        return 1
    except BaseException as error:  # noqa: BLE001 - as Python itself does
        trace = error.__traceback__
        while trace and trace.tb_frame.f_code.co_name != "<module>":
            trace = trace.tb_next
        sys.excepthook(type(error), error.with_traceback(trace), trace)
        return 1
    return 0


def installed() -> list[str]:
    """Return the modules that do not belong to a project."""
    found = [(name, getattr(module, "__file__", None)) for name, module in sys.modules.items()]
    return [name for name, file in found if file and file.startswith(PREFIX)]


def learn(names: IO[str]) -> None:
    """Import what a run has imported, so that the next ones need not."""
    names.seek(0)
    for name in json.loads(names.read() or "[]"):
        if name not in sys.modules:
            with contextlib.suppress(Exception):
                importlib.import_module(name)
    gc.freeze()


def answer(line: str) -> None:
    """Do what a line of stdin asks for, and say what came out."""
    request = json.loads(line)
    with contextlib.ExitStack() as stack:
        out, err, names = (
            stack.enter_context(tempfile.TemporaryFile("w+", encoding="utf-8")) for _ in range(3)
        )
        nothing = stack.enter_context(Path(os.devnull).open(encoding="utf-8"))
        pid = os.fork()
        if not pid:
            files = [file.fileno() for file in (nothing, out, err)]
            begin(files, request["cwd"], request["env"])
            child(request["args"], names)
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        for file in (out, err):
            file.seek(0)
        print(json.dumps([code, out.read(), err.read()]), flush=True)
        learn(names)


def attend(client: socket.socket, names: IO[str]) -> None:
    """Do what somebody at the socket asks for, in a process that does nothing else."""
    _, files, *_ = socket.recv_fds(client, 1, 3)
    with client.makefile(encoding="utf-8") as asked:
        request = json.loads(asked.readline())
    pid = os.fork()
    if not pid:
        begin(files, request["cwd"], request["env"])
        child(request["args"], names)
    for file in files:
        os.close(file)
    client.sendall(f"{pid}\n".encode())
    threading.Thread(target=end_with, args=(client, pid), daemon=True).start()
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    client.sendall(f"{code}\n".encode())


def end_with(client: socket.socket, pid: int) -> None:
    """Kill a process when its client is gone, which waits for as long as the process runs."""
    client.recv(1)
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def serve(where: str) -> None:
    """Answer requests until there are no more; several clients of the socket at a time."""
    attending: dict[int, IO[str]] = {}
    with socket.socket(socket.AF_UNIX) as door, selectors.DefaultSelector() as waiting:
        door.bind(where)
        door.listen(64)
        waiting.register(door, selectors.EVENT_READ)
        waiting.register(sys.stdin, selectors.EVENT_READ)
        while True:
            ready = [key.fileobj for key, _ in waiting.select()]
            for pid in [pid for pid in attending if os.waitpid(pid, os.WNOHANG)[0]]:
                with attending.pop(pid) as names:
                    learn(names)
            if door in ready:
                client, _ = door.accept()
                names = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115 - kept
                if pid := os.fork():
                    client.close()
                    attending[pid] = names
                else:
                    try:
                        attend(client, names)
                    finally:
                        os._exit(0)
            if sys.stdin in ready:
                if not (line := sys.stdin.readline()):
                    return
                answer(line)


if __name__ == "__main__":
    serve(sys.argv[1])
