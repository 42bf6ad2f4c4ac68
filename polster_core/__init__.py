"""Polster's core. What plugins may import lives in `types`, `hookspecs`, `errors` and `testing`."""
