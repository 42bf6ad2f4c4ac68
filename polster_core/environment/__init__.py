"""Other programs: the project's own Python, git, and what runs in them."""
