"""Tests of `polster_core.model.pipeline`."""
