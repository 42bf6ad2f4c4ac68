"""`polster validate --deep`: what only the project's own code can tell.

`probe` runs in the project's own environment: it imports the project, Dagster and Polars,
and never Polster. `client` starts it, and turns its answer into rules like all others.
"""

RULES = {
    "definitions": "Dagster loads the project, and every asset in it.",
    "schema": "Columns and types fit together, from bronze to gold.",
    "contract": "Functions return the columns of their contract.",
    "purity": "Functions read and write nothing but frames while they run.",
}
"""What the deep checks are called in reports and in `ignore`, and what they ask for."""
