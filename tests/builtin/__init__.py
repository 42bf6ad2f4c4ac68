"""Tests of `polster_core.builtin`."""
