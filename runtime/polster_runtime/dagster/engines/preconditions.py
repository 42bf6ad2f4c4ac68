"""What other machines need before a run can begin on them."""

from polster_runtime.config.paths import dagster_home, project_root
from polster_runtime.config.settings import settings
from polster_runtime.dagster import private
from polster_runtime.dagster.engines.engine import engine_settings
from polster_runtime.dagster.history import EXAMPLE, POSTGRES_URL, postgres_url
from polster_runtime.errors import SettingsError


def check(name: str) -> None:
    """Raise SettingsError or HistoryError unless data and history are where workers reach them."""
    if not all(private.find(path) for path in private.REMOTE):
        raise SettingsError(
            f"EXECUTOR={name}: this Dagster lacks what that is built on; "
            "see  python -m polster_runtime doctor"
        )
    if settings().storage_backend == "local" and not engine_settings().shared_data:
        raise SettingsError(
            f"EXECUTOR={name}, but the data is in a folder of this machine "
            "(STORAGE_BACKEND=local); choose a storage backend that all workers reach, or set "
            "SHARED_DATA=true where they all have that folder, such as on NFS"
        )
    if postgres_url() is None and _has_own_storage():
        raise SettingsError(
            f"EXECUTOR={name}, but Dagster's history is in a folder of this machine; "
            f"set {POSTGRES_URL}={EXAMPLE} here and for all workers"
        )


def _has_own_storage() -> bool:
    """Whether the history is where Polster puts it, not where the team's dagster.yaml says."""
    files = (dagster_home() / "dagster.yaml", project_root() / ".dagster" / "dagster.yaml")
    text = next((file.read_text("utf-8") for file in files if file.exists()), "")
    return "postgres" not in text.replace("PostgreSQL", "").replace(POSTGRES_URL, "").lower()
