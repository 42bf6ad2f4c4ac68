"""Tests of `polster_core.rendering`."""
