"""Run a GitHub Actions workflow: shell steps as they stand, against a bare repository.

Order, conditions, matrices, contexts, reusable workflows, artifacts and checkouts are those of
GitHub. Actions other than actions/checkout, upload-artifact and download-artifact are noted and
passed over; `gh` is a program that writes down what it was asked.
"""

from __future__ import annotations

import itertools
import re
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import yaml

from tests import machine
from tests.cicd.expressions import Functions, as_text, evaluate, substitute
from tests.cicd.steps import Run, checkout, git, keep, machine_variables, shell

_BASH = ("--noprofile", "--norc", "-eo", "pipefail")
_ASKS_STATUS = re.compile(r"\b(success|failure|cancelled|always)\(")
TOKEN = "ghs_a-token-that-nobody-may-see"  # noqa: S105


@dataclass
class Event:
    """Why a workflow runs, and what is set at GitHub."""

    name: str = "push"
    branch: str = "main"
    inputs: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)
    machine: Mapping[str, str] = field(default_factory=dict)
    """Variables of the machine that runs it, which win."""
    changed: str = "src/core/x.py"
    """A file that the push changes."""


def run(origin: Path, folder: Path, event: Event, name: str = "polster") -> Run:
    """Run each workflow of the branch, of one project, that the event starts."""
    tree = folder / "tree"
    checkout(origin, tree, f"refs/heads/{event.branch}")
    done = Run(folder)
    machine.stand_in(folder / "bin", "gh", f'echo "gh $*" >>"{folder}/gh"')
    for file in sorted((tree / ".github" / "workflows").glob(f"{name}*.yml")):
        workflow = _load(file)
        if _starts(workflow["on"], event):
            _Workflow(done, origin, event, workflow, file.parents[2]).run()
    return done


