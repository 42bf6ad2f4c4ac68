"""Tests of `polster_core.validation`."""
