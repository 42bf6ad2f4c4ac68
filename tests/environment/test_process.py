"""Other programs: none is left running, whenever a signal comes."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from polster_core.environment import process
from polster_core.environment.process import InterruptedProgramError, is_alive


def test_ctrl_c_while_a_program_begins_ends_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At once after the program is there, and before anybody has it in hand."""
    begun: list[subprocess.Popen[str]] = []

    class Begins(subprocess.Popen):  # type: ignore[type-arg]
        def __init__(self, *args: Any, **how: Any) -> None:
            super().__init__(*args, **how)
            begun.append(self)
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(subprocess, "Popen", Begins)
    monkeypatch.setattr(process, "_TIMEOUT", 0.1)  # it has no terminal that tells it
    with pytest.raises(InterruptedProgramError):
        process.run(["sleep", "600"], cwd=tmp_path)
    (program,) = begun
    assert program.stdout
    program.stdout.close()
    assert not is_alive(program.pid)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
