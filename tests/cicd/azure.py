"""Run an Azure pipeline: shell steps as they stand, against a bare repository.

Template expressions, macros, stages, conditions, checkouts and artifacts are those of Azure
Pipelines. AzureCLI@2 runs its script; other tasks are noted and passed over.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests import machine
from tests.cicd.expressions import Functions, as_text, evaluate, look_up, substitute
from tests.cicd.steps import Run, checkout, git, keep, machine_variables, shell

_BASH = ("--noprofile", "--norc")
_DIRECTIVE = re.compile(r"\$\{\{\s*(if|else|each)\b\s*(.*?)\s*\}\}", re.DOTALL)
TOKEN = "azure-token-that-nobody-may-see"  # noqa: S105


@dataclass
class Event:
    """Why a pipeline runs, and what is set at Azure DevOps."""

    reason: str = "IndividualCI"
    branch: str = "main"
    parameters: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    """Of the variable group: they win over those in the file."""
    secrets: Mapping[str, str] = field(default_factory=dict)
    """Secret ones, which reach a step through its `env` only."""
    machine: Mapping[str, str] = field(default_factory=dict)
    """Variables of the machine that runs it, which win."""


def run(origin: Path, folder: Path, event: Event, root: str = ".") -> Run:
    """Run the pipeline of the branch, of the project in a folder of the repository."""
    tree = folder / "tree"
    checkout(origin, tree, f"refs/heads/{event.branch}")
    done = Run(folder)
    machine.stand_in(folder / "bin", "pipx", 'test "$1" = install')
    document = yaml.safe_load((tree / root / "azure-pipelines.yml").read_text(encoding="utf-8"))
    given = {one["name"]: one.get("default") for one in document.pop("parameters")}
    expanded = _expand(document, {"parameters": {**given, **event.parameters}})
    for stage in expanded["stages"]:
        done.results[stage["stage"]] = _Stage(done, origin, event, expanded, stage).run()
    return done


def _expand(node: Any, context: Mapping[str, Any]) -> Any:
    """Carry out the template expressions."""
    if isinstance(node, list):
        return [*_expanded(node, context)]
    if isinstance(node, dict):
        return {substitute(key, context): _expand(one, context) for key, one in node.items()}
    return substitute(node, context)


def _expanded(items: list[Any], context: Mapping[str, Any]) -> Iterator[Any]:
    taken = False
    for item in items:
        key = next(iter(item)) if isinstance(item, dict) and len(item) == 1 else ""
        if found := _DIRECTIVE.fullmatch(str(key)):
            kind, condition = found.groups()
            assert kind in {"if", "else"}, kind
            taken = not taken if kind == "else" else bool(evaluate(condition, context, {}))
            if taken:
                yield from _expanded(item[key], context)
        else:
            yield _expand(item, context)


class _Stage:
    """One stage that runs."""

    def __init__(
        self, done: Run, origin: Path, event: Event, document: dict[str, Any], stage: dict[str, Any]
    ) -> None:
        self.done, self.origin, self.event, self.stage = done, origin, event, stage
        self.sha = git("rev-parse", f"refs/heads/{event.branch}", cwd=origin)
        self.variables = {
            **{one["name"]: as_text(one["value"]) for one in document["variables"]},
            **event.variables,
            "Agent.OS": "Linux",
            "Build.BuildNumber": "20261120.1",
            "Build.Reason": event.reason,
            "Build.SourceBranch": f"refs/heads/{event.branch}",
            "Build.SourceVersion": self.sha,
            "System.AccessToken": TOKEN,
            "System.JobAttempt": "1",
        }

    def run(self) -> str:
        """Run the jobs; return the result."""
        before = self.stage.get("dependsOn", [])
        names = [before] if isinstance(before, str) else before
        results = {name: {"result": self.done.results[name]} for name in names}
        # Of all stages before it, not only of those that it names: Microsoft's stricter reading.
        good = all(one == "Succeeded" for one in self.done.results.values()) or not names
        context = {"variables": self.variables, "dependencies": results}
        if not evaluate(self.stage.get("condition", "succeeded()"), context, _status(good=good)):
            return "Skipped"
        outcomes = [_Job(self, job).run() for job in self.stage["jobs"]]
        return "Succeeded" if all(outcomes) else "Failed"


class _Job:
    """One job on a machine of its own."""

    def __init__(self, stage: _Stage, job: dict[str, Any]) -> None:
        self.stage, self.run_of = stage, stage.done
        self.name = job.get("job") or job["deployment"]
        self.folder = stage.done.folder / f"{stage.stage['stage']}-{self.name}"
        self.work = self.folder / "s"
        self.work.mkdir(parents=True)
        self.steps = job.get("steps") or job["strategy"]["runOnce"]["deploy"]["steps"]
        own = {one["name"]: as_text(one["value"]) for one in job.get("variables", [])}
        workspace = {"Pipeline.Workspace": str(self.folder)}
        self.variables = {**stage.variables, **workspace, **own}
        self.failed = False

    def run(self) -> bool:
        """Run the steps; return whether all went well."""
        for step in self.steps:
            condition = step.get("condition", "succeeded()")
            if evaluate(condition, {"variables": self.variables}, _status(good=not self.failed)):
                title = step.get("displayName") or next(iter(step))
                self.run_of.say(f"## {self.stage.stage['stage']}: {title}")
                self.failed = not self._step(step) or self.failed
        return not self.failed

    def _step(self, step: dict[str, Any]) -> bool:
        if "checkout" in step:
            checkout(self.stage.origin, self.work, self.stage.sha, int(step["fetchDepth"]))
        elif "bash" in step or step.get("task") == "AzureCLI@2":
            return self._shell(step)
        elif "publish" in step:
            return keep(self.run_of, self._macros(step["artifact"]), [self.work / step["publish"]])
        elif "download" in step:
            for found in self.run_of.artifacts.glob(f"*/{step['patterns'].removeprefix('**/')}"):
                target = self.folder / found.relative_to(self.run_of.artifacts)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(found, target)
        return True

    def _shell(self, step: dict[str, Any]) -> bool:
        public = {name: one for name, one in self.variables.items() if one != TOKEN}
        mapped = {name: self._macros(as_text(one)) for name, one in (step.get("env") or {}).items()}
        path = self.stage.event.machine.get("PATH", machine_variables()["PATH"])
        env = machine_variables(
            **{
                **{name.upper().replace(".", "_"): self._macros(v) for name, v in public.items()},
                "HOME": str(self.folder),
                "TF_BUILD": "True",
                **mapped,
                **self.stage.event.machine,
                "PATH": f"{self.run_of.folder / 'bin'}:{path}",
            }
        )
        script = self._macros(step.get("bash") or step["inputs"]["inlineScript"])
        inputs = step.get("inputs") or {}
        inner = step.get("workingDirectory") or inputs.get("workingDirectory", ".")
        code, output = shell(self.run_of, script, self.work / inner, env, _BASH)
        for file in re.findall(r"##vso\[task\.uploadsummary\](.*)", output):
            self.run_of.summaries.append(Path(file).read_text(encoding="utf-8"))
        return code == 0

    def _macros(self, text: str) -> str:
        """Put variables in; one that is not there stays as it is written."""
        known = {**self.variables, **self.stage.event.secrets}

        def value(found: re.Match[str]) -> str:
            one = look_up(known, found[1])
            return found[0] if one is None else str(one)

        return re.sub(r"\$\(([\w.]+)\)", value, text)


def _status(*, good: bool) -> Functions:
    return {
        "succeeded": lambda: good,
        "succeededorfailed": lambda: True,
        "failed": lambda: not good,
        "canceled": lambda: False,
        "always": lambda: True,
    }
