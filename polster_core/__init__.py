"""Polster's core. What plugins may import lives in `types`, `hookspecs`, `errors` and `testing`."""

__version__ = "0.1.0"
