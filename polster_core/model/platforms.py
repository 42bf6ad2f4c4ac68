"""CI/CD platforms by name, and when their pipelines run by themselves."""

from __future__ import annotations

import re
from collections.abc import Iterable

NONE = "none"
"""The choice of no CI/CD."""
DAILY = "0 0 * * *"
"""When a pipeline runs by itself unless somebody says otherwise: midnight, UTC."""

_FIELDS = (
    ("minute", 0, 59, ()),
    ("hour", 0, 23, ()),
    ("day of the month", 1, 31, ()),
    ("month", 1, 12, tuple("jan feb mar apr may jun jul aug sep oct nov dec".split())),  # noqa: SIM905
    ("day of the week", 0, 6, tuple("sun mon tue wed thu fri sat".split())),  # noqa: SIM905
)
DATA_BRANCH = "data"
"""Where pipelines commit local data unless somebody says otherwise."""
DEPLOYED = "deploy"
"""The answer that names the deployments of a project, separated by commas."""
IMAGE = "pipeline-image"
"""The answer that names the deployment whose image pipelines build and push; empty for none."""
_BRANCH = re.compile(r"(?!.*(?:\.\.|//|/\.|\.lock(?:/|$)))[A-Za-z0-9][A-Za-z0-9._/-]*(?<![./])")
_PART = re.compile(r"(?:\*|(?P<low>\w+)(?:-(?P<high>\w+))?)(?:/(?P<step>\d+))?", re.ASCII)


def split(names: str) -> list[str]:
    """Return the platforms of a choice such as `github-actions,gitlab-ci`; none of `none`."""
    found = dict.fromkeys(name.strip() for name in names.split(","))
    return [name for name in found if name and name != NONE]


def join(names: Iterable[str]) -> str:
    """Return the choice of several platforms as one text, each named once; `none` of none."""
    return ",".join(split(",".join(names))) or NONE


def is_branch_name(text: str) -> bool:
    """Whether a text names a branch, and means nothing else to YAML or a shell."""
    return _BRANCH.fullmatch(text) is not None


def cron_problem(text: str) -> str | None:
    """Say why a text is not a cron line that every platform understands; `None` if it is one.

    That is POSIX: minute, hour, day of the month, month, day of the week (0 is Sunday), each `*`, a
    number, a range, a list, or with a step. Months and days may have their English names.
    """
    fields = text.split()
    if len(fields) != len(_FIELDS):
        return f"it has {len(fields)} fields, not {len(_FIELDS)}"
    for field, (name, least, most, words) in zip(fields, _FIELDS, strict=True):
        numbers = {word: str(least + index) for index, word in enumerate(words)}
        if not all(_fits(part.lower(), least, most, numbers) for part in field.split(",")):
            return f"{field} is no {name} ({least}-{most})"
    return None


def _fits(part: str, least: int, most: int, words: dict[str, str]) -> bool:
    found = _PART.fullmatch(part)
    if found is None or found["step"] == "0":
        return False
    if found["low"] is None:
        return True
    low, high = (words.get(found[end] or "", found[end]) for end in ("low", "high"))
    if found["step"] and high is None:
        return False
    values = [int(value) if value.isdecimal() else -1 for value in (low, high or low)]
    return least <= values[0] <= values[1] <= most
