"""Find a project and read it; nothing of it is ever imported or run."""
