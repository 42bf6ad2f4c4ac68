"""Print the rules that the rows of a quarantine file broke, one for each row and rule."""

import sys

import polars as pl

print(*pl.read_parquet(sys.argv[1])["_broken_rules"].explode())
