"""Decide everything that a command would change, show it, and apply all of it or nothing."""
