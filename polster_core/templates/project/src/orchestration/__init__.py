"""Dagster: what runs when, in which order, and what is recorded about it."""
