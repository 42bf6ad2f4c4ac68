"""The Dagster assets: a folder for each layer, a file for each asset."""
