"""Ask the project's own environment what is wrong with the project."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from polster_core.environment import venv
from polster_core.environment.process import clean_environment, run
from polster_core.errors import PolsterError, UsageProblem
from polster_core.model import layout
from polster_core.model.diagnostics import Problem, Severity, ValidationRule
from polster_core.model.layers import Layer
from polster_core.model.pipeline import Pipeline
from polster_core.validation.deep import RULES

_PROBE = Path(__file__).with_name("probe")
_WHAT_IF = (
    re.compile(r"(?P<action>drop)\s+(?P<asset>\S+)\.(?P<column>\S+)"),
    re.compile(r"(?P<action>rename)\s+(?P<asset>\S+)\.(?P<column>\S+)\s+(?:to|->)\s+(?P<to>\S+)"),
    re.compile(r"(?P<action>cast)\s+(?P<asset>\S+)\.(?P<column>\S+)\s+(?:to|as|->)\s+(?P<to>\S+)"),
)


@dataclass(frozen=True)
class Answer:
    """What the project's environment found: problems by rule, and what it could not check."""

    problems: dict[str, tuple[Problem, ...]]
    notes: tuple[str, ...]

    def rules(self) -> list[ValidationRule]:
        """Return the answer as rules, so that it is ignored, sorted and printed as all others."""
        return [
            ValidationRule(name=name, summary=summary, check=_found(self.problems.get(name, ())))
            for name, summary in RULES.items()
        ]


def ask(root: Path, pipeline: Pipeline, what_if: Sequence[str] = ()) -> Answer:
    """Run the checks that need the project's own code.

    With `what_if`, only what these changes would break is found. Raises PolsterError if there is no
    environment, or if the checks do not end as they should.
    """
    changes = [parse_what_if(pipeline, text) for text in what_if]
    if problem := venv.problem(root):
        raise PolsterError(
            f"--deep needs the project's own environment: {problem}",
            hint=f"make one with  {venv.retry(root)}",
        )
    with tempfile.TemporaryDirectory(prefix="polster-") as folder:
        request, result = Path(folder, "request.json"), Path(folder, "result.json")
        request.write_text(json.dumps(_request(root, pipeline, changes)), encoding="utf-8")
        done = run(
            [venv.python(root), "-P", _PROBE / "start.py", request, result],
            cwd=root,
            env=clean_environment(venv.folder(root)),
        )
        if done.code or not result.exists():
            raise PolsterError(
                f"the checks in the project's environment ended with {done.ending}",
                details=done.last_lines(12),
                hint="see what is installed with  polster doctor",
            )
        found = json.loads(result.read_text(encoding="utf-8"))
    if found["error"]:
        raise UsageProblem(found["error"])
    problems = _by_rule(found["faults"])
    notes = [*found["notes"], *(_consequences(pipeline, problems) if changes else ())]
    return Answer(problems, tuple(notes))


def _consequences(pipeline: Pipeline, problems: Mapping[str, Sequence[Problem]]) -> Iterator[str]:
    """Yield a sentence on the assets that would not run because others fail."""
    errors = {
        problem.path
        for several in problems.values()
        for problem in several
        if problem.severity is Severity.ERROR
    }
    failing = [asset for asset in pipeline.assets if asset.core_file in errors]
    seen, todo = {asset.key for asset in failing}, list(failing)
    below: list[str] = []
    while todo:
        for asset in pipeline.downstream(todo.pop()):
            if asset.key not in seen:
                seen.add(asset.key)
                below.append(str(asset))
                todo.append(asset)
    if below:
        yield f"{', '.join(sorted(below))} would not run either"


def parse_what_if(pipeline: Pipeline, text: str) -> dict[str, str]:
    """Read `drop orders.amount`; a name without a layer is that of the bronze asset, if it is one.

    Raises UsageProblem, and AssetNameError for an asset that does not exist.
    """
    for pattern in _WHAT_IF:
        if match := pattern.fullmatch(text.strip()):
            name = match["asset"]
            bronze = pipeline.candidates(name, layer=Layer.BRONZE)
            asset = bronze[0] if len(bronze) == 1 else pipeline.resolve(name)
            return {**match.groupdict(), "asset": asset.id.stem}
    raise UsageProblem(
        f"{text!r} is no change that --what-if knows",
        hint="drop orders.amount · rename orders.amount to total · cast orders.amount to String",
    )


def _request(
    root: Path, pipeline: Pipeline, changes: Iterable[dict[str, str]]
) -> dict[str, object]:
    broken = {fault.place.path for fault in pipeline.faults}
    assets = [
        {
            "stem": asset.id.stem,
            "layer": asset.layer,
            "name": asset.name,
            "function": asset.layer.function,
            "path": str(asset.core_file),
            "line": asset.core.place.line if asset.core and asset.core.place else 1,
            "deps": [other.id.stem for other in pipeline.upstream(asset)],
        }
        for asset in pipeline.assets
        if asset.core is not None and asset.core.stub is None and asset.core_file not in broken
    ]
    declared = [
        (layout.current().key(definition.key), str(definition.place.path), definition.place.line)
        for asset in pipeline.assets
        for definition in asset.definitions[:1]
    ]
    return {
        "root": str(root),
        "prefix": layout.current().module(""),
        "assets": assets,
        "declared": declared,
        "what_if": list(changes),
    }


def _by_rule(faults: Iterable[dict[str, Any]]) -> dict[str, tuple[Problem, ...]]:
    found: dict[str, list[Problem]] = {}
    for fault in faults:
        problem = Problem(
            path=PurePosixPath(fault["path"]),
            line=fault["line"],
            column=fault["column"],
            message=fault["message"],
            hint=fault["hint"],
            severity=Severity(fault["severity"]),
        )
        found.setdefault(fault["rule"], []).append(problem)
    return {rule: tuple(problems) for rule, problems in found.items()}


def _found(problems: tuple[Problem, ...]) -> Callable[[Pipeline], Iterable[Problem]]:
    return lambda _: problems
