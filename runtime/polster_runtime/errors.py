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


class _Failed(PipelineError):
    """What may succeed at another try, unless it is `final`."""

    def __init__(self, message: str, *, final: bool = False) -> None:
        super().__init__(message)
        self.final = final
        self.retryable = not final


class StorageError(_Failed):
    """Data that cannot be read or written. `final` is an error that another try would not fix."""


class HistoryError(PipelineError):
    """Dagster's history, which cannot be read or written."""


class Unreachable(StorageError):
    """A store that does not answer: another try, later, may reach it."""


class SourceError(_Failed):
    """A source that cannot be read. `final` is an error that another try would not fix."""


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
