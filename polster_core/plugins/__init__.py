"""Find, load, check and ask plugins."""
