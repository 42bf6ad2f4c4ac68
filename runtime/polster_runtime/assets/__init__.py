"""What the files of an asset say: its function, its dependencies, its contract."""
