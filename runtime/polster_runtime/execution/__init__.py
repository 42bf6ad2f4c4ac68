"""Running an asset: read, compute, check, publish."""
