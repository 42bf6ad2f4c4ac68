"""What may differ between environments: variables of the shell, else of .env, else defaults."""

from dataclasses import MISSING, dataclass, fields
from functools import cache
from importlib import import_module
from math import inf
from typing import Any, Literal, TypeVar, get_args, get_type_hints

from polster_runtime.config.environment import variables
from polster_runtime.config.paths import module
from polster_runtime.errors import SettingsError

Loaded = TypeVar("Loaded")


LEAST = {
    "row_count_tolerance": 0,
    "max_age_hours": 0.02,
    "max_age_hours_bronze": 0.02,
    "max_age_hours_silver": 0.02,
    "max_age_hours_gold": 0.02,
    "bronze_threads": 1,
    "compute_threads": 1,
    "partitions_per_run": 0,
    "source_retries": 0,
    "source_retry_seconds": 0,
    "sensor_seconds": 1,
    "run_retention": 0,
}
"""The smallest value of a setting that has one."""


@dataclass(frozen=True, kw_only=True)
class RuntimeSettings:
    """What the runtime reads; one field a variable: `max_rejected` is MAX_REJECTED."""

    env: str = "dev"
    """The name of this environment, in status and alerts: dev, staging, prod."""
    storage_backend: str = "local"
    """Where data is kept: one of the storage backends of this project."""
    snapshot_retention: str = ""
    """Which snapshots of an asset are kept: 30 (the newest), 90d (of 90 days), or both: 30,90d."""
    run_retention: int = 90
    """For how many days Dagster's history keeps runs; 0 keeps them all."""
    shared_history: bool = False
    """Whether other projects may have their history in the same place."""
    max_rejected: float = 0.05
    """The share of rows (0 to 1) that silver may reject before nothing is published."""
    require_contracts: bool = False
    """Whether a silver asset without a contract keeps the project from loading."""
    row_count_tolerance: float = 0.5
    """How far the rows of a source may be from the usual before a check warns: 0.5 is half."""
    max_age_hours: float = 36.0
    """How old data may be before it is stale, and overdue; each layer may have its own."""
    max_age_hours_bronze: float | None = None
    max_age_hours_silver: float | None = None
    max_age_hours_gold: float | None = None
    bronze_threads: int = 32
    """How many sources are read at once."""
    compute_threads: int = 2
    """How many silver and gold assets are computed at once; each uses all cores when it can."""
    polars_engine: Literal["auto", "in-memory", "streaming", "gpu", "distributed"] = "auto"
    """Which engine of Polars computes assets; auto: streaming, as far as Polars can."""
    partitions_per_run: int = 0
    """How many partitions a run of a backfill in the UI computes; 0: all of them."""
    source_retries: int = 3
    """How often a source that failed is tried again; errors in the code are not."""
    source_retry_seconds: float = 10.0
    """How long to wait before the first of these, twice as long before each further one."""
    executor: str = "in_process"
    """What runs the steps of a run: threads of one process, multiprocess, or an engine.

    `in_process` is the same as threads, and the default for definitions that look for it.
    """
    automation_enabled: bool = True
    """Whether the schedule and the sensor run when Dagster does."""
    bronze_cron: str = "1 0 * * *"
    """When bronze runs."""
    timezone: str = "UTC"
    """The time zone of BRONZE_CRON."""
    sensor_seconds: int = 5
    """How often Dagster looks for silver and gold that can run."""
    alert_urls: str = ""
    """Who is told of failures: Apprise URLs, separated by spaces or commas."""
    ui_url: str = "http://127.0.0.1:3000"
    """Where the Dagster UI is, for the links in alerts."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "WARNING"
    """INFO logs one line for each operation on the data, with its duration."""
    log_format: Literal["text", "json"] = "text"

    def __post_init__(self) -> None:
        if not 0 <= self.max_rejected <= 1:
            raise SettingsError(f"MAX_REJECTED must be from 0 to 1, not {self.max_rejected:g}")
        for name, least in LEAST.items():
            value = getattr(self, name)
            if value is not None and not least <= value < inf:
                raise SettingsError(f"{name.upper()} must be {least:g} or more, not {value:g}")

    def max_age_hours_of(self, layer: str) -> float:
        """How old the data of a layer may be: MAX_AGE_HOURS_GOLD, else MAX_AGE_HOURS."""
        own: float | None = getattr(self, f"max_age_hours_{layer}")
        return self.max_age_hours if own is None else own


def settings() -> RuntimeSettings:
    """The settings as they are now, with the defaults of the project's own class.

    Raises SettingsError.
    """
    return load(_settings_class())


@cache
def _settings_class() -> type[RuntimeSettings]:
    """The class Settings of src/core/settings.py, if the project has one."""
    try:
        found = import_module(module("core.settings")).Settings
    except (ImportError, AttributeError):
        return RuntimeSettings
    return found if issubclass(found, RuntimeSettings) else RuntimeSettings


@cache
def _kinds(kind: Any) -> dict[str, Any]:
    """The types of its fields, by name."""
    return get_type_hints(kind)


def load(kind: type[Loaded], prefix: str = "") -> Loaded:
    """A dataclass from the variables that its fields name: with the prefix CRM, host is CRM_HOST.

    A field without a default needs its variable. Raises SettingsError, which names all that lack.
    """
    given, kinds = variables(), _kinds(kind)  # type: ignore[arg-type]
    names = {name: f"{prefix}_{name}".strip("_").upper() for name in kinds}
    texts = {name: given.get(variable, "").strip() for name, variable in names.items()}
    lacking = [names[name] for name in _required(kind) if not texts[name]]
    if lacking:
        verb = "is" if len(lacking) == 1 else "are"
        raise SettingsError(
            f"{' and '.join(', '.join(lacking).rsplit(', ', 1))} {verb} not set; "
            "put what is missing into .env, or into the shell"
        )
    return kind(
        **{name: _parse(names[name], text, kinds[name]) for name, text in texts.items() if text}
    )


def _required(kind: Any) -> list[str]:
    return [
        field.name
        for field in fields(kind)
        if field.default is MISSING and field.default_factory is MISSING
    ]


def _parse(variable: str, text: str, kind: Any) -> Any:
    if kind == float | None:
        kind = float
    if choices := get_args(kind):
        spelled = {choice.lower(): choice for choice in choices}
        if text.lower() not in spelled:
            raise SettingsError(f"{variable} must be one of {', '.join(choices)}, not {text!r}")
        return spelled[text.lower()]
    if kind is bool:
        return _truth(variable, text)
    try:
        return kind(text)
    except ValueError:
        name = {int: "a whole number", float: "a number"}.get(kind, kind.__name__)
        raise SettingsError(f"{variable} must be {name}, not {text!r}") from None


def _truth(variable: str, text: str) -> bool:
    if text.lower() in {"true", "1", "yes", "on"}:
        return True
    if text.lower() in {"false", "0", "no", "off"}:
        return False
    raise SettingsError(f"{variable} must be true or false, not {text!r}")
