"""Tests of `polster_core.scaffold.project`."""
