"""Where things are on this machine."""

from polster_runtime.config.paths import dagster_home, data_dir, project_root

PROJECT_ROOT = project_root()
DATA_DIR = data_dir()
DAGSTER_HOME = dagster_home()
