"""Bring a project up to the installed Polster and its plugins: one plan, merged in three ways."""
