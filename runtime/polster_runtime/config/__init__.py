"""Where a project is, its settings, its log."""
