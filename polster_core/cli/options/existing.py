"""The options of plugins at commands for a project that exists: `add-cicd`, `storage add`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from polster_core.cli.options.answer import Typed, settle
from polster_core.cli.params import parameter_name
from polster_core.errors import UsageProblem
from polster_core.plugins.options import Flag


@dataclass(frozen=True)
class Given:
    """The flags that a command has, and what was typed for each."""

    flags: Sequence[Flag]
    typed: Mapping[str, Typed]
    command: str

    def answers(
        self, chosen: Sequence[str], recorded: Mapping[str, str], *, asks: bool
    ) -> dict[str, str]:
        """Settle the options of what was chosen: typed, as it was answered before, asked, default.

        Raises UsageProblem for options of something else, and for those that are missing.
        """
        found: dict[str, str] = {}
        missing: list[str] = []
        for flag in self.flags:
            typed = self.typed.get(parameter_name(flag))
            if flag.contribution not in chosen:
                if typed is not None:
                    raise UsageProblem(
                        f"--{flag.name} belongs to {flag.contribution}",
                        hint=f"{self.command} {flag.contribution} --{flag.name} …",
                    )
                continue
            before = recorded.get(flag.name) if typed is None else None
            answer = before or settle(flag.option, flag.name, typed, asks=asks)
            if answer is not None:
                found[flag.name] = answer
            elif flag.option.required:
                missing.append(f"`--{flag.name}`")
        if missing:
            raise UsageProblem(
                f"missing option {' and '.join(missing)}", hint=f"see  {self.command} --help"
            )
        return found


__all__ = ["Given"]
