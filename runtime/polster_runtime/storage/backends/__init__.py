"""Where data can be kept: one module each."""
