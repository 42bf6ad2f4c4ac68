"""Stands in for a project's Python: has the warm one fork, and seems to be that process.

    python -I -S warm_client.py SOCKET COLD SOURCE ARGS...

What a warm Python is not made for, such as a terminal, the UI, or an option of Python itself, the
cold one does in this process; also what a limit is set for. SOURCE is the folder of the project's
code; without one, PYTHONPATH says where that is.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import socket
import sys
from contextlib import suppress


def main(where: str, cold: str, source: str, *args: str) -> int:
    """Return the exit code; ends by the signal that ended the other process."""
    env = {**os.environ, **({"PYTHONPATH": source} if source else {})}
    is_option = bool(args) and args[0].startswith("-") and args[0] not in {"-c", "-m", "-P"}
    is_limited = resource.getrlimit(resource.RLIMIT_FSIZE)[0] != resource.RLIM_INFINITY
    if not args or is_option or is_limited or "--ui" in args:
        os.execve(cold, [cold, *args], env)  # noqa: S606 - as typed
    request = {"args": args, "cwd": os.getcwd(), "env": env}  # noqa: PTH109 - nothing is imported
    with socket.socket(socket.AF_UNIX) as server:
        server.connect(where)
        socket.send_fds(server, [b"!"], [0, 1, 2])
        server.sendall(f"{json.dumps(request)}\n".encode())
        with server.makefile(encoding="utf-8") as answers:
            pid = int(answers.readline())
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, lambda number, _: os.kill(pid, number))
            code = int(answers.readline())
    if code < 0:
        with suppress(OSError):  # those that nobody can handle
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    return code


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
