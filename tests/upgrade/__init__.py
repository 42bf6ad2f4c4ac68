"""`polster upgrade`."""
