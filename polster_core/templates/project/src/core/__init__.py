"""The data: one pure function an asset, and the storage that it never touches."""
