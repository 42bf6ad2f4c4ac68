"""A reader who does everything that a page says, in order, and believes nothing."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

from tests.docs.markdown import Block, blocks

ONLY_SHOWN = frozenset({"text", "powershell", "mermaid", "ini", "yaml"})
"""Languages of blocks that cannot be carried out where the tests run."""
TIMEOUT = 900.0
"""Seconds after which a block hangs: pip takes minutes on a busy machine."""
_ASSET = re.compile(r"(bronze|silver|gold)_\w+ ")
"""How the line of an asset begins."""
_ADDRESS = re.compile(r"Dagster UI: (http://\S+)")


class BrokenPromiseError(AssertionError):
    """A page that promised something else than what happened."""


@dataclass(kw_only=True)
class Reader:
    """Somebody in a terminal, in a folder, with a page open beside it."""

    page: str
    folder: Path
    skipped: frozenset[str] = frozenset()
    """Headings whose way of doing something this reader does not choose."""
    before: Mapping[str, Callable[[], object]] = field(default_factory=dict)
    """What the reader has at hand when a file of the page is about to be written."""
    env: dict[str, str] = field(default_factory=dict)

    def read(self, *titles: str) -> None:
        """Carry out sections of the page, or all of it.

        Raises BrokenPromiseError with the line of the page that did not hold.
        """
        for block in blocks(self.page):
            chosen = not titles or block.section in titles
            if chosen and self.skipped.isdisjoint(block.headings):
                self.before.get(block.file, bool)()
                self.carry_out(block)

    def carry_out(self, block: Block) -> None:
        """Write the file that a block is, or run what it says."""
        if block.file:
            self._write(block)
        elif block.language == "sh":
            self._check(block, self.run(block.text), "")
            if goes := re.fullmatch(r"cd (\S+)\n", block.text):
                self.folder /= goes[1]
        elif block.language == "console":
            for command, expected in commands(block.text):
                self._check(block, self.run(command), expected)
        elif block.language == "python":
            self._check(block, self.run("python -", block.text), "")
        elif block.language == "json":
            json.loads(block.text)
        elif block.language not in ONLY_SHOWN:
            raise BrokenPromiseError(
                f"line {block.line}: nobody knows what a {block.language} block is"
            )

    def run(self, script: str, given: str = "") -> subprocess.CompletedProcess[str]:
        """Type a script into a shell and wait; one that opens the UI is left with Ctrl-C."""
        if "--ui" in script:
            return self._look_at_ui(script)
        return subprocess.run(
            ["bash", "-e", "-c", script],
            check=False,
            cwd=self.folder,
            env=self.environment(),
            input=given,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            timeout=TIMEOUT,
        )

    def environment(self) -> dict[str, str]:
        """Return the variables of the shell: nothing of the environment that runs the tests."""
        others = {"PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "VIRTUAL_ENV", "DAGSTER_HOME"}
        kept = {name: text for name, text in os.environ.items() if name not in others}
        folders = [self.folder / ".venv" / "bin", Path(sys.executable).parent, kept["PATH"]]
        path = os.pathsep.join(map(str, folders))
        # Python compiles what it imports; pip would compile all of Dagster, each time. It takes
        # the variable for the value of what `--no-compile` switches off.
        return {**kept, "PATH": path, "COLUMNS": "100", "PIP_NO_COMPILE": "0", **self.env}

    def _write(self, block: Block) -> None:
        path = self.folder / block.file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block.text, encoding="utf-8")

    def _check(self, block: Block, done: subprocess.CompletedProcess[str], expected: str) -> None:
        failed = done.returncode != 0
        meant_to_fail = (
            re.search(r"^error: |^FAILED |^Traceback ", expected, re.MULTILINE) is not None
        )
        if failed != meant_to_fail or (expected and not matches(expected, done.stdout)):
            raise BrokenPromiseError(
                f"line {block.line}: {done.args[-1]}\nexit code {done.returncode}\n"
                f"--- promised\n{expected}--- printed\n{done.stdout}"
            )

    def _look_at_ui(self, command: str) -> subprocess.CompletedProcess[str]:
        process = subprocess.Popen(
            ["bash", "-c", f"exec {command}"],
            cwd=self.folder,
            env=self.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
        )
        printed = ""
        try:
            for line in process.stdout or ():
                printed += line
                if found := _ADDRESS.search(line):
                    with urllib.request.urlopen(found[1]) as page:  # noqa: S310 - 127.0.0.1
                        assert b"Dagster" in page.read()
                    break
        finally:
            process.send_signal(signal.SIGINT)
            rest, _ = process.communicate(timeout=TIMEOUT)
        return subprocess.CompletedProcess(["bash", command], process.returncode, printed + rest)


def commands(text: str) -> Iterator[tuple[str, str]]:
    """Yield the commands of a transcript (`$ ` before each), each with what it should print."""
    parts = re.split(r"^\$ ", text, flags=re.MULTILINE)
    if parts[0].strip():
        raise BrokenPromiseError(f"a transcript must begin with a command: {parts[0]}")
    for part in parts[1:]:
        command, _, expected = part.partition("\n")
        while command.endswith("\\"):
            more, _, expected = expected.partition("\n")
            command = f"{command}\n{more.removeprefix('> ')}"
        yield command, expected


def matches(expected: str, printed: str) -> bool:
    """Whether a program printed what a page shows.

    A line that is only … stands for any lines, … within a line for anything there, and seconds
    are never the same twice. Assets that run at the same time finish in any order.
    """
    pattern = "".join(_line(line) for line in _in_order(expected))
    text = "".join(f"{line}\n" for line in _in_order(printed))
    return re.fullmatch(pattern, text) is not None


def _in_order(text: str) -> Iterator[str]:
    lines = [line.rstrip() for line in text.strip().splitlines()]
    for _, group in groupby(lines, key=lambda line: bool(_ASSET.match(line)) or id(line)):
        yield from sorted(group)


def _line(line: str) -> str:
    if line == "…":
        return r"(?:.*\n)*?"
    pattern = re.escape(line).replace("…", ".*")
    return re.sub(r"(?:\\ )+\d+\\\.\d+\\ s\b", r" +\\d+\\.\\d+ s", pattern) + "\n"
