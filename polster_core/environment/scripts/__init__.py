"""Scripts that run in a project's own environment, where Polster is not installed."""
