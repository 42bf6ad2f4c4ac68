"""One module a command, and the table of all.

Each module has `command`: a `click.Command`, or a function without arguments that builds one.
"""

from collections.abc import Mapping

# Each command with its help line, which `polster --help` prints without importing the command.
# The module has the command's name, with underscores.
COMMANDS: Mapping[str, str] = {
    "init": "Create a project in the folder PATH, new or not.",
    "setup": "Create or repair this project's environment.",
    "run": "Run this project's assets in its own environment.",
    "backfill": "Compute partitions of assets: all, some, or missing ones.",
    "add-asset": "Add an asset to this project.",
    "add-cicd": "Write the pipeline of a CI/CD platform, and its guide.",
    "add-deploy": "Write what a deployment needs, and its guide.",
    "rename-asset": "Rename an asset: files, uses, tests, docs, data, history.",
    "remove-asset": "Remove assets: their files, tests and registrations.",
    "list-assets": "List the assets of this project.",
    "lineage": "Show asset and column lineage.",
    "quarantine": "Show the rows that broke a contract, and run them again.",
    "state": "Show or change incremental positions.",
    "preview": "Show the rows of an asset, its columns, or its snapshots.",
    "upgrade": "Bring this project up to the installed Polster and plugins.",
    "validate": "Check names, layers, dependencies, registrations and files.",
    "storage": "Add a backend, move data to another, delete old snapshots.",
    "workspace": "Load several projects in one Dagster: UI, daemon, history.",
    "executor": "Run the steps of runs on other machines.",
    "doctor": "Diagnose this project and suggest fixes.",
    "completion": "Print what makes a shell complete commands, options, assets.",
    "plugins": "List what is installed, what is broken and why.",
}
