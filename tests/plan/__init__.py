"""Tests of `polster_core.plan.definition`."""
