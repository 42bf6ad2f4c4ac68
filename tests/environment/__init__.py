"""Tests of `polster_core.environment`."""
