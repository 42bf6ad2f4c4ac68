"""Layers, names and selections: the standard library only, no file is read."""
