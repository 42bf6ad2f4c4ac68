"""Read a request, check, write the answer."""

from __future__ import annotations

import faulthandler
import json
import os
import sys
from pathlib import Path
from typing import Any

from . import definitions
from .flow import Flow, ProbedAsset, UnknownColumnError, UnknownTypeError, changes
from .guard import Guard
from .report import Answer, Files

_TIMEOUT = 600
"""Seconds: after that, the traceback of what is stuck is printed and the process ends."""


def main(request: str, result: str) -> None:
    """Check the project that a request file describes, and write the result file."""
    faulthandler.dump_traceback_later(_TIMEOUT, exit=True)
    asked: dict[str, Any] = json.loads(Path(request).read_text(encoding="utf-8"))
    root = Path(asked["root"])
    os.chdir(root)
    sys.path.insert(0, str(root / "src"))
    sys.dont_write_bytecode = True
    answer = _answer(asked, Files(root, asked["prefix"]))
    Path(result).write_text(json.dumps(answer.as_dict()), encoding="utf-8")


def _answer(asked: dict[str, Any], files: Files) -> Answer:
    assets = [ProbedAsset(**{**one, "deps": tuple(one["deps"])}) for one in asked["assets"]]
    guard = Guard()
    if asked["what_if"]:
        return _what_if(asked["what_if"], assets, files, guard)
    answer = Answer()
    declared = {key: (path, line) for key, path, line in asked["declared"]}
    definitions.load(files, declared, answer)
    return Flow(files, guard, answer=answer).run(assets)


def _what_if(
    asked: list[dict[str, str]], assets: list[ProbedAsset], files: Files, guard: Guard
) -> Answer:
    """Return what is wrong with the change and is not wrong without it."""
    before = Flow(files, guard)
    before.run(assets)
    for one in asked:
        if before.known.get(one["asset"]) is None:
            return Answer(error=f"the columns of {one['asset']} are known only after a first run")
    after = Flow(files, guard, dict(changes(asked)), stored=before.stored)
    try:
        answer = after.run(assets)
    except (UnknownColumnError, UnknownTypeError) as error:
        return Answer(error=str(error))
    known = set(before.answer.faults)
    return Answer([fault for fault in answer.faults if fault not in known], answer.notes)