def _load(file: Path) -> dict[str, Any]:
    found: dict[Any, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    return {("on" if name is True else name): value for name, value in found.items()}


def _starts(on: Mapping[str, Any], event: Event) -> bool:
    if event.name not in on:
        return False
    filters = on[event.name] if event.name in {"push", "pull_request"} else None
    if not filters:
        return True
    if "paths" in filters and not _touches(filters["paths"], event.changed):
        return False
    if event.name == "pull_request":
        return True
    if "branches" in filters:
        return event.branch in filters["branches"]
    return event.branch not in filters["branches-ignore"]


def _touches(patterns: Iterable[str], path: str) -> bool:
    found = False
    for pattern in patterns:
        if fnmatch(path, pattern.removeprefix("!")):
            found = not pattern.startswith("!")
    return found


class _Workflow:
    """One workflow that runs."""

    def __init__(
        self, done: Run, origin: Path, event: Event, workflow: dict[str, Any], root: Path
    ) -> None:
        self.done, self.origin, self.event, self.workflow = done, origin, event, workflow
        self.root, self.jobs = root, workflow["jobs"]
        self.results: dict[str, str] = {}
        self.context = self._context()

    def _context(self) -> dict[str, Any]:
        event = self.event
        given = (self.workflow["on"].get("workflow_dispatch") or {}).get("inputs", {})
        defaults = {name: one.get("default") for name, one in given.items()}
        by_hand = event.name == "workflow_dispatch"
        return {
            "github": {
                "actor": "ann",
                "event": {"repository": {"default_branch": "main"}},
                "event_name": event.name,
                "ref": f"refs/heads/{event.branch}",
                "ref_name": event.branch,
                "repository": "acme/shop",
                "run_id": "4711",
                "run_number": "7",
                "server_url": "https://github.example",
                "sha": git("rev-parse", f"refs/heads/{event.branch}", cwd=self.origin),
                "token": TOKEN,
            },
            "inputs": {**defaults, **event.inputs} if by_hand else {},
            "vars": dict(event.variables),
            "secrets": dict(event.secrets),
        }

    def run(self) -> str:
        """Run all jobs, each after those that it needs; return the result."""
        waiting = dict(self.jobs)
        while waiting:
            name = next(one for one in waiting if self._needs(one) <= set(self.results))
            self.results[name] = self._job(name, waiting.pop(name))
            self.done.results[name] = self.results[name]
        return "failure" if "failure" in self.results.values() else "success"

    def _needs(self, name: str) -> set[str]:
        found = self.jobs[name].get("needs", [])
        return {found} if isinstance(found, str) else set(found)

    def _before(self, name: str) -> set[str]:
        needs = self._needs(name)
        return needs.union(*(self._before(one) for one in needs))

    def _job(self, name: str, job: dict[str, Any]) -> str:
        before = [self.results[one] for one in self._before(name)]
        status = _status(failed="failure" in before, good=set(before) <= {"success"})
        needs = {one: {"result": self.results[one]} for one in self._needs(name)}
        context = {**self.context, "needs": needs}
        if not _holds(job.get("if"), context, status):
            return "skipped"
        if "uses" in job:
            called = _load(self.root / job["uses"].removeprefix("./"))
            return _Workflow(self.done, self.origin, self.event, called, self.root).run()
        matrix = substitute((job.get("strategy") or {}).get("matrix", {}), context)
        outcomes = set()
        for index, values in enumerate(itertools.product(*matrix.values())):
            one = {
                "matrix": dict(zip(matrix, values, strict=True)),
                "strategy": {"job-index": index},
            }
            outcomes.add(_Job(self, f"{name}-{index}", job, {**context, **one}).run())
        return "failure" if "failure" in outcomes else "success"


class _Job:
    """One job on a machine of its own."""

    def __init__(
        self, workflow: _Workflow, name: str, job: dict[str, Any], context: dict[str, Any]
    ) -> None:
        self.workflow, self.job = workflow, job
        self.run_of, self.folder = workflow.done, workflow.done.folder / name
        self.work, self.temp = self.folder / "work", self.folder / "temp"
        self.work.mkdir(parents=True)
        self.temp.mkdir()
        env = {**workflow.workflow.get("env", {}), **job.get("env", {})}
        runner = {"temp": str(self.temp), "os": "Linux"}
        self.steps: dict[str, dict[str, str]] = {}
        self.context = {**context, "runner": runner, "steps": self.steps}
        self.env = {name: as_text(one) for name, one in substitute(env, self.context).items()}
        self.context["env"] = self.env
        self.failed = False

    def run(self) -> str:
        """Run the steps; return the result."""
        for step in self.job["steps"]:
            title = step.get("name") or step.get("uses")
            status = _status(failed=self.failed, good=not self.failed)
            if not _holds(step.get("if"), self.context, status):
                continue
            self.run_of.say(f"## {self.folder.name}: {title}")
            good = self._action(step) if "uses" in step else self._shell(step)
            self.failed = self.failed or not good
            if "id" in step:
                self.steps[step["id"]] = {"outcome": "success" if good else "failure"}
        return "failure" if self.failed else "success"

    def _shell(self, step: dict[str, Any]) -> bool:
        summary = self.temp / "summary.md"
        summary.unlink(missing_ok=True)
        summary.touch()
        own = substitute(step.get("env") or {}, self.context)
        path = self.workflow.event.machine.get("PATH", machine_variables()["PATH"])
        env = machine_variables(
            **{
                "HOME": str(self.folder),
                "GITHUB_ACTIONS": "true",
                "GITHUB_STEP_SUMMARY": str(summary),
                "RUNNER_TEMP": str(self.temp),
                **self.env,
                **{name: as_text(one) for name, one in own.items()},
                **self.workflow.event.machine,
                "PATH": f"{self.run_of.folder / 'bin'}:{path}",
            }
        )
        script = substitute(step["run"], self.context)
        defaults = (self.workflow.workflow.get("defaults") or {}).get("run", {})
        cwd = self.work / (step.get("working-directory") or defaults.get("working-directory", "."))
        code, _ = shell(self.run_of, script, cwd, env, _BASH)
        if text := summary.read_text(encoding="utf-8"):
            self.run_of.summaries.append(text)
        return code == 0

    def _action(self, step: dict[str, Any]) -> bool:
        given = substitute(step.get("with") or {}, self.context)
        action = step["uses"].partition("@")[0]
        if action == "actions/checkout":
            ref = given.get("ref")
            what = f"refs/heads/{ref}" if ref else self.context["github"]["sha"]
            checkout(self.workflow.origin, self.work, what)
        elif action == "actions/upload-artifact":
            there = keep(self.run_of, given["name"], [self.work / given["path"]])
            return there or given.get("if-no-files-found") == "ignore"
        elif action == "actions/download-artifact":
            for found in self._artifacts(given["pattern"]):
                shutil.copytree(found, Path(given["path"]) / found.name)
        return True

    def _artifacts(self, pattern: str) -> Iterable[Path]:
        return sorted(self.run_of.artifacts.glob(pattern))


def _status(*, failed: bool, good: bool) -> Functions:
    return {
        "success": lambda: good,
        "failure": lambda: failed,
        "cancelled": lambda: False,
        "always": lambda: True,
    }


def _holds(condition: str | None, context: Mapping[str, Any], status: Functions) -> bool:
    text = (condition or "success()").strip()
    if inner := re.fullmatch(r"\$\{\{(.*)\}\}", text, re.DOTALL):
        text = inner[1]
    if not _ASKS_STATUS.search(text):
        text = f"success() && ({text})"
    return bool(evaluate(text, context, status))
