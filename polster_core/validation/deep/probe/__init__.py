"""Runs in a project's own environment; imports nothing of Polster. See the package above."""
