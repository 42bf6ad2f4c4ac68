"""The functions: written, pure, and (silver and gold) with a contract."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from polster_core.builtin.rules.dependencies import reached
from polster_core.model.diagnostics import Fix, Problem, Severity, ValidationRule
from polster_core.model.facts import Core, Place
from polster_core.model.layers import Layer
from polster_core.model.names import closest
from polster_core.model.pipeline import Asset, Pipeline


def functions(pipeline: Pipeline) -> Iterator[Problem]:
    """Find core files without the function of their layer, and Dagster files without an asset."""
    broken = {fault.place.path for fault in pipeline.faults}
    for asset in pipeline.assets:
        core, wanted = asset.core, asset.layer.function
        if core and core.function is None:
            near = closest(wanted, core.names)
            others = [layer.function for layer in Layer if layer.function in core.names]
            found = others[0] if others else near
            yield Problem.at(
                Place(core.path),
                f"has no function {wanted}()",
                hint=f"it has {found}(); {asset.layer} assets call it {wanted}" if found else "",
            )
        file = asset.asset_file
        if file and not asset.definitions and file not in broken:
            hint = f"@dg.asset above def {asset.key}"
            yield Problem(path=file, message="defines no Dagster asset", hint=hint)


def stubs(pipeline: Pipeline) -> Iterator[Problem]:
    """Find functions that were never written; they fail wherever they run."""
    for asset in pipeline.assets:
        if asset.core and asset.core.stub:
            place = asset.core.stub
            yield Problem.at(place, f"not implemented: edit {place.path}:{place.line}")


def direct_runs(pipeline: Pipeline) -> Iterator[Problem]:
    """Find core files that do nothing, and say nothing, when they are run."""
    for asset in pipeline.assets:
        core = asset.core
        if core and core.function and not core.runs:
            call = f"run({core.function})"
            yield Problem(
                path=core.path,
                message=f"does nothing when it is run: {call} is missing at its end",
                severity=Severity.WARNING,
                hint=f"from polster_runtime import run; then, at the end:  {call}",
                fix=Fix(
                    path=core.path,
                    summary=f"end it with {call}",
                    edit=partial(_with_direct_run, core.function),
                )
                if "run" in core.names
                else None,
            )


def _with_direct_run(function: str, data: bytes) -> bytes:
    newline = b"\r\n" if b"\r\n" in data else b"\n"
    lines = ['if __name__ == "__main__":', f"    run({function})", ""]
    end = newline.join(line.encode() for line in lines)
    return data if end.rstrip() in data else data.rstrip() + newline * 3 + end


def contracts(pipeline: Pipeline) -> Iterator[Problem]:
    """Find silver (an error) and gold (a warning) that nothing checks, and empty contracts."""
    for asset in pipeline.assets:
        core = asset.core
        if asset.is_function and asset.layer is Layer.SILVER:
            message = f"{asset} is an @asset function, which has no contract"
            hint = f"write {asset.id.core_file} with a class Contract: polster add-asset"
            place = asset.definitions[0].place
            yield Problem.at(place, message, severity=Severity.WARNING, hint=hint)
        if core is None or core.function is None:
            continue
        if core.contract is None and asset.layer is not Layer.BRONZE:
            yield Problem.at(
                core.place or Place(core.path),
                f"{asset} has no contract: nothing checks its rows",
                severity=Severity.ERROR if asset.layer is Layer.SILVER else Severity.WARNING,
                hint=f"class Contract(dy.Schema) above {core.function}()",
            )
        elif core.contract and core.empty_contract and core.stub is None:
            yield Problem.at(
                core.contract,
                f"the contract of {asset} names no columns: no run can keep it",
                hint="give it a line for each column, or remove it",
            )


def storage(pipeline: Pipeline) -> Iterator[Problem]:
    """Find functions that reach for files and storage instead of taking and returning frames."""
    for asset in pipeline.assets:
        if asset.core and asset.definitions:
            yield from _accesses(pipeline, asset, asset.core)


def _accesses(pipeline: Pipeline, asset: Asset, core: Core) -> Iterator[Problem]:
    declared = {dep.key for dep in asset.deps}
    for access in core.accesses:
        others = list(reached(pipeline, asset, access))
        for other in others:
            if other.key in declared:
                yield Problem.at(
                    access.place,
                    f"{asset} reads {other} with {access.text}",
                    hint=f"take {other.name} as a parameter",
                )
        if not others and asset.layer is not Layer.BRONZE:
            yield Problem.at(
                access.place,
                f"{asset} touches storage with {access.text}",
                hint="take frames and return frames; reading a source is a bronze asset's work",
            )


RULES = (
    ValidationRule(
        name="missing-function",
        summary="Core files have extract, transform or aggregate; Dagster files have an asset.",
        check=functions,
    ),
    ValidationRule(name="stub", summary="Every function is written.", check=stubs),
    ValidationRule(
        name="direct-run", summary="Running a core file runs its asset.", check=direct_runs
    ),
    ValidationRule(
        name="missing-contract",
        summary="Silver and gold have a contract (gold: a warning) that names their columns.",
        check=contracts,
    ),
    ValidationRule(
        name="impure-function",
        summary="Functions take and return frames and touch no storage.",
        check=storage,
    ),
)
