"""Immutable snapshots of assets on any file system."""
