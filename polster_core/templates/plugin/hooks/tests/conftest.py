"""The fixtures that plugins' tests use."""

pytest_plugins = ["polster_core.testing"]
