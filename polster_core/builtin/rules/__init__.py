"""The rules that Polster brings itself; they come in through the hook that teams use for theirs."""

from __future__ import annotations

from collections.abc import Iterable

from polster_core.hookspecs import hookimpl
from polster_core.model.diagnostics import ValidationRule


@hookimpl
def polster_validation_rules() -> Iterable[ValidationRule]:
    """Offer every built-in rule, in the order in which `polster validate --rules` lists them."""
    from polster_core.builtin.rules import (
        core_files,
        dependencies,
        files,
        generated_files,
        imports,
        increments,
        naming,
        other_projects,
        partitions,
        registration,
        secrets,
    )

    for module in (
        files,
        naming,
        dependencies,
        imports,
        registration,
        core_files,
        increments,
        partitions,
        other_projects,
        secrets,
        generated_files,
    ):
        yield from module.RULES
