"""Tests of `polster_core.project.locate`."""
