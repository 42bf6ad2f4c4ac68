"""Commands: python -m polster_runtime COMMAND."""
