"""Tests of `polster_core.lineage`."""
