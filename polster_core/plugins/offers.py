"""What plugins offer by name, and who may have a name that several plugins offer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from polster_core.plugins.origin import Origin
from polster_core.plugins.validation import Item
from polster_core.types import (
    AssetColumn,
    AssetTemplate,
    CicdGenerator,
    Command,
    Deployment,
    DoctorCheck,
    Executor,
    GitignoreLine,
    GuideSection,
    NewFile,
    Option,
    StorageBackend,
    ValidationRule,
)

Offer = (
    AssetColumn
    | AssetTemplate
    | CicdGenerator
    | Command
    | Deployment
    | DoctorCheck
    | Executor
    | Option
    | StorageBackend
    | ValidationRule
)
"""What hooks without arguments yield."""
KINDS: tuple[type[Offer], ...] = (
    *(StorageBackend, Executor, CicdGenerator, Deployment, AssetTemplate),
    *(Option, ValidationRule, Command, DoctorCheck, AssetColumn),
)
"""Every kind of offer, in the order of the hooks."""
OfferT = TypeVar("OfferT", bound=Offer)
Answer = tuple[Origin, Item]
"""What a plugin yielded, and which plugin did."""


def name_of(item: Item) -> str:
    """Return the name under which something is offered, or what tells it from others."""
    if isinstance(item, NewFile):
        return str(item.path)
    if isinstance(item, GitignoreLine):
        return item.pattern
    return f"{item.guide} {item.title}" if isinstance(item, GuideSection) else item.name


def settle(
    answers: Sequence[Answer], blame: Callable[[Origin, str], None]
) -> tuple[list[Answer], dict[str, str]]:
    """Return the answers that keep their name, and who clashes over each of the other names.

    `answers` have Polster's own first: they keep a name that others offer as well. Whoever offers
    a name that is not its own is blamed.
    """
    kept, clashes = [], {}
    for name in dict.fromkeys(name_of(item) for _, item in answers):
        same = [answer for answer in answers if name_of(answer[1]) == name]
        if len(same) == 1 or same[0][0].is_own:
            kept.append(same.pop(0))
        elif same:
            clashes[name] = f"offered by {' and '.join(str(origin) for origin, _ in same)}"
        for origin, item in same:
            others = (str(other) for other, rival in answers if name_of(rival) == name)
            rivals = " and ".join(dict.fromkeys(o for o in others if o != str(origin)))
            problem = f"{item.kind} {name} is offered by {rivals or 'it twice'}"
            blame(origin, f"{problem}, too" if rivals else problem)
    return kept, clashes
