"""The webserver or the daemon, as `--ui` starts and stops it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from polster_runtime.config.paths import dagster_home, project_root
from polster_runtime.dagster.ui_child import STOP_SECONDS


class Service:
    """A Python module in a process group of its own."""

    def __init__(self, name: str, module: str, *arguments: str) -> None:
        self.name = name
        self.log = dagster_home() / "ui" / f"{name}.log"
        self._command = ["-m", "polster_runtime.dagster.ui_child", name, module, *arguments]
        self._process: subprocess.Popen[Any] | None = None

    def start(self) -> None:
        """Start it; one that is started again goes on with its log."""
        own_group: dict[str, Any] = {"start_new_session": True}
        if sys.platform == "win32":
            own_group = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
        with Path(self.log).open("wb" if self._process is None else "ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, *self._command],
                # Dagster reads .env where it starts, and lets it win over the shell: not here.
                cwd=dagster_home(),
                env={
                    **os.environ,
                    "DAGSTER_HOME": str(dagster_home()),
                    "PROJECT_ROOT": str(project_root()),  # DAGSTER_HOME may be elsewhere
                },
                stdin=subprocess.PIPE,  # closed when this process ends, however it does
                stdout=log,
                stderr=subprocess.STDOUT,
                **own_group,
            )

    def has_ended(self) -> bool:
        """Whether it runs no more."""
        return self._process is None or self._process.poll() is not None

    def stop(self) -> None:
        """Stop it and all that it has started, runs as well.

        What does not end by itself, or before Ctrl-C is pressed once more, is killed. What a
        process that has died has left goes on.
        """
        process = self._process
        if process is None or process.poll() is not None:
            return
        try:
            if sys.platform == "win32":
                process.send_signal(signal.CTRL_BREAK_EVENT)
                process.wait(STOP_SECONDS)
            else:
                deadline = time.monotonic() + STOP_SECONDS
                while _signal_all(process, signal.SIGTERM) and time.monotonic() < deadline:
                    time.sleep(0.1)
        except subprocess.TimeoutExpired:
            pass
        finally:
            if sys.platform == "win32":
                process.kill()
            else:
                _signal_all(process, signal.SIGKILL)
            process.wait()


def _signal_all(process: subprocess.Popen[Any], number: int) -> bool:
    """Send a signal to a process and all that it has started; whether any of it is there."""
    process.poll()
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        return False
    return True
