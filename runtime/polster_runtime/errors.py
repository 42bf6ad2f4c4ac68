"""The errors that a pipeline reports. The message of each says all that a person needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from polster_runtime.domain.asset_id import AssetId


class PipelineError(Exception):
    """What a person can fix; shown as a sentence, without a traceback.

    `retryable` says whether another try may succeed without anybody's help.
    """

    retryable = False


class AssetError(PipelineError, TypeError):
    """An asset that cannot run as it is written."""


class SettingsError(PipelineError, ValueError):
    """An environment variable that cannot be used as it is; the message names it."""


class StorageError(PipelineError):
    """Data that cannot be read or written."""

    retryable = True


class HistoryError(PipelineError):
    """Dagster's history, which cannot be read or written."""


class Unreachable(StorageError):
    """A store that does not answer: another try, later, may reach it."""


class SourceError(PipelineError):
    """A source that cannot be read. `final` is one that another try would not fix."""

    retryable = True

    def __init__(self, message: str, *, final: bool = False) -> None:
        super().__init__(message)
        self.final = final
        self.retryable = not final


class NoData(PipelineError):
    """An upstream asset that has never run."""

    def __init__(self, asset: AssetId) -> None:
        super().__init__(f"{asset} has no data yet: run it first")
        self.asset = asset


class ContractBroken(PipelineError):
    """Too many rows break the contract; nothing was published."""

    def __init__(self, message: str, rejected: int, broken_rules: dict[str, int]) -> None:
        super().__init__(message)
        self.rejected = rejected
        self.broken_rules = broken_rules
