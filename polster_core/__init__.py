"""Polster's core. What plugins may import lives in `types`, `hookspecs`, `errors`, `render`."""

__version__ = "0.2.0"
